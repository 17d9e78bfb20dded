use serde_json::json;

use super::*;
use crate::primitives::id::{AccountId, SiteId};
use crate::site::config::Site;

fn account() -> Account {
    serde_json::from_value(json!({
        "id": "main", "base_url": "https://example.com", "phone_number_id": "1", "waba_id": "2",
    }))
    .unwrap()
}

fn template(change: &Value) -> (AccountId, Template) {
    let mut fields = json!({
        "name": "stato", "language": "it", "status": "APPROVED", "category": "UTILITY",
        "body": "Ciao {{1}}, l'ordine {{2}} è pronto.", "fingerprint": "now",
    });
    for (name, value) in change.as_object().unwrap() {
        fields[name] = value.clone();
    }
    (AccountId::parse("main").unwrap(), serde_json::from_value(fields).unwrap())
}

fn config() -> LiveConfig {
    LiveConfig {
        site: Site::new(SiteId::parse("demo").unwrap()),
        accounts: vec![account()],
        mappings: Vec::new(),
        templates: vec![
            template(&json!({})),
            template(&json!({"language": "en"})),
            template(&json!({"name": "promo", "category": "MARKETING"})),
            template(&json!({"name": "codice", "category": "AUTHENTICATION"})),
            template(&json!({"name": "fermo", "status": "PAUSED"})),
            template(&json!({"name": "giostra", "unusable": "it has a part of the kind CAROUSEL"})),
            template(&json!({
                "name": "pieno", "header": {"kind": "media", "media": "document"}, "buttons": [
                    {"kind": "url", "text": "Sito", "url": "https://example.com"},
                    {"kind": "url_with_suffix", "text": "Segui", "base": "https://example.com/"},
                    {"kind": "quick_reply", "text": "Ok"},
                ],
            })),
        ],
        holds: Vec::new(),
    }
}

fn mapping() -> Value {
    json!({
        "id": "ordini", "name": "Ordini", "event_type": "order.status_changed", "enabled": true,
        "active_since": "2020-01-01T00:00:00Z",
        "templates": {"it": {"name": "stato", "language": "it", "body": {
            "1": {"variable": "recipient.full_name", "default": "cliente"}, "2": {"variable": "order.code"},
        }}},
    })
}

fn found(document: &Value) -> Vec<(String, &'static str)> {
    let findings = check(document, &config()).findings;
    findings.into_iter().map(|finding| (finding.path, finding.problem.code())).collect()
}

#[track_caller]
fn one(change: impl FnOnce(&mut Value), path: &str, code: &str) {
    let mut document = mapping();
    change(&mut document);
    assert_eq!(found(&document), [(path.to_owned(), code)], "{document}");
}

#[test]
fn a_valid_mapping_gets_its_missing_fingerprint() {
    let checked = check(&mapping(), &config());
    assert_eq!(checked.findings, []);
    let uses = &checked.mapping.unwrap().templates;
    assert_eq!(uses[&Language::italian()].fingerprint, "now");
}

#[test]
fn wrong_types_in_several_places_are_all_reported() {
    let document = json!({
        "id": "or dini", "name": 7, "event_type": "order.status_changed", "enabled": "sì",
        "active_since": "ieri", "useful_for": "3 weeks", "colour": "red", "order_kinds": ["order", "letter", "fax"],
        "templates": {
            "it": {"name": "stato", "language": "italiano", "body": {"1": {"variable": "order.cod"}, "2": {"text": 3}}},
            "klingon": {"name": "stato", "language": "it", "body": {"1": {"text": " "}, "2": "x", "0": {"text": "x"}}},
        },
    });
    let expected = [
        ("/active_since", "wrong_value"),
        ("/colour", "unknown_field"),
        ("/enabled", "wrong_value"),
        ("/id", "wrong_value"),
        ("/name", "wrong_value"),
        ("/order_kinds/1", "wrong_value"),
        ("/order_kinds/2", "wrong_value"),
        ("/templates/it/body/1/variable", "unknown_variable"),
        ("/templates/it/body/2", "wrong_value"),
        ("/templates/it/language", "wrong_value"),
        ("/templates/klingon", "wrong_value"),
        ("/templates/klingon/body/0", "wrong_value"),
        ("/templates/klingon/body/1/text", "empty_text"),
        ("/templates/klingon/body/2", "wrong_value"),
        ("/useful_for", "wrong_value"),
    ];
    assert_eq!(found(&document), expected.map(|(path, code)| (path.to_owned(), code)));
    assert_eq!(check(&document, &config()).mapping, None);
}

#[test]
fn missing_required_fields_are_reported() {
    let codes: Vec<_> = found(&json!({}));
    let missed = ["active_since", "enabled", "event_type", "id", "name"];
    let missed = missed.map(|name| (format!("/{name}"), "missing"));
    assert_eq!(codes, [missed.as_slice(), &[("/templates".to_owned(), "no_templates")]].concat());
    assert_eq!(found(&json!("x")).first().unwrap().1, "wrong_value");
}

#[test]
fn a_template_for_a_language_that_whatsapp_does_not_offer_is_a_warning() {
    let mut document = mapping();
    document["templates"]["ita"] = document["templates"]["it"].clone();
    let checked = check(&document, &config());
    assert!(checked.is_right());
    let found: Vec<_> = checked.findings.iter().map(|found| (found.path.as_str(), found.problem.code())).collect();
    assert_eq!(found, [("/templates/ita", "unknown_language"), ("/templates/ita/language", "other_language")]);
}

#[test]
fn a_template_must_be_sendable() {
    let name = "/templates/it/name";
    let named = |name: &'static str| move |document: &mut Value| document["templates"]["it"]["name"] = name.into();
    one(named("altro"), name, "unknown_template");
    one(named("fermo"), name, "template_not_approved");
    one(named("codice"), name, "category_refused");
    one(named("giostra"), name, "template_unusable");
    one(named("promo"), name, "marketing");
    one(|document| document["templates"]["it"]["language"] = "en".into(), "/templates/it/language", "other_language");
    one(|document| document["templates"]["it"]["language"] = "it_CH".into(), name, "unknown_template_language");
    one(
        |document| document["templates"]["it"]["fingerprint"] = "old".into(),
        "/templates/it/fingerprint",
        "template_changed",
    );
    one(|document| document["account"] = "second".into(), "/account", "unknown_account");
}

#[test]
fn every_template_part_needs_its_own_kind_of_value() {
    one(
        |document| drop(document["templates"]["it"]["body"].as_object_mut().unwrap().remove("2")),
        "/templates/it/body/2",
        "unfilled",
    );
    one(
        |document| document["templates"]["it"]["body"]["3"] = json!({"text": "x"}),
        "/templates/it/body/3",
        "superfluous",
    );
    one(
        |document| document["templates"]["it"]["header"] = json!({"text": {"1": {"text": "x"}}}),
        "/templates/it/header",
        "superfluous",
    );
    one(
        |document| document["templates"]["it"]["buttons"] = json!({"0": {"code": {"text": "x"}}}),
        "/templates/it/buttons/0",
        "superfluous",
    );
    let mut document = mapping();
    document["templates"]["it"]["name"] = "pieno".into();
    let places = [("/templates/it/buttons/1".to_owned(), "unfilled"), ("/templates/it/header".to_owned(), "unfilled")];
    assert_eq!(found(&document), places);
    document["templates"]["it"]["header"] = json!({"image": {"link": {"text": "https://example.com/a.png"}}});
    document["templates"]["it"]["buttons"] = json!({"1": {"code": {"text": "x"}}});
    let places =
        [("/templates/it/buttons/1".to_owned(), "other_button"), ("/templates/it/header".to_owned(), "other_header")];
    assert_eq!(found(&document), places);
    let link = json!({"text": "https://example.com/a.pdf"});
    document["templates"]["it"]["header"] = json!({"document": {"link": link, "filename": {"text": "a.pdf"}}});
    document["templates"]["it"]["buttons"] =
        json!({"1": {"suffix": {"variable": "order.id"}}, "2": {"payload": {"text": "ok"}}});
    assert_eq!(found(&document), []);
}

#[test]
fn a_fixed_text_that_can_never_be_sent_is_found() {
    let mut document = mapping();
    document["templates"]["it"]["name"] = "pieno".into();
    let link = json!({"text": "http://example.com/a.pdf"});
    document["templates"]["it"]["header"] = json!({"document": {"link": link, "filename": {"text": "x".repeat(256)}}});
    document["templates"]["it"]["buttons"] = json!({
        "1": {"suffix": {"text": "http://anything"}}, "2": {"payload": {"text": "x".repeat(129)}},
    });
    let path = |below: &str| (format!("/templates/it/{below}"), "never_sendable");
    let texts = ["buttons/2/payload/text", "header/document/filename/text", "header/document/link/text"];
    assert_eq!(found(&document), texts.map(path));
    let checked = check(&document, &config());
    assert!(!checked.is_right());
    document["templates"]["it"]["header"] = json!({"document": {
        "link": {"variable": "order.id", "default": "ftp://example.com"},
        "filename": {"text": "x".repeat(256), "shorten": true},
    }});
    document["templates"]["it"]["buttons"]["2"]["payload"] = json!({"text": "ok"});
    document["templates"]["it"]["body"]["1"] = json!({"text": "x".repeat(1025)});
    assert_eq!(found(&document), ["body/1/text", "header/document/link/default"].map(path));
}

#[test]
fn a_code_that_can_never_be_copied_is_found() {
    let codes = json!({"name": "sconto", "buttons": [{"kind": "copy_code", "text": "Copia"}]});
    let config = LiveConfig { templates: vec![template(&codes)], ..config() };
    let mut document = mapping();
    document["templates"]["it"]["name"] = "sconto".into();
    for (code, right) in [("ESTATE26", true), ("ESTATE 26", false), ("ÈSTATE", false), ("X234567890123456", false)] {
        document["templates"]["it"]["buttons"] = json!({"0": {"code": {"text": code}}});
        let findings = check(&document, &config).findings;
        assert_eq!(findings.is_empty(), right, "{code}: {findings:?}");
        assert!(findings.iter().all(|one| one.path == "/templates/it/buttons/0/code/text"), "{findings:?}");
    }
}

#[test]
fn a_label_is_accepted_and_saved_as_the_id() {
    let mut document = mapping();
    document["templates"]["it"]["body"]["2"] = json!({"variable": " sigla documento "});
    let checked = check(&document, &config());
    assert_eq!((checked.findings.len(), checked.is_right()), (0, true));
    let saved = serde_json::to_value(checked.mapping.unwrap()).unwrap();
    assert_eq!(saved["templates"]["it"]["body"]["2"], json!({"variable": "order.code"}));
}

#[test]
fn an_unknown_variable_leads_to_the_most_similar_one_of_the_event() {
    let suggested = |event: &str, variable: &str| {
        let mut document = mapping();
        document["event_type"] = event.into();
        document["templates"]["it"]["body"] = json!({"1": {"text": "x"}, "2": {"variable": variable}});
        let findings = check(&document, &config()).findings;
        findings.into_iter().map(|finding| finding.problem).next()
    };
    let unknown = |id: &str, nearest| Some(Problem::UnknownVariable { id: id.to_owned(), nearest });
    let not_in_event = |variable, event, instead| Some(Problem::VariableNotInEvent { variable, event, instead });
    for (event, variable, expected) in [
        ("order.status_changed", "order.sigla", unknown("order.sigla", Some("order.code"))),
        ("order.status_changed", "Sigla Documeto", unknown("Sigla Documeto", Some("Sigla Documento"))),
        ("cart.abandoned", "Totale", unknown("Totale", Some("Totale Carrello"))),
        ("cart.abandoned", "Totale Ordine", not_in_event("order.total", EventType::CartAbandoned, Some("cart.total"))),
        ("message.sent", "order.payment", not_in_event("order.payment", EventType::MessageSent, None)),
    ] {
        assert_eq!(suggested(event, variable), expected);
    }
}

#[test]
fn variables_and_conditions_belong_to_the_event() {
    let mut document = mapping();
    document["event_type"] = "message.sent".into();
    document["min_total"] = "10".into();
    document["notify_actor"] = true.into();
    document["cart_interval"] = 60.into();
    assert_eq!(
        found(&document),
        [
            ("/cart_interval".to_owned(), "condition_not_in_event"),
            ("/min_total".to_owned(), "condition_not_in_event"),
            ("/templates/it/body/2/variable".to_owned(), "variable_not_in_event"),
        ]
    );
    one(
        |document| {
            document["event_type"] = "customer.updated".into();
            document["templates"]["it"]["body"] = json!({"1": {"text": "x"}, "2": {"text": "x"}});
        },
        "/event_type",
        "event_never_told",
    );
}

#[test]
fn only_events_with_an_actor_can_notify_the_actor() {
    let mut document = mapping();
    document["notify_actor"] = true.into();
    assert_eq!(found(&document), [("/notify_actor".to_owned(), "condition_not_in_event")]);
    document["notify_actor"] = "yes".into();
    assert!(found(&document).contains(&("/notify_actor".to_owned(), "wrong_value")));
}

#[test]
fn warnings_do_not_invalidate_a_mapping() {
    let mut document = mapping();
    document["templates"]["it"]["name"] = "promo".into();
    let checked = check(&document, &config());
    assert!(checked.findings[0].problem.is_warning() && checked.is_right());
    document = mapping();
    let only = document["templates"].as_object_mut().unwrap().remove("it").unwrap();
    document["templates"]["de"] = only;
    assert_eq!(
        found(&document),
        [("/templates".to_owned(), "no_default_language"), ("/templates/de/language".to_owned(), "other_language"),]
    );
}

#[test]
fn a_hold_or_quiet_period_that_cannot_work_is_reported() {
    let changed = |changes: Value| {
        let mut mapping = mapping();
        for (name, value) in changes.as_object().unwrap() {
            mapping[name] = value.clone();
        }
        found(&mapping)
    };
    let right: Vec<(String, &'static str)> = Vec::new();
    assert_eq!(changed(json!({"hold_for": "47h"})), right);
    assert_eq!(changed(json!({"hold_for": "2d"})), [("/hold_for".to_owned(), "held_too_long")]);
    assert_eq!(changed(json!({"hold_for": "1h", "useful_for": "30m"})), [("/hold_for".to_owned(), "held_too_long")]);
    let quiet = |to: &str| json!({"quiet_hours": {"from": "21:00", "to": to}});
    assert_eq!(changed(quiet("08:00")), right);
    assert_eq!(changed(quiet("21:00")), [("/quiet_hours/to".to_owned(), "never_quiet")]);
    let event = json!({"event_type": "message.sent", "hold_for": "1h", "templates": {"it": {"name": "stato", "language": "it",
        "body": {"1": {"text": "a"}, "2": {"text": "b"}}}}});
    assert_eq!(changed(event), [("/hold_for".to_owned(), "condition_not_in_event")]);
}

#[test]
fn no_wrong_value_is_reported_in_the_words_of_a_parser() {
    let values = [
        json!(null),
        json!(true),
        json!("x"),
        json!(""),
        json!(5),
        json!(-1),
        json!(70_000),
        json!(3.5),
        json!([]),
        json!({}),
        json!([1]),
        json!(["x"]),
        json!({"a": 1}),
        json!("2020-13-01"),
        json!("12h"),
        json!("25:00"),
    ];
    let fields = [
        "/id",
        "/name",
        "/event_type",
        "/enabled",
        "/active_since",
        "/templates",
        "/account",
        "/order_statuses",
        "/order_kinds",
        "/min_total",
        "/groups",
        "/notify_actor",
        "/cart_interval",
        "/hold_for",
        "/useful_for",
        "/quiet_hours",
        "/quiet_hours/from",
        "/quiet_hours/holidays",
        "/repeat",
        "/recipients",
        "/resend_unknown",
        "/templates/it/name",
        "/templates/it/language",
        "/templates/it/fingerprint",
        "/templates/it/body",
        "/templates/it/header",
        "/templates/it/buttons",
        "/templates/it/body/1",
        "/templates/it/body/1/variable",
        "/templates/it/body/1/text",
        "/templates/it/body/1/default",
        "/templates/it/body/1/format",
        "/templates/it/body/1/shorten",
        "/templates/it/header/text",
        "/templates/it/header/image",
        "/templates/it/header/document",
        "/templates/it/header/document/link",
        "/templates/it/buttons/0",
        "/templates/it/buttons/0/suffix",
        "/templates/it/buttons/x",
        "/templates/xx1",
    ];
    for path in fields {
        for value in &values {
            let mut document = mapping();
            let mut place = &mut document;
            for name in path.split('/').skip(1) {
                place = &mut place[name];
            }
            *place = value.clone();
            for finding in check(&document, &config()).findings {
                assert!(!matches!(finding.problem, Problem::Wrong(Wrong::Other(_))), "{path} = {value}: {finding:?}");
            }
        }
    }
}
