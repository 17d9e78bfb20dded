//! Texts with placeholders: the body, and a text header.

use std::fmt;

use crate::mapping::Values;
use crate::message::reason::{Reason, Skip};
use crate::template::{Pattern, Piece, Placeholder};

use super::value::{Writer, Written, missing};
use super::{quotes, units};

/// Longest filled body, in UTF-16 units. Meta's template limits allow 1024 if there is another component; the bridge
/// always applies this limit.
pub const BODY_UNITS_MAX: usize = 1024;
/// Longest filled header, in UTF-16 units (Meta, template limits).
pub(super) const HEADER_UNITS_MAX: usize = 60;

/// A filled text: the values that are sent, and the text that the recipient reads.
#[derive(Clone, PartialEq, Eq)]
pub struct Filled {
    /// The value of each placeholder, in sending order.
    pub values: Vec<(Placeholder, String)>,
    /// The text with the values inserted.
    pub text: String,
}

/// Shows only the placeholders: values are personal data.
impl fmt::Debug for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.values.iter().map(|(placeholder, _)| placeholder)).finish()
    }
}

/// The text of a template to fill.
#[derive(Clone, Copy)]
pub(super) struct Part {
    /// The prefix of a placeholder's name in a skip's detail.
    prefix: &'static str,
    units_max: usize,
}

/// The body.
pub(super) const BODY: Part = Part { prefix: "", units_max: BODY_UNITS_MAX };
/// The header.
pub(super) const HEADER: Part = Part { prefix: "header ", units_max: HEADER_UNITS_MAX };

impl Part {
    pub(super) fn place(self, placeholder: &Placeholder) -> String {
        format!("{}{{{{{placeholder}}}}}", self.prefix)
    }
}

/// A placeholder with its value.
struct Entry {
    placeholder: Placeholder,
    value: Written,
}

/// Fills the placeholders of a text.
pub(super) fn fill(pattern: &Pattern, sources: &Values, writer: &Writer<'_>, part: Part) -> Result<Filled, Skip> {
    let mut entries = Vec::new();
    for placeholder in pattern.placeholders() {
        let place = part.place(placeholder);
        let source = sources.get(placeholder).ok_or_else(|| missing(&place, None))?;
        entries.push(Entry { placeholder: placeholder.clone(), value: writer.written(source, &place)? });
    }
    fit(pattern, &mut entries, part)?;
    for Entry { placeholder, value } in &mut entries {
        if let Some(inner) = quotes::around(pattern, placeholder, writer.locale.language) {
            value.text = quotes::nested(&value.text, inner);
        }
    }
    let text = hydrate(pattern, &entries);
    Ok(Filled { values: entries.into_iter().map(|entry| (entry.placeholder, entry.value.text)).collect(), text })
}

/// Returns the text with the values in place of its placeholders.
fn hydrate(pattern: &Pattern, entries: &[Entry]) -> String {
    let filled = |piece: &Piece| match piece {
        Piece::Fixed(text) => text.clone(),
        Piece::Placeholder(placeholder) => {
            let found = entries.iter().find(|entry| entry.placeholder == *placeholder);
            found.map(|entry| entry.value.text.clone()).unwrap_or_default()
        }
    };
    pattern.pieces().iter().map(filled).collect()
}

/// Shortens the text to its limit by shortening the values that allow it, the longest first.
fn fit(pattern: &Pattern, entries: &mut [Entry], part: Part) -> Result<(), Skip> {
    let mut cuttable: Vec<usize> = (0..entries.len()).collect();
    cuttable.retain(|index| entries.get(*index).is_some_and(|entry| entry.value.may_shorten));
    cuttable.sort_by_key(|index| std::cmp::Reverse(entries.get(*index).map_or(0, |entry| units(&entry.value.text))));
    for index in cuttable {
        let excess = units(&hydrate(pattern, entries)).saturating_sub(part.units_max);
        if excess == 0 {
            return Ok(());
        }
        if let Some(Entry { placeholder, value }) = entries.get_mut(index) {
            // A placeholder that occurs twice saves each cut twice. Rounding up ensures that enough is cut.
            let uses =
                pattern.pieces().iter().filter(|piece| **piece == Piece::Placeholder(placeholder.clone())).count();
            value.shorten(units(&value.text).saturating_sub(excess.div_ceil(uses.max(1))));
        }
    }
    let total = units(&hydrate(pattern, entries));
    if total <= part.units_max {
        return Ok(());
    }
    let longest = entries.iter().max_by_key(|entry| units(&entry.value.text));
    let place = longest.map(|entry| part.place(&entry.placeholder)).unwrap_or_default();
    Err(Skip::new(Reason::TextTooLong, format!("{place}: {total} > {}", part.units_max)))
}
