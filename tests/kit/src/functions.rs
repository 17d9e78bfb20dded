//! The functions of a world, and the tables that they use.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use domain::site::intake::EventsPerMinute;
use provider::Network;
use runtime::metrics::Metrics;
use store::config::ConfigTable;
use store::contacts::Contacts;
use store::ledger::Ledger;
use store::schedule::Schedule;
use store::tables::table_name;
use store::webhooks::Webhooks;

use crate::{DEAD_ARN, Meter, STACK, STATUSES_ARN, SharedClock, Wire};

/// The SDK's initial backoff before it retries a call.
const SDK_PAUSE: Duration = Duration::from_millis(5);

/// The names of the tables of a world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableNames {
    /// The name of `Config`.
    pub config: String,
    /// The name of `Contacts`.
    pub contacts: String,
    /// The name of `Ledger`.
    pub ledger: String,
    /// The name of `Schedule`.
    pub schedule: String,
}

impl TableNames {
    /// Returns the names that [`store::tables::create_all`] gives to the tables of a prefix.
    #[must_use]
    pub fn of(prefix: &str) -> Self {
        Self {
            config: table_name(prefix, "Config"),
            contacts: table_name(prefix, "Contacts"),
            ledger: table_name(prefix, "Ledger"),
            schedule: table_name(prefix, "Schedule"),
        }
    }

    /// Returns the name of the table with this logical name, or `None` if there is no such table.
    #[must_use]
    pub fn named(&self, table: &str) -> Option<&str> {
        match table {
            "Config" => Some(&self.config),
            "Contacts" => Some(&self.contacts),
            "Ledger" => Some(&self.ledger),
            "Schedule" => Some(&self.schedule),
            _ => None,
        }
    }
}

/// The parts of a world that its functions share.
pub(crate) struct Parts {
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) secrets: aws_sdk_secretsmanager::Client,
    pub(crate) events_queue_url: String,
    pub(crate) statuses_queue_url: String,
    pub(crate) wire: Wire,
    pub(crate) meter: Meter,
    pub(crate) clock: SharedClock,
}

/// The tables, for stories that read or change them.
pub(crate) struct Tables {
    pub(crate) config: ConfigTable,
    pub(crate) webhooks: Webhooks,
    pub(crate) ledger: Ledger,
    pub(crate) contacts: Contacts,
    pub(crate) schedule: Schedule,
}

impl Tables {
    pub(crate) fn open(parts: &Parts, names: &TableNames) -> Self {
        let client = || parts.dynamodb.clone();
        Self {
            config: ConfigTable::new(client(), names.config.clone()),
            webhooks: Webhooks::new(client(), names.config.clone()),
            ledger: Ledger::new(client(), names.ledger.clone()),
            contacts: Contacts::new(client(), names.contacts.clone()),
            schedule: Schedule::new(client(), names.schedule.clone()),
        }
    }
}

/// The functions.
pub(crate) struct Functions {
    pub(crate) receive: Arc<receive_event::App>,
    pub(crate) send: send_message::App,
    pub(crate) sweep: fire_reminders::App,
    pub(crate) track: track_delivery::App,
    pub(crate) sync: sync_templates::App,
    pub(crate) metrics: Vec<Metrics>,
}

impl Functions {
    /// Starts the functions on these tables, as new execution environments without a cache.
    pub(crate) fn start(parts: &Parts, tables: &TableNames) -> Result<Self> {
        let Parts { sqs, secrets, clock, .. } = parts;
        // The SDK's backoff is real time, so keep it short.
        let retries = RetryConfig::standard().with_initial_backoff(SDK_PAUSE);
        let config =
            parts.dynamodb.config().to_builder().interceptor(parts.wire.clone()).interceptor(parts.meter.clone());
        let watched = aws_sdk_dynamodb::Client::from_conf(config.retry_config(retries).build());
        let mut metrics = Vec::new();
        let mut kept = |function| {
            let kept = Metrics::kept(STACK, function);
            metrics.push(kept.clone());
            kept
        };
        let receive = receive_config(parts, tables, kept("receive-event"));
        let send = send_config(parts, tables, kept("send-message"));
        let sweep = sweep_config(parts, tables, kept("fire-reminders"));
        let track = track_config(parts, tables, kept("track-delivery"));
        let sync = sync_templates::Config {
            config_table: tables.config.clone(),
            stack: STACK.to_owned(),
            network: Network::Any,
            metrics: kept("sync-templates"),
        };
        let (db, sqs, secrets) = (|| watched.clone(), || sqs.clone(), || secrets.clone());
        Ok(Self {
            receive: Arc::new(receive_event::App::new(db(), sqs(), secrets(), receive, clock.clock())),
            send: send_message::App::new(db(), sqs(), secrets(), send, clock.clock())?,
            sweep: fire_reminders::App::new(db(), sqs(), secrets(), sweep, clock.clock()),
            track: track_delivery::App::new(db(), sqs(), secrets(), track, clock.clock()),
            sync: sync_templates::App::new(db(), secrets(), sync, clock.clock())?,
            metrics,
        })
    }
}

fn receive_config(parts: &Parts, tables: &TableNames, metrics: Metrics) -> receive_event::Config {
    receive_event::Config {
        config_table: tables.config.clone(),
        events_queue_url: parts.events_queue_url.clone(),
        statuses_queue_url: parts.statuses_queue_url.clone(),
        stack: STACK.to_owned(),
        // A story may raise any number of events at the same moment.
        events_per_minute: EventsPerMinute(NonZeroU32::MAX),
        metrics,
    }
}

fn send_config(parts: &Parts, tables: &TableNames, metrics: Metrics) -> send_message::Config {
    send_message::Config {
        config_table: tables.config.clone(),
        ledger_table: tables.ledger.clone(),
        contacts_table: tables.contacts.clone(),
        schedule_table: tables.schedule.clone(),
        events_queue_url: parts.events_queue_url.clone(),
        dead_queue_arn: DEAD_ARN.to_owned(),
        statuses_queue_arn: STATUSES_ARN.to_owned(),
        stack: STACK.to_owned(),
        network: Network::Any,
        metrics,
    }
}

fn sweep_config(parts: &Parts, tables: &TableNames, metrics: Metrics) -> fire_reminders::Config {
    fire_reminders::Config {
        config_table: tables.config.clone(),
        events_queue_url: parts.events_queue_url.clone(),
        statuses_queue_url: parts.statuses_queue_url.clone(),
        contacts_table: tables.contacts.clone(),
        stack: STACK.to_owned(),
        ledger_table: tables.ledger.clone(),
        schedule_table: tables.schedule.clone(),
        metrics,
    }
}

fn track_config(parts: &Parts, tables: &TableNames, metrics: Metrics) -> track_delivery::Config {
    track_delivery::Config {
        config_table: tables.config.clone(),
        ledger_table: tables.ledger.clone(),
        contacts_table: tables.contacts.clone(),
        schedule_table: tables.schedule.clone(),
        statuses_queue_url: parts.statuses_queue_url.clone(),
        stack: STACK.to_owned(),
        metrics,
    }
}
