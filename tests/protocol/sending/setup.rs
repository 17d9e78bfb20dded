//! The parameters of a check: the messages, the bounds on faults, and the deliberate breaks of the protocol.

use domain::decision::context::DecisionContext;
use domain::decision::guards::{Guards, guards};
use domain::decision::plan::{PlannedMessage, plan};
use domain::decision::{Halt, decide};
use domain::event::{Event, EventVersion};
use domain::message::error_code::{self, Class};
use domain::message::reason::Reason;
use domain::message::suppression::{ContactData, Scope, Source, Suppression};
use jiff::Timestamp;

use super::table::SendId;
use crate::fixtures::{at, days, live, order, site};

/// The codes that the provider may return, in this order:
///
/// 1. a final code
/// 2. a code after which a message is put back once
/// 3. a code after which it is parked
/// 4. a code that proves nothing
pub(crate) const CODES: [&str; 4] = ["131026", "131060", "130429", "131000"];

/// A message that may be sent once.
#[derive(Clone, Debug)]
pub(crate) struct Send {
    pub(crate) event: Event,
    pub(crate) planned: PlannedMessage,
    pub(crate) guards: Guards,
    /// The first send with the same dedup key.
    pub(crate) dedup_key_of: SendId,
    /// The send that this one resends.
    pub(crate) repeats: Option<SendId>,
    /// The decisions: in time and too late, each without and with a STOP.
    decisions: [Result<Timestamp, Reason>; 4],
}

/// The maximum number of each fault and each external action.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Bounds {
    /// Concurrent executions.
    pub(crate) executions: u8,
    /// Executions that die.
    pub(crate) crashes: u8,
    /// Records that are delivered twice.
    pub(crate) doubles: u8,
    /// Writes whose response is lost. They are applied at once or later.
    pub(crate) lost: u8,
    /// Writes that the table rejects: transaction conflicts and throttling.
    pub(crate) refused: u8,
    /// Calls that are certainly not accepted and may be retried.
    pub(crate) not_accepted: u8,
    /// Claims whose owner finds that it may not call.
    pub(crate) uncalled: u8,
    /// Reported statuses.
    pub(crate) reports: u8,
    /// STOPs of the recipient.
    pub(crate) stops: u8,
    /// Resends by an operator.
    pub(crate) resends: u8,
    /// Sweeps of the messages that are `sending` while something else is still running.
    pub(crate) sweeps: u8,
    /// Deliveries of a record while its message is `sending`.
    pub(crate) looks: u8,
}

/// A deliberate break of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutation {
    ClaimWithoutCondition,
    ClaimWithoutStop,
    ClaimWithoutDedupKey,
    SettleWithoutOwner,
    GiveBackWithoutOwner,
    /// The sweep releases a message that stayed `sending` for a retry.
    SweepReleases,
    /// A message is retried although its call may have been accepted.
    UnknownIsTriedAgain,
    /// An execution gives up its record before the successor is in the queue.
    RecordGivenUpFirst,
    /// An owner proves that it never called, and continues.
    ProofBeforeTheEnd,
    /// A record is given up while its message is `sending`.
    RecordGivenUpWhileSending,
    /// A record that meets a `sending` message does not list it for the sweep.
    RecordThatListsNothing,
    /// An execution that could not record its answer gives up its record.
    OwnerGivesUpItsRecord,
}

/// The parameters of a check.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) sends: Vec<Send>,
    pub(crate) bounds: Bounds,
    pub(crate) mutation: Option<Mutation>,
}

impl Setup {
    /// One status of an order, and a possible resend of its message.
    pub(crate) fn one(bounds: Bounds) -> Self {
        Self::of(&[order("e1", "EVASO", 0)], bounds)
    }

    /// The same status of an order by two events, as a synchronisation raises it.
    pub(crate) fn repeated(bounds: Bounds) -> Self {
        Self::of(&[order("e1", "EVASO", 0), order("e2", "EVASO", 1)], bounds)
    }

    /// Two statuses of one order.
    pub(crate) fn overtaken(bounds: Bounds) -> Self {
        Self::of(&[order("e1", "EVASO", 0), order("e2", "FATTURATO", 1)], bounds)
    }

    pub(crate) fn with(self, mutation: Mutation) -> Self {
        Self { mutation: Some(mutation), ..self }
    }

    fn of(events: &[Event], bounds: Bounds) -> Self {
        let mut sends: Vec<Send> = events.iter().map(|event| send(event, None)).collect();
        for place in 0..sends.len() {
            let of_same = |one: &Send| one.guards.dedup_key == sends[place].guards.dedup_key;
            sends[place].dedup_key_of = sends.iter().position(of_same).unwrap();
        }
        if bounds.resends > 0 {
            sends.push(send(&events[0], Some(0)));
        }
        Self { sends, bounds, mutation: None }
    }

    /// Whether one send is newer than another of the same subject.
    pub(crate) fn is_newer(&self, one: SendId, other: SendId) -> bool {
        let order = |EventVersion { version, occurred_at, received_at }| (version, occurred_at, received_at);
        order(self.sends[one].guards.version) > order(self.sends[other].guards.version)
    }

    /// Returns the end of a message's useful time, or the reason to skip it.
    pub(crate) fn decision(&self, send: SendId, is_late: bool, is_suppressed: bool) -> Result<Timestamp, Reason> {
        let context = self.sends[send].decisions[usize::from(is_late)];
        match context {
            // The claim checks suppressions itself. Only a skip needs the decision with them.
            Err(reason) if reason.comes_after_suppression() => {
                self.sends[send].decisions[usize::from(is_late) + 2 * usize::from(is_suppressed)]
            }
            decided => decided,
        }
    }
}

/// Returns the current time: before or after the end of the useful time.
pub(crate) fn now(is_late: bool) -> Timestamp {
    if is_late { at(60) + days(30) } else { at(60) }
}

/// Whether a code proves nothing about its call.
pub(crate) fn is_ambiguous(code: &str) -> bool {
    error_code::class(code) == Some(Class::Ambiguous)
}

fn send(event: &Event, repeats: Option<SendId>) -> Send {
    let live = live("order.status_changed");
    let planned = plan(event, &live).messages.remove(0);
    let first = guards(&site(), &live.mappings[0], event, &planned.recipient, event.occurred_at);
    let guards = match repeats {
        Some(_) => Guards { latest: None, dedup_key: None, ..first },
        None => first,
    };
    let stop = Suppression { scope: Scope::All, source: Source::Stop, since: at(30), reason: String::new() };
    let decided = |is_late, suppressions: &[Suppression]| {
        let resend_requested_at = repeats.map(|_| at(60));
        let contact = ContactData { suppressions: suppressions.to_vec(), ..ContactData::default() };
        let known = DecisionContext { contact, resend_requested_at, ..DecisionContext::default() };
        match decide(event, &planned, &live, &known, now(is_late)) {
            Ok(outgoing) => Ok(outgoing.useful_until),
            Err(Halt::Skip(skip)) => Err(skip.reason),
            Err(Halt::Wait { .. }) => panic!("nothing waits for the decision"),
        }
    };
    let decisions = [
        decided(false, &[]),
        decided(true, &[]),
        decided(false, std::slice::from_ref(&stop)),
        decided(true, std::slice::from_ref(&stop)),
    ];
    Send { event: event.clone(), planned, guards, dedup_key_of: 0, repeats, decisions }
}
