//! A state of the sending protocol, and what must hold in it.

use std::collections::{BTreeMap, BTreeSet};

use domain::message::state::State as Told;

use super::setup::{Bounds, Setup};
use super::table::{Kept, Outcome, Owner, Record, SendId, Tables, Write};

/// An execution of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Run {
    pub(crate) record: Record,
    pub(crate) step: Step,
}

/// What an execution does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Step {
    /// Writes the event with its plan.
    Event,
    /// Takes back what the owner claimed that proves by this record that it never called.
    Release,
    /// Takes the occasion away from a send that was refused for good; then it claims again.
    TakeAway {
        owner: Owner,
        of: SendId,
    },
    /// Claims; `is_unclear` when the answer of this claim was lost before.
    Claim {
        owner: Owner,
        is_unclear: bool,
    },
    Call(Owner),
    /// Records the answer; `is_tried` when that could not be done before.
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
}

/// What follows a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Then {
    End,
    Queue(Record),
    Park(Record),
    Skip(domain::message::reason::Reason),
}

/// A promise that was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Broken {
    /// What was `sending` was claimed by another, or given up as not accepted without its owner's proof.
    TakenOver,
    /// What was decided was claimed.
    DecidedAgain,
    /// It was claimed after STOP was recorded.
    SentAfterStop,
    /// It was claimed after something newer of its subject.
    Overtaken,
    /// A record became a dead letter.
    DeadLetter,
}

/// Everything there is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) tables: Tables,
    pub(crate) queue: Vec<Record>,
    pub(crate) runs: Vec<Run>,
    /// Writes whose answer was lost and that are applied later.
    pub(crate) in_flight: Vec<Write>,
    pub(crate) is_late: bool,
    pub(crate) left: Bounds,
    pub(crate) next_owner: Owner,
    /// The owners that called or may still call, but for those whose call was surely not accepted.
    pub(crate) may_have_sent: BTreeSet<Owner>,
    /// Calls of each send that may have been accepted, and whether one was.
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

    /// Applies a write, and notes what it breaks.
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

    /// Whether nothing more happens by itself.
    pub(crate) fn is_over(&self) -> bool {
        let waits = self.tables.schedule.iter().any(Option::is_some);
        let is_open = self.tables.items.iter().any(|item| item.is_open);
        self.queue.is_empty() && self.runs.is_empty() && self.in_flight.is_empty() && !waits && !is_open
    }

    /// Whether all is over and a message ended so.
    pub(crate) fn ends_as(&self, state: &Told) -> bool {
        self.is_over() && self.tables.items.iter().any(|item| item.state() == *state)
    }

    /// Whether each message that was to be sent is final or `unknown`.
    pub(crate) fn every_message_ended(&self, setup: &Setup) -> bool {
        let was_asked = |send: SendId| setup.sends[send].repeats.is_none() || self.left.resends < setup.bounds.resends;
        (0..setup.sends.len()).filter(|send| was_asked(*send)).all(|send| self.tables.items[send].state().is_final())
    }

    /// Whether the ledger says of each message what happened, or that nobody knows.
    pub(crate) fn the_ledger_is_true(&self) -> bool {
        let is_true = |(send, accepted): (usize, &bool)| match self.tables.items[send].state() {
            Told::Sent | Told::Delivered | Told::Read => *accepted,
            Told::Failed(_) => !*accepted || !self.tables.items[send].statuses.is_empty(),
            Told::Skipped(_) => self.calls[send] == 0,
            Told::Unknown | Told::Pending | Told::Waiting(_) | Told::Sending => true,
        };
        self.accepted.iter().enumerate().all(is_true)
    }

    /// Whether no send was called again that may have been accepted.
    pub(crate) fn nothing_is_sent_twice(&self) -> bool {
        self.calls.iter().all(|calls| *calls <= 1)
    }

    /// Whether no occasion was told twice, but by a person's wish.
    pub(crate) fn no_occasion_is_told_twice(&self, setup: &Setup) -> bool {
        let mut notified: BTreeMap<SendId, u8> = BTreeMap::new();
        for (send, calls) in setup.sends.iter().zip(&self.calls).filter(|(send, _)| send.repeats.is_none()) {
            *notified.entry(send.dedup_key_of).or_default() += calls;
        }
        notified.values().all(|calls| *calls <= 1)
    }

    /// The same state with other names: owners are named in the order in which they come up, and nothing has an order that
    /// does not count.
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
        // Which of two executions is which does not count: they are alike but for the names of their owners.
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
            | Self::GiveBack { owner, .. } => Some(owner),
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

    /// The new names of those that still come up.
    fn of(&self, owners: &BTreeSet<Owner>) -> BTreeSet<Owner> {
        owners.iter().filter_map(|owner| self.0.get(owner).copied()).collect()
    }
}
