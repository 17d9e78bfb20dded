//! One value: its source, and the text rules of parameters.

use crate::mapping::{Source, ValueSource};
use crate::message::reason::{Reason, Skip};
use crate::template::variable::{Context, Variable};

use super::locale::{Locale, write};

/// Writes the values of one message.
pub(super) struct Writer<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) locale: &'a Locale<'a>,
}

impl Writer<'_> {
    /// Whether a value may be cut: the mapping allows it, or it names the files of a digest, whose number is not known
    /// in advance.
    pub(super) fn may_shorten(&self, source: &ValueSource) -> bool {
        let names = |variable: &Variable| matches!(variable.definition().id, "file.name" | "files.names");
        let collected = self.context.files.is_some_and(|files| files.count > 1);
        source.shorten || (collected && matches!(&source.source, Source::Variable(variable) if names(variable)))
    }

    /// Returns the cleaned value of a source, or its default if the value is empty.
    pub(super) fn value(&self, source: &ValueSource, place: &str) -> Result<String, Skip> {
        self.adapted(source, place, std::convert::identity)
    }

    /// Returns a value transformed by `adapt`, or the transformed default if the result is empty.
    pub(super) fn adapted(
        &self,
        source: &ValueSource,
        place: &str,
        adapt: impl Fn(String) -> String,
    ) -> Result<String, Skip> {
        let own = match &source.source {
            Source::Text(text) => Some(text.clone()),
            Source::Variable(variable) => {
                variable.value(self.context).map(|raw| write(&raw, source.format, self.locale))
            }
        };
        let filled = |text: String| Some(adapt(clean(&text))).filter(|text| !text.is_empty());
        let value = own.and_then(&filled).or_else(|| source.default.clone().and_then(&filled));
        value.ok_or_else(|| missing(place, Some(source)))
    }
}

/// Returns the skip for an empty value at a place.
pub(super) fn missing(place: &str, source: Option<&ValueSource>) -> Skip {
    Skip::new(Reason::ValueMissing, named(place, source))
}

/// Returns the name of a place, with the variable that fills it.
pub(super) fn named(place: &str, source: Option<&ValueSource>) -> String {
    match source.map(|source| &source.source) {
        Some(Source::Variable(variable)) => format!("{place} = {}", variable.definition().id),
        Some(Source::Text(_)) | None => place.to_owned(),
    }
}

/// Separator of lines that are joined into one.
const LINE_SEPARATOR: &str = " - ";

/// Returns a text as a parameter may contain it. Lines are joined by " - ", each run of whitespace becomes one space,
/// invisible characters are removed, and the ends are trimmed. The result may be empty.
#[must_use]
pub fn clean(text: &str) -> String {
    let lines = text.split(is_line_break).map(clean_line).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(LINE_SEPARATOR)
}

fn is_line_break(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn clean_line(line: &str) -> String {
    let mut cleaned = String::with_capacity(line.len());
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        if character.is_whitespace() {
            if !cleaned.ends_with(' ') {
                cleaned.push(' ');
            }
        } else if character == ZERO_WIDTH_JOINER {
            let joins = cleaned.chars().last().is_some_and(is_pictograph)
                && characters.peek().copied().is_some_and(is_pictograph);
            if joins {
                cleaned.push(character);
            }
        } else if !is_invisible(character) {
            cleaned.push(character);
        }
    }
    cleaned.trim().to_owned()
}

/// Kept only between two pictographs, where it joins them into one emoji.
const ZERO_WIDTH_JOINER: char = '\u{200d}';

fn is_pictograph(character: char) -> bool {
    // Symbols, emoji, their skin tones and variation selector; no letters of any script.
    matches!(character, '\u{2190}'..='\u{2bff}' | '\u{fe0f}' | '\u{1f000}'..='\u{1faff}')
}

/// Whether a character is a control, format or zero-width character, or not allowed in text.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fdd0}'..='\u{fdef}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}
