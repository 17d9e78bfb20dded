//! One queue of SQS, whatever its records mean.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use domain::primitives::cause::chain;
use futures_util::StreamExt;
use futures_util::stream;

use crate::NotQueued;

/// Records SQS takes in one call.
const BATCH_RECORDS_MAX: usize = 10;
/// Bytes of bodies in one call. SQS takes 256 KiB or more, counting attributes; the rest is room for those.
const BATCH_BYTES_MAX: usize = 240 * 1024;
/// Calls under way at once: the largest batch of events needs fewer unless its events are large, and a webhook of a
/// thousand statuses does not open a hundred connections.
const CALLS_AT_ONCE: usize = 16;
/// The longest SQS holds a record back, in seconds.
const DELAY_MAX_S: u16 = 900;

/// A queue of that URL.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    pub(crate) client: Client,
    pub(crate) url: String,
}

/// What goes into one record, or why it cannot be written.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) body: Result<String, NotQueued>,
    /// Seconds before anybody gets it.
    pub(crate) delay_s: u16,
}

impl Record {
    /// A record for now.
    pub(crate) fn now(body: Result<String, NotQueued>) -> Self {
        Self { body, delay_s: 0 }
    }

    /// The bytes it counts for.
    fn size(&self) -> usize {
        self.body.as_ref().map_or(0, String::len)
    }

    /// The delay as SQS takes it.
    fn delay(&self) -> i32 {
        i32::from(self.delay_s.min(DELAY_MAX_S))
    }
}

impl Sender {
    /// Puts one body into the queue. `Ok` means SQS has it.
    pub(crate) async fn send(&self, body: String) -> Result<(), NotQueued> {
        let request = self.client.send_message().queue_url(&self.url).message_body(body);
        request.send().await.map_err(|error| NotQueued(chain(&error)))?;
        Ok(())
    }

    /// Puts records into the queue, in as few calls as SQS allows, and answers for each in the order given.
    pub(crate) async fn send_all(&self, records: Vec<Record>) -> Vec<Result<(), NotQueued>> {
        let calls = stream::iter(calls(records)).map(|call| self.send_call(call)).buffered(CALLS_AT_ONCE);
        calls.collect::<Vec<_>>().await.into_iter().flatten().collect()
    }

    /// One call of `SendMessageBatch`, each record answered by its place.
    async fn send_call(&self, records: Vec<Record>) -> Vec<Result<(), NotQueued>> {
        let entry = |(index, record): (usize, Record)| {
            let entry = SendMessageBatchRequestEntry::builder().id(index.to_string()).delay_seconds(record.delay());
            entry.message_body(record.body?).build().map_err(|error| NotQueued(error.to_string()))
        };
        let entries: Vec<Result<_, NotQueued>> = records.into_iter().enumerate().map(entry).collect();
        let request = self.client.send_message_batch().queue_url(&self.url);
        let request = request.set_entries(Some(entries.iter().flatten().cloned().collect()));
        let answer = if entries.iter().all(Result::is_err) { None } else { Some(request.send().await) };
        let took = |index: usize| match &answer {
            Some(Ok(answer)) if answer.successful().iter().any(|entry| entry.id() == index.to_string()) => Ok(()),
            Some(Err(error)) => Err(NotQueued(chain(error))),
            _ => Err(NotQueued("refused within a batch".to_owned())),
        };
        entries.into_iter().enumerate().map(|(index, entry)| entry.and_then(|_| took(index))).collect()
    }
}

/// The records in calls, each within what SQS takes at once.
fn calls(records: Vec<Record>) -> Vec<Vec<Record>> {
    let mut calls: Vec<Vec<Record>> = Vec::new();
    let mut bytes = 0;
    for record in records {
        bytes += record.size();
        match calls.last_mut() {
            Some(call) if call.len() < BATCH_RECORDS_MAX && bytes <= BATCH_BYTES_MAX => call.push(record),
            _ => {
                bytes = record.size();
                calls.push(vec![record]);
            }
        }
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_keeps_to_the_bounds_of_sqs() {
        let records = |count: usize, bytes: usize| (0..count).map(|_| Record::now(Ok("x".repeat(bytes)))).collect();
        let sizes = |count, bytes| calls(records(count, bytes)).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(0, 1), Vec::<usize>::new());
        assert_eq!(sizes(21, 10), [10, 10, 1]);
        assert_eq!(sizes(7, 64 * 1024), [3, 3, 1]);
        assert_eq!(sizes(2, 250 * 1024), [1, 1]);
    }

    #[test]
    fn a_delay_is_never_longer_than_sqs_takes() {
        let delay = |delay_s| Record { body: Ok(String::new()), delay_s }.delay();
        assert_eq!([delay(0), delay(5), delay(900), delay(901), delay(u16::MAX)], [0, 5, 900, 900, 900]);
    }
}
