//! Transactions whose writes are identified by what they guard, and writes that conflict with a running transaction.
//!
//! DynamoDB rejects a write to an item that is part of a running transaction. It also rejects a transaction that
//! conflicts with another one, even if both only check the same item. The SDK retries neither. [`Transaction::write`]
//! and [`again`] retry with backoff and jitter, so that the same writes do not conflict again.

use std::future::Future;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{CancellationReason, TransactWriteItem};
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep};

use crate::error::StoreError;
use crate::item::Item;

/// Returns whether the caller has time for another attempt.
pub(crate) type HasTime<'a> = &'a (dyn Fn() -> bool + Send + Sync);

/// How long a write is retried if the caller sets no limit. This is shorter than the timeout of a call to a table.
const TRIED_FOR: Duration = Duration::from_secs(5);
/// The bound of the first delay. It doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// The longest delay.
const PAUSE_MAX: Duration = Duration::from_millis(640);
/// The length of a request token. DynamoDB accepts at most 36 characters.
const TOKEN_CHARS: usize = 32;

/// Writes that succeed or fail together, each with what it guards.
#[derive(Clone, Debug)]
pub(crate) struct Transaction<G> {
    writes: Vec<(G, TransactWriteItem)>,
}

/// The result of a transaction.
#[derive(Debug)]
pub(crate) enum Written<G> {
    /// Everything is written.
    All,
    /// Nothing is written.
    Nothing(Refused<G>),
}

/// The writes whose conditions failed: what each one guards, and the existing item if the write asks for it.
#[derive(Debug)]
pub(crate) struct Refused<G>(Vec<(G, Item)>);

impl<G: PartialEq> Refused<G> {
    /// The item for which a write's condition failed; `None` if the condition held.
    pub(crate) fn by(&self, guarded: G) -> Option<&Item> {
        self.0.iter().find(|(refused, _)| *refused == guarded).map(|(_, item)| item)
    }
}

impl<G: Copy + PartialEq> Transaction<G> {
    pub(crate) fn new() -> Self {
        Self { writes: Vec::new() }
    }

    /// Adds a write.
    #[must_use]
    pub(crate) fn with(mut self, guarded: G, write: TransactWriteItem) -> Self {
        self.writes.push((guarded, write));
        self
    }

    /// Writes everything or nothing.
    ///
    /// While the caller has time, a transaction that conflicts with another one is retried. A transaction with a token
    /// is also retried if its response is lost: DynamoDB treats requests with the same token as the same transaction
    /// for ten minutes.
    ///
    /// # Errors
    /// [`StoreError`]. After an error with a token, it is unknown whether the transaction was written.
    pub(crate) async fn write(
        &self,
        client: &Client,
        token: Option<String>,
        has_time: HasTime<'_>,
    ) -> Result<Written<G>, StoreError> {
        let writes: Vec<TransactWriteItem> = self.writes.iter().map(|(_, write)| write.clone()).collect();
        let mut tries = 0;
        loop {
            let request = client.transact_write_items().set_client_request_token(token.clone());
            let sent = Box::pin(request.set_transact_items(Some(writes.clone())).send()).await;
            let Err(error) = sent else { return Ok(Written::All) };
            let passes = match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                    let reasons = cancelled.cancellation_reasons();
                    let refused = self.refused(reasons);
                    if !refused.0.is_empty() {
                        return Ok(Written::Nothing(refused));
                    }
                    reasons.iter().any(|reason| reason.code().is_some_and(is_passing))
                }
                _ => token.is_some() && is_lost(&error),
            };
            if !passes || !has_time() {
                return Err(error.into());
            }
            sleep(pause(tries)).await;
            tries += 1;
        }
    }

    fn refused(&self, reasons: &[CancellationReason]) -> Refused<G> {
        let each = self.writes.iter().zip(reasons);
        let refused = each.filter(|(_, reason)| reason.code() == Some("ConditionalCheckFailed"));
        let met = |((guarded, _), reason): (&(G, TransactWriteItem), &CancellationReason)| {
            (*guarded, reason.item().cloned().unwrap_or_default())
        };
        Refused(refused.map(met).collect())
    }
}

/// Returns the client request token of a transaction, the same for the same owner.
pub(crate) fn request_token(owner: &str) -> String {
    let mut digits = hex::encode(Sha256::digest(owner));
    digits.truncate(TOKEN_CHARS);
    digits
}

/// Whether a transaction that was cancelled with this code may succeed on a retry.
fn is_passing(code: &str) -> bool {
    matches!(code, "TransactionConflict" | "ProvisionedThroughputExceeded" | "ThrottlingError")
}

/// Whether a transaction may have been written, or may still be in progress, despite the error.
fn is_lost<R>(error: &SdkError<TransactWriteItemsError, R>) -> bool {
    match error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => true,
        SdkError::ServiceError(service) => matches!(
            service.err(),
            TransactWriteItemsError::InternalServerError(_)
                | TransactWriteItemsError::TransactionInProgressException(_)
                | TransactWriteItemsError::ProvisionedThroughputExceededException(_)
                | TransactWriteItemsError::RequestLimitExceeded(_)
        ),
        _ => false,
    }
}

/// Sends a plain write. Retries it for a few seconds while it conflicts with running transactions.
pub(crate) async fn again<T, E, R, F>(send: impl Fn() -> F) -> Result<T, SdkError<E, R>>
where
    E: ProvideErrorMetadata,
    F: Future<Output = Result<T, SdkError<E, R>>>,
{
    let begun = Instant::now();
    let mut tries = 0;
    loop {
        // On the heap: the futures of the SDK are large, and those of a message are nested.
        let result = Box::pin(send()).await;
        let met = result.as_ref().err().and_then(|error| error.as_service_error()?.code());
        if met != Some("TransactionConflictException") || begun.elapsed() >= TRIED_FOR {
            return result;
        }
        sleep(pause(tries)).await;
        tries += 1;
    }
}

/// Sends a conditional update. `Some` is the item that made the condition fail.
pub(crate) async fn conditional(request: UpdateItemFluentBuilder) -> Result<Option<Item>, StoreError> {
    match again(|| request.clone().send()).await {
        Ok(_) => Ok(None),
        Err(error) => match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                Ok(Some(failed.item().cloned().unwrap_or_default()))
            }
            _ => Err(error.into()),
        },
    }
}

/// Returns a function that is true for a few seconds from now.
pub(crate) fn a_while() -> impl Fn() -> bool + Send + Sync {
    let begun = Instant::now();
    move || begun.elapsed() < TRIED_FOR
}

/// The delay after a number of tries: random, up to a bound that doubles each time.
fn pause(tries: u32) -> Duration {
    let bound = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(tries)).min(PAUSE_MAX);
    bound.mul_f64(f64::from(getrandom::u32().unwrap_or(u32::MAX)) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::AttributeValue;

    use super::*;

    fn reason(code: &str, seen: &str) -> CancellationReason {
        let item = Item::from([("seen".to_owned(), AttributeValue::S(seen.to_owned()))]);
        CancellationReason::builder().code(code).set_item(Some(item)).build()
    }

    #[test]
    fn each_cancellation_reason_is_matched_to_its_write_in_any_order() {
        let names = ["message", "person", "number"];
        for turn in 0..names.len() {
            let mut order = names;
            order.rotate_left(turn);
            let write = TransactWriteItem::builder().build();
            let transaction =
                order.iter().fold(Transaction::new(), |transaction, name| transaction.with(*name, write.clone()));
            let reasons: Vec<_> = order
                .iter()
                .map(|name| reason(if *name == "person" { "None" } else { "ConditionalCheckFailed" }, name))
                .collect();
            let refused = transaction.refused(&reasons);
            let seen = |name| refused.by(name).and_then(|item| item.get("seen")?.as_s().ok().cloned());
            assert_eq!(seen("message").as_deref(), Some("message"));
            assert_eq!(seen("number").as_deref(), Some("number"));
            assert!(refused.by("person").is_none());
        }
    }

    #[test]
    fn an_owner_keeps_its_request_token() {
        assert_eq!(request_token("r-1/7f/3"), "32cff6f61a72a3fd6eb493c7df0889d0");
    }

    #[test]
    fn pauses_grow_up_to_a_bound() {
        for (tries, bound_ms) in [(0, 20), (1, 40), (4, 320), (5, 640), (40, 640)] {
            for _ in 0..50 {
                assert!(pause(tries) <= Duration::from_millis(bound_ms));
            }
        }
    }
}
