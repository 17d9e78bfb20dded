//! The errors of a table, by how the caller reacts to them.

use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata, SdkError};
use domain::primitives::cause::Cause;

/// An operation on a table failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The table is unreachable, throttled or denies access. The operation may succeed later, or after a repair.
    #[error("the table cannot be reached or is busy")]
    Unavailable(#[source] Cause),
    /// The request was rejected because of its content, such as its size. A retry or a repair does not help.
    #[error("the table refused the request")]
    Refused(#[source] Cause),
    /// An item does not have the expected format.
    #[error("item {key} is malformed")]
    Malformed {
        /// The key of the item.
        key: String,
        /// The fault of the item.
        #[source]
        cause: Cause,
    },
}

impl StoreError {
    /// An item that other executions change faster than this one can.
    pub(crate) fn contended(what: impl Into<String>) -> Self {
        Self::Unavailable(Cause::new(what.into()))
    }

    /// An item with a fault in one of its attributes.
    pub(crate) fn malformed(key: &str, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Malformed { key: key.to_owned(), cause: Cause::new(cause) }
    }
}

/// A request lacks a part that the API requires.
impl From<BuildError> for StoreError {
    fn from(error: BuildError) -> Self {
        Self::Refused(Cause::new(error))
    }
}

impl<E, R> From<SdkError<E, R>> for StoreError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    fn from(error: SdkError<E, R>) -> Self {
        let service = error.as_service_error();
        let refused = service.is_some_and(|service| service.code() == Some("ValidationException"));
        let cause = Cause::new(error);
        if refused { Self::Refused(cause) } else { Self::Unavailable(cause) }
    }
}
