//! JSON Schemas of the events, for developers of the callbacks.

use serde_json::{Map, Value, json};

use super::EventType;
use super::contract::{Field, Shape, data_of};
use crate::primitives::id::ID_CHARS_MAX;

/// Returns the schema (draft 2020-12) of a kind of event.
///
/// The bridge refuses every document that the schema refuses. Only the bridge can check that a time zone exists and
/// that an offset matches it.
#[must_use]
pub fn schema(kind: EventType) -> Value {
    let mut definitions = Map::new();
    let data = object(data_of(kind), &mut definitions);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("urn:passweb-bridge:event:{kind}"),
        "title": kind.name(),
        "description": kind.italian(),
        "type": "object",
        "required": ["id", "type", "occurred_at", "data"],
        "properties": {
            "id": {
                "type": "string",
                "pattern": format!("^(?!bridge:)[ -~]{{1,{ID_CHARS_MAX}}}$"),
                "description": "The idempotency key, unique within the site: an event with the same id is processed once.",
            },
            "type": {"const": kind.name()},
            "occurred_at": described(of(&Shape::Time, &mut definitions), "When it happened; at most 5 minutes in the future."),
            "language": described(
                nullable(of(&Shape::Language, &mut definitions)),
                "The language of the browsing session, on events of the shop.",
            ),
            "data": data,
        },
        "$defs": definitions,
    })
}

fn object(fields: &[Field], definitions: &mut Map<String, Value>) -> Value {
    let mut properties = Map::new();
    for field in fields {
        let shape = of(&field.shape, definitions);
        let shape = if field.required { shape } else { nullable(shape) };
        properties.insert(field.name.to_owned(), described(shape, field.meaning));
    }
    let required: Vec<&str> = fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    json!({"type": "object", "required": required, "properties": properties})
}

fn of(shape: &Shape, definitions: &mut Map<String, Value>) -> Value {
    match shape {
        // The bridge also refuses control characters. A pattern for them would be harder to read than this length
        // limit.
        Shape::Id => json!({"type": "string", "minLength": 1, "maxLength": ID_CHARS_MAX}),
        Shape::Text => json!({"type": "string"}),
        Shape::Filled => json!({"type": "string", "pattern": "\\S"}),
        Shape::Count(u64::MAX) => json!({"type": "integer", "minimum": 0}),
        Shape::Count(max) => json!({"type": "integer", "minimum": 0, "maximum": max}),
        Shape::Flag => json!({"type": "boolean"}),
        Shape::Amount => json!({"type": "string", "pattern": "^-?[0-9]{1,15}(\\.[0-9]{1,4})?$"}),
        Shape::Currency => json!({"type": "string", "pattern": "^[A-Za-z]{3}$"}),
        Shape::Language => json!({"type": "string", "pattern": "^[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,4})?$"}),
        Shape::Day => json!({"type": "string", "format": "date"}),
        Shape::Time => json!({"type": "string", "format": "date-time"}),
        Shape::DayOrTime => json!({"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]}),
        Shape::Zone => json!({"type": "string", "examples": ["Europe/Rome"]}),
        Shape::Choice(words) => json!({"enum": words}),
        Shape::List { of: item, min, max } => {
            json!({"type": "array", "items": of(item, definitions), "minItems": min, "maxItems": max})
        }
        Shape::Object(name, fields) => {
            if !definitions.contains_key(*name) {
                let definition = object(fields, definitions);
                definitions.insert((*name).to_owned(), definition);
            }
            json!({"$ref": format!("#/$defs/{name}")})
        }
    }
}

fn nullable(schema: Value) -> Value {
    json!({"anyOf": [schema, {"type": "null"}]})
}

fn described(mut schema: Value, meaning: &str) -> Value {
    if let Some(fields) = schema.as_object_mut() {
        fields.insert("description".to_owned(), json!(meaning));
    }
    schema
}
