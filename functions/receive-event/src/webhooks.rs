//! Webhooks, cached so that a status costs no read, and the record that they work.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use domain::primitives::cause::chain;
use domain::site::credential::is_webhook_id;
use domain::webhook::Webhook;
use jiff::{SignedDuration, Timestamp};
use runtime::cache::Cache;
use store::StoreError;

use crate::cached::cached;
use crate::problem::Problem;

/// How long a recorded request proves that a webhook works. A request within this time costs no write.
const PROVEN_FOR: SignedDuration = SignedDuration::from_hours(1);

/// The webhooks of all sites.
#[derive(Debug)]
pub(crate) struct Webhooks {
    table: store::webhooks::Webhooks,
    cache: Cache<String, Option<Webhook>, StoreError>,
    /// The last recorded request of each webhook. Only existing webhooks are in it.
    proven_at: Mutex<HashMap<String, Timestamp>>,
}

impl Webhooks {
    pub(crate) fn new(table: store::webhooks::Webhooks) -> Self {
        Self { table, cache: Cache::default(), proven_at: Mutex::default() }
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

    /// Records that a webhook works: an authenticated request brought a platform event. A failure is only logged, since
    /// the platform events are in the queue.
    pub(crate) async fn note_request(&self, id: &str, webhook: &Webhook, now: Timestamp) {
        let hour_ago = now.saturating_sub(PROVEN_FOR).unwrap_or(now);
        let since = webhook.proves_from().map_or(hour_ago, |from| from.max(hour_ago));
        let proven_at = self.proven_at.lock().unwrap_or_else(PoisonError::into_inner).get(id).copied();
        if now < since || proven_at.is_some_and(|at| at >= since) {
            return;
        }
        match self.table.note_request(id, since, now).await {
            Ok(()) => {
                self.proven_at.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), now);
            }
            Err(error) => {
                tracing::warn!(site = %webhook.site, error = chain(&error), "a request of a webhook was not recorded");
            }
        }
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
