//! When the templates of each account were last read.

use domain::primitives::id::{AccountId, SiteId};
use jiff::Timestamp;

use super::ConfigTable;
use super::resync::sort_key;
use crate::error::StoreError;
use crate::item::{Reading, text, time};

const SYNCED: &str = "SYNCED";

impl ConfigTable {
    /// Notes a successful sync of an account's templates.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn note_sync(&self, site: &SiteId, account: &AccountId, at: Timestamp) -> Result<(), StoreError> {
        let request = self.client.put_item().table_name(&self.table);
        let request = request.item("pk", text(SYNCED)).item("sk", text(sort_key(site, account)));
        request.item("at", time(at)).send().await?;
        Ok(())
    }

    /// Returns when the templates of each of these accounts were last read, and `None` if that is not known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn last_syncs(&self, accounts: &[(SiteId, AccountId)]) -> Result<Vec<Option<Timestamp>>, StoreError> {
        let items = self.query(SYNCED).await?;
        let mut times = std::collections::HashMap::new();
        for item in &items {
            let reading = Reading::of(item);
            times.insert(reading.required("sk")?, reading.time("at")?);
        }
        let last =
            |(site, account): &(SiteId, AccountId)| times.get(sort_key(site, account).as_str()).copied().flatten();
        Ok(accounts.iter().map(last).collect())
    }
}
