//! The limits of the API keys, as this execution counts them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::primitives::cause::chain;
use domain::site::intake::{EventsPerMinute, Share, Usage};
use jiff::Timestamp;
use store::config::ConfigTable;

use crate::problem::Problem;

/// The usage of each key that was admitted. Only existing keys are in it.
#[derive(Debug)]
pub(crate) struct Limits {
    table: ConfigTable,
    limit: EventsPerMinute,
    keys: Mutex<HashMap<String, Usage>>,
}

impl Limits {
    pub(crate) fn new(table: ConfigTable, limit: EventsPerMinute) -> Self {
        Self { table, limit, keys: Mutex::default() }
    }

    /// Checks whether a key may raise events.
    ///
    /// # Errors
    /// 429 if it has used up its limit.
    pub(crate) fn check(&self, key_id: &str, now: Timestamp) -> Result<(), Problem> {
        let usage = self.keys().get(key_id).copied().unwrap_or_default();
        usage.wait(self.limit, now).map_or(Ok(()), |wait| Err(Problem::too_many_events(self.limit, wait)))
    }

    /// Counts events of a key in this execution only. The next accepted event shares them too.
    pub(crate) fn count_here(&self, key_id: &str, events: usize, now: Timestamp) -> Option<Share> {
        let events = u32::try_from(events).unwrap_or(u32::MAX);
        self.keys().entry(key_id.to_owned()).or_default().count(events, self.limit, now)
    }

    /// Counts the accepted events of a key.
    pub(crate) async fn count(&self, key_id: &str, events: usize, now: Timestamp) {
        let Some(share) = self.count_here(key_id, events, now) else { return };
        match self.table.share_usage(key_id, share).await {
            Ok(total) => self.keys().entry(key_id.to_owned()).or_default().learn(share, total),
            // The events were accepted. The count stays, and the next event shares it.
            Err(error) => tracing::warn!(key.id = key_id, error = chain(&error), "the usage of a key was not shared"),
        }
    }

    fn keys(&self) -> MutexGuard<'_, HashMap<String, Usage>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
