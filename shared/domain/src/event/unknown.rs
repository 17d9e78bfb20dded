//! The fields of a callback that no event has: mostly misspelt names.

use serde_json::Value;

use super::EventType;
use super::contract::{Field, Shape, data_of};

/// The fields of the envelope.
const ENVELOPE: [&str; 5] = ["id", "type", "occurred_at", "language", "data"];

/// Returns the JSON pointers of the fields that the bridge keeps but does not read.
#[must_use]
pub fn unknown_fields(kind: EventType, document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let is_envelope = |name: &str| ENVELOPE.contains(&name);
    names(document).filter(|name| !is_envelope(name)).for_each(|name| found.push(below("", name)));
    if let Some(data) = document.get("data") {
        in_object(data_of(kind), data, "/data", &mut found);
    }
    found
}

fn in_object(fields: &[Field], object: &Value, pointer: &str, found: &mut Vec<String>) {
    for name in names(object) {
        let pointer = below(pointer, name);
        match fields.iter().find(|field| field.name == name) {
            Some(field) => in_value(&field.shape, object.get(name).unwrap_or(&Value::Null), &pointer, found),
            None => found.push(pointer),
        }
    }
}

fn in_value(shape: &Shape, value: &Value, pointer: &str, found: &mut Vec<String>) {
    match shape {
        Shape::Object(_, fields) => in_object(fields, value, pointer, found),
        Shape::List { of, .. } => {
            for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                in_value(of, item, &format!("{pointer}/{index}"), found);
            }
        }
        _ => {}
    }
}

fn names(object: &Value) -> impl Iterator<Item = &str> {
    object.as_object().into_iter().flat_map(|fields| fields.keys().map(String::as_str))
}

/// Returns the pointer of a field, with its name escaped (RFC 6901).
fn below(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}
