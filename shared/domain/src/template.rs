//! Templates: what Meta approved, as WA Smart Business lists it.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::key::to_hex;
use crate::language::Language;

/// An approved (or once approved) message with its placeholders. Owned by WA Smart Business; the bridge only reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// Its name, `[a-z0-9_]`.
    pub name: String,
    /// Its language, exactly as listed.
    pub language: Language,
    /// Where its approval stands.
    pub status: TemplateStatus,
    /// What decides consent and price.
    pub category: Category,
    /// The body.
    pub body: Pattern,
    /// Why the bridge cannot fill it although Meta approved it: a part it does not know or cannot fill yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unusable: Option<String>,
    /// [`fingerprint`] of what a mapping was checked against.
    pub fingerprint: String,
}

/// Where a template's approval stands. Only `APPROVED` may be sent; whatever Meta adds later may not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum TemplateStatus {
    /// Sendable.
    Approved,
    /// Any other status, by its name: pending, paused, rejected, disabled and so on.
    Other(String),
}

impl From<String> for TemplateStatus {
    fn from(text: String) -> Self {
        if text == "APPROVED" { Self::Approved } else { Self::Other(text) }
    }
}

impl From<TemplateStatus> for String {
    fn from(status: TemplateStatus) -> String {
        match status {
            TemplateStatus::Approved => "APPROVED".to_owned(),
            TemplateStatus::Other(text) => text,
        }
    }
}

/// What Meta bills and restricts by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Category {
    /// Service messages.
    Utility,
    /// Needs recorded consent.
    Marketing,
    /// One-time passwords and anything else: never sent by the bridge.
    Other(String),
}

impl From<String> for Category {
    fn from(text: String) -> Self {
        match text.as_str() {
            "UTILITY" => Self::Utility,
            "MARKETING" => Self::Marketing,
            _ => Self::Other(text),
        }
    }
}

impl From<Category> for String {
    fn from(category: Category) -> String {
        match category {
            Category::Utility => "UTILITY".to_owned(),
            Category::Marketing => "MARKETING".to_owned(),
            Category::Other(text) => text,
        }
    }
}

/// A placeholder: `{{1}}` in a POSITIONAL template, `{{nome}}` in a NAMED one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Placeholder {
    /// By number, from 1.
    Position(u16),
    /// By name, lower case letters, digits and underscores.
    Name(String),
}

/// A text that is neither a number from 1 nor a parameter name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the number or the name of a placeholder")]
pub struct PlaceholderError;

impl Placeholder {
    /// Reads what stands between the braces.
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
    /// What a value fills.
    Placeholder(Placeholder),
}

impl Pattern {
    /// Takes a text apart. Braces that hold no placeholder are text.
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

    /// The pieces in order.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The placeholders as they must be sent: positions in numeric order, names in order of appearance, each once.
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

/// What a mapping was checked against: a hash of the components (examples left out: they are for Meta's reviewers), the
/// parameter format, the category and the language.
#[must_use]
pub fn fingerprint(components: &Value, parameter_format: &str, category: &Category, language: &Language) -> String {
    let mut components = components.clone();
    drop_examples(&mut components);
    let all = json!([components, parameter_format, category, language]);
    to_hex(&Sha256::digest(all.to_string()))
}

fn drop_examples(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("example");
            fields.values_mut().for_each(drop_examples);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_examples),
        _ => {}
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

    #[test]
    fn only_approved_is_approved() {
        assert_eq!(TemplateStatus::from("APPROVED".to_owned()), TemplateStatus::Approved);
        assert_eq!(TemplateStatus::from("approved".to_owned()), TemplateStatus::Other("approved".to_owned()));
        assert_eq!(Category::from("AUTHENTICATION".to_owned()), Category::Other("AUTHENTICATION".to_owned()));
    }

    #[test]
    fn the_fingerprint_sees_what_a_recipient_would_see() {
        let it = Language::parse("it").unwrap();
        let print = |components: Value| fingerprint(&components, "POSITIONAL", &Category::Utility, &it);
        let one = print(json!([{"type": "BODY", "text": "Ciao {{1}}.", "example": {"body_text": [["Anna"]]}}]));
        assert_eq!(one, print(json!([{"text": "Ciao {{1}}.", "type": "BODY"}])));
        assert_ne!(one, print(json!([{"type": "BODY", "text": "Ciao {{1}}!"}])));
        let marketing = fingerprint(&json!([]), "POSITIONAL", &Category::Marketing, &it);
        assert_ne!(marketing, fingerprint(&json!([]), "POSITIONAL", &Category::Utility, &it));
    }

    proptest! {
        #[test]
        fn the_pieces_of_any_text_join_to_it(text in "([a-z ]|\\{\\{[0-9a-z_]{0,3}\\}\\}|\\{|\\}){0,20}") {
            let pattern = Pattern::parse(&text);
            let joined: String = pattern.pieces().iter().map(|piece| match piece {
                Piece::Fixed(text) => text.clone(),
                Piece::Placeholder(placeholder) => format!("{{{{{placeholder}}}}}"),
            }).collect();
            // Between braces blanks and leading zeros do not count.
            let plain = |text: &str| text.replace(' ', "").replace("{{0", "{{").replace("{{0", "{{");
            prop_assert_eq!(plain(&joined), plain(&text));
        }
    }
}
