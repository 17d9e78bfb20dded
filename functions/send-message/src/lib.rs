//! Turns events into messages: plans, records, decides, renders, claims, calls, settles.
//!
//! [`handle`] processes a batch of records. The modules:
//!
//! - `record`: one queue record, as `sort` finds it
//! - `event`: an accepted event
//! - `message`: one message, as its `task`
//! - `context`: the data that a decision needs
//! - `skip`: messages that are not sent
//! - `send`: the claim and the call
//! - `consequences`: the consequences of an answer
//! - `wait`: messages that wait
//! - `files`: digests
//! - `pending`: pending states
//! - `pacer`: sending slots
//! - `reminders`: reminders of an activity
//! - `people`: last known contact data
//! - `carts`: what an event changes of carts
//! - `volume`: the volume valve
//!
//! Correctness depends on the order of the writes:
//!
//! 1. The event with its plan is in the ledger before any of its messages is claimed.
//! 2. A message is claimed before the provider is called, and only the owner of the claim settles it.
//! 3. A waiting message is in the queue or in the schedule before its record is deleted.

mod carts;
mod config;
mod consequences;
mod context;
mod event;
mod files;
mod message;
mod pacer;
mod pending;
mod people;
mod record;
mod reminders;
mod send;
mod skip;
mod sort;
mod task;
mod volume;
mod wait;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use domain::message::state::SEND_TIMEOUT;
use domain::primitives::cause::Cause;
use domain::primitives::id::SiteId;
use domain::site::config::LiveConfig;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::LambdaEvent;
use provider::{Provider, SetupError};
use queue::EventsQueue;
use runtime::Clock;
use runtime::batch::{self, Deadline};
use runtime::cache::{Cache, Loaded};
use runtime::secrets::Secrets;
use runtime::telemetry::{self, field};
use store::StoreError;
use store::config::ConfigTable;
use store::contacts::Contacts;
use store::ledger::{Claims, Ledger, Parking};
use store::schedule::{Lane, Schedule};
use tokio::sync::Semaphore;
use tracing::Instrument;

pub use config::Config;
use pacer::Pacer;
use runtime::failure::Failure;
use runtime::metrics::{Metric, Metrics};

/// Time with which a send may begin: a slow DynamoDB call (8 s), the provider's call (10 s) and the settling write (8 s).
/// The wait for a slot is over by then. It is checked before a record begins and again before each claim.
const SEND_MARGIN: SignedDuration = SignedDuration::from_secs(28);
/// Records processed concurrently: a whole batch.
const RECORDS_AT_ONCE: usize = 10;
/// Messages sent concurrently in one process, across all records.
const SENDS_AT_ONCE: usize = 10;
/// How long a site's configuration is cached. An operator's change takes effect within this time.
const CONFIG_KEPT_FOR: SignedDuration = SignedDuration::from_secs(15);
/// Maximum age of a fresh record. The data of an older record may have changed since.
const FRESH_FOR: SignedDuration = SignedDuration::from_mins(2);

/// The clients and the state that the handler borrows.
#[derive(Debug)]
pub struct App {
    ledger: Ledger,
    claims: Claims,
    parking: Parking,
    schedule: Schedule,
    queue: EventsQueue,
    metrics: Metrics,
    arns: sort::Arns,
    contacts: Contacts,
    config: ConfigTable,
    secrets: Secrets,
    provider: Provider,
    clock: Clock,
    sends: Semaphore,
    process: String,
    attempts: AtomicU64,
    sites: Cache<SiteId, Option<Arc<LiveConfig>>, StoreError>,
    /// When the next message may be sent whose slot was over on arrival, by lane.
    late: tokio::sync::Mutex<HashMap<Lane, Timestamp>>,
    /// The messages that the volume valve has not counted in the table yet.
    unwritten: volume::Unwritten,
}

impl App {
    /// Creates an app from the clients of the process.
    ///
    /// # Errors
    /// [`SetupError`] if the HTTP client cannot be built or the system has no randomness.
    pub fn new(
        dynamodb: aws_sdk_dynamodb::Client,
        sqs: aws_sdk_sqs::Client,
        secrets: aws_sdk_secretsmanager::Client,
        config: Config,
        clock: Clock,
    ) -> Result<Self, SetupError> {
        let ledger = Ledger::new(dynamodb.clone(), config.ledger_table);
        let schedule = Schedule::new(dynamodb.clone(), config.schedule_table);
        Ok(Self {
            parking: Parking::new(ledger.clone(), schedule.clone()),
            schedule,
            queue: EventsQueue::new(sqs, config.events_queue_url),
            metrics: config.metrics,
            arns: sort::Arns { dead_queue: config.dead_queue_arn, statuses_queue: config.statuses_queue_arn },
            claims: Claims::new(ledger.clone(), config.contacts_table.clone()),
            contacts: Contacts::new(dynamodb.clone(), config.contacts_table),
            ledger,
            config: ConfigTable::new(dynamodb, config.config_table),
            secrets: Secrets::new(secrets, config.stack),
            provider: Provider::new(config.network)?,
            clock,
            sends: Semaphore::new(SENDS_AT_ONCE),
            process: process_name()?,
            attempts: AtomicU64::new(0),
            sites: Cache::default(),
            late: tokio::sync::Mutex::default(),
            unwritten: volume::Unwritten::default(),
        })
    }

    /// Returns the configuration of a site, at most [`CONFIG_KEPT_FOR`] old.
    async fn live(&self, site: &SiteId) -> Result<Option<Arc<LiveConfig>>, StoreError> {
        let load = async {
            let live = self.config.live(site).await?.map(Arc::new);
            let keep_for = if live.is_some() { CONFIG_KEPT_FOR } else { SignedDuration::ZERO };
            Ok(Loaded { value: live, keep_for })
        };
        self.sites.get(site, self.clock.now(), load).await
    }

    /// Returns the configuration of a record's site. An unreadable configuration can be repaired, so no record is lost
    /// because of it.
    async fn live_site(&self, site: &SiteId) -> Result<Arc<LiveConfig>, Failure> {
        let live = self.live(site).await.map_err(Failure::again)?;
        live.ok_or_else(|| Failure::dead(format!("the site {site} does not exist")))
    }

    /// Drops the cached configuration of a site after a change.
    fn forget(&self, site: &SiteId) {
        self.sites.forget(site);
    }

    /// Returns a unique name for one attempt to send one message. The invocation's id is not enough, because Lambda
    /// reuses it for a retry.
    fn owner(&self, invocation: &str) -> String {
        format!("{invocation}/{}/{}", self.process, self.attempts.fetch_add(1, Ordering::Relaxed))
    }
}

/// Returns a random number for jitter. Without randomness it returns the maximum, and pauses have their full length.
fn jitter() -> u32 {
    getrandom::u32().unwrap_or(u32::MAX)
}

/// Returns a name that no other process has.
fn process_name() -> Result<String, SetupError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| SetupError::Client(Cause::new(error)))?;
    Ok(hex::encode(bytes))
}

/// Handles a batch of records of the events queue or of the dead-letter queue.
pub async fn handle(app: &App, event: LambdaEvent<SqsEvent>) -> SqsBatchResponse {
    let context = telemetry::context(&[(field::REQUEST, &event.context.request_id)]);
    handle_batch(app, event).instrument(context).await
}

async fn handle_batch(app: &App, event: LambdaEvent<SqsEvent>) -> SqsBatchResponse {
    let invocation = event.context.request_id;
    let deadline = Deadline::of(event.context.deadline, SEND_TIMEOUT, SEND_MARGIN, app.clock.clone());
    let pacer = Pacer::new(app, event.payload.records.len());
    let volume = volume::Volume::default();
    let invocation = task::Invocation { id: &invocation, deadline: &deadline, pacer: &pacer, volume: &volume };
    let handle = |record| record::handle(app, record, invocation);
    app.metrics.count(Metric::BatchRecords, event.payload.records.len());
    let response = batch::each(event.payload.records, RECORDS_AT_ONCE, &deadline, handle).await;
    pacer.settle().await;
    volume.settle(app).await;
    app.metrics.measure(Metric::TimeLeft, deadline.left_ms());
    app.metrics.flush(app.clock.now());
    response
}
