//! The failures of commands, by exit code.

use domain::primitives::cause::chain;
use provider::{ListError, SetupError};
use runtime::secrets::SecretError;
use store::StoreError;

/// A command that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The command ran, but its result is negative. Exit code 1.
    #[error("{0}")]
    No(String),
    /// The command line names something that does not exist or is not valid. Exit code 2.
    #[error("{0}")]
    Usage(String),
    /// The stack or the platform does not respond. Exit code 3.
    #[error("{0}")]
    Unreachable(String),
}

impl Failure {
    /// Returns the exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::No(_) => 1,
            Self::Usage(_) => 2,
            Self::Unreachable(_) => 3,
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) | StoreError::Refused(_) => Self::Unreachable(chain(&error)),
            StoreError::Malformed { .. } => Self::No(chain(&error)),
        }
    }
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        match error {
            SecretError::Unavailable { .. } => Self::Unreachable(chain(&error)),
            SecretError::Malformed { .. } | SecretError::Weak(_) => Self::No(chain(&error)),
        }
    }
}

impl From<SetupError> for Failure {
    fn from(error: SetupError) -> Self {
        Self::No(chain(&error))
    }
}

impl From<ListError> for Failure {
    fn from(error: ListError) -> Self {
        match error {
            ListError::Unreachable(_) => Self::Unreachable(chain(&error)),
            ListError::Setup(_) | ListError::Refused(_) | ListError::Malformed(_) => Self::No(chain(&error)),
        }
    }
}
