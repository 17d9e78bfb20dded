//! Quotation marks of a value that a template puts into quotation marks itself.
//!
//! The template `«{{1}}»` and the value `Offerta «Natale»` give `«Offerta “Natale”»`. The inner marks follow from the
//! outer ones and from the template's language. Only pairs of double marks are replaced: apostrophes and inch signs
//! stay.

use crate::primitives::language::Language;
use crate::template::{Pattern, Piece, Placeholder};

/// The marks that a template puts around a placeholder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outer {
    /// `«…»`
    Guillemets,
    /// `»…«`
    Reversed,
    /// `„…“` and `„…”`
    Low,
    /// `“…”`
    High,
    /// `"…"`
    Straight,
}

/// The opening and the closing mark of a quotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Marks {
    open: char,
    close: char,
}

const fn marks(open: char, close: char) -> Marks {
    Marks { open, close }
}

/// The marks inside a quotation, and inside a quotation in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inner {
    first: Marks,
    second: Marks,
}

impl Outer {
    /// Returns the marks that `character` opens. `around` is the characters before and after it.
    fn opened_by(character: char, around: (Option<char>, Option<char>)) -> Option<Self> {
        match character {
            '«' => Some(Self::Guillemets),
            '„' | '‟' => Some(Self::Low),
            '“' => Some(Self::High),
            '»' if opens(around) => Some(Self::Reversed),
            '"' if opens(around) => Some(Self::Straight),
            _ => None,
        }
    }

    fn is_closed_by(self, character: char) -> bool {
        match self {
            Self::Guillemets => character == '»',
            Self::Reversed => character == '«',
            // Many keyboards have a low mark and only the straight one to close it.
            Self::Low => matches!(character, '“' | '”' | '"'),
            Self::High => character == '”',
            Self::Straight => character == '"',
        }
    }

    fn inner(self, language: &Language) -> Inner {
        let (single, low) = (marks('‘', '’'), marks('‚', '‘'));
        match (self, language.base()) {
            (Self::Low, _) | (Self::Straight, "de") => Inner { first: low, second: marks('„', '“') },
            (Self::Reversed, _) => Inner { first: marks('›', '‹'), second: marks('»', '«') },
            (Self::Guillemets, "de") => Inner { first: marks('‹', '›'), second: marks('«', '»') },
            (Self::Guillemets, _) => Inner { first: marks('“', '”'), second: single },
            (Self::High | Self::Straight, _) => Inner { first: single, second: marks('“', '”') },
        }
    }
}

/// Whether a mark that opens and closes quotations opens one here.
fn opens((before, after): (Option<char>, Option<char>)) -> bool {
    let free = |character: char| character.is_whitespace() || "([{/-–—*_".contains(character);
    before.is_none_or(free) && !after.is_some_and(char::is_whitespace)
}

/// Returns the marks for quotations in the values of a placeholder. `None` if the template never puts it into quotation
/// marks.
pub(super) fn around(pattern: &Pattern, placeholder: &Placeholder, language: &Language) -> Option<Inner> {
    let mut open = None;
    for (index, piece) in pattern.pieces().iter().enumerate() {
        match piece {
            Piece::Fixed(text) => open = after(text, open, (index > 0).then_some(FILLED)),
            Piece::Placeholder(this) if this == placeholder => {
                if let Some(outer) = open {
                    return Some(Outer::inner(outer, language));
                }
            }
            Piece::Placeholder(_) => {}
        }
    }
    None
}

/// Represents the last character of a value.
const FILLED: char = 'x';

/// Returns the quotation that is open after a fixed text, if `open` is open before it. `before` is the character before
/// the text.
fn after(text: &str, mut open: Option<Outer>, mut before: Option<char>) -> Option<Outer> {
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        open = match open {
            Some(outer) if outer.is_closed_by(character) => None,
            Some(outer) => Some(outer),
            None => Outer::opened_by(character, (before, characters.peek().copied())),
        };
        before = Some(character);
    }
    open
}

/// Returns a value with `inner` marks around its quotations. A value that is a single quotation loses its marks. The
/// value must fit into a message: the time grows with the square of its length, and the stack with its nesting.
pub(super) fn nested(value: &str, inner: Inner) -> String {
    match quotation(value) {
        Some(Quotation { before: "", content, after: "" }) if !content.trim().is_empty() => {
            nested(content.trim(), inner)
        }
        _ => marked(value, inner),
    }
}

fn marked(text: &str, inner: Inner) -> String {
    let Inner { first, second } = inner;
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(Quotation { before, content, after }) = quotation(rest) {
        result.push_str(before);
        result.push(first.open);
        result.push_str(&marked(content, Inner { first: second, second: first }));
        result.push(first.close);
        rest = after;
    }
    result + rest
}

/// The first quotation of a text.
struct Quotation<'a> {
    before: &'a str,
    content: &'a str,
    after: &'a str,
}

fn quotation(text: &str) -> Option<Quotation<'_>> {
    let mut previous = None;
    for (at, character) in text.char_indices() {
        let (before, opened) = text.split_at(at);
        let behind = opened.get(character.len_utf8()..).unwrap_or_default();
        if let Some(outer) = Outer::opened_by(character, (previous, behind.chars().next()))
            && let Some((content, after)) = closed(behind, outer, character)
        {
            return Some(Quotation { before, content, after });
        }
        previous = Some(character);
    }
    None
}

/// Splits a text at the mark that closes `outer`, which `open` opened.
fn closed(text: &str, outer: Outer, open: char) -> Option<(&str, &str)> {
    let mut depth = 0usize;
    for (at, character) in text.char_indices() {
        if outer.is_closed_by(character) {
            if depth == 0 {
                let (content, closing) = text.split_at(at);
                return Some((content, closing.get(character.len_utf8()..).unwrap_or_default()));
            }
            depth -= 1;
        } else if character == open {
            depth += 1;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(pattern: &str, value: &str, language: &str) -> String {
        let pattern = Pattern::parse(pattern);
        let placeholder = pattern.placeholders().first().copied().unwrap().clone();
        let language = Language::parse(language).unwrap();
        let value = match around(&pattern, &placeholder, &language) {
            Some(inner) => nested(value, inner),
            None => value.to_owned(),
        };
        let pieces = pattern.pieces().iter().map(|piece| match piece {
            Piece::Fixed(text) => text.as_str(),
            Piece::Placeholder(_) => value.as_str(),
        });
        pieces.collect()
    }

    #[test]
    fn quotations_in_a_quotation_have_the_inner_marks_of_the_language() {
        let table = [
            ("it", "Oggetto «{{1}}».", "Offerta «Natale» e \"Befana\"", "Oggetto «Offerta “Natale” e “Befana”»."),
            ("it", "Oggetto “{{1}}”.", "Offerta «Natale»", "Oggetto “Offerta ‘Natale’”."),
            ("it", "Oggetto \"{{1}}\".", "Offerta \"Natale\"", "Oggetto \"Offerta ‘Natale’\"."),
            ("en", "About “{{1}}”.", "The “big” sale", "About “The ‘big’ sale”."),
            ("de", "Betreff „{{1}}“.", "Angebot „Ostern“", "Betreff „Angebot ‚Ostern‘“."),
            ("de", "Betreff »{{1}}«.", "Angebot »Ostern«", "Betreff »Angebot ›Ostern‹«."),
            ("de_CH", "Betreff «{{1}}».", "Angebot «Ostern»", "Betreff «Angebot ‹Ostern›»."),
            ("fr", "Objet : « {{1}} ».", "Offre « Noël »", "Objet : « Offre “ Noël ” »."),
            ("es", "Asunto «{{1}}».", "Oferta «Navidad»", "Asunto «Oferta “Navidad”»."),
            ("it", "Oggetto «{{1}}».", "«Natale»", "Oggetto «Natale»."),
            ("it", "Oggetto «{{1}}».", "Il «caso “Rossi”» chiuso", "Oggetto «Il “caso ‘Rossi’” chiuso»."),
        ];
        for (language, pattern, value, expected) in table {
            assert_eq!(shown(pattern, value, language), expected);
        }
    }

    #[test]
    fn other_marks_stay() {
        let table = [
            ("Oggetto: {{1}}.", "Offerta «Natale»", "Oggetto: Offerta «Natale»."),
            ("Nuovo «avviso»: {{1}}.", "Offerta «Natale»", "Nuovo «avviso»: Offerta «Natale»."),
            ("Oggetto «{{1}}».", "Tubo 1/2\" e 3/4\" l'altro", "Oggetto «Tubo 1/2\" e 3/4\" l'altro»."),
            ("Oggetto «{{1}}».", "Aperto « e mai chiuso", "Oggetto «Aperto « e mai chiuso»."),
            ("Neuer „Hinweis\": {{1}}.", "Offerta «Natale»", "Neuer „Hinweis\": Offerta «Natale»."),
            ("Schermo da 15\" {{1}}.", "Offerta \"Natale\"", "Schermo da 15\" Offerta \"Natale\"."),
            ("Oggetto «{{1}}».", "«»", "Oggetto «“”»."),
        ];
        for (pattern, value, expected) in table {
            assert_eq!(shown(pattern, value, "it"), expected);
        }
    }

    proptest! {
        #[test]
        fn only_marks_change_and_no_value_grows(value in "[a-c\"«»“”„‘’][a-c \"«»“”„‘’]{0,40}", language in "it|en|de|fr|es") {
            for pattern in ["«{{1}}»", "»{{1}}«", "„{{1}}“", "“{{1}}”", "\"{{1}}\""] {
                let pattern = Pattern::parse(pattern);
                let placeholder = pattern.placeholders().first().copied().unwrap().clone();
                let inner = around(&pattern, &placeholder, &Language::parse(&language).unwrap()).unwrap();
                let result = nested(&value, inner);
                let letters = |text: &str| text.chars().filter(char::is_ascii_alphabetic).collect::<String>();
                prop_assert_eq!(letters(&result), letters(&value));
                prop_assert!(!result.is_empty());
                prop_assert!(result.encode_utf16().count() <= value.encode_utf16().count());
            }
        }
    }
}
