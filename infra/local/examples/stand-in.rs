//! A function as small as can be, for the tests of the local run: it does what its event says.
//!
//! `{"do":"…"}`, the event or the body of a request, with `environment` (returns its variables), `pid`, `fail`, `hang`
//! or `exit`; a batch of SQS records, of which those whose body is `fail-once` are reported as failed the first time.
//! Anything else comes back as it is.
//!
//! Called as `stand-in build …` it plays the cargo that has built the functions, all of them itself.

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

/// What to do: in the event itself, or in the JSON body of a request.
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
