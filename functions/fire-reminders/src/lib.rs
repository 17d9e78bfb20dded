//! Every minute: looks for due items, and turns messages that stayed in `sending` into `unknown`.
//!
//! A message stays in `sending` when its owner died between the call and the settling write. Nobody may take it over,
//! so after the owner's time-out and some minutes the sweep says what is known of it: nothing.

mod config;

use domain::message::STALE_AFTER;
use jiff::SignedDuration;
use runtime::Clock;
use runtime::batch::Deadline;
use serde::Serialize;
use store::StoreError;
use store::ledger::{self, Ledger};
use store::schedule::{self, Schedule};

pub use config::Config;

/// This function's own time-out, as in the stack's template.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(50);
/// What one shard may take: a query and some updates.
const SHARD_MARGIN: SignedDuration = SignedDuration::from_secs(10);

/// What the handler borrows.
#[derive(Debug)]
pub struct App {
    ledger: Ledger,
    schedule: Schedule,
    clock: Clock,
}

/// What a sweep came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Items whose moment has come.
    pub due: usize,
    /// Messages that became `unknown`.
    pub unknown: usize,
}

impl App {
    /// An app with this client, of which a process has one.
    #[must_use]
    pub fn new(dynamodb: aws_sdk_dynamodb::Client, config: Config, clock: Clock) -> Self {
        let ledger = Ledger::new(dynamodb.clone(), config.ledger_table);
        Self { ledger, schedule: Schedule::new(dynamodb, config.schedule_table), clock }
    }
}

/// Sweeps once. `deadline_ms` is the invocation's deadline in milliseconds since 1970; what it leaves no time for is
/// swept the next minute.
///
/// # Errors
/// [`StoreError`] of the first table that did not answer; what was done until then stays done.
pub async fn handle(app: &App, deadline_ms: u64) -> Result<Swept, StoreError> {
    let deadline = Deadline::of(deadline_ms, TIMEOUT, SHARD_MARGIN, app.clock.clone());
    let mut swept = Swept::default();
    for shard in ledger::SHARDS {
        if deadline.has_time() {
            swept.unknown += give_up_stale(app, shard).await?;
        }
    }
    for shard in 0..schedule::SHARDS {
        if deadline.has_time() {
            swept.due += app.schedule.count_due(shard, app.clock.now()).await?;
        }
    }
    tracing::info!(due = swept.due, unknown = swept.unknown, "swept");
    Ok(swept)
}

async fn give_up_stale(app: &App, shard: &str) -> Result<usize, StoreError> {
    let now = app.clock.now();
    let mut given_up = 0;
    for open in app.ledger.open_since(shard, now - STALE_AFTER).await? {
        if app.ledger.give_up(&open, "its sender stopped before it recorded an answer", now).await? {
            tracing::error!(message.id = %open, "nobody knows whether a message was sent");
            given_up += 1;
        }
    }
    Ok(given_up)
}
