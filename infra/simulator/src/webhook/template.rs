//! The webhooks about changed templates.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Update;

/// The status in the last webhook of a removed template.
const DELETED: &str = "DELETED";

/// Returns the updates for a template that changed from `before`, if it existed, to `after`. A changed category has its
/// own update. The status is reported unless only the category changed.
pub(crate) fn changed(before: Option<&Map<String, Value>>, after: &Map<String, Value>, at: Timestamp) -> Vec<Update> {
    let mut updates = Vec::new();
    let category = before.and_then(|before| before.get("category")).filter(|old| after.get("category") != Some(*old));
    if before.and_then(|before| before.get("status")) != after.get("status") || category.is_none() {
        updates.push(status(after, text(after, "status"), at));
    }
    if let Some(old) = category {
        let mut value = names(after);
        value.insert("previous_category".into(), old.clone());
        value.insert("new_category".into(), text(after, "category").into());
        updates.push(change("template_category_update", value, at));
    }
    updates
}

/// Returns the update for a removed template.
pub(crate) fn removed(row: &Map<String, Value>, at: Timestamp) -> Update {
    status(row, DELETED, at)
}

fn status(row: &Map<String, Value>, event: &str, at: Timestamp) -> Update {
    let mut value = names(row);
    value.insert("event".into(), event.into());
    // The platform sometimes sends an empty reason, no reason, or `NONE`.
    value.insert("reason".into(), Value::Null);
    value.insert("message_template_category".into(), text(row, "category").into());
    change("message_template_status_update", value, at)
}

/// Returns id, name and language. Unlike in the list, the id is a number and the language contains a dash.
fn names(row: &Map<String, Value>) -> Map<String, Value> {
    let id = text(row, "id");
    let mut value = Map::new();
    value.insert("message_template_id".into(), id.parse::<u64>().map_or_else(|_| json!(id), Value::from));
    value.insert("message_template_name".into(), text(row, "name").into());
    value.insert("message_template_language".into(), text(row, "language").replace('_', "-").into());
    value
}

fn text<'a>(row: &'a Map<String, Value>, key: &str) -> &'a str {
    row.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn change(field: &str, value: Map<String, Value>, at: Timestamp) -> Update {
    Update::Change { field: field.into(), value: value.into(), at }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(status: &str, category: &str) -> Map<String, Value> {
        let row = json!({"id": "1000000000000001", "name": "avviso", "language": "en_US",
                         "status": status, "category": category});
        row.as_object().unwrap().clone()
    }

    fn notified(updates: Vec<Update>) -> Vec<(String, Value)> {
        updates
            .into_iter()
            .map(|update| match update {
                Update::Change { field, value, .. } => (field, value),
                Update::Status { .. } => panic!("a status of a message"),
            })
            .collect()
    }

    #[test]
    fn a_new_status_and_a_new_category_are_reported_separately() {
        let before = row("APPROVED", "UTILITY");
        let notified = notified(changed(Some(&before), &row("PAUSED", "MARKETING"), Timestamp::UNIX_EPOCH));
        let names = json!({"message_template_id": 1_000_000_000_000_001_u64, "message_template_name": "avviso",
                           "message_template_language": "en-US"});
        let with = |more: Value| {
            let mut value = names.clone();
            value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            value
        };
        assert_eq!(
            notified,
            [
                (
                    "message_template_status_update".to_owned(),
                    with(json!({"event": "PAUSED", "reason": null, "message_template_category": "MARKETING"}))
                ),
                (
                    "template_category_update".to_owned(),
                    with(json!({"previous_category": "UTILITY", "new_category": "MARKETING"}))
                ),
            ]
        );
    }

    #[test]
    fn one_template_change_raises_one_update() {
        let before = row("APPROVED", "UTILITY");
        for (before, after, expected) in [
            (Some(&before), row("APPROVED", "MARKETING"), "template_category_update"),
            (Some(&before), row("REJECTED", "UTILITY"), "message_template_status_update"),
            // A new template or a new text is reported as approved.
            (None, row("APPROVED", "UTILITY"), "message_template_status_update"),
            (Some(&before), row("APPROVED", "UTILITY"), "message_template_status_update"),
        ] {
            let notified = notified(changed(before, &after, Timestamp::UNIX_EPOCH));
            let fields: Vec<&str> = notified.iter().map(|(field, _)| field.as_str()).collect();
            assert_eq!(fields, [expected]);
        }
        let removed = notified(vec![removed(&before, Timestamp::UNIX_EPOCH)]);
        assert_eq!(removed[0].1["event"], "DELETED");
    }
}
