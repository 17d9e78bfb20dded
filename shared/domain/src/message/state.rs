//! What is recorded of a message, and the state that follows from it.
//!
//! Facts are only ever added, so no order of writing can spoil them; the state is computed, never stored.

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::decision::digest::Files;
use crate::message::reason::Skip;

/// The time a send may take at most before it is nobody's any more: the function's own time-out. The stack's template
/// sets the same number.
pub const SEND_TIMEOUT: SignedDuration = SignedDuration::from_secs(60);
/// How long after its claim a message without an answer becomes `unknown`: the function is gone by then, and five
/// minutes are room for its late settling write.
pub const STALE_AFTER: SignedDuration = SignedDuration::from_secs(60 + 5 * 60);

/// What is known of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// It was decided not to send it.
    pub skipped: Option<Skip>,
    /// It was claimed for sending.
    pub claim: Option<Claim>,
    /// What the call to the provider came to, for the latest claim.
    pub answer: Option<Answer>,
    /// What the provider reported later, each status once.
    pub statuses: BTreeMap<Status, StatusFact>,
    /// It waits for a moment; cleared by the next claim.
    pub waiting: Option<Waiting>,
    /// What a person decided of an unknown outcome.
    pub resolved: Option<Resolved>,
    /// The files it tells, where it was claimed with more than its own.
    pub files: Option<Files>,
}

/// A message that waits: nothing is lost, its moment is in the schedule or in the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Until when at the latest.
    pub until: Timestamp,
    /// What for.
    pub why: WaitReason,
    /// The value that decided: a code, a status; empty where the reason says it all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// What a message waits for. The names are a contract of the ledger and the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitReason {
    /// Another try after passing trouble at the provider.
    Retry,
    /// The account's next free sending slot.
    Pace,
    /// The recipient's next free slot: WhatsApp takes one message every 6 s for a number.
    Pair,
    /// The account cannot send: its token, its number, its payment, or the provider is down.
    AccountStopped,
    /// The site is paused.
    SitePaused,
    /// Meta does not take the template for now.
    TemplateHeld,
    /// The interval after which a cart that was left is told of.
    CartInterval,
    /// A newer state of the same subject, or other files of the same folder, for as long as the mapping says (`hold_for`).
    Hold,
    /// The end of the quiet hours.
    QuietHours,
    /// A person's look: the mapping sent far more than on its last days.
    Volume,
}

impl WaitReason {
    /// What is waited for, in Italian, for the shop.
    #[must_use]
    pub fn italian(self) -> &'static str {
        match self {
            Self::Retry => "WA Smart Business non ha accettato il messaggio: verrà ritentato.",
            Self::Pace => "Ci sono altri messaggi in coda per l'account.",
            Self::Pair => "Al destinatario sono stati appena inviati altri messaggi.",
            Self::AccountStopped => "L'account non può inviare: servono un controllo o il ritorno del servizio.",
            Self::SitePaused => "Il sito è in pausa.",
            Self::TemplateHeld => "Meta per ora non accetta il template.",
            Self::CartInterval => "Il carrello è stato lasciato da poco: il cliente potrebbe tornare.",
            Self::Hold => "L'azione attende eventuali stati più recenti o altri file, da riunire in un solo messaggio.",
            Self::QuietHours => "È orario di silenzio.",
            Self::Volume => {
                "L'azione ha inviato molti più messaggi del solito e si è fermata: va controllata e confermata."
            }
        }
    }

    /// What is waited for, in English, for the developer.
    #[must_use]
    pub fn english(self) -> &'static str {
        match self {
            Self::Retry => "WA Smart Business did not take the message; it is tried again.",
            Self::Pace => "Other messages of the account go first.",
            Self::Pair => "The recipient was just sent other messages.",
            Self::AccountStopped => "The account cannot send: it needs a look, or the service is down.",
            Self::SitePaused => "The site is paused.",
            Self::TemplateHeld => "Meta does not take the template for now.",
            Self::CartInterval => "The cart was left not long ago: the customer may come back.",
            Self::Hold => "The mapping waits for newer states or more files, to tell them in one message.",
            Self::QuietHours => "These are quiet hours.",
            Self::Volume => "The mapping sent far more messages than usual and stopped: look at it and confirm it.",
        }
    }
}

/// The name of the contract, `account_stopped`.
impl fmt::Display for WaitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// What a person decided of an unknown outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// When.
    pub at: Timestamp,
    /// Whether the person says that it arrived.
    pub arrived: bool,
    /// Who said so, and why, in their own words.
    pub note: String,
}

/// A claim: from here on the message belongs to its owner, for good or until it is settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who claimed it: unique to the attempt.
    pub owner: String,
    /// When.
    pub at: Timestamp,
    /// Which attempt it is, from 1.
    pub attempt: u32,
}

/// What a call to the provider came to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// The provider took it.
    Accepted {
        /// When.
        at: Timestamp,
        /// Meta's id, the wamid.
        provider_id: String,
        /// What it said besides: `accepted`, `held_for_quality_assessment` or nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// The provider refused it for good.
    Refused {
        /// When.
        at: Timestamp,
        /// Why.
        failure: Failure,
    },
    /// It surely was not accepted, and another try may go better.
    NotAccepted {
        /// When.
        at: Timestamp,
        /// Why.
        failure: Failure,
    },
    /// Nobody can tell: bytes may have left, and no full answer came.
    Unknown {
        /// When.
        at: Timestamp,
        /// What was seen of it.
        cause: String,
        /// What the provider said, if anything.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        details: Option<String>,
    },
}

/// Shows neither the provider's id, which has the number in it, nor what the provider says in words.
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

/// A failure as the provider words it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Meta's code as text; `none` where there was none.
    pub code: String,
    /// Its details, without personal data of ours in it.
    pub details: String,
    /// Meta's trace id, for their support.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
}

/// A status the provider reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It left for the phone.
    Sent,
    /// The phone has it.
    Delivered,
    /// The person opened it.
    Read,
    /// It did not arrive.
    Failed,
}

/// One status, as reported first.
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
    /// The category Meta bills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
}

/// Where a message stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing happened yet, or it may be tried again.
    Pending,
    /// It waits for a moment that the schedule or the queue keeps.
    Waiting(Waiting),
    /// Its owner is calling the provider.
    Sending,
    /// Nobody knows whether it was accepted.
    Unknown,
    /// The provider accepted it.
    Sent,
    /// The phone has it.
    Delivered,
    /// The person opened it.
    Read,
    /// It was refused, or did not arrive, with the code.
    Failed(String),
    /// It was decided not to send it.
    Skipped(Skip),
}

impl Facts {
    /// The state that follows from the facts. Statuses outweigh the answer: they are evidence that the provider had the
    /// message. `failed` loses to a delivery or a reading, whatever came first.
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
    /// Whether the provider refused it for good, and nothing says otherwise: nobody got it, and nobody will.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self.answer, Some(Answer::Refused { .. })) && self.statuses.is_empty()
    }
}

impl State {
    /// Whether nothing more will happen by itself.
    #[must_use]
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Pending | Self::Waiting(_) | Self::Sending)
    }
}

/// The state's name in the contract, without its reason or code.
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
    fn debug_names_an_answer_without_the_providers_id() {
        let accepted = Answer::Accepted { at: at(), provider_id: "wamid.HBgM".to_owned(), note: None };
        let shown = format!("{accepted:?}");
        assert!(!shown.is_empty() && !shown.contains("wamid"), "{shown}");
    }

    #[test]
    fn a_claim_is_stale_five_minutes_after_the_function_that_made_it_is_gone() {
        assert_eq!(SEND_TIMEOUT, SignedDuration::from_secs(60));
        assert_eq!(STALE_AFTER, SEND_TIMEOUT + SignedDuration::from_mins(5));
    }

    /// What an operator and a developer read about a message that waits.
    #[test]
    fn each_wait_is_explained_in_both_languages() {
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
        let lines: Vec<String> =
            all.iter().map(|why| format!("{why}\n  {}\n  {}", why.italian(), why.english())).collect();
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
