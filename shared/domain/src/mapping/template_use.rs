//! A template and the values of its placeholders, as a mapping defines them.
//!
//! ```json
//! {
//!   "name": "spedizione", "language": "it", "fingerprint": "…",
//!   "header": {"document": {"link": {"variable": "file.url"}, "filename": {"variable": "file.name"}}},
//!   "body": {"1": {"variable": "order.code", "default": "-"}, "2": {"text": "oggi", "shorten": true}},
//!   "buttons": {"0": {"suffix": {"variable": "order.code"}}, "2": {"payload": {"text": "ok"}}}
//! }
//! ```
//!
//! The header is one of:
//!
//! - `{"text": {placeholder: value}}`
//! - `{"image": {"link": value}}`
//! - `{"video": {"link": value}}`
//! - `{"document": {"link": value, "filename": value}}`
//!
//! The key of a button is its position among all buttons of the template, from 0. A button is one of:
//!
//! - `{"suffix": value}`
//! - `{"payload": value}`
//! - `{"code": value}`

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::primitives::language::Language;
use crate::template::variable::Variable;
use crate::template::{Media, Placeholder};

/// The value of each placeholder of a text.
pub type Values = BTreeMap<Placeholder, ValueSource>;

/// A template and the values of its placeholders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateUse {
    /// The template's name on WA Smart Business.
    pub name: String,
    /// The template's language on WA Smart Business.
    pub language: Language,
    /// The fingerprint of the template that the mapping was checked against.
    pub fingerprint: String,
    /// The values of the header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<HeaderUse>,
    /// The value of each placeholder of the body.
    #[serde(default)]
    pub body: Values,
    /// The value of each button, by its position among all buttons of the template.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub buttons: BTreeMap<u8, ButtonUse>,
}

/// The values of a header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "HeaderFields", into = "HeaderFields")]
pub enum HeaderUse {
    /// The placeholders of a text header.
    Text(Values),
    /// The URL from which WhatsApp fetches an image.
    Image(ValueSource),
    /// The URL from which WhatsApp fetches a video.
    Video(ValueSource),
    /// A document.
    Document {
        /// The URL from which WhatsApp fetches the document.
        link: ValueSource,
        /// The name that the recipient sees.
        filename: ValueSource,
    },
}

impl HeaderUse {
    /// Returns the kind of media; `None` for a text header.
    #[must_use]
    pub fn media(&self) -> Option<Media> {
        match self {
            Self::Text(_) => None,
            Self::Image(_) => Some(Media::Image),
            Self::Video(_) => Some(Media::Video),
            Self::Document { .. } => Some(Media::Document),
        }
    }
}

/// The value of a button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ButtonFields", into = "ButtonFields")]
pub enum ButtonUse {
    /// The end of a URL. If the value begins with the template's own part of the URL, only the rest is used.
    Suffix(ValueSource),
    /// The payload that is reported when a quick reply is pressed.
    Payload(ValueSource),
    /// The code that is copied.
    Code(ValueSource),
}

/// The error for a header with no kind, or with several.
pub(crate) const HEADER_KINDS: &str = "a header is one of text, image, video and document";
/// The error for a button with no kind of value, or with several.
pub(crate) const BUTTON_KINDS: &str = "a button is one of suffix, payload and code";
/// The error for a value with no source, or with two.
pub(crate) const VALUE_KINDS: &str = "a value is either a variable or a text";

/// The value of a placeholder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ValueFields", into = "ValueFields")]
pub struct ValueSource {
    /// The source of the value.
    pub source: Source,
    /// The text shown if the value is empty.
    pub default: Option<String>,
    /// The format, for values with more than one.
    pub format: Option<Format>,
    /// Whether a text that is too long may be cut, ending with "…". URLs, payloads and codes are never cut.
    pub shorten: bool,
}

/// The source of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Data from Passweb.
    Variable(Variable),
    /// A text that the operator wrote.
    Text(String),
}

/// The format of a value. It has no effect on values with only one format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For a date and time, the date: `22/11/2026`.
    Date,
    /// For a date and time, the time of day: `15:30`.
    Time,
    /// For a date and time, both: `22/11/2026 alle 15:30`. This is the default.
    DateTime,
    /// For an amount, the bare number: `1.234,56`.
    Number,
}

/// The serialised form of [`HeaderUse`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeaderFields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<Values>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image: Option<LinkFields>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    video: Option<LinkFields>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    document: Option<DocumentFields>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LinkFields {
    link: ValueSource,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DocumentFields {
    link: ValueSource,
    filename: ValueSource,
}

impl TryFrom<HeaderFields> for HeaderUse {
    type Error = &'static str;

    fn try_from(fields: HeaderFields) -> Result<Self, &'static str> {
        match fields {
            HeaderFields { text: Some(values), image: None, video: None, document: None } => Ok(Self::Text(values)),
            HeaderFields { text: None, image: Some(media), video: None, document: None } => Ok(Self::Image(media.link)),
            HeaderFields { text: None, image: None, video: Some(media), document: None } => Ok(Self::Video(media.link)),
            HeaderFields {
                text: None,
                image: None,
                video: None,
                document: Some(DocumentFields { link, filename }),
            } => Ok(Self::Document { link, filename }),
            _ => Err(HEADER_KINDS),
        }
    }
}

impl From<HeaderUse> for HeaderFields {
    fn from(header: HeaderUse) -> Self {
        let mut fields = Self { text: None, image: None, video: None, document: None };
        match header {
            HeaderUse::Text(values) => fields.text = Some(values),
            HeaderUse::Image(link) => fields.image = Some(LinkFields { link }),
            HeaderUse::Video(link) => fields.video = Some(LinkFields { link }),
            HeaderUse::Document { link, filename } => fields.document = Some(DocumentFields { link, filename }),
        }
        fields
    }
}

/// The serialised form of [`ButtonUse`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ButtonFields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    suffix: Option<ValueSource>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payload: Option<ValueSource>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<ValueSource>,
}

impl TryFrom<ButtonFields> for ButtonUse {
    type Error = &'static str;

    fn try_from(fields: ButtonFields) -> Result<Self, &'static str> {
        match (fields.suffix, fields.payload, fields.code) {
            (Some(value), None, None) => Ok(Self::Suffix(value)),
            (None, Some(value), None) => Ok(Self::Payload(value)),
            (None, None, Some(value)) => Ok(Self::Code(value)),
            _ => Err(BUTTON_KINDS),
        }
    }
}

impl From<ButtonUse> for ButtonFields {
    fn from(button: ButtonUse) -> Self {
        let mut fields = Self { suffix: None, payload: None, code: None };
        match button {
            ButtonUse::Suffix(value) => fields.suffix = Some(value),
            ButtonUse::Payload(value) => fields.payload = Some(value),
            ButtonUse::Code(value) => fields.code = Some(value),
        }
        fields
    }
}

/// The serialised form of [`ValueSource`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ValueFields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    variable: Option<Variable>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    format: Option<Format>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    shorten: bool,
}

impl TryFrom<ValueFields> for ValueSource {
    type Error = &'static str;

    fn try_from(fields: ValueFields) -> Result<Self, &'static str> {
        let ValueFields { variable, text, default, format, shorten } = fields;
        let source = match (variable, text) {
            (Some(variable), None) => Source::Variable(variable),
            (None, Some(text)) => Source::Text(text),
            _ => return Err(VALUE_KINDS),
        };
        Ok(Self { source, default, format, shorten })
    }
}

impl From<ValueSource> for ValueFields {
    fn from(value: ValueSource) -> Self {
        let (variable, text) = match value.source {
            Source::Variable(variable) => (Some(variable), None),
            Source::Text(text) => (None, Some(text)),
        };
        Self { variable, text, default: value.default, format: value.format, shorten: value.shorten }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"{"name":"spedizione","language":"it","fingerprint":"f",
        "header":{"document":{"link":{"variable":"file.url"},"filename":{"text":"Bolla.pdf"}}},
        "body":{"nome":{"variable":"order.total","format":"number","default":"-"}},
        "buttons":{"0":{"suffix":{"variable":"order.code"}},"2":{"payload":{"text":"ok"}},"3":{"code":{"text":"X1"}}}}"#;

    #[test]
    fn every_part_round_trips() {
        let read = |text: &str| serde_json::from_str::<TemplateUse>(text);
        let document = read(DOCUMENT).unwrap();
        assert_eq!(read(&serde_json::to_string(&document).unwrap()).unwrap(), document);
        for header in [
            r#"{"text":{"1":{"text":"a"}}}"#,
            r#"{"image":{"link":{"text":"a"}}}"#,
            r#"{"video":{"link":{"text":"a"}}}"#,
        ] {
            let header: HeaderUse = serde_json::from_str(header).unwrap();
            assert_eq!(serde_json::from_value::<HeaderUse>(serde_json::to_value(&header).unwrap()).unwrap(), header);
        }
    }

    #[test]
    fn unknown_or_ambiguous_parts_are_refused() {
        for (old, new) in [
            (r#","filename":{"text":"Bolla.pdf"}"#, ""),
            (r#"{"document":"#, r#"{"image":{"link":{"text":"x"}},"document":"#),
            (r#"{"document":"#, r#"{"location":"#),
            (r#""0":{"#, r#""a":{"#),
            (r#""0":{"#, r#""300":{"#),
            (r#"{"payload""#, r#"{"text""#),
            (r#"{"payload":{"text":"ok"}}"#, r#"{"payload":{"text":"ok"},"code":{"text":"ok"}}"#),
            (r#"{"payload":{"text":"ok"}}"#, "{}"),
            (r#""number""#, r#""roman""#),
        ] {
            let changed = DOCUMENT.replace(old, new);
            assert_ne!(changed, DOCUMENT, "{old}");
            assert!(serde_json::from_str::<TemplateUse>(&changed).is_err(), "{new}");
        }
    }
}
