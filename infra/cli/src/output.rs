//! Output for people: tables of at most 80 columns, wrapped sentences and masked numbers. Output for programs: JSON.

use std::io::{self, Write};

use serde::Serialize;
use texts::Texts;
use textwrap::{WordSeparator, WordSplitter, WrapAlgorithm};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Columns of the narrowest common terminal.
const COLUMNS: usize = 80;
/// Blanks between two columns.
const GAP: usize = 2;

/// How to print a result.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// Prints JSON instead of text.
    pub(crate) json: bool,
    /// The sentences of the reader's language.
    pub(crate) texts: &'static Texts,
    /// Shows full phone numbers.
    pub(crate) show_phones: bool,
}

impl Output {
    /// Prints `document` as JSON if JSON was requested, otherwise the text. Ignores write errors, such as a closed
    /// pipe.
    pub(crate) fn say(self, document: &impl Serialize, words: impl FnOnce(&Texts) -> String) {
        let text = if self.json {
            serde_json::to_string_pretty(document).unwrap_or_default()
        } else {
            words(self.texts).trim_end().to_owned()
        };
        drop(writeln!(io::stdout(), "{text}"));
    }

    /// Returns a phone number, masked unless full numbers were requested.
    pub(crate) fn phone(self, e164: &str) -> String {
        if self.show_phones {
            return e164.to_owned();
        }
        let count = e164.chars().count();
        let part = |from: usize, to: usize| e164.chars().skip(from).take(to).collect::<String>();
        format!("{}…{}", part(0, 3), part(count.saturating_sub(4), 4))
    }
}

/// Formats a table with a heading. Narrows the widest columns until it fits; truncated cells end with "…".
pub(crate) fn table<const N: usize>(heading: [String; N], rows: &[[String; N]]) -> String {
    let lines: Vec<[&str; N]> =
        std::iter::once(&heading).chain(rows).map(|row| row.each_ref().map(String::as_str)).collect();
    let widest = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.width()).max();
    let mut widths: Vec<usize> = (0..N).map(|column| widest(column).unwrap_or(0)).collect();
    while widths.iter().sum::<usize>() + GAP * N.saturating_sub(1) > COLUMNS {
        let Some(most) = widths.iter_mut().max() else { break };
        *most -= 1;
    }
    let line = |cells: &[&str; N]| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| padded(cell, *width));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    lines.iter().map(line).collect()
}

/// Wraps a text into lines of at most 80 columns, each indented by `indent` blanks. Longer words stay whole, so that
/// people can copy them.
pub(crate) fn wrapped(text: &str, indent: usize) -> String {
    let indent = " ".repeat(indent);
    let options = textwrap::Options::new(COLUMNS)
        .initial_indent(&indent)
        .subsequent_indent(&indent)
        .wrap_algorithm(WrapAlgorithm::FirstFit)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .break_words(false);
    let words: Vec<&str> = text.split_whitespace().collect();
    textwrap::fill(&words.join(" "), options) + "\n"
}

/// Fills a cell with blanks to a number of columns, or cuts it between two characters.
fn padded(cell: &str, to: usize) -> String {
    let mut text = String::new();
    let mut columns = cell.width();
    if columns <= to {
        text.push_str(cell);
    } else {
        columns = 1;
        for character in cell.graphemes(true) {
            if columns + character.width() > to {
                break;
            }
            columns += character.width();
            text.push_str(character);
        }
        text.push('…');
    }
    text + &" ".repeat(to.saturating_sub(columns))
}

#[cfg(test)]
mod tests {
    use texts::Lang;

    use super::*;

    #[test]
    fn a_table_fits_eighty_columns() {
        let rows = [["a".repeat(90), "b".to_owned()], ["x".to_owned(), "è già".to_owned()]];
        let text = table(["ONE", "TWO"].map(str::to_owned), &rows);
        assert!(text.lines().all(|line| line.chars().count() <= COLUMNS), "{text}");
        assert!(text.contains("a…  b") && text.contains("x ") && text.starts_with("ONE "), "{text}");
    }

    #[test]
    fn columns_line_up_whatever_the_script() {
        let name = |name: &str| [name.to_owned(), "sent".to_owned()];
        // Double-width characters, a combining accent, and an emoji of several code points.
        let rows = ["山田太郎", "Jose\u{301}", "José", "👩‍👩‍👧", "Anna"].map(name);
        let text = table(["NAME", "OUTCOME"].map(str::to_owned), &rows);
        let columns = |line: &str| line.find("sent").map(|place| line[..place].width());
        assert!(text.lines().skip(1).all(|line| columns(line) == Some(10)), "{text}");
    }

    #[test]
    fn a_cut_splits_no_character() {
        for (cell, to, cut) in [
            ("山田太郎", 8, "山田太郎"),
            ("山田太郎", 7, "山田太…"),
            ("山田太郎", 6, "山田… "),
            ("Jose\u{301} Rossi", 5, "Jose\u{301}…"),
        ] {
            assert_eq!(padded(cell, to), cut, "{cell} to {to} columns");
        }
    }

    #[test]
    fn sentences_are_wrapped_between_words() {
        let text = wrapped(&"parola ".repeat(30), 4);
        assert!(text.lines().all(|line| line.chars().count() <= COLUMNS && line.starts_with("    parola")), "{text}");
        assert_eq!(text.matches("parola").count(), 30);
    }

    #[test]
    fn a_long_word_stays_whole() {
        let (id, word) = ("x".repeat(90), "due-parole");
        assert_eq!(wrapped(&format!("uno {id}\n{word}"), 2), format!("  uno\n  {id}\n  {word}\n"));
        assert_eq!(wrapped("", 4), "\n");
    }

    #[test]
    fn numbers_are_masked_unless_asked_for() {
        let output = Output { json: false, texts: Lang::It.texts(), show_phones: false };
        assert_eq!(output.phone("+393401234567"), "+39…4567");
        assert_eq!(Output { show_phones: true, ..output }.phone("+393401234567"), "+393401234567");
    }
}
