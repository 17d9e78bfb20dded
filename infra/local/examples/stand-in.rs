//! A minimal Lambda function for the tests of the local run. Its event selects its behaviour.
//!
//! - `{"do":"…"}`, as the event or as the body of a request. The values are `environment` (returns the process's
//!   variables), `pid`, `fail`, `hang` and `exit`.
//! - A batch of SQS records: it reports records whose body is `fail-once` as failed on their first delivery.
//! - Any other event is returned unchanged.
//!
//! Called as `stand-in build …`, it imitates `cargo build` and names itself as the executable of every function.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

fn main() -> Result<(), Error> {
    if std::env::args().nth(1).as_deref() == Some("build") {
        return build();
    }
    println!("stand-in is here");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run(service_fn(handle)))
}

fn build() -> Result<(), Error> {
    let executable = std::env::current_exe()?;
    for name in local::topology::FUNCTIONS {
        println!("{}", json!({"target": {"kind": ["bin"], "name": name}, "executable": executable}));
    }
    Ok(())
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let payload = event.payload;
    if let Some(records) = payload.get("Records").and_then(Value::as_array) {
        return Ok(batch(records));
    }
    match order(&payload).as_deref() {
        Some("environment") => Ok(std::env::vars().map(|(name, value)| (name, Value::from(value))).collect()),
        Some("pid") => Ok(json!(std::process::id())),
        Some("fail") => Err("as it was told".into()),
        Some("hang") => std::future::pending().await,
        Some("exit") => std::process::exit(3),
        _ => Ok(payload),
    }
}

/// Returns the action to take, from the event itself or from the JSON body of a request.
fn order(payload: &Value) -> Option<String> {
    let in_body = || serde_json::from_str::<Value>(payload.get("body")?.as_str()?).ok()?.get("do").cloned();
    payload.get("do").cloned().or_else(in_body)?.as_str().map(str::to_owned)
}

fn batch(records: &[Value]) -> Value {
    let is = |record: &Value, pointer: &str, value: &str| record.pointer(pointer).is_some_and(|found| found == value);
    let fails =
        |record: &&Value| is(record, "/body", "fail-once") && is(record, "/attributes/ApproximateReceiveCount", "1");
    let failures = records.iter().filter(fails).map(|record| json!({"itemIdentifier": record.get("messageId")}));
    json!({"batchItemFailures": failures.collect::<Vec<_>>()})
}
