//! One value: where it comes from, and the text rules of parameters.

use crate::mapping::{Source, ValueSource};
use crate::message::reason::{Reason, Skip};
use crate::template::variable::{Context, Variable};

use super::locale::{Locale, write};

/// What writes the values of one message.
pub(super) struct Writer<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) locale: &'a Locale<'a>,
}

impl Writer<'_> {
    /// Whether a value may be cut: its mapping says so, or it names files that were collected, of which nobody knew how
    /// many would come.
    pub(super) fn may_shorten(&self, source: &ValueSource) -> bool {
        let names = |variable: &Variable| matches!(variable.definition().id, "file.name" | "files.names");
        let collected = self.context.files.is_some_and(|files| files.count > 1);
        source.shorten || (collected && matches!(&source.source, Source::Variable(variable) if names(variable)))
    }

    /// A value, clean and not empty: the source's own, else its default.
    pub(super) fn value(&self, source: &ValueSource, place: &str) -> Result<String, Skip> {
        self.adapted(source, place, std::convert::identity)
    }

    /// A value as `adapt` wants it; the default stands in where that leaves nothing.
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

/// Nothing to show at a place.
pub(super) fn missing(place: &str, source: Option<&ValueSource>) -> Skip {
    Skip::new(Reason::ValueMissing, named(place, source))
}

/// A place, with the variable that fills it.
pub(super) fn named(place: &str, source: Option<&ValueSource>) -> String {
    match source.map(|source| &source.source) {
        Some(Source::Variable(variable)) => format!("{place} = {}", variable.definition().id),
        Some(Source::Text(_)) | None => place.to_owned(),
    }
}

/// What stands between two lines once they are one.
const LINE_SEPARATOR: &str = " - ";

/// A text as a parameter may hold it: lines joined by " - ", every run of blanks one space, nothing invisible, trimmed.
/// It may come out empty.
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

/// Kept between two pictographs only, where it makes one emoji of them.
const ZERO_WIDTH_JOINER: char = '\u{200d}';

fn is_pictograph(character: char) -> bool {
    // Symbols, emoji, their skin tones and variation selector; no letters of any script.
    matches!(character, '\u{2190}'..='\u{2bff}' | '\u{fe0f}' | '\u{1f000}'..='\u{1faff}')
}

/// Control, format and zero-width characters, and what no text may hold.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fdd0}'..='\u{fdef}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}
