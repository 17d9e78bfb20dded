//! Several sites that send from one number.

use std::collections::BTreeMap;

use domain::message::reason::Reason;
use domain::message::state::State;
use domain::primitives::id::SiteId;
use kit::{World, order_status_changed};
use serde_json::{Value, json};

/// Handles an order of a site for a customer with this number. Returns the calls to DynamoDB.
async fn raise(world: &World, site: &str, id: &str, phone: &str) -> BTreeMap<String, usize> {
    let mut event = order_status_changed(id);
    event["data"]["order"] = json!({"id": id, "code": id, "status": "EVASO", "item_count": 1,
        "total": {"amount": "1.00", "currency": "EUR"}});
    event["data"]["customer"]["id"] = json!(format!("C-{phone}"));
    event["data"]["customer"]["phone"] = json!(phone);
    let job = json!({"job": "event.1", "site": site, "received_at": world.clock.now(), "event": event});
    world.enqueue(&job.to_string()).await.unwrap();
    let _before = world.wire.take_calls();
    world.deliver().await.unwrap();
    world.wire.take_calls()
}

async fn state(world: &World, site: &SiteId, id: &str) -> State {
    let id = domain::primitives::id::EventId::parse(id).unwrap();
    let event = world.ledger.event(site, &id).await.unwrap().unwrap();
    event.messages[0].facts.state()
}

fn reads(calls: &BTreeMap<String, usize>) -> Value {
    let read = ["BatchGetItem", "GetItem", "Query"];
    json!(read.map(|name| calls.get(name).copied().unwrap_or_default()))
}

#[tokio::test]
async fn a_stop_applies_at_a_later_site_at_the_cost_of_one_more_read_per_message() {
    let world = World::start().await.unwrap();
    world.write_back("+393401234567", "STOP").await.unwrap();
    world.deliver_reports().await.unwrap();
    let late = world.add_site("late").await.unwrap();
    raise(&world, "late", "e-1", "340 1234567").await;
    let State::Skipped(skip) = state(&world, &late, "e-1").await else { panic!() };
    assert_eq!((skip.reason, skip.detail.as_str()), (Reason::Suppressed, "all, stop, 2026-11-22"));
    assert_eq!(world.phone().await.unwrap().len(), 0);
    // Each message reads its recipient twice. The later site also reads the choices of the number.
    let demo = world.site().unwrap();
    raise(&world, "demo", "e-1", "340 7654321").await;
    let calls = [raise(&world, "demo", "e-2", "340 7654322").await, raise(&world, "late", "e-2", "340 7654323").await];
    assert_eq!(calls.each_ref().map(reads), [json!([0, 2, 0]), json!([1, 2, 0])], "{calls:?}");
    // The number of updates for a slot lease depends on the time of the previous lease.
    let writes = |calls: &BTreeMap<String, usize>| [calls["PutItem"], calls["TransactWriteItems"]];
    assert_eq!(calls.each_ref().map(writes), [[1, 1], [1, 1]], "{calls:?}");
    assert_eq!([state(&world, &demo, "e-2").await, state(&world, &late, "e-2").await], [State::Sent, State::Sent]);
    world.finish().await.unwrap();
}
