//! The history of a mapping: every version that was saved, so that a person can see who changed what, and go back.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Mapping;

/// A version of a mapping as it was saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedMapping {
    /// When.
    pub at: Timestamp,
    /// By whom: `cli`, or the user of the console.
    pub by: String,
    /// What was done.
    pub action: Action,
    /// The mapping from then on, with its version; of a deleted one as it was last.
    pub mapping: Mapping,
}

/// What was done to a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It was written, anew or with changes.
    Saved,
    /// Its changed templates were looked at and accepted.
    Confirmed,
    /// It was switched on.
    Enabled,
    /// It was switched off.
    Disabled,
    /// It was deleted.
    Deleted,
}

/// The name of the contract, `confirmed`.
impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}
