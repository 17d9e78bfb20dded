//! The statuses of an accepted message: which ones the platform sends, and in which order.

use serde::{Deserialize, Serialize};

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
    pub(crate) fn course(self, failure: Option<i64>) -> Vec<Status> {
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
