//! The stack as `template.yaml` describes it: names, numbers, routes, and which function gets which variable.

use std::{collections::HashMap, path::PathBuf, time::Duration};

use anyhow::{Context, Result};
use axum::http::Method;

use crate::{
    emulators::Emulators,
    gateway::Route,
    queues::{Queue, Queues},
    workers::Function,
};

/// The stack's name, which the names of its secrets begin with.
pub const STACK: &str = "bridge";
/// The demo site.
pub const SITE: &str = "demo";
/// The demo site's account.
pub const ACCOUNT: &str = "main";
/// Takes events in.
pub const RECEIVE_EVENT: &str = "receive-event";
/// Sends what an event calls for.
pub const SEND_MESSAGE: &str = "send-message";
/// Applies what WA Smart Business reports.
pub const TRACK_DELIVERY: &str = "track-delivery";
/// Runs every minute.
pub const FIRE_REMINDERS: &str = "fire-reminders";
/// Runs every hour, and every minute for what was asked for.
pub const SYNC_TEMPLATES: &str = "sync-templates";
/// All functions, in the order an event and then its reports meet them, then those of the clock.
pub const FUNCTIONS: [&str; 5] = [RECEIVE_EVENT, SEND_MESSAGE, TRACK_DELIVERY, FIRE_REMINDERS, SYNC_TEMPLATES];

/// How long a record stays hidden after it was handed out: 10 s instead of the minutes on AWS, so that a retry is soon
/// seen.
pub const VISIBILITY_SECONDS: u32 = 10;
/// Processes per function.
pub const WORKERS: usize = 2;
const MEMORY_MB: u32 = 256;

/// The function's time-out on AWS.
fn timeout(function: &str) -> Duration {
    Duration::from_secs(match function {
        RECEIVE_EVENT => 10,
        TRACK_DELIVERY => 30,
        FIRE_REMINDERS => 50,
        SYNC_TEMPLATES => 300,
        _ => 60,
    })
}

/// The routes of the HTTP API.
#[must_use]
pub fn routes() -> Vec<Route> {
    let get = |path| Route { method: Method::GET, path, function: RECEIVE_EVENT };
    let post = |path| Route { method: Method::POST, path, function: RECEIVE_EVENT };
    vec![
        post("/v1/events"),
        post("/v1/events/batch"),
        get("/v1/webhooks/whatsapp/{id}"),
        post("/v1/webhooks/whatsapp/{id}"),
    ]
}

/// Which queue feeds which function, and the most batches of it under way at once. Dead letters are for the function
/// that writes into the ledger what became of an event, one batch at a time, so that they keep no message waiting.
#[must_use]
pub fn feeds(queues: &Queues) -> [(&Queue, &'static str, usize); 4] {
    [
        (&queues.events, SEND_MESSAGE, WORKERS),
        (&queues.statuses, TRACK_DELIVERY, WORKERS),
        (&queues.events_dead, SEND_MESSAGE, 1),
        (&queues.statuses_dead, SEND_MESSAGE, 1),
    ]
}

/// A variable, its value, and the functions that read it; none listed means all.
type Variable = (&'static str, String, &'static [&'static str]);

fn variables(emulators: &Emulators, queues: &Queues) -> Vec<Variable> {
    let table = |name| store::tables::table_name(STACK, name);
    let ours: [Variable; 10] = [
        ("BRIDGE_CONFIG_TABLE", table("Config"), &FUNCTIONS),
        ("BRIDGE_LEDGER_TABLE", table("Ledger"), &[SEND_MESSAGE, TRACK_DELIVERY, FIRE_REMINDERS]),
        ("BRIDGE_CONTACTS_TABLE", table("Contacts"), &[SEND_MESSAGE, TRACK_DELIVERY, FIRE_REMINDERS]),
        ("BRIDGE_SCHEDULE_TABLE", table("Schedule"), &[SEND_MESSAGE, TRACK_DELIVERY, FIRE_REMINDERS]),
        ("BRIDGE_EVENTS_QUEUE_URL", queues.events.url.clone(), &[RECEIVE_EVENT, SEND_MESSAGE, FIRE_REMINDERS]),
        ("BRIDGE_STATUSES_QUEUE_URL", queues.statuses.url.clone(), &[RECEIVE_EVENT, TRACK_DELIVERY, FIRE_REMINDERS]),
        ("BRIDGE_EVENTS_DEAD_QUEUE_ARN", queues.events_dead.arn.clone(), &[SEND_MESSAGE]),
        ("BRIDGE_STATUSES_DEAD_QUEUE_ARN", queues.statuses_dead.arn.clone(), &[SEND_MESSAGE]),
        ("BRIDGE_STACK", STACK.to_owned(), &FUNCTIONS),
        // The simulator is http on a loopback address, which the bridge refuses anywhere else.
        ("BRIDGE_PROVIDER_NETWORK", "any".to_owned(), &[SEND_MESSAGE, SYNC_TEMPLATES]),
    ];
    let of_lambda: [Variable; 2] =
        [("AWS_LAMBDA_LOG_FORMAT", "Text".to_owned(), &[]), ("AWS_LAMBDA_LOG_LEVEL", "INFO".to_owned(), &[])];
    let of_sdk = emulators.environment().into_iter().map(|(name, value)| -> Variable { (name, value, &[]) });
    ours.into_iter().chain(of_sdk).chain(of_lambda).collect()
}

/// Every variable any function reads.
#[must_use]
pub fn environment(emulators: &Emulators, queues: &Queues) -> Vec<(String, String)> {
    variables(emulators, queues).into_iter().map(|(name, value, _)| (name.to_owned(), value)).collect()
}

/// The functions, each with its executable and just the variables it reads.
///
/// # Errors
/// When a function has no executable.
pub fn functions(
    executables: &HashMap<String, PathBuf>,
    emulators: &Emulators,
    queues: &Queues,
) -> Result<Vec<Function>> {
    let variables = variables(emulators, queues);
    let function = |name: &'static str| {
        let reads = |readers: &[&str]| readers.is_empty() || readers.contains(&name);
        let environment = variables.iter().filter(|(_, _, readers)| reads(readers));
        Ok(Function {
            name,
            executable: executables.get(name).with_context(|| format!("no executable for {name}"))?.clone(),
            timeout: timeout(name),
            memory_mb: MEMORY_MB,
            workers: WORKERS,
            environment: environment.map(|(variable, value, _)| ((*variable).to_owned(), value.clone())).collect(),
        })
    };
    FUNCTIONS.into_iter().map(function).collect()
}
