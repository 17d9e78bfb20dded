//! Texts with placeholders: the body, and a text header.

use std::fmt;

use unicode_segmentation::UnicodeSegmentation;

use crate::mapping::{ValueSource, Values};
use crate::message::reason::{Reason, Skip};
use crate::template::{Pattern, Piece, Placeholder};

use super::units;
use super::value::{Writer, missing};

/// Longest filled body, in UTF-16 units. Meta's template limits allow 1024 if there is another component; the bridge
/// always applies this limit.
pub const BODY_UNITS_MAX: usize = 1024;
/// Longest filled header, in UTF-16 units (Meta, template limits).
pub(super) const HEADER_UNITS_MAX: usize = 60;

/// The end of a text that was cut.
const ELLIPSIS: &str = "…";

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

/// Fills the placeholders of a text.
pub(super) fn fill(pattern: &Pattern, sources: &Values, writer: &Writer<'_>, part: Part) -> Result<Filled, Skip> {
    let mut values = Vec::new();
    for placeholder in pattern.placeholders() {
        let place = part.place(placeholder);
        let source = sources.get(placeholder).ok_or_else(|| missing(&place, None))?;
        values.push((placeholder.clone(), writer.value(source, &place)?));
    }
    fit(pattern, |source| writer.may_shorten(source), (sources, &mut values), part)?;
    let text = hydrate(pattern, &values);
    Ok(Filled { values, text })
}

/// Returns the text with `values` in place of its placeholders.
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

/// Shortens the text to its limit by cutting values that may be cut, the longest first.
fn fit(
    pattern: &Pattern,
    allows: impl Fn(&ValueSource) -> bool,
    (sources, values): (&Values, &mut [(Placeholder, String)]),
    part: Part,
) -> Result<(), Skip> {
    let may_shorten = |placeholder: &Placeholder| sources.get(placeholder).is_some_and(&allows);
    let mut cuttable: Vec<usize> = (0..values.len()).collect();
    cuttable.retain(|index| values.get(*index).is_some_and(|(placeholder, _)| may_shorten(placeholder)));
    cuttable.sort_by_key(|index| std::cmp::Reverse(values.get(*index).map_or(0, |(_, value)| units(value))));
    for index in cuttable {
        let excess = units(&hydrate(pattern, values)).saturating_sub(part.units_max);
        if excess == 0 {
            return Ok(());
        }
        if let Some((placeholder, value)) = values.get_mut(index) {
            // A placeholder that occurs twice saves each cut twice. Rounding up ensures that enough is cut.
            let uses =
                pattern.pieces().iter().filter(|piece| **piece == Piece::Placeholder(placeholder.clone())).count();
            *value = shorten(value, units(value).saturating_sub(excess.div_ceil(uses.max(1))));
        }
    }
    let total = units(&hydrate(pattern, values));
    if total <= part.units_max {
        return Ok(());
    }
    let longest = values.iter().max_by_key(|(_, value)| units(value));
    let place = longest.map(|(placeholder, _)| part.place(placeholder)).unwrap_or_default();
    Err(Skip::new(Reason::TextTooLong, format!("{place}: {total} > {}", part.units_max)))
}

/// Cuts the text to at most `units_max` UTF-16 units, including "…", and never inside a grapheme. At least "…" remains.
pub(super) fn shorten(text: &str, units_max: usize) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cutting_never_splits_a_character() {
        assert_eq!(shorten("👨\u{200d}👩\u{200d}👧 ciao", 8), "…");
        assert_eq!(shorten("👨\u{200d}👩\u{200d}👧 ciao", 10), "👨\u{200d}👩\u{200d}👧…");
        assert_eq!(shorten("perché no", 4), "per…");
        assert_eq!(shorten("uno due", 5), "uno…");
    }
}
