//! The sweep, which runs each minute. It does the following:
//!
//! - raises the reminders that are due
//! - enqueues the messages that are due
//! - releases parked messages as fast as their account may send
//! - sets messages that remained in `sending` to `unknown`
//! - joins status reports that arrived before their message was known
//!
//! A message remains in `sending` when its owner died between the call and the settling write. No other execution may
//! take it over. The sweep therefore sets it to `unknown` some minutes after the owner's timeout.
//!
//! An item is enqueued first and removed from the schedule afterwards. A crash in between repeats the record, which
//! the claim deduplicates. Work without time left, and work that failed, remains for the next sweep and blocks nothing
//! else.

mod config;
mod enqueue;
mod fire;
mod lane;
mod orphans;
mod reminder;

use domain::event::EventError;
use domain::message::state::STALE_AFTER;
use domain::primitives::cause::chain;
use domain::primitives::id::{EventId, SiteId};
use futures_util::{StreamExt, stream};
use jiff::SignedDuration;
use queue::{EventsQueue, StatusesQueue};
use runtime::Clock;
use runtime::batch::Deadline;
use runtime::metrics::{Metric, Metrics};
use runtime::secrets::{SecretError, Secrets};
use serde::Serialize;
use store::StoreError;
use store::config::ConfigTable;
use store::contacts::Contacts;
use store::ledger::{self, Ledger};
use store::schedule::{self, Schedule};
use store::sweeps::Sweep;
use store::webhooks::Webhooks;

pub use config::Config;

/// The function's timeout, as in the stack's template.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(50);
/// Time reserved for one step: a page of a shard, or a lane.
const STEP_MARGIN: SignedDuration = SignedDuration::from_secs(10);
/// Shards swept concurrently, so that a slow table call or a long lane does not block the other shards.
const SHARDS_AT_ONCE: usize = 4;
/// The clients and the state that the handler borrows.
#[derive(Debug)]
pub struct App {
    ledger: Ledger,
    schedule: Schedule,
    config: ConfigTable,
    webhooks: Webhooks,
    contacts: Contacts,
    secrets: Secrets,
    events: EventsQueue,
    statuses: StatusesQueue,
    metrics: Metrics,
    clock: Clock,
}

/// The result of a sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Due items that were enqueued, and invalid reminders that were removed.
    pub fired: usize,
    /// Messages released from their account's lane.
    pub released: usize,
    /// Messages set to `unknown`.
    pub unknown: usize,
    /// Status reports whose message was found.
    pub joined: usize,
    /// Greatest delay, in seconds, between the due time of an item and the sweep, whether the item was fired or not.
    pub late_s: i64,
}

/// Error of a sweep that failed in part. Everything else was tried, and completed work remains.
#[derive(Debug, thiserror::Error)]
#[error("a part of the sweep failed")]
pub struct Failed {
    /// The result of everything that succeeded.
    pub swept: Swept,
    /// The first failure.
    #[source]
    pub cause: SweepError,
}

/// Why a part of a sweep failed.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// A table did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// SQS did not accept a record. Its item remains in the schedule.
    #[error(transparent)]
    Queue(#[from] queue::NotQueued),
    /// This version cannot parse an event in the ledger. Its reminder remains in the schedule.
    #[error("the event {event} of {site} cannot be read")]
    Unreadable {
        /// The site.
        site: SiteId,
        /// The event.
        event: EventId,
        /// The parse error.
        #[source]
        error: EventError,
    },
    /// The secret for pseudonyms could not be read.
    #[error(transparent)]
    Keys(#[from] SecretError),
}

impl App {
    /// Creates an app from the clients of the process.
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
            webhooks: Webhooks::new(dynamodb.clone(), config.config_table.clone()),
            config: ConfigTable::new(dynamodb, config.config_table),
            events: EventsQueue::new(sqs.clone(), config.events_queue_url),
            statuses: StatusesQueue::new(sqs, config.statuses_queue_url),
            metrics: config.metrics,
            clock,
        }
    }
}

/// Sweeps once. `deadline_ms` is the invocation's deadline in milliseconds since 1970. Work without time left is done
/// by the next sweep.
///
/// # Errors
/// [`Failed`]: a part failed, and the next sweep retries it.
pub async fn handle(app: &App, deadline_ms: u64) -> Result<Swept, Failed> {
    let deadline = Deadline::of(deadline_ms, TIMEOUT, STEP_MARGIN, app.clock.clone());
    let mut tally = Tally::default();
    // Stale messages come first: they are few, and must not wait for a large backlog after an outage.
    for shard in ledger::SHARDS {
        give_up_stale(app, shard, &deadline, &mut tally).await;
    }
    // Each minute begins with another shard, so that no shard is always last.
    let first = u8::try_from(app.clock.now().as_second() / 60 % i64::from(schedule::SHARDS)).unwrap_or_default();
    let shards = (0..schedule::SHARDS).map(|place| (first + place) % schedule::SHARDS);
    let mut firing =
        stream::iter(shards).map(|shard| fire::fire_due(app, shard, &deadline)).buffer_unordered(SHARDS_AT_ONCE);
    while let Some(shard) = firing.next().await {
        tally.add(shard);
    }
    orphans::join_all(app, &deadline, &mut tally).await;
    let Swept { fired, released, unknown, joined, late_s } = tally.swept;
    tracing::info!(fired, released, unknown, joined, late_s, "swept");
    // The metrics are also written when nothing was due, so that a missing sweep is noticed.
    app.metrics.measure(Metric::Lateness, late_s);
    app.metrics.count(Metric::Fired, fired);
    app.metrics.count(Metric::Released, released);
    app.metrics.count(Metric::MessagesUnknown, unknown);
    app.metrics.measure(Metric::TimeLeft, deadline.left_ms());
    app.metrics.flush(app.clock.now());
    let failed = tally.failed.is_some();
    tally.keep(app.schedule.note_sweep(Sweep { at: app.clock.now(), late_s, failed }).await);
    let swept = tally.swept;
    tally.failed.map_or(Ok(swept), |cause| Err(Failed { swept, cause }))
}

/// The result of a part of a sweep, and its first failure.
#[derive(Debug, Default)]
struct Tally {
    swept: Swept,
    failed: Option<SweepError>,
}

impl Tally {
    /// Records a failure, which the next sweep retries. A failure must not block anything else.
    fn keep(&mut self, result: Result<(), impl Into<SweepError>>) {
        if let Err(error) = result {
            let error = error.into();
            tracing::warn!(error = chain(&error), "a part of the sweep failed; the next one tries again");
            self.failed.get_or_insert(error);
        }
    }

    fn add(&mut self, other: Self) {
        let Swept { fired, released, unknown, joined, late_s } = other.swept;
        self.swept.fired += fired;
        self.swept.released += released;
        self.swept.unknown += unknown;
        self.swept.joined += joined;
        self.swept.late_s = self.swept.late_s.max(late_s);
        self.failed = self.failed.take().or(other.failed);
    }
}

async fn give_up_stale(app: &App, shard: &str, deadline: &Deadline, tally: &mut Tally) {
    if !deadline.has_time() {
        return;
    }
    let now = app.clock.now();
    let open = match app.ledger.open_since(shard, now - STALE_AFTER).await {
        Ok(open) => open,
        Err(error) => return tally.keep(Err(error)),
    };
    for message in open.iter().take_while(|_| deadline.has_time()) {
        match app.ledger.give_up(message, "its sender stopped before it recorded an answer", now).await {
            Ok(true) => {
                tracing::error!(message.id = %message, "it is unknown whether a message was sent");
                tally.swept.unknown += 1;
            }
            Ok(false) => {}
            Err(error) => tally.keep(Err(error)),
        }
    }
}
