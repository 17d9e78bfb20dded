//! Status webhooks: the statuses after a send, in every mode, and their delivery.

use std::{collections::HashSet, time::Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    receiver::LIMIT,
    world::{World, notice, order},
};

const PHONE: &str = "+393401234567";

async fn mode(world: &World, mode: Value) {
    assert_eq!(world.post("/_sim/statuses", mode.clone()).await, mode);
}

#[tokio::test]
async fn an_accepted_send_is_reported_as_sent_delivered_and_read() {
    let (world, receiver) = World::with_receiver().await;
    let (_, answer) = world.send(&order(PHONE)).await;
    world.running.webhooks_idle().await;

    assert_eq!(receiver.words(), ["sent", "delivered", "read"]);
    let changes = receiver.changes();
    assert_eq!(
        changes[0],
        json!({"field": "messages", "value": {
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": "390212345678", "phone_number_id": "1001"},
            "contacts": [{"profile": {"name": "Niccolò"}, "wa_id": "393401234567"}],
            "statuses": [{
                "id": answer["messages"][0]["id"],
                "status": "sent",
                "timestamp": "1795338900",
                "recipient_id": "393401234567",
                "biz_opaque_callback_data": "m-1",
                "pricing": {"billable": true, "pricing_model": "PMP", "type": "regular", "category": "utility"},
            }],
        }})
    );
    assert_eq!(changes[1]["value"]["statuses"][0]["pricing"]["category"], "utility");
    assert!(changes[2]["value"]["statuses"][0].get("pricing").is_none());
    assert_eq!(world.get("/_sim/webhooks").await, json!({"pending": 0, "delivered": 3, "dropped": 0}));
}

#[tokio::test]
async fn reserialised_bytes_differ_from_the_signed_ones() {
    let (world, receiver) = World::with_receiver().await;
    world.send(&order(PHONE)).await;
    world.running.webhooks_idle().await;
    let raw = &receiver.raw()[0];
    assert!(raw.is_ascii() && String::from_utf8_lossy(raw).contains(r"Niccol\u00f2"));
    let parsed: Value = serde_json::from_slice(raw).unwrap();
    assert_ne!(parsed.to_string().as_bytes(), &raw[..], "written again it is something else");
}

#[tokio::test]
async fn a_send_without_callback_data_has_none_in_its_statuses() {
    let (world, receiver) = World::with_receiver().await;
    world.send(&notice(PHONE)).await;
    world.running.webhooks_idle().await;
    for status in receiver.batches().concat() {
        assert!(status.get("biz_opaque_callback_data").is_none());
    }
    assert_eq!(receiver.words().len(), 3);
}

#[tokio::test]
async fn a_send_that_is_not_accepted_has_no_status() {
    let (world, receiver) = World::with_receiver().await;
    world.post("/_sim/faults", json!({"effect": {"cut_before": true}})).await;
    assert!(world.try_send(&order(PHONE)).await.is_err());
    assert_eq!(world.send(&order("nessuno")).await.0, 400);
    world.running.webhooks_idle().await;
    assert!(receiver.raw().is_empty());
}

#[tokio::test]
async fn an_accepted_send_with_a_cut_connection_is_reported() {
    let (world, receiver) = World::with_receiver().await;
    world.post("/_sim/faults", json!({"effect": {"accept_then_cut": true}})).await;
    assert!(world.try_send(&order(PHONE)).await.is_err());
    world.running.webhooks_idle().await;
    assert_eq!(receiver.words(), ["sent", "delivered", "read"]);
}

#[tokio::test]
async fn the_mode_determines_the_following_statuses() {
    let (world, receiver) = World::with_receiver().await;
    let mut seen = 0;
    for (wanted, expected) in [
        (json!({"mode": "reversed"}), "read delivered sent"),
        (json!({"mode": "doubled"}), "sent delivered read sent delivered read"),
        (json!({"mode": "none"}), ""),
        (json!({"mode": "failed", "code": 131026}), "failed"),
        (json!({"mode": "normal"}), "sent delivered read"),
    ] {
        mode(&world, wanted.clone()).await;
        assert_eq!(world.send(&order(PHONE)).await.0, 200);
        world.running.webhooks_idle().await;
        let words = receiver.words();
        assert_eq!(words[seen..].join(" "), expected, "{wanted}");
        seen = words.len();
    }
}

#[tokio::test]
async fn a_failed_status_has_the_platforms_error() {
    let (world, receiver) = World::with_receiver().await;
    world.post("/_sim/faults", json!({"match": {"to": PHONE}, "effect": {"fail_later": {"code": 131049}}})).await;
    assert_eq!(world.send(&json!({"to": PHONE})).await.0, 400, "what is not accepted does not spend it");
    assert_eq!(world.send(&order("+393409999999")).await.0, 200);
    assert_eq!(world.send(&order(PHONE)).await.0, 200);
    assert_eq!(world.send(&order(PHONE)).await.0, 200);
    world.running.webhooks_idle().await;

    let statuses = receiver.batches().concat();
    let failed: Vec<&Value> = statuses.iter().filter(|status| status["status"] == "failed").collect();
    assert_eq!((statuses.len(), failed.len()), (7, 1));
    assert_eq!(
        (&failed[0]["recipient_id"], &failed[0]["biz_opaque_callback_data"]),
        (&json!("393401234567"), &json!("m-1"))
    );
    let error = &failed[0]["errors"][0];
    assert_eq!((&error["code"], failed[0].get("pricing")), (&json!(131049), None));
    for text in [&error["title"], &error["message"], &error["error_data"]["details"], &error["href"]] {
        assert!(text.as_str().is_some_and(|text| !text.is_empty()), "{error}");
    }
}

#[tokio::test]
async fn before_answer_delivers_the_statuses_before_the_answer() {
    let (world, receiver) = World::with_receiver().await;
    mode(&world, json!({"mode": "before_answer"})).await;
    receiver.hold();
    let request = order(PHONE);
    let mut sending = std::pin::pin!(world.send(&request));
    tokio::select! {
        biased;
        answer = &mut sending => panic!("answered before its statuses were: {answer:?}"),
        () = receiver.until_came(1) => {}
    }
    receiver.release();
    assert_eq!(sending.await.0, 200);
    assert_eq!(world.get("/_sim/webhooks").await["delivered"], 3, "all were answered by then");
    assert_eq!(receiver.words(), ["sent", "delivered", "read"]);
}

#[tokio::test]
async fn a_caller_that_gives_up_does_not_stop_the_statuses() {
    let (world, receiver) = World::with_receiver().await;
    mode(&world, json!({"mode": "before_answer"})).await;
    receiver.hold();
    let request = order(PHONE);
    tokio::select! {
        answer = world.send(&request) => panic!("answered before its statuses were: {answer:?}"),
        () = receiver.until_came(1) => {}
    }
    receiver.release();
    world.running.webhooks_idle().await;
    assert_eq!(receiver.words(), ["sent", "delivered", "read"]);
}

#[tokio::test]
async fn a_slow_receiver_delays_no_send_and_gets_batches() {
    let (world, receiver) = World::with_receiver().await;
    receiver.hold();
    for n in 0..12 {
        assert_eq!(world.send(&order(&format!("+3934000000{n:02}"))).await.0, 200);
    }
    assert_eq!(world.get("/_sim/webhooks").await, json!({"pending": 36, "delivered": 0, "dropped": 0}));
    receiver.release();
    world.running.webhooks_idle().await;

    let batches = receiver.batches();
    assert_eq!(batches.iter().map(Vec::len).max(), Some(10));
    for batch in &batches {
        let messages: HashSet<&str> = batch.iter().map(|status| status["id"].as_str().unwrap()).collect();
        assert_eq!(messages.len(), batch.len(), "one status of a message in a POST");
    }
    let notified: HashSet<String> = batches.concat().iter().map(Value::to_string).collect();
    assert_eq!(notified.len(), 36, "each status once");
}

#[tokio::test]
async fn a_post_not_answered_with_200_is_retried_and_overtaken() {
    let (world, receiver) = World::with_receiver().await;
    receiver.refuse("sent", &[500, 204]);
    world.send(&order(PHONE)).await;
    world.running.webhooks_idle().await;
    assert_eq!(receiver.words(), ["sent", "delivered", "read", "sent", "sent"]);
    let raw = receiver.raw();
    assert!(raw[3] == raw[0] && raw[4] == raw[0], "the very same bytes");
    assert_eq!(world.get("/_sim/webhooks").await, json!({"pending": 0, "delivered": 3, "dropped": 0}));
}

#[tokio::test]
async fn delayed_statuses_come_later_and_a_reset_removes_them() {
    let (world, receiver) = World::with_receiver().await;
    mode(&world, json!({"mode": "delayed", "delay_ms": 600_000})).await;
    world.send(&order(PHONE)).await;
    assert_eq!(world.get("/_sim/webhooks").await["pending"], 3);
    world.post("/_sim/reset", json!({})).await;
    tokio::time::timeout(LIMIT, world.running.webhooks_idle()).await.unwrap();
    assert!(receiver.raw().is_empty());

    mode(&world, json!({"mode": "delayed", "delay_ms": 40})).await;
    world.advance_ms(5_000);
    let begin = Instant::now();
    world.send(&order(PHONE)).await;
    world.running.webhooks_idle().await;
    assert!(begin.elapsed().as_millis() >= 40);
    assert_eq!(receiver.words(), ["sent", "delivered", "read"]);
    assert_eq!(receiver.batches()[0][0]["timestamp"], "1795338905");
}

#[tokio::test]
async fn a_reset_restores_normal_statuses_and_the_counts() {
    let (world, receiver) = World::with_receiver().await;
    mode(&world, json!({"mode": "failed", "code": 131026})).await;
    world.post("/_sim/faults", json!({"count": 9, "effect": {"fail_later": {"code": 131049}}})).await;
    world.send(&order(PHONE)).await;
    world.running.webhooks_idle().await;
    world.post("/_sim/reset", json!({})).await;
    assert_eq!(world.get("/_sim/webhooks").await, json!({"pending": 0, "delivered": 0, "dropped": 0}));
    world.send(&order(PHONE)).await;
    world.running.webhooks_idle().await;
    assert_eq!(receiver.words(), ["failed", "sent", "delivered", "read"]);
}

#[tokio::test]
async fn without_a_webhook_nothing_is_pending() {
    let world = World::start().await;
    for wanted in
        [json!({"mode": "normal"}), json!({"mode": "before_answer"}), json!({"mode": "delayed", "delay_ms": 0})]
    {
        mode(&world, wanted).await;
        assert_eq!(world.send(&order(PHONE)).await.0, 200);
    }
    assert_eq!(world.get("/_sim/webhooks").await, json!({"pending": 0, "delivered": 0, "dropped": 0}));
}

#[tokio::test]
async fn a_stop_does_not_wait_for_a_receiver_that_never_answers() {
    let (world, receiver) = World::with_receiver().await;
    receiver.hold();
    world.send(&order(PHONE)).await;
    receiver.until_came(1).await;
    assert_eq!(world.call(Method::GET, "/_sim/webhooks", "").await.1["pending"], 3);
    tokio::time::timeout(LIMIT, world.running.stop()).await.unwrap();
}
