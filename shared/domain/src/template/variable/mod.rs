//! Variables: the data from Passweb that a mapping can insert into a placeholder. The list is data, shared by
//! rendering, checks and display.

mod catalogue;
mod search;
mod words;

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::event::person::Person;
use crate::event::{Event, EventType};
use crate::message::file_list::Files;
use crate::primitives::list::List;
use crate::primitives::money::Money;
use crate::primitives::words::{Noun, Words};

pub use catalogue::ALL;
pub use search::{counterpart, suggestion};

/// The source of a variable's value.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The event.
    pub event: &'a Event,
    /// The recipient.
    pub recipient: &'a Person,
    /// The site's home page.
    pub site_url: Option<&'a str>,
    /// The files of the message, if there may be more than the event's own.
    pub files: Option<&'a Files>,
}

/// A value before it is written in a language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Raw<'a> {
    /// A borrowed text.
    Text(&'a str),
    /// A composed text.
    Owned(String),
    /// A fixed word.
    Words(&'static Words),
    /// A list of names.
    List(List),
    /// An amount.
    Money(&'a Money),
    /// A count.
    Count(u64),
    /// A count with its noun.
    Counted {
        /// The number.
        count: u64,
        /// The noun.
        noun: &'static Noun,
    },
    /// A date.
    Date(Date),
    /// An instant.
    Moment(Timestamp),
    /// The local date of an instant.
    DayOf(Timestamp),
    /// A state of an order, as received.
    OrderState(&'a str),
    /// A state of an activity, as received.
    ActivityState(&'a str),
}

/// The type of a variable's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueType {
    /// A text.
    Text,
    /// The URL of a page.
    Url,
    /// An amount in a currency.
    Money,
    /// A number.
    Number,
    /// A date.
    Date,
    /// A date and time; only the date for a whole-day activity.
    Moment,
    /// A state, in the template's language if it has a code.
    State,
}

impl ValueType {
    /// Returns the name in Italian.
    #[must_use]
    pub fn italian(self) -> &'static str {
        match self {
            Self::Text => "testo",
            Self::Url => "indirizzo",
            Self::Money => "importo",
            Self::Number => "numero",
            Self::Date => "data",
            Self::Moment => "data e ora",
            Self::State => "stato",
        }
    }

    /// Returns the name in English.
    #[must_use]
    pub fn english(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Url => "URL",
            Self::Money => "amount",
            Self::Number => "number",
            Self::Date => "date",
            Self::Moment => "date and time",
            Self::State => "state",
        }
    }
}

/// A variable, one of [`ALL`].
#[derive(Clone, Copy)]
pub struct Variable(&'static Definition);

/// The definition of a variable.
#[derive(Debug)]
pub struct Definition {
    /// The id in mappings, such as `order.code`.
    pub id: &'static str,
    /// The type of the value.
    pub value_type: ValueType,
    /// The event types that have it.
    pub events: &'static [EventType],
    /// The name in Passweb, or the bridge's own if Passweb has no such variable.
    pub italian_label: &'static str,
    /// The English name.
    pub english_label: &'static str,
    /// The meaning, in one Italian sentence.
    pub italian_meaning: &'static str,
    /// The meaning, in one English sentence.
    pub english_meaning: &'static str,
    /// An example value, as an Italian template shows it.
    pub example: &'static str,
    value: for<'a> fn(&Context<'a>) -> Option<Raw<'a>>,
}

impl Variable {
    /// Returns the variable with this id or this Italian label, without regard to case and surrounding blanks.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        search::written(text).map(Self)
    }

    /// Returns the definition of the variable.
    #[must_use]
    pub fn definition(self) -> &'static Definition {
        self.0
    }

    /// Returns the value; `None` if the event has none.
    #[must_use]
    pub fn value<'a>(self, context: &Context<'a>) -> Option<Raw<'a>> {
        (self.0.value)(context)
    }

    /// Returns the word that replaces an empty value for which the mapping has no default; `None` if there is none.
    #[must_use]
    pub fn when_empty(self) -> Option<&'static Words> {
        matches!(self.0.id, "message.subject" | "activity.subject").then_some(&words::NO_SUBJECT)
    }
}

impl PartialEq for Variable {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for Variable {}

impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Variable({})", self.0.id)
    }
}

/// Writes the id.
impl Serialize for Variable {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.id)
    }
}

/// Reads the id or the Italian label.
impl<'de> Deserialize<'de> for Variable {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::of(&text).ok_or_else(|| serde::de::Error::custom(format!("no such variable: {text}")))
    }
}

#[cfg(test)]
mod pages;
#[cfg(test)]
mod tests;
