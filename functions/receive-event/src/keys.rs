//! API keys, cached so that a callback costs no read.

use domain::site::credential::{PresentedKey, StoredKey};
use jiff::Timestamp;
use runtime::cache::Cache;
use store::StoreError;
use store::config::ConfigTable;

use crate::cached::cached;
use crate::problem::Problem;

/// The keys of all sites.
#[derive(Debug)]
pub(crate) struct Keys {
    table: ConfigTable,
    cache: Cache<String, Option<StoredKey>, StoreError>,
}

impl Keys {
    pub(crate) fn new(table: ConfigTable) -> Self {
        Self { table, cache: Cache::default() }
    }

    /// Returns the stored form of a presented key, which names its site.
    ///
    /// # Errors
    /// 401 if the key is not valid, 503 if it cannot be checked.
    pub(crate) async fn admit(&self, presented: &PresentedKey, now: Timestamp) -> Result<StoredKey, Problem> {
        let load = async { self.table.key(&presented.key_id).await.map(cached) };
        let stored = self.cache.get(&presented.key_id, now, load).await.map_err(|error| Problem::no_store(&error))?;
        let admitted = stored.filter(|stored| stored.admits(presented));
        admitted.ok_or_else(|| Problem::unauthorized("The API key is not admitted."))
    }
}
