//! Templates with every kind of component, and the effects of a changed template on its mapping.

use std::io::{Read, Write};

use domain::message::reason::Reason;
use domain::message::state::{State, WaitReason};
use jiff::SignedDuration;
use kit::{World, order_status_changed};
use serde_json::{Value, json};
use sync_templates::{RunError, Synced};

use crate::reviews::confirm;

/// The codes that the platform returns for a send with wrong parameters.
const FILLED_WRONGLY: [i64; 4] = [132_000, 132_005, 132_012, 132_018];

/// Lists a template on the platform, syncs, and adds a mapping with its name that fills it. Other mappings remain.
pub(crate) async fn map(world: &World, name: &str, event_type: &str, listed: &Value, filled: &Value) {
    world.set_template(name, "it", listed).await.unwrap();
    sync(world).await.unwrap();
    let site = world.site().unwrap();
    let account = &world.live().await.unwrap().accounts[0].id;
    let known = world.config.templates(&site, account).await.unwrap();
    let template = known.iter().find(|template| template.name == name).unwrap();
    let mut used = json!({"name": name, "language": "it", "fingerprint": template.fingerprint});
    used.as_object_mut().unwrap().extend(filled.as_object().unwrap().clone());
    let mapping = json!({
        "id": name, "name": name, "event_type": event_type, "enabled": true, "active_since": "2020-01-01T00:00:00Z",
        "useful_for": "7d", "templates": {"it": used}
    });
    world.config.put_mapping(&site, &serde_json::from_value(mapping).unwrap()).await.unwrap();
}

/// Runs `sync-templates`. Then waits until `send-message` reads the site's configuration again.
pub(crate) async fn sync(world: &World) -> Result<Synced, RunError> {
    let synced = sync_templates::handle(&world.sync, world.clock.deadline_ms()).await;
    world.clock.advance(SignedDuration::from_secs(15));
    synced
}

pub(crate) async fn raise(world: &World, event: &Value) {
    world.accept(event).await.unwrap();
    world.deliver().await.unwrap();
}

/// An order with its own id, so that no order repeats another.
fn order(id: &str) -> Value {
    let mut event = order_status_changed(id);
    event["data"]["order"]["id"] = json!(id);
    event
}

/// Returns the components of the only message sent with a template.
async fn components(world: &World, template: &str) -> Value {
    let of_template = |message: &Value| message["template"]["name"] == template;
    let mut sent: Vec<Value> = world.phone().await.unwrap().into_iter().filter(of_template).collect();
    assert_eq!(sent.len(), 1, "{template}");
    sent.remove(0)["body"]["template"]["components"].take()
}

/// Returns the reason for which a message of an order was skipped, with the value that decided.
async fn skip(world: &World, event: &str, mapping: &str) -> (Reason, String) {
    match world.state(event, mapping, "C7").await.unwrap() {
        State::Skipped(skip) => (skip.reason, skip.detail),
        other => panic!("not skipped but {other}"),
    }
}

pub(crate) async fn nothing_was_filled_wrongly(world: &World) {
    let requests = world.simulator_get("/_sim/requests").await.unwrap();
    for request in requests.as_array().unwrap() {
        let code = request["code"].as_i64();
        assert!(!code.is_some_and(|code| FILLED_WRONGLY.contains(&code)), "{request}");
    }
}

#[tokio::test]
async fn a_template_with_every_part_arrives_as_approved() {
    let world = World::start().await.unwrap();
    let listed = json!({"parameter_format": "NAMED", "components": [
        {"type": "HEADER", "format": "DOCUMENT"},
        {"type": "BODY", "text": "Ciao {{nome}}, il documento {{sigla}} è pronto: {{totale}} in tutto."},
        {"type": "FOOTER", "text": "Grazie"},
        {"type": "BUTTONS", "buttons": [
            {"type": "QUICK_REPLY", "text": "Ricevuto"},
            {"type": "PHONE_NUMBER", "text": "Chiama", "phone_number": "+390236269240"},
            {"type": "URL", "text": "Sito", "url": "https://www.example.com"},
            {"type": "URL", "text": "Apri", "url": "https://www.example.com/ordini/{{1}}"},
            {"type": "COPY_CODE", "text": "Copia codice offerta"}
        ]}
    ]});
    let filled = json!({
        "header": {"document": {
            "link": {"text": "https://www.example.com/doc/Ordine 1320.pdf"}, "filename": {"text": "Ordine 1320.pdf"}
        }},
        "body": {
            "nome": {"variable": "first_name"}, "sigla": {"variable": "order.code"},
            "totale": {"variable": "order.total", "format": "number"}
        },
        "buttons": {
            "0": {"payload": {"variable": "order.id"}}, "3": {"suffix": {"variable": "site.url"}},
            "4": {"code": {"text": "GRAZIE10"}}
        }
    });
    map(&world, "documento_pronto", "order.status_changed", &listed, &filled).await;
    raise(&world, &order("e-1")).await;
    assert_eq!(world.state("e-1", "documento_pronto", "C7").await.unwrap(), State::Sent);
    let expected = json!([
        {"type": "header", "parameters": [{"type": "document", "document": {
            "link": "https://www.example.com/doc/Ordine%201320.pdf", "filename": "Ordine 1320.pdf"
        }}]},
        {"type": "body", "parameters": [
            {"type": "text", "parameter_name": "nome", "text": "Anna"},
            {"type": "text", "parameter_name": "sigla", "text": "OC1/1320"},
            {"type": "text", "parameter_name": "totale", "text": "129,90"}
        ]},
        {"type": "button", "sub_type": "quick_reply", "index": "0", "parameters": [{"type": "payload", "payload": "e-1"}]},
        {"type": "button", "sub_type": "url", "index": "3", "parameters": [{"type": "text", "text": "1320"}]},
        {"type": "button", "sub_type": "copy_code", "index": "4",
         "parameters": [{"type": "coupon_code", "coupon_code": "GRAZIE10"}]}
    ]);
    assert_eq!(components(&world, "documento_pronto").await, expected);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn every_kind_of_header_arrives() {
    let world = World::start().await.unwrap();
    let link = "https://www.example.com/foto.jpg";
    let table = [
        (
            "h_text",
            json!({"format": "TEXT", "text": "Ordine {{1}}"}),
            json!({"text": {"1": {"variable": "order.code"}}}),
            json!({"type": "text", "text": "OC1/1320"}),
        ),
        (
            "h_image",
            json!({"format": "IMAGE"}),
            json!({"image": {"link": {"text": link}}}),
            json!({"type": "image", "image": {"link": link}}),
        ),
        (
            "h_video",
            json!({"format": "VIDEO"}),
            json!({"video": {"link": {"text": link}}}),
            json!({"type": "video", "video": {"link": link}}),
        ),
    ];
    for (name, header, filled, _) in &table {
        let mut header = header.clone();
        header["type"] = json!("HEADER");
        let listed = json!({"components": [header, {"type": "BODY", "text": "Novità."}]});
        map(&world, name, "order.status_changed", &listed, &json!({ "header": filled })).await;
    }
    raise(&world, &order("e-1")).await;
    for (name, _, _, parameter) in &table {
        assert_eq!(components(&world, name).await, json!([{"type": "header", "parameters": [parameter]}]), "{name}");
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_part_without_its_value_is_a_skip_that_names_it() {
    let world = World::start().await.unwrap();
    let body = json!({"type": "BODY", "text": "Novità."});
    let button =
        json!({"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Segui", "url": "https://t.example/{{1}}"}]});
    let tracked = json!({"buttons": {"0": {"suffix": {"variable": "order.tracking_number"}}}});
    map(&world, "segui", "order.status_changed", &json!({"components": [body, button]}), &tracked).await;
    let image = json!({"components": [{"type": "HEADER", "format": "IMAGE"}, body]});
    let insecure = json!({"header": {"image": {"link": {"text": "http://www.example.com/a.png"}}}});
    map(&world, "foto", "order.status_changed", &image, &insecure).await;
    let carousel = json!({"components": [body, {"type": "CAROUSEL", "cards": []}]});
    map(&world, "giostra", "order.status_changed", &carousel, &json!({})).await;
    raise(&world, &order("e-1")).await;
    let missing = "buttons.0.suffix = order.tracking_number".to_owned();
    assert_eq!(skip(&world, "e-1", "segui").await, (Reason::ValueMissing, missing));
    let insecure = "header.image.link: is no https address".to_owned();
    assert_eq!(skip(&world, "e-1", "foto").await, (Reason::ValueMissing, insecure));
    let unusable = "giostra (it): it has a part of the kind CAROUSEL".to_owned();
    assert_eq!(skip(&world, "e-1", "giostra").await, (Reason::TemplateNotUsable, unusable));
    nothing_was_filled_wrongly(&world).await;
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_template_changed_in_any_way_stops_its_mapping_at_the_next_sync() {
    let world = World::start().await.unwrap();
    let body = json!({"type": "BODY", "text": "Novità per {{1}}."});
    let approved = json!({"status": "APPROVED", "category": "UTILITY", "components": [body]});
    map(&world, "novita", "order.status_changed", &approved, &json!({"body": {"1": {"variable": "order.code"}}})).await;
    let sent = || async {
        let all = world.phone().await.unwrap();
        all.iter().filter(|message| message["template"]["name"] == "novita").count()
    };
    raise(&world, &order("before")).await;
    assert_eq!(sent().await, 1);
    let with_button = json!([body, {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Apri", "url": "https://example.com/{{1}}"}]}]);
    for (id, change, reason, detail) in [
        ("edited", json!({"components": with_button}), Reason::TemplateChanged, "novita (it): content, since 20"),
        ("recategorised", json!({"category": "MARKETING"}), Reason::TemplateChanged, "novita (it): category, since 20"),
        ("pending", json!({"status": "PENDING"}), Reason::TemplateNotApproved, "novita (it): PENDING"),
    ] {
        let before = sent().await;
        world.set_template("novita", "it", &change).await.unwrap();
        sync(&world).await.unwrap();
        raise(&world, &order(id)).await;
        let (why, value) = skip(&world, id, "novita").await;
        assert!(why == reason && value.starts_with(detail), "{id}: {why} {value}");

        // Restored: a template that was approved again continues, and an edited one waits for an operator.
        world.set_template("novita", "it", &approved).await.unwrap();
        sync(&world).await.unwrap();
        let back = format!("{id}-and-back");
        raise(&world, &order(&back)).await;
        if reason == Reason::TemplateChanged {
            assert_eq!(skip(&world, &back, "novita").await, (reason, value));
            confirm(&world, "novita").await;
            raise(&world, &order(&format!("{id}-and-confirmed"))).await;
        }
        assert_eq!(sent().await, before + 1, "{id}");
    }
    let before = sent().await;
    world.delete_template("novita", "it").await.unwrap();
    sync(&world).await.unwrap();
    raise(&world, &order("deleted")).await;
    let gone = "novita (it): not in the account's list".to_owned();
    assert_eq!(skip(&world, "deleted", "novita").await, (Reason::TemplateNotApproved, gone));
    assert_eq!(sent().await, before, "nothing more was sent");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn messages_of_a_paused_template_wait_until_it_is_approved_or_they_expire() {
    let world = World::start().await.unwrap();
    let hour = SignedDuration::from_hours(1);
    let body = json!({"type": "BODY", "text": "Novità per {{1}}."});
    let approved = json!({"status": "APPROVED", "category": "UTILITY", "components": [body]});
    map(&world, "novita", "order.status_changed", &approved, &json!({"body": {"1": {"variable": "order.code"}}})).await;
    world.set_template("novita", "it", &json!({"status": "PAUSED"})).await.unwrap();
    sync(&world).await.unwrap();
    let fresh = |id: &str| {
        let mut event = order(id);
        event["occurred_at"] = json!(world.clock.now().to_string());
        event
    };
    let six = domain::mapping::UsefulFor::parse("6h").unwrap();
    world.configure("novita", |_, mapping| mapping.useful_for = Some(six)).await.unwrap();
    raise(&world, &fresh("waits")).await;
    let mut old = order("old");
    old["occurred_at"] = json!((world.clock.now() - hour * 5).to_string());
    raise(&world, &old).await;
    for id in ["waits", "old"] {
        let State::Waiting(waiting) = world.state(id, "novita", "C7").await.unwrap() else { panic!("{id}") };
        assert_eq!((waiting.why, waiting.detail.as_str()), (WaitReason::TemplateHeld, "novita (it), PAUSED"));
    }
    world.pass(hour * 3).await.unwrap();
    assert_eq!(skip(&world, "old", "novita").await.0, Reason::Expired);
    world.set_template("novita", "it", &approved).await.unwrap();
    sync(&world).await.unwrap();
    world.pass(hour).await.unwrap();
    assert_eq!(world.state("waits", "novita", "C7").await.unwrap(), State::Sent);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn newly_approved_templates_are_synced_together_within_a_minute() {
    let world = World::start().await.unwrap();
    let approved = |name: &str| {
        json!({"field": "message_template_status_update", "value": {"event": "APPROVED",
            "message_template_id": 1, "message_template_name": name, "message_template_language": "it"}})
    };
    let input = json!({"asked": true});
    let asked = || sync_templates::handle_tick(&world.sync, &input, world.clock.deadline_ms());
    assert_eq!(asked().await.unwrap(), Synced::default(), "nobody asked");
    for name in ["novita", "saldi"] {
        let body = json!({"components": [{"type": "BODY", "text": "Novità per {{1}}."}]});
        world.set_template(name, "it", &body).await.unwrap();
        assert_eq!(world.report(&approved(name)).await.unwrap().status, 200);
    }
    world.deliver_reports().await.unwrap();
    assert_eq!(asked().await.unwrap().accounts, 1, "once for both");
    let (site, live) = (world.site().unwrap(), world.live().await.unwrap());
    let known = world.config.templates(&site, &live.accounts[0].id).await.unwrap();
    assert!(["novita", "saldi"].iter().all(|name| known.iter().any(|template| template.name == *name)));
    assert_eq!(asked().await.unwrap(), Synced::default(), "it was answered");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_changed_quality_score_or_example_does_not_stop_a_template() {
    let world = World::start().await.unwrap();
    let body =
        |example: &str| json!({"type": "BODY", "text": "Novità per {{1}}.", "example": {"body_text": [[example]]}});
    let filled = json!({"body": {"1": {"variable": "order.code"}}});
    let listed = json!({"components": [body("a")], "quality_score": {"score": "GREEN", "date": 1}});
    map(&world, "novita", "order.status_changed", &listed, &filled).await;
    let again = json!({"components": [body("b")], "quality_score": "RED"});
    world.set_template("novita", "it", &again).await.unwrap();
    sync(&world).await.unwrap();
    raise(&world, &order("e-1")).await;
    assert_eq!(world.state("e-1", "novita", "C7").await.unwrap(), State::Sent);
    world.finish().await.unwrap();
}

/// Serves a first page that links to a next one, closes the connection at the second request, and ends.
fn list_that_breaks_off() -> (String, std::thread::JoinHandle<()>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let page = json!({"data": [], "paging": {"cursors": {"after": "c"}, "next": "https://graph.example/"}}).to_string();
    let answer = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{page}", page.len());
    let serving = std::thread::spawn(move || {
        for answer in [answer, String::new()] {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 8192];
            let read = stream.read(&mut request).unwrap();
            assert!(request[..read].starts_with(b"GET /v1/"));
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (url, serving)
}

#[tokio::test]
async fn an_incomplete_template_list_changes_nothing() {
    let world = World::start().await.unwrap();
    let site = world.site().unwrap();
    let account = world.live().await.unwrap().accounts[0].clone();
    let known = world.config.templates(&site, &account.id).await.unwrap();
    let unchanged = || async { assert_eq!(world.config.templates(&site, &account.id).await.unwrap(), known) };

    let (base_url, serving) = list_that_breaks_off();
    let broken = domain::site::config::Account { base_url, ..account.clone() };
    world.config.put_account(&site, &broken).await.unwrap();
    let result = sync(&world).await;
    assert!(matches!(result, Err(RunError::Incomplete { failed: 1, .. })), "{result:?}");
    serving.join().unwrap();
    unchanged().await;

    // The account of another number is not accessible with this token.
    let foreign = domain::site::config::Account { waba_id: "1".to_owned(), ..account.clone() };
    world.config.put_account(&site, &foreign).await.unwrap();
    assert!(sync(&world).await.is_err());
    unchanged().await;

    world.config.put_account(&site, &account).await.unwrap();
    for template in known.iter().filter(|template| template.name != "conferma_ordine") {
        world.delete_template(&template.name, template.language.as_str()).await.unwrap();
    }
    assert!(sync(&world).await.is_err());
    let refused = world.sync_templates(&account).await.unwrap_err().to_string();
    assert!(refused.ends_with("templates are no longer listed, which is more than 20 %"), "{refused}");
    unchanged().await;
    raise(&world, &order("e-1")).await;
    assert_eq!(world.state("e-1", "stato-ordine", "C7").await.unwrap(), State::Sent);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn inactive_sites_and_accounts_are_left_alone() {
    let world = World::start().await.unwrap();
    let (site, live) = (world.site().unwrap(), world.live().await.unwrap());
    assert_eq!(sync(&world).await.unwrap().accounts, 1);
    let inactive = domain::site::config::Account { active: false, ..live.accounts[0].clone() };
    world.config.put_account(&site, &inactive).await.unwrap();
    assert_eq!(sync(&world).await.unwrap(), Synced::default());
    world.config.put_account(&site, &live.accounts[0]).await.unwrap();
    world.config.put_site(&domain::site::config::Site { active: false, ..live.site }).await.unwrap();
    assert_eq!(sync(&world).await.unwrap(), Synced::default());
    world.finish().await.unwrap();
}
