//! Why a value is invalid for its field.

use crate::event::EventTypeError;
use crate::mapping::quiet_hours::HourMinuteError;
use crate::mapping::{BUTTON_KINDS, HEADER_KINDS, UsefulForError, VALUE_KINDS};
use crate::primitives::id::IdError;
use crate::primitives::language::LanguageError;
use crate::template::PlaceholderError;

/// Why a value is invalid for its field. The types of a mapping define what is valid and report a fault as text, which
/// this type makes translatable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It must be `true` or `false`.
    Boolean,
    /// It must be a text.
    Text,
    /// It must be a list.
    List,
    /// It must be an object with fields.
    Object,
    /// It must be a whole number of the field's range.
    WholeNumber,
    /// It must be an amount, such as `129.90`.
    Amount,
    /// It must be a date, or a time with an offset.
    Moment,
    /// It must be one of these names.
    OneOf(Vec<String>),
    /// It lacks this field.
    Lacks(String),
    /// It must be an id.
    Id(IdError),
    /// It must be a language code.
    Language,
    /// It must be a duration of at most seven days.
    Duration,
    /// It must be a time of the day.
    HourMinute,
    /// It must be the number or the name of a placeholder.
    Placeholder,
    /// It must be an event type.
    EventType,
    /// It must be the id or the label of a variable.
    Variable,
    /// It must be the place of a button.
    ButtonPlace,
    /// A value is either a variable or a text.
    ValueKind,
    /// A header has one kind.
    HeaderKind,
    /// A button has one kind of value.
    ButtonKind,
    /// Another reason, in the words of the parser.
    Other(String),
}

impl Wrong {
    /// Reads the message of an error of serde, or of a type of `domain`.
    pub(super) fn of(error: &str) -> Self {
        Self::of_type(error).or_else(|| Self::of_rule(error)).unwrap_or_else(|| Self::Other(error.to_owned()))
    }

    /// Reads the messages of serde and of the types that it calls.
    fn of_type(error: &str) -> Option<Self> {
        if error.starts_with("unknown variant") {
            let (_, names) = error.split_once("expected ")?;
            return Some(Self::OneOf(quoted(names)));
        }
        if let Some(name) = error.strip_prefix("missing field ") {
            return Some(Self::Lacks(quoted(name).concat()));
        }
        if error.starts_with("failed to parse") || error.starts_with("expected four digit year") {
            return Some(Self::Moment);
        }
        if !error.starts_with("invalid ") {
            return None;
        }
        let (_, expected) = error.rsplit_once("expected ")?;
        Some(match expected {
            "a boolean" => Self::Boolean,
            "a string" => Self::Text,
            "a sequence" => Self::List,
            "a timestamp string" | "a date string" => Self::Moment,
            "u8" | "u16" | "u32" | "u64" => Self::WholeNumber,
            amount if amount.starts_with("a Decimal") => Self::Amount,
            object if object.contains("map") || object.starts_with("struct") => Self::Object,
            _ => return None,
        })
    }

    /// Reads the messages of the types of `domain`.
    fn of_rule(error: &str) -> Option<Self> {
        let ids = [IdError::Empty, IdError::TooLong, IdError::Character, IdError::Printable, IdError::Control];
        let rules = [
            (LanguageError.to_string(), Self::Language),
            (UsefulForError.to_string(), Self::Duration),
            (HourMinuteError.to_string(), Self::HourMinute),
            (PlaceholderError.to_string(), Self::Placeholder),
            (EventTypeError.to_string(), Self::EventType),
            (VALUE_KINDS.to_owned(), Self::ValueKind),
            (HEADER_KINDS.to_owned(), Self::HeaderKind),
            (BUTTON_KINDS.to_owned(), Self::ButtonKind),
        ];
        let rules = ids.into_iter().map(|id| (id.to_string(), Self::Id(id))).chain(rules);
        rules.into_iter().find(|(text, _)| text == error).map(|(_, rule)| rule)
    }
}

/// Returns the texts between backticks.
fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}
