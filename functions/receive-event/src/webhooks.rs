//! Webhooks, cached so that a status costs no read.

use domain::site::credential::is_webhook_id;
use domain::webhook::Webhook;
use jiff::Timestamp;

use crate::problem::Problem;
use crate::remembered::Remembered;

/// The webhooks of all sites.
#[derive(Debug)]
pub(crate) struct Webhooks {
    table: store::webhooks::Webhooks,
    remembered: Remembered<Webhook>,
}

impl Webhooks {
    pub(crate) fn new(table: store::webhooks::Webhooks) -> Self {
        Self { table, remembered: Remembered::default() }
    }

    /// Returns the webhook with this id.
    ///
    /// # Errors
    /// 404 if it does not exist, 503 if it cannot be read.
    pub(crate) async fn webhook(&self, id: &str, now: Timestamp) -> Result<Webhook, Problem> {
        match self.remembered.get(id, now) {
            Some(remembered) => remembered.ok_or_else(Problem::not_found),
            None => self.read(id, now).await,
        }
    }

    /// Reads the webhook without the cache, so that a number added a moment ago is found.
    ///
    /// # Errors
    /// The same as [`webhook`](Self::hook).
    pub(crate) async fn read(&self, id: &str, now: Timestamp) -> Result<Webhook, Problem> {
        if !is_webhook_id(id) {
            return Err(Problem::not_found());
        }
        let webhook = self.table.webhook(id).await.map_err(|error| Problem::no_store(&error))?;
        self.remembered.put(id, webhook.clone(), now);
        webhook.ok_or_else(Problem::not_found)
    }
}
