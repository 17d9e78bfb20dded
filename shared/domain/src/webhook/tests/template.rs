//! Changes of templates.

use super::*;

/// Returns a change of the template `order` in American English, with these fields.
fn of_template(mut fields: Value) -> Value {
    fields["message_template_id"] = json!(594_425_479_261_596_u64);
    fields["message_template_name"] = json!("order");
    fields["message_template_language"] = json!("en-US");
    fields
}

fn change(field: &str, fields: Value) -> Value {
    platform_event(field, of_template(fields))["change"].clone()
}

#[test]
fn a_status_names_the_template_as_the_list_does() {
    let value = of_template(json!({"event": "PAUSED", "reason": null}));
    let expected = json!({"notice": "template.1", "site": "demo", "waba_id": "222", "name": "order", "language": "en_US",
        "change": {"status": {"event": "PAUSED"}}});
    assert_eq!(platform_event("message_template_status_update", value), expected);
}

#[test]
fn a_template_reason_combines_the_explanations_from_meta() {
    let reason = |fields: Value| change("message_template_status_update", fields)["status"]["reason"].clone();
    assert_eq!(reason(json!({"event": "APPROVED", "reason": "NONE"})), json!(null));
    assert_eq!(reason(json!({"event": "APPROVED"})), json!(null));
    assert_eq!(reason(json!({"event": "REJECTED", "reason": "SCAM"})), "SCAM");
    let paused = json!({"event": "PAUSED", "other_info": {"title": "FIRST_PAUSE", "description": "Low quality."}});
    assert_eq!(reason(paused), "FIRST_PAUSE; Low quality.");
    let rejected = json!({"event": "REJECTED", "reason": "INVALID_FORMAT",
        "rejection_info": {"reason": "Variables are adjacent.", "recommendation": "Put text between them."}});
    assert_eq!(reason(rejected), "INVALID_FORMAT; Variables are adjacent.; Put text between them.");
}

#[test]
fn only_a_completed_category_change_is_reported() {
    let field = "template_category_update";
    let done = json!({"previous_category": "UTILITY", "new_category": "MARKETING"});
    assert_eq!(change(field, done), json!({"category": {"category": "MARKETING"}}));
    // Announced: `new_category` is the current category.
    let announced = json!({"new_category": "UTILITY", "correct_category": "MARKETING", "category_update_timestamp": 1});
    let parsed = parsed(field, of_template(announced));
    assert_eq!((parsed.platform_events.len(), parsed.ignored), (0, 1));
}

#[test]
fn a_quality_score_is_read_from_either_field() {
    for field in ["message_template_quality_update", "message_template_status_update"] {
        let fields = json!({"previous_quality_score": "GREEN", "new_quality_score": "YELLOW"});
        assert_eq!(change(field, fields), json!({"quality": {"score": "YELLOW"}}), "{field}");
    }
}

#[test]
fn new_components_are_reported() {
    let fields = json!({"message_template_element": "Hello {{1}}", "message_template_buttons": []});
    assert_eq!(change("message_template_components_update", fields), "components");
}

#[test]
fn an_update_without_a_template_or_a_change_is_odd() {
    let nameless = json!({"event": "PAUSED", "message_template_language": "it"});
    assert_eq!(parsed("message_template_status_update", nameless).odd, ["/entry/0/changes/0 names no template"]);
    for field in ["message_template_status_update", "message_template_quality_update", "template_category_update"] {
        let parsed = parsed(field, of_template(json!({})));
        assert_eq!((parsed.platform_events.len(), parsed.odd.len()), (0, 1), "{field}");
    }
}
