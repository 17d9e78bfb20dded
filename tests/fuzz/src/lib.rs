//! What the fuzz targets share: a fixed time, a site, the intake's reader of JSON, and a mutator of JSON documents.

#[path = "../../../shared/provider/src/wire/list.rs"]
mod list;
mod mutator;
mod site;

use domain::template::Template;
use jiff::Timestamp;
use serde_json::{Value, json};

pub use mutator::mutate;
pub use site::{CONFIG, WEBHOOK};

/// Returns the time at which every input is received. A fixed time makes each crash repeatable.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::constant(1_795_341_600, 0)
}

/// Parses an input as the intake parses a body: JSON in UTF-8, which may begin with a byte order mark.
#[must_use]
pub fn json(input: &[u8]) -> Option<Value> {
    let text = input.strip_prefix("\u{feff}".as_bytes()).unwrap_or(input);
    serde_json::from_slice(text).ok()
}

/// Returns a page of the template list. A bare list of rows becomes a page.
#[must_use]
pub fn page(document: Value) -> Value {
    if document.is_array() { json!({"data": document}) } else { document }
}

/// Parses a page of the template list; `None` if the page is malformed.
#[must_use]
pub fn templates(page: &Value) -> Option<Vec<Template>> {
    list::templates(page).ok()
}

/// Whether a page of the template list has another page after it.
#[must_use]
pub fn has_next(page: &Value) -> bool {
    list::next_cursor(page).is_ok_and(|cursor| cursor.is_some())
}

/// Serialises a value, parses the result and compares both.
#[track_caller]
pub fn round_trip<T>(value: &T) -> String
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    let text = serde_json::to_string(value).expect("a value serialises");
    let again: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text} does not parse: {error}"));
    assert!(again == *value, "{text} is read as another value");
    text
}
