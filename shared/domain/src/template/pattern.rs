//! Texts with placeholders.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A placeholder: `{{1}}` in a POSITIONAL template, `{{nome}}` in a NAMED one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Placeholder {
    /// A number, from 1.
    Position(u16),
    /// A name: lower-case letters, digits and underscores.
    Name(String),
}

/// The error for a text that is neither a number from 1 nor a parameter name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the number or the name of a placeholder")]
pub struct PlaceholderError;

impl Placeholder {
    /// Parses the text between the braces.
    ///
    /// # Errors
    /// [`PlaceholderError`] if it is neither a number nor a name.
    pub fn parse(text: &str) -> Result<Self, PlaceholderError> {
        if let Ok(position) = text.parse::<u16>() {
            return if position == 0 { Err(PlaceholderError) } else { Ok(Self::Position(position)) };
        }
        let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if text.is_empty() || !text.bytes().all(is_name) {
            Err(PlaceholderError)
        } else {
            Ok(Self::Name(text.to_owned()))
        }
    }
}

impl TryFrom<String> for Placeholder {
    type Error = PlaceholderError;

    fn try_from(text: String) -> Result<Self, PlaceholderError> {
        Self::parse(&text)
    }
}

impl From<Placeholder> for String {
    fn from(placeholder: Placeholder) -> String {
        placeholder.to_string()
    }
}

impl fmt::Display for Placeholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Position(position) => write!(f, "{position}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// A text with placeholders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Pattern {
    text: String,
    pieces: Vec<Piece>,
}

/// A piece of a [`Pattern`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text that Meta approved.
    Fixed(String),
    /// A placeholder for a value.
    Placeholder(Placeholder),
}

impl Pattern {
    /// Splits a text into pieces. Braces without a valid placeholder are text.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut fixed = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let inside = after.split_once("}}").and_then(|(inside, behind)| {
                Placeholder::parse(inside.trim()).ok().map(|placeholder| (placeholder, behind))
            });
            fixed.push_str(before);
            if let Some((placeholder, behind)) = inside {
                if !fixed.is_empty() {
                    pieces.push(Piece::Fixed(std::mem::take(&mut fixed)));
                }
                pieces.push(Piece::Placeholder(placeholder));
                rest = behind;
            } else {
                fixed.push_str("{{");
                rest = after;
            }
        }
        fixed.push_str(rest);
        if !fixed.is_empty() {
            pieces.push(Piece::Fixed(fixed));
        }
        Self { text: text.to_owned(), pieces }
    }

    /// Returns the pieces in order.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Returns the placeholders in sending order, each once: positions in numeric order, names in order of appearance.
    #[must_use]
    pub fn placeholders(&self) -> Vec<&Placeholder> {
        let mut found: Vec<&Placeholder> = Vec::new();
        for piece in &self.pieces {
            if let Piece::Placeholder(placeholder) = piece
                && !found.contains(&placeholder)
            {
                found.push(placeholder);
            }
        }
        found.sort_by_key(|placeholder| match placeholder {
            Placeholder::Position(position) => *position,
            Placeholder::Name(_) => 0,
        });
        found
    }
}

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        Self::parse(&text)
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> String {
        pattern.text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn placeholders(text: &str) -> Vec<String> {
        Pattern::parse(text).placeholders().into_iter().map(ToString::to_string).collect()
    }

    #[test]
    fn placeholders_are_found_once_and_in_sending_order() {
        assert_eq!(placeholders("Ciao {{2}}, {{1}} e {{ 2 }}."), ["1", "2"]);
        assert_eq!(placeholders("Ciao {{nome}}, {{codice}}."), ["nome", "codice"]);
        assert_eq!(placeholders("{{10}} {{9}}"), ["9", "10"]);
    }

    #[test]
    fn braces_without_a_placeholder_are_text() {
        for text in ["{{}}", "{{0}}", "{{Nome}}", "{{1", "}}{{", "{{a b}}", "{ {1} }"] {
            assert_eq!(Pattern::parse(text).pieces(), [Piece::Fixed(text.to_owned())], "{text}");
        }
        assert_eq!(placeholders("{{ {{1}}"), ["1"]);
    }

    proptest! {
        #[test]
        fn the_pieces_of_any_text_join_back_to_it(text in "([a-z ]|\\{\\{[0-9a-z_]{0,3}\\}\\}|\\{|\\}){0,20}") {
            let pattern = Pattern::parse(&text);
            let joined: String = pattern.pieces().iter().map(|piece| match piece {
                Piece::Fixed(text) => text.clone(),
                Piece::Placeholder(placeholder) => format!("{{{{{placeholder}}}}}"),
            }).collect();
            // Whitespace and leading zeros between the braces do not matter.
            let plain = |text: &str| text.replace(' ', "").replace("{{0", "{{").replace("{{0", "{{");
            prop_assert_eq!(plain(&joined), plain(&text));
        }
    }
}
