//! Applies the platform events of WA Smart Business, one per record.
//!
//! [`handle`] processes a batch of records. The modules:
//!
//! - `record`: parses a record, applies it, and records dead letters
//! - `status`: statuses of messages
//! - `choice`: opt-outs and opt-ins of people
//! - `identity`: the numbers behind WhatsApp ids
//! - `template` and `account`: the state of templates and accounts
//!
//! Platform events arrive in any order, repeatedly and concurrently. Each write records a fact with its time, so no
//! write depends on an earlier one.

mod account;
mod choice;
mod config;
mod identity;
mod record;
mod status;
mod template;

use std::collections::{BTreeSet, HashSet};
use std::sync::Mutex;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use domain::primitives::id::SiteId;
use jiff::SignedDuration;
use lambda_runtime::LambdaEvent;
use queue::StatusesQueue;
use runtime::Clock;
use runtime::batch::{self, Deadline};
use runtime::cache::{Cache, Loaded};
use runtime::failure::Failure;
use runtime::metrics::{Metric, Metrics};
use runtime::secrets::Secrets;
use runtime::telemetry::{self, field};
use store::StoreError;
use store::config::ConfigTable;
use store::contacts::Contacts;
use store::ledger::Ledger;
use store::schedule::Schedule;
use store::webhooks::Webhooks;
use tracing::Instrument;

pub use config::Config;

/// The function's timeout, used if the invocation states none. The stack's template sets the same value.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(30);
/// Longest duration of a record. Its calls end with the first that fails, after at most 8 s. The call that then puts
/// the record back takes at most 8 s more.
const RECORD_MARGIN: SignedDuration = SignedDuration::from_secs(20);
/// Records processed concurrently: a whole batch.
const RECORDS_AT_ONCE: usize = 10;

/// The clients and the state that the handler borrows.
#[derive(Debug)]
pub struct App {
    ledger: Ledger,
    contacts: Contacts,
    schedule: Schedule,
    config: ConfigTable,
    webhooks: Webhooks,
    statuses: StatusesQueue,
    metrics: Metrics,
    secrets: Secrets,
    clock: Clock,
    aliases: Mutex<HashSet<String>>,
    later: Cache<(SiteId, String), bool, StoreError>,
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
            ledger: Ledger::new(dynamodb.clone(), config.ledger_table),
            contacts: Contacts::new(dynamodb.clone(), config.contacts_table),
            schedule: Schedule::new(dynamodb.clone(), config.schedule_table),
            config: ConfigTable::new(dynamodb.clone(), config.config_table.clone()),
            webhooks: Webhooks::new(dynamodb, config.config_table),
            statuses: StatusesQueue::new(sqs, config.statuses_queue_url),
            metrics: config.metrics,
            secrets: Secrets::new(secrets, config.stack),
            clock,
            aliases: Mutex::default(),
            later: Cache::default(),
        }
    }

    /// Whether another site used the sender number before this site. Read once per process.
    async fn came_later(&self, site: &SiteId, phone_number_id: &str) -> Result<bool, Failure> {
        let load = async {
            let came_later = self.webhooks.came_later(site, phone_number_id).await?;
            Ok::<_, StoreError>(Loaded { value: came_later, keep_for: SignedDuration::MAX })
        };
        let key = (site.clone(), phone_number_id.to_owned());
        Ok(self.later.get(&key, self.clock.now(), load).await?)
    }

    /// Returns the site and all other sites that send from one of its numbers. Meta reports to one webhook only, and
    /// its reports about a number or its owner concern all of these sites.
    async fn sharing(&self, site: &SiteId) -> Result<BTreeSet<SiteId>, Failure> {
        let mut sites = BTreeSet::from([site.clone()]);
        let live = self.config.live(site).await?;
        for account in live.map(|live| live.accounts).unwrap_or_default() {
            sites.extend(self.webhooks.sites_of(&account.phone_number_id).await?);
        }
        Ok(sites)
    }
}

/// Handles a batch of records of the statuses queue.
pub async fn handle(app: &App, event: LambdaEvent<SqsEvent>) -> SqsBatchResponse {
    let context = telemetry::context(&[(field::REQUEST, &event.context.request_id)]);
    handle_batch(app, event).instrument(context).await
}

async fn handle_batch(app: &App, event: LambdaEvent<SqsEvent>) -> SqsBatchResponse {
    let deadline = Deadline::of(event.context.deadline, TIMEOUT, RECORD_MARGIN, app.clock.clone());
    app.metrics.count(Metric::BatchRecords, event.payload.records.len());
    let response =
        batch::each(event.payload.records, RECORDS_AT_ONCE, &deadline, |record| record::handle(app, record)).await;
    app.metrics.measure(Metric::TimeLeft, deadline.left_ms());
    app.metrics.flush(app.clock.now());
    response
}
