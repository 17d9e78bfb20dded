//! The schedules of the bridge. A function is invoked once at the start and then at its rate, as on AWS.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::MissedTickBehavior;

use crate::{
    clock,
    emulators::{ACCOUNT, REGION},
    runtime_api::{RuntimeApi, request_id},
    terminal::Terminal,
};

/// The rate of the schedules for `fire-reminders` and for requested template syncs in the template.
pub const MINUTE: Duration = Duration::from_secs(60);
/// The rate of the hourly `sync-templates` schedule in the template.
pub const HOUR: Duration = Duration::from_secs(60 * 60);

/// Returns the input that the template's one-minute schedule passes to `sync-templates`.
#[must_use]
pub fn asked() -> Value {
    json!({"asked": true})
}

/// Invokes `function` for as long as the future is polled, with `input` or, without it, with a scheduled event. A tick
/// is skipped while the previous invocation is still running.
pub async fn run(api: RuntimeApi, function: &'static str, period: Duration, input: Option<Value>, terminal: Terminal) {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let event = input.clone().unwrap_or_else(|| event(clock::now(), function)).to_string();
        if let Err(error) = api.invoke(function, event.into_bytes()).await {
            terminal.line(function, &format!("a run by the clock failed: {error}"));
        }
    }
}

fn event(at: Timestamp, function: &str) -> Value {
    json!({
        "version": "0",
        "id": request_id(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "region": REGION,
        "resources": [format!("arn:aws:events:{REGION}:{ACCOUNT}:rule/{function}")],
        "detail": {},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_event_contains_its_time() {
        let event = event("2026-11-22T10:15:00.75Z".parse().unwrap(), "fire-reminders");
        assert_eq!(event["time"], "2026-11-22T10:15:00Z");
        assert_eq!(event["resources"][0], "arn:aws:events:eu-south-1:000000000000:rule/fire-reminders");
    }
}
