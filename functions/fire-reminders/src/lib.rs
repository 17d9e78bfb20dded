//! Every minute: raises the reminders that are due, puts messages that are due into the queue, releases what is parked as fast as its account may send, turns
//! messages that stayed in `sending` into `unknown`, and joins reports that came before their message was known.
//!
//! A message stays in `sending` when its owner died between the call and the settling write. Nobody may take it over,
//! so after the owner's time-out and some minutes the sweep says what is known of it: nothing.
//!
//! Firing is: into the queue first, out of the schedule then. A crash in between repeats the record, which the claim
//! absorbs. What a sweep has no time for, the next one finds.

mod config;
mod fire;
mod lane;
mod reminder;

use domain::key::ContactSecret;
use domain::message::STALE_AFTER;
use jiff::SignedDuration;
use queue::{EventsQueue, StatusesQueue};
use runtime::Clock;
use runtime::batch::Deadline;
use runtime::secrets::Secrets;
use secrecy::ExposeSecret;
use serde::Serialize;
use store::StoreError;
use store::config::ConfigTable;
use store::contacts::Contacts;
use store::ledger::{self, Ledger};
use store::schedule::{self, Schedule};

pub use config::Config;

/// This function's own time-out, as in the stack's template.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(50);
/// What one shard's step may take: a query and some updates.
const STEP_MARGIN: SignedDuration = SignedDuration::from_secs(10);
/// Reports joined in one sweep at most.
const ORPHANS_AT_ONCE: i32 = 200;

/// What the handler borrows.
#[derive(Debug)]
pub struct App {
    ledger: Ledger,
    schedule: Schedule,
    config: ConfigTable,
    contacts: Contacts,
    secrets: Secrets,
    events: EventsQueue,
    statuses: StatusesQueue,
    clock: Clock,
}

/// What a sweep came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Items whose moment had come and that were fired.
    pub fired: usize,
    /// Messages released from their account's lane.
    pub released: usize,
    /// Messages that became `unknown`.
    pub unknown: usize,
    /// Reports whose message was found.
    pub joined: usize,
    /// How late the latest of the items fired was, in seconds.
    pub late_s: i64,
}

/// Why a sweep ended early.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// A table did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// SQS did not take a record: its item stays in the schedule.
    #[error(transparent)]
    Queue(#[from] queue::NotQueued),
    /// The secret that pseudonyms are made with could not be read.
    #[error("the stack's keys: {0}")]
    Keys(String),
}

impl App {
    /// An app with these clients, of which a process has one each.
    #[must_use]
    pub fn new(
        dynamodb: aws_sdk_dynamodb::Client,
        sqs: aws_sdk_sqs::Client,
        secrets: aws_sdk_secretsmanager::Client,
        config: Config,
        clock: Clock,
    ) -> Self {
        Self {
            contacts: Contacts::new(dynamodb.clone(), config.contacts_table),
            secrets: Secrets::new(secrets, config.stack),
            ledger: Ledger::new(dynamodb.clone(), config.ledger_table),
            schedule: Schedule::new(dynamodb.clone(), config.schedule_table),
            config: ConfigTable::new(dynamodb, config.config_table),
            events: EventsQueue::new(sqs.clone(), config.events_queue_url),
            statuses: StatusesQueue::new(sqs, config.statuses_queue_url),
            clock,
        }
    }
}

impl App {
    /// The secret that pseudonyms are made with.
    async fn contact_secret(&self) -> Result<ContactSecret, SweepError> {
        let secret = self.secrets.text("keys", "/hmac", self.clock.now()).await;
        let secret = secret.map_err(|error| SweepError::Keys(error.to_string()))?;
        ContactSecret::parse(secret.expose_secret()).map_err(|error| SweepError::Keys(error.to_string()))
    }
}

/// Sweeps once. `deadline_ms` is the invocation's deadline in milliseconds since 1970; what it leaves no time for is
/// swept the next minute.
///
/// # Errors
/// [`SweepError`]: the first thing that did not answer; what was done until then stays done. Each shard is tried.
pub async fn handle(app: &App, deadline_ms: u64) -> Result<Swept, SweepError> {
    let deadline = Deadline::of(deadline_ms, TIMEOUT, STEP_MARGIN, app.clock.clone());
    let mut swept = Swept::default();
    let mut failed = None;
    // Another shard is the first each minute, so that none is always the last.
    let first = u8::try_from(app.clock.now().as_second() / 60 % i64::from(schedule::SHARDS)).unwrap_or_default();
    for shard in (0..schedule::SHARDS).map(|place| (first + place) % schedule::SHARDS) {
        if deadline.has_time() {
            keep_first(&mut failed, fire::fire_due(app, shard, &deadline, &mut swept).await);
        }
    }
    for shard in ledger::SHARDS {
        if deadline.has_time() {
            keep_first(&mut failed, give_up_stale(app, shard, &mut swept).await);
        }
    }
    if deadline.has_time() {
        keep_first(&mut failed, join_orphans(app, &mut swept).await);
    }
    let Swept { fired, released, unknown, joined, late_s } = swept;
    tracing::info!(fired, released, unknown, joined, late_s, "swept");
    failed.map_or(Ok(swept), Err)
}

/// One shard that fails must not keep the others waiting.
fn keep_first(failed: &mut Option<SweepError>, result: Result<(), SweepError>) {
    if let Err(error) = result {
        tracing::warn!(%error, "a part of the sweep failed; the next one tries again");
        failed.get_or_insert(error);
    }
}

async fn give_up_stale(app: &App, shard: &str, swept: &mut Swept) -> Result<(), SweepError> {
    let now = app.clock.now();
    for open in app.ledger.open_since(shard, now - STALE_AFTER).await? {
        if app.ledger.give_up(&open, "its sender stopped before it recorded an answer", now).await? {
            tracing::error!(message.id = %open, "nobody knows whether a message was sent");
            swept.unknown += 1;
        }
    }
    Ok(())
}

/// Reports that came before their message's answer was recorded go back to their queue once the message is known.
async fn join_orphans(app: &App, swept: &mut Swept) -> Result<(), SweepError> {
    let now = app.clock.now();
    for orphan in app.ledger.orphans(now, ORPHANS_AT_ONCE).await? {
        if app.ledger.message_of_provider(&orphan.site, &orphan.provider_id).await?.is_none() {
            app.ledger.postpone_orphan(&orphan, now).await?;
            continue;
        }
        app.statuses.send_body(&orphan.notice).await?;
        app.ledger.drop_orphan(&orphan).await?;
        swept.joined += 1;
    }
    Ok(())
}
