//! Meta's error codes and the reaction to each, as data.
//!
//! Source: Meta's error code reference for the Cloud API. Logic depends on the code only. HTTP statuses vary between
//! providers, and error titles are translated.

use jiff::SignedDuration;

use crate::message::backoff::{self, PAUSE_MAX};

/// The cause and the scope of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A temporary failure at the provider. The message was not accepted; try again.
    Retry,
    /// A rate limit. The message was not accepted; try again later.
    Rate,
    /// The failure concerns this message or recipient, and is final.
    Message,
    /// The template cannot be sent. The message was not accepted, and the shop must act.
    Template,
    /// The whole account cannot send. The message was not accepted, and the shop must act.
    Account,
    /// With a server error, the code proves nothing. Otherwise it is handled as [`Class::Retry`].
    Ambiguous,
    /// The message may have been sent, whatever the HTTP status. A wrapper of Meta's API may have changed the status.
    MaybeSent,
}

impl Class {
    /// Returns the name, for metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Rate => "rate",
            Self::Message => "message",
            Self::Template => "template",
            Self::Account => "account",
            Self::Ambiguous => "ambiguous",
            Self::MaybeSent => "maybe_sent",
        }
    }
}

/// Returns the name of a code's class, or `other` for a code that Meta does not document.
#[must_use]
pub fn class_name(code: &str) -> &'static str {
    class(code).map_or("other", Class::name)
}

/// The reaction to a refusal. Every reaction ends when the message stops being useful.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The message failed. It is not retried.
    Fail,
    /// The message may have been sent. It is not retried automatically.
    Unknown,
    /// The message is retried with exponential backoff.
    Retry {
        /// First pause, in seconds.
        first: u16,
        /// Maximum number of retries; `None` for as long as the message is useful.
        at_most: Option<u32>,
    },
    /// Sending to this recipient pauses for 4, 16, 64 … seconds. The account continues.
    SlowPair,
    /// Sending from the whole account pauses. The pause doubles each time the message meets the code again.
    SlowAccount {
        /// First pause, in seconds.
        first: u16,
    },
    /// The template is held. Other templates continue.
    HoldTemplate,
    /// The account stops. One message at a time probes whether it can send again.
    StopAccount {
        /// Minutes until the first probe.
        probe_after: u16,
    },
}

const DAY: u16 = 24 * 60;

/// Returns the reaction to a class, unless [`EXCEPTIONS`] overrides it.
#[must_use]
pub const fn usual(class: Class) -> Action {
    match class {
        Class::Retry | Class::Ambiguous => Action::Retry { first: 5, at_most: None },
        Class::Rate => Action::SlowAccount { first: 60 },
        Class::Message => Action::Fail,
        Class::MaybeSent => Action::Unknown,
        Class::Template => Action::HoldTemplate,
        Class::Account => Action::StopAccount { probe_after: 1 },
    }
}

/// The codes whose reaction differs from that of their class.
pub const EXCEPTIONS: &[(&str, Action)] = &[
    // After three retries from 5 s, the request itself is the cause.
    ("1", Action::Retry { first: 5, at_most: Some(3) }),
    // Blocked for a policy violation: for days, often permanently.
    ("368", Action::StopAccount { probe_after: DAY }),
    // The throughput limit of the number. The next second has capacity again.
    ("130429", Action::SlowAccount { first: 1 }),
    // Too many recipients blocked or reported the number.
    ("131048", Action::StopAccount { probe_after: DAY }),
    // The media server did not respond to Meta. After two retries, the file itself is the cause.
    ("131052", Action::Retry { first: 30, at_most: Some(2) }),
    ("131053", Action::Retry { first: 30, at_most: Some(2) }),
    // The limit for a pair of sender and recipient. The account's other recipients are unaffected.
    ("131056", Action::SlowPair),
    // Maintenance of the number, up to a few minutes.
    ("131057", Action::SlowAccount { first: 60 }),
    ("131060", Action::Retry { first: 5, at_most: Some(1) }),
    // The limit for misclassified templates.
    ("131064", Action::StopAccount { probe_after: DAY }),
];

/// Each code with its class. Codes are strings, because they are never computed with.
pub const TABLE: &[(&str, Class)] = &[
    ("0", Class::Account),
    ("1", Class::Ambiguous),
    ("2", Class::Ambiguous),
    ("3", Class::Account),
    ("4", Class::Rate),
    ("10", Class::Account),
    ("33", Class::Account),
    ("100", Class::Message),
    ("102", Class::Account),
    ("190", Class::Account),
    ("368", Class::Account),
    ("613", Class::Rate),
    ("803", Class::Account),
    ("80007", Class::Rate),
    ("80008", Class::Rate),
    ("130429", Class::Rate),
    ("130472", Class::Message),
    ("130497", Class::Message),
    ("131000", Class::MaybeSent),
    ("131005", Class::Account),
    ("131008", Class::Message),
    ("131009", Class::Message),
    ("131016", Class::Ambiguous),
    ("131021", Class::Message),
    ("131026", Class::Message),
    ("131030", Class::Message),
    ("131031", Class::Account),
    ("131037", Class::Account),
    ("131042", Class::Account),
    ("131045", Class::Account),
    ("131047", Class::Message),
    ("131048", Class::Account),
    ("131049", Class::Message),
    ("131050", Class::Message),
    ("131051", Class::Message),
    ("131052", Class::Retry),
    ("131053", Class::Retry),
    ("131056", Class::Rate),
    ("131057", Class::Retry),
    ("131058", Class::Template),
    ("131060", Class::Retry),
    ("131062", Class::Message),
    ("131063", Class::Template),
    ("131064", Class::Account),
    ("132000", Class::Message),
    ("132001", Class::Template),
    ("132005", Class::Message),
    ("132007", Class::Template),
    ("132008", Class::Message),
    ("132012", Class::Message),
    ("132015", Class::Template),
    ("132016", Class::Template),
    ("132018", Class::Message),
    ("132068", Class::Template),
    ("132069", Class::Retry),
    ("133000", Class::Account),
    ("133004", Class::Retry),
    ("133005", Class::Account),
    ("133006", Class::Account),
    ("133008", Class::Account),
    ("133009", Class::Account),
    ("133010", Class::Account),
    ("133015", Class::Account),
    ("133016", Class::Account),
    ("135000", Class::Message),
    ("137000", Class::Message),
];

/// Returns the class of a code; `None` for an unlisted code.
#[must_use]
pub fn class(code: &str) -> Option<Class> {
    let listed = TABLE.iter().find(|(listed, _)| *listed == code).map(|(_, class)| *class);
    // Meta reserves 200 to 299 for missing permissions.
    let is_permission = || code.parse::<u16>().is_ok_and(|number| (200..300).contains(&number));
    listed.or_else(|| is_permission().then_some(Class::Account))
}

/// Returns the reaction to a code; `None` for an unlisted code.
#[must_use]
pub fn action(code: &str) -> Option<Action> {
    let exception = EXCEPTIONS.iter().find(|(listed, _)| *listed == code).map(|(_, action)| *action);
    exception.or_else(|| class(code).map(usual))
}

/// The consequence of a failure that is reported after the provider accepted the message.
///
/// The message itself is final: it is never resent automatically.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// Nothing is sent to the number for a month.
    Unreachable,
    /// Nothing with a marketing template is sent to the number.
    MarketingOptOut,
    /// The template is held.
    HoldTemplate,
    /// The account stops.
    StopAccount {
        /// Minutes until the first probe.
        probe_after: u16,
    },
}

/// Returns the consequence of a failure reported later; `None` if it has none.
#[must_use]
pub fn consequence(code: &str) -> Option<Consequence> {
    match (code, action(code)) {
        ("131026", _) => Some(Consequence::Unreachable),
        ("131050", _) => Some(Consequence::MarketingOptOut),
        (_, Some(Action::HoldTemplate)) => Some(Consequence::HoldTemplate),
        (_, Some(Action::StopAccount { probe_after })) => Some(Consequence::StopAccount { probe_after }),
        _ => None,
    }
}

impl Action {
    /// Returns the pause before the next try of a message, at its failure number `attempt` (from 1) with this reaction.
    ///
    /// `None` if it is not retried. `jitter` is any random number, for the jitter. `retry_after` is the minimum pause
    /// that the provider asks for.
    #[must_use]
    pub fn pause(self, attempt: u32, jitter: u32, retry_after: Option<SignedDuration>) -> Option<SignedDuration> {
        let own = match self {
            Self::Fail | Self::Unknown => return None,
            Self::Retry { at_most: Some(tries), .. } if attempt > tries => return None,
            Self::Retry { first, .. } => backoff::pause(SignedDuration::from_secs(i64::from(first)), attempt, jitter),
            Self::SlowPair => backoff::pair_pause(attempt),
            Self::SlowAccount { first } => {
                let doubled = 2_i64.checked_pow(attempt.saturating_sub(1)).unwrap_or(i64::MAX);
                SignedDuration::from_secs(i64::from(first).saturating_mul(doubled)).min(PAUSE_MAX)
            }
            Self::HoldTemplate => TEMPLATE_HELD_FOR,
            Self::StopAccount { probe_after } => SignedDuration::from_mins(i64::from(probe_after)),
        };
        Some(own.max(retry_after.unwrap_or_default()))
    }
}

/// How long a template is held. The hourly sync has updated the template by then.
pub const TEMPLATE_HELD_FOR: SignedDuration = SignedDuration::from_mins(65);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_is_listed_twice() {
        let mut codes: Vec<&str> = TABLE.iter().map(|(code, _)| *code).collect();
        codes.sort_unstable();
        let listed = codes.len();
        codes.dedup();
        assert_eq!(codes.len(), listed);
    }

    #[test]
    fn an_exception_is_a_listed_code_with_a_different_action() {
        for (code, action) in EXCEPTIONS {
            let usual = usual(class(code).unwrap());
            assert_ne!(*action, usual, "{code}");
        }
    }

    /// Lists every code of the reference with the reaction to it, and the consequence of a later report.
    #[test]
    fn each_code_has_the_action_of_the_reference() {
        let described = |action: Option<Action>| match action {
            None => "unlisted".to_owned(),
            Some(Action::Fail) => "fail".to_owned(),
            Some(Action::Unknown) => "unknown, at every status".to_owned(),
            Some(Action::Retry { first, at_most: None }) => format!("retry from {first} s"),
            Some(Action::Retry { first, at_most: Some(tries) }) => format!("retry from {first} s, {tries} times"),
            Some(Action::SlowPair) => "slow the pair".to_owned(),
            Some(Action::SlowAccount { first }) => format!("pause the account from {first} s"),
            Some(Action::HoldTemplate) => "hold the template".to_owned(),
            Some(Action::StopAccount { probe_after }) => format!("stop the account, probe after {probe_after} min"),
        };
        let later = |code: &str| match consequence(code) {
            None => "",
            Some(Consequence::Unreachable) => "; later: unreachable",
            Some(Consequence::MarketingOptOut) => "; later: no marketing",
            Some(Consequence::HoldTemplate) => "; later: hold the template",
            Some(Consequence::StopAccount { .. }) => "; later: stop the account",
        };
        let codes = TABLE.iter().map(|(code, _)| *code).chain(["200", "299", "999999", "WA-7", "none"]);
        let lines: Vec<String> =
            codes.map(|code| format!("{code}: {}{}", described(action(code)), later(code))).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn pauses_follow_the_code_and_the_provider() {
        let secs = |code: &str, attempt| {
            action(code).and_then(|action| action.pause(attempt, u32::MAX, None)).map(|pause| pause.as_secs())
        };
        assert_eq!([1, 2, 3].map(|attempt| secs("131056", attempt)), [Some(4), Some(16), Some(64)]);
        assert_eq!([1, 2, 3].map(|attempt| secs("130429", attempt)), [Some(1), Some(2), Some(4)]);
        assert_eq!([1, 3, 4].map(|attempt| secs("1", attempt)), [Some(5), Some(20), None]);
        assert_eq!(secs("131026", 1), None);
        let asked = Some(SignedDuration::from_secs(120));
        assert_eq!(action("4").unwrap().pause(1, 0, asked), Some(SignedDuration::from_secs(120)));
    }

    #[test]
    fn permission_errors_concern_the_account() {
        assert_eq!(class("200"), Some(Class::Account));
        assert_eq!(class("299"), Some(Class::Account));
        assert_eq!(class("300"), None);
        assert_eq!(class("WA-7"), None);
    }
}
