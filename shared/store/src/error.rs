//! The errors of a table, by how the caller reacts to them.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use domain::primitives::cause::chain;

/// An operation on a table failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The table is unreachable, throttled or denies access. The operation may succeed later, or after a repair.
    #[error("the table cannot be reached or is busy: {0}")]
    Unavailable(String),
    /// The request was rejected because of its content, such as its size. A retry or a repair does not help.
    #[error("the table refused the request: {0}")]
    Refused(String),
    /// An item does not have the expected format.
    #[error("item {key} is malformed: {cause}")]
    Malformed {
        /// The key of the item.
        key: String,
        /// The fault of the item.
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
