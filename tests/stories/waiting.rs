//! Messages that are not sent at once: nothing is lost, nothing is sent twice, and the oldest is sent first.

use domain::mapping::UsefulFor;
use domain::message::reason::Reason;
use domain::message::state::{State, WaitReason};
use jiff::SignedDuration;
use kit::{DEAD_ARN, World, message_sent, order_status_changed};
use serde_json::{Value, json};
use store::ledger::DeadQueue;

pub(crate) const MINUTE: SignedDuration = SignedDuration::from_mins(1);
pub(crate) const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// An order with its own customer.
pub(crate) fn order(number: usize) -> Value {
    let id = format!("e-{number}");
    let mut event = order_status_changed(&id);
    event["data"]["order"]["id"] = json!(id);
    event["data"]["customer"]["id"] = json!(format!("C{number}"));
    event["data"]["customer"]["phone"] = json!(format!("+39340{:07}", 1_000_000 + number));
    event
}

pub(crate) async fn state(world: &World, number: usize) -> State {
    world.state(&format!("e-{number}"), "stato-ordine", &format!("C{number}")).await.unwrap()
}

pub(crate) fn waits_for(state: &State) -> Option<WaitReason> {
    match state {
        State::Waiting(waiting) => Some(waiting.why),
        _ => None,
    }
}

pub(crate) async fn fault(world: &World, count: u32, status: u16, code: u32) {
    let effect = json!({"error": {"status": status, "code": code}});
    world.fault(&json!({"count": count, "effect": effect})).await.unwrap();
}

#[tokio::test]
async fn a_send_certainly_not_accepted_is_retried_after_a_pause() {
    let world = World::start().await.unwrap();
    fault(&world, 2, 400, 131_016).await;
    world.accept(&order(1)).await.unwrap();
    world.deliver().await.unwrap();
    assert_eq!(waits_for(&state(&world, 1).await), Some(WaitReason::Retry));
    assert_eq!(world.requests().await.unwrap().len(), 1, "nobody tries again before the pause is over");
    world.pass(MINUTE).await.unwrap();
    let facts = world.facts("e-1", "stato-ordine", "C1").await.unwrap();
    assert_eq!((facts.state(), facts.claim.unwrap().attempt), (State::Sent, 3));
    assert_eq!(world.phone().await.unwrap().len(), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_code_with_limited_tries_fails_after_them() {
    let world = World::start().await.unwrap();
    fault(&world, 100, 400, 1).await;
    world.accept(&order(1)).await.unwrap();
    world.pass(HOUR).await.unwrap();
    assert_eq!(state(&world, 1).await, State::Failed("1".to_owned()));
    assert_eq!(world.requests().await.unwrap().len(), 4);
    world.reset_simulator().await.unwrap();
    // An unlisted code is not retried at all.
    fault(&world, 100, 400, 999_999).await;
    world.accept(&order(2)).await.unwrap();
    world.pass(HOUR).await.unwrap();
    assert_eq!(state(&world, 2).await, State::Failed("999999".to_owned()));
    assert_eq!(world.requests().await.unwrap().len(), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_record_delivered_again_while_its_message_waits_changes_nothing() {
    let world = World::start().await.unwrap();
    fault(&world, 1, 400, 131_016).await;
    world.accept(&order(1)).await.unwrap();
    let batch = world.take().await.unwrap();
    world.handle(&batch).await;
    world.handle(&batch).await;
    assert_eq!(waits_for(&state(&world, 1).await), Some(WaitReason::Retry));
    assert_eq!(world.requests().await.unwrap().len(), 1);
    world.delete(batch.first().unwrap()).await.unwrap();
    world.pass(MINUTE).await.unwrap();
    assert_eq!(world.phone().await.unwrap().len(), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_account_that_cannot_send_is_stopped_probed_and_started_again() {
    let world = World::start().await.unwrap();
    fault(&world, 1_000, 401, 190).await;
    world.accept(&order(0)).await.unwrap();
    world.deliver().await.unwrap();
    for number in 1..30 {
        world.accept(&order(number)).await.unwrap();
        world.deliver().await.unwrap();
    }
    assert_eq!(world.requests().await.unwrap().len(), 1, "the others were parked without a call");
    for number in 0..30 {
        assert_eq!(waits_for(&state(&world, number).await), Some(WaitReason::AccountStopped), "{number}");
    }
    world.pass(HOUR).await.unwrap();
    let probes = world.requests().await.unwrap().len() - 1;
    assert!((4..=12).contains(&probes), "{probes} probes in an hour");
    world.reset_simulator().await.unwrap();
    world.pass(MINUTE * 20).await.unwrap();
    assert_eq!(world.phone().await.unwrap().len(), 30);
    for number in 0..30 {
        assert_eq!(state(&world, number).await, State::Sent, "{number}");
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn after_a_six_hour_outage_useful_messages_go_oldest_first_and_the_rest_expire() {
    let world = World::start().await.unwrap();
    world
        .configure("stato-ordine", |_, mapping| mapping.useful_for = Some(UsefulFor::parse("4h").unwrap()))
        .await
        .unwrap();
    fault(&world, 1_000_000, 400, 131_016).await;
    let beginning = world.clock.now();
    // Every two minutes a few orders, in mixed order.
    let mut number = 0;
    for _ in 0..180 {
        for place in [2, 0, 1] {
            let mut event = order(number + place);
            event["occurred_at"] =
                json!((world.clock.now() - SignedDuration::from_secs(i64::try_from(3 - place).unwrap())).to_string());
            world.accept(&event).await.unwrap();
        }
        number += 3;
        world.pass(MINUTE * 2).await.unwrap();
    }
    assert!(world.phone().await.unwrap().is_empty());
    let tried = world.requests().await.unwrap().len();
    assert!(tried < 100, "{tried} calls of {number} messages: an outage spends no attempts");
    world.reset_simulator().await.unwrap();
    world.pass(MINUTE * 30).await.unwrap();
    let end = world.clock.now();
    let phone = world.phone().await.unwrap();
    let sent: Vec<usize> = phone
        .iter()
        .map(|message| {
            message["to"].as_str().unwrap().trim_start_matches("+39340").parse::<usize>().unwrap() - 1_000_000
        })
        .collect();
    // SQS keeps no order within the one-second resolution of its delays, and 64 messages a second may be sent.
    let mut youngest = 0;
    for number in &sent {
        assert!(number + 64 > youngest, "{number} after {youngest}: {sent:?}");
        youngest = youngest.max(*number);
    }
    let mut expired = 0;
    for number in 0..number {
        match state(&world, number).await {
            State::Sent => assert!(sent.contains(&number)),
            State::Skipped(skip) => {
                assert_eq!(skip.reason, Reason::Expired);
                expired += 1;
            }
            other => panic!("{number}: {other:?}"),
        }
    }
    assert_eq!(sent.len() + expired, number);
    assert!(expired >= 3 * 60, "two hours of orders are too old: {expired}");
    let letters = world.ledger.dead_letters(Some(&world.site().unwrap()), end).await.unwrap();
    assert!(letters.is_empty() && end > beginning, "{letters:?}");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_paused_site_keeps_everything_waiting() {
    let world = World::start().await.unwrap();
    world.configure("stato-ordine", |site, _| site.paused = true).await.unwrap();
    for number in 0..3 {
        world.accept(&order(number)).await.unwrap();
    }
    world.pass(HOUR).await.unwrap();
    assert_eq!(waits_for(&state(&world, 0).await), Some(WaitReason::SitePaused));
    assert!(world.requests().await.unwrap().is_empty());
    world.configure("stato-ordine", |site, _| site.paused = false).await.unwrap();
    world.pass(MINUTE * 2).await.unwrap();
    assert_eq!(world.phone().await.unwrap().len(), 3);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_template_refused_by_meta_is_held_and_others_continue() {
    let world = World::start().await.unwrap();
    let effect = json!({"error": {"status": 400, "code": 132_015}});
    world.fault(&json!({"match": {"template": "conferma_ordine"}, "effect": effect})).await.unwrap();
    for number in 0..3 {
        world.accept(&order(number)).await.unwrap();
        world.deliver().await.unwrap();
    }
    for number in 0..3 {
        assert_eq!(waits_for(&state(&world, number).await), Some(WaitReason::TemplateHeld), "{number}");
    }
    assert_eq!(world.requests().await.unwrap().len(), 1, "the others were not even tried");
    let readers = json!([{"id": "A", "first_name": "Anna", "phone": "3331234567"}]);
    world.accept(&message_sent("m-1", &readers)).await.unwrap();
    world.deliver().await.unwrap();
    assert_eq!(world.state("m-1", "nuovo-messaggio", "A").await.unwrap(), State::Sent);
    world.pass(MINUTE * 70).await.unwrap();
    for number in 0..3 {
        assert_eq!(state(&world, number).await, State::Sent, "{number}");
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_message_that_would_wait_past_its_useful_time_expires_immediately() {
    let world = World::start().await.unwrap();
    world
        .configure("stato-ordine", |_, mapping| mapping.useful_for = Some(UsefulFor::parse("90m").unwrap()))
        .await
        .unwrap();
    fault(&world, 1, 400, 132_015).await;
    // The event happened three quarters of an hour ago. The hold would end after the useful time of 90 minutes.
    world.accept(&order(1)).await.unwrap();
    world.deliver().await.unwrap();
    let State::Skipped(skip) = state(&world, 1).await else { panic!() };
    assert_eq!(skip.reason, Reason::Expired);
    assert!(skip.detail.ends_with("template_held"), "{}", skip.detail);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_record_sqs_gave_up_on_becomes_a_dead_letter_with_its_cause() {
    let world = World::start().await.unwrap();
    world.accept(&order(1)).await.unwrap();
    let batch = world.take().await.unwrap();
    assert!(world.handle_from(&batch, Some(DEAD_ARN)).await.is_empty());
    world.delete(batch.first().unwrap()).await.unwrap();
    assert!(world.phone().await.unwrap().is_empty());
    let letters = world.ledger.dead_letters(Some(&world.site().unwrap()), world.clock.now()).await.unwrap();
    assert_eq!(letters, ["SQS gave up: the record was received too often"]);
    world.finish().await.unwrap();
}

/// Both queues share the dead-letter queue. The reports are redriven into their own queue.
#[tokio::test]
async fn a_report_sqs_gave_up_on_becomes_a_dead_letter_of_its_queue() {
    let world = World::start().await.unwrap();
    let site = world.site().unwrap();
    let stop = json!({"notice": "word.1", "site": site, "phone_number_id": "1", "from": "393401234567",
                      "at": world.clock.now(), "word": "stop"});
    world.enqueue(&stop.to_string()).await.unwrap();
    let batch = world.take().await.unwrap();
    assert!(world.handle_from(&batch, Some(DEAD_ARN)).await.is_empty());
    world.delete(batch.first().unwrap()).await.unwrap();
    let letters = world.ledger.kept_letters(Some(&site), world.clock.now()).await.unwrap();
    let found: Vec<_> = letters.iter().map(|letter| (letter.queue, letter.cause.as_str())).collect();
    assert_eq!(found, [(DeadQueue::Statuses, "SQS gave up: the record was received too often")]);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_message_costs_two_writes_and_two_reads() {
    let world = World::start().await.unwrap();
    // One by one and before counting, because the configuration and the secrets are read once per process.
    world.accept(&order(0)).await.unwrap();
    world.deliver().await.unwrap();
    for number in 1..=10 {
        // A new order would also close its customer's cart, which adds one write to the event.
        let mut event = order(number);
        event["data"]["order"]["status"] = json!("EVASO");
        world.accept(&event).await.unwrap();
    }
    let _before = world.wire.take_calls();
    assert_eq!(world.deliver().await.unwrap(), 10);
    let calls = world.wire.take_calls();
    let expected = [("GetItem", 20), ("PutItem", 10), ("TransactWriteItems", 10), ("UpdateItem", 10)];
    // One lease for the batch, and one count. A lease may be repeated, because a slot may pass in the meantime.
    let leases = calls["UpdateItem"] - 10;
    assert!((2..=3).contains(&leases), "{calls:?}");
    for (operation, count) in expected {
        let counted = calls[operation] - if operation == "UpdateItem" { leases } else { 0 };
        assert_eq!(counted, count, "{calls:?}");
    }
    assert_eq!(calls.len(), expected.len(), "{calls:?}");
    assert_eq!(world.phone().await.unwrap().len(), 11);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_message_reported_as_sent_is_not_retried() {
    let world = World::start().await.unwrap();
    fault(&world, 1, 400, 131_016).await;
    world.accept(&order(1)).await.unwrap();
    world.deliver().await.unwrap();
    let event = domain::primitives::id::EventId::parse("e-1").unwrap();
    let event = world.ledger.event(&world.site().unwrap(), &event).await.unwrap().unwrap();
    let id = event.messages.first().unwrap().id.to_string();
    let report = World::status("wamid.gateway", Some(&id), "sent", world.clock.now());
    assert_eq!(world.report(&report).await.unwrap().status, 200);
    world.deliver_reports().await.unwrap();
    world.pass(MINUTE * 5).await.unwrap();
    assert_eq!(state(&world, 1).await, State::Sent);
    assert_eq!(world.requests().await.unwrap().len(), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_mapping_that_sends_far_more_than_usual_pauses_itself_until_it_is_confirmed() {
    let world = World::start().await.unwrap();
    let (site, mapping) = (world.site().unwrap(), domain::primitives::id::MappingId::parse("stato-ordine").unwrap());
    let yesterday = world.clock.now() - HOUR * 24;
    world.contacts.count_sent(&site, &mapping, 20, yesterday).await.unwrap();
    world.contacts.count_sent(&site, &mapping, 1_000, world.clock.now()).await.unwrap();
    world.accept(&order(1)).await.unwrap();
    world.deliver().await.unwrap();
    assert_eq!(state(&world, 1).await, State::Sent, "the one that is too many has left already");
    world.accept(&order(2)).await.unwrap();
    world.deliver().await.unwrap();
    let State::Waiting(waiting) = state(&world, 2).await else { panic!() };
    assert_eq!((waiting.why, waiting.detail.as_str()), (WaitReason::Volume, "1001 today, at most 20 on the last days"));
    world.pass(MINUTE * 40).await.unwrap();
    assert_eq!(world.phone().await.unwrap().len(), 1);
    world.configure("stato-ordine", |_, _| ()).await.unwrap();
    world.pass(MINUTE * 20).await.unwrap();
    assert_eq!(state(&world, 2).await, State::Sent);
    world.finish().await.unwrap();
}
