//! The data of the models: a shop with one mapping, its events, and their keys in the tables.

use domain::event::Event;
use domain::primitives::id::{AccountId, SiteId};
use domain::primitives::key::ContactSecret;
use domain::primitives::language::Language;
use domain::primitives::phone::{Country, Phone};
use domain::site::config::{Account, LiveConfig, Site};
use domain::template::{Category, Content, Parts, Pattern, Template, TemplateStatus};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const HMAC: &str = "0123456789abcdef0123456789abcdef0123456789a";
const PHONE: &str = "+393401234567";
/// The start of every story, in seconds since 1970.
const BEGINNING: i64 = 1_795_341_600;

/// Returns the time `second` seconds after the start.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(BEGINNING + second).unwrap()
}

pub(crate) fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

pub(crate) fn site() -> SiteId {
    SiteId::parse("demo").unwrap()
}

pub(crate) fn account() -> AccountId {
    AccountId::parse("main").unwrap()
}

pub(crate) fn secret() -> ContactSecret {
    ContactSecret::parse(HMAC).unwrap()
}

pub(crate) fn phone() -> Phone {
    Phone::parse(PHONE, Country::ITALY).unwrap()
}

/// Returns the pseudonym of the only phone number.
pub(crate) fn contact() -> String {
    secret().contact_key(&site(), &phone())
}

/// Returns an event that reports a status of the only order.
pub(crate) fn order(id: &str, status: &str, second: i64) -> Event {
    let document = json!({
        "id": id, "type": "order.status_changed", "occurred_at": at(second), "language": "it",
        "data": {
            "order": {"id": "1320", "status": status, "total": {"amount": "1.00", "currency": "EUR"}, "item_count": 1},
            "customer": {"id": "C7", "phone": PHONE, "whatsapp_opt_out": false}
        }
    });
    Event::parse(document, at(second)).unwrap()
}

/// Returns the configuration of the shop, with a mapping of one event type.
pub(crate) fn live(event_type: &str) -> LiveConfig {
    let account: Account = serde_json::from_value(json!({
        "id": account(), "base_url": "https://x/v23.0", "phone_number_id": "111", "waba_id": "222"
    }))
    .unwrap();
    let mapping = serde_json::from_value(mapping(event_type)).unwrap();
    let template = Template {
        name: "stato".to_owned(),
        language: Language::italian(),
        status: TemplateStatus::Approved,
        category: Category::Utility,
        quality: None,
        content: Content::Usable(Parts::of_body(Pattern::parse("Ciao."))),
        fingerprint: "f".to_owned(),
    };
    let templates = vec![(account.id.clone(), template)];
    LiveConfig {
        site: Site::new(site()),
        accounts: vec![account],
        mappings: vec![mapping],
        templates,
        holds: Vec::new(),
    }
}

fn mapping(event_type: &str) -> Value {
    json!({
        "id": "told", "name": "Told", "event_type": event_type, "enabled": true,
        "active_since": "2020-01-01T00:00:00Z", "account": account(),
        "templates": {"it": {"name": "stato", "language": "it", "fingerprint": "f", "body": {}}}
    })
}

/// Returns an event that saves the only activity. It starts at `starts` and has a reminder one hour before.
pub(crate) fn saved(id: &str, second: i64, starts: i64) -> Event {
    let starts_at = at(starts).to_zoned(TimeZone::get("Europe/Rome").unwrap());
    let document = json!({
        "id": id, "type": "activity.saved", "occurred_at": at(second),
        "data": {
            "activity": {"id": "A1", "subject": "Visita", "starts_at": starts_at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
                         "all_day": false, "time_zone": "Europe/Rome", "state": "PIANIFICATA"},
            "creator": {"id": "C"}, "assignees": [{"id": "P", "phone": PHONE, "whatsapp_opt_out": false}],
            "reminders": [{"id": "r1", "minutes_before": 60, "notify": ["whatsapp"]}],
            "notify": ["whatsapp"]
        }
    });
    Event::parse(document, at(second)).unwrap()
}

/// Returns an event that deletes the only activity.
pub(crate) fn deleted(id: &str, second: i64) -> Event {
    let data = json!({"activity": {"id": "A1"}});
    let document = json!({"id": id, "type": "activity.deleted", "occurred_at": at(second), "data": data});
    Event::parse(document, at(second)).unwrap()
}
