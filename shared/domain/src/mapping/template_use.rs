//! A template and what fills it, as a mapping says it.
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
//! The header is one of `{"text": {placeholder: value}}`, `{"image": {"link": value}}`, `{"video": {"link": value}}` and
//! `{"document": {"link": value, "filename": value}}`. A button is named by its place among all buttons of the template,
//! from 0, and is one of `{"suffix": value}`, `{"payload": value}` and `{"code": value}`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::primitives::language::Language;
use crate::template::variable::Variable;
use crate::template::{Media, Placeholder};

/// What fills each placeholder of a text.
pub type Values = BTreeMap<Placeholder, ValueSource>;

/// A template and what fills it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateUse {
    /// The template's name on WA Smart Business.
    pub name: String,
    /// The template's language there.
    pub language: Language,
    /// The fingerprint of the template this was checked against.
    pub fingerprint: String,
    /// What fills the header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<HeaderUse>,
    /// What fills each placeholder of the body.
    #[serde(default)]
    pub body: Values,
    /// What fills each button, by its place among all of the template's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub buttons: BTreeMap<u8, ButtonUse>,
}

/// What fills a header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "HeaderFields", into = "HeaderFields")]
pub enum HeaderUse {
    /// The placeholder of a text.
    Text(Values),
    /// A picture: where WhatsApp fetches it.
    Image(ValueSource),
    /// A film: where WhatsApp fetches it.
    Video(ValueSource),
    /// A file.
    Document {
        /// Where WhatsApp fetches it.
        link: ValueSource,
        /// The name the recipient sees.
        filename: ValueSource,
    },
}

impl HeaderUse {
    /// The media this fills; `None` for a text.
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

/// What fills a button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ButtonFields", into = "ButtonFields")]
pub enum ButtonUse {
    /// The end of a URL. A value that begins with the template's own part of the URL stands for what follows it.
    Suffix(ValueSource),
    /// What is reported when a quick reply is pressed.
    Payload(ValueSource),
    /// The code that is copied.
    Code(ValueSource),
}

/// What a placeholder shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ValueFields", into = "ValueFields")]
pub struct ValueSource {
    /// Where it comes from.
    pub source: Source,
    /// What to show when it is empty.
    pub default: Option<String>,
    /// How to write it where there is more than one way.
    pub format: Option<Format>,
    /// Whether a text too long may be cut, with "…" at its end. Addresses, payloads and codes are never cut.
    pub shorten: bool,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// What Passweb knows.
    Variable(Variable),
    /// A text the operator wrote.
    Text(String),
}

/// How to write a value that can be written in several ways. On any other value it changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Of a moment the day: `22/11/2026`.
    Date,
    /// Of a moment the time of day: `15:30`.
    Time,
    /// Of a moment both, as it is written unless said otherwise: `22/11/2026 15:30`.
    DateTime,
    /// Of an amount the bare number: `1.234,56`.
    Number,
}

/// A [`HeaderUse`] as it is written.
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
            _ => Err("a header is one of text, image, video and document"),
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

/// A [`ButtonUse`] as it is written.
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
            _ => Err("a button is one of suffix, payload and code"),
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

/// A [`ValueSource`] as it is written.
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
            _ => return Err("a value is either a variable or a text"),
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
    fn what_is_not_known_or_ambiguous_is_refused() {
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
