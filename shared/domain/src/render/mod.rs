//! Rendering: values in the words and by the rules of WhatsApp.
//!
//! Meta refuses parameters with line breaks, tabs, more than four blanks in a row or nothing in them, and checks the
//! length of the filled body. All of that is settled here, so that a send is refused by us with a reason and never by
//! them.

mod locale;
mod text;

use std::collections::BTreeMap;

use unicode_segmentation::UnicodeSegmentation;

use crate::language::Language;
use crate::mapping::{Source, ValueSource};
use crate::reason::{Reason, Skip};
use crate::template::{Pattern, Piece, Placeholder};
use crate::variable::Context;

pub use locale::write;
pub use text::clean;

/// Longest filled body, in UTF-16 units (Meta, template limits: 1024 as soon as there is another component; the bridge
/// keeps to it always).
pub const BODY_UNITS_MAX: usize = 1024;

/// What ends a text that was cut.
const ELLIPSIS: &str = "…";

/// A body filled: what is sent, and what the recipient reads.
#[derive(Clone, PartialEq, Eq)]
pub struct Filled {
    /// The value of each placeholder, in sending order.
    pub values: Vec<(Placeholder, String)>,
    /// The body with the values in place.
    pub text: String,
}

/// Shows which placeholders are filled, not with what: values are personal data.
impl std::fmt::Debug for Filled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.values.iter().map(|(placeholder, _)| placeholder)).finish()
    }
}

/// Fills a body's placeholders from `sources`, in the template's language.
///
/// # Errors
/// `value_missing` or `text_too_long`, with the placeholder.
pub fn fill(
    pattern: &Pattern,
    sources: &BTreeMap<Placeholder, ValueSource>,
    context: &Context<'_>,
    language: &Language,
) -> Result<Filled, Skip> {
    let mut values = Vec::new();
    for placeholder in pattern.placeholders() {
        let source = sources.get(placeholder).ok_or_else(|| missing(placeholder, None))?;
        let value = value(source, context, language).ok_or_else(|| missing(placeholder, Some(source)))?;
        values.push((placeholder.clone(), value));
    }
    fit(pattern, sources, &mut values)?;
    let text = hydrate(pattern, &values);
    Ok(Filled { values, text })
}

/// The body with `values` in place of its placeholders.
fn hydrate(pattern: &Pattern, values: &[(Placeholder, String)]) -> String {
    let filled = |piece: &Piece| match piece {
        Piece::Fixed(text) => text.clone(),
        Piece::Placeholder(placeholder) => {
            let found = values.iter().find(|(name, _)| name == placeholder);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        }
    };
    pattern.pieces().iter().map(filled).collect()
}

/// A value, clean and not empty: the source's own, else its default.
fn value(source: &ValueSource, context: &Context<'_>, language: &Language) -> Option<String> {
    let own = match &source.source {
        Source::Text(text) => Some(text.clone()),
        Source::Variable(variable) => variable.value(context).map(|raw| write(&raw, language)),
    };
    let filled = |text: String| Some(clean(&text)).filter(|text| !text.is_empty());
    own.and_then(filled).or_else(|| source.default.clone().and_then(filled))
}

fn missing(placeholder: &Placeholder, source: Option<&ValueSource>) -> Skip {
    let detail = match source.map(|source| &source.source) {
        Some(Source::Variable(variable)) => format!("{{{{{placeholder}}}}} = {}", variable.definition().id),
        Some(Source::Text(_)) | None => format!("{{{{{placeholder}}}}}"),
    };
    Skip::new(Reason::ValueMissing, detail)
}

/// Brings the body within [`BODY_UNITS_MAX`] by cutting values that allow it, the longest first.
fn fit(
    pattern: &Pattern,
    sources: &BTreeMap<Placeholder, ValueSource>,
    values: &mut [(Placeholder, String)],
) -> Result<(), Skip> {
    let may_shorten = |placeholder: &Placeholder| sources.get(placeholder).is_some_and(|source| source.shorten);
    let mut cuttable: Vec<usize> = (0..values.len()).collect();
    cuttable.retain(|index| values.get(*index).is_some_and(|(placeholder, _)| may_shorten(placeholder)));
    cuttable.sort_by_key(|index| std::cmp::Reverse(values.get(*index).map_or(0, |(_, value)| units(value))));
    for index in cuttable {
        let excess = units(&hydrate(pattern, values)).saturating_sub(BODY_UNITS_MAX);
        if excess == 0 {
            return Ok(());
        }
        if let Some((placeholder, value)) = values.get_mut(index) {
            // A placeholder that stands twice loses its excess twice; dividing up never leaves too much.
            let uses =
                pattern.pieces().iter().filter(|piece| **piece == Piece::Placeholder(placeholder.clone())).count();
            *value = shorten(value, units(value).saturating_sub(excess.div_ceil(uses.max(1))));
        }
    }
    let total = units(&hydrate(pattern, values));
    if total <= BODY_UNITS_MAX {
        return Ok(());
    }
    let longest = values.iter().max_by_key(|(_, value)| units(value));
    let name = longest.map(|(placeholder, _)| placeholder.to_string()).unwrap_or_default();
    Err(Skip::new(Reason::TextTooLong, format!("{{{{{name}}}}}: {total} > {BODY_UNITS_MAX}")))
}

/// The text cut to at most `units_max` UTF-16 units, "…" included, never within what a reader takes for one character.
/// At least the "…" stays.
fn shorten(text: &str, units_max: usize) -> String {
    let mut kept = String::new();
    let mut used = units(ELLIPSIS);
    for grapheme in text.graphemes(true) {
        used += units(grapheme);
        if used > units_max {
            break;
        }
        kept.push_str(grapheme);
    }
    format!("{}{ELLIPSIS}", kept.trim_end())
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests;
