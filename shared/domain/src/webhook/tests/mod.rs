//! Documents in the forms that Meta sends.

mod account;
mod any;
mod messages;
mod template;

use serde_json::{Value, json};

use super::*;

/// The demo site, with the number 111 and the account 222.
fn webhook() -> Webhook {
    Webhook {
        set_at: None,
        site: SiteId::parse("demo").unwrap(),
        mode: Mode::Signature,
        phone_number_ids: vec!["111".to_owned()],
        waba_ids: vec!["222".to_owned()],
    }
}

fn received_at() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

/// Returns a document with one change of the demo site's account.
fn document(field: &str, value: Value) -> Value {
    json!({"object": "whatsapp_business_account", "entry": [{"id": "222", "changes": [{"field": field, "value": value}]}]})
}

fn parsed(field: &str, value: Value) -> Parsed {
    parse(&document(field, value), &webhook(), received_at())
}

/// Returns a change of the demo site's number with these fields.
fn of_number(mut fields: Value) -> Value {
    fields["messaging_product"] = json!("whatsapp");
    fields["metadata"] = json!({"display_phone_number": "390212345678", "phone_number_id": "111"});
    fields
}

/// Returns the only platform event of a document, as it goes into the queue.
#[track_caller]
fn platform_event(field: &str, value: Value) -> Value {
    let parsed = parsed(field, value);
    assert_eq!((parsed.platform_events.len(), parsed.foreign, parsed.ignored), (1, 0, 0), "{parsed:?}");
    serde_json::to_value(&parsed.platform_events[0]).unwrap()
}

#[test]
fn a_webhook_is_stored_in_this_form() {
    let token = Mode::Token { header: "x-token".to_owned() };
    let text = r#"{"site":"demo","mode":{"token":{"header":"x-token"}},"phone_number_ids":["111"],"waba_ids":["222"]}"#;
    assert_eq!(serde_json::to_string(&Webhook { mode: token, ..webhook() }).unwrap(), text);
    let signed = text.replace(r#"{"token":{"header":"x-token"}}"#, r#""signature""#);
    assert_eq!(serde_json::from_str::<Webhook>(&signed).unwrap(), webhook());
    let set_at = Some("2026-11-22T10:00:00Z".parse().unwrap());
    let text = serde_json::to_string(&Webhook { set_at, ..webhook() }).unwrap();
    assert!(text.ends_with(r#","set_at":"2026-11-22T10:00:00Z"}"#), "{text}");
}

#[test]
fn every_entry_and_change_is_read() {
    let change = |id: &str| json!({"field": "messages", "value": of_number(json!({"statuses": [status(id)]}))});
    let document = json!({"entry": [
        {"id": "222", "changes": [change("wamid.1"), {"field": "flows", "value": {}}, change("wamid.2")]},
        {"id": "222", "changes": []},
        {"id": 222, "time": 1, "changes": [change("wamid.3")]},
    ]});
    let parsed = parse(&document, &webhook(), received_at());
    let ids: Vec<_> = parsed
        .platform_events
        .iter()
        .map(|platform_event| serde_json::to_value(platform_event).unwrap()["provider_id"].clone())
        .collect();
    assert_eq!(ids, ["wamid.1", "wamid.2", "wamid.3"]);
    assert_eq!((parsed.foreign, parsed.ignored, parsed.odd.len()), (0, 1, 0));
}

#[test]
fn changes_of_a_number_or_account_outside_the_site_are_foreign() {
    let mut elsewhere = of_number(json!({"statuses": [status("wamid.1")]}));
    elsewhere["metadata"]["phone_number_id"] = json!("112");
    let mut nowhere = elsewhere.clone();
    nowhere.as_object_mut().unwrap().remove("metadata");
    let template = json!({"event": "PAUSED", "message_template_name": "order", "message_template_language": "it"});
    let document = json!({"entry": [
        {"id": "222", "changes": [{"field": "messages", "value": elsewhere}, {"field": "messages", "value": nowhere}]},
        {"id": "223", "changes": [
            {"field": "message_template_status_update", "value": template},
            {"field": "account_update", "value": {"event": "ACCOUNT_DELETED"}},
            {"field": "messages", "value": of_number(json!({"statuses": [status("wamid.2")]}))},
        ]},
    ]});
    let parsed = parse(&document, &webhook(), received_at());
    assert_eq!(parsed.foreign, 4);
    assert_eq!(
        parsed.platform_events.len(),
        1,
        "the number is the site's, whatever account the provider names: {parsed:?}"
    );
}

#[test]
fn a_document_that_is_not_a_webhook_yields_nothing() {
    for document in [json!(null), json!([]), json!("x"), json!({"entry": {}}), json!({"entry": [{"changes": 1}, 7]})] {
        assert_eq!(parse(&document, &webhook(), received_at()), Parsed::default(), "{document}");
    }
    let parsed =
        parse(&json!({"entry": [{"changes": [{"field": "messages", "value": null}]}]}), &webhook(), received_at());
    assert_eq!(parsed.odd, ["/entry/0/changes/0 has no value"]);
}

fn status(id: &str) -> Value {
    json!({"id": id, "status": "delivered", "timestamp": "1795341600", "recipient_id": "393401234567"})
}
