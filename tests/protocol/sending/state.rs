//! A state of the sending protocol, and the properties of it.

use std::collections::{BTreeMap, BTreeSet};

use domain::message::state::State as Notified;

use super::setup::{Bounds, Setup};
use super::table::{Kept, Outcome, Owner, Record, SendId, Tables, Write};

/// An execution of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Run {
    pub(crate) record: Record,
    pub(crate) step: Step,
}

/// The next step of an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Step {
    /// Writes the event with its plan.
    Event,
    /// Releases the claim of an owner. The record proves that the owner never called.
    Release,
    /// Takes the dedup key from a send that was finally refused. Then claims again.
    TakeAway {
        owner: Owner,
        of: SendId,
    },
    /// Claims. `is_unclear` if the response to this claim was lost before.
    Claim {
        owner: Owner,
        is_unclear: bool,
    },
    Call(Owner),
    /// Records the answer. `is_tried` if an earlier attempt failed.
    Settle {
        owner: Owner,
        kept: Kept,
        then: Then,
        is_tried: bool,
    },
    GiveBack {
        owner: Owner,
        then: Then,
    },
    /// Puts the successor into the queue.
    Queue(Record),
    /// Records that the message waits for the successor.
    Wait,
    Park(Record),
    Skip(domain::message::reason::Reason),
    /// Lists a message that another owner claimed for the sweep. Then the record is put back, unless `has_successor`.
    Open {
        owner: Owner,
        has_successor: bool,
    },
}

/// The step after a call is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Then {
    End,
    /// The record is put back, because the answer could not be recorded.
    Again,
    Queue(Record),
    Park(Record),
    Skip(domain::message::reason::Reason),
}

/// A broken promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Broken {
    /// A `sending` message was claimed by another owner, or settled as not accepted without its owner's proof.
    TakenOver,
    /// A decided message was claimed.
    DecidedAgain,
    /// A message was claimed after a STOP was recorded.
    SentAfterStop,
    /// A message was claimed after a newer one of its subject.
    Overtaken,
    /// A record became a dead letter.
    DeadLetter,
}

/// The state of everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) tables: Tables,
    pub(crate) queue: Vec<Record>,
    pub(crate) runs: Vec<Run>,
    /// Writes whose response was lost and that are applied later.
    pub(crate) in_flight: Vec<Write>,
    pub(crate) is_late: bool,
    pub(crate) left: Bounds,
    pub(crate) next_owner: Owner,
    /// The owners that called or may still call, without those whose call was certainly not accepted.
    pub(crate) may_have_sent: BTreeSet<Owner>,
    /// The number of calls of each send that may have been accepted, and whether one was.
    pub(crate) calls: Vec<u8>,
    pub(crate) accepted: Vec<bool>,
    pub(crate) broken: Option<Broken>,
}

impl State {
    pub(crate) fn new(setup: &Setup) -> Self {
        let sends = setup.sends.len();
        let events = (0..sends).filter(|send| setup.sends[*send].repeats.is_none());
        let of_event = |send| Record { send, of_event: true, attempt: 0, met: (0, 0), proof: None };
        Self {
            tables: Tables::new(setup),
            queue: events.map(of_event).collect(),
            runs: Vec::new(),
            in_flight: Vec::new(),
            is_late: false,
            left: setup.bounds,
            next_owner: 1,
            may_have_sent: BTreeSet::new(),
            calls: vec![0; sends],
            accepted: vec![false; sends],
            broken: None,
        }
    }

    /// Applies a write and records the promise that it breaks.
    pub(crate) fn write(&mut self, setup: &Setup, write: Write) -> Outcome {
        let (send, owner) = match write {
            Write::Claim { send, owner, .. } => (send, owner),
            Write::Settle { owner, kept: Kept::NotAccepted, .. } | Write::Release { owner, .. } => {
                let outcome = self.tables.apply(setup, write);
                if outcome == Outcome::Done && self.may_have_sent.contains(&owner) {
                    self.broken = self.broken.or(Some(Broken::TakenOver));
                }
                return outcome;
            }
            _ => return self.tables.apply(setup, write),
        };
        let before = self.tables.items[send].clone();
        let (is_suppressed, is_known) = (self.tables.is_suppressed, self.tables.tokens.contains(&owner));
        let is_overtaken = self.is_overtaken(setup, send);
        let outcome = self.tables.apply(setup, write);
        if outcome != Outcome::Ours || is_known {
            return outcome;
        }
        let broken = match (before.owner, before.answer) {
            (Some(_), None) => Some(Broken::TakenOver),
            (_, Some(Kept::Accepted | Kept::Refused | Kept::Unknown)) => Some(Broken::DecidedAgain),
            _ if before.skipped.is_some() || !before.statuses.is_empty() => Some(Broken::DecidedAgain),
            _ if is_suppressed => Some(Broken::SentAfterStop),
            _ if is_overtaken => Some(Broken::Overtaken),
            _ => None,
        };
        self.broken = self.broken.or(broken);
        outcome
    }

    fn is_overtaken(&self, setup: &Setup, send: SendId) -> bool {
        let is_claimed = |other: SendId| {
            let item = &self.tables.items[other];
            item.owner.is_some() && item.answer != Some(Kept::NotAccepted)
        };
        let is_newer = |other: &SendId| setup.is_newer(*other, send) && is_claimed(*other);
        setup.sends[send].guards.latest.is_some() && (0..setup.sends.len()).any(|other| is_newer(&other))
    }

    /// Whether nothing more happens without a new event.
    pub(crate) fn is_over(&self) -> bool {
        let waits = self.tables.schedule.iter().any(Option::is_some);
        let is_open = self.tables.items.iter().any(|item| item.is_open);
        self.queue.is_empty() && self.runs.is_empty() && self.in_flight.is_empty() && !waits && !is_open
    }

    /// Whether everything is over and a message ended in this state.
    pub(crate) fn ends_as(&self, state: &Notified) -> bool {
        self.is_over() && self.tables.items.iter().any(|item| item.state() == *state)
    }

    /// Whether each message that was to be sent is final or `unknown`.
    pub(crate) fn every_message_ended(&self, setup: &Setup) -> bool {
        let was_asked = |send: SendId| setup.sends[send].repeats.is_none() || self.left.resends < setup.bounds.resends;
        (0..setup.sends.len()).filter(|send| was_asked(*send)).all(|send| self.tables.items[send].state().is_final())
    }

    /// Whether the ledger is correct about each message, or states that its outcome is unknown.
    pub(crate) fn the_ledger_is_true(&self) -> bool {
        let is_true = |(send, accepted): (usize, &bool)| match self.tables.items[send].state() {
            Notified::Sent | Notified::Delivered | Notified::Read => *accepted,
            Notified::Failed(_) => !*accepted || !self.tables.items[send].statuses.is_empty(),
            Notified::Skipped(_) => self.calls[send] == 0,
            Notified::Unknown | Notified::Pending | Notified::Waiting(_) | Notified::Sending => true,
        };
        self.accepted.iter().enumerate().all(is_true)
    }

    /// Whether no send that may have been accepted was called again.
    pub(crate) fn nothing_is_sent_twice(&self) -> bool {
        self.calls.iter().all(|calls| *calls <= 1)
    }

    /// Whether each dedup key notified at most once, not counting an operator's resends.
    pub(crate) fn no_dedup_key_is_notified_twice(&self, setup: &Setup) -> bool {
        let mut notified: BTreeMap<SendId, u8> = BTreeMap::new();
        for (send, calls) in setup.sends.iter().zip(&self.calls).filter(|(send, _)| send.repeats.is_none()) {
            *notified.entry(send.dedup_key_of).or_default() += calls;
        }
        notified.values().all(|calls| *calls <= 1)
    }

    /// Returns the canonical form of the state. Owners are numbered in the order of their appearance, and unordered
    /// collections are sorted.
    pub(crate) fn representative(&self) -> Self {
        let mut state = self.clone();
        let mut names = Names::default();
        for item in &mut state.tables.items {
            names.rename_if(&mut item.owner);
        }
        for (_, owner) in state.tables.dedup_keys.iter_mut().flatten() {
            names.rename(owner);
        }
        if let Some(latest) = &mut state.tables.latest {
            names.rename(&mut latest.by.1);
            latest.before.iter_mut().for_each(|(_, owner)| names.rename(owner));
        }
        // Two executions are interchangeable if they differ only in the names of their owners.
        state.runs.sort_by_key(|run| run.without_owner());
        for run in &mut state.runs {
            names.rename_if(&mut run.record.proof);
            run.step.owner_mut().into_iter().for_each(|owner| names.rename(owner));
            run.step.successor_mut().into_iter().for_each(|record| names.rename_if(&mut record.proof));
        }
        for record in state.queue.iter_mut().chain(state.tables.schedule.iter_mut().flatten()) {
            names.rename_if(&mut record.proof);
        }
        for write in &mut state.in_flight {
            names.rename_write(write);
        }
        state.may_have_sent = names.of(&self.may_have_sent);
        state.tables.tokens = names.of(&self.tables.tokens);
        state.next_owner = 0;
        state.runs.sort_unstable();
        state.queue.sort_unstable();
        state.in_flight.sort_unstable();
        state
    }
}

impl Run {
    fn without_owner(mut self) -> Self {
        self.record.proof = self.record.proof.map(|_| 0);
        self.step.owner_mut().into_iter().for_each(|owner| *owner = 0);
        self.step.successor_mut().into_iter().for_each(|record| record.proof = record.proof.map(|_| 0));
        self
    }
}

impl Step {
    pub(crate) fn owner_mut(&mut self) -> Option<&mut Owner> {
        match self {
            Self::Claim { owner, .. }
            | Self::Call(owner)
            | Self::Settle { owner, .. }
            | Self::GiveBack { owner, .. }
            | Self::Open { owner, .. } => Some(owner),
            _ => None,
        }
    }

    pub(crate) fn successor_mut(&mut self) -> Option<&mut Record> {
        match self {
            Self::Queue(record)
            | Self::Park(record)
            | Self::Settle { then: Then::Queue(record) | Then::Park(record), .. }
            | Self::GiveBack { then: Then::Queue(record) | Then::Park(record), .. } => Some(record),
            _ => None,
        }
    }
}

/// New names of owners.
#[derive(Default)]
struct Names(BTreeMap<Owner, Owner>);

impl Names {
    fn rename(&mut self, owner: &mut Owner) {
        let next = u8::try_from(self.0.len()).unwrap() + 1;
        *owner = *self.0.entry(*owner).or_insert(next);
    }

    fn rename_if(&mut self, owner: &mut Option<Owner>) {
        owner.iter_mut().for_each(|owner| self.rename(owner));
    }

    fn rename_write(&mut self, write: &mut Write) {
        match write {
            Write::Claim { owner, .. }
            | Write::Settle { owner, .. }
            | Write::GiveBack { owner, .. }
            | Write::Release { owner, .. }
            | Write::Open { owner, .. }
            | Write::GiveUp { owner, .. } => {
                self.rename(owner);
            }
            Write::Park(record) | Write::Remove(record) => self.rename_if(&mut record.proof),
            Write::Event(_)
            | Write::TakeAway(_)
            | Write::Wait { .. }
            | Write::Skip { .. }
            | Write::Report(..)
            | Write::Suppress => {}
        }
    }

    /// Returns the new names of the owners that still occur.
    fn of(&self, owners: &BTreeSet<Owner>) -> BTreeSet<Owner> {
        owners.iter().filter_map(|owner| self.0.get(owner).copied()).collect()
    }
}
