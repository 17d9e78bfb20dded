//! Property tests with generated events: the parser reads valid ones, refuses invalid ones, and never panics.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::super::contract::{Field, Shape, data_of};
use super::*;

fn text() -> BoxedStrategy<Value> {
    prop_oneof!["\\PC{0,20}", "(?s).{0,40}", Just(String::new())].prop_map(Value::from).boxed()
}

/// Returns a strategy for any value that a shape allows.
fn value(shape: &'static Shape) -> BoxedStrategy<Value> {
    let texts = |words: &'static [&'static str]| select(words).prop_map(Value::from).boxed();
    match shape {
        Shape::Id => "[A-Za-z0-9 ./è-]{1,40}".prop_map(Value::from).boxed(),
        Shape::Text => text(),
        Shape::Filled => "\\PC{0,20}x".prop_map(Value::from).boxed(),
        Shape::Count(max) => (0..=*max).prop_map(Value::from).boxed(),
        Shape::Flag => any::<bool>().prop_map(Value::from).boxed(),
        Shape::Amount => "-?[0-9]{1,15}(\\.[0-9]{1,4})?".prop_map(Value::from).boxed(),
        Shape::Currency => "[A-Za-z]{3}".prop_map(Value::from).boxed(),
        Shape::Language => texts(&["it", "EN", "en-us", "pt_BR", "fil"]),
        Shape::Day => texts(&["2026-11-24", "2024-02-29"]),
        Shape::Time => texts(&["2026-11-22T10:00:00Z", "2026-11-22T11:00:00.5+01:00"]),
        // `activity` makes these times consistent with one another.
        Shape::DayOrTime => texts(&["2026-11-24T15:30:00+01:00"]),
        Shape::Zone => texts(&["Europe/Rome", "Europe/Paris"]),
        Shape::Choice(words) => texts(words),
        Shape::List { of, min, max } => {
            prop::collection::vec(value(of), *min..=(*max).min(min + 3)).prop_map(Value::from).boxed()
        }
        Shape::Object("activity", fields) => object(fields).prop_map(activity).boxed(),
        Shape::Object(_, fields) => object(fields),
    }
}

/// Replaces the times of a whole-day activity with days.
fn activity(mut activity: Value) -> Value {
    if activity["all_day"] == true {
        for name in ["starts_at", "ends_at"] {
            if activity[name].is_string() {
                activity[name] = json!("2026-11-24");
            }
        }
    }
    activity
}

fn object(fields: &'static [Field]) -> BoxedStrategy<Value> {
    let field = |field: &'static Field| {
        let value = value(&field.shape);
        let value = if field.required { value } else { prop_oneof![3 => value, 1 => Just(Value::Null)].boxed() };
        value.prop_map(|value| (field.name.to_owned(), value)).boxed()
    };
    let fields: Vec<BoxedStrategy<(String, Value)>> = fields.iter().map(field).collect();
    fields.prop_map(|fields| Value::Object(fields.into_iter().collect())).boxed()
}

fn event() -> impl Strategy<Value = Value> {
    select(EventType::ALL.to_vec()).prop_flat_map(|kind| {
        (object(data_of(kind)), "[ -~]{1,128}").prop_map(move |(data, id)| {
            json!({"id": id, "type": kind.name(), "occurred_at": "2026-11-22T10:00:00+01:00", "data": data})
        })
    })
}

/// Collects the pointers of every value of a document.
fn places(value: &Value, pointer: &str, found: &mut Vec<String>) {
    found.push(pointer.to_owned());
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| places(value, &format!("{pointer}/{name}"), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| places(value, &format!("{pointer}/{index}"), found));
        }
        _ => {}
    }
}

fn rubbish() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        text(),
        select(vec![json!([]), json!({}), json!([[]]), json!("9999-12-31T23:59:59Z"), json!("-009999-01-01")]),
    ]
}

proptest! {
    #[test]
    fn every_document_the_contract_allows_is_parsed(document in event()) {
        let event = Event::parse(document.clone(), now());
        prop_assert!(event.is_ok(), "{event:?} {document}");
    }

    #[test]
    fn no_document_makes_the_parser_panic(
        mut document in event(),
        changes in prop::collection::vec((any::<Index>(), rubbish()), 1..4),
    ) {
        for (index, value) in changes {
            let mut found = Vec::new();
            places(&document, "", &mut found);
            let place: &String = index.get(&found);
            *document.pointer_mut(place).unwrap() = value;
        }
        if let Err(EventError::Invalid(faults)) = Event::parse(document, now()) {
            prop_assert!(!faults.is_empty(), "refused without a fault");
        }
    }
}
