//! How often a mapping sends the same message again.

use serde::{Deserialize, Serialize};

use crate::event::EventType;

/// How often a mapping notifies the same recipient about the same subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// For every event.
    Every,
    /// Once per state, even if the state is entered again.
    OncePerState,
    /// Once per actor: the first download, the first reading.
    OncePerActor,
}

impl Repeat {
    /// Returns the default for an event type.
    #[must_use]
    pub fn default_of(kind: EventType) -> Self {
        match kind {
            EventType::OrderStatusChanged => Self::OncePerState,
            EventType::MessageRead
            | EventType::ActivityAcknowledged
            | EventType::FileDownloaded
            | EventType::FilePreviewed => Self::OncePerActor,
            _ => Self::Every,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_type_has_its_default_repeat() {
        let defaults = |wanted| EventType::ALL.into_iter().filter(move |kind| Repeat::default_of(*kind) == wanted);
        assert_eq!(defaults(Repeat::OncePerState).collect::<Vec<_>>(), [EventType::OrderStatusChanged]);
        assert_eq!(
            defaults(Repeat::OncePerActor).collect::<Vec<_>>(),
            [
                EventType::MessageRead,
                EventType::ActivityAcknowledged,
                EventType::FileDownloaded,
                EventType::FilePreviewed
            ]
        );
        assert_eq!(defaults(Repeat::Every).count(), EventType::ALL.len() - 5);
    }
}
