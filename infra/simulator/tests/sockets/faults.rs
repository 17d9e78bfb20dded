//! Ordered faults, down to the socket.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{World, notice, order};

#[tokio::test]
async fn faults_apply_in_order_by_match_and_count() {
    let world = World::start().await;
    world.post("/_sim/faults", json!({"count": 2, "match": {"to": "+393401111111"}, "effect": {"error": {"status": 400, "code": 131026, "details": "spento"}}})).await;
    world
        .post("/_sim/faults", json!({"match": {"template": "avviso"}, "effect": {"error": {"status": 503, "code": 2}}}))
        .await;
    let pending = world.post("/_sim/faults", json!({"effect": {"error": {"status": 500, "code": 131000}}})).await;
    assert_eq!(pending, json!({"pending": 3}));

    let mut seen = Vec::new();
    for body in [
        notice("+393401111111"),
        order("+393402222222"),
        order("+393401111111"),
        notice("+393402222222"),
        notice("+393402222222"),
        order("+393401111111"),
    ] {
        let (status, answer) = world.send(&body).await;
        seen.push((status, answer["error"]["code"].as_i64()));
    }
    assert_eq!(
        seen,
        [(400, Some(131026)), (500, Some(131000)), (400, Some(131026)), (503, Some(2)), (200, None), (200, None)]
    );
}

#[tokio::test]
async fn an_ordered_error_carries_its_details() {
    let world = World::start().await;
    world
        .post("/_sim/faults", json!({"effect": {"error": {"status": 400, "code": 131026, "details": "spento"}}}))
        .await;
    let (_, answer) = world.send(&order("+393401111111")).await;
    assert_eq!(answer["error"]["error_data"]["details"], "spento");
    assert_eq!(answer["error"]["code"], 131026);
}

#[tokio::test]
async fn cut_before_closes_the_connection_and_takes_nothing() {
    let world = World::start().await;
    world.post("/_sim/faults", json!({"effect": {"cut_before": true}})).await;
    let error = world.try_send(&order("+393401111111")).await.unwrap_err();
    assert!(error.is_request() && !error.is_connect() && error.status().is_none(), "{error:?}");
    assert_eq!(world.get("/_sim/messages").await, json!([]));
    let request = &world.get("/_sim/requests").await[0];
    assert_eq!(request["status"], Value::Null);
    assert_eq!(request["code"], Value::Null);
    assert_eq!(request["accepted"], false);
    assert_eq!(world.send(&order("+393401111111")).await.0, 200, "the next one is served again");
}

#[tokio::test]
async fn accept_then_cut_takes_the_message_and_never_answers() {
    let world = World::start().await;
    world.post("/_sim/faults", json!({"effect": {"accept_then_cut": true}})).await;
    let bad = json!({"messaging_product": "whatsapp"});
    assert_eq!(world.send(&bad).await.0, 400, "what is not accepted does not spend it");
    let error = world.try_send(&order("+393401111111")).await.unwrap_err();
    assert!(error.is_request() && error.status().is_none(), "{error:?}");
    assert_eq!(world.get("/_sim/messages").await.as_array().unwrap().len(), 1);
    let requests = world.get("/_sim/requests").await;
    assert_eq!((&requests[1]["status"], &requests[1]["accepted"]), (&Value::Null, &json!(true)));
}

#[tokio::test]
async fn a_cut_leaves_other_connections_alone() {
    let world = World::start().await;
    world.post("/_sim/faults", json!({"match": {"to": "+393401111111"}, "effect": {"cut_before": true}})).await;
    let (cut, kept) = (order("+393401111111"), order("+393402222222"));
    let (cut, kept) = tokio::join!(world.try_send(&cut), world.try_send(&kept));
    assert!(cut.is_err());
    assert_eq!(kept.unwrap().status(), 200);
}

#[tokio::test]
async fn a_delayed_answer_comes_later_but_its_message_counts_immediately() {
    let world = World::start().await;
    world.post("/_sim/faults", json!({"effect": {"delay_ms": 600_000}})).await;
    world.post("/_sim/faults", json!({"effect": {"delay_ms": 40}})).await;
    let request = order("+393401111111");
    tokio::select! {
        answer = world.try_send(&request) => panic!("ten minutes too early: {answer:?}"),
        () = world.until_accepted(1) => {}
    }
    let before = std::time::Instant::now();
    assert_eq!(world.send(&request).await.0, 200);
    assert!(before.elapsed() >= Duration::from_millis(40));
}

#[tokio::test]
async fn an_invalid_fault_is_refused_with_a_reason() {
    let world = World::start().await;
    for (body, expected) in [
        ("", "not a fault"),
        (r#"{"effect":{"fail_later":{"code":1,"kode":1}}}"#, "unknown field `kode`"),
        (r#"{"effect":{"explode":true}}"#, "unknown variant"),
        (r#"{"effect":{"cut_before":true},"tmes":3}"#, "unknown field `tmes`"),
    ] {
        let (status, answer) = world.call(Method::POST, "/_sim/faults", body).await;
        assert_eq!(status, 400);
        assert!(answer["error"].as_str().unwrap().contains(expected), "{answer}");
    }
    assert_eq!(world.send(&order("+393401111111")).await.0, 200);
}

#[tokio::test]
async fn a_stop_ends_delayed_answers_and_frees_the_port() {
    let world = World::start().await;
    world.post("/_sim/faults", json!({"effect": {"delay_ms": 600_000}})).await;
    let address = world.running.address();
    let url = format!("http://{address}/v1/1001/messages");
    let client = world.client.clone();
    let hanging = tokio::spawn(async move {
        client.post(url).bearer_auth(crate::world::TOKEN).json(&order("+393401111111")).send().await
    });
    world.until_accepted(1).await;
    world.running.stop().await;
    assert!(hanging.await.unwrap().is_err());
    tokio::net::TcpListener::bind(address).await.unwrap();
}
