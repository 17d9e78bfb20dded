//! Values as Meta writes them: the same thing as a number here and as text there.

use jiff::Timestamp;
use serde_json::Value;

/// Longest id that is looked at, in bytes. A business-scoped user id has up to 256 characters; a wamid fewer.
const ID_BYTES_MAX: usize = 256;
/// Longest word, name of a template included (Meta allows 512), in bytes.
const WORD_BYTES_MAX: usize = 512;

/// The items of a list; none where there is no list.
pub(super) fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A text, or a whole number as text; nothing where it is absent, null, blank or something else.
pub(super) fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned),
        Value::Number(number) if !number.is_f64() => Some(number.to_string()),
        _ => None,
    }
}

/// A word or a name of Meta's; nothing where it is too long to be one.
pub(super) fn word(value: Option<&Value>) -> Option<String> {
    text(value).filter(|text| text.len() <= WORD_BYTES_MAX)
}

/// An id; nothing where it is too long to be one.
pub(super) fn id(value: Option<&Value>) -> Option<String> {
    text(value).filter(|text| text.len() <= ID_BYTES_MAX)
}

/// A number in digits or a business-scoped user id.
pub(super) fn contact(value: Option<&Value>) -> Option<String> {
    let id = id(value)?;
    let bare = id.strip_prefix('+').unwrap_or(&id);
    (!bare.is_empty()).then(|| bare.to_owned())
}

/// A moment, given in seconds since 1970 as text or number.
pub(super) fn moment(value: Option<&Value>) -> Option<Timestamp> {
    Timestamp::from_second(text(value)?.parse().ok()?).ok()
}

/// The first characters of a text.
pub(super) fn short(text: &str, chars_max: usize) -> String {
    text.chars().take(chars_max).collect()
}
