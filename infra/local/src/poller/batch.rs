//! Builds a batch event for the function and interprets its answer.

use std::collections::HashSet;

use aws_sdk_sqs::types::{Message, MessageAttributeValue};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::emulators::REGION;

/// Builds the event that Lambda creates from received messages.
pub(super) fn event(messages: &[Message], queue_arn: &str) -> Value {
    let records: Vec<_> = messages.iter().map(|message| record(message, queue_arn)).collect();
    json!({ "Records": records })
}

fn record(message: &Message, queue_arn: &str) -> Value {
    let attributes: Map<_, _> = message
        .attributes
        .iter()
        .flatten()
        .map(|(name, value)| (name.as_str().to_owned(), Value::from(value.as_str())))
        .collect();
    let message_attributes: Map<_, _> =
        message.message_attributes.iter().flatten().map(|(name, value)| (name.clone(), attribute(value))).collect();
    json!({
        "messageId": message.message_id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": attributes,
        "messageAttributes": message_attributes,
        "md5OfBody": message.md5_of_body,
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": REGION,
    })
}

fn attribute(value: &MessageAttributeValue) -> Value {
    json!({
        "stringValue": value.string_value,
        "binaryValue": value.binary_value.as_ref().map(|blob| STANDARD.encode(blob)),
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": value.data_type,
    })
}

/// The part of an answer that Lambda evaluates. Other fields are ignored. A wrong shape fails the batch.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct BatchResponse {
    batch_item_failures: Option<Vec<ItemFailure>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ItemFailure {
    item_identifier: String,
}

/// Returns the messages to delete after a function answered. An empty or null answer, or an empty or null list, means
/// all messages. Otherwise it is all messages except the listed ones.
///
/// # Errors
/// A description, when the answer is invalid and the whole batch has therefore failed. The answer is invalid if it is
/// not JSON, if an entry has no identifier, or if an identifier is not in the batch.
pub(super) fn succeeded(messages: Vec<Message>, answer: &[u8]) -> Result<Vec<Message>, String> {
    if answer.iter().all(u8::is_ascii_whitespace) {
        return Ok(messages);
    }
    let answer: Value = serde_json::from_slice(answer).map_err(|error| format!("its answer is not JSON: {error}"))?;
    // A function that reports no failures, for example by returning a plain string, has failed no record.
    if !answer.is_object() {
        return Ok(messages);
    }
    let response: BatchResponse =
        serde_json::from_value(answer).map_err(|error| format!("its list of failures is wrong: {error}"))?;
    let failures = response.batch_item_failures.unwrap_or_default();
    let failed: HashSet<_> = failures.into_iter().map(|failure| failure.item_identifier).collect();
    let known: HashSet<_> = messages.iter().filter_map(|message| message.message_id.as_deref()).collect();
    if let Some(stranger) = failed.iter().find(|id| !known.contains(id.as_str())) {
        return Err(format!("it reports a record that is not in the batch: {stranger:?}"));
    }
    let kept = |message: &Message| message.message_id.as_ref().is_none_or(|id| !failed.contains(id));
    Ok(messages.into_iter().filter(kept).collect())
}

#[cfg(test)]
mod tests {
    use aws_sdk_sqs::types::MessageSystemAttributeName;

    use super::*;

    fn batch() -> Vec<Message> {
        ["a", "b", "c"].map(|id| Message::builder().message_id(id).receipt_handle(format!("r-{id}")).build()).into()
    }

    #[track_caller]
    fn check(answer: &str, expected: &[&str]) {
        let kept = succeeded(batch(), answer.as_bytes()).unwrap();
        let ids: Vec<_> = kept.iter().filter_map(Message::message_id).collect();
        assert_eq!(ids, expected, "after {answer}");
    }

    #[test]
    fn records_not_reported_as_failures_succeed() {
        for all in ["", " ", "null", "{}", r#"{"batchItemFailures":null}"#, r#"{"batchItemFailures":[]}"#, "\"done\""] {
            check(all, &["a", "b", "c"]);
        }
        check(r#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#, &["a", "c"]);
        check(
            r#"{"batchItemFailures":[{"itemIdentifier":"c"},{"itemIdentifier":"a"},{"itemIdentifier":"c"}]}"#,
            &["b"],
        );
        check(r#"{"batchItemFailures":[{"itemIdentifier":"a","why":"later"}]}"#, &["b", "c"]);
    }

    #[test]
    fn an_invalid_answer_fails_the_whole_batch() {
        for wrong in [
            "{",
            "not json",
            r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
            r#"{"batchItemFailures":[{"messageId":"a"}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":"z"}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"z"}]}"#,
            r#"{"batchItemFailures":"a"}"#,
        ] {
            assert!(succeeded(batch(), wrong.as_bytes()).is_err(), "{wrong} was taken");
        }
    }

    #[test]
    fn a_record_carries_the_sqs_attributes_of_its_message() {
        let message = Message::builder()
            .message_id("id")
            .receipt_handle("handle")
            .body("{\"v\":1}")
            .md5_of_body("5d41")
            .attributes(MessageSystemAttributeName::ApproximateReceiveCount, "3")
            .attributes(MessageSystemAttributeName::SentTimestamp, "1795342800000")
            .message_attributes(
                "kind",
                MessageAttributeValue::builder().data_type("String").string_value("event").build().unwrap(),
            )
            .build();
        let event = event(&[message], "arn:aws:sqs:eu-south-1:000000000000:events");
        assert_eq!(
            event,
            json!({"Records": [{
                "messageId": "id",
                "receiptHandle": "handle",
                "body": "{\"v\":1}",
                "attributes": {"ApproximateReceiveCount": "3", "SentTimestamp": "1795342800000"},
                "messageAttributes": {"kind": {
                    "stringValue": "event", "binaryValue": null, "stringListValues": [], "binaryListValues": [],
                    "dataType": "String",
                }},
                "md5OfBody": "5d41",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-south-1:000000000000:events",
                "awsRegion": "eu-south-1",
            }]})
        );
    }
}
