//! Why a queue record could not be finished, and dead letters.

use aws_lambda_events::event::sqs::SqsMessage;
use domain::primitives::cause::{Cause, chain};
use domain::primitives::id::SiteId;
use jiff::Timestamp;
use queue::NotQueued;
use store::StoreError;
use store::ledger::{DeadLetter, DeadQueue, Ledger};

use crate::batch::TryAgain;
use crate::metrics::{Metric, Metrics};
use crate::secrets::SecretError;

/// Retention of dead letters in days, independent of the site.
const RETENTION_DAYS: u16 = 90;

/// Why a record could not be finished, by what happens to it next.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A temporary failure: the record is put back.
    #[error("the record could not be finished")]
    Again(#[source] Cause),
    /// A permanent failure: the record becomes a dead letter.
    #[error("the record cannot be processed")]
    Dead(#[source] Cause),
}

impl Failure {
    /// A temporary failure with this cause.
    pub fn again(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Again(Cause::new(cause))
    }

    /// A permanent failure with this cause.
    pub fn dead(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Dead(Cause::new(cause))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::again(error),
            StoreError::Refused(_) | StoreError::Malformed { .. } => Self::dead(error),
        }
    }
}

/// SQS accepts the record later, or an operator repairs the queue.
impl From<NotQueued> for Failure {
    fn from(error: NotQueued) -> Self {
        Self::again(error)
    }
}

/// A secret can be repaired, so no record is lost because of it.
impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        Self::again(error)
    }
}

/// A record that cannot be processed.
#[derive(Clone, Copy, Debug)]
pub struct DeadRecord<'a> {
    /// The queue that the record came from.
    pub queue: DeadQueue,
    /// The site, if the record could be read.
    pub site: Option<&'a SiteId>,
    /// The record.
    pub record: &'a SqsMessage,
    /// The cause, for the operator.
    pub cause: &'a str,
}

/// Records a dead letter with its cause. SQS may then delete the record.
///
/// # Errors
/// [`TryAgain`] if it could not be recorded.
pub async fn dead_letter(
    ledger: &Ledger,
    metrics: &Metrics,
    dead: DeadRecord<'_>,
    now: Timestamp,
) -> Result<(), TryAgain> {
    let DeadRecord { queue, site, record, cause } = dead;
    let record_id = record.message_id.as_deref().unwrap_or("without-id");
    let body = record.body.as_deref().unwrap_or_default();
    let letter = DeadLetter { queue, site, record_id, cause, body, retention_days: RETENTION_DAYS };
    match ledger.put_dead_letter(letter, now).await {
        Ok(()) => {
            tracing::error!(record.id = record_id, cause, "a record became a dead letter");
            metrics.count_by(Metric::DeadLetters, queue.name());
            Ok(())
        }
        Err(error) => {
            let error = chain(&error);
            tracing::error!(record.id = record_id, cause, error, "a dead letter could not be recorded");
            Err(TryAgain)
        }
    }
}
