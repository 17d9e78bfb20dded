//! Actions on a phone, as ordered through the control API: a text, a pressed button, a marketing preference.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::{
    Update,
    envelope::{self, Account},
};

/// Maximum length of a message's text.
const TEXT_CHARS_MAX: usize = 4_096;

/// An inbound message as posted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Posted {
    from: String,
    text: Option<String>,
    #[serde(rename = "type")]
    kind: Option<Kind>,
    payload: Option<String>,
    preference: Option<Preference>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Text,
    Button,
}

/// A recipient's choice about marketing messages.
#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Preference {
    /// Stops marketing messages.
    Stop,
    /// Resumes marketing messages.
    Resume,
}

impl Preference {
    /// Returns the platform's name of the choice.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Resume => "resume",
        }
    }
}

/// A message from a phone.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// A written text.
    Text(String),
    /// A pressed quick reply of a template.
    Button { text: String, payload: String },
}

impl Content {
    /// Returns the text that the phone shows.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Button { text, .. } => text,
        }
    }
}

/// An action on a phone.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum What {
    Message(Content),
    /// The setting "offers and announcements", which sends no message.
    Preference(Preference),
}

/// An action and its phone.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Order {
    /// The number as given.
    pub(crate) from: String,
    pub(crate) what: What,
}

impl Order {
    /// Parses an order from its JSON. The error describes the problem.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, String> {
        let posted: Posted =
            serde_json::from_slice(json).map_err(|error| format!("not an inbound message: {error}"))?;
        let Posted { from, text, kind, payload, preference } = posted;
        let what = match (preference, kind, text, payload) {
            (Some(preference), None, None, None) => What::Preference(preference),
            (Some(_), ..) => return Err("a preference stands alone, without text, type or payload".into()),
            (None, Some(Kind::Button), text, Some(payload)) => {
                What::Message(Content::Button { text: text.unwrap_or_else(|| payload.clone()), payload })
            }
            (None, Some(Kind::Button), _, None) => return Err("payload is missing".into()),
            (None, _, _, Some(_)) => return Err("a payload belongs to type button".into()),
            (None, _, Some(text), None) => What::Message(Content::Text(text)),
            (None, _, None, None) => return Err("text is missing".into()),
        };
        match &what {
            What::Message(content) if !(1..=TEXT_CHARS_MAX).contains(&content.text().chars().count()) => {
                Err(format!("text must have between 1 and {TEXT_CHARS_MAX} characters"))
            }
            _ => Ok(Self { from, what }),
        }
    }
}

/// Returns a message from `wa_id` with this id. A button refers to `context`, the message below which it appears.
pub(crate) fn message(
    account: &Account,
    content: &Content,
    [wa_id, id]: [&str; 2],
    context: Option<&str>,
    at: Timestamp,
) -> Update {
    let mut message = json!({"from": wa_id, "id": id, "timestamp": at.as_second().to_string()});
    if let Some(fields) = message.as_object_mut() {
        match content {
            Content::Text(text) => {
                fields.insert("type".into(), "text".into());
                fields.insert("text".into(), json!({ "body": text }));
            }
            Content::Button { text, payload } => {
                fields.insert("type".into(), "button".into());
                fields.insert("button".into(), json!({"payload": payload, "text": text}));
                if let Some(context) = context {
                    fields.insert("context".into(), json!({"from": account.digits(), "id": context}));
                }
            }
        }
    }
    let value = json!({"contacts": [envelope::contact(wa_id)], "messages": [message]});
    Update::Change { field: "messages".into(), value: account.identified(value), at }
}

/// Returns the marketing preference of `wa_id`. Its timestamp is a number, unlike a message's.
pub(crate) fn preference(account: &Account, wa_id: &str, preference: Preference, at: Timestamp) -> Update {
    let value = json!({
        "contacts": [envelope::contact(wa_id)],
        "user_preferences": [{
            "wa_id": wa_id,
            "detail": format!("User requested to {} marketing messages", preference.word()),
            "category": "marketing_messages",
            "value": preference.word(),
            "timestamp": at.as_second(),
        }],
    });
    Update::Change { field: "user_preferences".into(), value: account.identified(value), at }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_buttons_and_choices_are_read() {
        for (json, expected) in [
            (r#"{"from":"+39","text":"STOP"}"#, What::Message(Content::Text("STOP".into()))),
            (r#"{"from":"+39","type":"text","text":"è"}"#, What::Message(Content::Text("è".into()))),
            (
                r#"{"from":"+39","type":"button","payload":"P"}"#,
                What::Message(Content::Button { text: "P".into(), payload: "P".into() }),
            ),
            (
                r#"{"from":"+39","type":"button","payload":"P","text":"Basta"}"#,
                What::Message(Content::Button { text: "Basta".into(), payload: "P".into() }),
            ),
            (r#"{"from":"+39","preference":"stop"}"#, What::Preference(Preference::Stop)),
        ] {
            assert_eq!(Order::parse(json.as_bytes()), Ok(Order { from: "+39".into(), what: expected }), "{json}");
        }
    }

    #[test]
    fn an_invalid_body_is_refused_with_a_reason() {
        let long = format!(r#"{{"from":"+39","text":"{}"}}"#, "è".repeat(TEXT_CHARS_MAX + 1));
        for (json, expected) in [
            ("", "not an inbound message"),
            (r#"{"text":"x"}"#, "missing field `from`"),
            (r#"{"from":"+39"}"#, "text is missing"),
            (r#"{"from":"+39","text":""}"#, "between 1 and 4096"),
            (&long, "between 1 and 4096"),
            (r#"{"from":"+39","text":"x","payload":"p"}"#, "type button"),
            (r#"{"from":"+39","type":"button","text":"x"}"#, "payload is missing"),
            (r#"{"from":"+39","type":"image"}"#, "unknown variant `image`"),
            (r#"{"from":"+39","preference":"stop","text":"x"}"#, "stands alone"),
            (r#"{"from":"+39","preference":"pause"}"#, "unknown variant `pause`"),
            (r#"{"from":"+39","text":"x","name":"Anna"}"#, "unknown field `name`"),
        ] {
            let reason = Order::parse(json.as_bytes()).unwrap_err();
            assert!(reason.contains(expected), "{json}: {reason}");
        }
    }
}
