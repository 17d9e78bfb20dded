//! A reminder in the schedule, as [`super::waiting`] finds it and [`super::reminder`] evaluates it.

use domain::primitives::id::EventId;
use domain::primitives::key::{activity_key, event_key};
use store::schedule::{DueItem, ReminderItem};

/// A reminder in the schedule.
pub(super) struct Kept {
    pub(super) item: DueItem,
    pub(super) reminder: ReminderItem,
}

impl Kept {
    /// Returns the key of its activity.
    pub(super) fn activity(&self) -> String {
        activity_key(&self.reminder.site, &self.reminder.activity)
    }

    /// Returns the ledger key of an event of its site.
    pub(super) fn in_ledger(&self, event: &EventId) -> String {
        event_key(&self.reminder.site, event)
    }
}
