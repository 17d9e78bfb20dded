//! SQS: the producer of the events queue.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use domain::cause::chain;
use domain::job::Job;
use futures_util::future::join_all;
use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, Serializer};

/// Records SQS takes in one call.
const BATCH_RECORDS_MAX: usize = 10;
/// Bytes of bodies in one call. SQS takes 256 KiB or more, counting attributes; the rest is room for those.
const BATCH_BYTES_MAX: usize = 240 * 1024;

/// The events queue.
#[derive(Clone, Debug)]
pub struct EventsQueue {
    client: Client,
    url: String,
}

/// SQS did not take a record: the sender keeps it and tries again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("SQS did not take the record: {0}")]
pub struct NotQueued(String);

impl EventsQueue {
    /// The queue of that URL.
    #[must_use]
    pub fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    /// Puts one job into the queue. `Ok` means SQS has it.
    ///
    /// # Errors
    /// [`NotQueued`].
    pub async fn send(&self, job: &Job) -> Result<(), NotQueued> {
        let request = self.client.send_message().queue_url(&self.url).message_body(body(job)?);
        request.send().await.map_err(|error| NotQueued(chain(&error)))?;
        Ok(())
    }

    /// Puts several jobs into the queue, in as few calls as SQS allows, all at once, and answers for each in the order
    /// given.
    pub async fn send_all(&self, jobs: &[Job]) -> Vec<Result<(), NotQueued>> {
        let calls = calls(jobs.iter().map(body).collect());
        join_all(calls.into_iter().map(|call| self.send_call(call))).await.into_iter().flatten().collect()
    }

    /// One call of `SendMessageBatch`, each record answered by its place.
    async fn send_call(&self, bodies: Vec<Result<String, NotQueued>>) -> Vec<Result<(), NotQueued>> {
        let entry = |(index, body): (usize, Result<String, NotQueued>)| {
            let entry = SendMessageBatchRequestEntry::builder().id(index.to_string()).message_body(body?).build();
            entry.map_err(|error| NotQueued(error.to_string()))
        };
        let entries: Vec<Result<_, NotQueued>> = bodies.into_iter().enumerate().map(entry).collect();
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

/// The bodies in calls, each within what SQS takes at once.
fn calls(bodies: Vec<Result<String, NotQueued>>) -> Vec<Vec<Result<String, NotQueued>>> {
    let mut calls: Vec<Vec<Result<String, NotQueued>>> = Vec::new();
    let mut bytes = 0;
    for body in bodies {
        bytes += size(&body);
        match calls.last_mut() {
            Some(call) if call.len() < BATCH_RECORDS_MAX && bytes <= BATCH_BYTES_MAX => call.push(body),
            _ => {
                bytes = size(&body);
                calls.push(vec![body]);
            }
        }
    }
    calls
}

fn size(body: &Result<String, NotQueued>) -> usize {
    body.as_ref().map_or(0, String::len)
}

/// A job as JSON that SQS takes.
fn body(job: &Job) -> Result<String, NotQueued> {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, SqsFormatter);
    job.serialize(&mut serializer).map_err(|error| NotQueued(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| NotQueued(error.to_string()))
}

/// Compact JSON without the two characters that JSON allows and SQS refuses (U+FFFE, U+FFFF): an event that holds one
/// would be refused again and again. Control characters are escaped by JSON itself.
struct SqsFormatter;

impl Formatter for SqsFormatter {
    fn write_string_fragment<W: std::io::Write + ?Sized>(&mut self, writer: &mut W, text: &str) -> std::io::Result<()> {
        let mut rest = text;
        while let Some(at) = rest.find(['\u{fffe}', '\u{ffff}']) {
            let (before, from) = rest.split_at(at);
            CompactFormatter.write_string_fragment(writer, before)?;
            writer.write_all(if from.starts_with('\u{fffe}') { b"\\ufffe" } else { b"\\uffff" })?;
            rest = from.get('\u{fffe}'.len_utf8()..).unwrap_or_default();
        }
        CompactFormatter.write_string_fragment(writer, rest)
    }

    fn write_char_escape<W: std::io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> std::io::Result<()> {
        CompactFormatter.write_char_escape(writer, escape)
    }
}

#[cfg(test)]
mod tests {
    use domain::id::SiteId;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_call_keeps_to_the_bounds_of_sqs() {
        let bodies = |count: usize, bytes: usize| (0..count).map(|_| Ok("x".repeat(bytes))).collect();
        let sizes = |count, bytes| calls(bodies(count, bytes)).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(0, 1), Vec::<usize>::new());
        assert_eq!(sizes(21, 10), [10, 10, 1]);
        assert_eq!(sizes(7, 64 * 1024), [3, 3, 1]);
        assert_eq!(sizes(2, 250 * 1024), [1, 1]);
    }

    #[test]
    fn a_body_holds_only_characters_sqs_takes() {
        let job = Job::Event {
            site: SiteId::parse("demo").unwrap(),
            received_at: "2026-11-22T09:15:00Z".parse().unwrap(),
            event: json!({"text": "a\u{0}\u{fffe}b\u{ffff}\u{ffff} é \" 🎉"}),
        };
        let body = body(&job).unwrap();
        let allowed =
            |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
        assert!(body.chars().all(allowed), "{body}");
        assert_eq!(serde_json::from_str::<Job>(&body).unwrap(), job);
    }
}
