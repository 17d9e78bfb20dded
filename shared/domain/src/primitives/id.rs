//! Identifiers: strings that are checked once, so that they can be used as keys everywhere.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Maximum length of an identifier from Passweb, in characters: enough for a UUID with a prefix, short enough for any
/// key.
pub const ID_CHARS_MAX: usize = 128;

/// Why a text is not a valid identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text is empty.
    #[error("must not be empty")]
    Empty,
    /// The text is longer than [`ID_CHARS_MAX`].
    #[error("must have at most {ID_CHARS_MAX} characters")]
    TooLong,
    /// A character that this kind of identifier may not contain.
    #[error("may only hold letters, digits and . _ : -")]
    Character,
    /// A character that an event's id may not contain.
    #[error("may only hold printable ASCII characters")]
    Printable,
    /// A control character in an otherwise unrestricted identifier.
    #[error("must not hold control characters")]
    Control,
}

fn check_length(text: &str) -> Result<(), IdError> {
    match text.chars().take(ID_CHARS_MAX + 1).count() {
        0 => Err(IdError::Empty),
        1..=ID_CHARS_MAX => Ok(()),
        _ => Err(IdError::TooLong),
    }
}

fn check_token(text: &str) -> Result<(), IdError> {
    check_length(text)?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
    if text.bytes().all(allowed) { Ok(()) } else { Err(IdError::Character) }
}

fn check_printable(text: &str) -> Result<(), IdError> {
    check_length(text)?;
    let allowed = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    if text.bytes().all(allowed) { Ok(()) } else { Err(IdError::Printable) }
}

fn check_opaque(text: &str) -> Result<(), IdError> {
    check_length(text)?;
    if text.chars().any(char::is_control) { Err(IdError::Control) } else { Ok(()) }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Parses an identifier.
            ///
            /// # Errors
            /// The rule that the text breaks.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                $check(text).map(|()| Self(text.to_owned()))
            }

            /// Returns the identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                $check(&text).map(|()| Self(text))
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id! {
    /// An event's id, unique per site: the idempotency key. Printable ASCII. Ids that begin with `bridge:` belong to
    /// events raised by the bridge itself.
    EventId, check_printable
}

impl EventId {
    /// Whether only the bridge may use the id.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        self.as_str().starts_with("bridge:")
    }
}

id! {
    /// A site's id: the tenant.
    SiteId, check_token
}
id! {
    /// The id of a site's account: credentials and sender number on WA Smart Business.
    AccountId, check_token
}
id! {
    /// The id of a site's mapping.
    MappingId, check_token
}
id! {
    /// Passweb's id of an object: a person, an order, a message or a file. Any text without control characters.
    ObjectId, check_opaque
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_id_is_any_printable_ascii() {
        let printable: String = (' '..='~').collect();
        for id in ["c4a1b7e2-77", "OC1/1320|EVASO|2026-11-22T10:15:00+01:00", " ", &"a".repeat(128), &printable] {
            assert!(EventId::parse(id).is_ok(), "{id}");
        }
        assert_eq!(EventId::parse(""), Err(IdError::Empty));
        assert_eq!(EventId::parse(&"a".repeat(129)), Err(IdError::TooLong));
        for id in ["perché", "a\tb", "a\0", "a\u{7f}"] {
            assert_eq!(EventId::parse(id), Err(IdError::Printable), "{id}");
        }
        assert_eq!(SiteId::parse("a b"), Err(IdError::Character));
        assert!(EventId::parse("bridge:rem.1").unwrap().is_reserved());
    }

    #[test]
    fn an_object_id_is_any_text_without_control_characters() {
        assert!(ObjectId::parse("OC 1/1320 à").is_ok());
        assert!(ObjectId::parse(&"à".repeat(128)).is_ok());
        assert_eq!(ObjectId::parse("a\0b"), Err(IdError::Control));
    }

    #[test]
    fn deserialising_does_not_bypass_the_check() {
        assert!(serde_json::from_str::<MappingId>(r#""a b""#).is_err());
        assert!(serde_json::from_str::<MappingId>(r#""a-b""#).is_ok());
    }
}
