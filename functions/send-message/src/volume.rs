//! The volume valve. A mapping that sends far more than usual is paused.
//!
//! Each batch adds the number of messages it sent. A process writes the first of a day at once and the others ten by
//! ten, because a write for each message would be a part of its cost. The counts of the last few messages of a process
//! are lost with it, which the valve tolerates: its thresholds are above a thousand.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::mapping::volume::volume_spike;
use domain::primitives::cause::chain;
use domain::primitives::id::{MappingId, SiteId};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use store::StoreError;

use crate::App;

/// Number of messages after which a process writes its count.
const WRITTEN_AT_ONCE: u32 = 10;

/// A mapping of a site.
type Key = (SiteId, MappingId);

/// Number of messages sent in this invocation, by mapping.
#[derive(Default)]
pub(crate) struct Volume(Mutex<HashMap<Key, u32>>);

/// The messages that this process has not written yet, by mapping.
#[derive(Debug, Default)]
pub(crate) struct Unwritten(Mutex<HashMap<Key, Pending>>);

/// The messages of one mapping.
#[derive(Debug, Default)]
struct Pending {
    count: u32,
    /// The UTC day of the last write.
    written_on: Option<Date>,
}

impl Unwritten {
    /// Adds messages. Returns the number to write now; `None` if the number may wait for more.
    fn add(&self, key: &Key, count: u32, now: Timestamp) -> Option<u32> {
        let mut unwritten = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pending = unwritten.entry(key.clone()).or_default();
        pending.count += count;
        let today = Some(now.to_zoned(TimeZone::UTC).date());
        if pending.written_on == today && pending.count < WRITTEN_AT_ONCE {
            return None;
        }
        pending.written_on = today;
        Some(std::mem::take(&mut pending.count))
    }
}

impl Volume {
    /// Counts one message.
    pub(crate) fn add(&self, site: &SiteId, mapping: &MappingId) {
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *sent.entry((site.clone(), mapping.clone())).or_default() += 1;
    }

    /// Writes the counts. A count that cannot be written is dropped: the valve is a safeguard without guarantee, and a
    /// failed count does not justify a retry of the record.
    pub(crate) async fn settle(self, app: &App) {
        let sent = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        for (key, count) in sent {
            let Some(count) = app.unwritten.add(&key, count, app.clock.now()) else { continue };
            let (site, mapping) = key;
            if let Err(error) = count_and_pause(app, &site, &mapping, count).await {
                tracing::warn!(%site, %mapping, error = chain(&error), "the messages of a mapping could not be counted");
            }
        }
    }
}

async fn count_and_pause(app: &App, site: &SiteId, mapping: &MappingId, count: u32) -> Result<(), StoreError> {
    let now = app.clock.now();
    let days = app.contacts.count_sent(site, mapping, count, now).await?;
    let Some(volume_spike) = volume_spike(&days, count, now) else { return Ok(()) };
    if app.config.pause_mapping(site, mapping, &volume_spike).await? {
        tracing::error!(%site, %mapping, %volume_spike, "a mapping sends far more than usual; it is paused until a person confirms it");
    }
    app.forget(site);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_writes_the_first_message_of_a_day_at_once_and_the_others_ten_by_ten() {
        let key = (SiteId::parse("demo").unwrap(), MappingId::parse("stato-ordine").unwrap());
        let unwritten = Unwritten::default();
        let add = |count, at: &str| unwritten.add(&key, count, at.parse().unwrap());
        assert_eq!(add(1, "2026-11-22T10:00:00Z"), Some(1));
        let others: Vec<_> = (0..20).filter_map(|_| add(1, "2026-11-22T10:00:00Z")).collect();
        assert_eq!(others, [10, 10]);
        assert_eq!((add(3, "2026-11-22T23:59:59Z"), add(12, "2026-11-22T23:59:59Z")), (None, Some(15)));
        assert_eq!((add(4, "2026-11-22T23:59:59Z"), add(1, "2026-11-23T00:00:00Z")), (None, Some(5)));
    }
}
