//! A world for a story: DynamoDB, SQS and Secrets Manager as embedded emulators, the WA Smart Business simulator, the
//! real functions called in process, and one clock that all of them share and only the story moves.
//!
//! A story posts events, has the queue delivered, looks at the phone and at the ledger, and ends with
//! [`World::finish`], which fails if anything was left over.

mod clock;
mod events;

use anyhow::{Context, Result, bail, ensure};
use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use aws_sdk_sqs::types::Message;
use domain::config::{Account, LiveConfig};
use domain::id::SiteId;
use domain::key::MessageId;
use domain::message::{Facts, State};
use lambda_http::http::{HeaderValue, Method};
use lambda_http::{Body, Request};
use lambda_runtime::{Context as LambdaContext, LambdaEvent};
use local::emulators::{DataDir, Emulators};
use local::queues::{self, Queues};
use local::secrets::Secrets;
use local::seed::{self, DemoSite};
use provider::{Network, Provider};
use secrecy::SecretString;
use serde_json::Value;
use store::config::ConfigTable;
use store::ledger::Ledger;
use store::tables::table_name;

pub use clock::SharedClock;
pub use events::{example, file_uploaded, message_sent, order_status_changed};

const STACK: &str = "story";
const SITE: &str = "demo";
const ACCOUNT: &str = "main";
const PHONE_NUMBER_ID: &str = "106540352242922";
const WABA_ID: &str = "102290129340398";
/// The queue hides a record this long; a story that wants it sooner asks for it.
const VISIBILITY_SECONDS: u32 = 360;
/// What SQS hands out at once.
const BATCH_RECORDS: i32 = 10;

/// Everything a story plays in.
pub struct World {
    /// The clock of the functions and of the simulator.
    pub clock: SharedClock,
    /// The configuration, to be changed as an operator would.
    pub config: ConfigTable,
    /// The ledger, to be looked at.
    pub ledger: Ledger,
    /// The functions.
    pub receive: receive_event::App,
    /// The function under the queue.
    pub send: send_message::App,
    /// The function of the schedule.
    pub sweep: fire_reminders::App,
    /// The function of every hour.
    pub sync: sync_templates::App,
    api_key: String,
    access_token: String,
    queues: Queues,
    sqs: aws_sdk_sqs::Client,
    http: reqwest::Client,
    simulator: simulator::Running,
    emulators: Emulators,
}

/// An answer of the HTTP API.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The content type.
    pub content_type: String,
    /// The body.
    pub body: Value,
}

impl World {
    /// A world with the demo site in it.
    ///
    /// # Errors
    /// When a part of it does not start.
    pub async fn start() -> Result<Self> {
        let clock = SharedClock::new();
        let emulators = Emulators::start(DataDir::Memory)?;
        let (dynamodb, sqs) = (emulators.dynamodb(), emulators.sqs());
        let queues = Queues::create(&sqs, STACK, VISIBILITY_SECONDS).await?;
        store::tables::create_all(&dynamodb, STACK).await?;
        let secrets = Secrets::new()?;
        secrets.publish(&emulators.secrets(), STACK, SITE, ACCOUNT).await?;
        let simulator = start_simulator(&secrets, &clock).await?;
        let config = ConfigTable::new(dynamodb.clone(), table_name(STACK, "Config"));
        let base_url = format!("{}/v1", simulator.url());
        let demo = DemoSite {
            site: SITE,
            account: ACCOUNT,
            api_key: &secrets.api_key,
            base_url: &base_url,
            phone_number_id: PHONE_NUMBER_ID,
            waba_id: WABA_ID,
            access_token: &secrets.access_token,
        };
        seed::seed(&config, demo).await?;
        let table = |name| table_name(STACK, name);
        let receive =
            receive_event::Config { config_table: table("Config"), events_queue_url: queues.events_url.clone() };
        let send = send_message::Config {
            config_table: table("Config"),
            ledger_table: table("Ledger"),
            contacts_table: table("Contacts"),
            stack: STACK.to_owned(),
            network: Network::Any,
        };
        let sync =
            sync_templates::Config { config_table: table("Config"), stack: STACK.to_owned(), network: Network::Any };
        let sweep = fire_reminders::Config { ledger_table: table("Ledger"), schedule_table: table("Schedule") };
        Ok(Self {
            config,
            ledger: Ledger::new(dynamodb.clone(), table("Ledger")),
            receive: receive_event::App::new(dynamodb.clone(), sqs.clone(), receive, clock.clock()),
            send: send_message::App::new(dynamodb.clone(), emulators.secrets(), send, clock.clock())?,
            sync: sync_templates::App::new(dynamodb.clone(), emulators.secrets(), sync, clock.clock())?,
            sweep: fire_reminders::App::new(dynamodb, sweep, clock.clock()),
            clock,
            api_key: secrets.api_key,
            access_token: secrets.access_token,
            queues,
            sqs,
            http: reqwest::Client::new(),
            simulator,
            emulators,
        })
    }

    /// The demo site's id.
    ///
    /// # Errors
    /// Never; an id is checked wherever it is made.
    pub fn site(&self) -> Result<SiteId> {
        Ok(SiteId::parse(SITE)?)
    }

    /// Posts one event with the site's key.
    ///
    /// # Errors
    /// When the answer is no JSON.
    pub async fn post(&self, event: &Value) -> Result<Answer> {
        self.request("/v1/events", &[("x-api-key", &self.api_key)], event.to_string().as_bytes()).await
    }

    /// Posts one event that must be accepted.
    ///
    /// # Errors
    /// When it is not.
    pub async fn accept(&self, event: &Value) -> Result<()> {
        let answer = self.post(event).await?;
        ensure!(answer.status == 202, "not accepted: {answer:?}");
        Ok(())
    }

    /// Posts a batch with the site's key.
    ///
    /// # Errors
    /// When the answer is no JSON.
    pub async fn post_batch(&self, batch: &Value) -> Result<Answer> {
        self.request("/v1/events/batch", &[("x-api-key", &self.api_key)], batch.to_string().as_bytes()).await
    }

    /// Sends any request; `content-type: application/json` unless the headers say otherwise.
    ///
    /// # Errors
    /// When a header cannot be written or the answer is no JSON.
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

    /// What the functions would read from their environment, for a program that looks at this world from outside.
    #[must_use]
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = self.emulators.environment();
        variables.push(("BRIDGE_STACK", STACK.to_owned()));
        variables.push(("BRIDGE_CONFIG_TABLE", table_name(STACK, "Config")));
        variables.push(("BRIDGE_LEDGER_TABLE", table_name(STACK, "Ledger")));
        variables.push(("BRIDGE_EVENTS_QUEUE_URL", self.queues.events_url.clone()));
        variables
    }

    /// The site's key.
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// Puts a body into the queue that no function of ours wrote.
    ///
    /// # Errors
    /// When SQS refuses it.
    pub async fn enqueue(&self, body: &str) -> Result<()> {
        self.sqs.send_message().queue_url(&self.queues.events_url).message_body(body).send().await?;
        Ok(())
    }

    /// Takes up to ten records out of the queue, as SQS hands them to the function.
    ///
    /// # Errors
    /// When SQS does not answer.
    pub async fn take(&self) -> Result<Vec<Message>> {
        let request = self.sqs.receive_message().queue_url(&self.queues.events_url);
        Ok(request.max_number_of_messages(BATCH_RECORDS).send().await?.messages.unwrap_or_default())
    }

    /// Has `send-message` handle a batch and answers with the ids it wants again.
    pub async fn handle(&self, batch: &[Message]) -> Vec<String> {
        let mut event = SqsEvent::default();
        event.records = batch.iter().map(record).collect();
        let mut context = LambdaContext::default();
        context.request_id = format!("story-{}", self.clock.tick());
        context.deadline = self.clock.deadline_ms();
        let response = send_message::handle(&self.send, LambdaEvent::new(event, context)).await;
        response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
    }

    /// Delivers what is in the queue, batch by batch, until it is empty; answers how many records were handled. What the
    /// function wants again stays hidden until [`World::redeliver`].
    ///
    /// # Errors
    /// When SQS does not answer.
    pub async fn deliver(&self) -> Result<usize> {
        let mut handled = 0;
        loop {
            let batch = self.take().await?;
            if batch.is_empty() {
                return Ok(handled);
            }
            let again = self.handle(&batch).await;
            for message in &batch {
                let wanted = again.iter().any(|id| Some(id.as_str()) == message.message_id());
                if !wanted {
                    self.delete(message).await?;
                    handled += 1;
                }
            }
        }
    }

    /// Ends the hiding of records that were taken and not deleted, as time would.
    ///
    /// # Errors
    /// When SQS does not answer.
    pub async fn redeliver(&self, batch: &[Message]) -> Result<()> {
        for message in batch {
            let request = self.sqs.change_message_visibility().queue_url(&self.queues.events_url);
            let handle = message.receipt_handle.clone().unwrap_or_default();
            request.receipt_handle(handle).visibility_timeout(0).send().await?;
        }
        Ok(())
    }

    /// Deletes a record, as Lambda does with what was handled.
    ///
    /// # Errors
    /// When SQS does not answer.
    pub async fn delete(&self, message: &Message) -> Result<()> {
        let handle = message.receipt_handle.clone().unwrap_or_default();
        self.sqs.delete_message().queue_url(&self.queues.events_url).receipt_handle(handle).send().await?;
        Ok(())
    }

    /// The messages on the phone, oldest first.
    ///
    /// # Errors
    /// When the simulator does not answer.
    pub async fn phone(&self) -> Result<Vec<Value>> {
        match self.simulator_get("/_sim/messages").await? {
            Value::Array(messages) => Ok(messages),
            other => bail!("not a list: {other}"),
        }
    }

    /// The texts on the phone, oldest first.
    ///
    /// # Errors
    /// When the simulator does not answer.
    pub async fn texts(&self) -> Result<Vec<String>> {
        let text = |message: &Value| message["text"].as_str().map(str::to_owned).context("a message without text");
        self.phone().await?.iter().map(text).collect()
    }

    /// Orders a fault from the simulator.
    ///
    /// # Errors
    /// When it does not understand.
    pub async fn fault(&self, fault: &Value) -> Result<()> {
        let url = format!("{}/_sim/faults", self.simulator.url());
        self.http.post(url).json(fault).send().await?.error_for_status()?;
        Ok(())
    }

    /// Changes a template on the simulator.
    ///
    /// # Errors
    /// When it does not understand.
    pub async fn set_template(&self, name: &str, language: &str, change: &Value) -> Result<()> {
        let url = format!("{}/_sim/templates/{name}/{language}", self.simulator.url());
        self.http.post(url).json(change).send().await?.error_for_status()?;
        Ok(())
    }

    /// Removes a template from the simulator.
    ///
    /// # Errors
    /// When it does not know it.
    pub async fn delete_template(&self, name: &str, language: &str) -> Result<()> {
        let url = format!("{}/_sim/templates/{name}/{language}", self.simulator.url());
        self.http.delete(url).send().await?.error_for_status()?;
        Ok(())
    }

    /// Reads the template list of an account into the configuration.
    ///
    /// # Errors
    /// When the simulator or the table refuses.
    pub async fn sync_templates(&self, account: &Account) -> Result<usize> {
        let token = SecretString::from(self.access_token.clone());
        let provider = Provider::new(Network::Any)?;
        Ok(sync_templates::sync(&provider, &self.config, &self.site()?, account, &token).await?)
    }

    /// What the simulator answers to a GET.
    ///
    /// # Errors
    /// When it does not.
    pub async fn simulator_get(&self, path: &str) -> Result<Value> {
        Ok(self.http.get(format!("{}{path}", self.simulator.url())).send().await?.error_for_status()?.json().await?)
    }

    /// The site's configuration as it is now.
    ///
    /// # Errors
    /// When there is none.
    pub async fn live(&self) -> Result<LiveConfig> {
        self.config.live(&self.site()?).await?.context("no configuration")
    }

    /// What the ledger knows of a message.
    ///
    /// # Errors
    /// When it knows nothing of it.
    pub async fn facts(&self, event: &str, mapping: &str, recipient: &str) -> Result<Facts> {
        let id = MessageId {
            event: domain::key::event_key(&self.site()?, &domain::id::EventId::parse(event)?),
            message: domain::key::message_key(
                &domain::id::MappingId::parse(mapping)?,
                &domain::id::ObjectId::parse(recipient)?,
                1,
            ),
        };
        self.ledger.message(&id).await?.with_context(|| format!("no message {id}"))
    }

    /// The state of a message in the ledger.
    ///
    /// # Errors
    /// When the ledger knows nothing of it.
    pub async fn state(&self, event: &str, mapping: &str, recipient: &str) -> Result<State> {
        Ok(self.facts(event, mapping, recipient).await?.state())
    }

    /// Ends the story: nothing may be left in the queue or in the dead-letter queue.
    ///
    /// # Errors
    /// What was left.
    pub async fn finish(self) -> Result<()> {
        let left = queues::length(&self.sqs, &self.queues.events_url).await?;
        let dead = queues::length(&self.sqs, &self.queues.dead_url).await?;
        self.simulator.stop().await;
        drop(self.emulators);
        ensure!(left == 0 && dead == 0, "{left} records are left in the queue and {dead} in the dead-letter queue");
        Ok(())
    }
}

async fn start_simulator(secrets: &Secrets, clock: &SharedClock) -> Result<simulator::Running> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let now = clock.clock();
    let settings = simulator::Settings {
        phone_number_id: PHONE_NUMBER_ID.to_owned(),
        waba_id: WABA_ID.to_owned(),
        access_token: secrets.access_token.clone(),
        display_phone_number: "+390236269240".to_owned(),
        clock: std::sync::Arc::new(move || now.now()),
        templates: local::templates::rows()?,
    };
    let simulator = simulator::Simulator::new(settings).map_err(|refused| anyhow::anyhow!("{refused:?}"))?;
    Ok(simulator.start(listener)?)
}

fn record(message: &Message) -> SqsMessage {
    let mut record = SqsMessage::default();
    record.message_id.clone_from(&message.message_id);
    record.body.clone_from(&message.body);
    record.receipt_handle.clone_from(&message.receipt_handle);
    record
}
