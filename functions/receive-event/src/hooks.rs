//! Webhooks, kept for a while so that a status costs no read.

use domain::credential::is_webhook_id;
use domain::webhook::Hook;
use jiff::Timestamp;

use crate::problem::Problem;
use crate::remembered::Remembered;

/// The webhooks of all sites.
#[derive(Debug)]
pub(crate) struct Hooks {
    table: store::hooks::Hooks,
    remembered: Remembered<Hook>,
}

impl Hooks {
    pub(crate) fn new(table: store::hooks::Hooks) -> Self {
        Self { table, remembered: Remembered::default() }
    }

    /// The webhook of that id.
    ///
    /// # Errors
    /// 404 if there is none, 503 if that cannot be known now.
    pub(crate) async fn hook(&self, id: &str, now: Timestamp) -> Result<Hook, Problem> {
        match self.remembered.get(id, now) {
            Some(remembered) => remembered.ok_or_else(Problem::not_found),
            None => self.read(id, now).await,
        }
    }

    /// As [`hook`](Self::hook), but as it is now: a number that was just added must not wait for what is remembered.
    ///
    /// # Errors
    /// As there.
    pub(crate) async fn read(&self, id: &str, now: Timestamp) -> Result<Hook, Problem> {
        if !is_webhook_id(id) {
            return Err(Problem::not_found());
        }
        let hook = self.table.hook(id).await.map_err(|error| Problem::no_store(&error))?;
        self.remembered.put(id, hook.clone(), now);
        hook.ok_or_else(Problem::not_found)
    }
}
