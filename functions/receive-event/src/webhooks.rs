//! Webhooks, kept for a while so that a status costs no read.

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

    /// The webhook of that id.
    ///
    /// # Errors
    /// 404 if there is none, 503 if that cannot be known now.
    pub(crate) async fn webhook(&self, id: &str, now: Timestamp) -> Result<Webhook, Problem> {
        match self.remembered.get(id, now) {
            Some(remembered) => remembered.ok_or_else(Problem::not_found),
            None => self.read(id, now).await,
        }
    }

    /// As [`webhook`](Self::hook), but as it is now: a number that was just added must not wait for what is remembered.
    ///
    /// # Errors
    /// As there.
    pub(crate) async fn read(&self, id: &str, now: Timestamp) -> Result<Webhook, Problem> {
        if !is_webhook_id(id) {
            return Err(Problem::not_found());
        }
        let webhook = self.table.webhook(id).await.map_err(|error| Problem::no_store(&error))?;
        self.remembered.put(id, webhook.clone(), now);
        webhook.ok_or_else(Problem::not_found)
    }
}
