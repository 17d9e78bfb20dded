//! What can go wrong with a table, by what the caller does about it.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use domain::primitives::cause::chain;

/// A table did not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The table is out of reach, too busy or not ours: later, or once somebody has repaired it, it may work.
    #[error("the table cannot be reached or is busy: {0}")]
    Unavailable(String),
    /// The request was refused for what it holds, its size for one. Neither waiting nor repairing helps.
    #[error("the table refused the request: {0}")]
    Refused(String),
    /// An item is not what we write.
    #[error("item {key} is malformed: {cause}")]
    Malformed {
        /// The item's key.
        key: String,
        /// What is wrong with it.
        cause: String,
    },
}

impl StoreError {
    pub(crate) fn malformed(key: &str, cause: impl std::fmt::Display) -> Self {
        Self::Malformed { key: key.to_owned(), cause: cause.to_string() }
    }
}

impl<E, R> From<SdkError<E, R>> for StoreError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug + 'static,
{
    fn from(error: SdkError<E, R>) -> Self {
        let service = error.as_service_error();
        let refused = service.is_some_and(|service| service.code() == Some("ValidationException"));
        let text = chain(&error);
        if refused { Self::Refused(text) } else { Self::Unavailable(text) }
    }
}
