//! Meta's error codes and what each calls for, as data.
//!
//! Source: Meta's error code reference for the Cloud API. Logic rests on the code, never on the HTTP status alone or on
//! a title: the former varies with the provider, the latter are translated.

use jiff::SignedDuration;

use crate::message::backoff::{self, PAUSE_MAX};

/// What a refusal says of the message, and whose matter it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Passing trouble at the provider: surely not accepted, try again.
    Retry,
    /// Too fast: surely not accepted, try again later.
    Rate,
    /// This message or recipient: final.
    Message,
    /// The template cannot be sent: surely not accepted, a matter for the shop.
    Template,
    /// The whole account cannot send: surely not accepted, a matter for the shop.
    Account,
    /// The code proves nothing when it comes with a server error; otherwise as [`Class::Retry`].
    Ambiguous,
    /// The message may have been sent, at every status: a wrapper of Meta's API may have changed the status.
    MaybeSent,
}

/// What is done about a message that surely was not accepted. Everything ends when the message ceases to be of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It failed; nothing is tried again.
    Fail,
    /// Nobody can tell whether it was sent; nothing is tried again by itself.
    Unknown,
    /// It is tried again after growing pauses, the first of so many seconds, at most so many times (`None`: for as long
    /// as it is of use).
    Retry {
        /// Seconds of the first pause.
        first: u16,
        /// Tries besides the first.
        at_most: Option<u32>,
    },
    /// The recipient is left alone for 4, 16, 64 … seconds, the account goes on.
    SlowPair,
    /// The whole account pauses for so many seconds, doubled each time the message meets it again.
    SlowAccount {
        /// Seconds of the first pause.
        first: u16,
    },
    /// The template is held; other templates go on.
    HoldTemplate,
    /// The account stops; one message at a time finds out whether it can send again, the first after so many minutes.
    StopAccount {
        /// Minutes until the first probe.
        probe_after: u16,
    },
}

const DAY: u16 = 24 * 60;

/// What a class calls for unless [`EXCEPTIONS`] says otherwise.
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

/// The codes that call for something else than their class does.
pub const EXCEPTIONS: &[(&str, Action)] = &[
    // Three times after 5 s and more: then it is the request.
    ("1", Action::Retry { first: 5, at_most: Some(3) }),
    // Blocked for a policy: for days, often for good.
    ("368", Action::StopAccount { probe_after: DAY }),
    // The number's throughput: the next second has room again.
    ("130429", Action::SlowAccount { first: 1 }),
    // Too many recipients blocked or reported the number.
    ("131048", Action::StopAccount { probe_after: DAY }),
    // The media server did not answer Meta: another try or two, then it is the file.
    ("131052", Action::Retry { first: 30, at_most: Some(2) }),
    ("131053", Action::Retry { first: 30, at_most: Some(2) }),
    // The pair of sender and recipient; the account's other recipients go on.
    ("131056", Action::SlowPair),
    // Maintenance of the number, up to some minutes.
    ("131057", Action::SlowAccount { first: 60 }),
    ("131060", Action::Retry { first: 5, at_most: Some(1) }),
    // The limit for misclassified templates.
    ("131064", Action::StopAccount { probe_after: DAY }),
];

/// Each code with its class. Codes are strings: one is never computed with.
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

/// The class of a code; `None` for one nobody listed.
#[must_use]
pub fn class(code: &str) -> Option<Class> {
    let listed = TABLE.iter().find(|(listed, _)| *listed == code).map(|(_, class)| *class);
    // Meta keeps 200 to 299 for missing permissions.
    let is_permission = || code.parse::<u16>().is_ok_and(|number| (200..300).contains(&number));
    listed.or_else(|| is_permission().then_some(Class::Account))
}

/// What a code calls for; `None` for one nobody listed.
#[must_use]
pub fn action(code: &str) -> Option<Action> {
    let exception = EXCEPTIONS.iter().find(|(listed, _)| *listed == code).map(|(_, action)| *action);
    exception.or_else(|| class(code).map(usual))
}

/// What a failure that is reported after the provider took the message says of what comes next. The message itself is
/// final: it is never sent again by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// The number is left alone for a month.
    Unreachable,
    /// The person does not want marketing.
    MarketingOptOut,
    /// The template is held.
    HoldTemplate,
    /// The account stops.
    StopAccount {
        /// Minutes until the first probe.
        probe_after: u16,
    },
}

/// The consequence of a failure reported later.
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
    /// How long until the next try of a message that met this for the `attempt`th time (from 1); `None` where there is
    /// none. `jitter` is any number drawn at random, `retry_after` what the provider asked for.
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

/// How long a template is held: until the hourly sync has seen what became of it.
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
    fn an_exception_is_a_listed_code_and_says_something_else() {
        for (code, action) in EXCEPTIONS {
            let usual = usual(class(code).unwrap());
            assert_ne!(*action, usual, "{code}");
        }
    }

    /// Every code of the reference with what is done about a message that meets it, and what a report of it later
    /// brings about.
    #[test]
    fn each_code_calls_for_what_the_reference_says() {
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
    fn permissions_are_the_accounts_matter() {
        assert_eq!(class("200"), Some(Class::Account));
        assert_eq!(class("299"), Some(Class::Account));
        assert_eq!(class("300"), None);
        assert_eq!(class("WA-7"), None);
    }
}
