//! One story per skip reason that needs no schedule, no suppression and no platform event. Each one changes the
//! configuration and sends an event. It then checks the reason with the value that decided, and that nothing is on the
//! phone.

use std::collections::BTreeSet;

use domain::event::EventType;
use domain::mapping::{Action, Mapping, ValueSource};
use domain::message::reason::Reason;
use domain::message::state::State;
use domain::primitives::id::{EventId, MappingId, ObjectId, SiteId};
use domain::primitives::key::{MessageId, event_key, message_key};
use domain::site::config::{Account, Site};
use jiff::SignedDuration;
use kit::{World, example, file_uploaded, message_sent, order_status_changed};
use serde_json::{Value, json};

use crate::reviews::{confirm, save};
use crate::templates::{raise, sync};
use crate::validation::codes;

/// Reasons that other stories cover: carts and reminders, suppressions, reports, and ids used twice.
const ELSEWHERE: [Reason; 5] =
    [Reason::NotLatestCart, Reason::Suppressed, Reason::Unreachable, Reason::Cancelled, Reason::Conflict];
/// The number of reasons in the list of the contract.
const REASONS: usize = 33;

/// Reasons that only the ledger knows, so a dry run does not announce them.
const OF_THE_LEDGER: [Reason; 2] = [Reason::Superseded, Reason::AlreadyNotified];

/// Returns the code with which a dry run announces a reason.
fn code_of(reason: Reason) -> String {
    match reason {
        Reason::PhoneMissing => "no_phone".to_owned(),
        Reason::Expired => "long_past".to_owned(),
        // The event does not state the consent, and a dry run does not read the recorded one.
        Reason::ConsentMissing => "missing_consent".to_owned(),
        other => other.to_string(),
    }
}

/// The change that precedes the event.
enum Change {
    Nothing,
    Site(fn(&mut Site)),
    Account(fn(&mut Account)),
    /// The mapping of orders, `stato-ordine`.
    Mapping(fn(&mut Mapping)),
    /// The template of orders, `conferma_ordine`. It is synced but not confirmed.
    Template(Value),
    /// The same, and an operator confirmed the mapping.
    Confirmed(Value),
    /// Another event was handled before.
    Fixed(Value),
}

struct Story {
    reason: Reason,
    detail: String,
    change: Change,
    event: Value,
}

fn story(reason: Reason, detail: &str, change: Change, event: Value) -> Story {
    Story { reason, detail: detail.to_owned(), change, event }
}

/// Anna's order with another value in one place.
fn order(pointer: &str, value: Value) -> Value {
    with(order_status_changed("e-1"), pointer, value)
}

fn with(mut event: Value, pointer: &str, value: Value) -> Value {
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    event.pointer_mut(parent).unwrap()[field] = value;
    event
}

fn message(recipients: &Value) -> Value {
    message_sent("e-1", recipients)
}

fn of_mappings() -> Vec<Story> {
    let event = || order_status_changed("e-1");
    vec![
        story(Reason::NoMapping, "", Change::Mapping(|mapping| mapping.enabled = false), event()),
        story(
            Reason::ConditionNotMet,
            "order.status = MEMORIZZATO",
            Change::Mapping(|mapping| mapping.order_statuses = vec!["EVASO".to_owned()]),
            event(),
        ),
        story(
            Reason::BeforeActivation,
            "2026-11-22T09:15:00Z < 2026-12-01T00:00:00Z",
            Change::Mapping(|mapping| mapping.active_since = "2026-12-01T00:00:00Z".parse().unwrap()),
            event(),
        ),
        story(
            Reason::GroupNotIncluded,
            "Clienti web",
            Change::Mapping(|mapping| mapping.groups = vec!["Rivenditori".to_owned()]),
            event(),
        ),
        story(
            Reason::NoTemplateForLanguage,
            "it",
            Change::Mapping(|mapping| mapping.templates.retain(|language, _| language.as_str() == "en")),
            event(),
        ),
        story(
            Reason::ValueMissing,
            "{{1}} = order.tracking_number",
            Change::Mapping(|mapping| {
                let value: ValueSource = serde_json::from_value(json!({"variable": "order.tracking_number"})).unwrap();
                let filled = mapping.templates.values_mut().flat_map(|used| used.body.values_mut());
                filled.for_each(|one| one.clone_from(&value));
            }),
            event(),
        ),
    ]
}

fn of_templates() -> Vec<Story> {
    let event = || order_status_changed("e-1");
    vec![
        story(
            Reason::TemplateNotApproved,
            "conferma_ordine (it): DISABLED",
            Change::Template(json!({"status": "DISABLED"})),
            event(),
        ),
        story(
            Reason::TemplateChanged,
            "conferma_ordine (it): category, since 2026-11-22T10:00:00Z",
            Change::Template(json!({"category": "MARKETING"})),
            event(),
        ),
        story(
            Reason::CategoryRefused,
            "AUTHENTICATION",
            Change::Confirmed(json!({"category": "AUTHENTICATION"})),
            event(),
        ),
        story(
            Reason::TemplateNotUsable,
            "conferma_ordine (it): it has a part of the kind CAROUSEL",
            Change::Confirmed(json!({"components": [{"type": "BODY", "text": "Ciao."}, {"type": "CAROUSEL"}]})),
            event(),
        ),
        story(Reason::ConsentMissing, "conferma_ordine", Change::Confirmed(json!({"category": "MARKETING"})), event()),
    ]
}

fn of_events() -> Vec<Story> {
    let (anna, bea) = (json!({"id": "A", "phone": "3331234567"}), json!({"id": "B", "phone": "+39 333 1234567"}));
    let silent = with(anna.clone(), "/whatsapp_opt_out", json!(true));
    let notified_before = MessageId {
        event: event_key(&SiteId::parse("demo").unwrap(), &EventId::parse("e-0").unwrap()),
        message: message_key(&MappingId::parse("stato-ordine").unwrap(), &ObjectId::parse("C7").unwrap(), 1),
    }
    .to_string();
    let cart = with(example(EventType::CartAbandoned).unwrap(), "/data/cart/created_by_agent", json!(true));
    let nobody = with(example(EventType::ActivityReminder).unwrap(), "/data/owner", Value::Null);
    let nobody = with(nobody, "/data/assignees", json!([]));
    let long = order("/data/customer/first_name", json!("Anna ".repeat(300)));
    vec![
        story(
            Reason::NotifyNotRequested,
            "",
            Change::Nothing,
            with(message(&json!([anna])), "/data/notify", json!(["email"])),
        ),
        story(
            Reason::SenderNotPermitted,
            "",
            Change::Nothing,
            with(message(&json!([anna])), "/data/sender_may_notify", json!(false)),
        ),
        story(Reason::CreatedByAgent, "", Change::Nothing, cart),
        story(Reason::ActorIsRecipient, "", Change::Nothing, {
            file_uploaded("e-1", &json!([{"id": "C7", "phone": "3331234567"}]))
        }),
        story(Reason::SamePhone, "", Change::Nothing, message(&json!([silent, bea]))),
        story(Reason::MarketplaceOrder, "Amazon", Change::Nothing, order("/data/order/marketplace", json!("Amazon"))),
        story(Reason::NoRecipient, "", Change::Nothing, nobody),
        story(Reason::PhoneMissing, "", Change::Nothing, order("/data/customer/phone", Value::Null)),
        story(Reason::PhoneInvalid, "n.d.", Change::Nothing, order("/data/customer/phone", json!("n.d."))),
        story(Reason::OptedOut, "", Change::Nothing, order("/data/customer/whatsapp_opt_out", json!(true))),
        story(Reason::TextTooLong, "{{1}}: 1576 > 1024", Change::Nothing, long),
        story(
            Reason::Expired,
            "2026-11-17T10:00:00Z",
            Change::Nothing,
            order("/occurred_at", json!("2026-11-10T10:00:00Z")),
        ),
        story(
            Reason::Superseded,
            "2026-11-22T09:15:00Z",
            Change::Fixed(with(
                with(order_status_changed("e-0"), "/data/order/status", json!("EVASO")),
                "/data/order/version",
                json!(8),
            )),
            order("/data/order/version", json!(7)),
        ),
        story(
            Reason::AlreadyNotified,
            &notified_before,
            Change::Fixed(order_status_changed("e-0")),
            order("/data/order/version", json!(4)),
        ),
    ]
}

fn of_the_site() -> Vec<Story> {
    let event = || order_status_changed("e-1");
    vec![
        story(Reason::SiteInactive, "", Change::Site(|site| site.active = false), event()),
        story(Reason::AccountInactive, "main", Change::Account(|account| account.active = false), event()),
    ]
}

async fn apply(world: &World, change: &Change) {
    let (site, live) = (world.site().unwrap(), world.live().await.unwrap());
    let changed = |template: Value| async move {
        world.set_template("conferma_ordine", "it", &template).await.unwrap();
        sync(world).await.unwrap();
    };
    match change {
        Change::Nothing => {}
        Change::Site(change) => {
            let mut site = live.site;
            change(&mut site);
            world.config.put_site(&site).await.unwrap();
        }
        Change::Account(change) => {
            let mut account = live.accounts.into_iter().next().unwrap();
            change(&mut account);
            world.config.put_account(&site, &account).await.unwrap();
        }
        Change::Mapping(change) => {
            let mut mapping = live.mappings.into_iter().find(|one| one.id.as_str() == "stato-ordine").unwrap();
            change(&mut mapping);
            world.config.put_mapping(&site, &mapping).await.unwrap();
        }
        Change::Template(template) => changed(template.clone()).await,
        Change::Confirmed(template) => {
            changed(template.clone()).await;
            confirm(world, "stato-ordine").await;
        }
        Change::Fixed(event) => raise(world, event).await,
    }
}

/// Returns the skipped messages of an event with their reasons, as `bridge explain` prints them.
async fn skipped(world: &World, event: &Value) -> Vec<(Reason, String)> {
    let id = EventId::parse(event["id"].as_str().unwrap()).unwrap();
    let event = world.ledger.event(&world.site().unwrap(), &id).await.unwrap().unwrap();
    let of_plan = event.plan.skips.into_iter().map(|planned| planned.skip);
    let messages = event.messages.into_iter().filter_map(|message| match message.facts.state() {
        State::Skipped(skip) => Some(skip),
        _ => None,
    });
    of_plan.chain(messages).map(|skip| (skip.reason, skip.detail)).collect()
}

#[tokio::test]
async fn each_reason_is_recorded_with_the_value_that_decided() {
    let stories: Vec<Story> =
        [of_the_site(), of_mappings(), of_templates(), of_events()].into_iter().flatten().collect();
    for Story { reason, detail, change, event } in &stories {
        let world = World::start().await.unwrap();
        apply(&world, change).await;
        let before = world.phone().await.unwrap().len();
        let announced = codes(&world, event).await;
        raise(&world, event).await;
        let skipped = skipped(&world, event).await;
        println!("{reason}: {skipped:?}");
        let (_, value) =
            skipped.iter().find(|(why, _)| why == reason).unwrap_or_else(|| panic!("{reason}: {skipped:?}"));
        assert!(value.starts_with(detail) && value.is_empty() == detail.is_empty(), "{reason}: {value}");
        assert_eq!(world.phone().await.unwrap().len(), before, "{reason}");
        assert_eq!(announced.contains(&code_of(*reason)), !OF_THE_LEDGER.contains(reason), "{reason}: {announced:?}");
        world.finish().await.unwrap();
    }
    let received: BTreeSet<Reason> = stories.iter().map(|story| story.reason).collect();
    assert!(ELSEWHERE.iter().all(|reason| !received.contains(reason)));
    // The test below covers one more.
    assert_eq!(received.len() + ELSEWHERE.len() + 1, REASONS);
}

#[tokio::test]
async fn a_planned_message_is_skipped_once_its_mapping_is_disabled_or_deleted() {
    for action in [Action::Disabled, Action::Deleted] {
        let world = World::start().await.unwrap();
        // The plan exists, and the platform accepts nothing for now.
        world.fault(&json!({"effect": {"error": {"status": 429, "code": 130_429}}})).await.unwrap();
        raise(&world, &order_status_changed("e-1")).await;
        assert!(matches!(world.state("e-1", "stato-ordine", "C7").await.unwrap(), State::Waiting(_)));
        save(&world, "stato-ordine", action, |mapping| mapping.enabled = false).await;
        world.pass(SignedDuration::from_mins(2)).await.unwrap();
        let skipped = skipped(&world, &order_status_changed("e-1")).await;
        assert_eq!(skipped, [(Reason::MappingDisabled, String::new())], "{action}");
        assert!(world.phone().await.unwrap().is_empty());
        world.finish().await.unwrap();
    }
}
