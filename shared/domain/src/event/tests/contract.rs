//! Compares the contract, the published files and the parser with one another.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::super::contract::{Field, Shape, data_of};
use super::super::parse;
use super::*;
use crate::primitives::json::{Faults, Reader};

/// Collects every field of an example's `data` by its pointer, whether it is present or not.
fn fields_of(fields: &'static [Field], value: &Value, pointer: &str, found: &mut BTreeMap<String, &'static Field>) {
    for field in fields {
        let pointer = format!("{pointer}/{}", field.name);
        found.insert(pointer.clone(), field);
        fields_below(&field.shape, &value[field.name], &pointer, found);
    }
}

fn fields_below(shape: &'static Shape, value: &Value, pointer: &str, found: &mut BTreeMap<String, &'static Field>) {
    match shape {
        Shape::Object(_, fields) if value.is_object() => fields_of(fields, value, pointer, found),
        Shape::List { of, .. } => {
            for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                fields_below(of, item, &format!("{pointer}/{index}"), found);
            }
        }
        _ => {}
    }
}

fn contract_of(kind: EventType) -> BTreeMap<String, &'static Field> {
    let mut found = BTreeMap::new();
    fields_of(data_of(kind), &example(kind)["data"], "", &mut found);
    found
}

fn read_data(kind: EventType, data: &Value) -> Vec<String> {
    let faults = Faults::default();
    let read = parse::data(kind, &Reader::root(data, &faults), now());
    let faults: Vec<String> = faults.into_vec().into_iter().map(|fault| fault.pointer).collect();
    assert_eq!(read.is_some(), faults.is_empty(), "{kind}: {faults:?}");
    faults
}

#[test]
fn the_parser_reads_the_fields_of_the_contract_and_no_others() {
    for kind in EventType::ALL {
        let (data, faults) = (example(kind)["data"].clone(), Faults::default());
        assert!(parse::data(kind, &Reader::root(&data, &faults), now()).is_some(), "{kind}");
        let visited: Vec<String> = faults.visited.into_inner().into_iter().collect();
        let written: Vec<String> = contract_of(kind).into_keys().collect();
        assert_eq!(visited, written, "{kind}");
    }
}

#[test]
fn required_fields_are_required_and_wrong_ones_are_named() {
    for kind in EventType::ALL {
        for (pointer, field) in contract_of(kind) {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            let change = |value: Option<Value>| {
                let mut data = example(kind)["data"].clone();
                let parent = data.pointer_mut(parent).unwrap().as_object_mut().unwrap();
                match value {
                    Some(value) => parent.insert(name.to_owned(), value),
                    None => parent.remove(name),
                };
                read_data(kind, &data)
            };
            let expected: &[&str] = if field.required { &[pointer.as_str()] } else { &[] };
            assert_eq!(change(None), expected, "{kind} without {pointer}");
            assert_eq!(change(Some(Value::Null)), expected, "{kind} null {pointer}");
            let wrong = if matches!(field.shape, Shape::Object(..)) { json!("x") } else { json!({"x": 1}) };
            assert_eq!(change(Some(wrong)), [pointer.as_str()], "{kind} wrong {pointer}");
            if let Shape::Choice(words) = field.shape {
                assert!(words.iter().all(|word| change(Some(json!(word))).is_empty()), "{kind} {pointer}");
            }
            if let Shape::List { of, min, max } = field.shape {
                let first = example(kind)["data"].pointer(&format!("{pointer}/0")).cloned();
                let item = if matches!(of, Shape::Text) { json!("x") } else { first.unwrap() };
                assert_eq!(change(Some(items(&item, max + 1))), [pointer.as_str()], "{kind} {pointer}");
                assert!(change(Some(items(&item, max))).is_empty(), "{kind} {pointer}");
                assert!(change(Some(items(&item, min))).is_empty(), "{kind} {pointer}");
            }
        }
    }
}

/// Returns a list of `count` items like `like`, each with an id of its own if `like` has one.
fn items(like: &Value, count: usize) -> Value {
    let own = |number: usize| {
        let mut item = like.clone();
        if let Some(id) = item.get_mut("id") {
            *id = json!(number.to_string());
        }
        item
    };
    (0..count).map(own).collect()
}

/// Returns the path of a published schema. `BRIDGE_WRITE_SCHEMAS=1 cargo test -p domain published` regenerates the
/// schemas.
fn schema_file(kind: EventType) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/events/schema/{kind}.json"))
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a switch of this test, not of a function")]
fn the_published_schemas_are_the_contract() {
    let write = std::env::var("BRIDGE_WRITE_SCHEMAS").is_ok();
    for kind in EventType::ALL {
        let text = format!("{:#}\n", schema(kind));
        if write {
            std::fs::write(schema_file(kind), &text).unwrap();
        }
        let published = std::fs::read_to_string(schema_file(kind)).unwrap_or_default();
        assert_eq!(published, text, "{kind}: stale; set BRIDGE_WRITE_SCHEMAS=1 and run this test");
    }
    let folder = schema_file(EventType::CartClosed);
    let files = std::fs::read_dir(folder.parent().unwrap()).unwrap().count();
    assert_eq!(files, EventType::ALL.len(), "a schema of no type is published");
}

#[test]
fn both_guides_list_every_event_type() {
    for guide in ["README.md", "README.it.md"] {
        let file = schema_file(EventType::CartClosed).parent().unwrap().parent().unwrap().join(guide);
        let text = std::fs::read_to_string(file).unwrap();
        for kind in EventType::ALL {
            assert!(text.contains(&format!("[`{kind}`](examples/{kind}.json)")), "{guide} lacks {kind}");
        }
    }
}
