//! The producer of one SQS queue, independent of the meaning of its records.

use std::collections::HashMap;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{MessageAttributeValue, SendMessageBatchRequestEntry};
use domain::primitives::id::SiteId;
use domain::primitives::trace::TraceParent;
use futures_util::StreamExt;
use futures_util::stream;

use crate::{NotQueued, TRACE_ATTRIBUTE};

/// Maximum number of records per SQS call.
const BATCH_RECORDS_MAX: usize = 10;
/// Maximum size of the bodies per call, in bytes. SQS accepts 256 KiB or more, including attributes; the difference
/// leaves room for these.
const BATCH_BYTES_MAX: usize = 240 * 1024;
/// Maximum number of concurrent calls. Only a batch of large events needs more. It keeps a webhook with a thousand
/// statuses from opening a hundred connections.
const CALLS_AT_ONCE: usize = 16;
/// Maximum SQS delay, in seconds.
const DELAY_MAX_S: u16 = 900;

/// The producer of the queue with this URL.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    pub(crate) client: Client,
    pub(crate) url: String,
}

/// One record.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// The body, or the error of its serialisation.
    pub(crate) body: Result<String, NotQueued>,
    /// The site of the record, if it is known. SQS shares the queue fairly among the sites, so that a site with many
    /// records does not delay the others.
    pub(crate) site: Option<SiteId>,
    /// The trace of the caller, as an attribute of the record.
    pub(crate) trace: Option<TraceParent>,
    /// Delay in seconds before the record becomes visible.
    pub(crate) delay_s: u16,
}

impl Record {
    /// Creates a record without delay.
    pub(crate) fn now(body: Result<String, NotQueued>, site: &SiteId) -> Self {
        Self { body, site: Some(site.clone()), trace: None, delay_s: 0 }
    }

    /// Returns the message group of the record.
    fn group(&self) -> Option<String> {
        self.site.as_ref().map(|site| site.as_str().to_owned())
    }

    /// Returns the attribute with the trace.
    fn attribute(&self) -> Result<Option<(String, MessageAttributeValue)>, NotQueued> {
        let Some(trace) = &self.trace else { return Ok(None) };
        let value = MessageAttributeValue::builder().data_type("String").string_value(trace.as_str());
        Ok(Some((TRACE_ATTRIBUTE.to_owned(), value.build().map_err(NotQueued::because)?)))
    }

    /// Returns the size of the record in bytes.
    fn size(&self) -> usize {
        self.body.as_ref().map_or(0, String::len)
    }

    /// Returns the delay, limited to the maximum of SQS.
    fn delay(&self) -> i32 {
        i32::from(self.delay_s.min(DELAY_MAX_S))
    }
}

impl Sender {
    /// Sends one record to the queue, without its delay. `Ok` means that SQS has it.
    pub(crate) async fn send(&self, record: Record) -> Result<(), NotQueued> {
        let request = self.client.send_message().queue_url(&self.url).set_message_group_id(record.group());
        let request = request.set_message_attributes(record.attribute()?.map(|attribute| HashMap::from([attribute])));
        request.message_body(record.body?).send().await.map_err(NotQueued::because)?;
        Ok(())
    }

    /// Sends records to the queue in as few calls as SQS allows. Returns one result per record, in the given order.
    pub(crate) async fn send_all(&self, records: Vec<Record>) -> Vec<Result<(), NotQueued>> {
        let calls = stream::iter(calls(records)).map(|call| self.send_call(call)).buffered(CALLS_AT_ONCE);
        calls.collect::<Vec<_>>().await.into_iter().flatten().collect()
    }

    /// Performs one `SendMessageBatch` call. Returns one result per record.
    async fn send_call(&self, records: Vec<Record>) -> Vec<Result<(), NotQueued>> {
        let entry = |(index, record): (usize, Record)| {
            let entry = SendMessageBatchRequestEntry::builder().id(index.to_string()).delay_seconds(record.delay());
            let attributes = record.attribute()?.map(|attribute| HashMap::from([attribute]));
            let entry = entry.set_message_group_id(record.group()).set_message_attributes(attributes);
            let entry = entry.message_body(record.body?);
            entry.build().map_err(NotQueued::because)
        };
        let entries: Vec<Result<_, NotQueued>> = records.into_iter().enumerate().map(entry).collect();
        let request = self.client.send_message_batch().queue_url(&self.url);
        let request = request.set_entries(Some(entries.iter().flatten().cloned().collect()));
        let answer = if entries.iter().all(Result::is_err) { None } else { Some(request.send().await) };
        let answer = answer.map(|answer| answer.map_err(NotQueued::because));
        let took = |index: usize| match &answer {
            Some(Ok(answer)) if answer.successful().iter().any(|entry| entry.id() == index.to_string()) => Ok(()),
            Some(Err(error)) => Err(error.clone()),
            _ => Err(NotQueued::because("refused within a batch")),
        };
        entries.into_iter().enumerate().map(|(index, entry)| entry.and_then(|_| took(index))).collect()
    }
}

/// Splits the records into calls within the limits of SQS.
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
    fn a_batch_stays_within_the_sqs_limits() {
        let record = |bytes| Record::now(Ok("x".repeat(bytes)), &SiteId::parse("demo").unwrap());
        let records = |count: usize, bytes: usize| (0..count).map(|_| record(bytes)).collect();
        let sizes = |count, bytes| calls(records(count, bytes)).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(0, 1), Vec::<usize>::new());
        assert_eq!(sizes(21, 10), [10, 10, 1]);
        assert_eq!(sizes(7, 64 * 1024), [3, 3, 1]);
        assert_eq!(sizes(2, 250 * 1024), [1, 1]);
    }

    #[test]
    fn a_delay_never_exceeds_the_sqs_maximum() {
        let site = SiteId::parse("demo").unwrap();
        let delay = |delay_s| Record { delay_s, ..Record::now(Ok(String::new()), &site) }.delay();
        assert_eq!([delay(0), delay(5), delay(900), delay(901), delay(u16::MAX)], [0, 5, 900, 900, 900]);
    }
}
