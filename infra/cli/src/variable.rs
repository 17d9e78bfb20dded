//! `bridge variable`.

use domain::event::EventType;
use domain::template::variable::{ALL, Definition};
use serde_json::{Value, json};
use texts::Texts;

use crate::args;
use crate::output::{Output, wrapped};

pub(crate) fn run(command: &args::Variable, output: Output) {
    let args::Variable::List { event } = command;
    let event = event.as_deref().and_then(EventType::of);
    let listed = ALL.iter().filter(|one| event.is_none_or(|event| one.events.contains(&event)));
    let listed: Vec<&Definition> = listed.collect();
    let documents: Vec<Value> = listed.iter().map(|definition| as_document(definition)).collect();
    output.say(&json!({"variables": documents}), |texts| {
        listed.iter().map(|definition| words(definition, event.is_none(), texts)).collect()
    });
}

fn as_document(definition: &Definition) -> Value {
    json!({
        "id": definition.id, "label": definition.italian_label, "label_en": definition.english_label,
        "meaning": definition.english_meaning, "meaning_it": definition.italian_meaning,
        "type": definition.value_type, "example": definition.example, "events": definition.events,
    })
}

/// Formats a variable. The id and the label stay on one line, so that they can be copied.
fn words(definition: &Definition, with_events: bool, texts: &Texts) -> String {
    let kind = texts.value_type(definition.value_type);
    let mut words = format!("{}  {}  [{kind}]\n", definition.id, definition.italian_label);
    words += &wrapped(&texts.variable_meaning(texts.meaning(definition), definition.example), 4);
    if with_events {
        let events: Vec<&str> = definition.events.iter().map(|event| event.name()).collect();
        words += &wrapped(&texts.variable_events(events.join(", ")), 4);
    }
    words
}
