//! Dry runs: what `/v1/events/validate` answers, and that it leaves no trace. `reasons.rs` compares its warnings with the
//! recorded reasons.

use jiff::SignedDuration;
use kit::{Planned, Trouble, World, message_sent, order_status_changed};
use serde_json::{Value, json};

const PATH: &str = "/v1/events/validate";

/// Returns the codes of the warnings about an event.
pub(crate) async fn codes(world: &World, event: &Value) -> Vec<String> {
    let answer = world.request(PATH, &[("x-api-key", world.api_key())], event.to_string().as_bytes()).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    let warnings = answer.body["warnings"].as_array().unwrap();
    warnings.iter().map(|warning| warning["code"].as_str().unwrap().to_owned()).collect()
}

/// Anna's order with every field that a dry run warns about.
fn complete_order() -> Value {
    let mut event = order_status_changed("e-1");
    event["data"]["customer"]["whatsapp_opt_out"] = json!(false);
    event
}

#[tokio::test]
async fn a_dry_run_answers_what_the_bridge_understands() {
    let world = World::start().await.unwrap();
    let people = json!([
        {"id": "A", "phone": "340 1234567", "country": "Italia", "language": "en", "whatsapp_opt_out": false},
        {"id": "B", "phone": "079 123 45 67", "country": "CH"},
        {"id": "C", "phone": "079 123 45 67", "country": "Svizera", "whatsapp_opt_out": false},
    ]);
    let body = message_sent("e-1", &people).to_string();
    let headers = [("x-api-key", world.api_key()), ("accept-language", "it-IT,it;q=0.9,en;q=0.8")];
    let answer = world.request(PATH, &headers, body.as_bytes()).await.unwrap();
    let recipient = |place: usize, id: &str, phone: Option<&str>, country: Option<&str>, language: &str| {
        let pointer = format!("/data/recipients/{place}");
        json!({"id": id, "role": "recipients", "pointer": pointer, "phone": phone, "country": country,
            "language": language})
    };
    let expected = json!([
        recipient(0, "A", Some("+393401234567"), Some("IT"), "en"),
        recipient(1, "B", Some("+41791234567"), Some("CH"), "it"),
        recipient(2, "C", None, None, "it"),
    ]);
    assert_eq!(answer.body["recipients"], expected);
    let event = message_sent("e-1", &people);
    assert_eq!((&answer.body["id"], &answer.body["type"]), (&event["id"], &event["type"]));
    assert_eq!(answer.body["occurred_at"], "2026-11-22T09:15:00Z");
    let warnings = json!([
        {"code": "missing_opt_out", "pointer": "/data/recipients/1/whatsapp_opt_out", "message":
            "Manca whatsapp_opt_out: vale l'ultimo valore registrato, e senza alcun valore il messaggio parte."},
        {"code": "phone_invalid", "pointer": "/data/recipients/2/phone", "message":
            "Il numero di telefono del destinatario non è valido.",
            "detail": "079 123 45 67: no prefix, and no country is called Svizera"},
        {"code": "unknown_country", "pointer": "/data/recipients/2/country", "detail": "Svizera", "message":
            "Il paese non è riconosciuto: un numero senza prefisso internazionale non viene usato."},
    ]);
    assert_eq!(answer.body["warnings"], warnings);
    assert_eq!((answer.status, answer.content_type.as_str()), (200, "application/json"));
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_dry_run_reads_the_key_and_the_configuration_and_writes_nothing() {
    let world = World::start().await.unwrap();
    let _before = world.wire.take_calls();
    assert_eq!(codes(&world, &complete_order()).await, Vec::<String>::new());
    let calls: Vec<(String, usize)> = world.wire.take_calls().into_iter().collect();
    assert_eq!(calls, [("GetItem".to_owned(), 1), ("Query".to_owned(), 1)]);
    assert_eq!(world.deliver().await.unwrap(), 0);
    assert!(world.phone().await.unwrap().is_empty());
    // The event itself is still new.
    world.accept(&order_status_changed("e-1")).await.unwrap();
    world.deliver().await.unwrap();
    assert_eq!(world.phone().await.unwrap().len(), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_refused_event_gets_the_same_problem_as_a_real_one() {
    let world = World::start().await.unwrap();
    let key = world.api_key().to_owned();
    let mut no_customer = order_status_changed("e-1");
    no_customer["data"].as_object_mut().unwrap().remove("customer");
    let mut unknown = order_status_changed("e-1");
    unknown["type"] = json!("order.exploded");
    let batch = json!({"events": [order_status_changed("e-1")]});
    let large = json!({"x": "x".repeat(64 * 1024)});
    let bodies = [no_customer, unknown, batch, large, json!([])].map(|body| body.to_string());
    let cases = bodies.iter().map(|body| (vec![("x-api-key", key.as_str())], body.as_str())).chain([
        (vec![("x-api-key", key.as_str())], "{"),
        (vec![("x-api-key", key.as_str()), ("content-type", "text/plain")], "{}"),
        (vec![], "{}"),
        (vec![("x-api-key", "pwb_nobody_AAAA")], "{}"),
    ]);
    for (headers, body) in cases {
        let real = world.request("/v1/events", &headers, body.as_bytes()).await.unwrap();
        let dry = world.request(PATH, &headers, body.as_bytes()).await.unwrap();
        assert!(real.status >= 400, "{body:.80}");
        assert_eq!((dry.status, dry.content_type, dry.body), (real.status, real.content_type, real.body), "{body:.80}");
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_configuration_that_cannot_be_read_is_503() {
    let world = World::start().await.unwrap();
    let body = order_status_changed("e-1").to_string();
    let (operation, trouble, takes) = ("Query", Trouble::Unreachable, SignedDuration::ZERO);
    world.wire.plan(Planned { operation, containing: "LIVE#", trouble, after: 0, times: 1, takes });
    let answer = world.request(PATH, &[("x-api-key", world.api_key())], body.as_bytes()).await.unwrap();
    assert_eq!((answer.status, &answer.body["type"]), (503, &json!("urn:passweb-bridge:problem:not-ready")));
    world.finish().await.unwrap();
}
