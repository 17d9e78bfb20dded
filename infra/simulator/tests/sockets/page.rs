//! The phone: its files and the view that they read.

use serde_json::{Value, json};

use crate::world::{World, notice, order};

#[tokio::test]
async fn the_page_loads_nothing_external_and_its_policy_forbids_it() {
    let world = World::start().await;
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/phone.css", "text/css; charset=utf-8"),
        ("/answer.css", "text/css; charset=utf-8"),
        ("/phone.js", "text/javascript; charset=utf-8"),
        ("/page.js", "text/javascript; charset=utf-8"),
        ("/ticks.js", "text/javascript; charset=utf-8"),
        ("/answer.js", "text/javascript; charset=utf-8"),
        ("/icon.svg", "image/svg+xml"),
    ] {
        let response = world.client.get(format!("{}{path}", world.running.url())).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(response.headers()["content-type"], kind);
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        let text = response.text().await.unwrap().replace("http://www.w3.org/2000/svg", "");
        for foreign in ["http://", "innerHTML", "style=", "onclick="] {
            assert!(!text.contains(foreign), "{path} has {foreign}");
        }
    }
}

#[tokio::test]
async fn the_view_returns_only_new_content() {
    let world = World::start().await;
    let empty = world.get("/_sim/phone").await;
    assert_eq!((&empty["anew"], &empty["messages"]), (&json!(true), &json!([])));
    let after = |view: &serde_json::Value| format!("/_sim/phone?after={}", view["cursor"].as_str().unwrap());

    world.send(&notice("+393401234567")).await;
    let first = world.get(&after(&empty)).await;
    assert_eq!(first["anew"], false);
    let message = &first["messages"][0];
    assert_eq!(
        message,
        &json!({
            "id": message["id"],
            "wa_id": "393401234567",
            "template": {"name": "avviso", "language": "it"},
            "category": "UTILITY",
            "received_at": "2026-11-22T09:15:00Z",
            "header": {"kind": "text", "text": "Avviso", "filename": null},
            "body": "Ciao Anna.",
            "footer": "STOP per uscire",
            "buttons": [
                {"kind": "quick_reply", "text": "Grazie", "value": null},
                {"kind": "url", "text": "Apri", "value": "https://negozio.example/a1"},
            ],
        })
    );
    world.send(&order("nessuno")).await;
    let second = world.get(&after(&first)).await;
    assert_eq!(second["messages"], json!([]));
    assert_eq!((&second["refused"][0]["code"], &second["refused"][0]["to"]), (&json!(131009), &json!("nessuno")));
    let third = world.get(&after(&second)).await;
    assert_eq!((&third["messages"], &third["refused"]), (&json!([]), &json!([])));
}

#[tokio::test]
async fn the_view_returns_ticks_of_older_messages_and_answers() {
    let (world, _receiver) = World::with_receiver().await;
    world.post("/_sim/statuses", json!({"mode": "delayed", "delay_ms": 1})).await;
    let id = world.send(&order("+393401234567")).await.1["messages"][0]["id"].clone();
    let first = world.get("/_sim/phone").await;
    assert_eq!(first["messages"][0]["id"], id);
    world.running.webhooks_idle().await;
    world.post("/_sim/statuses", json!({"mode": "failed", "code": 131026})).await;
    let failed = world.send(&order("+393401234567")).await.1["messages"][0]["id"].clone();
    let answer = world.post("/_sim/inbound", json!({"from": "+393401234567", "text": "<b>Grazie</b>"})).await;

    let all = world.get("/_sim/phone").await;
    let tick = |id: &Value, status: &str, code: Option<i64>| json!({"id": id, "status": status, "code": code});
    let ticks = [
        tick(&id, "sent", None),
        tick(&id, "delivered", None),
        tick(&id, "read", None),
        tick(&failed, "failed", Some(131026)),
    ];
    assert_eq!(all["ticks"], json!(ticks));
    assert_eq!(
        all["inbound"],
        json!([{"id": answer["id"], "wa_id": "393401234567", "body": "<b>Grazie</b>",
                "received_at": "2026-11-22T09:15:00Z"}])
    );
    let next = world.get(&format!("/_sim/phone?after={}", all["cursor"].as_str().unwrap())).await;
    assert_eq!((&next["anew"], &next["ticks"], &next["inbound"]), (&json!(false), &json!([]), &json!([])));
}

#[tokio::test]
async fn a_reset_or_a_restart_starts_the_page_anew() {
    let world = World::start().await;
    world.send(&order("+393401234567")).await;
    let cursor = world.get("/_sim/phone").await["cursor"].as_str().unwrap().to_owned();
    let path = format!("/_sim/phone?after={cursor}");
    assert_eq!(world.get(&path).await["anew"], false);
    world.post("/_sim/reset", json!({})).await;
    assert_eq!(world.get(&path).await["anew"], true);
    assert_eq!(World::start().await.get(&path).await["anew"], true);
    assert_eq!(world.get("/_sim/phone?after=altro").await["anew"], true);
}
