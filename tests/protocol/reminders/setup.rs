//! The events of an activity, with the results of the domain functions for each.

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

/// The index of an event in the setup.
pub(crate) type EventNo = usize;
/// The index of a due time in the setup.
pub(crate) type DueNo = usize;

/// The maximum number of executions and faults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Bounds {
    /// The maximum number of concurrent executions, not counting sweeps.
    pub(crate) executions: usize,
    /// Executions and sweeps that die.
    pub(crate) crashes: u8,
    /// Records that are delivered twice.
    pub(crate) doubles: u8,
    /// Writes whose response is lost. They are applied later.
    pub(crate) lost: u8,
    /// Sweeps that begin while another one runs.
    pub(crate) sweeps: u8,
}

/// A deliberate break of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutation {
    /// The event that is handled last counts, whatever its version.
    HeadWithoutOrder,
    ClaimWithoutActivity,
    ClaimWithoutDedupKey,
    /// The sweep removes its item from the schedule before it puts the record into the queue.
    RemovedFirst,
    /// The sweep also removes an item that was replaced in the meantime.
    RemovedWithoutContent,
}

/// An event of the activity.
#[derive(Clone, Debug)]
pub(crate) struct Saved {
    pub(crate) event: Event,
    pub(crate) version: EventVersion,
    pub(crate) activity_status: ActivityStatus,
    /// The fingerprints of its reminders.
    pub(crate) fingerprints: BTreeSet<String>,
    /// The fingerprint of its reminder, and its due time.
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
    /// The due times of the reminders, in order.
    pub(crate) dues: Vec<Timestamp>,
    /// The raised event for each event and each due time.
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

    /// Whether one event takes precedence over another. The newer one does; at the same time, a deletion does.
    pub(crate) fn counts_more(&self, one: EventNo, other: EventNo) -> bool {
        let key = |no: EventNo| {
            let Saved { version: EventVersion { version, occurred_at, received_at }, activity_status, .. } =
                &self.events[no];
            (*version, *occurred_at, *activity_status == ActivityStatus::Over, *received_at)
        };
        key(one) > key(other)
    }

    /// Returns the fingerprint of an event's reminder, or `None` if it has none.
    pub(crate) fn moment_of(&self, event: EventNo) -> Option<String> {
        saved_fingerprint(&self.events[event].event, &reminder())
    }

    /// Returns the event that is raised from `event` at `due`.
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
