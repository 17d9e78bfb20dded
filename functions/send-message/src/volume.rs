//! The volume valve: what a batch sent is counted at its end, and a mapping that sends far more than usual is paused.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::mapping::volume::volume_spike;
use domain::primitives::id::{MappingId, SiteId};
use store::StoreError;

use crate::App;

/// What an invocation sent, by mapping.
#[derive(Default)]
pub(crate) struct Volume(Mutex<HashMap<(SiteId, MappingId), u32>>);

impl Volume {
    /// Counts one message.
    pub(crate) fn add(&self, site: &SiteId, mapping: &MappingId) {
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *sent.entry((site.clone(), mapping.clone())).or_default() += 1;
    }

    /// Writes the counts down. What cannot be counted is not worth a record's second try: the valve is no promise.
    pub(crate) async fn settle(self, app: &App) {
        let sent = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        for ((site, mapping), count) in sent {
            if let Err(error) = count_and_pause(app, &site, &mapping, count).await {
                tracing::warn!(%site, %mapping, %error, "what a mapping sent could not be counted");
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
