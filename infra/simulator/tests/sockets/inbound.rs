//! Webhooks from phones and the account: messages, preferences, template changes, and other changes.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{World, order};

const PHONE: &str = "+39 340 1234567";

#[tokio::test]
async fn a_text_arrives_as_a_message() {
    let (world, receiver) = World::with_receiver().await;
    let answer = world.post("/_sim/inbound", json!({"from": PHONE, "text": "Perché? BASTA"})).await;
    world.running.webhooks_idle().await;
    assert_eq!(
        receiver.changes(),
        [json!({"field": "messages", "value": {
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": "390212345678", "phone_number_id": "1001"},
            "contacts": [{"profile": {"name": "Niccolò"}, "wa_id": "393401234567"}],
            "messages": [{
                "from": "393401234567",
                "id": answer["id"],
                "timestamp": "1795338900",
                "type": "text",
                "text": {"body": "Perché? BASTA"},
            }],
        }})]
    );
    assert!(answer["id"].as_str().unwrap().starts_with("wamid."));
    assert!(receiver.raw()[0].is_ascii());
}

#[tokio::test]
async fn a_button_points_at_the_message_above_it() {
    let (world, receiver) = World::with_receiver().await;
    world.post("/_sim/statuses", json!({"mode": "none"})).await;
    let press = json!({"from": PHONE, "type": "button", "payload": "STOP_PROMO", "text": "Basta"});
    world.send(&order("+393409999999")).await;
    world.post("/_sim/inbound", press.clone()).await;
    world.send(&order(PHONE)).await;
    let last = world.send(&order(PHONE)).await.1["messages"][0]["id"].clone();
    world.send(&order("+393409999999")).await;
    world.post("/_sim/inbound", press).await;
    world.running.webhooks_idle().await;

    let changes = receiver.changes();
    let messages: Vec<&Value> = changes.iter().map(|change| &change["value"]["messages"][0]).collect();
    for message in &messages {
        assert_eq!(message["type"], "button");
        assert_eq!(message["button"], json!({"payload": "STOP_PROMO", "text": "Basta"}));
    }
    assert!(messages[0].get("context").is_none(), "nothing was sent to this phone yet");
    assert_eq!(messages[1]["context"], json!({"from": "390212345678", "id": last}));
}

#[tokio::test]
async fn a_marketing_choice_is_sent_as_a_preference() {
    let (world, receiver) = World::with_receiver().await;
    for choice in ["stop", "resume"] {
        let answer = world.post("/_sim/inbound", json!({"from": PHONE, "preference": choice})).await;
        assert_eq!(answer, json!({"preference": choice}));
    }
    world.running.webhooks_idle().await;
    let changes = receiver.changes();
    for (change, choice) in changes.iter().zip(["stop", "resume"]) {
        assert_eq!(
            (&change["field"], &change["value"]["metadata"]["phone_number_id"]),
            (&json!("user_preferences"), &json!("1001"))
        );
        let preference = &change["value"]["user_preferences"][0];
        assert_eq!(
            preference,
            &json!({"wa_id": "393401234567", "detail": preference["detail"], "category": "marketing_messages",
                    "value": choice, "timestamp": 1_795_338_900})
        );
    }
    assert_eq!(changes.len(), 2);
}

#[tokio::test]
async fn template_changes_are_reported_on_request() {
    let (world, receiver) = World::with_receiver().await;
    let path = "/_sim/templates/avviso/en_US";
    world.post(path, json!({"status": "PENDING"})).await;
    world.post(path, json!({"status": "APPROVED", "webhook": true})).await;
    world.post(path, json!({"category": "MARKETING", "webhook": true})).await;
    world.call(Method::DELETE, path, r#"{"webhook":true}"#).await;
    world.running.webhooks_idle().await;

    let changes = receiver.changes();
    let fields: Vec<&str> = changes.iter().map(|change| change["field"].as_str().unwrap()).collect();
    assert_eq!(
        fields,
        ["message_template_status_update", "template_category_update", "message_template_status_update"]
    );
    assert_eq!(
        changes[0]["value"],
        json!({"event": "APPROVED", "message_template_id": 1_000_000_000_000_004_u64, "message_template_name": "avviso",
               "message_template_language": "en-US", "reason": null, "message_template_category": "UTILITY"})
    );
    assert_eq!(
        (&changes[1]["value"]["previous_category"], &changes[1]["value"]["new_category"]),
        (&json!("UTILITY"), &json!("MARKETING"))
    );
    assert_eq!(changes[2]["value"]["event"], "DELETED");
}

#[tokio::test]
async fn any_change_is_forwarded_unchanged() {
    let (world, receiver) = World::with_receiver().await;
    let value = json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE", "è": [1, null]}});
    world.post("/_sim/webhooks", json!({"field": "account_update", "value": value})).await;
    world.running.webhooks_idle().await;
    assert_eq!(receiver.changes(), [json!({"field": "account_update", "value": value})]);
    let body: Value = serde_json::from_slice(&receiver.raw()[0]).unwrap();
    assert_eq!(body["entry"][0]["time"], 1_795_338_900);
}

#[tokio::test]
async fn an_invalid_request_raises_no_webhook() {
    let (world, receiver) = World::with_receiver().await;
    for (path, body) in [
        ("/_sim/inbound", r#"{"from":"3401234567","text":"STOP"}"#),
        ("/_sim/inbound", r#"{"from":"+39","text":"STOP"}"#),
        ("/_sim/inbound", r#"{"from":"+393401234567"}"#),
        ("/_sim/webhooks", r#"{"field":"account_update"}"#),
        ("/_sim/webhooks", r#"{"field":"account_update","value":{},"id":"1"}"#),
        ("/_sim/templates/avviso/it", r#"{"webhook":"yes"}"#),
    ] {
        let (status, answer) = world.call(Method::POST, path, body).await;
        assert_eq!(status, 400, "{body}");
        assert!(answer["error"].is_string(), "{answer}");
    }
    let (status, _) = world.call(Method::DELETE, "/_sim/templates/avviso/it", r#"{"tell":true}"#).await;
    assert_eq!(status, 400);
    world.running.webhooks_idle().await;
    assert!(receiver.raw().is_empty());
}

#[tokio::test]
async fn requests_that_raise_webhooks_are_409_without_a_webhook() {
    let world = World::start().await;
    let (_, before) = world.list("").await;
    for (method, path, body) in [
        (Method::POST, "/_sim/inbound", r#"{"from":"+393401234567","text":"STOP"}"#),
        (Method::POST, "/_sim/inbound", r#"{"from":"+393401234567","preference":"stop"}"#),
        (Method::POST, "/_sim/webhooks", r#"{"field":"account_update","value":{}}"#),
        (Method::POST, "/_sim/templates/avviso/it", r#"{"status":"PAUSED","webhook":true}"#),
        (Method::DELETE, "/_sim/templates/avviso/it", r#"{"webhook":true}"#),
    ] {
        let (status, answer) = world.call(method, path, body).await;
        assert_eq!(status, 409, "{body}");
        assert!(answer["error"].as_str().unwrap().contains("no webhook"), "{answer}");
    }
    assert_eq!(world.list("").await.1, before, "nothing was changed");
}
