//! The text that the local run prints once everything answers: the addresses and a command to try.

use anyhow::Result;
use jiff::{Timestamp, tz::TimeZone};

use crate::{clock, demo::Demo, terminal::Terminal};

/// Prints the addresses, the key and the `curl` command.
///
/// # Errors
/// When the operating system cannot provide random bytes for the event's id.
pub fn print(terminal: Terminal, demo: &Demo, data_dir: &str, logs: &str) -> Result<()> {
    let label = |label: &str| terminal.dim(&format!("  {label:<8}"));
    terminal.say("");
    terminal.say(&format!("{} {}", label("bridge"), terminal.bold(&demo.base_url)));
    terminal.say(&format!("{} {}", label("phone"), terminal.bold(&demo.simulator_url)));
    terminal.say(&format!("{} {}", label("API key"), terminal.bold(&demo.api_key)));
    terminal.say(&format!("{} {data_dir}", label("data")));
    terminal.say(&format!("{} {logs}", label("logs")));
    terminal.say("");
    terminal.say("An order changes its state, and Anna's phone gets a message:");
    terminal.say("");
    terminal.say(&curl(demo, &hex::encode(clock::random::<4>()?), clock::now()));
    terminal.say("");
    terminal.say(&terminal.dim("Ctrl-C stops everything."));
    terminal.say("");
    Ok(())
}

/// Returns one line for any POSIX shell.
fn curl(demo: &Demo, unique: &str, now: Timestamp) -> String {
    let event = event(unique, now);
    format!(
        "curl -sS {}/v1/events -H 'X-API-Key: {}' -H 'Content-Type: application/json' -d '{event}'",
        demo.base_url, demo.api_key
    )
}

/// Returns the event with its fields in a readable order. Each event has a new order id. Otherwise a mapping that
/// notifies once per state would send nothing the second time.
fn event(unique: &str, now: Timestamp) -> String {
    let rome = TimeZone::get("Europe/Rome").unwrap_or(TimeZone::UTC);
    let now = now.to_zoned(rome).strftime("%Y-%m-%dT%H:%M:%S%:z");
    let order = format!(
        r#"{{"id":"1320-{unique}","code":"OC1/1320","status":"MEMORIZZATO","total":{{"amount":"129.90","currency":"EUR"}},"item_count":3}}"#
    );
    let customer = r#"{"id":"anna","first_name":"Anna","last_name":"Rossi","phone":"+393401234567","language":"it"}"#;
    format!(
        r#"{{"id":"demo-{unique}","type":"order.status_changed","occurred_at":"{now}","language":"it","data":{{"order":{order},"customer":{customer}}}}}"#
    )
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_greeting_event_has_the_current_time_with_an_offset() {
        let line = event("ab12", "2026-11-22T09:15:00.9Z".parse().unwrap());
        assert!(!line.contains('\''), "it would end the quotes of the shell");
        let event: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(event["id"], "demo-ab12");
        assert_eq!(event["occurred_at"], "2026-11-22T10:15:00+01:00");
        assert_eq!(event["data"]["order"]["id"], "1320-ab12");
    }
}
