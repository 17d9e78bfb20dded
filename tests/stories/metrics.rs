//! The metrics that the functions write: each outcome is counted once, with the unit and the dimensions of the alarms.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use kit::World;
use serde_json::{Value, json};

use crate::waiting::{HOUR, MINUTE, fault, order};

/// Returns the sum of each metric, by function, name and value of its own dimension.
fn sums(world: &World) -> BTreeMap<(String, String, String), i64> {
    let mut sums = BTreeMap::new();
    for line in world.metrics() {
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        let dimensions = directive["Dimensions"].as_array().unwrap();
        assert_eq!(dimensions[0], json!(["Stack", "Function"]), "{line}");
        let detail = dimensions.get(1).and_then(|names| names[2].as_str()).map(|name| line[name].as_str().unwrap());
        for metric in directive["Metrics"].as_array().unwrap() {
            let name = metric["Name"].as_str().unwrap();
            let values = line[name].as_array().cloned().unwrap_or_else(|| vec![line[name].clone()]);
            let sum: i64 = values.iter().map(|value| value.as_i64().unwrap()).sum();
            let key = (line["Function"].as_str().unwrap(), name, detail.unwrap_or_default());
            *sums.entry((key.0.to_owned(), key.1.to_owned(), key.2.to_owned())).or_default() += sum;
        }
    }
    sums
}

fn sum(world: &World, function: &str, name: &str, detail: &str) -> i64 {
    sums(world).get(&(function.to_owned(), name.to_owned(), detail.to_owned())).copied().unwrap_or(0)
}

#[tokio::test]
async fn each_outcome_is_counted_once() {
    let world = World::start().await.unwrap();
    world.report_statuses("doubled").await.unwrap();
    let errors = [(3, 131_026), (4, 131_016), (5, 131_000)];
    for (number, code) in errors {
        let to = format!("+39340{:07}", 1_000_000 + number);
        let effect = json!({"error": {"status": 400, "code": code}});
        world.fault(&json!({"match": {"to": to}, "effect": effect})).await.unwrap();
    }
    let mut opted_out = order(2);
    opted_out["data"]["customer"]["whatsapp_opt_out"] = json!(true);
    for event in [order(1), opted_out, order(3), order(4), order(5)] {
        world.accept(&event).await.unwrap();
        // A repeated event changes nothing.
        world.accept(&event).await.unwrap();
    }
    world.pass(MINUTE * 5).await.unwrap();
    let of_sending = |name, detail| sum(&world, "send-message", name, detail);
    assert_eq!(sum(&world, "receive-event", "EventsAccepted", ""), 10);
    assert_eq!(of_sending("MessagesSent", ""), 2);
    assert_eq!(of_sending("MessagesSkipped", "opted_out"), 1);
    assert_eq!(of_sending("MessagesFailed", "message"), 1);
    assert_eq!(of_sending("MessagesWaiting", "retry"), 1);
    assert_eq!(of_sending("MessagesUnknown", ""), 1);
    // Ten events, the message that came back, and what two executions met at once.
    assert!(of_sending("BatchRecords", "") >= 11);
    assert_eq!(sum(&world, "track-delivery", "BatchRecords", ""), 12, "three statuses of two messages, each twice");
    assert_eq!(sum(&world, "fire-reminders", "Lateness", ""), 0);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn refused_requests_are_counted_by_problem() {
    let world = World::start().await.unwrap();
    assert_eq!(world.request("/v1/events", &[("x-api-key", "secret")], b"{}").await.unwrap().status, 401);
    assert_eq!(world.post(&json!({"type": "order.status_changed"})).await.unwrap().status, 422);
    let batch = json!({"events": [order(1), {"type": "order.status_changed"}]});
    assert_eq!(world.post_batch(&batch).await.unwrap().status, 202);
    let refused = json!({"events": [{"type": "order.status_changed"}, {}]});
    assert_eq!(world.post_batch(&refused).await.unwrap().status, 422);
    assert_eq!(world.request("/v1/webhooks/whatsapp/none", &[], b"{}").await.unwrap().status, 404);
    let webhook = format!("/v1/webhooks/whatsapp/{}", world.webhook_id());
    assert_eq!(world.request(&webhook, &[], b"{}").await.unwrap().status, 401);
    let of_intake = |name, detail| sum(&world, "receive-event", name, detail);
    assert_eq!(of_intake("EventsRefused", "unauthorized"), 1);
    assert_eq!(of_intake("EventsRefused", "invalid-event"), 3, "a batch without a valid event is one refused request");
    assert_eq!(of_intake("EventsAccepted", ""), 1);
    assert_eq!(of_intake("EventsRefused", "not-found"), 1, "an unknown webhook is an unknown path");
    assert_eq!(of_intake("WebhooksRefused", "unauthorized"), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_stopped_account_a_dead_letter_and_a_released_message_are_counted() {
    let world = World::start().await.unwrap();
    fault(&world, 1, 401, 190).await;
    world.accept(&order(1)).await.unwrap();
    world.enqueue("no job").await.unwrap();
    world.pass(HOUR).await.unwrap();
    assert_eq!(sum(&world, "send-message", "AccountsStopped", ""), 1);
    assert_eq!(sum(&world, "send-message", "DeadLetters", "events"), 1);
    assert_eq!(sum(&world, "send-message", "MessagesWaiting", "account_stopped"), 1);
    assert_eq!(sum(&world, "fire-reminders", "Released", ""), 1);
    let sweeps = world.metrics().iter().filter(|line| line.get("Lateness").is_some()).count();
    assert_eq!(sweeps, 60, "every sweep writes its lateness");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn the_age_of_the_oldest_sync_grows_while_an_account_cannot_be_read() {
    let world = World::start().await.unwrap();
    let hourly = async || sync_templates::handle(&world.sync, world.clock.deadline_ms()).await;
    assert!(hourly().await.is_ok());
    let (site, live) = (world.site().unwrap(), world.live().await.unwrap());
    let unreachable = domain::site::config::Account {
        id: domain::primitives::id::AccountId::parse("other").unwrap(),
        base_url: "http://127.0.0.1:9/v1".to_owned(),
        ..live.accounts[0].clone()
    };
    world.config.put_account(&site, &unreachable).await.unwrap();
    for _ in 0..3 {
        world.clock.advance(HOUR);
        assert!(hourly().await.is_err());
    }
    let of_syncs =
        |name: &str| -> Vec<Value> { world.metrics().iter().filter_map(|line| line.get(name).cloned()).collect() };
    let hours: Vec<i64> =
        of_syncs("SyncAge").iter().map(|age| SignedDuration::from_secs(age.as_i64().unwrap()).as_hours()).collect();
    assert_eq!(hours, [0, 0, 1, 2], "it counts from the first run of a new account");
    assert_eq!(of_syncs("SyncFailures"), [0, 1, 1, 1]);
    world.finish().await.unwrap();
}
