//! Claims, and the effects of an answer, when calls to the tables meet faults.

use domain::message::reason::Reason;
use domain::message::state::State;
use domain::message::suppression::{Scope, Source, Suppression};
use domain::primitives::id::EventId;
use domain::primitives::key::event_key;
use jiff::SignedDuration;
use kit::{DEAD_ARN, Planned, Trouble, World, order_status_changed};
use serde_json::{Value, json};
use store::schedule::Lane;

use crate::waiting::{MINUTE, fault};

const MAPPING: &str = "stato-ordine";
const TRANSACTION: &str = "TransactWriteItems";
/// A string that only the transaction of a claim contains.
const CLAIM: &str = "claimed_at = :now";
const NO_TIME: SignedDuration = SignedDuration::ZERO;
/// The maximum duration of a call to a table.
const A_CALL: SignedDuration = SignedDuration::from_secs(8);

async fn raise(world: &World, event: &Value) {
    world.accept(event).await.unwrap();
    world.deliver().await.unwrap();
}

async fn state(world: &World, id: &str) -> State {
    world.state(id, MAPPING, "C7").await.unwrap()
}

/// The same status of the same order, in another event.
fn again(world: &World, id: &str) -> Value {
    let mut event = order_status_changed(id);
    event["occurred_at"] = json!(world.clock.now().to_string());
    event
}

fn by_operator(world: &World) -> Suppression {
    let (scope, source, since) = (Scope::All, Source::Operator, world.clock.now());
    Suppression { scope, source, since, reason: "asked on the phone".to_owned() }
}

/// Loses every response to a claim until the function has no time left.
async fn lose_a_claim(world: &World, event: &Value) {
    lose_answers(world, event, CLAIM).await;
}

/// Delivers the message's record once more, as SQS may. It finds the message `sending` and lists it for the sweep.
async fn deliver_again(world: &World) {
    let job = json!({"job": "message.1", "site": world.site().unwrap(), "event": "e-1", "mapping": MAPPING,
                     "recipient": "C7"});
    world.enqueue(&job.to_string()).await.unwrap();
    world.deliver().await.unwrap();
    assert_eq!(state(world, "e-1").await, State::Sending);
}

async fn lose_answers(world: &World, event: &Value, containing: &'static str) {
    world.wire.plan(Planned {
        operation: TRANSACTION,
        containing,
        trouble: Trouble::Cut,
        after: 0,
        times: 1_000,
        takes: A_CALL,
    });
    raise(world, event).await;
    assert!(world.wire.still_planned() < 1_000);
    world.wire.plan_nothing();
}

#[tokio::test]
async fn a_claim_with_a_lost_answer_is_retried() {
    for trouble in [Trouble::Cut, Trouble::ServerError] {
        let world = World::start().await.unwrap();
        world.wire.plan(Planned {
            operation: TRANSACTION,
            containing: CLAIM,
            trouble,
            after: 0,
            times: 4,
            takes: NO_TIME,
        });
        raise(&world, &order_status_changed("e-1")).await;
        assert_eq!(world.wire.still_planned(), 0);
        assert_eq!(state(&world, "e-1").await, State::Sent, "{trouble:?}");
        assert_eq!(world.requests().await.unwrap().len(), 1, "{trouble:?}");
        world.finish().await.unwrap();
    }
}

#[tokio::test]
async fn a_message_proven_never_called_does_not_stay_unknown() {
    let world = World::start().await.unwrap();
    lose_a_claim(&world, &order_status_changed("e-1")).await;
    assert!(world.requests().await.unwrap().is_empty());
    // The record that proves it is delivered only after the sweep has marked the message as `unknown`.
    let records = world.hold_back(SignedDuration::from_mins(10)).await.unwrap();
    assert_eq!(records, 1);
    deliver_again(&world).await;
    world.pass(MINUTE * 9).await.unwrap();
    assert_eq!(state(&world, "e-1").await, State::Unknown);
    world.pass(MINUTE * 9).await.unwrap();
    assert_eq!(state(&world, "e-1").await, State::Sent);
    assert_eq!(world.requests().await.unwrap().len(), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_operators_decision_on_an_uncalled_message_is_kept() {
    let world = World::start().await.unwrap();
    lose_a_claim(&world, &order_status_changed("e-1")).await;
    world.hold_back(SignedDuration::from_mins(10)).await.unwrap();
    deliver_again(&world).await;
    world.pass(MINUTE * 9).await.unwrap();
    let [message] = world.messages_of("e-1").await.unwrap().try_into().unwrap();
    let resolved =
        domain::message::state::Resolved { at: world.clock.now(), arrived: true, note: "asked her".to_owned() };
    assert!(world.ledger.resolve(&message, &resolved).await.unwrap());
    world.pass(MINUTE * 9).await.unwrap();
    assert_eq!(state(&world, "e-1").await, State::Sent);
    assert!(world.requests().await.unwrap().is_empty());
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_uncalled_messages_claim_gives_back_its_latest_event_and_dedup_key() {
    let world = World::start().await.unwrap();
    let (site, contact) = (world.site().unwrap(), world.contact("340 1234567").await.unwrap());
    let mut before = order_status_changed("e-0");
    before["data"]["order"]["status"] = json!("NUOVO");
    before["data"]["order"]["version"] = json!(2);
    raise(&world, &before).await;
    let event = order_status_changed("e-1");
    let guards = world.guards(&event, MAPPING, "C7").await.unwrap();
    let (latest, dedup_key) = (guards.latest.unwrap(), guards.dedup_key.unwrap());
    let newest = async || {
        let mut item = world.contact_item(&latest).await.unwrap().unwrap();
        item.retain(|name, _| !name.starts_with("before_"));
        item
    };
    let notified_before = newest().await;
    world.clock.advance(MINUTE);

    lose_a_claim(&world, &event).await;
    assert_ne!(newest().await, notified_before);
    assert!(world.contact_item(&dedup_key).await.unwrap().is_some());
    world.contacts.suppress(&site, &contact, &by_operator(&world)).await.unwrap();
    world.pass(MINUTE * 10).await.unwrap();
    assert!(matches!(state(&world, "e-1").await, State::Skipped(skip) if skip.reason == Reason::Suppressed));
    assert_eq!(newest().await, notified_before);
    assert_eq!(world.contact_item(&dedup_key).await.unwrap(), None);
    assert_eq!(world.requests().await.unwrap().len(), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn the_slot_of_a_message_never_called_is_given_back() {
    let world = World::start().await.unwrap();
    let (site, contact) = (world.site().unwrap(), world.contact("340 1234567").await.unwrap());
    let next_slot = async || world.contact_item(&contact).await.unwrap().unwrap()["next_slot"].parse::<i64>().unwrap();
    let other_order = |number: usize| {
        let mut event = order_status_changed(&format!("o-{number}"));
        event["data"]["order"]["id"] = json!(format!("O{number}"));
        event
    };
    for number in 0..15 {
        raise(&world, &other_order(number)).await;
    }
    let before = next_slot().await;
    // The number's next slot is in the future, so the claim advances it by one interval.
    lose_answers(&world, &order_status_changed("e-1"), "next_slot + :interval").await;
    assert_eq!(next_slot().await, before + 6_000);
    world.contacts.suppress(&site, &contact, &by_operator(&world)).await.unwrap();
    world.pass(SignedDuration::from_secs(10)).await.unwrap();
    assert!(matches!(state(&world, "e-1").await, State::Skipped(skip) if skip.reason == Reason::Suppressed));
    assert_eq!(next_slot().await, before);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_record_never_takes_back_the_claim_of_another_owner() {
    let world = World::start().await.unwrap();
    lose_a_claim(&world, &order_status_changed("e-1")).await;
    world.hold_back(SignedDuration::from_mins(30)).await.unwrap();
    let job = json!({"job": "message.1", "site": world.site().unwrap(), "event": "e-1", "mapping": MAPPING,
                     "recipient": "C7", "attempt": 1, "uncalled": "another/owner/7"});
    world.enqueue(&job.to_string()).await.unwrap();
    world.deliver().await.unwrap();
    assert_eq!(state(&world, "e-1").await, State::Sending);
    assert!(world.requests().await.unwrap().is_empty());
    world.pass(MINUTE * 40).await.unwrap();
    assert_eq!(state(&world, "e-1").await, State::Sent);
    assert_eq!(world.requests().await.unwrap().len(), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_uncalled_message_that_an_operator_resent_is_not_sent_again() {
    let world = World::start().await.unwrap();
    lose_a_claim(&world, &order_status_changed("e-1")).await;
    world.hold_back(SignedDuration::from_mins(10)).await.unwrap();
    deliver_again(&world).await;
    world.pass(MINUTE * 9).await.unwrap();
    assert_eq!(state(&world, "e-1").await, State::Unknown);
    let job = json!({"job": "message.1", "site": world.site().unwrap(), "event": "e-1", "mapping": MAPPING,
                     "recipient": "C7", "occasion": 2, "asked_at": world.clock.now().to_string()});
    world.enqueue(&job.to_string()).await.unwrap();
    world.deliver().await.unwrap();
    assert_eq!(world.requests().await.unwrap().len(), 1);
    world.pass(MINUTE * 9).await.unwrap();
    assert_eq!(state(&world, "e-1").await, State::Unknown);
    assert_eq!(world.requests().await.unwrap().len(), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn the_consequences_of_a_final_refusal_survive_a_failed_write() {
    for (code, containing) in [(131_050, "marketing_preferences"), (131_026, "unreachable_until")] {
        let world = World::start().await.unwrap();
        fault(&world, 1, 400, code).await;
        let (operation, trouble) = ("UpdateItem", Trouble::Unreachable);
        world.wire.plan(Planned { operation, containing, trouble, after: 0, times: 1, takes: NO_TIME });
        raise(&world, &order_status_changed("e-1")).await;
        assert_eq!(world.wire.still_planned(), 0, "{code}");
        world.pass(MINUTE * 5).await.unwrap();
        assert_eq!(state(&world, "e-1").await, State::Failed(code.to_string()));
        let known = world.contacts.of_contact(&world.contact("340 1234567").await.unwrap()).await.unwrap();
        let happened = known.unreachable_until.is_some() || !known.suppressions.is_empty();
        assert!(happened, "{code}: {known:?}");
        assert_eq!(world.requests().await.unwrap().len(), 1, "{code}");
        world.finish().await.unwrap();
    }
}

#[tokio::test]
async fn a_refused_probe_starts_its_account_although_a_write_failed() {
    let world = World::start().await.unwrap();
    fault(&world, 1, 401, 190).await;
    fault(&world, 1, 400, 132_000).await;
    raise(&world, &order_status_changed("e-1")).await;
    let lane = Lane { site: world.site().unwrap(), account: domain::primitives::id::AccountId::parse("main").unwrap() };
    assert!(world.schedule.account_state(&lane).await.unwrap().health.stop.is_some());
    world.wire.plan(Planned {
        operation: "UpdateItem",
        containing: ":was_stopped_since",
        trouble: Trouble::Unreachable,
        after: 0,
        times: 1,
        takes: NO_TIME,
    });
    world.pass(MINUTE * 10).await.unwrap();
    assert_eq!(world.wire.still_planned(), 0);
    assert_eq!(state(&world, "e-1").await, State::Failed("132000".to_owned()));
    assert_eq!(world.schedule.account_state(&lane).await.unwrap().health.stop, None);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_dedup_key_is_given_back_when_its_message_was_refused_for_good() {
    let world = World::start().await.unwrap();
    fault(&world, 1, 400, 132_000).await;
    raise(&world, &order_status_changed("e-1")).await;
    assert_eq!(state(&world, "e-1").await, State::Failed("132000".to_owned()));
    world.clock.advance(MINUTE);
    raise(&world, &again(&world, "e-2")).await;
    assert_eq!(state(&world, "e-2").await, State::Sent);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_stale_dedup_key_is_given_back_when_another_message_meets_it() {
    let world = World::start().await.unwrap();
    fault(&world, 1, 400, 132_000).await;
    // The first delete of the key and its repeat, when the record is delivered again, are never sent.
    let (operation, trouble) = ("DeleteItem", Trouble::Unreachable);
    world.wire.plan(Planned { operation, containing: "TOLD#", trouble, after: 0, times: 3, takes: NO_TIME });
    raise(&world, &order_status_changed("e-1")).await;
    world.wire.plan_nothing();
    assert_eq!(state(&world, "e-1").await, State::Failed("132000".to_owned()));
    world.clock.advance(MINUTE);
    raise(&world, &again(&world, "e-2")).await;
    assert_eq!(state(&world, "e-2").await, State::Sent);
    world.pass(MINUTE * 10).await.unwrap();
    world.clock.advance(MINUTE);
    raise(&world, &again(&world, "e-3")).await;
    assert!(matches!(state(&world, "e-3").await, State::Skipped(skip) if skip.reason == Reason::AlreadyNotified));
    world.finish().await.unwrap();
}

#[tokio::test]
async fn already_notified_reports_the_unknown_outcome_of_the_first_message() {
    let world = World::start().await.unwrap();
    world.fault(&json!({"effect": {"cut_before": true}})).await.unwrap();
    raise(&world, &order_status_changed("e-1")).await;
    assert_eq!(state(&world, "e-1").await, State::Unknown);
    world.clock.advance(MINUTE);
    raise(&world, &again(&world, "e-2")).await;
    let State::Skipped(skip) = state(&world, "e-2").await else { panic!() };
    let [first] = world.messages_of("e-1").await.unwrap().try_into().unwrap();
    assert_eq!((skip.reason, skip.detail), (Reason::AlreadyNotified, format!("{first}, unknown")));
    world.finish().await.unwrap();
}

#[tokio::test]
async fn latest_events_and_dedup_keys_expire_in_two_years_and_renew_after_half() {
    let world = World::start().await.unwrap();
    let two_years = SignedDuration::from_hours(730 * 24);
    let event = order_status_changed("e-1");
    let guards = world.guards(&event, MAPPING, "C7").await.unwrap();
    let keys = [guards.latest.unwrap(), guards.dedup_key.unwrap()];
    let expiries = async || {
        let mut expiries = Vec::new();
        for key in &keys {
            let item = world.contact_item(key).await.unwrap().unwrap();
            expiries.push(item["expires_at"].parse::<i64>().unwrap());
        }
        expiries
    };
    let in_two_years = || vec![(world.clock.now() + two_years).as_second(); 2];
    raise(&world, &event).await;
    let first = in_two_years();
    assert_eq!(expiries().await, first);
    // A synchronisation raises the same status every night, with its own time.
    for (night, hours, is_renewed) in [(1, 24, false), (2, 363 * 24, false), (3, 2 * 24, true), (4, 24, false)] {
        world.clock.advance(SignedDuration::from_hours(hours));
        let before = expiries().await;
        let id = format!("night-{night}");
        raise(&world, &again(&world, &id)).await;
        assert!(matches!(state(&world, &id).await, State::Skipped(skip) if skip.reason == Reason::AlreadyNotified));
        assert_eq!(expiries().await, if is_renewed { in_two_years() } else { before }, "night {night}");
    }
    assert_eq!(world.requests().await.unwrap().len(), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_hundred_claims_on_one_activity_all_pass() {
    let world = World::start().await.unwrap();
    world.wire.let_transactions_conflict();
    let person =
        |number: usize| json!({"id": format!("P{number}"), "phone": format!("+39340{:07}", 1_000_000 + number)});
    let mut event = kit::example(domain::event::EventType::ActivityReminder).unwrap();
    event["id"] = json!("r-1");
    event["data"]["assignees"] = json!((0..100).map(person).collect::<Vec<_>>());
    event["data"]["owner"] = json!(null);
    raise(&world, &event).await;
    let met = world.wire.take_met().get("conflict").copied().unwrap_or_default();
    assert!(met > 50, "only {met} conflicts");
    // No message was put back: no time has passed.
    for number in 0..100 {
        let state = world.state("r-1", "promemoria-attivita", &format!("P{number}")).await.unwrap();
        assert_eq!(state, State::Sent, "{number}");
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_plain_write_that_conflicts_with_a_transaction_is_retried() {
    let world = World::start().await.unwrap();
    fault(&world, 1, 400, 131_050).await;
    let (operation, trouble) = ("UpdateItem", Trouble::Conflict);
    for containing in ["marketing_preferences", ":answered"] {
        world.wire.plan(Planned { operation, containing, trouble, after: 0, times: 5, takes: NO_TIME });
    }
    raise(&world, &order_status_changed("e-1")).await;
    assert_eq!(world.wire.still_planned(), 0);
    let known = world.contacts.of_contact(&world.contact("340 1234567").await.unwrap()).await.unwrap();
    assert_eq!(known.suppressions.len(), 1, "{known:?}");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_claim_without_time_for_the_call_is_taken_back() {
    let world = World::start().await.unwrap();
    // The read after the claim fails late, and the next attempt of the SDK succeeds.
    let (operation, containing, trouble) = ("GetItem", "PERSON#", Trouble::ServerError);
    let takes = SignedDuration::from_secs(45);
    world.wire.plan(Planned { operation, containing, trouble, after: 1, times: 1, takes });
    raise(&world, &order_status_changed("e-1")).await;
    assert_eq!(world.wire.still_planned(), 0);
    assert!(world.requests().await.unwrap().is_empty(), "the provider was called without time to record the answer");
    world.pass(MINUTE * 10).await.unwrap();
    assert_eq!(state(&world, "e-1").await, State::Sent);
    assert_eq!(world.requests().await.unwrap().len(), 1);
    world.finish().await.unwrap();
}

/// The check after the claim finds an opt-out that was recorded since. It fails here, which has the same effect.
#[tokio::test]
async fn an_opt_out_recorded_after_the_claim_and_before_the_call_is_respected() {
    let world = World::start().await.unwrap();
    let (operation, containing, trouble) = ("GetItem", "PERSON#", Trouble::Unreachable);
    world.wire.plan(Planned { operation, containing, trouble, after: 1, times: 1, takes: NO_TIME });
    raise(&world, &order_status_changed("e-1")).await;
    assert_eq!(world.wire.still_planned(), 0);
    assert_eq!(state(&world, "e-1").await, State::Sending);
    let opted_out = json!({
        "id": "c-1", "type": "customer.updated", "occurred_at": world.clock.now().to_string(),
        "data": {"customer": {"id": "C7", "phone": "340 1234567", "whatsapp_opt_out": true}}
    });
    raise(&world, &opted_out).await;
    world.pass(MINUTE * 10).await.unwrap();
    let state = state(&world, "e-1").await;
    assert!(matches!(&state, State::Skipped(skip) if skip.reason == Reason::OptedOut), "{state:?}");
    assert!(world.requests().await.unwrap().is_empty());
    world.finish().await.unwrap();
}

/// The queue keeps the record of an answer that could not be recorded, so that the message does not stay `sending`.
#[tokio::test]
async fn a_message_whose_answer_could_not_be_recorded_becomes_unknown() {
    let world = World::start().await.unwrap();
    let (operation, containing) = ("UpdateItem", "answered = :answered");
    let trouble = Trouble::Unreachable;
    world.wire.plan(Planned { operation, containing, trouble, after: 0, times: 1_000, takes: A_CALL });
    raise(&world, &order_status_changed("e-1")).await;
    world.wire.plan_nothing();
    assert_eq!(state(&world, "e-1").await, State::Sending);
    world.pass(MINUTE * 10).await.unwrap();
    assert_eq!(state(&world, "e-1").await, State::Unknown);
    assert_eq!(world.requests().await.unwrap().len(), 1);
    // The record may still wait for its next try.
    world.pass(MINUTE * 30).await.unwrap();
    world.finish().await.unwrap();
}

/// A record that cannot be processed becomes a dead letter without a further delivery.
#[tokio::test]
async fn a_message_left_sending_by_an_unprocessable_record_becomes_unknown() {
    let world = World::start().await.unwrap();
    let event = order_status_changed("e-1");
    lose_a_claim(&world, &event).await;
    world.hold_back(MINUTE * 60).await.unwrap();
    let key = event_key(&world.site().unwrap(), &EventId::parse("e-1").unwrap());
    let (text, plan) = (event.to_string(), json!({"messages": [], "skips": []}).to_string());
    let received_at = world.clock.now().to_string();
    let item =
        [("pk", key.as_str()), ("sk", "EVENT"), ("event", &text), ("plan", &plan), ("received_at", &received_at)];
    world.put_item("Ledger", &item).await.unwrap();
    deliver_again(&world).await;
    let letters = world.ledger.dead_letters(Some(&world.site().unwrap()), world.clock.now()).await.unwrap();
    assert_eq!(letters.len(), 1, "the message is not in the plan of its event");
    world.pass(MINUTE * 9).await.unwrap();
    assert_eq!(state(&world, "e-1").await, State::Unknown);
    world.pass(MINUTE * 60).await.unwrap();
    world.finish().await.unwrap();
}

/// SQS delivers a dead letter no more, so its message could not leave `sending`.
#[tokio::test]
async fn a_message_left_sending_by_a_dead_letter_becomes_unknown() {
    let world = World::start().await.unwrap();
    lose_a_claim(&world, &order_status_changed("e-1")).await;
    world.hold_back(MINUTE * 60).await.unwrap();
    let job = json!({"job": "message.1", "site": world.site().unwrap(), "event": "e-1", "mapping": MAPPING,
                     "recipient": "C7"});
    world.enqueue(&job.to_string()).await.unwrap();
    let batch = world.take().await.unwrap();
    assert!(world.handle_from(&batch, Some(DEAD_ARN)).await.is_empty());
    world.delete(batch.first().unwrap()).await.unwrap();
    world.pass(MINUTE * 9).await.unwrap();
    assert_eq!(state(&world, "e-1").await, State::Unknown);
    world.pass(MINUTE * 60).await.unwrap();
    world.finish().await.unwrap();
}
