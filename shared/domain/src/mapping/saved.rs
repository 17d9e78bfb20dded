//! The history of a mapping. It keeps every saved version, so that an operator can see who changed what, and revert.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Mapping;

/// A saved version of a mapping.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedMapping {
    /// When it was saved.
    pub at: Timestamp,
    /// Who saved it: `cli`, or the user of the console.
    pub by: String,
    /// The action.
    pub action: Action,
    /// The mapping after the action, with its version. For a deletion, the last version.
    pub mapping: Mapping,
}

/// An action on a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It was created or changed.
    Saved,
    /// An operator reviewed and accepted its changed templates.
    Confirmed,
    /// It was enabled.
    Enabled,
    /// It was disabled.
    Disabled,
    /// It was deleted.
    Deleted,
}

/// Writes the name in the contract, such as `confirmed`.
impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}
