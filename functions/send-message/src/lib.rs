//! Turns events into messages: plans, records, decides, renders, claims, calls, settles.
//!
//! [`handle`] lifts one record to a batch; the module `record` does what one record calls for, `message` what one message
//! does, `send` the call with its claim, `consequences` what follows from its answer, `wait` what happens to a message that does not go now, `pacer` the sending slots, `reminders` what
//! an event changes of an activity's reminders.
//! The order of the writes is what keeps the promises: the event with its plan is in the ledger before anything is
//! claimed, a message is claimed before the provider is called, only the owner of the claim settles it, and what waits is
//! in the queue or in the schedule before its record is given up.

mod config;
mod consequences;
mod files;
mod message;
mod pacer;
mod pending;
mod people;
mod record;
mod reminders;
mod send;
mod volume;
mod wait;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use domain::message::state::SEND_TIMEOUT;
use domain::primitives::id::SiteId;
use domain::primitives::key::{ContactSecret, to_hex};
use domain::site::config::LiveConfig;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::LambdaEvent;
use provider::{Provider, SetupError};
use queue::EventsQueue;
use runtime::Clock;
use runtime::batch::{self, Deadline};
use runtime::secrets::Secrets;
use secrecy::ExposeSecret;
use store::StoreError;
use store::config::ConfigTable;
use store::contacts::Contacts;
use store::ledger::{Claims, Ledger, Parking};
use store::schedule::{Lane, Schedule};
use tokio::sync::Semaphore;

pub use config::Config;
use pacer::Pacer;
use record::Failure;

/// What one send may take at most from its claim on: a call to DynamoDB (8 s), the provider's (10 s), and the settling
/// write (8 s); the wait for a slot before it is over by then. Asked before a record is begun, and again before each claim.
const SEND_MARGIN: SignedDuration = SignedDuration::from_secs(28);
/// Records handled at once: a whole batch.
const RECORDS_AT_ONCE: usize = 10;
/// Messages being sent at once in one process, whatever records they belong to.
const SENDS_AT_ONCE: usize = 10;
/// How long a site's configuration is kept: what an operator changes bites within this.
const CONFIG_KEPT_FOR: SignedDuration = SignedDuration::from_secs(15);

/// What the handler borrows.
#[derive(Debug)]
pub struct App {
    ledger: Ledger,
    claims: Claims,
    parking: Parking,
    schedule: Schedule,
    queue: EventsQueue,
    dead_queues: record::DeadQueues,
    contacts: Contacts,
    config: ConfigTable,
    secrets: Secrets,
    provider: Provider,
    clock: Clock,
    sends: Semaphore,
    process: String,
    attempts: AtomicU64,
    kept: Mutex<HashMap<SiteId, (Timestamp, Arc<LiveConfig>)>>,
    /// When the next message may go whose slot was over when it came.
    late: tokio::sync::Mutex<HashMap<Lane, Timestamp>>,
}

impl App {
    /// An app with these clients, of which a process has one each.
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
            dead_queues: record::DeadQueues {
                events: config.events_dead_queue_arn,
                statuses: config.statuses_dead_queue_arn,
            },
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
            kept: Mutex::default(),
            late: tokio::sync::Mutex::default(),
        })
    }

    /// The configuration of a site, at most [`CONFIG_KEPT_FOR`] old.
    async fn live(&self, site: &SiteId) -> Result<Option<Arc<LiveConfig>>, StoreError> {
        let now = self.clock.now();
        let kept = self.kept.lock().ok().and_then(|kept| kept.get(site).cloned());
        if let Some((since, live)) = kept
            && now.duration_since(since) < CONFIG_KEPT_FOR
        {
            return Ok(Some(live));
        }
        let Some(live) = self.config.live(site).await?.map(Arc::new) else { return Ok(None) };
        if let Ok(mut kept) = self.kept.lock() {
            kept.insert(site.clone(), (now, Arc::clone(&live)));
        }
        Ok(Some(live))
    }

    /// Forgets a site's configuration that was just changed.
    fn forget(&self, site: &SiteId) {
        if let Ok(mut kept) = self.kept.lock() {
            kept.remove(site);
        }
    }

    /// The secret that pseudonyms are made with.
    async fn contact_secret(&self) -> Result<ContactSecret, Failure> {
        let secret = self.secrets.text("keys", "/hmac", self.clock.now()).await;
        let secret = secret.map_err(|error| Failure::Again(error.to_string()))?;
        ContactSecret::parse(secret.expose_secret()).map_err(|error| Failure::Again(error.to_string()))
    }

    /// A name for one attempt to send one message, never used twice: the invocation's id alone would not do, since
    /// Lambda repeats it when it retries.
    fn owner(&self, invocation: &str) -> String {
        format!("{invocation}/{}/{}", self.process, self.attempts.fetch_add(1, Ordering::Relaxed))
    }
}

/// A number drawn at random, for pauses. Without randomness the pauses are whole, which is no harm.
fn jitter() -> u32 {
    getrandom::u32().unwrap_or(u32::MAX)
}

/// A name no other process has.
fn process_name() -> Result<String, SetupError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| SetupError::Client(error.to_string()))?;
    Ok(to_hex(&bytes))
}

/// Handles a batch of records of the events queue, or of a dead-letter queue.
pub async fn handle(app: &App, event: LambdaEvent<SqsEvent>) -> SqsBatchResponse {
    let invocation = event.context.request_id;
    let deadline = Deadline::of(event.context.deadline, SEND_TIMEOUT, SEND_MARGIN, app.clock.clone());
    let pacer = Pacer::new(app, event.payload.records.len());
    let volume = volume::Volume::default();
    let invocation = record::Invocation { id: &invocation, deadline: &deadline, pacer: &pacer, volume: &volume };
    let handle = |record| record::handle(app, record, invocation);
    let response = batch::each(event.payload.records, RECORDS_AT_ONCE, &deadline, handle).await;
    pacer.settle().await;
    volume.settle(app).await;
    response
}
