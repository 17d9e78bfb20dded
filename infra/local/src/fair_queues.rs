//! Message groups on standard queues. SQS uses them to share a queue fairly among its tenants. The emulator supports
//! them on FIFO queues only, and refuses them on standard queues.

use std::{future::Future, pin::Pin};

use axum::body::Bytes;
use hyper::Response;
use rustack_sqs_core::handler::RustackSqsHandler;
use rustack_sqs_http::{body::SqsResponseBody, dispatch::SqsHandler};
use rustack_sqs_model::{error::SqsError, operations::SqsOperation};
use serde_json::Value;

/// The message group of a record.
const GROUP: &str = "MessageGroupId";

/// The emulator. It accepts message groups on standard queues and ignores them.
#[derive(Debug)]
pub(crate) struct FairQueues(pub(crate) RustackSqsHandler);

impl SqsHandler for FairQueues {
    fn handle_operation(
        &self,
        operation: SqsOperation,
        body: Bytes,
    ) -> Pin<Box<dyn Future<Output = Result<Response<SqsResponseBody>, SqsError>> + Send>> {
        let body = match operation {
            SqsOperation::SendMessage | SqsOperation::SendMessageBatch => without_groups(&body).unwrap_or(body),
            _ => body,
        };
        self.0.handle_operation(operation, body)
    }
}

/// Removes the message groups from a request to a standard queue. Returns `None` if it changes nothing; the emulator
/// then reports the faults of the request.
fn without_groups(body: &[u8]) -> Option<Bytes> {
    let mut request: Value = serde_json::from_slice(body).ok()?;
    if request.get("QueueUrl")?.as_str()?.ends_with(".fifo") {
        return None;
    }
    let fields = request.as_object_mut()?;
    fields.remove(GROUP);
    let entries = fields.get_mut("Entries").and_then(Value::as_array_mut);
    for entry in entries.into_iter().flatten().filter_map(Value::as_object_mut) {
        entry.remove(GROUP);
    }
    serde_json::to_vec(&request).ok().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn after(request: &Value) -> Option<Value> {
        without_groups(request.to_string().as_bytes()).map(|body| serde_json::from_slice(&body).unwrap())
    }

    #[test]
    fn a_group_is_removed_on_standard_queues_only() {
        let url = "http://127.0.0.1/000000000000/events";
        let one = json!({"QueueUrl": url, "MessageBody": "é", "MessageGroupId": "demo"});
        assert_eq!(after(&one), Some(json!({"QueueUrl": url, "MessageBody": "é"})));
        let entries = json!([{"Id": "0", "MessageGroupId": "a"}, {"Id": "1", "MessageGroupId": "b"}]);
        let without = json!({"QueueUrl": url, "Entries": [{"Id": "0"}, {"Id": "1"}]});
        assert_eq!(after(&json!({"QueueUrl": url, "Entries": entries})), Some(without));
        assert_eq!(after(&json!({"QueueUrl": format!("{url}.fifo"), "MessageGroupId": "demo"})), None);
    }

    #[test]
    fn a_malformed_request_reaches_the_emulator_unchanged() {
        for body in ["", "{", "[]", "{}", r#"{"QueueUrl":1}"#] {
            assert_eq!(without_groups(body.as_bytes()), None, "{body}");
        }
    }
}
