//! Replays random traces of the model against the store. Compares the outcome of each write and the final tables.

use std::collections::BTreeMap;

use domain::decision::reminder::taken_back;
use domain::message::reason::{Reason, Skip};
use domain::primitives::key::{MessageId, activity_key};
use domain::queue::job::MessageJob;
use stateright::Model;
use store::contacts::LatestActivity;
use store::ledger::{Claim, Claimed, EventRecord, MessageRecord, Recorded, Sending};
use store::schedule::{Due, DueItem, ReminderItem};

use super::protocol::{Action, Log};
use super::setup::{Bounds, Raised, Setup, activity, reminder};
use super::state::{Item, Outcome, RaisedNo, State, Write};
use super::{cancelled, moved_back};
use crate::bounds::more;
use crate::fixtures::{at, contact, days, phone, secret, site};
use crate::random::Random;
use crate::world::World;

/// The number of traces of each setup.
const TRACES: u64 = 40;
/// The maximum number of steps in a trace.
const STEPS: usize = 120;
const RETENTION_DAYS: u16 = 90;

#[tokio::test]
async fn traces_of_a_cancelled_reminder_end_the_same_in_the_store() {
    replay(&Setup::of(&cancelled(), trouble()), 4).await;
}

#[tokio::test]
async fn traces_of_a_reminder_moved_back_end_the_same_in_the_store() {
    replay(&Setup::of(&moved_back(), trouble()), 5).await;
}

/// Larger bounds than an exhaustive check can cover.
fn trouble() -> Bounds {
    Bounds { executions: 3, crashes: 4, doubles: 3, lost: 3, sweeps: 2 }
}

async fn replay(setup: &Setup, seed: u64) {
    let mut random = Random(seed);
    for trace in 0..TRACES * u64::from(1 + more()) {
        let mut replay = Replay { setup, world: World::start().await, found: BTreeMap::new(), claims: 0 };
        let (mut state, mut steps) = (State::new(setup), Vec::new());
        for _ in 0..STEPS {
            let mut actions = Vec::new();
            setup.actions(&state, &mut actions);
            if actions.is_empty() {
                break;
            }
            let action = actions[random.below(actions.len())];
            steps.push(action);
            if let (Action::Sweep, Some(item)) = (action, state.item) {
                let due = replay.due().await.unwrap();
                replay.found.insert(item, due);
            }
            let mut log = Log::new();
            state = setup.step(&state, action, &mut log).unwrap();
            for (write, outcome) in log {
                let seen = replay.write(write).await;
                assert_eq!(seen, outcome, "trace {trace}: {write:?} after {steps:?}");
            }
        }
        replay.compare(&state, &format!("trace {trace}: {steps:?}")).await;
    }
}

/// A store that receives the same writes as the model.
struct Replay<'a> {
    setup: &'a Setup,
    world: World,
    /// The items that a sweep found due.
    found: BTreeMap<Item, DueItem>,
    claims: u32,
}

impl Replay<'_> {
    fn raised(&self, (event, due): RaisedNo) -> &Raised {
        self.setup.raised(event, due).unwrap()
    }

    async fn due(&self) -> Option<DueItem> {
        self.world.schedule.reminder(&site(), &activity(), &reminder()).await.unwrap()
    }

    async fn write(&mut self, write: Write) -> Outcome {
        let done = |held: bool| if held { Outcome::Done } else { Outcome::Refused };
        let (site, key) = (site(), activity_key(&site(), &activity()));
        match write {
            Write::Saved(event) => {
                let (event, plan) = (&self.setup.events[event].event, domain::decision::plan::Plan::default());
                let received_at = event.occurred_at;
                let record = EventRecord {
                    trace: None,
                    site: &site,
                    event,
                    received_at,
                    plan: &plan,
                    retention_days: RETENTION_DAYS,
                };
                done(self.world.ledger.record_event(record, at(60)).await.unwrap() == Recorded::New)
            }
            Write::Raised(raised, notifies_nobody) => {
                let Raised { event, plan, .. } = self.raised(raised);
                let none = taken_back(event, &Skip::from(Reason::Cancelled));
                let plan = if notifies_nobody { &none } else { plan };
                let received_at = event.occurred_at;
                let record =
                    EventRecord { trace: None, site: &site, event, received_at, plan, retention_days: RETENTION_DAYS };
                done(self.world.ledger.record_event(record, at(60)).await.unwrap() == Recorded::New)
            }
            Write::LatestEvent(no) => {
                let saved = &self.setup.events[no];
                let activity_status = (saved.version, saved.activity_status);
                let latest =
                    self.world.contacts.put_activity(&key, &saved.event, activity_status, at(0)).await.unwrap();
                latest.map_or(Outcome::Done, |latest| Outcome::Newer(self.event_of(&latest)))
            }
            Write::Keep(no) => {
                let saved = &self.setup.events[no];
                let (event, due_at) = (saved.event.id.clone(), self.setup.dues[saved.kept.as_ref().unwrap().1]);
                let item = ReminderItem { site, event, activity: activity(), reminder: reminder(), due_at };
                self.world.schedule.put_reminder(&item, saved.version).await.unwrap();
                Outcome::Done
            }
            Write::Claim(raised) => self.claim(raised).await,
            Write::Remove(item) => done(self.world.schedule.remove(&self.found[&item]).await.unwrap()),
        }
    }

    fn event_of(&self, latest: &LatestActivity) -> usize {
        self.setup.events.iter().position(|saved| saved.event.id == latest.event).unwrap()
    }

    fn job(&self, raised: RaisedNo) -> MessageJob {
        let Raised { event, plan, .. } = self.raised(raised);
        MessageJob::first(&site(), &event.id, &plan.messages[0])
    }

    fn record<'a>(&'a self, job: &'a MessageJob, raised: RaisedNo) -> MessageRecord<'a> {
        MessageRecord { job, event: &self.raised(raised).event, retention_days: RETENTION_DAYS }
    }

    fn id(&self, raised: RaisedNo) -> MessageId {
        self.record(&self.job(raised), raised).id()
    }

    /// Claims a message. A rejected claim is recorded as skipped, as in `send-message`.
    async fn claim(&mut self, raised: RaisedNo) -> Outcome {
        self.claims += 1;
        let (site, contact, phone, owner) = (site(), contact(), phone(), self.claims.to_string());
        let job = self.job(raised);
        let record = self.record(&job, raised);
        let person = secret().person_key(&site, &job.recipient);
        let template = ("stato", "it");
        let sending = Sending { account: "main", template, phone: phone.as_e164(), contact: &contact, text: "Ciao." };
        let claim = Claim {
            message: &record,
            owner: &owner,
            sending,
            person: &person,
            marketing: false,
            probe: false,
            guards: &self.raised(raised).guards,
            remember_for: days(730),
            files: None,
            collection: None,
        };
        let (outcome, reason) =
            match self.world.claims.claim(claim, at(60 + 10 * i64::from(self.claims)), &|| true).await.unwrap() {
                Claimed::Ours => return Outcome::Done,
                Claimed::Theirs(_) => return Outcome::Theirs,
                Claimed::ActivityChanged(_) => (Outcome::ActivityChanged, Reason::Cancelled),
                Claimed::AlreadyNotified(_) => (Outcome::AlreadyNotified, Reason::AlreadyNotified),
                other => panic!("{other:?}"),
            };
        self.world.ledger.skip(&record, &Skip::from(reason), None, at(60)).await.unwrap();
        outcome
    }

    /// Asserts that the tables equal those of the model.
    async fn compare(&self, state: &State, trace: &str) {
        let key = activity_key(&site(), &activity());
        let mut latest = self.world.contacts.activities(std::slice::from_ref(&key)).await.unwrap();
        let latest = latest.remove(&key).map(|latest| self.event_of(&latest.unwrap()));
        assert_eq!(latest, state.latest, "{trace}");
        let item = self.due().await.map(|item| match item.what {
            Due::Reminder(reminder) => (reminder.event, reminder.due_at),
            other => panic!("{other:?}"),
        });
        let expected = state.item.map(|(event, due)| (self.setup.events[event].event.id.clone(), self.setup.dues[due]));
        assert_eq!(item, expected, "{trace}");
        for (raised, notifies_nobody) in &state.raised {
            let plan = self.world.ledger.plan(&site(), &self.raised(*raised).event.id).await.unwrap().unwrap();
            assert_eq!(plan.messages.is_empty(), *notifies_nobody, "{trace}");
            let facts = self.world.ledger.message(&self.id(*raised)).await.unwrap();
            assert_eq!(facts.is_some(), state.decided.contains(raised), "{trace}");
        }
        for (dedup_key, by) in &state.dedup_keys {
            let message = self.world.of_contacts(dedup_key, "message").await;
            assert_eq!(message, Some(self.id(*by).to_string()), "{trace}");
        }
    }
}
