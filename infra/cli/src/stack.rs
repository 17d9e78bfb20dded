//! The resources a command works on: the local run, found by its data folder, or a stack on AWS, found by its outputs.

pub(crate) mod aws;
mod credentials;
mod secrets;
mod session;

use std::collections::HashMap;
use std::path::Path;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use domain::primitives::id::SiteId;
use domain::primitives::phone::Phone;
use domain::site::config::LiveConfig;
use jiff::tz::TimeZone;
use provider::{Network, Provider};
use queue::{EventsQueue, StatusesQueue};
use runtime::Clock;
use serde::Deserialize;
use store::config::ConfigTable;
use store::contacts::Contacts;
use store::ledger::{Ledger, Parking};
use store::schedule::Schedule;
use store::webhooks::Webhooks;

use crate::args::Common;
use crate::failure::Failure;

/// The clients and tables of a stack.
#[derive(Clone)]
pub(crate) struct Stack {
    pub(crate) config: ConfigTable,
    pub(crate) webhooks: Webhooks,
    pub(crate) ledger: Ledger,
    pub(crate) parking: Parking,
    pub(crate) contacts: Contacts,
    pub(crate) schedule: Schedule,
    pub(crate) queue: EventsQueue,
    pub(crate) statuses: StatusesQueue,
    pub(crate) clock: Clock,
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    network: Network,
    names: Names,
    secrets: aws_sdk_secretsmanager::Client,
    site: Option<SiteId>,
}

/// The names of a stack's resources.
#[derive(Clone)]
pub(crate) struct Names {
    stack: String,
    api_url: String,
    config_table: String,
    ledger_table: String,
    contacts_table: String,
    schedule_table: String,
    events_queue_url: String,
    statuses_queue_url: String,
}

/// The fields of the local run's `demo.json` that commands need.
#[derive(Deserialize)]
struct Demo {
    base_url: String,
    site: String,
    env_file: String,
}

/// Opens the stack that the options name.
///
/// # Errors
/// [`Failure::Unreachable`] if there is no such stack, [`Failure::Usage`] if an option is wrong.
pub(crate) async fn open(common: &Common) -> Result<Stack, Failure> {
    let named = common.site.as_deref().map(site_id).transpose()?;
    match &common.stack {
        Some(stack) => on_aws(stack, common, named).await,
        None => {
            if common.region.is_some() || common.profile.is_some() {
                return Err(Failure::usage(|texts| texts.region_needs_stack()));
            }
            local(&common.data_dir, named)
        }
    }
}

/// Parses a site id.
pub(crate) fn site_id(text: &str) -> Result<SiteId, Failure> {
    SiteId::parse(text).map_err(|error| Failure::usage(|texts| texts.wrong_id(texts.id_error(error))))
}

fn local(data_dir: &Path, named: Option<SiteId>) -> Result<Stack, Failure> {
    let file = data_dir.join("demo.json");
    let text = std::fs::read_to_string(&file)
        .map_err(|_| Failure::unreachable(|texts| texts.no_local_run(file.display().to_string())))?;
    let malformed = |error: &dyn std::fmt::Display| {
        Failure::unreachable(|texts| texts.local_run_damaged(file.display().to_string(), error.to_string()))
    };
    let demo: Demo = serde_json::from_str(&text).map_err(|error| malformed(&error))?;
    let variables = std::fs::read_to_string(&demo.env_file).map_err(|error| malformed(&error))?;
    let variables: HashMap<&str, &str> = variables.lines().filter_map(|line| line.split_once('=')).collect();
    let variable = |name: &str| {
        let value = variables.get(name).map(|value| (*value).to_owned());
        value.ok_or_else(|| malformed(&format_args!("{} does not set {name}", demo.env_file)))
    };
    let names = Names {
        stack: variable("BRIDGE_STACK")?,
        api_url: demo.base_url.clone(),
        config_table: variable("BRIDGE_CONFIG_TABLE")?,
        ledger_table: variable("BRIDGE_LEDGER_TABLE")?,
        contacts_table: variable("BRIDGE_CONTACTS_TABLE")?,
        schedule_table: variable("BRIDGE_SCHEDULE_TABLE")?,
        events_queue_url: variable("BRIDGE_EVENTS_QUEUE_URL")?,
        statuses_queue_url: variable("BRIDGE_STATUSES_QUEUE_URL")?,
    };
    let credentials = Credentials::new(
        variable("AWS_ACCESS_KEY_ID")?,
        variable("AWS_SECRET_ACCESS_KEY")?,
        None,
        None,
        "the local run",
    );
    let at = |endpoint: String| {
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(variables.get("AWS_REGION").copied().unwrap_or("eu-south-1").to_owned()))
            .credentials_provider(aws_sdk_dynamodb::config::SharedCredentialsProvider::new(credentials.clone()))
            .endpoint_url(endpoint)
            .build()
    };
    let dynamodb = aws_sdk_dynamodb::Client::new(&at(variable("AWS_ENDPOINT_URL_DYNAMODB")?));
    let sqs = aws_sdk_sqs::Client::new(&at(variable("AWS_ENDPOINT_URL_SQS")?));
    let secrets = aws_sdk_secretsmanager::Client::new(&at(variable("AWS_ENDPOINT_URL_SECRETS_MANAGER")?));
    let site = named.or(SiteId::parse(&demo.site).ok());
    // The local simulator serves http on a loopback address.
    Ok(Stack::new(names, dynamodb, sqs, secrets, Network::Any, site))
}

async fn on_aws(stack: &str, common: &Common, site: Option<SiteId>) -> Result<Stack, Failure> {
    let sdk = aws::connect(&aws::session(stack, common)?).await?;
    let names = aws::Outputs::of(&aws::describe(stack, &sdk).await?).names()?;
    Ok(Stack::on(names, &sdk, site))
}

impl Stack {
    /// Creates the clients of a stack on AWS.
    pub(crate) fn on(names: Names, sdk: &SdkConfig, site: Option<SiteId>) -> Self {
        let dynamodb = aws_sdk_dynamodb::Client::new(sdk);
        let sqs = aws_sdk_sqs::Client::new(sdk);
        Self::new(names, dynamodb, sqs, aws_sdk_secretsmanager::Client::new(sdk), Network::Public, site)
    }

    fn new(
        names: Names,
        dynamodb: aws_sdk_dynamodb::Client,
        sqs: aws_sdk_sqs::Client,
        secrets: aws_sdk_secretsmanager::Client,
        network: Network,
        site: Option<SiteId>,
    ) -> Self {
        let ledger = Ledger::new(dynamodb.clone(), names.ledger_table.clone());
        let schedule = Schedule::new(dynamodb.clone(), names.schedule_table.clone());
        Self {
            config: ConfigTable::new(dynamodb.clone(), names.config_table.clone()),
            webhooks: Webhooks::new(dynamodb.clone(), names.config_table.clone()),
            parking: Parking::new(ledger.clone(), schedule.clone()),
            ledger,
            contacts: Contacts::new(dynamodb.clone(), names.contacts_table.clone()),
            schedule,
            queue: EventsQueue::new(sqs.clone(), names.events_queue_url.clone()),
            statuses: StatusesQueue::new(sqs.clone(), names.statuses_queue_url.clone()),
            clock: Clock::system(),
            dynamodb,
            sqs,
            network,
            names,
            secrets,
            site,
        }
    }

    /// Returns the site the command works on, or [`Failure::Usage`] if none is named.
    pub(crate) fn site(&self) -> Result<&SiteId, Failure> {
        self.site.as_ref().ok_or_else(|| Failure::usage(|texts| texts.name_site()))
    }

    /// Returns the time zone of the site.
    pub(crate) async fn zone(&self) -> Result<TimeZone, Failure> {
        Ok(self.configured().await?.site.zone())
    }

    /// Reads the configuration of the site, with the templates that its mappings use.
    async fn configured(&self) -> Result<LiveConfig, Failure> {
        let site = self.site()?;
        let live = self.config.live(site).await?;
        live.ok_or_else(|| Failure::no(|texts| texts.no_such_site(site.to_string())))
    }

    /// Reads the configuration of the site, with all templates of its accounts.
    pub(crate) async fn live(&self) -> Result<LiveConfig, Failure> {
        let mut live = self.configured().await?;
        live.templates.clear();
        for account in &live.accounts {
            let templates = self.config.templates(&live.site.id, &account.id).await?;
            live.templates.extend(templates.into_iter().map(|template| (account.id.clone(), template)));
        }
        Ok(live)
    }

    /// Returns the pseudonym of a number at the site. An account may have a sender number that another site had first.
    /// In that case this first copies the contact's earlier choices at that number, such as STOP, to the site. The next
    /// message to the contact would do the same.
    pub(crate) async fn contact(&self, live: &LiveConfig, phone: &Phone) -> Result<String, Failure> {
        let (secret, site) = (self.contact_secret().await?, &live.site.id);
        let contact = secret.contact_key(site, phone);
        for account in live.accounts.iter().filter(|account| account.came_later) {
            let at_sender = secret.sender_contact_key(&account.phone_number_id, phone);
            self.contacts.take_over(&at_sender, site, &contact).await?;
        }
        Ok(contact)
    }

    /// Creates a client of WA Smart Business.
    pub(crate) fn provider(&self) -> Result<Provider, Failure> {
        Ok(Provider::new(self.network)?)
    }

    /// Returns the URL of a webhook, by its id.
    pub(crate) fn webhook_url(&self, id: &str) -> String {
        format!("{}/v1/webhooks/whatsapp/{id}", self.api_url().trim_end_matches('/'))
    }

    /// Returns the base URL of the API.
    pub(crate) fn api_url(&self) -> &str {
        &self.names.api_url
    }

    /// Returns the tables with their names on AWS.
    pub(crate) fn tables(&self) -> [(&'static str, &str); 4] {
        [
            ("Config", &self.names.config_table),
            ("Contacts", &self.names.contacts_table),
            ("Ledger", &self.names.ledger_table),
            ("Schedule", &self.names.schedule_table),
        ]
    }

    /// Returns the URLs of both queues.
    pub(crate) fn queue_urls(&self) -> [(&'static str, &str); 2] {
        [("events", &self.names.events_queue_url), ("statuses", &self.names.statuses_queue_url)]
    }

    /// Returns the same stack for another site.
    pub(crate) fn at(&self, site: SiteId) -> Self {
        Self { site: Some(site), ..self.clone() }
    }
}
