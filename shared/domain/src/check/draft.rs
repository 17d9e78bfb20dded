//! Reads a mapping field by field, so that a problem in one place does not hide problems in others.
//!
//! Each field is tried alone, in a mapping that is otherwise valid. The types of [`Mapping`] therefore remain the only
//! definition of a field's valid values.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{Problem, Wrong};
use crate::event::EventType;
use crate::mapping::{ButtonUse, HeaderUse, Mapping, Source, TemplateUse, ValueSource};
use crate::primitives::id::AccountId;
use crate::primitives::language::Language;
use crate::template::Placeholder;
use crate::template::variable::{Variable, suggestion};

/// Problems with their places.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) problems: Vec<(String, Problem)>,
    /// The mapping's event type, whose variables are suggested first.
    event: Option<EventType>,
}

impl Notes {
    pub(super) fn add(&mut self, path: impl Into<String>, problem: Problem) {
        self.problems.push((path.into(), problem));
    }

    /// Records why serde refused a value.
    fn refused(&mut self, path: impl Into<String>, error: &str) {
        let problem =
            if error.starts_with("unknown field") { Problem::UnknownField } else { Problem::Wrong(Wrong::of(error)) };
        self.add(path, problem);
    }
}

/// The readable parts of a mapping.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) event: Option<EventType>,
    pub(super) account: Option<AccountId>,
    pub(super) uses: Vec<DraftUse>,
}

/// The readable parts of a template's use.
#[derive(Debug)]
pub(super) struct DraftUse {
    pub(super) path: String,
    pub(super) key: Option<Language>,
    pub(super) name: Option<String>,
    pub(super) language: Option<Language>,
    pub(super) fingerprint: Option<String>,
    /// `None` if there is a header that cannot be read.
    pub(super) header: Option<Option<HeaderUse>>,
    /// All placeholders with a value, including values that cannot be read.
    pub(super) body: Vec<Placeholder>,
    pub(super) buttons: Vec<(u8, Option<ButtonUse>)>,
    /// All values that can be read, with their places.
    pub(super) values: Vec<(String, ValueSource)>,
}

/// Returns the JSON pointer of a field below another place.
pub(super) fn below(path: &str, name: &str) -> String {
    format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Returns a field's value; `None` if it is absent or cannot be read. The fault is recorded elsewhere.
fn typed<T: DeserializeOwned>(value: Option<&Value>) -> Option<T> {
    serde_json::from_value(value?.clone()).ok()
}

/// Tries each field of `fields` in `right`, a valid document. Records missing required fields, except those in `but`.
fn try_fields<T: DeserializeOwned>(
    path: &str,
    fields: &Map<String, Value>,
    right: &Value,
    but: &[&str],
    notes: &mut Notes,
) {
    let required = right.as_object().into_iter().flatten().map(|(name, _)| name);
    for name in required.filter(|name| !fields.contains_key(*name) && !but.contains(&name.as_str())) {
        notes.add(below(path, name), Problem::Missing);
    }
    for (name, value) in fields.iter().filter(|(name, _)| !but.contains(&name.as_str())) {
        let place = below(path, name);
        let Err(error) = tried::<T>(right, name, value.clone()) else { continue };
        // The items of a list are tried one by one.
        let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
        let wrong: Vec<(usize, String)> = (0..)
            .zip(items)
            .filter_map(|(index, item)| tried::<T>(right, name, json!([item])).err().map(|error| (index, error)))
            .collect();
        if wrong.is_empty() {
            notes.refused(place.as_str(), &error);
        }
        for (index, error) in wrong {
            notes.refused(format!("{place}/{index}"), &error);
        }
    }
}

fn tried<T: DeserializeOwned>(right: &Value, name: &str, value: Value) -> Result<(), String> {
    let mut document = right.clone();
    if let Some(fields) = document.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
    serde_json::from_value::<T>(document).map(drop).map_err(|error| error.to_string())
}

/// Returns the value as an object, or records a problem.
fn object<'a>(path: &str, value: &'a Value, notes: &mut Notes) -> Option<&'a Map<String, Value>> {
    let object = value.as_object();
    if object.is_none() {
        notes.add(path, Problem::Wrong(Wrong::Object));
    }
    object
}

/// Reads a mapping.
pub(super) fn read(document: &Value, notes: &mut Notes) -> Draft {
    let Some(fields) = object("", document, notes) else { return Draft::default() };
    let right = json!({
        "id": "x", "name": "x", "event_type": EventType::OrderStatusChanged, "enabled": true,
        "active_since": "2020-01-01T00:00:00Z", "templates": {},
    });
    try_fields::<Mapping>("", fields, &right, &["templates"], notes);
    let mut draft =
        Draft { event: typed(fields.get("event_type")), account: typed(fields.get("account")), uses: Vec::new() };
    notes.event = draft.event;
    let templates = fields.get("templates").and_then(|templates| object("/templates", templates, notes));
    if templates.is_none_or(Map::is_empty) {
        notes.add("/templates", Problem::NoTemplates);
    }
    for (key, value) in templates.into_iter().flatten() {
        let path = below("/templates", key);
        let language = Language::parse(key);
        if let Err(error) = &language {
            notes.add(path.as_str(), Problem::Wrong(Wrong::of(&error.to_string())));
        }
        if let Some(fields) = object(&path, value, notes) {
            draft.uses.push(read_use(path, language.ok(), fields, notes));
        }
    }
    draft
}

fn read_use(path: String, key: Option<Language>, fields: &Map<String, Value>, notes: &mut Notes) -> DraftUse {
    let right = json!({"name": "x", "language": "it", "fingerprint": "x"});
    // A missing fingerprint means the current one.
    let apart = ["header", "body", "buttons"];
    let with_fingerprint = {
        let mut fields = fields.clone();
        fields.entry("fingerprint").or_insert_with(|| json!("x"));
        fields
    };
    try_fields::<TemplateUse>(&path, &with_fingerprint, &right, &apart, notes);
    let mut values = Vec::new();
    let header = match fields.get("header") {
        None => Some(None),
        Some(header) => read_header(&below(&path, "header"), header, &mut values, notes).map(Some),
    };
    let body = fields.get("body").map(|body| read_body(&below(&path, "body"), body, &mut values, notes));
    let buttons = fields.get("buttons").map(|all| read_buttons(&below(&path, "buttons"), all, &mut values, notes));
    DraftUse {
        key,
        name: typed(fields.get("name")),
        language: typed(fields.get("language")),
        fingerprint: typed(fields.get("fingerprint")),
        header,
        body: body.unwrap_or_default(),
        buttons: buttons.unwrap_or_default(),
        values,
        path,
    }
}

type Values = Vec<(String, ValueSource)>;

fn read_body(path: &str, body: &Value, values: &mut Values, notes: &mut Notes) -> Vec<Placeholder> {
    let mut placeholders = Vec::new();
    for (name, value) in object(path, body, notes).into_iter().flatten() {
        let place = below(path, name);
        match Placeholder::parse(name) {
            Ok(placeholder) => placeholders.push(placeholder),
            Err(error) => notes.add(place.as_str(), Problem::Wrong(Wrong::of(&error.to_string()))),
        }
        values.extend(read_value(&place, value, notes).map(|value| (place, value)));
    }
    placeholders
}

/// Reads the named values one level below a header or a button.
fn read_inner(path: &str, value: &Value, values: &mut Values, notes: &mut Notes) {
    for (name, value) in object(path, value, notes).into_iter().flatten() {
        let place = below(path, name);
        values.extend(read_value(&place, value, notes).map(|value| (place, value)));
    }
}

fn read_header(path: &str, header: &Value, values: &mut Values, notes: &mut Notes) -> Option<HeaderUse> {
    let known = notes.problems.len();
    for (kind, inner) in object(path, header, notes)? {
        let place = below(path, kind);
        if ["text", "image", "video", "document"].contains(&kind.as_str()) {
            read_inner(&place, inner, values, notes);
        } else {
            notes.add(place, Problem::UnknownField);
        }
    }
    whole(path, header, known, notes)
}

fn read_buttons(path: &str, buttons: &Value, values: &mut Values, notes: &mut Notes) -> Vec<(u8, Option<ButtonUse>)> {
    let mut read = Vec::new();
    for (index, button) in object(path, buttons, notes).into_iter().flatten() {
        let place = below(path, index);
        let known = notes.problems.len();
        read_inner(&place, button, values, notes);
        let button = whole(&place, button, known, notes);
        match index.parse() {
            Ok(index) => read.push((index, button)),
            Err(_) => notes.add(place, Problem::Wrong(Wrong::ButtonPlace)),
        }
    }
    read
}

/// Reads a whole whose parts were already checked. Its problem is recorded only if the parts have none.
fn whole<T: DeserializeOwned>(path: &str, value: &Value, known: usize, notes: &mut Notes) -> Option<T> {
    match serde_json::from_value(value.clone()) {
        Ok(whole) => Some(whole),
        Err(error) => {
            if notes.problems.len() == known {
                notes.refused(path, &error.to_string());
            }
            None
        }
    }
}

fn read_value(path: &str, value: &Value, notes: &mut Notes) -> Option<ValueSource> {
    let fields = object(path, value, notes)?;
    let known = notes.problems.len();
    if let Some(id) = fields.get("variable").and_then(Value::as_str)
        && Variable::of(id).is_none()
    {
        let nearest = suggestion(id, notes.event);
        notes.add(below(path, "variable"), Problem::UnknownVariable { id: id.to_owned(), nearest });
    } else if fields.get("variable").is_some_and(|variable| !variable.is_string()) {
        notes.add(below(path, "variable"), Problem::Wrong(Wrong::Variable));
    }
    try_fields::<ValueSource>(path, fields, &json!({"text": "x"}), &["variable", "text"], notes);
    let value: ValueSource = whole(path, value, known, notes)?;
    if let Source::Text(text) = &value.source
        && text.trim().is_empty()
        && value.default.is_none()
    {
        notes.add(below(path, "text"), Problem::EmptyText);
    }
    Some(value)
}
