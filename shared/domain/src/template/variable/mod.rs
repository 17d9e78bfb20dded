//! Variables: what Passweb knows and a mapping can put into a placeholder. The list is data, shared by whoever renders,
//! checks or shows it.

mod catalogue;

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::decision::digest::Files;
use crate::event::person::Person;
use crate::event::{Event, EventType};
use crate::primitives::money::Money;

pub use catalogue::ALL;

/// What the value of a variable is taken from.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The event.
    pub event: &'a Event,
    /// Who is to be told.
    pub recipient: &'a Person,
    /// The site's home page.
    pub site_url: Option<&'a str>,
    /// The files it tells, where there may be more than the event's own.
    pub files: Option<&'a Files>,
}

/// A value before it is written in a language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Raw<'a> {
    /// A text as it is.
    Text(&'a str),
    /// A text put together.
    Owned(String),
    /// An amount.
    Money(&'a Money),
    /// A number of things.
    Count(u64),
    /// A day.
    Date(Date),
    /// A moment.
    Moment(Timestamp),
    /// The day a moment falls on, where it is read.
    DayOf(Timestamp),
    /// A state of an order, as received.
    OrderState(&'a str),
    /// A state of an activity, as received.
    ActivityState(&'a str),
}

/// What kind of value a variable has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueType {
    /// A text.
    Text,
    /// The address of a page.
    Url,
    /// An amount in a currency.
    Money,
    /// A number.
    Number,
    /// A day.
    Date,
    /// A moment; only the day where the activity takes whole days.
    Moment,
    /// A state, in the words of the template's language where it has a code.
    State,
}

/// A variable, one of [`ALL`].
#[derive(Clone, Copy)]
pub struct Variable(&'static Definition);

/// What a variable is.
#[derive(Debug)]
pub struct Definition {
    /// Its id in mappings, `order.code`.
    pub id: &'static str,
    /// What kind of value it has.
    pub value_type: ValueType,
    /// The events that have it.
    pub events: &'static [EventType],
    /// What Passweb calls it, or what we do where Passweb has no such variable.
    pub italian_label: &'static str,
    /// What it is called in English.
    pub english_label: &'static str,
    /// What it says, in one Italian sentence.
    pub italian_meaning: &'static str,
    /// What it says, in one English sentence.
    pub english_meaning: &'static str,
    /// A value as an Italian template shows it.
    pub example: &'static str,
    value: for<'a> fn(&Context<'a>) -> Option<Raw<'a>>,
}

impl Variable {
    /// The variable of an id.
    #[must_use]
    pub fn of(id: &str) -> Option<Self> {
        ALL.iter().find(|definition| definition.id == id).map(Self)
    }

    /// What the variable is.
    #[must_use]
    pub fn definition(self) -> &'static Definition {
        self.0
    }

    /// Its value; `None` where the event has none.
    #[must_use]
    pub fn value<'a>(self, context: &Context<'a>) -> Option<Raw<'a>> {
        (self.0.value)(context)
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

impl Serialize for Variable {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.id)
    }
}

impl<'de> Deserialize<'de> for Variable {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        Self::of(&id).ok_or_else(|| serde::de::Error::custom(format!("no such variable: {id}")))
    }
}

#[cfg(test)]
mod tests;
