//! The control API: templates, reset, and refused input.

use reqwest::Method;
use serde_json::json;

use crate::world::{World, notice, order};

#[tokio::test]
async fn templates_are_made_changed_and_removed() {
    let world = World::start().await;
    let (status, row) = world.call(Method::POST, "/_sim/templates/nuovo/de", "").await;
    assert_eq!((status, &row["status"], &row["language"]), (200, &json!("APPROVED"), &json!("de")));
    let row = world
        .post(
            "/_sim/templates/nuovo/de",
            json!({"status": "PENDING", "category": "MARKETING", "components": [{"type": "BODY", "text": "Hallo"}],
                   "quality_score": {"score": "RED", "date": 1}, "parameter_format": "NAMED"}),
        )
        .await;
    assert_eq!(
        row,
        json!({"id": row["id"], "name": "nuovo", "language": "de", "status": "PENDING", "category": "MARKETING",
               "previous_category": "UTILITY", "components": [{"type": "BODY", "text": "Hallo"}],
               "quality_score": {"score": "RED", "date": 1}, "parameter_format": "NAMED"})
    );
    let (status, answer) = world.call(Method::DELETE, "/_sim/templates/nuovo/de", "").await;
    assert_eq!((status, answer), (200, json!({"removed": true})));
    assert_eq!(world.call(Method::DELETE, "/_sim/templates/nuovo/de", "").await.0, 404);
}

#[tokio::test]
async fn a_removed_template_is_no_longer_sent() {
    let world = World::start().await;
    assert_eq!(world.send(&order("+393401234567")).await.0, 200);
    world.call(Method::DELETE, "/_sim/templates/stato_ordine/it", "").await;
    assert_eq!(world.send(&order("+393401234567")).await.1["error"]["code"], 132001);
}

#[tokio::test]
async fn a_reset_restores_the_beginning() {
    let world = World::start().await;
    let (_, seeded) = world.list("").await;
    assert_eq!(world.send(&order("+393401234567")).await.0, 200);
    world.call(Method::DELETE, "/_sim/templates/avviso/it", "").await;
    world.post("/_sim/templates/stato_ordine/it", json!({"status": "PAUSED"})).await;
    world.post("/_sim/templates/nuovo/it", json!({})).await;
    assert_eq!(world.post("/_sim/limits", json!({"messages_per_second": 1})).await, json!({"messages_per_second": 1}));
    world.post("/_sim/faults", json!({"count": 9, "effect": {"cut_before": true}})).await;

    assert_eq!(world.call(Method::POST, "/_sim/reset", "").await.0, 200);
    assert_eq!(world.get("/_sim/messages").await, json!([]));
    assert_eq!(world.get("/_sim/requests").await, json!([]));
    assert_eq!(world.get("/_sim/limits").await, json!({"messages_per_second": 80}));
    assert_eq!(world.list("").await.1, seeded);
    assert_eq!(world.send(&notice("+393401234567")).await.0, 200);
}

#[tokio::test]
async fn an_invalid_request_is_answered_in_json() {
    let world = World::start().await;
    for (method, path, body, status) in [
        (Method::GET, "/_sim/altro", "", 404),
        (Method::POST, "/_sim/statuses", "{}", 400),
        (Method::POST, "/_sim/limits", r#"{"messages_per_second":0}"#, 400),
        (Method::POST, "/_sim/messages", "", 405),
        (Method::GET, "/_sim/reset", "", 405),
        (Method::POST, "/_sim/templates/Nome-Sbagliato/it", "{}", 400),
        (Method::POST, "/_sim/templates/nome/it-IT", "{}", 400),
        (Method::POST, "/_sim/templates/nome/it", r#"{"stato":"PAUSED"}"#, 400),
        (Method::POST, "/_sim/templates/nome/it", "[]", 400),
        (Method::POST, "/_sim/faults", &" ".repeat(3 << 20), 400),
    ] {
        let (got, answer) = world.call(method, path, body).await;
        assert_eq!(got, status, "{path}");
        assert!(answer["error"].is_string(), "{path} {answer}");
    }
}
