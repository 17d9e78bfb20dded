//! API keys, cached so that a callback costs no read.

use domain::primitives::id::SiteId;
use domain::site::credential::{PresentedKey, StoredKey};
use jiff::Timestamp;
use store::config::ConfigTable;

use crate::problem::Problem;
use crate::remembered::Remembered;

/// The keys of all sites.
#[derive(Debug)]
pub(crate) struct Keys {
    table: ConfigTable,
    remembered: Remembered<StoredKey>,
}

impl Keys {
    pub(crate) fn new(table: ConfigTable) -> Self {
        Self { table, remembered: Remembered::default() }
    }

    /// Returns the site of a presented key.
    ///
    /// # Errors
    /// 401 if the key is not valid, 503 if it cannot be checked.
    pub(crate) async fn site_of(&self, presented: &PresentedKey, now: Timestamp) -> Result<SiteId, Problem> {
        let stored = match self.remembered.get(&presented.key_id, now) {
            Some(remembered) => remembered,
            None => {
                let stored = self.table.key(&presented.key_id).await.map_err(|error| Problem::no_store(&error))?;
                self.remembered.put(&presented.key_id, stored.clone(), now);
                stored
            }
        };
        let admitted = stored.filter(|stored| stored.admits(presented));
        admitted.map(|stored| stored.site).ok_or_else(|| Problem::unauthorized("The API key is not admitted."))
    }
}
