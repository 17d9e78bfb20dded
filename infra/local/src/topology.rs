//! The stack as described by `template.yaml`: names, numbers, routes, and the variables of each function.

use std::{collections::HashMap, path::PathBuf, time::Duration};

use anyhow::{Context, Result};
use axum::http::Method;

use crate::{
    emulators::Emulators,
    gateway::Route,
    queues::{Queue, Queues},
    workers::Function,
};

/// The stack's name. The names of its secrets begin with it.
pub const STACK: &str = "bridge";
/// The demo site.
pub const SITE: &str = "demo";
/// The demo site's account.
pub const ACCOUNT: &str = "main";
/// The function that receives events.
pub const RECEIVE_EVENT: &str = "receive-event";
/// The function that sends the messages for an event.
pub const SEND_MESSAGE: &str = "send-message";
/// The function that applies the platform events of WA Smart Business.
pub const TRACK_DELIVERY: &str = "track-delivery";
/// The function that runs every minute.
pub const FIRE_REMINDERS: &str = "fire-reminders";
/// The function that runs every hour, and every minute for requested syncs.
pub const SYNC_TEMPLATES: &str = "sync-templates";
/// All functions: first in the order in which events and platform events reach them, then the scheduled ones.
pub const FUNCTIONS: [&str; 5] = [RECEIVE_EVENT, SEND_MESSAGE, TRACK_DELIVERY, FIRE_REMINDERS, SYNC_TEMPLATES];

/// The visibility timeout of a received record: 10 s instead of the minutes on AWS, so that retries happen soon.
pub const VISIBILITY_SECONDS: u32 = 10;
/// The number of processes per function.
pub const WORKERS: usize = 2;
const MEMORY_MB: u32 = 256;

/// Returns the function's timeout on AWS.
fn timeout(function: &str) -> Duration {
    Duration::from_secs(match function {
        RECEIVE_EVENT => 10,
        TRACK_DELIVERY => 30,
        FIRE_REMINDERS => 50,
        SYNC_TEMPLATES => 300,
        _ => 60,
    })
}

/// Returns the routes of the HTTP API.
#[must_use]
pub fn routes() -> Vec<Route> {
    let get = |path| Route { method: Method::GET, path, function: RECEIVE_EVENT };
    let post = |path| Route { method: Method::POST, path, function: RECEIVE_EVENT };
    vec![
        post("/v1/events"),
        post("/v1/events/batch"),
        post("/v1/events/validate"),
        get("/v1/webhooks/whatsapp/{id}"),
        post("/v1/webhooks/whatsapp/{id}"),
    ]
}

/// Returns each queue with its function and the maximum number of batches in flight. Dead letters go to the function
/// that records their outcome in the ledger. They are processed one batch at a time so that they delay no message.
#[must_use]
pub fn feeds(queues: &Queues) -> [(&Queue, &'static str, usize); 3] {
    [
        (&queues.events, SEND_MESSAGE, WORKERS),
        (&queues.statuses, TRACK_DELIVERY, WORKERS),
        (&queues.dead, SEND_MESSAGE, 1),
    ]
}

/// A variable, its value, and the functions that read it. An empty list means all functions.
type Variable = (&'static str, String, &'static [&'static str]);

fn variables(emulators: &Emulators, queues: &Queues) -> Vec<Variable> {
    let table = |name| store::tables::table_name(STACK, name);
    let ours: [Variable; 11] = [
        ("BRIDGE_CONFIG_TABLE", table("Config"), &FUNCTIONS),
        ("BRIDGE_LEDGER_TABLE", table("Ledger"), &[SEND_MESSAGE, TRACK_DELIVERY, FIRE_REMINDERS]),
        ("BRIDGE_CONTACTS_TABLE", table("Contacts"), &[SEND_MESSAGE, TRACK_DELIVERY, FIRE_REMINDERS]),
        ("BRIDGE_SCHEDULE_TABLE", table("Schedule"), &[SEND_MESSAGE, TRACK_DELIVERY, FIRE_REMINDERS]),
        ("BRIDGE_EVENTS_QUEUE_URL", queues.events.url.clone(), &[RECEIVE_EVENT, SEND_MESSAGE, FIRE_REMINDERS]),
        ("BRIDGE_STATUSES_QUEUE_URL", queues.statuses.url.clone(), &[RECEIVE_EVENT, TRACK_DELIVERY, FIRE_REMINDERS]),
        ("BRIDGE_DEAD_QUEUE_ARN", queues.dead.arn.clone(), &[SEND_MESSAGE]),
        ("BRIDGE_STATUSES_QUEUE_ARN", queues.statuses.arn.clone(), &[SEND_MESSAGE]),
        ("BRIDGE_STACK", STACK.to_owned(), &FUNCTIONS),
        // The default of the template.
        ("BRIDGE_EVENTS_PER_MINUTE", "6000".to_owned(), &[RECEIVE_EVENT]),
        // The simulator uses HTTP on a loopback address. The bridge refuses such an address in any other setting.
        ("BRIDGE_PROVIDER_NETWORK", "any".to_owned(), &[SEND_MESSAGE, SYNC_TEMPLATES]),
    ];
    let of_lambda: [Variable; 2] =
        [("AWS_LAMBDA_LOG_FORMAT", "Text".to_owned(), &[]), ("AWS_LAMBDA_LOG_LEVEL", "INFO".to_owned(), &[])];
    let of_sdk = emulators.environment().into_iter().map(|(name, value)| -> Variable { (name, value, &[]) });
    ours.into_iter().chain(of_sdk).chain(of_lambda).collect()
}

/// Returns every variable that any function reads.
#[must_use]
pub fn environment(emulators: &Emulators, queues: &Queues) -> Vec<(String, String)> {
    variables(emulators, queues).into_iter().map(|(name, value, _)| (name.to_owned(), value)).collect()
}

/// Returns the functions, each with its executable and only the variables it reads.
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
