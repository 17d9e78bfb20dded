//! Batches of queue records, handled one by one.
//!
//! AWS deletes every record that the response does not name, so the response names exactly the records to be delivered
//! again. It never reports an error for the whole batch. A panic fails only its record, and a record without time left
//! is named too.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsMessage};
use futures_util::{FutureExt, StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use tracing::Instrument;

use crate::clock::Clock;
use crate::telemetry::{self, field};

/// The time until which an invocation may begin work.
#[derive(Clone, Debug)]
pub struct Deadline {
    clock: Clock,
    at: Timestamp,
    margin: SignedDuration,
}

impl Deadline {
    /// Creates the deadline from the invocation's context, in milliseconds since 1970. `margin` is the longest
    /// duration of one piece of work.
    ///
    /// `cargo lambda watch` sends an invalid deadline. A deadline that has already passed when the invocation begins
    /// is therefore replaced by `timeout` from now.
    #[must_use]
    pub fn of(epoch_ms: u64, timeout: SignedDuration, margin: SignedDuration, clock: Clock) -> Self {
        let now = clock.now();
        let stated = i64::try_from(epoch_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let at = stated.filter(|at| *at > now).unwrap_or_else(|| now.saturating_add(timeout).unwrap_or(now));
        Self { clock, at, margin }
    }

    /// Returns the time until the invocation ends.
    #[must_use]
    pub fn left_ms(&self) -> i64 {
        let left = self.at.duration_since(self.clock.now()).as_millis();
        i64::try_from(left).unwrap_or(i64::MAX)
    }

    /// Whether enough time remains to begin another piece of work.
    #[must_use]
    pub fn has_time(&self) -> bool {
        self.has_time_for(self.margin)
    }

    /// Whether more than a duration remains.
    #[must_use]
    pub fn has_time_for(&self, work: SignedDuration) -> bool {
        self.at.duration_since(self.clock.now()) > work
    }
}

/// The record must be delivered again. The cause was logged where it occurred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TryAgain;

/// Calls `handle` for each record, at most `at_once` concurrently, and names the records to be delivered again.
pub async fn each<F, H>(records: Vec<SqsMessage>, at_once: usize, deadline: &Deadline, handle: H) -> SqsBatchResponse
where
    F: Future<Output = Result<(), TryAgain>>,
    H: Fn(SqsMessage) -> F,
{
    let handle = &handle;
    let one = |record: SqsMessage| async move {
        let id = record.message_id.clone();
        if !deadline.has_time() {
            tracing::info!(record.id = id, "no time left for this record; it will be delivered again");
            return id;
        }
        let context = telemetry::context(&[(field::RECORD, &id.as_deref().unwrap_or_default())]);
        match AssertUnwindSafe(handle(record)).catch_unwind().instrument(context).await {
            Ok(Ok(())) => None,
            Ok(Err(TryAgain)) => id,
            Err(_) => {
                tracing::error!(record.id = id, "the handler panicked on this record; it will be delivered again");
                id
            }
        }
    };
    let again: Vec<Option<String>> = stream::iter(records).map(one).buffer_unordered(at_once).collect().await;
    let mut response = SqsBatchResponse::default();
    // AWS treats an empty identifier as a failure of the whole batch.
    response.set_failures(again.into_iter().flatten().filter(|id| !id.is_empty()));
    response
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

    use super::*;

    fn record(id: &str) -> SqsMessage {
        let mut record = SqsMessage::default();
        record.message_id = Some(id.to_owned());
        record
    }

    fn records(count: usize) -> Vec<SqsMessage> {
        (0..count).map(|index| record(&index.to_string())).collect()
    }

    fn failed(response: &SqsBatchResponse) -> Vec<&str> {
        response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect()
    }

    fn clock_at(second: &Arc<AtomicI64>) -> Clock {
        let second = Arc::clone(second);
        Clock::from_fn(move || Timestamp::from_second(second.load(Ordering::SeqCst)).unwrap())
    }

    fn deadline(second: &Arc<AtomicI64>) -> Deadline {
        Deadline::of(60_000, SignedDuration::from_secs(60), SignedDuration::from_secs(15), clock_at(second))
    }

    #[tokio::test]
    async fn a_failure_or_panic_fails_only_its_record() {
        let response = each(records(4), 2, &deadline(&Arc::default()), |record| async move {
            match record.message_id.as_deref() {
                Some("1") => Err(TryAgain),
                Some("2") => panic!("a bug"),
                _ => Ok(()),
            }
        })
        .await;
        let mut failed = failed(&response);
        failed.sort_unstable();
        assert_eq!(failed, ["1", "2"]);
    }

    #[tokio::test]
    async fn records_without_time_left_are_delivered_again() {
        let second = Arc::new(AtomicI64::new(0));
        let response = each(records(3), 1, &deadline(&second), |_| async {
            second.store(50, Ordering::SeqCst);
            Ok(())
        })
        .await;
        assert_eq!(failed(&response), ["1", "2"]);
    }

    #[tokio::test]
    async fn records_are_handled_up_to_the_concurrency_limit() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        each(records(9), 3, &deadline(&Arc::default()), |_| async {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            now.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        })
        .await;
        assert_eq!(most.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn no_reported_identifier_is_empty() {
        let without = vec![SqsMessage::default(), record("")];
        let response = each(without, 2, &deadline(&Arc::default()), |_| async { Err(TryAgain) }).await;
        assert_eq!(failed(&response), Vec::<&str>::new());
    }

    #[test]
    fn an_implausible_deadline_is_replaced() {
        let second = Arc::new(AtomicI64::new(1_000_000));
        let deadline =
            Deadline::of(600_000, SignedDuration::from_secs(60), SignedDuration::from_secs(15), clock_at(&second));
        assert!(deadline.has_time());
        second.store(1_000_045, Ordering::SeqCst);
        assert!(!deadline.has_time());
    }
}
