//! The order of the events about one subject.

use jiff::Timestamp;

use super::Event;

/// The event version, which orders the events of a subject. The higher version is newer, then the later `occurred_at`,
/// then the later `received_at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventVersion {
    /// The version of the document, where Passweb counts versions.
    pub version: Option<u64>,
    /// When the event happened.
    pub occurred_at: Timestamp,
    /// When the event was received.
    pub received_at: Timestamp,
}

impl EventVersion {
    /// Returns the event version of an event of an activity.
    #[must_use]
    pub fn of_activity(event: &Event, received_at: Timestamp) -> Self {
        let version = event.activity().and_then(|activity| activity.version);
        Self { version, occurred_at: event.occurred_at, received_at }
    }
}
