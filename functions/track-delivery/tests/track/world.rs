//! Two sites that send from one number, and the function that processes their platform events.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use domain::decision::context::DecisionContext;
use domain::decision::guards::{Guards, guards};
use domain::decision::plan::{PlannedMessage, plan};
use domain::decision::{Halt, decide};
use domain::event::Event;
use domain::message::reason::Reason;
use domain::message::state::{Answer, State};
use domain::message::suppression::{ContactData, Lift, Lifted, Scope, Source};
use domain::primitives::id::{AccountId, MappingId, ObjectId, SiteId};
use domain::primitives::key::{ContactSecret, MessageId};
use domain::primitives::language::Language;
use domain::primitives::phone::{Country, Phone};
use domain::queue::job::MessageJob;
use domain::site::config::{Account, LiveConfig, Site};
use domain::template::{Category, Content, Parts, Pattern, Template, TemplateStatus};
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Context, LambdaEvent};
use local::emulators::{DataDir, Emulators};
use local::queues::Queues;
use runtime::Clock;
use runtime::metrics::Metrics;
use serde_json::{Value, json};
use store::config::ConfigTable;
use store::contacts::Contacts;
use store::ledger::{Claim, Claimed, Claims, EventRecord, Ledger, MessageRecord, Sending};
use store::schedule::{Lane, Schedule};
use store::tables::{create_all, table_name};
use store::webhooks::Webhooks;
use track_delivery::{App, Config};

const STACK: &str = "bridge";
const HMAC: &str = "0123456789abcdef0123456789abcdef0123456789a";
/// Start time of every test, in seconds since 1970.
const BEGINNING: i64 = 1_795_341_600;
/// Anna's number, as Meta writes it.
pub(crate) const ANNA: &str = "393401234567";

pub(crate) struct World {
    pub(crate) config: ConfigTable,
    pub(crate) ledger: Ledger,
    pub(crate) contacts: Contacts,
    pub(crate) schedule: Schedule,
    pub(crate) webhooks: Webhooks,
    app: App,
    second: Arc<AtomicI64>,
    /// The URL of the queue into which platform events are put back.
    statuses: String,
    emulators: Emulators,
}

impl World {
    /// Creates the world: `demo` and `outlet` send from the number 111 of the account 222, `other` from 333 of 444.
    pub(crate) async fn start() -> Self {
        let emulators = Emulators::start(DataDir::Memory).unwrap();
        create_all(&emulators.dynamodb(), STACK).await.unwrap();
        let keys = json!({ "hmac": HMAC }).to_string();
        emulators.secrets().create_secret().name(format!("{STACK}/keys")).secret_string(keys).send().await.unwrap();
        let statuses = Queues::create(&emulators.sqs(), STACK, 180).await.unwrap().statuses.url;
        let table = |name| table_name(STACK, name);
        let second = Arc::new(AtomicI64::new(BEGINNING));
        let world = Self {
            config: ConfigTable::new(emulators.dynamodb(), table("Config")),
            ledger: Ledger::new(emulators.dynamodb(), table("Ledger")),
            contacts: Contacts::new(emulators.dynamodb(), table("Contacts")),
            schedule: Schedule::new(emulators.dynamodb(), table("Schedule")),
            webhooks: Webhooks::new(emulators.dynamodb(), table("Config")),
            app: app(&emulators, STACK, &statuses, &second),
            second,
            statuses,
            emulators,
        };
        for (id, phone_number_id, waba_id) in
            [("demo", "111", "222"), ("outlet", "111", "222"), ("other", "333", "444")]
        {
            let account: Account = serde_json::from_value(json!({
                "id": "main", "base_url": "https://x/v23.0", "phone_number_id": phone_number_id, "waba_id": waba_id
            }))
            .unwrap();
            world.config.put_site(&Site::new(site(id))).await.unwrap();
            world.config.put_account(&site(id), &account).await.unwrap();
            world.webhooks.add_sender(&site(id), phone_number_id, waba_id).await.unwrap();
            // The templates come first: saving a mapping makes the templates it uses live.
            world.config.put_templates(&site(id), &main(), &[template()]).await.unwrap();
            world.config.put_mapping(&site(id), &serde_json::from_value(mapping()).unwrap()).await.unwrap();
        }
        world
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_second(self.second.load(Ordering::SeqCst)).unwrap()
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.second.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Delivers records as one batch. Returns the positions of those to be delivered again.
    pub(crate) async fn deliver(&self, bodies: &[Value]) -> Vec<String> {
        deliver(&self.app, bodies).await
    }

    /// Like [`World::deliver`], with a function that cannot read its secrets.
    pub(crate) async fn deliver_without_secrets(&self, bodies: &[Value]) -> Vec<String> {
        deliver(&app(&self.emulators, "missing", &self.statuses, &self.second), bodies).await
    }

    /// Returns the number of platform events that were put back.
    pub(crate) async fn put_back(&self) -> u32 {
        local::queues::length(&self.emulators.sqs(), &self.statuses).await.unwrap()
    }

    /// Sends a message of the site `demo` to a number and returns its id. The provider's id is `wamid.` followed by
    /// the event's id.
    pub(crate) async fn send(&self, event_id: &str, number: &str) -> MessageId {
        self.send_as(event_id, number, false).await
    }

    /// Like [`World::send`], as a probe of the stopped account.
    pub(crate) async fn probe(&self, event_id: &str, number: &str) -> MessageId {
        self.send_as(event_id, number, true).await
    }

    async fn send_as(&self, event_id: &str, number: &str, probe: bool) -> MessageId {
        let (site, now) = (site("demo"), self.now());
        let live = self.live("demo").await;
        let event = event(event_id, number, now);
        let planned = plan(&event, &live);
        let record = EventRecord {
            trace: None,
            site: &site,
            event: &event,
            received_at: now,
            plan: &planned,
            retention_days: 90,
        };
        self.ledger.record_event(record, now).await.unwrap();
        let job = MessageJob::first(&site, &event.id, &planned.messages[0]);
        let message = MessageRecord { job: &job, event: &event, retention_days: 90 };
        let contact = contact("demo", number);
        let sending = Sending {
            account: "main",
            template: ("stato", "it"),
            phone: &format!("+{number}"),
            contact: &contact,
            text: "Ciao.",
        };
        let guards = guards(&site, &live.mappings[0], &event, &job.recipient, now);
        let guards = Guards { latest: None, dedup_key: None, ..guards };
        let person = secret().person_key(&site, &job.recipient);
        let claim = Claim {
            message: &message,
            owner: event_id,
            sending,
            person: &person,
            marketing: false,
            probe,
            guards: &guards,
            remember_for: SignedDuration::from_hours(24),
            files: None,
            collection: None,
        };
        let claims = Claims::new(self.ledger.clone(), table_name(STACK, "Contacts"));
        assert_eq!(claims.claim(claim, now, &|| false).await.unwrap(), Claimed::Ours);
        let answer = Answer::Accepted { at: now, provider_id: format!("wamid.{event_id}"), note: None };
        self.ledger.settle(&site, &message.id(), event_id, &answer).await.unwrap();
        message.id()
    }

    pub(crate) async fn state(&self, id: &MessageId) -> State {
        self.ledger.message(id).await.unwrap().unwrap().state()
    }

    /// Lifts the STOP of a number as an operator would. Returns whether there was one.
    pub(crate) async fn lift_stop(&self, contact: &str) -> bool {
        let lifted = Lifted::Suppression { scope: Scope::All, source: Source::Stop };
        let lift = Lift { lifted, at: self.now(), by: "operator".to_owned(), reason: "phoned".to_owned() };
        self.contacts.lift(contact, &lift).await.unwrap()
    }

    /// Returns the data about a number at a site.
    pub(crate) async fn known(&self, site: &str, number: &str) -> ContactData {
        self.contacts.of_contact(&contact(site, number)).await.unwrap()
    }

    /// Returns the scopes and sources of a number's suppressions at a site, as `all/stop`.
    pub(crate) async fn suppressions(&self, site: &str, number: &str) -> Vec<String> {
        let known = self.known(site, number).await;
        known.suppressions.iter().map(|one| format!("{}/{}", one.scope, one.source)).collect()
    }

    pub(crate) async fn live(&self, id: &str) -> LiveConfig {
        self.config.live(&site(id)).await.unwrap().unwrap()
    }

    /// Returns why a message of a site would be skipped or wait now; `None` if it would be sent.
    pub(crate) async fn refusal(&self, site: &str) -> Option<Result<Reason, String>> {
        let (live, now) = (self.live(site).await, self.now());
        let event = event("e", ANNA, now);
        let (mapping, recipient) = (MappingId::parse("orders").unwrap(), ObjectId::parse("C7").unwrap());
        let planned = PlannedMessage { mapping, recipient };
        match decide(&event, &planned, &live, &DecisionContext::default(), now) {
            Ok(_) => None,
            Err(Halt::Skip(skip)) => Some(Ok(skip.reason)),
            Err(Halt::Wait { waiting, .. }) => Some(Err(waiting.why.to_string())),
        }
    }

    /// Returns the code of an account's stop and the seconds until its probe.
    pub(crate) async fn stop(&self, id: &str) -> Option<(String, i64)> {
        let lane = Lane { site: site(id), account: main() };
        let stop = self.schedule.account_state(&lane).await.unwrap().health.stop?;
        Some((stop.code, stop.probe_at.duration_since(self.now()).as_secs()))
    }

    /// Returns the causes of the dead letters of a site, or of those without a site.
    pub(crate) async fn dead(&self, id: Option<&str>) -> Vec<String> {
        let site = id.map(site);
        self.ledger.dead_letters(site.as_ref(), self.now()).await.unwrap()
    }
}

fn app(emulators: &Emulators, stack: &str, statuses: &str, second: &Arc<AtomicI64>) -> App {
    let config = Config {
        config_table: table_name(STACK, "Config"),
        ledger_table: table_name(STACK, "Ledger"),
        contacts_table: table_name(STACK, "Contacts"),
        schedule_table: table_name(STACK, "Schedule"),
        statuses_queue_url: statuses.to_owned(),
        stack: stack.to_owned(),
        metrics: Metrics::kept(stack, "track-delivery"),
    };
    let second = Arc::clone(second);
    let clock = Clock::from_fn(move || Timestamp::from_second(second.load(Ordering::SeqCst)).unwrap());
    App::new(emulators.dynamodb(), emulators.sqs(), emulators.secrets(), config, clock)
}

async fn deliver(app: &App, bodies: &[Value]) -> Vec<String> {
    let mut event = SqsEvent::default();
    for (place, body) in bodies.iter().enumerate() {
        let mut record = SqsMessage::default();
        record.message_id = Some(place.to_string());
        // A JSON string represents a body that is not valid JSON of ours.
        record.body = Some(body.as_str().map_or_else(|| body.to_string(), str::to_owned));
        event.records.push(record);
    }
    let response = track_delivery::handle(app, LambdaEvent::new(event, Context::default())).await;
    response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
}

pub(crate) fn site(id: &str) -> SiteId {
    SiteId::parse(id).unwrap()
}

pub(crate) fn main() -> AccountId {
    AccountId::parse("main").unwrap()
}

pub(crate) fn secret() -> ContactSecret {
    ContactSecret::parse(HMAC).unwrap()
}

/// Returns the pseudonym of a number at a site.
pub(crate) fn contact(id: &str, number: &str) -> String {
    secret().contact_key(&site(id), &Phone::parse(&format!("+{number}"), Country::ITALY).unwrap())
}

fn event(id: &str, number: &str, now: Timestamp) -> Event {
    let document = json!({
        "id": id, "type": "order.status_changed", "occurred_at": now, "language": "it",
        "data": {
            "order": {"id": "1320", "status": "EVASO", "total": {"amount": "1.00", "currency": "EUR"}, "item_count": 1},
            "customer": {"id": "C7", "phone": format!("+{number}")}
        }
    });
    Event::parse(document, now).unwrap()
}

pub(crate) fn template() -> Template {
    Template {
        name: "stato".to_owned(),
        language: Language::italian(),
        status: TemplateStatus::Approved,
        category: Category::Utility,
        quality: None,
        content: Content::Usable(Parts::of_body(Pattern::parse("Ciao."))),
        fingerprint: "f".to_owned(),
    }
}

fn mapping() -> Value {
    json!({
        "id": "orders", "name": "Orders", "event_type": "order.status_changed", "enabled": true,
        "active_since": "2020-01-01T00:00:00Z", "useful_for": "7d", "on_unknown": "never_resend",
        "templates": {"it": {"name": "stato", "language": "it", "fingerprint": "f", "body": {}}}
    })
}
