//! A state of an activity's reminder, and what must hold in it.

use std::collections::{BTreeMap, BTreeSet};

use domain::decision::guards::ReminderBasis;
use domain::decision::reminder::ActivityStatus;

use super::setup::{Bounds, DueNo, EventNo, Mutation, Setup};

/// The item of the schedule: the event that had it kept, and when it is due.
pub(crate) type Item = (EventNo, DueNo);
/// What a reminder raised: the event it was raised from, and when it was due.
pub(crate) type RaisedNo = (EventNo, DueNo);

/// A record of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Record {
    Saved(EventNo),
    Raised(RaisedNo),
}

/// What is at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Run {
    /// An execution records its event.
    Event(Record),
    /// It says how the activity stands.
    LatestEvent(EventNo),
    /// It has the reminder kept.
    Keep(EventNo),
    /// It claims the message of a reminder and calls.
    Tell(RaisedNo),
    /// The sweep looks at the activity of an item that it found due.
    Look(Item),
    /// It puts the reminder's event into the queue.
    Raise(Item, RaisedNo),
    /// It records that the reminder does not stand any more.
    Gone(Item),
    /// It takes the item out of the schedule; where the protocol is broken so, what it raised goes into the queue then.
    Remove(Item, Option<RaisedNo>),
}

/// A write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Write {
    Saved(EventNo),
    /// A raised event; whether its messages are left out.
    Raised(RaisedNo, bool),
    LatestEvent(EventNo),
    Keep(EventNo),
    Claim(RaisedNo),
    Remove(Item),
}

/// What a write comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// The condition did not hold, or it is known.
    Refused,
    /// The activity stands by a newer event.
    Newer(EventNo),
    ActivityChanged,
    AlreadyNotified,
    Theirs,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) queue: Vec<Record>,
    pub(crate) runs: Vec<Run>,
    pub(crate) in_flight: Vec<Write>,
    /// Events that are recorded.
    pub(crate) saved: BTreeSet<EventNo>,
    /// Raised events that are recorded, and whether they tell nobody.
    pub(crate) raised: BTreeMap<RaisedNo, bool>,
    pub(crate) latest: Option<EventNo>,
    pub(crate) item: Option<Item>,
    /// Occasions that are taken, by what took them.
    pub(crate) dedup_keys: BTreeMap<String, RaisedNo>,
    /// Messages that were sent or skipped.
    pub(crate) decided: BTreeSet<RaisedNo>,
    /// How many moments are over.
    pub(crate) passed: usize,
    pub(crate) left: Bounds,
    /// How often each moment was told.
    pub(crate) notified: BTreeMap<String, u8>,
    /// The events by which the activity was said to stand so far.
    pub(crate) known: BTreeSet<EventNo>,
    pub(crate) told_what_does_not_stand: bool,
}

impl State {
    pub(crate) fn new(setup: &Setup) -> Self {
        Self {
            queue: (0..setup.events.len()).map(Record::Saved).collect(),
            runs: Vec::new(),
            in_flight: Vec::new(),
            saved: BTreeSet::new(),
            raised: BTreeMap::new(),
            latest: None,
            item: None,
            dedup_keys: BTreeMap::new(),
            decided: BTreeSet::new(),
            passed: 0,
            left: setup.bounds,
            notified: BTreeMap::new(),
            known: BTreeSet::new(),
            told_what_does_not_stand: false,
        }
    }

    /// Whether the activity has a reminder at a moment, by its head.
    pub(crate) fn has(&self, setup: &Setup, moment: &str) -> bool {
        self.latest.is_some_and(|latest| setup.events[latest].fingerprints.contains(moment))
    }

    /// Applies a write as the store does.
    pub(crate) fn write(&mut self, setup: &Setup, write: Write) -> Outcome {
        let is = |mutation| setup.mutation == Some(mutation);
        let done = |held: bool| if held { Outcome::Done } else { Outcome::Refused };
        match write {
            Write::Saved(event) => done(self.saved.insert(event)),
            Write::Raised(raised, tells_nobody) => {
                let is_new = !self.raised.contains_key(&raised);
                self.raised.entry(raised).or_insert(tells_nobody);
                done(is_new)
            }
            Write::LatestEvent(event) => {
                self.known.insert(event);
                match self.latest {
                    Some(latest) if setup.counts_more(latest, event) && !is(Mutation::HeadWithoutOrder) => {
                        Outcome::Newer(latest)
                    }
                    _ => {
                        self.latest = Some(event);
                        Outcome::Done
                    }
                }
            }
            Write::Keep(event) => {
                let is_newer = |(other, _): Item| setup.counts_more(other, event);
                if let Some((_, due)) = setup.events[event].kept.as_ref().filter(|_| !self.item.is_some_and(is_newer)) {
                    self.item = Some((event, *due));
                }
                Outcome::Done
            }
            Write::Remove(item) => {
                let held = self.item == Some(item) || (is(Mutation::RemovedWithoutContent) && self.item.is_some());
                self.item = self.item.filter(|_| !held);
                done(held)
            }
            Write::Claim(raised) => self.claim(setup, raised),
        }
    }

    fn claim(&mut self, setup: &Setup, raised: RaisedNo) -> Outcome {
        let is = |mutation| setup.mutation == Some(mutation);
        let guards = &setup.raised(raised.0, raised.1).unwrap().guards;
        let Some(ReminderBasis::Fingerprint(moment)) = guards.activity.as_ref().map(|activity| &activity.basis) else {
            panic!("the bridge raised it")
        };
        let dedup_key = guards.dedup_key.as_ref().unwrap();
        if self.decided.contains(&raised) {
            return Outcome::Theirs;
        }
        let is_notified = self.dedup_keys.get(dedup_key).is_some_and(|by| *by != raised);
        self.decided.insert(raised);
        if is_notified && !is(Mutation::ClaimWithoutDedupKey) {
            return Outcome::AlreadyNotified;
        }
        if self.latest.is_some() && !self.has(setup, moment) && !is(Mutation::ClaimWithoutActivity) {
            return Outcome::ActivityChanged;
        }
        self.dedup_keys.insert(dedup_key.clone(), raised);
        *self.notified.entry(moment.clone()).or_default() += 1;
        let newest = self.newest(setup, self.known.iter().copied());
        self.told_what_does_not_stand |=
            newest.is_some_and(|newest| !setup.events[newest].fingerprints.contains(moment));
        Outcome::Done
    }

    fn newest(&self, setup: &Setup, events: impl Iterator<Item = EventNo>) -> Option<EventNo> {
        events.reduce(|one, other| if setup.counts_more(other, one) { other } else { one })
    }

    /// Whether nothing more happens by itself.
    pub(crate) fn is_over(&self, setup: &Setup) -> bool {
        let is_idle = self.queue.is_empty() && self.runs.is_empty() && self.in_flight.is_empty();
        is_idle && self.item.is_none() && self.passed == setup.dues.len()
    }

    /// Whether the reminder of the newest event was told.
    pub(crate) fn what_stands_was_told(&self, setup: &Setup) -> bool {
        let newest = self.newest(setup, 0..setup.events.len()).unwrap();
        let moment = setup.moment_of(newest).filter(|_| setup.events[newest].activity_status == ActivityStatus::Saved);
        moment.is_none_or(|moment| self.notified.get(&moment) == Some(&1))
    }
}
