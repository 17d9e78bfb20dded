//! The text rules of parameters: one line, without invisible characters.

/// Separator of lines that are joined into one.
const LINE_SEPARATOR: &str = " - ";
/// Separator of the items of a list.
const ITEM_SEPARATOR: &str = ", ";

/// Returns a text as a parameter may contain it: on one line, each run of whitespace as one space, without invisible
/// characters, and trimmed. The result may be empty.
///
/// Lines are joined by " - ", or by a space after a colon, a comma or a semicolon. Lines that begin with a bullet or a
/// dash are the items of a list: they lose it and are joined by commas. Lines of nothing but dashes are removed.
#[must_use]
pub fn clean(text: &str) -> String {
    let lines: Vec<String> = text.split(is_line_break).map(clean_line).filter(|line| !line.is_empty()).collect();
    if let [line] = lines.as_slice() {
        return line.clone();
    }
    let mut joined = String::new();
    let mut after_item = false;
    for line in lines.iter().filter(|line| !line.chars().all(is_bullet)) {
        let item = item(line);
        if after_item && item.is_some() {
            joined.truncate(joined.trim_end_matches([',', ';', ' ']).len());
            joined.push_str(ITEM_SEPARATOR);
        } else if joined.ends_with([':', ',', ';']) {
            joined.push(' ');
        } else if !joined.is_empty() {
            joined.push_str(LINE_SEPARATOR);
        }
        joined.push_str(item.unwrap_or(line));
        after_item = item.is_some();
    }
    joined
}

/// Returns the item in a line of a list; `None` if the line does not begin with a bullet or a dash.
fn item(line: &str) -> Option<&str> {
    line.strip_prefix(is_bullet)?.strip_prefix(' ')
}

fn is_bullet(character: char) -> bool {
    matches!(character, '-' | '–' | '—' | '*' | '•' | '·' | '‣' | '◦' | '▪')
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
