//! The recorded data about a recipient: suppressions, unreachability, opt-out and consent.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long nothing is sent to a number that WhatsApp could not deliver to.
pub const UNREACHABLE_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The messages that a suppression forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Every message.
    All,
    /// Messages with marketing templates.
    Marketing,
}

/// The origin of a suppression. Suppressions of different sources are independent of each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The person wrote STOP or an equivalent word.
    Stop,
    /// The person switched marketing off in WhatsApp (`user_preferences`, code 131050).
    Preferences,
    /// An operator, with a reason.
    Operator,
    /// An imported list.
    Import,
}

impl Scope {
    /// Both scopes.
    pub const ALL: [Self; 2] = [Self::All, Self::Marketing];

    /// Parses a scope's name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.to_string() == name)
    }
}

impl Source {
    /// Every source.
    pub const ALL: [Self; 4] = [Self::Stop, Self::Preferences, Self::Operator, Self::Import];

    /// Parses a source's name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.to_string() == name)
    }
}

/// The name in the ledger, such as `marketing`.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// The name in the ledger, such as `preferences`.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// A suppression of a phone number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// The messages it forbids.
    pub scope: Scope,
    /// Its origin.
    pub source: Source,
    /// When it began.
    pub since: Timestamp,
    /// The reason, as entered by the requester.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// Scope, source and day, in readable form.
impl fmt::Display for Suppression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scope, source, since, .. } = self;
        write!(f, "{scope}, {source}, {}", since.strftime("%Y-%m-%d"))
    }
}

/// A record that an operator lifted a restriction of a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lift {
    /// The restriction that was lifted.
    #[serde(flatten)]
    pub lifted: Lifted,
    /// When it was lifted.
    pub at: Timestamp,
    /// The operator who lifted it.
    pub by: String,
    /// The reason, as entered by the operator.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// A restriction that an operator lifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Lifted {
    /// A suppression.
    Suppression {
        /// The messages it forbade.
        scope: Scope,
        /// Its origin.
        source: Source,
    },
    /// The pause after WhatsApp could not deliver to the number.
    Unreachable,
}

/// The recorded data about a recipient's number and person. The default is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContactData {
    /// The number's suppressions.
    pub suppressions: Vec<Suppression>,
    /// The suppressions that operators lifted, oldest first.
    pub lifts: Vec<Lift>,
    /// The end of the pause after WhatsApp could not deliver to the number.
    pub unreachable_until: Option<Timestamp>,
    /// When the person opted out at the shop, as recorded apart from the event.
    pub opted_out_at: Option<Timestamp>,
    /// The marketing consent recorded apart from the event, for the person or the number.
    pub marketing_consent: Option<bool>,
}

impl ContactData {
    /// Returns the oldest suppression of a scope.
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
