//! Statuses find their message and converge.

use domain::message::state::{State, Status};
use domain::primitives::key::MessageId;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::world::{ANNA, World, contact, secret, site};

/// Cases per property. Each case runs the real handler on the emulators.
pub(crate) const CASES: u8 = 48;

/// A status of an event's message, as the webhook of `demo` delivers it.
pub(crate) fn status(event_id: &str, id: Option<&MessageId>, status: &str, at: jiff::Timestamp) -> Value {
    let mut platform_event = json!({
        "notice": "status.1", "site": "demo", "phone_number_id": "111", "provider_id": format!("wamid.{event_id}"),
        "status": status, "at": at, "category": "utility"
    });
    if let Some(id) = id {
        platform_event["message"] = json!(id.to_string());
    }
    platform_event
}

/// A failure with its code.
pub(crate) fn failed(event_id: &str, id: &MessageId, code: &str, at: jiff::Timestamp) -> Value {
    let mut platform_event = status(event_id, Some(id), "failed", at);
    platform_event["failure"] = json!({"code": code, "details": "Message undeliverable"});
    platform_event
}

/// Any order, repetition and batching of the same statuses leads to the same state. The furthest delivery counts, and
/// a failure counts only without a delivery. Only then is the number unreachable.
#[tokio::test]
async fn statuses_converge_in_any_order() {
    let world = World::start().await;
    let mut number = 3_400_000_000_u64;
    let any_status = prop::sample::select(vec!["sent", "delivered", "read", "failed"]);
    let cases = prop::collection::vec(prop::collection::vec(any_status, 1..4), 1..5);
    let mut runner = TestRunner::default();
    for _ in 0..CASES {
        let batches = cases.new_tree(&mut runner).unwrap().current();
        number += 1;
        let (event_id, number) = (format!("e{number}"), format!("39{number}"));
        let id = world.send(&event_id, &number).await;
        for batch in &batches {
            let platform_events: Vec<Value> = batch
                .iter()
                .map(|name| match *name {
                    "failed" => failed(&event_id, &id, "131026", world.now()),
                    name => status(&event_id, Some(&id), name, world.now()),
                })
                .collect();
            assert_eq!(world.deliver(&platform_events).await, Vec::<String>::new());
        }
        let stated: Vec<&str> = batches.iter().flatten().copied().collect();
        let expected = match () {
            () if stated.contains(&"read") => State::Read,
            () if stated.contains(&"delivered") => State::Delivered,
            () if stated.contains(&"failed") => State::Failed("131026".to_owned()),
            () => State::Sent,
        };
        assert_eq!(world.state(&id).await, expected, "{batches:?}");
        let is_left_alone = world.known("demo", &number).await.unreachable_until.is_some();
        assert_eq!(is_left_alone, matches!(expected, State::Failed(_)), "{batches:?}");
    }
}

#[tokio::test]
async fn the_first_report_of_a_status_is_kept() {
    let world = World::start().await;
    let id = world.send("e1", ANNA).await;
    let first = world.now();
    world.deliver(&[status("e1", Some(&id), "delivered", first)]).await;
    world.advance(60);
    world.deliver(&[status("e1", Some(&id), "delivered", world.now())]).await;
    let facts = world.ledger.message(&id).await.unwrap().unwrap();
    let fact = &facts.statuses[&Status::Delivered];
    assert_eq!((fact.at, fact.category.as_deref()), (first, Some("utility")));
}

#[tokio::test]
async fn a_status_without_our_id_finds_its_message_by_the_provider_id() {
    let world = World::start().await;
    let id = world.send("e1", ANNA).await;
    let mut foreign = status("e1", None, "read", world.now());
    foreign["message"] = json!("an id of somebody else");
    world.deliver(&[status("e1", None, "delivered", world.now())]).await;
    assert_eq!(world.state(&id).await, State::Delivered);
    world.deliver(&[foreign]).await;
    assert_eq!(world.state(&id).await, State::Read);
}

#[tokio::test]
async fn a_status_through_another_sites_webhook_finds_the_message_of_the_shared_number() {
    let world = World::start().await;
    let id = world.send("e1", ANNA).await;
    for (opaque, stated, state) in [(Some(&id), "delivered", State::Delivered), (None, "read", State::Read)] {
        let mut theirs = status("e1", opaque, stated, world.now());
        theirs["site"] = json!("outlet");
        assert_eq!(world.deliver(&[theirs]).await, Vec::<String>::new());
        assert_eq!(world.state(&id).await, state);
    }
    // The consequences apply at the site of the message.
    let id = world.send("e2", "393407654321").await;
    let mut theirs = failed("e2", &id, "131026", world.now());
    theirs["site"] = json!("outlet");
    world.deliver(&[theirs]).await;
    assert!(world.known("demo", "393407654321").await.unreachable_until.is_some());
    assert!(world.known("outlet", "393407654321").await.unreachable_until.is_none());
}

#[tokio::test]
async fn a_status_of_another_number_never_finds_the_message() {
    let world = World::start().await;
    let id = world.send("e1", ANNA).await;
    let mut theirs = status("e1", Some(&id), "read", world.now());
    (theirs["site"], theirs["phone_number_id"]) = (json!("other"), json!("333"));
    assert_eq!(world.deliver(&[theirs]).await, Vec::<String>::new());
    assert_eq!(world.state(&id).await, State::Sent);
    assert_eq!(world.ledger.orphans(world.now(), 10, None).await.unwrap().0.len(), 1);
}

#[tokio::test]
async fn a_status_that_comes_before_its_message_waits_for_it() {
    let world = World::start().await;
    assert_eq!(world.deliver(&[status("e1", None, "delivered", world.now())]).await, Vec::<String>::new());
    let (orphans, _) = world.ledger.orphans(world.now(), 10, None).await.unwrap();
    assert_eq!(orphans.len(), 1);
    let id = world.send("e1", ANNA).await;
    assert_eq!(world.state(&id).await, State::Sent);
    // The sweep does this once it finds the message.
    world.deliver(&[serde_json::from_str(&orphans[0].platform_event).unwrap()]).await;
    assert_eq!(world.state(&id).await, State::Delivered);
}

#[tokio::test]
async fn another_form_of_a_number_is_stored_as_its_alias() {
    let world = World::start().await;
    let id = world.send("e1", ANNA).await;
    let mut delivered = status("e1", Some(&id), "delivered", world.now());
    delivered["wa_id"] = json!("393409999999");
    delivered["user_id"] = json!("IT.a1");
    let mut read = status("e1", Some(&id), "read", world.now());
    read["wa_id"] = json!(ANNA);
    world.deliver(&[delivered, read]).await;
    let alias = async |id: &str| world.contacts.alias(&secret().alias_key(&site("demo"), id)).await.unwrap();
    assert_eq!(alias("393409999999").await, [contact("demo", ANNA)]);
    assert_eq!(alias("IT.a1").await, [contact("demo", ANNA)]);
    assert_eq!(alias(ANNA).await, Vec::<String>::new(), "the number itself is no news");
}
