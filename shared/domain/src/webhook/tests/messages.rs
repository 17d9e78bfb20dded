//! Statuses, inbound messages and preferences.

use super::*;

/// Parses one inbound message.
fn inbound(message: Value) -> Parsed {
    let contacts = json!([{"profile": {"name": "Anna"}, "wa_id": "393401234567", "user_id": "IT.a1"}]);
    parsed("messages", of_number(json!({"contacts": contacts, "messages": [message]})))
}

#[test]
fn a_status_is_read_with_all_its_fields() {
    let status = json!({
        "id": "wamid.A", "status": "sent", "timestamp": "1795341600", "recipient_id": "393401234567",
        "recipient_user_id": "IT.a1", "biz_opaque_callback_data": "e.m",
        "conversation": {"id": "c", "expiration_timestamp": "1795428000", "origin": {"type": "utility"}},
        "pricing": {"billable": true, "pricing_model": "PMP", "type": "regular", "category": "utility"},
    });
    insta::assert_json_snapshot!(platform_event("messages", of_number(json!({"statuses": [status]}))), @r#"
    {
      "at": "2026-11-22T10:00:00Z",
      "category": "utility",
      "message": "e.m",
      "notice": "status.1",
      "phone_number_id": "111",
      "provider_id": "wamid.A",
      "site": "demo",
      "status": "sent",
      "user_id": "IT.a1",
      "wa_id": "393401234567"
    }
    "#);
}

#[test]
fn a_failure_is_read_with_its_code_and_details() {
    let failed = |errors: Value| {
        let status = json!({"id": "wamid.A", "status": "failed", "timestamp": "1795341600", "errors": errors});
        platform_event("messages", of_number(json!({"statuses": [status]})))["failure"].clone()
    };
    let error = json!({"code": 131026, "title": "Message undeliverable", "message": "Message undeliverable",
        "error_data": {"details": "Message Undeliverable."}, "href": "https://x"});
    assert_eq!(failed(json!([error])), json!({"code": "131026", "details": "Message Undeliverable."}));
    assert_eq!(
        failed(json!([{"code": "131049", "error_data": "plain"}])),
        json!({"code": "131049", "details": "plain"})
    );
    assert_eq!(failed(json!([{"title": "t"}, {"code": 1}])), json!({"code": "1", "details": ""}));
    assert_eq!(failed(json!([{"code": null, "title": "t"}])), json!({"code": "none", "details": "t"}));
    assert_eq!(failed(json!(null)), json!({"code": "none", "details": ""}));
}

#[test]
fn a_status_may_lack_its_optional_fields() {
    let of = |status: Value| platform_event("messages", of_number(json!({"contacts": null, "statuses": [status]})));
    let bare = of(json!({"id": "wamid.A", "status": "read", "recipient_id": ""}));
    let expected = json!({"notice": "status.1", "site": "demo", "phone_number_id": "111", "provider_id": "wamid.A",
        "status": "read", "at": "2026-11-22T10:00:00Z"});
    assert_eq!(bare, expected);
    assert_eq!(
        of(json!({"id": "wamid.A", "status": "played", "timestamp": 1_795_341_600}))["at"],
        "2026-11-22T10:00:00Z"
    );
    let hyphen =
        json!({"id": "1", "status": "sent", "timestamp": "x", "pricing": {"category": "authentication-international"}});
    assert_eq!(of(hyphen)["category"], "authentication_international");
    let foreign = json!({"id": "1", "status": "sent", "biz_opaque_callback_data": "x".repeat(513)});
    assert_eq!(of(foreign)["message"], json!(null));
}

#[test]
fn statuses_unrelated_to_delivery_are_ignored_silently() {
    let of = |status: &str| json!({"id": "wamid.2", "status": status, "timestamp": "1795341600"});
    let statuses = json!([of("deleted"), status("wamid.1"), of("in_orbit")]);
    let parsed = parsed("messages", of_number(json!({"statuses": statuses})));
    assert_eq!((parsed.platform_events.len(), parsed.ignored, parsed.odd), (1, 2, Vec::<String>::new()));
}

#[test]
fn a_malformed_status_does_not_discard_the_others() {
    let statuses = json!([
        status("wamid.1"), null, {"status": "sent"}, {"id": "wamid.2", "status": "warned"},
        {"id": "x", "status": "Anna Rossi"}, {"id": "y".repeat(300), "status": "sent"}, status("wamid.3"),
    ]);
    let parsed = parsed("messages", of_number(json!({"statuses": statuses})));
    assert_eq!(parsed.platform_events.len(), 2);
    let pointer = "/entry/0/changes/0/value/statuses";
    let expected = [
        format!("{pointer}/1 has no known status"),
        format!("{pointer}/2 has no id"),
        format!("{pointer}/3 has the unknown status warned"),
        format!("{pointer}/4 has no known status"),
        format!("{pointer}/5 has no id"),
    ];
    assert_eq!(parsed.odd, expected);
}

#[test]
fn an_inbound_word_is_kept_and_any_other_text_is_dropped() {
    let text = |body: &str| json!({"from": "393401234567", "id": "wamid.I", "timestamp": "1795341600", "type": "text", "text": {"body": body}});
    let parsed = inbound(text("Stop!"));
    let expected = json!({"notice": "word.1", "site": "demo", "phone_number_id": "111", "from": "393401234567",
        "at": "2026-11-22T10:00:00Z", "word": "stop"});
    assert_eq!(serde_json::to_value(&parsed.platform_events).unwrap(), json!([expected]));
    let other = inbound(text("Il mio IBAN è IT60X0542811101000000123456"));
    assert_eq!((other.platform_events.len(), other.ignored), (0, 1));
    assert!(!format!("{other:?}").contains("IBAN"));
    let image = inbound(json!({"from": "393401234567", "type": "image", "image": {"caption": "STOP", "id": "1"}}));
    assert_eq!((image.platform_events.len(), image.ignored), (0, 1));
    let button = json!({"from": "393401234567", "type": "button", "button": {"payload": "STOP", "text": "No, grazie"}});
    assert_eq!(inbound(button).platform_events.len(), 1);
}

#[test]
fn the_sender_of_a_word_is_read_from_every_field_meta_uses() {
    let from = |message: Value| match inbound(message).platform_events.pop() {
        Some(PlatformEvent::Word { from, .. }) => from,
        other => panic!("{other:?}"),
    };
    let stop = |mut message: Value| {
        message["text"] = json!({"body": "stop"});
        message
    };
    assert_eq!(from(stop(json!({"from": "+393401234567"}))), "393401234567");
    assert_eq!(from(stop(json!({"from": 393_401_234_567_u64}))), "393401234567");
    assert_eq!(from(stop(json!({"from": "", "from_user_id": "IT.b2"}))), "IT.b2");
    assert_eq!(from(stop(json!({}))), "393401234567", "the only contact");
    let two = json!([{"wa_id": "1"}, {"wa_id": "2"}]);
    let nobody = parsed("messages", of_number(json!({"contacts": two, "messages": [stop(json!({}))]})));
    assert_eq!((nobody.platform_events.len(), nobody.odd.len()), (0, 1));
}

#[test]
fn a_changed_number_has_both_numbers() {
    let changed = |fields: Value| {
        let mut message = json!({"from": "393401234567", "id": "wamid.S", "type": "system", "system": fields});
        message["system"]["body"] = json!("Anna changed from … to …");
        inbound(message)
    };
    let expected = json!({"notice": "number.1", "site": "demo", "phone_number_id": "111", "from": "393401234567", "to": "393407654321"});
    for fields in [
        json!({"type": "user_changed_number", "wa_id": "393407654321"}),
        json!({"type": "customer_changed_number", "new_wa_id": "393407654321"}),
    ] {
        assert_eq!(serde_json::to_value(changed(fields).platform_events).unwrap(), json!([expected]));
    }
    assert_eq!(changed(json!({"type": "user_changed_number"})).odd.len(), 1);
    assert_eq!(changed(json!({"type": "user_changed_number", "wa_id": "393401234567"})).platform_events, []);
    assert_eq!(changed(json!({"type": "user_identity_changed"})).ignored, 1);
}

#[test]
fn marketing_preferences_are_read() {
    let choice = |fields: Value| {
        let mut choice = json!({"detail": "d", "category": "marketing_messages", "timestamp": 1_795_341_600});
        choice.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        parsed("user_preferences", of_number(json!({"contacts": [{"user_id": "IT.a1"}], "user_preferences": [choice]})))
    };
    let value = |value: &str| {
        serde_json::to_value(choice(json!({"wa_id": "393401234567", "value": value})).platform_events).unwrap()
    };
    let expected = json!([{"notice": "preference.1", "site": "demo", "phone_number_id": "111", "from": "393401234567",
        "at": "2026-11-22T10:00:00Z", "value": "stop"}]);
    assert_eq!(value("stop"), expected);
    assert_eq!(value("resume")[0]["value"], "resume");
    assert_eq!(value("signup")[0]["value"], "resume");
    assert_eq!(choice(json!({"wa_id": "1", "value": "perhaps"})).odd.len(), 1);
    assert_eq!(choice(json!({"value": "stop", "category": "news"})).ignored, 1);
    let no_number = choice(json!({"wa_id": "", "value": "stop"}));
    assert_eq!(serde_json::to_value(no_number.platform_events).unwrap()[0]["from"], "IT.a1");
}
