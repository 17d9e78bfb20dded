//! The text rules of parameters.

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
