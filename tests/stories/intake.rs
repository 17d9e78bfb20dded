//! The responses of the API, and the events that it accepts.

use domain::event::EventType;
use kit::{World, file_uploaded, order_status_changed};
use serde_json::{Value, json};

fn without(mut event: Value, pointer: &str) -> Value {
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    event.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(field);
    event
}

#[tokio::test]
async fn an_accepted_event_is_202_with_its_id() {
    let world = World::start().await.unwrap();
    let answer = world.post(&order_status_changed("e-1")).await.unwrap();
    assert_eq!((answer.status, answer.body), (202, json!({"id": "e-1", "status": "accepted"})));
    assert_eq!(world.deliver().await.unwrap(), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_absent_or_invalid_key_is_401() {
    let world = World::start().await.unwrap();
    let body = order_status_changed("e-1").to_string();
    let tampered = format!("{}x", world.api_key());
    let foreign = "pwb_nobody_AAAA";
    for headers in
        [vec![], vec![("x-api-key", tampered.as_str())], vec![("x-api-key", foreign)], vec![("x-api-key", "")]]
    {
        let answer = world.request("/v1/events", &headers, body.as_bytes()).await.unwrap();
        assert_eq!((answer.status, answer.content_type.as_str()), (401, "application/problem+json"), "{headers:?}");
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn the_cheapest_checks_of_a_request_come_first() {
    let world = World::start().await.unwrap();
    let key = [("x-api-key", world.api_key())];
    let text = [("content-type", "text/plain")];
    let text_with_key = [("x-api-key", world.api_key()), ("content-type", "text/plain")];
    let large = vec![b'{'; receive_event_bytes_max() + 1];
    let status = |headers: Vec<(&'static str, String)>, body: Vec<u8>| {
        let world = &world;
        async move {
            let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            world.request("/v1/events", &headers, &body).await.unwrap().status
        }
    };
    let owned = |headers: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
        headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
    };
    assert_eq!(status(owned(&text), large).await, 413);
    assert_eq!(status(owned(&text), b"{".to_vec()).await, 401);
    assert_eq!(status(owned(&text_with_key), b"{".to_vec()).await, 415);
    assert_eq!(status(owned(&key), b"{".to_vec()).await, 400);
    assert_eq!(status(owned(&key), vec![0xff, 0xfe]).await, 400);
    assert_eq!(status(owned(&key), b"{}".to_vec()).await, 422);
    assert_eq!(status(owned(&key), b"[]".to_vec()).await, 422);
    world.finish().await.unwrap();
}

fn receive_event_bytes_max() -> usize {
    64 * 1024
}

#[tokio::test]
async fn hostile_bodies_are_refused_or_cleaned() {
    let world = World::start().await.unwrap();
    let key = [("x-api-key", world.api_key())];
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let numbers = r#"{"id":"1","type":"order.status_changed","data":{"order":{"item_count":1e999}}}"#;
    let mut nul = order_status_changed("e-nul");
    nul["data"]["customer"]["first_name"] = json!("An\u{0}na\u{fffe}");
    assert_eq!(world.request("/v1/events", &key, deep.as_bytes()).await.unwrap().status, 422);
    for body in [numbers.as_bytes(), b"\0\0\0", b""] {
        let answer = world.request("/v1/events", &key, body).await.unwrap();
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    world.accept(&nul).await.unwrap();
    world.deliver().await.unwrap();
    let texts = world.texts().await.unwrap();
    assert_eq!(texts, ["Gentile Anna Rossi, il tuo ordine OC1/1320 è ora *MEMORIZZATO*. Totale: 129,90 €."]);
    world.finish().await.unwrap();
}

/// Returns an event of Anna's order with an unknown field that makes it `levels` levels deep.
fn of_depth(id: &str, levels: usize) -> Value {
    let mut event = order_status_changed(id);
    // The document and its `data` are two of the levels.
    event["data"]["extra"] = (2..levels).fold(json!(1), |inside, _| json!([inside]));
    event
}

#[tokio::test]
async fn an_event_of_64_levels_is_refused_and_one_of_fewer_is_notified() {
    let world = World::start().await.unwrap();
    let key = [("x-api-key", world.api_key())];
    for levels in [64, 65, 126, 127, 128, 200] {
        let body = of_depth("e-deep", levels).to_string();
        let answer = world.request("/v1/events", &key, body.as_bytes()).await.unwrap();
        assert_eq!(answer.status, 422, "{levels}: {answer:?}");
        assert_eq!(answer.body["errors"][0]["detail"], "must have fewer than 64 levels of lists and objects");
    }
    let mut second = of_depth("e-2", 63);
    second["data"]["order"]["id"] = json!("2");
    let batch = json!({"events": [of_depth("e-deep", 64), second]});
    let answer = world.post_batch(&batch).await.unwrap();
    assert_eq!((answer.status, &answer.body["results"][0]["problem"]["status"]), (202, &json!(422)), "{answer:?}");
    world.accept(&of_depth("e-1", 63)).await.unwrap();
    world.deliver().await.unwrap();
    assert_eq!(world.phone().await.unwrap().len(), 2);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_byte_order_mark_is_ignored() {
    let world = World::start().await.unwrap();
    let key = [("x-api-key", world.api_key())];
    let body = format!("\u{feff}{}", order_status_changed("e-1"));
    let batch = format!("\u{feff}{}", json!({"events": [order_status_changed("e-1")]}));
    assert_eq!(world.request("/v1/events", &key, body.as_bytes()).await.unwrap().status, 202);
    assert_eq!(world.request("/v1/events/batch", &key, batch.as_bytes()).await.unwrap().status, 202);
    assert_eq!(world.request("/v1/events", &key, "\u{feff}".as_bytes()).await.unwrap().status, 400);
    world.deliver().await.unwrap();
    assert_eq!(world.phone().await.unwrap().len(), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_event_id_of_printable_ascii_is_deduplicated_and_found_again() {
    let world = World::start().await.unwrap();
    let id = r##"OC1/1320 #"EVASO" {2026-11-22T10:15:00+01:00} 100% \ ~"##;
    world.accept(&order_status_changed(id)).await.unwrap();
    world.accept(&order_status_changed(id)).await.unwrap();
    world.deliver().await.unwrap();
    assert_eq!(world.phone().await.unwrap().len(), 1);
    assert_eq!(world.state(id, "stato-ordine", "C7").await.unwrap(), domain::message::state::State::Sent);
    let stored =
        world.ledger.event(&world.site().unwrap(), &domain::primitives::id::EventId::parse(id).unwrap()).await.unwrap();
    assert_eq!(stored.unwrap().id, id);
    for refused in ["ordine-é", "a\tb", "bridge:OC1/1320", ""] {
        assert_eq!(world.post(&order_status_changed(refused)).await.unwrap().status, 422, "{refused}");
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_missing_or_wrong_field_is_named_by_its_pointer() {
    let world = World::start().await.unwrap();
    let event = order_status_changed("e-1");
    let mut local_time = event.clone();
    local_time["occurred_at"] = json!("2026-11-22T10:15:00");
    for (event, pointer) in [(without(event, "/data/customer"), "/data/customer"), (local_time, "/occurred_at")] {
        let answer = world.post(&event).await.unwrap();
        assert_eq!((answer.status, answer.content_type.as_str()), (422, "application/problem+json"));
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{}", answer.body);
    }
    let mut unknown = order_status_changed("e-2");
    unknown["type"] = json!("order.exploded");
    let answer = world.post(&unknown).await.unwrap();
    assert_eq!(answer.status, 422);
    assert_eq!(answer.body["known_types"], json!(EventType::ALL));
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_batch_answers_for_each_event_by_its_index() {
    let world = World::start().await.unwrap();
    let broken = without(order_status_changed("e-2"), "/data/customer");
    let upload = file_uploaded("e-3", &json!([{"id": "A", "phone": "3331234567"}]));
    let batch = json!({"events": [order_status_changed("e-1"), broken, upload, {"id": 7}]});
    let answer = world.post_batch(&batch).await.unwrap();
    assert_eq!(answer.status, 202, "{answer:?}");
    let results = answer.body["results"].as_array().unwrap();
    let short: Vec<Value> = results.iter().map(|one| json!([one["index"], one["id"], one["status"]])).collect();
    let expected = [
        json!([0, "e-1", "accepted"]),
        json!([1, "e-2", "refused"]),
        json!([2, "e-3", "accepted"]),
        json!([3, null, "refused"]),
    ];
    assert_eq!(short, expected);
    assert_eq!(results[1]["problem"]["errors"][0]["pointer"], "/data/customer");
    assert_eq!(world.deliver().await.unwrap(), 2);
    assert_eq!(world.phone().await.unwrap().len(), 2);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_full_batch_of_large_events_is_accepted() {
    let world = World::start().await.unwrap();
    let event = |index: usize| {
        let mut event = order_status_changed(&format!("e-{index}"));
        event["data"]["order"]["note"] = json!("è".repeat(4500));
        // The platform would refuse a hundred sends at the same time. This test is about the intake only.
        event["data"]["customer"]["whatsapp_opt_out"] = json!(true);
        event
    };
    let batch: Vec<Value> = (0..100).map(event).collect();
    let answer = world.post_batch(&json!({"events": batch})).await.unwrap();
    assert_eq!(answer.status, 202, "{answer:?}");
    assert!(answer.body["results"].as_array().unwrap().iter().all(|one| one["status"] == "accepted"));
    assert_eq!(world.deliver().await.unwrap(), 100);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_batch_without_a_valid_event_is_refused() {
    let world = World::start().await.unwrap();
    let too_many: Vec<Value> = (0..101).map(|index| order_status_changed(&index.to_string())).collect();
    let broken = without(order_status_changed("e-2"), "/data/customer");
    let cases = [
        (json!({}), "/events"),
        (json!({"events": []}), "/events"),
        (json!({"events": {}}), "/events"),
        (json!([]), "/events"),
        (json!({"events": too_many}), "/events"),
        (json!({"events": [broken]}), "/events/0/data/customer"),
    ];
    for (batch, pointer) in cases {
        let answer = world.post_batch(&batch).await.unwrap();
        assert_eq!(
            (answer.status, answer.body["errors"][0]["pointer"].as_str()),
            (422, Some(pointer)),
            "{}",
            answer.body
        );
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_revoked_key_is_refused_within_a_minute() {
    let world = World::start().await.unwrap();
    world.accept(&order_status_changed("e-1")).await.unwrap();
    let presented = domain::site::credential::PresentedKey::parse(world.api_key()).unwrap();
    let mut key = world.config.key(&presented.key_id).await.unwrap().unwrap();
    key.revoked = true;
    world.config.put_key(&key).await.unwrap();
    world.clock.advance(jiff::SignedDuration::from_secs(60));
    assert_eq!(world.post(&order_status_changed("e-2")).await.unwrap().status, 401);
    world.deliver().await.unwrap();
    world.finish().await.unwrap();
}
