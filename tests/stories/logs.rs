//! The lines of the log: all that belong to one trace, event or message can be found and joined.

use kit::{World, lines_with};
use serde_json::{Value, json};

use crate::waiting::{MINUTE, fault, order};

const TRACE: &str = "5b8aa5a2d2c872e8321cf37308d69df2";

/// Returns the lines with a message.
fn of<'a>(lines: &'a [Value], message: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["message"] == message).collect()
}

#[tokio::test]
async fn every_line_of_a_traced_event_has_its_ids() {
    let world = World::start().await.unwrap();
    world.report_statuses("normal").await.unwrap();
    // The message waits once, so that it comes back by the schedule, without the caller's record.
    fault(&world, 1, 400, 131_016).await;
    let mut event = order(1);
    event["id"] = json!("traced-1");
    let traceparent = format!("00-{TRACE}-051581bf3cb55c13-01");
    let headers = [("x-api-key", world.api_key()), ("traceparent", traceparent.as_str())];
    let answer = world.request("/v1/events", &headers, event.to_string().as_bytes()).await.unwrap();
    assert_eq!(answer.status, 202);
    world.pass(MINUTE * 5).await.unwrap();
    let id = world.messages_of("traced-1").await.unwrap().remove(0).to_string();

    let lines = lines_with(TRACE).unwrap();
    for message in ["accepted an event", "planned an event", "sent a message"] {
        let found = of(&lines, message);
        assert_eq!(found.len(), 1, "{message}: {lines:?}");
        assert_eq!((&found[0]["site"], &found[0]["event.id"]), (&json!("demo"), &json!("traced-1")), "{message}");
    }
    let sent = of(&lines, "sent a message")[0];
    assert_eq!(sent["message.id"], json!(id));
    assert!(sent["request.id"].is_string() && sent["record.id"].is_string(), "{sent}");
    assert_ne!(of(&lines, "planned an event")[0]["request.id"], sent["request.id"], "another invocation sent it");
    // Reports name the message, not the event.
    let reported = lines_with(&id).unwrap();
    assert!(reported.iter().all(|line| line["site"] == "demo" && line["request.id"].is_string()), "{reported:?}");
    assert!(reported.len() > lines.iter().filter(|line| line["message.id"] == id.as_str()).count(), "{reported:?}");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_invalid_trace_is_ignored() {
    let world = World::start().await.unwrap();
    let mut event = order(1);
    event["id"] = json!("untraced-1");
    let headers = [("x-api-key", world.api_key()), ("traceparent", "00-xyz")];
    let answer = world.request("/v1/events", &headers, event.to_string().as_bytes()).await.unwrap();
    assert_eq!(answer.status, 202);
    world.deliver().await.unwrap();
    let lines = lines_with("untraced-1").unwrap();
    assert!(lines.len() >= 2 && lines.iter().all(|line| line.get("trace.id").is_none()), "{lines:?}");
    world.finish().await.unwrap();
}
