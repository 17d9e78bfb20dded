//! The recorded facts of a message, and the state derived from them.
//!
//! Writers record facts, never a state. The state is computed, so it does not depend on the order of the writes.

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::message::file_list::Files;
use crate::message::reason::Skip;

/// The timeout of the `send-message` function, which limits how long a send may take. The stack's template sets the
/// same value.
pub const SEND_TIMEOUT: SignedDuration = SignedDuration::from_secs(60);
/// How long after its claim a message without an answer becomes `unknown`. The function has ended by then. The
/// additional five minutes allow for its late settling write.
pub const STALE_AFTER: SignedDuration = SignedDuration::from_secs(60 + 5 * 60);

/// The recorded facts of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The decision not to send it.
    pub skipped: Option<Skip>,
    /// The latest claim for sending.
    pub claim: Option<Claim>,
    /// The outcome of the call to the provider, for the latest claim.
    pub answer: Option<Answer>,
    /// The statuses that the provider reported later, each once.
    pub statuses: BTreeMap<Status, StatusFact>,
    /// The wait until a later time; cleared by the next claim.
    pub waiting: Option<Waiting>,
    /// The decision of an operator about an unknown outcome.
    pub resolved: Option<Resolved>,
    /// The files that the message covers, if it was claimed with more than its own.
    pub files: Option<Files>,
}

/// A waiting message. Nothing is lost: the schedule or the queue brings it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The latest time until which it waits.
    pub until: Timestamp,
    /// The wait reason.
    pub why: WaitReason,
    /// The value that decided, such as a code or a status. Empty where the reason is sufficient.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// The wait reason. The names are a contract of the ledger and the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitReason {
    /// Another attempt after a temporary failure at the provider.
    Retry,
    /// The account's next free sending slot.
    Pace,
    /// The recipient's next free slot: WhatsApp accepts one message every 6 s per number.
    Pair,
    /// The account cannot send: a problem with its token, number or payment, or a provider outage.
    AccountStopped,
    /// The site is paused.
    SitePaused,
    /// Meta does not accept the template for now.
    TemplateHeld,
    /// The interval between the abandonment of a cart and its notice.
    CartInterval,
    /// A newer state of the same subject, or other files of the same folder, during the mapping's `hold_for`.
    Hold,
    /// The end of the quiet hours.
    QuietHours,
    /// A check by an operator, after a volume spike of the mapping.
    Volume,
}

/// Writes the name in the contract, such as `account_stopped`.
impl fmt::Display for WaitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// The decision of an operator about an unknown outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// When the operator decided.
    pub at: Timestamp,
    /// Whether the message arrived, according to the operator.
    pub arrived: bool,
    /// Who decided and why, in the operator's own words.
    pub note: String,
}

/// A claim. It gives the message to its owner, permanently or until the message is settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The owner, unique to the attempt.
    pub owner: String,
    /// When it was claimed.
    pub at: Timestamp,
    /// The number of the attempt, from 1.
    pub attempt: u32,
}

/// The outcome of a call to the provider.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// The provider accepted the message.
    Accepted {
        /// When the call ended.
        at: Timestamp,
        /// Meta's message id, the wamid.
        provider_id: String,
        /// The provider's `message_status`, if any: `accepted` or `held_for_quality_assessment`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// The provider refused the message, and it is not retried.
    Refused {
        /// When the call ended.
        at: Timestamp,
        /// The reported failure.
        failure: Failure,
    },
    /// The message was certainly not accepted, and a retry may succeed.
    NotAccepted {
        /// When the call ended.
        at: Timestamp,
        /// The reported failure.
        failure: Failure,
    },
    /// The outcome is unknown: the request may have been sent, but no complete answer arrived.
    Unknown {
        /// When the call ended.
        at: Timestamp,
        /// The observed cause.
        cause: String,
        /// The provider's details, if any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        details: Option<String>,
    },
}

/// Omits the provider's id, which contains the phone number, and the provider's own text.
impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted { at, .. } => f.debug_struct("Accepted").field("at", at).finish_non_exhaustive(),
            Self::Refused { at, failure } => {
                f.debug_struct("Refused").field("at", at).field("failure", failure).finish()
            }
            Self::NotAccepted { at, failure } => {
                f.debug_struct("NotAccepted").field("at", at).field("failure", failure).finish()
            }
            Self::Unknown { at, cause, .. } => {
                f.debug_struct("Unknown").field("at", at).field("cause", cause).finish_non_exhaustive()
            }
        }
    }
}

/// A failure as the provider reports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Meta's code as text; `none` if there was none.
    pub code: String,
    /// The details, without personal data of our own.
    pub details: String,
    /// Meta's trace id, for its support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
}

/// A status that the provider reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The provider sent it to the phone.
    Sent,
    /// It arrived on the phone.
    Delivered,
    /// The recipient opened it.
    Read,
    /// It did not arrive.
    Failed,
}

/// A status, as first reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusFact {
    /// When it happened, by the provider's clock.
    pub at: Timestamp,
    /// The code of a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The details of a failure, as the provider words them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
    /// The category that Meta bills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
}

/// The state of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing has happened yet, or a retry is possible.
    Pending,
    /// It waits until a time that the schedule or the queue keeps.
    Waiting(Waiting),
    /// The owner of the claim is calling the provider.
    Sending,
    /// It is unknown whether the provider accepted it.
    Unknown,
    /// The provider accepted it.
    Sent,
    /// It arrived on the phone.
    Delivered,
    /// The recipient opened it.
    Read,
    /// It was refused or did not arrive, with the code.
    Failed(String),
    /// The decision was not to send it.
    Skipped(Skip),
}

impl Facts {
    /// Returns the state derived from the facts. Statuses override the answer, because they prove that the provider had
    /// the message. `delivered` and `read` override `failed`, whichever came first.
    #[must_use]
    pub fn state(&self) -> State {
        let has = |status| self.statuses.contains_key(&status);
        if has(Status::Read) {
            return State::Read;
        }
        if has(Status::Delivered) {
            return State::Delivered;
        }
        if let Some(failed) = self.statuses.get(&Status::Failed) {
            return State::Failed(failed.code.clone().unwrap_or_else(|| "none".to_owned()));
        }
        if has(Status::Sent) {
            return State::Sent;
        }
        if let (Some(Answer::Unknown { .. }), Some(resolved)) = (&self.answer, &self.resolved) {
            return if resolved.arrived { State::Sent } else { State::Failed("resolved".to_owned()) };
        }
        let waits = || self.waiting.clone().map_or(State::Pending, State::Waiting);
        match (&self.answer, &self.claim, &self.skipped) {
            (Some(Answer::Accepted { .. }), ..) => State::Sent,
            (Some(Answer::Refused { failure, .. }), ..) => State::Failed(failure.code.clone()),
            (Some(Answer::Unknown { .. }), ..) => State::Unknown,
            (Some(Answer::NotAccepted { .. }), _, None) => waits(),
            (None, Some(_), _) => State::Sending,
            (_, _, Some(skip)) => State::Skipped(skip.clone()),
            (None, None, None) => waits(),
        }
    }
}

impl Facts {
    /// Whether the provider refused it permanently and no status contradicts that. The message did not arrive and never
    /// will.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self.answer, Some(Answer::Refused { .. })) && self.statuses.is_empty()
    }
}

impl State {
    /// Whether the state no longer changes by itself.
    #[must_use]
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Pending | Self::Waiting(_) | Self::Sending)
    }
}

/// Writes the state's name in the contract, without its reason or code.
impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "pending",
            Self::Waiting(_) => "waiting",
            Self::Sending => "sending",
            Self::Unknown => "unknown",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed(_) => "failed",
            Self::Skipped(_) => "skipped",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::message::reason::Reason;

    fn at() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    fn failure() -> Failure {
        Failure { code: "131026".to_owned(), details: String::new(), trace_id: None }
    }

    fn claimed(answer: Option<Answer>) -> Facts {
        let claim = Claim { owner: "o".to_owned(), at: at(), attempt: 1 };
        Facts { claim: Some(claim), answer, ..Facts::default() }
    }

    fn with_statuses(mut facts: Facts, statuses: &[Status]) -> Facts {
        for status in statuses {
            facts.statuses.entry(*status).or_insert(StatusFact {
                at: at(),
                code: Some("131026".to_owned()),
                details: None,
                category: None,
            });
        }
        facts
    }

    #[test]
    fn debug_output_of_an_answer_omits_the_provider_id() {
        let accepted = Answer::Accepted { at: at(), provider_id: "wamid.HBgM".to_owned(), note: None };
        let shown = format!("{accepted:?}");
        assert!(!shown.is_empty() && !shown.contains("wamid"), "{shown}");
    }

    #[test]
    fn a_claim_is_stale_five_minutes_after_the_send_timeout() {
        assert_eq!(SEND_TIMEOUT, SignedDuration::from_secs(60));
        assert_eq!(STALE_AFTER, SEND_TIMEOUT + SignedDuration::from_mins(5));
    }

    /// The texts that operators and developers read about a waiting message.
    #[test]
    fn each_wait_has_its_name_in_the_contract() {
        let all = [
            WaitReason::Retry,
            WaitReason::Pace,
            WaitReason::Pair,
            WaitReason::AccountStopped,
            WaitReason::SitePaused,
            WaitReason::TemplateHeld,
            WaitReason::CartInterval,
            WaitReason::Hold,
            WaitReason::QuietHours,
            WaitReason::Volume,
        ];
        let lines: Vec<String> = all.iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn each_state_follows_from_its_facts() {
        let accepted = Answer::Accepted { at: at(), provider_id: "wamid.1".to_owned(), note: None };
        let unknown = Answer::Unknown { at: at(), cause: "timed out".to_owned(), details: None };
        let skip = Skip::from(Reason::PhoneMissing);
        let table = [
            (Facts::default(), State::Pending),
            (Facts { skipped: Some(skip.clone()), ..Facts::default() }, State::Skipped(skip.clone())),
            (claimed(None), State::Sending),
            (claimed(Some(accepted)), State::Sent),
            (claimed(Some(Answer::Refused { at: at(), failure: failure() })), State::Failed("131026".to_owned())),
            (claimed(Some(Answer::NotAccepted { at: at(), failure: failure() })), State::Pending),
            (claimed(Some(unknown.clone())), State::Unknown),
            (with_statuses(claimed(Some(unknown.clone())), &[Status::Sent]), State::Sent),
            (with_statuses(claimed(Some(unknown)), &[Status::Failed]), State::Failed("131026".to_owned())),
            (with_statuses(claimed(None), &[Status::Failed, Status::Delivered]), State::Delivered),
        ];
        for (facts, state) in table {
            assert_eq!(facts.state(), state, "{facts:?}");
        }
        let waiting = Waiting { until: at(), why: WaitReason::Pace, detail: String::new() };
        let again = claimed(Some(Answer::NotAccepted { at: at(), failure: failure() }));
        for facts in [Facts::default(), again] {
            let facts = Facts { waiting: Some(waiting.clone()), ..facts };
            assert_eq!(facts.state(), State::Waiting(waiting.clone()));
            assert_eq!(Facts { skipped: Some(skip.clone()), ..facts }.state(), State::Skipped(skip.clone()));
        }
        let unknown = claimed(Some(Answer::Unknown { at: at(), cause: String::new(), details: None }));
        for (arrived, state) in [(true, State::Sent), (false, State::Failed("resolved".to_owned()))] {
            let resolved = Resolved { at: at(), arrived, note: "phoned her".to_owned() };
            let facts = Facts { resolved: Some(resolved), ..unknown.clone() };
            assert_eq!(facts.state(), state);
            assert_eq!(with_statuses(facts, &[Status::Read]).state(), State::Read, "evidence outweighs a person");
        }
        let given_up = claimed(Some(Answer::NotAccepted { at: at(), failure: failure() }));
        assert_eq!(Facts { skipped: Some(skip.clone()), ..given_up }.state(), State::Skipped(skip));
    }

    proptest! {
        #[test]
        fn statuses_converge_in_any_order_and_number(
            mut statuses in prop::collection::vec(
                prop::sample::select(vec![Status::Sent, Status::Delivered, Status::Read, Status::Failed]), 0..8),
            turn in 0usize..8,
        ) {
            let before = with_statuses(claimed(None), &statuses).state();
            let middle = turn.min(statuses.len());
            statuses.rotate_left(middle);
            prop_assert_eq!(with_statuses(claimed(None), &statuses).state(), before.clone());
            statuses.reverse();
            prop_assert_eq!(with_statuses(claimed(None), &statuses).state(), before);
        }
    }
}
