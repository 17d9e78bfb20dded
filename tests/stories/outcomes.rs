//! Skipped messages: the ledger contains the reason, and nothing is sent.

use domain::message::reason::Reason;
use domain::message::state::State;
use kit::{World, file_uploaded, message_sent, order_status_changed};
use serde_json::{Value, json};

use crate::reviews::confirm;
use crate::templates::sync;

/// Returns the reason for which a message of Anna's order was skipped.
async fn reason(world: &World, id: &str) -> Reason {
    match world.state(id, "stato-ordine", "C7").await.unwrap() {
        State::Skipped(skip) => skip.reason,
        other => panic!("not skipped but {other}"),
    }
}

async fn raise(world: &World, event: &Value) {
    world.accept(event).await.unwrap();
    world.deliver().await.unwrap();
}

#[tokio::test]
async fn an_opt_out_is_respected() {
    let world = World::start().await.unwrap();
    let mut event = order_status_changed("e-1");
    event["data"]["customer"]["whatsapp_opt_out"] = json!(true);
    raise(&world, &event).await;
    assert_eq!(reason(&world, "e-1").await, Reason::OptedOut);
    assert!(world.phone().await.unwrap().is_empty());
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_missing_or_wrong_phone_is_a_recorded_skip() {
    let world = World::start().await.unwrap();
    for (id, phone, expected) in [
        ("e-1", Value::Null, Reason::PhoneMissing),
        ("e-2", json!("n.d."), Reason::PhoneInvalid),
        ("e-3", json!("800 123456"), Reason::PhoneInvalid),
    ] {
        let mut event = order_status_changed(id);
        event["data"]["customer"]["phone"] = phone;
        raise(&world, &event).await;
        assert_eq!(reason(&world, id).await, expected);
    }
    assert!(world.phone().await.unwrap().is_empty());
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_channel_not_ticked_is_left_out_of_the_plan() {
    let world = World::start().await.unwrap();
    let mut event = message_sent("m-1", &json!([{"id": "A", "phone": "3331234567"}]));
    event["data"]["notify"] = json!(["email"]);
    raise(&world, &event).await;
    let id = domain::primitives::id::EventId::parse("m-1").unwrap();
    let plan = world.ledger.plan(&world.site().unwrap(), &id).await.unwrap().unwrap();
    assert!(plan.messages.is_empty());
    assert_eq!(plan.skips.first().unwrap().skip.reason, Reason::NotifyNotRequested);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn the_uploader_is_not_notified_of_their_own_upload() {
    let world = World::start().await.unwrap();
    let administrators = json!([{"id": "C7", "phone": "3331234567"}, {"id": "G", "phone": "3351234567"}]);
    raise(&world, &file_uploaded("f-1", &administrators)).await;
    let to: Vec<Value> = world.phone().await.unwrap().iter().map(|message| message["to"].clone()).collect();
    assert_eq!(to, ["+393351234567"]);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn marketing_is_sent_only_to_people_who_consented() {
    let world = World::start().await.unwrap();
    world.set_template("conferma_ordine", "it", &json!({"category": "MARKETING"})).await.unwrap();
    sync(&world).await.unwrap();
    confirm(&world, "stato-ordine").await;

    raise(&world, &order_status_changed("e-1")).await;
    assert_eq!(reason(&world, "e-1").await, Reason::ConsentMissing);
    let mut consenting = order_status_changed("e-2");
    consenting["data"]["customer"]["marketing_consent"] = json!(true);
    raise(&world, &consenting).await;
    assert_eq!(world.phone().await.unwrap().len(), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_outdated_event_expires() {
    let world = World::start().await.unwrap();
    let mut event = order_status_changed("e-1");
    event["occurred_at"] = json!("2026-11-10T10:00:00Z");
    raise(&world, &event).await;
    assert_eq!(reason(&world, "e-1").await, Reason::Expired);
    world.finish().await.unwrap();
}
