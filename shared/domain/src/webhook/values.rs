//! Values as Meta writes them: the same field may be a number or a text.

use jiff::Timestamp;
use serde_json::Value;

/// Longest id accepted, in bytes. A business-scoped user id has up to 256 characters, a wamid fewer.
const ID_BYTES_MAX: usize = 256;
/// Longest word accepted, in bytes. This includes template names, for which Meta allows 512.
const WORD_BYTES_MAX: usize = 512;

/// Returns the items of a list; empty if there is no list.
pub(super) fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Returns a text, or an integer as text. `None` for absent, null, blank and other values.
pub(super) fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned),
        Value::Number(number) if !number.is_f64() => Some(number.to_string()),
        _ => None,
    }
}

/// Returns a word or name of Meta's; `None` if it is too long to be one.
pub(super) fn word(value: Option<&Value>) -> Option<String> {
    text(value).filter(|text| text.len() <= WORD_BYTES_MAX)
}

/// Returns an id; `None` if it is too long to be one.
pub(super) fn id(value: Option<&Value>) -> Option<String> {
    text(value).filter(|text| text.len() <= ID_BYTES_MAX)
}

/// Returns a number in digits or a business-scoped user id.
pub(super) fn contact(value: Option<&Value>) -> Option<String> {
    let id = id(value)?;
    let bare = id.strip_prefix('+').unwrap_or(&id);
    (!bare.is_empty()).then(|| bare.to_owned())
}

/// Returns a time, given in seconds since 1970 as text or number.
pub(super) fn moment(value: Option<&Value>) -> Option<Timestamp> {
    Timestamp::from_second(text(value)?.parse().ok()?).ok()
}

/// Returns the first `chars_max` characters of a text.
pub(super) fn short(text: &str, chars_max: usize) -> String {
    text.chars().take(chars_max).collect()
}
