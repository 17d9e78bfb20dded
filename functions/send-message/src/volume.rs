//! The volume valve. Each batch adds the number of messages it sent; a mapping that sends far more than usual is
//! paused.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::mapping::volume::volume_spike;
use domain::primitives::cause::chain;
use domain::primitives::id::{MappingId, SiteId};
use store::StoreError;

use crate::App;

/// Number of messages sent in this invocation, by mapping.
#[derive(Default)]
pub(crate) struct Volume(Mutex<HashMap<(SiteId, MappingId), u32>>);

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
        for ((site, mapping), count) in sent {
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
