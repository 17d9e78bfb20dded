//! Webhooks, cached so that a status costs no read.

use domain::site::credential::is_webhook_id;
use domain::webhook::Webhook;
use jiff::Timestamp;
use runtime::cache::Cache;
use store::StoreError;

use crate::cached::cached;
use crate::problem::Problem;

/// The webhooks of all sites.
#[derive(Debug)]
pub(crate) struct Webhooks {
    table: store::webhooks::Webhooks,
    cache: Cache<String, Option<Webhook>, StoreError>,
}

impl Webhooks {
    pub(crate) fn new(table: store::webhooks::Webhooks) -> Self {
        Self { table, cache: Cache::default() }
    }

    /// Returns the webhook with this id.
    ///
    /// # Errors
    /// 404 if it does not exist, 503 if it cannot be read.
    pub(crate) async fn webhook(&self, id: &str, now: Timestamp) -> Result<Webhook, Problem> {
        if !is_webhook_id(id) {
            return Err(Problem::not_found());
        }
        let load = async { self.table.webhook(id).await.map(cached) };
        let webhook = self.cache.get(&id.to_owned(), now, load).await.map_err(|error| Problem::no_store(&error))?;
        webhook.ok_or_else(Problem::not_found)
    }

    /// Reads the webhook anew, so that a number added a moment ago is found.
    ///
    /// # Errors
    /// The same as [`webhook`](Self::webhook).
    pub(crate) async fn read(&self, id: &str, now: Timestamp) -> Result<Webhook, Problem> {
        self.cache.forget(&id.to_owned());
        self.webhook(id, now).await
    }
}
