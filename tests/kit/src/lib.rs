//! A world for a story.
//!
//! It contains:
//!
//! - DynamoDB, SQS and Secrets Manager as embedded emulators
//! - the WA Smart Business simulator
//! - the real functions, called in process
//! - one clock that all of them share and that only the story advances
//!
//! A story posts events, delivers the queue, and checks the phone and the ledger. It ends with [`World::finish`], which
//! fails if a record is left in a queue.

mod accounts;
mod clock;
mod events;
mod fill;
mod front;
mod functions;
mod log;
mod look;
mod mail;
mod meter;
mod phone;
mod records;
mod restore;
mod running;
mod signature;
mod wire;

use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, ensure};
use domain::message::state::{Facts, State};
use domain::message::suppression::{Lift, Lifted, Scope, Source};
use domain::primitives::id::SiteId;
use domain::primitives::key::MessageId;
use domain::site::config::LiveConfig;
use jiff::{SignedDuration, Timestamp};
use lambda_http::http::{HeaderValue, Method};
use lambda_http::{Body, Request};
use local::emulators::{DataDir, Emulators};
use local::secrets::Secrets;
use local::seed::{self, DemoSite};
use runtime::metrics::Metrics;
use serde_json::Value;
use store::config::ConfigTable;
use store::contacts::Contacts;
use store::ledger::{Ledger, Parking};
use store::schedule::Schedule;
use store::webhooks::Webhooks;
use tokio::net::TcpListener;

use clock::BEGINNING;
use front::Front;
use functions::{Functions, Parts, Tables};
use mail::Mail;

pub use clock::SharedClock;
pub use events::{example, file_uploaded, message_sent, order_status_changed};
pub use functions::TableNames;
pub use log::lines_with;
pub use meter::{Bill, Meter};
pub use records::Snapshot;
pub use restore::Export;
pub use signature::signed;
pub use wire::{Odds, Planned, Trouble, Wire};

const STACK: &str = "story";
const SITE: &str = "demo";
const ACCOUNT: &str = "main";
const PHONE_NUMBER_ID: &str = "106540352242922";
const WABA_ID: &str = "102290129340398";
/// The ARN of the dead-letter queue of both queues. Records with this source are dead letters.
pub const DEAD_ARN: &str = "arn:aws:sqs:eu-south-1:000000000000:story-dead";
/// The ARN of the statuses queue. A dead letter that came from it has this ARN as an attribute.
pub const STATUSES_ARN: &str = "arn:aws:sqs:eu-south-1:000000000000:story-statuses";

/// Everything that a story runs in.
pub struct World {
    /// The clock of the functions and of the simulator.
    pub clock: SharedClock,
    /// The configuration. A story changes it as an operator would.
    pub config: ConfigTable,
    /// The assignment of sites to sender numbers. A story changes it as an operator would.
    pub webhooks: Webhooks,
    /// The ledger, for checks.
    pub ledger: Ledger,
    /// `receive-event`.
    pub receive: Arc<receive_event::App>,
    /// `send-message`, which reads the events queue.
    pub send: send_message::App,
    /// `fire-reminders`, which runs each minute.
    pub sweep: fire_reminders::App,
    /// `track-delivery`, which reads the queue of platform events.
    pub track: track_delivery::App,
    /// `sync-templates`, which runs each hour.
    pub sync: sync_templates::App,
    /// The metrics of each function.
    metrics: Vec<Metrics>,
    front: Front,
    api_key: String,
    webhook_id: String,
    webhook_secret: String,
    access_token: String,
    /// The functions' calls to DynamoDB.
    pub wire: Wire,
    /// What the functions' calls cost.
    pub meter: Meter,
    parts: Parts,
    tables: TableNames,
    /// The schedule, for checks.
    pub schedule: Schedule,
    /// The contacts table, for checks and for changes that an operator would make.
    pub contacts: Contacts,
    events: Mail,
    statuses: Mail,
    ticked: Mutex<Timestamp>,
    chaos: Mutex<Chaos>,
    http: reqwest::Client,
    simulator: simulator::Running,
    emulators: Emulators,
}

/// The faults that deliveries meet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chaos {
    /// The seed of the random numbers.
    pub seed: u64,
    /// The percentage of executions that are killed at some point.
    pub kills_percent: u64,
    /// The percentage of batches that are delivered twice at the same time.
    pub doubles_percent: u64,
    /// The faults of calls to DynamoDB.
    pub odds: Odds,
}

/// A response of the HTTP API.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The content type.
    pub content_type: String,
    /// The body.
    pub body: Value,
}

impl World {
    /// Starts a world that contains the demo site.
    ///
    /// # Errors
    /// If a part of the world does not start.
    pub async fn start() -> Result<Self> {
        Self::start_at(BEGINNING).await
    }

    /// Starts a world that contains the demo site, at another time than stories do.
    ///
    /// # Errors
    /// If a part of the world does not start.
    pub async fn start_at(beginning: Timestamp) -> Result<Self> {
        log::start()?;
        let clock = SharedClock::new(beginning);
        let emulators = Emulators::start(DataDir::Memory)?;
        let meter = Meter::default();
        let (dynamodb, sqs) = (emulators.dynamodb(), mail::client(&emulators.sqs(), &clock, &meter));
        let events = Mail::create(&sqs, "story-events", &clock).await?;
        let statuses = Mail::create(&sqs, "story-statuses", &clock).await?;
        store::tables::create_all(&dynamodb, STACK).await?;
        let secrets = Secrets::new()?;
        secrets.publish(&emulators.secrets(), STACK, SITE, ACCOUNT).await?;
        let front = TcpListener::bind("127.0.0.1:0").await?;
        let webhook = format!("http://{}/v1/webhooks/whatsapp/{}", front.local_addr()?, secrets.webhook_id);
        let simulator = start_simulator(&secrets, &clock, webhook).await?;
        let parts = Parts {
            dynamodb: emulators.dynamodb(),
            sqs,
            secrets: emulators.secrets(),
            events_queue_url: events.url.clone(),
            statuses_queue_url: statuses.url.clone(),
            wire: Wire::new(clock.clone()),
            meter: meter.clone(),
            clock: clock.clone(),
        };
        let tables = TableNames::of(STACK);
        let Tables { config, webhooks, ledger, contacts, schedule } = Tables::open(&parts, &tables);
        let base_url = format!("{}/v1", simulator.url());
        let demo = DemoSite {
            site: SITE,
            account: ACCOUNT,
            api_key: &secrets.api_key,
            base_url: &base_url,
            phone_number_id: PHONE_NUMBER_ID,
            waba_id: WABA_ID,
            access_token: &secrets.access_token,
            webhook_id: &secrets.webhook_id,
        };
        seed::seed(&config, &webhooks, demo, clock.now()).await?;
        let Functions { receive, send, sweep, track, sync, metrics } = Functions::start(&parts, &tables)?;
        let world = Self {
            config,
            webhooks,
            ledger,
            contacts,
            schedule,
            front: Front::serve(front, Arc::clone(&receive)),
            receive,
            send,
            sweep,
            track,
            sync,
            metrics,
            wire: parts.wire.clone(),
            meter,
            parts,
            tables,
            ticked: Mutex::new(clock.now()),
            chaos: Mutex::default(),
            clock,
            api_key: secrets.api_key,
            webhook_id: secrets.webhook_id,
            webhook_secret: secrets.webhook_secret,
            access_token: secrets.access_token,
            events,
            statuses,
            http: reqwest::Client::new(),
            simulator,
            emulators,
        };
        world.report_statuses("none").await?;
        Ok(world)
    }

    /// Returns the id of the demo site.
    ///
    /// # Errors
    /// Never. An id is checked wherever it is created.
    pub fn site(&self) -> Result<SiteId> {
        Ok(SiteId::parse(SITE)?)
    }

    /// Posts one event with the site's API key.
    ///
    /// # Errors
    /// If the response is not JSON.
    pub async fn post(&self, event: &Value) -> Result<Answer> {
        self.request("/v1/events", &[("x-api-key", &self.api_key)], event.to_string().as_bytes()).await
    }

    /// Posts one event that must be accepted.
    ///
    /// # Errors
    /// If the event is not accepted.
    pub async fn accept(&self, event: &Value) -> Result<()> {
        let answer = self.post(event).await?;
        ensure!(answer.status == 202, "not accepted: {answer:?}");
        Ok(())
    }

    /// Posts a batch with the site's API key.
    ///
    /// # Errors
    /// If the response is not JSON.
    pub async fn post_batch(&self, batch: &Value) -> Result<Answer> {
        self.request("/v1/events/batch", &[("x-api-key", &self.api_key)], batch.to_string().as_bytes()).await
    }

    /// Sends a `POST` request. The content type is `application/json` unless a header overrides it.
    ///
    /// # Errors
    /// If a header is not valid or the response is not JSON.
    pub async fn request(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer> {
        let mut request = Request::new(Body::Binary(body.to_vec()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = format!("http://localhost{path}").parse()?;
        request.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
        for (name, value) in headers {
            let name: lambda_http::http::HeaderName = name.parse()?;
            request.headers_mut().insert(name, value.parse()?);
        }
        let response = receive_event::handle(&self.receive, request).await;
        let content_type = response.headers().get("content-type").and_then(|value| value.to_str().ok());
        Ok(Answer {
            status: response.status().as_u16(),
            content_type: content_type.unwrap_or_default().to_owned(),
            body: serde_json::from_slice(response.body())?,
        })
    }

    /// Returns the environment variables of the functions, for a program that inspects this world from outside.
    #[must_use]
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = self.emulators.environment();
        variables.push(("BRIDGE_STACK", STACK.to_owned()));
        variables.push(("BRIDGE_CONFIG_TABLE", self.tables.config.clone()));
        variables.push(("BRIDGE_LEDGER_TABLE", self.tables.ledger.clone()));
        variables.push(("BRIDGE_CONTACTS_TABLE", self.tables.contacts.clone()));
        variables.push(("BRIDGE_SCHEDULE_TABLE", self.tables.schedule.clone()));
        variables.push(("BRIDGE_STATUSES_QUEUE_URL", self.statuses.url.clone()));
        variables.push(("BRIDGE_EVENTS_QUEUE_URL", self.events.url.clone()));
        variables
    }

    /// Returns the site's API key.
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// Returns the id of the site's webhook.
    #[must_use]
    pub fn webhook_id(&self) -> &str {
        &self.webhook_id
    }

    /// Returns the lines of metrics that the functions have written.
    #[must_use]
    pub fn metrics(&self) -> Vec<Value> {
        self.metrics.iter().flat_map(Metrics::written).collect()
    }

    /// Returns the access token of the simulator.
    #[must_use]
    pub fn access_token(&self) -> &str {
        &self.access_token
    }

    /// Changes the site and one of its mappings as an operator would.
    ///
    /// # Errors
    /// If the mapping does not exist or the table rejects a write.
    pub async fn configure(
        &self,
        mapping: &str,
        change: impl FnOnce(&mut domain::site::config::Site, &mut domain::mapping::Mapping),
    ) -> Result<()> {
        let mut live = self.live().await?;
        let site = live.site.id.clone();
        let known = live.mappings.iter_mut().find(|known| known.id.as_str() == mapping);
        let known = known.with_context(|| format!("no mapping {mapping}"))?;
        change(&mut live.site, known);
        self.config.put_site(&live.site).await?;
        self.config.put_mapping(&site, known).await?;
        // The functions use the old configuration for up to 15 s.
        self.clock.advance(SignedDuration::from_secs(16));
        Ok(())
    }

    /// Returns the pseudonym of a number at the demo site.
    ///
    /// # Errors
    /// If `phone` is not a valid number.
    pub async fn contact(&self, phone: &str) -> Result<String> {
        let phone = domain::primitives::phone::Phone::parse(phone, domain::primitives::phone::Country::ITALY);
        let phone = phone.map_err(|error| anyhow::anyhow!("{error}"))?;
        let secret = self.emulators.secrets().get_secret_value().secret_id(format!("{STACK}/keys")).send().await?;
        let secret: Value = serde_json::from_str(secret.secret_string().unwrap_or_default())?;
        let secret = domain::primitives::key::ContactSecret::parse(
            secret.get("hmac").and_then(Value::as_str).unwrap_or_default(),
        )?;
        Ok(secret.contact_key(&self.site()?, &phone))
    }

    /// Lifts the STOP of a number as an operator would. Returns whether there was one.
    ///
    /// # Errors
    /// If the table rejects the write.
    pub async fn lift_stop(&self, contact: &str) -> Result<bool> {
        let lifted = Lifted::Suppression { scope: Scope::All, source: Source::Stop };
        let (at, by, reason) = (self.clock.now(), "operator".to_owned(), "phoned".to_owned());
        Ok(self.contacts.lift(contact, &Lift { lifted, at, by, reason }).await?)
    }

    /// Returns the current configuration of the site.
    ///
    /// # Errors
    /// If there is none.
    pub async fn live(&self) -> Result<LiveConfig> {
        self.config.live(&self.site()?).await?.context("no configuration")
    }

    /// Returns the ledger combined with the schedule, as the functions write to them in one transaction.
    #[must_use]
    pub fn parking(&self) -> Parking {
        Parking::new(self.ledger.clone(), self.schedule.clone())
    }

    /// Returns the facts that the ledger contains about a message.
    ///
    /// # Errors
    /// If the ledger does not contain the message.
    pub async fn facts(&self, event: &str, mapping: &str, recipient: &str) -> Result<Facts> {
        let id = MessageId {
            event: domain::primitives::key::event_key(&self.site()?, &domain::primitives::id::EventId::parse(event)?),
            message: domain::primitives::key::message_key(
                &domain::primitives::id::MappingId::parse(mapping)?,
                &domain::primitives::id::ObjectId::parse(recipient)?,
                1,
            ),
        };
        self.ledger.message(&id).await?.with_context(|| format!("no message {id}"))
    }

    /// Returns the state of a message in the ledger.
    ///
    /// # Errors
    /// If the ledger does not contain the message.
    pub async fn state(&self, event: &str, mapping: &str, recipient: &str) -> Result<State> {
        Ok(self.facts(event, mapping, recipient).await?.state())
    }

    /// Ends the story. Waits one minute at most for records that are still in the events queue.
    ///
    /// # Errors
    /// If records are left in a queue.
    pub async fn finish(self) -> Result<()> {
        // A record that met another execution at work is delivered again and finds its message decided.
        if self.events.left().await? > 0 {
            self.pass(SignedDuration::from_mins(1)).await?;
        }
        let (events, statuses) = (self.events.left().await?, self.statuses.left().await?);
        drop(self.front);
        self.simulator.stop().await;
        drop(self.emulators);
        ensure!(events == 0 && statuses == 0, "{events} events and {statuses} reports are left in the queues");
        Ok(())
    }
}

async fn start_simulator(secrets: &Secrets, clock: &SharedClock, webhook: String) -> Result<simulator::Running> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let now = clock.clock();
    let settings = simulator::Settings {
        phone_number_id: PHONE_NUMBER_ID.to_owned(),
        waba_id: WABA_ID.to_owned(),
        access_token: secrets.access_token.clone(),
        display_phone_number: "+390236269240".to_owned(),
        clock: std::sync::Arc::new(move || now.now()),
        templates: local::templates::rows()?,
        webhook: Some(simulator::Webhook { url: webhook, secret: secrets.webhook_secret.clone() }),
    };
    let simulator = simulator::Simulator::new(settings).map_err(|refused| anyhow::anyhow!("{refused:?}"))?;
    Ok(simulator.start(listener)?)
}
