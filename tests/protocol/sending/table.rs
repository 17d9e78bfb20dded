//! The tables of the sending protocol: the writes, their conditions and their outcomes.

use std::collections::BTreeSet;

use domain::message::reason::{Reason, Skip};
use domain::message::state::{Answer, Claim, Facts, Failure, State, Status, StatusFact, WaitReason, Waiting};

use super::setup::{Mutation, Setup};
use crate::fixtures::at;

/// The index of a send in the setup.
pub(crate) type SendId = usize;
/// The identifier of one attempt to send.
pub(crate) type Owner = u8;

/// A record of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Record {
    pub(crate) send: SendId,
    /// Whether it contains the event, rather than one message of it.
    pub(crate) of_event: bool,
    pub(crate) attempt: u8,
    /// The index of the last code that it met, and how often it met that code.
    pub(crate) met: (u8, u8),
    /// An owner that never called, or whose call was certainly not accepted. The record proves it, although the ledger
    /// may not contain it yet.
    pub(crate) proof: Option<Owner>,
}

/// The answer to a call as the ledger contains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kept {
    Accepted,
    Refused,
    NotAccepted,
    Unknown,
}

/// A message in the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Item {
    pub(crate) owner: Option<Owner>,
    pub(crate) answer: Option<Kept>,
    pub(crate) statuses: BTreeSet<Status>,
    pub(crate) skipped: Option<Reason>,
    pub(crate) waits: bool,
    pub(crate) put_back: u8,
    /// Whether the index of `sending` messages contains it.
    pub(crate) is_open: bool,
}

/// A write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Write {
    /// An event with its plan.
    Event(SendId),
    Claim {
        send: SendId,
        owner: Owner,
        attempt: u8,
    },
    Settle {
        send: SendId,
        owner: Owner,
        kept: Kept,
    },
    GiveBack {
        send: SendId,
        owner: Owner,
    },
    /// Releases the claim of an owner that certainly never called.
    Release {
        send: SendId,
        owner: Owner,
    },
    /// Takes the dedup key from a send that was finally refused.
    TakeAway(SendId),
    /// Records that a message waits for the successor of the record with this attempt.
    Wait {
        send: SendId,
        attempt: u8,
    },
    /// Puts the successor into the schedule.
    Park(Record),
    Skip {
        send: SendId,
        attempt: u8,
        reason: Reason,
    },
    /// Lists a message that this owner claimed for the sweep.
    Open {
        send: SendId,
        owner: Owner,
    },
    /// The sweep gives up a message that this owner left.
    GiveUp {
        send: SendId,
        owner: Owner,
    },
    /// The sweep removes a fired item from the schedule.
    Remove(Record),
    Report(SendId, Status),
    /// Records a STOP.
    Suppress,
}

/// The outcome of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    Done,
    /// The condition was false.
    Refused,
    Ours,
    Theirs,
    Suppressed,
    Superseded,
    AlreadyNotified,
}

/// The newest claimed send with its owner, and the previous value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LatestEvent {
    pub(crate) by: (SendId, Owner),
    pub(crate) before: Option<(SendId, Owner)>,
}

/// All tables.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Tables {
    pub(crate) events: Vec<bool>,
    pub(crate) items: Vec<Item>,
    /// The dedup key of the sends that share one: the send that took it and its owner.
    pub(crate) dedup_keys: Vec<Option<(SendId, Owner)>>,
    pub(crate) latest: Option<LatestEvent>,
    pub(crate) schedule: Vec<Option<Record>>,
    pub(crate) is_suppressed: bool,
    /// The owners whose claim was written. DynamoDB returns the same response for the same token.
    pub(crate) tokens: BTreeSet<Owner>,
}

impl Record {
    /// Returns the record that brings the message back.
    pub(crate) fn successor(self, met: (u8, u8), proof: Option<Owner>) -> Self {
        Self { of_event: false, attempt: self.attempt + 1, met, proof: proof.or(self.proof), ..self }
    }

    /// Returns the record after it was put back.
    pub(crate) fn again(self) -> Self {
        if self.of_event { self } else { Self { attempt: self.attempt + 1, ..self } }
    }
}

impl Item {
    /// Returns the facts of the ledger in the form in which the bridge reads them.
    pub(crate) fn facts(&self) -> Facts {
        let failure = || Failure { code: "131026".to_owned(), details: String::new(), trace_id: None };
        let answer = |kept| match kept {
            Kept::Accepted => Answer::Accepted { at: at(0), provider_id: "wamid".to_owned(), note: None },
            Kept::Refused => Answer::Refused { at: at(0), failure: failure() },
            Kept::NotAccepted => Answer::NotAccepted { at: at(0), failure: failure() },
            Kept::Unknown => Answer::Unknown { at: at(0), cause: String::new(), details: None },
        };
        let fact = |status: &Status| (*status, StatusFact { at: at(0), code: None, details: None, category: None });
        Facts {
            skipped: self.skipped.map(Skip::from),
            claim: self.owner.map(|owner| Claim { owner: owner.to_string(), at: at(0), attempt: 1 }),
            answer: self.answer.map(answer),
            statuses: self.statuses.iter().map(fact).collect(),
            waiting: self.waits.then(|| Waiting { until: at(0), why: WaitReason::Retry, detail: String::new() }),
            ..Facts::default()
        }
    }

    pub(crate) fn state(&self) -> State {
        self.facts().state()
    }

    pub(crate) fn is_known(&self) -> bool {
        *self != Self::default()
    }

    /// Whether the message is undecided: no claim, or the last attempt was certainly not accepted, and no newer record
    /// is in flight.
    fn is_undecided(&self, attempt: u8) -> bool {
        let is_free = self.owner.is_none() || self.answer == Some(Kept::NotAccepted);
        self.skipped.is_none() && is_free && self.statuses.is_empty() && self.put_back <= attempt
    }
}

impl Tables {
    pub(crate) fn new(setup: &Setup) -> Self {
        let sends = setup.sends.len();
        Self {
            events: vec![false; sends],
            items: vec![Item::default(); sends],
            dedup_keys: vec![None; sends],
            latest: None,
            schedule: vec![None; sends],
            is_suppressed: false,
            tokens: BTreeSet::new(),
        }
    }

    /// Applies a write as the store does.
    pub(crate) fn apply(&mut self, setup: &Setup, write: Write) -> Outcome {
        let is = |mutation| setup.mutation == Some(mutation);
        let done = |held: bool| if held { Outcome::Done } else { Outcome::Refused };
        match write {
            Write::Event(send) => done(!std::mem::replace(&mut self.events[send], true)),
            Write::Claim { send, owner, attempt } => self.claim(setup, send, (owner, attempt)),
            Write::Settle { send, owner, kept } => {
                let item = &mut self.items[send];
                // An earlier write was applied and its response was lost.
                if item.owner == Some(owner) && item.answer == Some(kept) && kept != Kept::Unknown {
                    return Outcome::Done;
                }
                let is_ours = item.owner == Some(owner) || is(Mutation::SettleWithoutOwner);
                if !is_ours || !matches!(item.answer, None | Some(Kept::Unknown)) {
                    return Outcome::Refused;
                }
                (item.answer, item.is_open) = (Some(kept), false);
                Outcome::Done
            }
            Write::GiveBack { send, owner } => {
                self.give_back(setup, send, owner);
                Outcome::Done
            }
            Write::Release { send, owner } => done(self.release(setup, send, owner)),
            Write::TakeAway(send) => {
                let dedup_key = &mut self.dedup_keys[setup.sends[send].dedup_key_of];
                *dedup_key = dedup_key.filter(|(by, _)| *by != send);
                Outcome::Done
            }
            Write::Wait { send, attempt } => done(self.waits(send, attempt)),
            Write::Park(record) => {
                let waits = self.waits(record.send, record.attempt - 1);
                if waits {
                    self.schedule[record.send] = Some(record);
                }
                done(waits)
            }
            Write::Skip { send, attempt, reason } => {
                let item = &mut self.items[send];
                let held = item.is_undecided(attempt);
                if held {
                    (item.skipped, item.waits) = (Some(reason), false);
                }
                done(held)
            }
            Write::Open { send, owner } => {
                let item = &mut self.items[send];
                let held = item.owner == Some(owner) && item.answer.is_none();
                item.is_open |= held;
                done(held)
            }
            Write::GiveUp { send, owner } => done(self.give_up(send, owner, is(Mutation::SweepReleases))),
            Write::Remove(record) => {
                let held = self.schedule[record.send] == Some(record);
                if held {
                    self.schedule[record.send] = None;
                }
                done(held)
            }
            Write::Report(send, status) => {
                let item = &mut self.items[send];
                // A report about an unrecorded message is stored separately.
                let is_known = item.is_known();
                if is_known {
                    item.statuses.insert(status);
                }
                done(is_known)
            }
            Write::Suppress => {
                self.is_suppressed = true;
                Outcome::Done
            }
        }
    }

    fn claim(&mut self, setup: &Setup, send: SendId, (owner, attempt): (Owner, u8)) -> Outcome {
        let is = |mutation| setup.mutation == Some(mutation);
        if self.tokens.contains(&owner) {
            return Outcome::Ours;
        }
        let (spec, item) = (&setup.sends[send], &self.items[send]);
        let dedup_key = self.dedup_keys[spec.dedup_key_of];
        if !item.is_undecided(attempt) && !is(Mutation::ClaimWithoutCondition) {
            return Outcome::Theirs;
        }
        if self.is_suppressed && !is(Mutation::ClaimWithoutStop) {
            return Outcome::Suppressed;
        }
        if spec.guards.latest.is_some() && self.latest.is_some_and(|latest| setup.is_newer(latest.by.0, send)) {
            return Outcome::Superseded;
        }
        let is_notified = dedup_key.is_some_and(|(by, _)| by != send);
        if spec.guards.dedup_key.is_some() && is_notified && !is(Mutation::ClaimWithoutDedupKey) {
            return Outcome::AlreadyNotified;
        }
        let item = &mut self.items[send];
        (item.owner, item.answer, item.waits) = (Some(owner), None, false);
        if spec.guards.latest.is_some() {
            self.latest = Some(LatestEvent { by: (send, owner), before: self.latest.map(|latest| latest.by) });
        }
        self.tokens.insert(owner);
        if spec.guards.dedup_key.is_some() {
            self.dedup_keys[spec.dedup_key_of] = Some((send, owner));
        }
        Outcome::Ours
    }

    fn give_back(&mut self, setup: &Setup, send: SendId, owner: Owner) {
        let is_by_any = setup.mutation == Some(Mutation::GiveBackWithoutOwner);
        let dedup_key = &mut self.dedup_keys[setup.sends[send].dedup_key_of];
        *dedup_key = dedup_key.filter(|(by, of)| *by != send || (*of != owner && !is_by_any));
    }

    /// Releases a claim, unless the ledger contains a later fact about it.
    fn release(&mut self, setup: &Setup, send: SendId, owner: Owner) -> bool {
        let is_sent_again = |(one, item): (&super::setup::Send, &Item)| one.repeats == Some(send) && item.is_known();
        let is_sent_again = setup.sends.iter().zip(&self.items).any(is_sent_again);
        let item = &mut self.items[send];
        if item.owner != Some(owner) {
            return false;
        }
        match item.answer {
            None | Some(Kept::Unknown) => {
                if item.skipped.is_some() || !item.statuses.is_empty() || is_sent_again {
                    return false;
                }
                (item.answer, item.is_open) = (Some(Kept::NotAccepted), false);
            }
            Some(Kept::NotAccepted) => {}
            Some(Kept::Accepted | Kept::Refused) => return false,
        }
        if let Some(LatestEvent { by, before }) = self.latest
            && by == (send, owner)
            && setup.sends[send].guards.latest.is_some()
        {
            self.latest = before.map(|by| LatestEvent { by, before: None });
        }
        self.give_back(setup, send, owner);
        true
    }

    fn waits(&mut self, send: SendId, attempt: u8) -> bool {
        let item = &mut self.items[send];
        let held = item.is_undecided(attempt);
        if held {
            (item.waits, item.put_back) = (true, attempt + 1);
        }
        held
    }

    /// Marks a message that stayed `sending` as `unknown`, unless it was answered, claimed again or reported.
    fn give_up(&mut self, send: SendId, owner: Owner, releases: bool) -> bool {
        let item = &mut self.items[send];
        if !item.is_open || item.owner != Some(owner) {
            return false;
        }
        // A reported message was accepted.
        item.is_open = false;
        if !item.statuses.is_empty() {
            return false;
        }
        item.answer = Some(if releases { Kept::NotAccepted } else { Kept::Unknown });
        true
    }
}
