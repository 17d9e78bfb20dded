//! The events of an activity, with what the domain says of each.

use std::collections::BTreeSet;

use domain::decision::guards::{Guards, guards};
use domain::decision::plan::{Plan, plan};
use domain::decision::reminder::{
    ActivityStatus, Kept, activity_status, fingerprints, raised, saved_fingerprint, to_keep,
};
use domain::event::{Event, EventVersion};
use domain::primitives::id::ObjectId;
use domain::primitives::key::reminder_key;
use jiff::Timestamp;
use jiff::civil::time;

use crate::fixtures::{live, site};

/// An event, by its place in the setup.
pub(crate) type EventNo = usize;
/// A moment at which a reminder is due, by its place in the setup.
pub(crate) type DueNo = usize;

/// How much trouble there may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Bounds {
    /// Executions at once, sweeps besides.
    pub(crate) executions: usize,
    /// Executions and sweeps that die.
    pub(crate) crashes: u8,
    /// Records that are delivered twice.
    pub(crate) doubles: u8,
    /// Writes whose answer is lost: they are applied later.
    pub(crate) lost: u8,
    /// Sweeps that begin while another is at work.
    pub(crate) sweeps: u8,
}

/// The protocol, broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutation {
    /// Whatever event is handled last counts.
    HeadWithoutOrder,
    ClaimWithoutActivity,
    ClaimWithoutDedupKey,
    /// The sweep takes its item out of the schedule before the record is in the queue.
    RemovedFirst,
    /// The sweep takes out what was put again meanwhile, too.
    RemovedWithoutContent,
}

/// An event of the activity.
#[derive(Clone, Debug)]
pub(crate) struct Saved {
    pub(crate) event: Event,
    pub(crate) version: EventVersion,
    pub(crate) activity_status: ActivityStatus,
    /// By what its reminders stand.
    pub(crate) fingerprints: BTreeSet<String>,
    /// By what its reminder stands, and when it is due.
    pub(crate) kept: Option<(String, DueNo)>,
}

/// The event that a due reminder raises.
#[derive(Clone, Debug)]
pub(crate) struct Raised {
    pub(crate) event: Event,
    pub(crate) plan: Plan,
    pub(crate) guards: Guards,
}

#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) events: Vec<Saved>,
    /// The moments at which reminders are due, in order.
    pub(crate) dues: Vec<Timestamp>,
    /// What is raised from each event at each moment.
    pub(crate) raised: Vec<Vec<Option<Raised>>>,
    pub(crate) bounds: Bounds,
    pub(crate) mutation: Option<Mutation>,
}

impl Setup {
    pub(crate) fn of(events: &[Event], bounds: Bounds) -> Self {
        let kept: Vec<Option<Kept>> = events.iter().map(|event| to_keep(event, time(9, 0, 0, 0)).pop()).collect();
        let dues: BTreeSet<Timestamp> = kept.iter().flatten().map(|kept| kept.due_at).collect();
        let dues: Vec<Timestamp> = dues.into_iter().collect();
        let no = |due_at| dues.iter().position(|due| *due == due_at).unwrap();
        let saved = |(event, kept): (&Event, &Option<Kept>)| Saved {
            event: event.clone(),
            version: EventVersion::of_activity(event, event.occurred_at),
            activity_status: activity_status(event).unwrap().1,
            fingerprints: fingerprints(event),
            kept: kept.as_ref().map(|kept| (kept.fingerprint.clone(), no(kept.due_at))),
        };
        let raised = events.iter().map(|event| dues.iter().map(|due_at| raise(event, *due_at)).collect()).collect();
        Self { events: events.iter().zip(&kept).map(saved).collect(), dues, raised, bounds, mutation: None }
    }

    pub(crate) fn with(self, mutation: Mutation) -> Self {
        Self { mutation: Some(mutation), ..self }
    }

    /// Whether one event counts more than another: it is newer, and of two that happened at once a deletion does.
    pub(crate) fn counts_more(&self, one: EventNo, other: EventNo) -> bool {
        let key = |no: EventNo| {
            let Saved { version: EventVersion { version, occurred_at, received_at }, activity_status, .. } =
                &self.events[no];
            (*version, *occurred_at, *activity_status == ActivityStatus::Over, *received_at)
        };
        key(one) > key(other)
    }

    /// By what the reminder of an event stands; `None` of one that has none.
    pub(crate) fn moment_of(&self, event: EventNo) -> Option<String> {
        saved_fingerprint(&self.events[event].event, &reminder())
    }

    /// What is raised from an event at a moment.
    pub(crate) fn raised(&self, event: EventNo, due: DueNo) -> Option<&Raised> {
        self.raised[event][due].as_ref()
    }
}

pub(crate) fn activity() -> ObjectId {
    ObjectId::parse("A1").unwrap()
}

pub(crate) fn reminder() -> ObjectId {
    ObjectId::parse("r1").unwrap()
}

fn raise(saved: &Event, due_at: Timestamp) -> Option<Raised> {
    let item = reminder_key(&site(), &activity(), &reminder());
    let event = Event::parse_any(raised(saved, &item, &reminder(), due_at)?, due_at).unwrap();
    let live = live("activity.reminder");
    let plan = plan(&event, &live);
    let guards = guards(&site(), &live.mappings[0], &event, &plan.messages[0].recipient, due_at);
    Some(Raised { event, plan, guards })
}
