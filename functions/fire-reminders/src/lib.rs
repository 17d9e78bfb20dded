//! Every minute: raises the reminders that are due, puts messages that are due into the queue, releases what is parked as
//! fast as its account may send, turns messages that stayed in `sending` into `unknown`, and joins reports that came
//! before their message was known.
//!
//! A message stays in `sending` when its owner died between the call and the settling write. Nobody may take it over,
//! so after the owner's time-out and some minutes the sweep says what is known of it: nothing.
//!
//! Firing is: into the queue first, out of the schedule then. A crash in between repeats the record, which the claim
//! absorbs. What a sweep has no time for, the next one finds. What fails stays, is tried by the next sweep, and keeps
//! nothing else waiting.

mod config;
mod fire;
mod lane;
mod orphans;
mod reminder;

use domain::event::EventError;
use domain::message::state::STALE_AFTER;
use domain::primitives::id::{EventId, SiteId};
use domain::primitives::key::ContactSecret;
use futures_util::{StreamExt, stream};
use jiff::SignedDuration;
use queue::{EventsQueue, StatusesQueue};
use runtime::Clock;
use runtime::batch::Deadline;
use runtime::metrics::{Metrics, Unit};
use runtime::secrets::Secrets;
use secrecy::ExposeSecret;
use serde::Serialize;
use store::StoreError;
use store::config::ConfigTable;
use store::contacts::Contacts;
use store::ledger::{self, Ledger};
use store::schedule::{self, Schedule};
use store::webhooks::Webhooks;

pub use config::Config;

/// This function's own time-out, as in the stack's template.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(50);
/// What one step may take: a page of a shard, a lane.
const STEP_MARGIN: SignedDuration = SignedDuration::from_secs(10);
/// Shards swept at once: while one waits for a table another goes on, and no lane is long in the way.
const SHARDS_AT_ONCE: usize = 4;
/// What the handler borrows.
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
    /// How long after its moment the sweep came to the latest of the items that were due, fired or not, in seconds.
    pub late_s: i64,
}

/// A sweep of which a part failed: everything else was tried, and what was done stays done.
#[derive(Debug, thiserror::Error)]
#[error("{cause}")]
pub struct Failed {
    /// What the sweep came to all the same.
    pub swept: Swept,
    /// The first thing that failed.
    #[source]
    pub cause: SweepError,
}

/// Why a part of a sweep failed.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// A table did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// SQS did not take a record: its item stays in the schedule.
    #[error(transparent)]
    Queue(#[from] queue::NotQueued),
    /// An event that the ledger has cannot be read by this version: its reminder stays in the schedule.
    #[error("the event {event} of {site} cannot be read: {error}")]
    Unreadable {
        /// The site.
        site: SiteId,
        /// The event.
        event: EventId,
        /// What is wrong with it.
        error: EventError,
    },
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
            webhooks: Webhooks::new(dynamodb.clone(), config.config_table.clone()),
            config: ConfigTable::new(dynamodb, config.config_table),
            events: EventsQueue::new(sqs.clone(), config.events_queue_url),
            statuses: StatusesQueue::new(sqs, config.statuses_queue_url),
            metrics: config.metrics,
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
/// [`Failed`]: something could not be done, and is tried again by the next sweep.
pub async fn handle(app: &App, deadline_ms: u64) -> Result<Swept, Failed> {
    let deadline = Deadline::of(deadline_ms, TIMEOUT, STEP_MARGIN, app.clock.clone());
    let mut tally = Tally::default();
    // First: they are few, and must not wait until everything is fired after an outage.
    for shard in ledger::SHARDS {
        give_up_stale(app, shard, &deadline, &mut tally).await;
    }
    // Another shard is the first each minute, so that none is always the last.
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
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    // Also when nothing was due: a sweep that is missing shows.
    let values = [
        ("Lateness", Unit::Seconds, late_s),
        ("Fired", Unit::Count, count(fired)),
        ("Released", Unit::Count, count(released)),
        ("BecameUnknown", Unit::Count, count(unknown)),
    ];
    app.metrics.write(&values, app.clock.now());
    let swept = tally.swept;
    tally.failed.map_or(Ok(swept), |cause| Err(Failed { swept, cause }))
}

/// What came of a part of a sweep, and the first thing in it that failed.
#[derive(Debug, Default)]
struct Tally {
    swept: Swept,
    failed: Option<SweepError>,
}

impl Tally {
    /// What failed must not keep anything else waiting: it is noted, and tried again by the next sweep.
    fn keep(&mut self, result: Result<(), impl Into<SweepError>>) {
        if let Err(error) = result {
            let error = error.into();
            tracing::warn!(%error, "a part of the sweep failed; the next one tries again");
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
                tracing::error!(message.id = %message, "nobody knows whether a message was sent");
                tally.swept.unknown += 1;
            }
            Ok(false) => {}
            Err(error) => tally.keep(Err(error)),
        }
    }
}
