//! Fixed texts of a mapping that no message could be sent with.

use super::Problem;
use super::draft::{Notes, below};
use crate::decision::render::{Place, clean};
use crate::mapping::{Source, ValueSource};

/// Records the fault of a fixed text in the value at `path`, within the template's use at `used`.
pub(super) fn check(used: &str, path: &str, value: &ValueSource, notes: &mut Notes) {
    let Some(place) = path.strip_prefix(used).and_then(place) else { return };
    let may_be_cut = value.shorten && matches!(place, Place::Body | Place::HeaderText | Place::Filename);
    if may_be_cut {
        return;
    }
    if let Some((name, text)) = fixed_text(value)
        && let Some(fault) = place.fault(&text)
    {
        notes.add(below(path, name), Problem::NeverSendable(fault));
    }
}

/// Returns the cleaned fixed text of a value, with the name of its field.
///
/// This is the value's own text if it is not empty, otherwise its default.
fn fixed_text(value: &ValueSource) -> Option<(&'static str, String)> {
    let own = match &value.source {
        Source::Text(text) => Some(("text", clean(text))),
        Source::Variable(_) => None,
    };
    let default = || Some(("default", clean(value.default.as_deref()?)));
    let has_content = |fixed: &(&str, String)| !fixed.1.is_empty();
    own.filter(has_content).or_else(default).filter(has_content)
}

/// Returns the place of a value from its path below the template's use; `None` if any text can be sent there.
fn place(path: &str) -> Option<Place> {
    let mut parts = path.split('/').skip(1);
    match [parts.next()?, parts.next()?, parts.next().unwrap_or_default()] {
        ["body", _, ""] => Some(Place::Body),
        ["header", "text", _] => Some(Place::HeaderText),
        ["header", _, "link"] => Some(Place::Link),
        ["header", _, "filename"] => Some(Place::Filename),
        ["buttons", _, "payload"] => Some(Place::Payload),
        ["buttons", _, "code"] => Some(Place::Code),
        _ => None,
    }
}
