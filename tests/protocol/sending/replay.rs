//! Replays random traces of the model against the store. Compares the outcome of each write and the final tables.

use std::collections::BTreeMap;

use domain::decision::plan::{Plan, plan};
use domain::message::reason::Skip;
use domain::message::state::{Answer, Claim as OfOwner, Facts, Failure, StatusFact, WaitReason, Waiting};
use domain::message::suppression::{Scope, Source, Suppression};
use domain::primitives::key::MessageId;
use domain::queue::job::{LastError, MessageJob};
use jiff::Timestamp;
use stateright::Model;
use store::ledger::{Claim, Claimed, EventRecord, MessageRecord, OpenMessage, Parked, Recorded, SHARDS, Sending};
use store::schedule::{DueItem, Place};

use super::action::Action;
use super::protocol::Log;
use super::setup::{Bounds, CODES, Mutation, Send, Setup};
use super::state::State;
use super::table::{Kept, Outcome, Owner, Record, SendId, Write};
use crate::bounds::more;
use crate::fixtures::{at, contact, days, live, phone, secret, site};
use crate::random::Random;
use crate::world::World;

/// The number of traces of each setup.
const TRACES: u64 = 40;
/// The maximum number of steps in a trace.
const STEPS: usize = 120;
const RETENTION_DAYS: u16 = 90;

#[tokio::test]
async fn traces_of_one_message_end_the_same_in_the_store() {
    let bounds = trouble();
    replay(&Setup::one(bounds), 1).await;
}

#[tokio::test]
async fn traces_of_a_state_reported_by_two_events_end_the_same_in_the_store() {
    replay(&Setup::repeated(trouble()), 2).await;
}

#[tokio::test]
async fn traces_of_two_states_end_the_same_in_the_store() {
    replay(&Setup::overtaken(trouble()), 3).await;
}

/// A trace fails if the model differs from the store.
#[tokio::test]
#[should_panic(expected = "trace")]
async fn a_model_that_differs_from_the_store_is_found() {
    replay(&Setup::repeated(trouble()).with(Mutation::ClaimWithoutDedupKey), 2).await;
}

/// Larger bounds than an exhaustive check can cover.
fn trouble() -> Bounds {
    Bounds {
        executions: 3,
        crashes: 3,
        uncalled: 2,
        doubles: 3,
        lost: 4,
        refused: 2,
        not_accepted: 4,
        reports: 2,
        stops: 1,
        resends: 1,
        sweeps: 3,
        looks: 3,
    }
}

async fn replay(setup: &Setup, seed: u64) {
    let mut random = Random(seed);
    for trace in 0..TRACES * u64::from(1 + more()) {
        let mut replay = Replay { setup, world: World::start().await, seen: BTreeMap::new(), fired: BTreeMap::new() };
        let (mut state, mut steps) = (State::new(setup), Vec::new());
        for _ in 0..STEPS {
            let mut actions = Vec::new();
            setup.actions(&state, &mut actions);
            // Traces in which everything is too late or suppressed from the start test little, so make these actions
            // rare.
            actions.retain(|action| !matches!(action, Action::Late | Action::Stop) || random.below(8) == 0);
            if actions.is_empty() {
                break;
            }
            let action = actions[random.below(actions.len())];
            steps.push(action);
            let mut log = Log::new();
            replay.look(&state, action).await;
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
    /// The messages that the sweep saw in the index, by their owner.
    seen: BTreeMap<Owner, OpenMessage>,
    /// The items that the sweep found due.
    fired: BTreeMap<Record, DueItem>,
}

impl Replay<'_> {
    fn spec(&self, send: SendId) -> &Send {
        &self.setup.sends[send]
    }

    fn id(&self, send: SendId) -> MessageId {
        self.record(&self.job_at(send, 0), send).id()
    }

    /// The job of a send, as its record with this attempt has it.
    fn job_at(&self, send: SendId, attempt: u8) -> MessageJob {
        let Send { event, planned, repeats, .. } = self.spec(send);
        let send_number = if repeats.is_some() { 2 } else { 1 };
        MessageJob { send_number, attempt: attempt.into(), ..MessageJob::first(&site(), &event.id, planned) }
    }

    fn record<'a>(&'a self, job: &'a MessageJob, send: SendId) -> MessageRecord<'a> {
        MessageRecord { job, event: &self.spec(send).event, retention_days: RETENTION_DAYS }
    }

    fn job(&self, record: Record) -> MessageJob {
        let (code, times) = record.met;
        MessageJob {
            resend_requested_at: self.spec(record.send).repeats.map(|_| at(60)),
            last_error: (times > 0).then(|| LastError {
                code: CODES[usize::from(code)].to_owned(),
                times: times.into(),
                unexplained: None,
            }),
            uncalled: record.proof.map(|owner| owner.to_string()),
            ..self.job_at(record.send, record.attempt)
        }
    }

    /// Does the reads of the sweep before its writes.
    async fn look(&mut self, state: &State, action: Action) {
        match action {
            Action::Sweep(send) => {
                let (id, owner) = (self.id(send).to_string(), state.tables.items[send].owner.unwrap());
                for shard in SHARDS {
                    let open = self.world.ledger.open_since(shard, at(0) + days(1)).await.unwrap();
                    self.seen.extend(open.into_iter().filter(|open| open.to_string() == id).map(|open| (owner, open)));
                }
                assert!(self.seen.contains_key(&owner), "the index does not show {id}");
            }
            Action::Fire(send) => {
                let item = self.world.schedule.message(&self.id(send)).await.unwrap().unwrap();
                self.fired.insert(state.tables.schedule[send].unwrap(), item);
            }
            _ => {}
        }
    }

    async fn write(&mut self, write: Write) -> Outcome {
        let (site, ledger) = (site(), &self.world.ledger);
        let done = |held: bool| if held { Outcome::Done } else { Outcome::Refused };
        match write {
            Write::Event(send) => {
                let (event, plan) = (&self.spec(send).event, self.plan(send));
                let received_at = event.occurred_at;
                let record = EventRecord {
                    trace: None,
                    site: &site,
                    event,
                    received_at,
                    plan: &plan,
                    retention_days: RETENTION_DAYS,
                };
                match ledger.record_event(record, at(60)).await.unwrap() {
                    Recorded::New => Outcome::Done,
                    Recorded::Existing(known) if known == plan => Outcome::Refused,
                    other => panic!("{other:?}"),
                }
            }
            Write::Claim { send, owner, attempt } => self.claim(send, owner, attempt).await,
            Write::Settle { send, owner, kept } => {
                let settled = ledger.settle(&site, &self.id(send), &owner.to_string(), &answer(owner, kept)).await;
                done(settled.is_ok())
            }
            Write::GiveBack { send, owner } => {
                let (guards, id) = (&self.spec(send).guards, self.id(send));
                self.world.claims.give_back(guards, &id, &owner.to_string()).await.unwrap();
                Outcome::Done
            }
            Write::Release { send, owner } => {
                let job = self.job_at(send, 0);
                let record = self.record(&job, send);
                let guards = &self.spec(send).guards;
                let owner = owner.to_string();
                done(self.world.claims.release(&record, guards, &owner, at(60)).await.unwrap())
            }
            Write::TakeAway(send) => {
                if let Some(dedup_key) = &self.spec(send).guards.dedup_key {
                    self.world.claims.take_away(dedup_key, &self.id(send).to_string()).await.unwrap();
                }
                Outcome::Done
            }
            Write::Wait { send, attempt } => {
                done(ledger.wait(&self.record(&self.job_at(send, attempt), send), &waiting(), at(60)).await.unwrap())
            }
            Write::Park(record) => {
                let before = self.job_at(record.send, record.attempt - 1);
                let message = self.record(&before, record.send);
                let (waiting, place, job) = (waiting(), Place::Until(at(120)), self.job(record));
                let parked =
                    Parked { message: &message, waiting: &waiting, place: &place, job: &job, useful_until: at(9_000) };
                done(self.world.parking.park(parked, at(60)).await.unwrap())
            }
            Write::Skip { send, attempt, reason } => {
                let skip = Skip::from(reason);
                let decided =
                    ledger.skip(&self.record(&self.job_at(send, attempt), send), &skip, None, at(60)).await.unwrap();
                done(decided.is_none())
            }
            Write::Open { send, owner } => {
                let claim = OfOwner { owner: owner.to_string(), at: claimed_at(owner), attempt: 1 };
                done(ledger.open(&self.id(send), &claim).await.unwrap())
            }
            Write::GiveUp { owner, .. } => {
                done(ledger.give_up(&self.seen[&owner], "its sender stopped", at(60)).await.unwrap())
            }
            Write::Remove(record) => done(self.world.schedule.remove(&self.fired[&record]).await.unwrap()),
            Write::Report(send, status) => {
                let fact = StatusFact { at: at(90), code: None, details: None, category: None };
                let reported = ledger.record_status(&site, &self.id(send), "wamid", (status, &fact)).await.unwrap();
                done(reported.is_some())
            }
            Write::Suppress => {
                let (scope, source) = (Scope::All, Source::Stop);
                let suppression = Suppression { scope, source, since: at(30), reason: String::new() };
                self.world.contacts.suppress(&site, &contact(), &suppression).await.unwrap();
                Outcome::Done
            }
        }
    }

    fn plan(&self, send: SendId) -> Plan {
        plan(&self.spec(send).event, &live("order.status_changed"))
    }

    async fn claim(&self, send: SendId, owner: Owner, attempt: u8) -> Outcome {
        let (site, contact, phone) = (site(), contact(), phone());
        let (name, person) = (owner.to_string(), secret().person_key(&site, &self.spec(send).planned.recipient));
        let sending = Sending {
            account: "main",
            template: ("stato", "it"),
            phone: phone.as_e164(),
            contact: &contact,
            text: "Ciao.",
        };
        let job = self.job_at(send, attempt);
        let claim = Claim {
            message: &self.record(&job, send),
            owner: &name,
            sending,
            person: &person,
            marketing: false,
            probe: false,
            guards: &self.spec(send).guards,
            remember_for: days(730),
            files: None,
            collection: None,
        };
        match self.world.claims.claim(claim, claimed_at(owner), &|| true).await.unwrap() {
            Claimed::Ours => Outcome::Ours,
            Claimed::Theirs(_) => Outcome::Theirs,
            Claimed::Forbidden(_) => Outcome::Suppressed,
            Claimed::Superseded(_) => Outcome::Superseded,
            Claimed::AlreadyNotified(_) => Outcome::AlreadyNotified,
            other => panic!("{other:?}"),
        }
    }

    /// Asserts that the tables equal those of the model.
    async fn compare(&self, state: &State, trace: &str) {
        let tables = &state.tables;
        for (send, item) in tables.items.iter().enumerate() {
            let id = self.id(send);
            let facts = self.world.ledger.message(&id).await.unwrap();
            assert_eq!(shown(&facts.unwrap_or_default()), shown(&item.facts()), "{trace}");
            assert_eq!(item.is_known(), self.world.ledger.message(&id).await.unwrap().is_some(), "{trace}");
            let waits = self.world.schedule.message(&id).await.unwrap();
            let job = waits.map(|item| match item.what {
                store::schedule::Due::Message { job, .. } => job,
                other => panic!("{other:?}"),
            });
            assert_eq!(job, tables.schedule[send].map(|record| self.job(record)), "{trace}");
            if let Some(dedup_key) = &self.spec(send).guards.dedup_key {
                let notified = tables.dedup_keys[self.spec(send).dedup_key_of];
                let by = self.world.of_contacts(dedup_key, "message").await;
                assert_eq!(by, notified.map(|(by, _)| self.id(by).to_string()), "{trace}");
                let owner = self.world.of_contacts(dedup_key, "owner").await;
                assert_eq!(owner, notified.map(|(_, owner)| owner.to_string()), "{trace}");
            }
            if let Some(latest) = &self.spec(send).guards.latest {
                let by = self.world.of_contacts(latest, "message").await;
                assert_eq!(by, tables.latest.map(|latest| self.id(latest.by.0).to_string()), "{trace}");
                let owner = self.world.of_contacts(latest, "owner").await;
                assert_eq!(owner, tables.latest.map(|latest| latest.by.1.to_string()), "{trace}");
            }
        }
    }
}

/// Returns the claim time of an owner. It is fixed per owner, so that a repeated claim is identical.
fn claimed_at(owner: Owner) -> Timestamp {
    at(60 + 10 * i64::from(owner))
}

fn waiting() -> Waiting {
    Waiting { until: at(120), why: WaitReason::Retry, detail: String::new() }
}

fn answer(owner: Owner, kept: Kept) -> Answer {
    let at = claimed_at(owner);
    let failure = Failure { code: "131026".to_owned(), details: String::new(), trace_id: None };
    match kept {
        Kept::Accepted => Answer::Accepted { at, provider_id: "wamid".to_owned(), note: None },
        Kept::Refused => Answer::Refused { at, failure },
        Kept::NotAccepted => Answer::NotAccepted { at, failure },
        Kept::Unknown => Answer::Unknown { at, cause: String::new(), details: None },
    }
}

/// Formats the compared part of the facts, without times.
fn shown(facts: &Facts) -> String {
    let answer = facts.answer.as_ref().map(std::mem::discriminant);
    let owner = facts.claim.as_ref().map(|claim| &claim.owner);
    let reason = facts.skipped.as_ref().map(|skip| skip.reason);
    let statuses: Vec<_> = facts.statuses.keys().collect();
    format!("{}, {owner:?}, {answer:?}, {reason:?}, {statuses:?}, waits {}", facts.state(), facts.waiting.is_some())
}
