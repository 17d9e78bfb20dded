//! Arbitrary documents.

use proptest::prelude::*;

use super::*;

/// Largest record of the statuses queue, in bytes.
const RECORD_BYTES_MAX: usize = 200 * 1024;

/// Returns arbitrary values that contain the names and words that the parsers look for, to reach deep into the parsers.
fn any_value() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "",
        "111",
        "222",
        "112",
        "sent",
        "failed",
        "played",
        "stop",
        "START",
        "resume",
        "marketing_messages",
        "en-US",
        "user_changed_number",
        "wamid.1",
        "1795341600",
        "-1",
        "99999999999999999999",
        "PAUSED",
        "DISABLED_UPDATE",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        words.prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
    ];
    let names = prop::sample::select(vec![
        "id",
        "status",
        "timestamp",
        "recipient_id",
        "biz_opaque_callback_data",
        "errors",
        "code",
        "error_data",
        "pricing",
        "category",
        "from",
        "text",
        "body",
        "button",
        "payload",
        "system",
        "type",
        "wa_id",
        "user_id",
        "value",
        "reason",
        "event",
        "message_template_name",
        "message_template_language",
        "new_category",
        "new_quality_score",
        "waba_info",
        "statuses",
        "messages",
        "contacts",
        "user_preferences",
        "other_info",
        "ban_info",
    ]);
    leaf.prop_recursive(4, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(names.clone(), inner, 0..8)
                .prop_map(|map| map.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Value>()),
        ]
    })
}

fn any_field() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "messages",
        "user_preferences",
        "message_template_status_update",
        "message_template_quality_update",
        "message_template_components_update",
        "template_category_update",
        "account_update",
        "account_alerts",
        "business_capability_update",
        "phone_number_quality_update",
        "flows",
    ])
}

proptest! {
    #[test]
    fn parsing_any_document_never_panics(document in any_value()) {
        let _ = parse(&document, &webhook(), received_at());
        let _ = parse(&json!({"entry": document}), &webhook(), received_at());
    }

    #[test]
    fn any_change_yields_only_platform_events_that_fit_the_queue(field in any_field(), value in any_value()) {
        let mut value = value;
        if value.is_object() {
            value["metadata"] = json!({"phone_number_id": 111});
        }
        for platform_event in parsed(field, value).platform_events {
            let text = serde_json::to_string(&platform_event).unwrap();
            prop_assert!(text.len() <= RECORD_BYTES_MAX);
            prop_assert_eq!(serde_json::from_str::<PlatformEvent>(&text).unwrap(), platform_event);
        }
    }

    #[test]
    fn a_status_survives_any_neighbouring_values(before in any_value(), after in any_value()) {
        let statuses = json!([before, status("wamid.kept"), after]);
        let parsed = parsed("messages", of_number(json!({"statuses": statuses, "contacts": before})));
        let kept = parsed.platform_events.iter().any(
            |platform_event| matches!(platform_event, PlatformEvent::Status { provider_id, .. } if provider_id == "wamid.kept"));
        prop_assert!(kept);
    }
}

#[test]
fn a_record_stays_small_for_any_webhook_content() {
    let long = "🎉".repeat(100_000);
    let status = json!({"id": "wamid.1", "status": "failed", "biz_opaque_callback_data": long, "recipient_id": long,
        "errors": [{"code": long, "title": long, "message": long, "error_data": {"details": long}, "fbtrace_id": long}],
        "pricing": {"category": long}});
    let template =
        json!({"event": "PAUSED", "reason": long, "message_template_name": "order", "message_template_language": "it"});
    let account = json!({"event": long, "details": long});
    let values = [
        ("messages", of_number(json!({"statuses": [status]}))),
        ("message_template_status_update", template),
        ("account_update", account),
    ];
    for (field, value) in values {
        let bytes = platform_event(field, value).to_string().len();
        assert!(bytes < 16 * 1024, "{field}: {bytes}");
    }
}
