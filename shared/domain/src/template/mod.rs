//! Templates: the messages that Meta approved, as WA Smart Business lists them.

mod examples;
mod parts;
mod pattern;
mod unfillable;
pub mod variable;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::primitives::language::Language;

pub use examples::examples;
pub use parts::{Button, Header, Media, Parts};
pub use pattern::{Pattern, Piece, Placeholder, PlaceholderError};
pub use unfillable::Unfillable;

/// An approved (or once approved) message with its placeholders. WA Smart Business owns it; the bridge only reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "TemplateFields", into = "TemplateFields")]
pub struct Template {
    /// The name, `[a-z0-9_]`.
    pub name: String,
    /// The language, exactly as listed.
    pub language: Language,
    /// The approval status.
    pub status: TemplateStatus,
    /// The category, which determines consent and price.
    pub category: Category,
    /// The quality as listed: `GREEN`, `YELLOW`, `RED` or `UNKNOWN`. Templates of any quality may be sent.
    pub quality: Option<String>,
    /// The parts.
    pub content: Content,
    /// The [`fingerprint`] of the template, for comparison with the one in a mapping.
    pub fingerprint: String,
}

/// The parts of a template, if the bridge can fill them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Parts that the bridge can fill.
    Usable(Parts),
    /// Meta may have approved it, but the bridge does not support or cannot fill a part of it.
    Unusable {
        /// The reason.
        why: Unfillable,
    },
}

/// The stored form of [`Template`].
#[derive(Serialize, Deserialize)]
struct TemplateFields {
    name: String,
    language: Language,
    status: TemplateStatus,
    category: Category,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quality: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unusable: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    header: Option<Header>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<Pattern>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    footer: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    buttons: Vec<Button>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    examples: BTreeMap<String, String>,
    fingerprint: String,
}

impl From<TemplateFields> for Template {
    fn from(fields: TemplateFields) -> Self {
        let TemplateFields { name, language, status, category, quality, fingerprint, .. } = fields;
        let content = match (fields.unusable, fields.body) {
            (None, Some(body)) => {
                let TemplateFields { header, footer, buttons, examples, .. } = fields;
                Content::Usable(Parts { header, body, footer, buttons, examples })
            }
            (Some(why), _) => Content::Unusable { why: Unfillable::from(why.as_str()) },
            (None, None) => Content::Unusable { why: Unfillable::NoBody },
        };
        Self { name, language, status, category, quality, content, fingerprint }
    }
}

impl From<Template> for TemplateFields {
    fn from(template: Template) -> Self {
        let Template { name, language, status, category, quality, content, fingerprint } = template;
        let (unusable, parts) = match content {
            Content::Usable(parts) => (None, Some(parts)),
            Content::Unusable { why } => (Some(why.to_string()), None),
        };
        let mut fields = Self {
            name,
            language,
            status,
            category,
            quality,
            unusable,
            header: None,
            body: None,
            footer: None,
            buttons: Vec::new(),
            examples: BTreeMap::new(),
            fingerprint,
        };
        if let Some(Parts { header, body, footer, buttons, examples }) = parts {
            fields = Self { header, body: Some(body), footer, buttons, examples, ..fields };
        }
        fields
    }
}

/// The approval status. Only `APPROVED` may be sent, and no status that Meta adds later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum TemplateStatus {
    /// May be sent.
    Approved,
    /// Any other status, by its name: pending, paused, rejected, disabled and others.
    Other(String),
}

impl TemplateStatus {
    /// Whether Meta has paused the template for some hours because of its quality, and resumes it by itself.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        matches!(self, Self::Other(status) if status == "PAUSED")
    }
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

/// The category, which determines Meta's price and restrictions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Category {
    /// Service messages.
    Utility,
    /// Requires recorded consent.
    Marketing,
    /// One-time passwords and all others: never sent by the bridge.
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

/// Returns the fingerprint that a mapping is checked against. It is a hash of the components, the parameter format, the
/// category and the language. Examples are omitted, because they are only for Meta's reviewers.
#[must_use]
pub fn fingerprint(components: &Value, parameter_format: &str, category: &Category, language: &Language) -> String {
    let mut components = components.clone();
    drop_examples(&mut components);
    let all = json!([components, parameter_format, category, language]);
    hex::encode(Sha256::digest(all.to_string()))
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
    use super::*;

    #[test]
    fn a_template_is_read_back_as_it_was_stored() {
        let buttons = vec![
            Button::Url { text: "Sito".to_owned(), url: "https://example.com".to_owned() },
            Button::UrlWithSuffix { text: "Segui".to_owned(), base: "https://example.com/o/".to_owned() },
        ];
        let parts = Parts {
            header: Some(Header::Media { media: Media::Document }),
            footer: Some("Grazie".to_owned()),
            buttons,
            examples: BTreeMap::from([("body/nome".to_owned(), "Anna".to_owned())]),
            ..Parts::of_body(Pattern::parse("Ciao {{nome}}."))
        };
        for content in [Content::Usable(parts), Content::Unusable { why: Unfillable::Part("CAROUSEL".to_owned()) }] {
            let template = Template {
                name: "avviso".to_owned(),
                language: Language::italian(),
                status: TemplateStatus::Approved,
                category: Category::Utility,
                quality: Some("GREEN".to_owned()),
                content,
                fingerprint: "f".to_owned(),
            };
            let stored = serde_json::to_string(&template).unwrap();
            assert_eq!(serde_json::from_str::<Template>(&stored).unwrap(), template, "{stored}");
        }
    }

    #[test]
    fn a_template_stored_with_nothing_but_its_body_is_still_read() {
        let stored = r#"{"name":"avviso","language":"it","status":"APPROVED","category":"UTILITY","body":"Ciao {{1}}.","fingerprint":"f"}"#;
        let template: Template = serde_json::from_str(stored).unwrap();
        assert_eq!(template.content, Content::Usable(Parts::of_body(Pattern::parse("Ciao {{1}}."))));
        let unusable = stored.replace(r#""body""#, r#""unusable":"it has no body","body""#);
        let template: Template = serde_json::from_str(&unusable).unwrap();
        assert_eq!(template.content, Content::Unusable { why: Unfillable::NoBody });
    }

    #[test]
    fn only_the_exact_status_approved_counts_as_approved() {
        assert_eq!(TemplateStatus::from("APPROVED".to_owned()), TemplateStatus::Approved);
        assert_eq!(TemplateStatus::from("approved".to_owned()), TemplateStatus::Other("approved".to_owned()));
        assert_eq!(Category::from("AUTHENTICATION".to_owned()), Category::Other("AUTHENTICATION".to_owned()));
    }

    #[test]
    fn the_fingerprint_covers_the_category_and_the_visible_content() {
        let it = Language::parse("it").unwrap();
        let print = |components: Value| fingerprint(&components, "POSITIONAL", &Category::Utility, &it);
        let one = print(json!([{"type": "BODY", "text": "Ciao {{1}}.", "example": {"body_text": [["Anna"]]}}]));
        assert_eq!(one, print(json!([{"text": "Ciao {{1}}.", "type": "BODY"}])));
        assert_ne!(one, print(json!([{"type": "BODY", "text": "Ciao {{1}}!"}])));
        let marketing = fingerprint(&json!([]), "POSITIONAL", &Category::Marketing, &it);
        assert_ne!(marketing, fingerprint(&json!([]), "POSITIONAL", &Category::Utility, &it));
    }
}
