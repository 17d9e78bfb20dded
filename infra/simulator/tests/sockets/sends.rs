//! Sends: the answer, each refusal, the limits.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{TOKEN, World, notice, order, read};

#[tokio::test]
async fn a_good_send_is_accepted_and_kept() {
    let world = World::start().await;
    let sent = order("+39 340 1234567");
    let (status, answer) = world.send(&sent).await;
    assert_eq!(status, 200);
    let id = answer["messages"][0]["id"].as_str().unwrap();
    assert!(id.starts_with("wamid."));
    assert_eq!(
        answer,
        json!({
            "messaging_product": "whatsapp",
            "contacts": [{"input": "+39 340 1234567", "wa_id": "393401234567"}],
            "messages": [{"id": id, "message_status": "accepted"}],
        })
    );
    assert_eq!(
        world.get("/_sim/messages").await,
        json!([{
            "id": id,
            "to": "+39 340 1234567",
            "template": {"name": "stato_ordine", "language": "it"},
            "text": "Ciao Anna, il tuo ordine A-1 è cambiato.",
            "body": sent,
            "biz_opaque_callback_data": "m-1",
            "received_at": "2026-11-22T09:15:00Z",
        }])
    );
}

#[tokio::test]
async fn named_parameters_and_buttons_counted_over_all_are_accepted() {
    let world = World::start().await;
    assert_eq!(world.send(&notice("+393401234567")).await.0, 200);
    let messages = world.get("/_sim/messages").await;
    assert_eq!(messages[0]["text"], "Ciao Anna.");
    assert_eq!(messages[0]["biz_opaque_callback_data"], Value::Null);
}

#[tokio::test]
async fn each_refusal_has_its_code_and_status_and_is_recorded() {
    let world = World::start().await;
    world.post("/_sim/templates/fermo/it", json!({"status": "PAUSED"})).await;
    world.post("/_sim/templates/spento/it", json!({"status": "DISABLED"})).await;
    let with = |pointer: &str, value: Value| {
        let mut body = order("+393401234567");
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    let text = "/template/components/0/parameters/0/text";
    let mut misspelt = order("+393401234567");
    misspelt["recipent_type"] = json!("individual");
    let mut missing = order("+393401234567");
    missing.as_object_mut().unwrap().remove("to");
    let mut unnamed = notice("+393401234567");
    unnamed["template"]["components"][0]["parameters"][0].as_object_mut().unwrap().remove("parameter_name");
    let mut misplaced = notice("+393401234567");
    misplaced["template"]["components"][1]["index"] = json!(0);
    let no_components = |name: &str| with("/template", json!({"name": name, "language": {"code": "it"}}));

    let cases = [
        (misspelt, 400, 100),
        (unnamed, 400, 100),
        (missing, 400, 131008),
        (with("/to", json!("nessuno")), 400, 131009),
        (with("/biz_opaque_callback_data", json!("x".repeat(513))), 400, 131009),
        (with("/to", json!("+390212345678")), 400, 131021),
        (with("/type", json!("text")), 400, 131051),
        (with("/template/components/0/parameters", json!([])), 400, 132000),
        (with("/template/language/code", json!("it_IT")), 404, 132001),
        (with(text, json!("x".repeat(1024))), 400, 132005),
        (misplaced, 400, 132012),
        (no_components("fermo"), 400, 132015),
        (no_components("spento"), 400, 132016),
        (with(text, json!("una riga\ndue righe")), 400, 132018),
    ];
    for (body, status, code) in &cases {
        let (got, answer) = world.send(body).await;
        assert_eq!((got, answer["error"]["code"].as_i64()), (*status, Some(*code)), "{answer}");
        assert_eq!(answer["error"]["type"], "OAuthException");
        assert!(answer["error"]["message"].as_str().unwrap().starts_with(&format!("(#{code}) ")));
        assert_eq!(answer["error"]["error_data"]["messaging_product"], "whatsapp");
        assert!(answer["error"]["error_data"]["details"].is_string());
        assert!(answer["error"]["fbtrace_id"].is_string());
    }
    assert_eq!(world.get("/_sim/messages").await, json!([]));
    let requests = world.get("/_sim/requests").await;
    let recorded: Vec<_> =
        requests.as_array().unwrap().iter().map(|request| request["code"].as_i64().unwrap()).collect();
    assert_eq!(recorded, cases.map(|(_, _, code)| code));
    assert_eq!(
        requests[9],
        json!({"to": "+393401234567", "template": "stato_ordine", "status": 400, "code": 132005, "accepted": false,
               "received_at": "2026-11-22T09:15:00Z"})
    );
}

#[tokio::test]
async fn token_ids_and_paths_are_checked() {
    let world = World::start().await;
    let post = |path: &str, token: &str| {
        let request = world.client.post(format!("{}{path}", world.running.url())).json(&order("+393401234567"));
        let request = if token.is_empty() { request } else { request.bearer_auth(token) };
        async move { read(request.send().await.unwrap()).await }
    };
    for token in ["another", ""] {
        let (status, answer) = post("/v1/1001/messages", token).await;
        assert_eq!((status, &answer["error"]["code"]), (401, &json!(190)));
        assert_eq!(answer["error"]["type"], "OAuthException");
    }
    let (status, answer) = post("/v1/9999/messages", TOKEN).await;
    assert_eq!((status, &answer["error"]["code"], &answer["error"]["error_subcode"]), (400, &json!(100), &json!(33)));
    for path in ["/1001/messages", "/x/1001/messages", "/v1/1001/messages/", "/v1/1001/altro"] {
        assert_eq!(post(path, TOKEN).await.1["error"]["code"], 2500, "{path}");
    }
    for path in ["/v1/1001/messages", "/v23.0/1001/messages", "/v1/messages"] {
        assert_eq!(post(path, TOKEN).await.0, 200, "{path}");
    }
    assert_eq!(world.get("/_sim/requests").await.as_array().unwrap().len(), 6, "unknown paths are no sends");
}

#[tokio::test]
async fn a_body_that_is_not_json_is_refused() {
    let world = World::start().await;
    let url = format!("{}/v1/1001/messages", world.running.url());
    let post = |kind: &'static str, body: Vec<u8>| {
        let request = world.client.post(&url).bearer_auth(TOKEN).header("content-type", kind).body(body);
        async move { read(request.send().await.unwrap()).await }
    };
    let good = order("+393401234567").to_string().into_bytes();
    for (kind, body) in [
        ("application/json", b"{".to_vec()),
        ("application/json", vec![0xff, 0xfe]),
        ("application/json", vec![b' '; 3 << 20]),
        ("text/plain", good.clone()),
    ] {
        let (status, answer) = post(kind, body).await;
        assert_eq!((status, &answer["error"]["code"]), (400, &json!(100)), "{kind}");
    }
    assert_eq!(post("application/json; charset=utf-8", good).await.0, 200);
    assert_eq!(world.get("/_sim/requests").await[0]["to"], Value::Null);
}

#[tokio::test]
async fn the_limits_follow_the_clock() {
    let world = World::start().await;
    for _ in 0..45 {
        assert_eq!(world.send(&order("+393401234567")).await.0, 200);
    }
    let (status, answer) = world.send(&order("+39 340 1234567")).await;
    assert_eq!((status, &answer["error"]["code"]), (429, &json!(131056)));
    for n in 0..35 {
        assert_eq!(world.send(&order(&format!("+3934000000{n:02}"))).await.0, 200);
    }
    let (status, answer) = world.send(&order("+393409999999")).await;
    assert_eq!((status, &answer["error"]["code"]), (429, &json!(130429)));

    world.advance_ms(6_000);
    assert_eq!(world.send(&order("+393401234567")).await.0, 200);
    assert_eq!(world.send(&order("+393401234567")).await.0, 429);
    world.call(Method::POST, "/_sim/reset", "").await;
    assert_eq!(world.send(&order("+393401234567")).await.0, 200, "a reset makes the limits whole");
}

#[tokio::test]
async fn the_numbers_limit_is_set() {
    let world = World::start().await;
    world.post("/_sim/limits", json!({"messages_per_second": 2})).await;
    for (n, status) in [200, 200, 429].into_iter().enumerate() {
        assert_eq!(world.send(&order(&format!("+3934000000{n:02}"))).await.0, status);
    }
    world.advance_ms(500);
    assert_eq!(world.send(&order("+393409999999")).await.0, 200);
}

#[tokio::test]
async fn two_simulators_never_give_the_same_id() {
    let (one, other) = (World::start().await, World::start().await);
    let first = one.send(&order("+393401234567")).await.1["messages"][0]["id"].clone();
    let second = other.send(&order("+393401234567")).await.1["messages"][0]["id"].clone();
    assert_ne!(first, second);
}
