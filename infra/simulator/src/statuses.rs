//! The statuses that follow an accepted message: which ones, when, and in which order.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::{
    state::{Message, Shared, State},
    webhook::{Update, envelope},
};

/// The longest delay that can be ordered.
const DELAY_MS_MAX: u64 = 600_000;

/// How statuses are sent, as ordered through the control API.
// All variants have braces, because serde does not reject unknown fields beside a unit variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "mode", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Mode {
    /// `sent`, `delivered`, `read`, immediately.
    Normal {},
    /// No status at all.
    None {},
    /// In reverse order.
    Reversed {},
    /// All statuses twice, one sequence after the other.
    Doubled {},
    /// Posted and answered before the send itself is answered.
    BeforeAnswer {},
    /// After this many milliseconds of wall time.
    Delayed { delay_ms: u64 },
    /// Accepted, then failed with this code.
    Failed { code: i64 },
}

impl Default for Mode {
    fn default() -> Self {
        Self::Normal {}
    }
}

impl Mode {
    /// Parses a mode from JSON. The error describes the problem.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, String> {
        match serde_json::from_slice(json) {
            Ok(Self::Delayed { delay_ms }) if delay_ms > DELAY_MS_MAX => {
                Err(format!("delay_ms must be at most {DELAY_MS_MAX}"))
            }
            Ok(mode) => Ok(mode),
            Err(error) => Err(format!("not a mode of statuses: {error}")),
        }
    }

    /// Returns the statuses after a send, in posting order. A failure ordered for this send replaces the usual
    /// statuses.
    fn course(self, failure: Option<i64>) -> Vec<Status> {
        let mut course = match (failure, self) {
            (Some(code), _) | (None, Self::Failed { code }) => vec![Status::Failed(code)],
            (None, Self::None {}) => Vec::new(),
            (None, _) => vec![Status::Sent, Status::Delivered, Status::Read],
        };
        match self {
            Self::Reversed {} => course.reverse(),
            Self::Doubled {} => course.extend_from_within(..),
            _ => {}
        }
        course
    }
}

/// One status of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Sent,
    Delivered,
    Read,
    /// Contains the code of the failure.
    Failed(i64),
}

impl Status {
    /// Returns the platform's name of the status.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed(_) => "failed",
        }
    }

    /// Returns the code of a failure.
    pub(crate) fn code(self) -> Option<i64> {
        match self {
            Self::Failed(code) => Some(code),
            _ => None,
        }
    }
}

/// A status that a message has reached, for the phone.
pub(crate) struct Tick {
    /// The message's id.
    pub(crate) id: String,
    pub(crate) status: Status,
}

/// The message data that a status contains.
#[derive(Clone)]
pub(crate) struct Subject {
    pub(crate) id: String,
    pub(crate) wa_id: String,
    pub(crate) category: String,
    pub(crate) callback_data: Option<String>,
}

impl Subject {
    /// Extracts the status data from a message.
    pub(crate) fn of(message: &Message) -> Self {
        Self {
            id: message.id.clone(),
            wa_id: message.wa_id.clone(),
            category: message.category.clone(),
            callback_data: message.callback_data.clone(),
        }
    }
}

/// Raises the statuses of an accepted message. Returns a receiver if the send's answer must wait for the statuses. It
/// resolves once each status was posted once.
pub(crate) fn follow(
    shared: &Shared,
    state: &mut State,
    subject: Subject,
    failure: Option<i64>,
) -> Option<oneshot::Receiver<()>> {
    let course = state.mode.course(failure);
    let outbox = shared.outbox();
    let ticket = outbox.expect(course.len());
    match state.mode {
        Mode::BeforeAnswer {} => Some(outbox.post_now(ticket, reach(shared, state, &subject, &course))),
        Mode::Delayed { delay_ms } => {
            let shared = shared.clone();
            outbox.spawn(ticket, async move {
                tokio::time::sleep(Duration::from_millis(delay_ms)).await;
                let mut state = shared.lock();
                // A reset may have happened while this task waited for the lock.
                if shared.outbox().holds(ticket) {
                    let updates = reach(&shared, &mut state, &subject, &course);
                    shared.outbox().push(ticket, updates);
                }
            });
            None
        }
        _ => {
            outbox.push(ticket, reach(shared, state, &subject, &course));
            None
        }
    }
}

/// Records the statuses for the phone and builds their webhook updates.
fn reach(shared: &Shared, state: &mut State, subject: &Subject, course: &[Status]) -> Vec<Update> {
    let now = shared.now();
    state.ticks.extend(course.iter().map(|&status| Tick { id: subject.id.clone(), status }));
    course.iter().map(|&status| envelope::status(subject, status, now)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(mode: &str, failure: Option<i64>) -> Vec<&'static str> {
        Mode::parse(mode.as_bytes()).unwrap().course(failure).into_iter().map(Status::word).collect()
    }

    #[test]
    fn each_mode_has_its_sequence_of_statuses() {
        for (mode, expected) in [
            (r#"{"mode":"normal"}"#, "sent delivered read"),
            (r#"{"mode":"none"}"#, ""),
            (r#"{"mode":"reversed"}"#, "read delivered sent"),
            (r#"{"mode":"doubled"}"#, "sent delivered read sent delivered read"),
            (r#"{"mode":"before_answer"}"#, "sent delivered read"),
            (r#"{"mode":"delayed","delay_ms":600000}"#, "sent delivered read"),
            (r#"{"mode":"failed","code":131026}"#, "failed"),
        ] {
            assert_eq!(words(mode, None).join(" "), expected, "{mode}");
        }
    }

    #[test]
    fn an_ordered_failure_replaces_the_following_statuses() {
        for mode in [r#"{"mode":"normal"}"#, r#"{"mode":"none"}"#, r#"{"mode":"reversed"}"#] {
            assert_eq!(words(mode, Some(131049)), ["failed"], "{mode}");
        }
        let failed = Mode::Failed { code: 131026 }.course(Some(131049));
        assert_eq!(failed, [Status::Failed(131049)], "what is ordered for this send is nearer than the mode");
    }

    #[test]
    fn an_invalid_mode_is_refused_with_a_reason() {
        for (json, expected) in [
            ("", "not a mode"),
            ("{}", "missing field `mode`"),
            (r#"{"mode":"late"}"#, "unknown variant `late`"),
            (r#"{"mode":"normal","delay_ms":5}"#, "unknown field `delay_ms`"),
            (r#"{"mode":"delayed"}"#, "missing field `delay_ms`"),
            (r#"{"mode":"delayed","delay_ms":600001}"#, "at most"),
            (r#"{"mode":"failed"}"#, "missing field `code`"),
        ] {
            let reason = Mode::parse(json.as_bytes()).unwrap_err();
            assert!(reason.contains(expected), "{json}: {reason}");
        }
    }
}
