//! What is known of a number: who asked not to be written to, and what WhatsApp said of it.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::decision::cart::CartHistory;
use crate::decision::digest::Files;

/// How long a number that WhatsApp could not deliver to is left alone.
pub const UNREACHABLE_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What a suppression forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Every message.
    All,
    /// Messages of marketing templates.
    Marketing,
}

/// Who asked for a suppression. None clears another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The person wrote STOP or a word like it.
    Stop,
    /// The person switched marketing off in WhatsApp (`user_preferences`, code 131050).
    Preferences,
    /// An operator, with a reason.
    Operator,
    /// A list that was imported.
    Import,
}

impl Scope {
    /// Both scopes.
    pub const ALL: [Self; 2] = [Self::All, Self::Marketing];

    /// The scope of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.to_string() == name)
    }
}

impl Source {
    /// Every source.
    pub const ALL: [Self; 4] = [Self::Stop, Self::Preferences, Self::Operator, Self::Import];

    /// The source of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.to_string() == name)
    }
}

/// The name in the ledger, `marketing`.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// The name in the ledger, `preferences`.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// A suppression.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// What it forbids.
    pub scope: Scope,
    /// Who asked for it.
    pub source: Source,
    /// Since when.
    pub since: Timestamp,
    /// Why, in the words of whoever asked.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// Source and day, for a person to read.
impl fmt::Display for Suppression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scope, source, since, .. } = self;
        write!(f, "{scope}, {source}, {}", since.strftime("%Y-%m-%d"))
    }
}

/// That an operator let a number through again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lift {
    /// What it ended.
    #[serde(flatten)]
    pub lifted: Lifted,
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub by: String,
    /// Why, in the operator's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// What an operator ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Lifted {
    /// The suppression of a scope by a source.
    Suppression {
        /// What it forbade.
        scope: Scope,
        /// Who had asked for it.
        source: Source,
    },
    /// That the number is left alone because WhatsApp could not deliver to it.
    Unreachable,
}

/// What is known of a recipient besides the event, read when it may matter. The default knows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecisionContext {
    /// The number's suppressions.
    pub suppressions: Vec<Suppression>,
    /// The suppressions that operators lifted, the oldest first.
    pub lifts: Vec<Lift>,
    /// WhatsApp said it cannot deliver to the number: until when it is left alone.
    pub unreachable_until: Option<Timestamp>,
    /// The person opted out at the shop, as recorded apart from the event: when.
    pub opted_out_at: Option<Timestamp>,
    /// The consent to marketing recorded apart from the event.
    pub marketing_consent: Option<bool>,
    /// A newer state of the same subject is held for the same mapping and recipient: when it was entered.
    pub newer_at: Option<Timestamp>,
    /// What is known of the carts of the customer, on events of carts.
    pub cart: CartHistory,
    /// The message's own id, by which a notice of a cart is known as its own.
    pub message: String,
    /// A person asked to send the message again: when. It is of use from then on.
    pub resend_requested_at: Option<Timestamp>,
    /// A person has it go now.
    pub send_now: bool,
    /// The files it tells, where the mapping collects them.
    pub files: Option<Files>,
    /// Until when it collects files.
    pub collects_until: Option<Timestamp>,
}

impl DecisionContext {
    /// The oldest suppression of a scope.
    #[must_use]
    pub fn suppression(&self, scope: Scope) -> Option<&Suppression> {
        let of_scope = self.suppressions.iter().filter(|suppression| suppression.scope == scope);
        of_scope.min_by_key(|suppression| suppression.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(&scope.to_string()), Some(scope));
        }
        for source in Source::ALL {
            assert_eq!(Source::parse(&source.to_string()), Some(source));
        }
        assert_eq!(Scope::parse("everything"), None);
    }
}
