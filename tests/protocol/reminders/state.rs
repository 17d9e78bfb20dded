//! A state of an activity's reminder, and the properties of it.

use std::collections::{BTreeMap, BTreeSet};

use domain::decision::guards::ReminderBasis;
use domain::decision::reminder::ActivityStatus;

use super::setup::{Bounds, DueNo, EventNo, Mutation, Setup};

/// The item of the schedule: the event that created it, and its due time.
pub(crate) type Item = (EventNo, DueNo);
/// A raised reminder: the event that it was raised from, and its due time.
pub(crate) type RaisedNo = (EventNo, DueNo);

/// A record of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Record {
    Saved(EventNo),
    Raised(RaisedNo),
}

/// A running execution or sweep, by its next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Run {
    /// An execution records its event.
    Event(Record),
    /// An execution records the activity status.
    LatestEvent(EventNo),
    /// An execution puts the reminder into the schedule.
    Keep(EventNo),
    /// An execution claims the message of a reminder and calls.
    Notify(RaisedNo),
    /// The sweep reads the activity of a due item.
    Look(Item),
    /// The sweep puts the reminder's event into the queue.
    Raise(Item, RaisedNo),
    /// The sweep records that the reminder is no longer valid.
    Gone(Item),
    /// The sweep removes the item from the schedule. With the break `RemovedFirst`, the raised event is queued
    /// afterwards.
    Remove(Item, Option<RaisedNo>),
}

/// A write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Write {
    Saved(EventNo),
    /// A raised event, and whether it is recorded without messages.
    Raised(RaisedNo, bool),
    LatestEvent(EventNo),
    Keep(EventNo),
    Claim(RaisedNo),
    Remove(Item),
}

/// The outcome of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// The condition was false, or the item already exists.
    Refused,
    /// The activity has a newer event.
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
    /// The recorded events.
    pub(crate) saved: BTreeSet<EventNo>,
    /// The recorded raised events, and whether they have no messages.
    pub(crate) raised: BTreeMap<RaisedNo, bool>,
    pub(crate) latest: Option<EventNo>,
    pub(crate) item: Option<Item>,
    /// The dedup keys that are taken, with the reminder that took each.
    pub(crate) dedup_keys: BTreeMap<String, RaisedNo>,
    /// Messages that were sent or skipped.
    pub(crate) decided: BTreeSet<RaisedNo>,
    /// How many due times are over.
    pub(crate) passed: usize,
    pub(crate) left: Bounds,
    /// How often each due moment was notified.
    pub(crate) notified: BTreeMap<String, u8>,
    /// The events that updated the activity so far.
    pub(crate) known: BTreeSet<EventNo>,
    pub(crate) sent_an_invalid_reminder: bool,
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
            sent_an_invalid_reminder: false,
        }
    }

    /// Whether the activity's latest event has a reminder with this fingerprint.
    pub(crate) fn has(&self, setup: &Setup, moment: &str) -> bool {
        self.latest.is_some_and(|latest| setup.events[latest].fingerprints.contains(moment))
    }

    /// Applies a write as the store does.
    pub(crate) fn write(&mut self, setup: &Setup, write: Write) -> Outcome {
        let is = |mutation| setup.mutation == Some(mutation);
        let done = |held: bool| if held { Outcome::Done } else { Outcome::Refused };
        match write {
            Write::Saved(event) => done(self.saved.insert(event)),
            Write::Raised(raised, notifies_nobody) => {
                let is_new = !self.raised.contains_key(&raised);
                self.raised.entry(raised).or_insert(notifies_nobody);
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
        self.sent_an_invalid_reminder |=
            newest.is_some_and(|newest| !setup.events[newest].fingerprints.contains(moment));
        Outcome::Done
    }

    fn newest(&self, setup: &Setup, events: impl Iterator<Item = EventNo>) -> Option<EventNo> {
        events.reduce(|one, other| if setup.counts_more(other, one) { other } else { one })
    }

    /// Whether nothing more happens without a new event.
    pub(crate) fn is_over(&self, setup: &Setup) -> bool {
        let is_idle = self.queue.is_empty() && self.runs.is_empty() && self.in_flight.is_empty();
        is_idle && self.item.is_none() && self.passed == setup.dues.len()
    }

    /// Whether the reminder of the newest event was sent.
    pub(crate) fn the_valid_reminder_was_sent(&self, setup: &Setup) -> bool {
        let newest = self.newest(setup, 0..setup.events.len()).unwrap();
        let moment = setup.moment_of(newest).filter(|_| setup.events[newest].activity_status == ActivityStatus::Saved);
        moment.is_none_or(|moment| self.notified.get(&moment) == Some(&1))
    }
}
