//! Tests of the dry run. The stories compare it with the outcome of real events.

use serde_json::{Value, json};

use super::*;
use crate::event::example::published as example;
use crate::event::schema;
use crate::primitives::id::{AccountId, SiteId};
use crate::site::config::{Account, Site};
use crate::template::{Category, Content, Parts, Pattern, Template, TemplateStatus};

fn now() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

fn template(category: Category) -> Template {
    Template {
        name: "avviso".to_owned(),
        language: Language::italian(),
        status: TemplateStatus::Approved,
        category,
        quality: None,
        content: Content::Usable(Parts::of_body(Pattern::parse("Ciao {{1}}, novità."))),
        fingerprint: "f1".to_owned(),
    }
}

fn mapping(id: &str, kind: EventType, changes: &[(&str, Value)]) -> Mapping {
    let mut document = json!({
        "id": id, "name": id, "event_type": kind, "enabled": true, "active_since": "2020-01-01T00:00:00Z",
        "templates": {
            "it": {"name": "avviso", "language": "it", "fingerprint": "f1", "body": {"1": {"variable": "full_name"}}}
        }
    });
    for (field, value) in changes {
        document[field] = value.clone();
    }
    serde_json::from_value(document).unwrap()
}

fn config(mappings: Vec<Mapping>) -> LiveConfig {
    let main = AccountId::parse("main").unwrap();
    let account: Account = serde_json::from_value(json!({
        "id": "main", "base_url": "https://example.com/v1", "phone_number_id": "1", "waba_id": "2"
    }))
    .unwrap();
    LiveConfig {
        site: Site::new(SiteId::parse("demo").unwrap()),
        accounts: vec![account],
        mappings,
        templates: vec![(main, template(Category::Utility))],
        holds: Vec::new(),
    }
}

/// Returns a configuration with one mapping for each event type that can be notified about.
fn complete() -> LiveConfig {
    let kinds = EventType::ALL.into_iter().filter(|kind| kind.notification() != Notification::Never);
    config(kinds.map(|kind| mapping(&kind.name().replace(['.', '_'], "-"), kind, &[])).collect())
}

fn event(kind: EventType, changes: &[(&str, Value)]) -> Event {
    let mut document = example(kind);
    for (pointer, value) in changes {
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        document.pointer_mut(parent).unwrap()[field] = value.clone();
    }
    Event::parse(document, now()).unwrap()
}

/// Returns each warning as its code and pointer.
fn warned(event: &Event, config: &LiveConfig) -> Vec<String> {
    let warnings = dry_run(event, config, now()).warnings;
    warnings.iter().map(|warning| format!("{} {}", warning.code, warning.pointer)).collect()
}

const ORDER: EventType = EventType::OrderStatusChanged;

#[test]
fn an_event_that_would_be_notified_has_no_warning() {
    let event = event(ORDER, &[("/data/customer/phone", json!("340 123.4567"))]);
    let understood = dry_run(&event, &complete(), now());
    assert_eq!(understood.warnings, []);
    let expected = Recipient {
        id: ObjectId::parse("C7").unwrap(),
        role: "customer",
        pointer: "/data/customer".to_owned(),
        phone: Some(Phone::parse("+393401234567", Country::ITALY).unwrap()),
        country: Some("IT".to_owned()),
        language: Language::italian(),
    };
    assert_eq!(understood.recipients, [expected]);
    assert_eq!((understood.id.as_str(), understood.kind), ("order.status_changed:2026-11-22:1", ORDER));
    assert_eq!(understood.occurred_at.to_string(), "2026-11-22T09:15:00Z");
}

#[test]
fn every_recipient_of_every_type_is_listed_at_their_place() {
    for kind in EventType::ALL {
        let event = event(kind, &[]);
        let listed = dry_run(&event, &complete(), now()).recipients;
        for recipient in event.recipients() {
            assert!(listed.iter().any(|one| one.id == recipient.id), "{kind}");
        }
        for one in &listed {
            let place = event.document.pointer(&one.pointer).unwrap();
            assert_eq!(place["id"], one.id.as_str(), "{kind}");
        }
        let changes_later_messages = matches!(kind, EventType::ActivitySaved | EventType::CustomerUpdated);
        let is_listed = kind.notification() != Notification::Never || changes_later_messages;
        assert_eq!(!listed.is_empty(), is_listed, "{kind}");
    }
}

#[test]
fn the_examples_have_only_the_warnings_that_they_deserve() {
    for kind in EventType::ALL {
        let warned = warned(&event(kind, &[]), &complete());
        let other: Vec<&String> = warned.iter().filter(|warning| !warning.starts_with("missing_opt_out")).collect();
        assert!(other.is_empty(), "{kind}: {other:?}");
    }
}

#[track_caller]
fn check(changes: &[(&str, Value)], expected: &[&str]) {
    assert_eq!(warned(&event(ORDER, changes), &complete()), expected);
}

#[test]
fn contact_data_that_prevents_a_message_is_a_warning() {
    check(&[("/data/customer/phone", json!(null))], &["no_phone /data/customer/phone"]);
    check(&[("/data/customer/phone", json!("non lo so"))], &["phone_invalid /data/customer/phone"]);
    check(&[("/data/customer/phone", json!("06 69812345"))], &["landline /data/customer/phone"]);
    check(&[("/data/customer/country", json!("Svizera"))], &["unknown_country /data/customer/country"]);
    check(
        &[("/data/customer/country", json!("Svizera")), ("/data/customer/phone", json!("340 1234567"))],
        &["phone_invalid /data/customer/phone", "unknown_country /data/customer/country"],
    );
    check(&[("/data/customer/whatsapp_opt_out", json!(null))], &["missing_opt_out /data/customer/whatsapp_opt_out"]);
    check(&[("/data/customer/whatsapp_opt_out", json!(true))], &["opted_out /data/customer/whatsapp_opt_out"]);
}

#[test]
fn a_language_that_does_not_count_is_a_warning() {
    check(&[("/language", json!("xx"))], &["unknown_language /language"]);
    let own = [("/language", json!(null)), ("/data/customer/language", json!("xx"))];
    check(&own, &["unknown_language /data/customer/language"]);
    // The language of the session takes precedence.
    check(&[("/data/customer/language", json!("xx"))], &[]);
    let message = event(EventType::MessageRead, &[("/language", json!("de"))]);
    assert_eq!(warned(&message, &complete()), ["language_not_used /language"]);
}

#[test]
fn an_event_is_long_past_when_the_decision_finds_it_expired() {
    let before = |hours: i64| now() - jiff::SignedDuration::from_hours(hours);
    let aged = |hours| event(ORDER, &[("/occurred_at", json!(before(hours).to_string()))]);
    assert_eq!(warned(&aged(48), &complete()), Vec::<String>::new());
    assert_eq!(warned(&aged(49), &complete()), ["long_past /occurred_at"]);
    // The longest limit of the mappings counts. A shorter one is named.
    let mappings = |limits: &[&str]| {
        let useful = |limit: &&str| mapping(&format!("for-{limit}"), ORDER, &[("useful_for", json!(limit))]);
        config(limits.iter().map(useful).collect())
    };
    assert_eq!(warned(&aged(49), &mappings(&["12h", "7d"])), ["long_past /occurred_at"]);
    let named = dry_run(&aged(49), &mappings(&["12h", "7d"]), now()).warnings;
    assert_eq!(named.first().unwrap().mapping.as_ref().unwrap().as_str(), "for-12h");
    assert_eq!(warned(&aged(49), &config(Vec::new())), ["long_past /occurred_at", "no_mapping /type"]);
    let cart = |hours| {
        let left = [("/data/cart/abandoned_at", json!(before(hours).to_string()))];
        warned(&event(EventType::CartAbandoned, &left), &complete())
    };
    // The site's interval of three hours precedes the day in which the notice is useful.
    assert_eq!(cart(27), Vec::<String>::new());
    assert_eq!(cart(28), ["long_past /data/cart/abandoned_at"]);
}

#[test]
fn what_the_plan_leaves_out_is_a_warning() {
    check(&[("/data/order/marketplace", json!("eBay"))], &["marketplace_order /data/order/marketplace"]);
    let upload = |changes: &[(&str, Value)]| warned(&event(EventType::FileUploaded, changes), &complete());
    assert!(upload(&[("/data/notify", json!(["email"]))]).contains(&"notify_not_requested /data/notify".to_owned()));
    let actor = example(EventType::FileUploaded)["data"]["actor"].clone();
    let by_recipient = upload(&[("/data/administrators", json!([actor]))]);
    assert!(by_recipient.contains(&"actor_is_recipient /data/administrators/0/id".to_owned()), "{by_recipient:?}");
}

#[test]
fn a_mapping_that_does_not_apply_is_named_only_if_no_other_does() {
    let status = |id: &str, status: &str| mapping(id, ORDER, &[("order_statuses", json!([status]))]);
    let order = event(ORDER, &[]);
    assert_eq!(warned(&order, &config(vec![status("a", "EVASO"), status("b", "MEMORIZZATO")])), Vec::<String>::new());
    let none = dry_run(&order, &config(vec![status("a", "EVASO")]), now()).warnings;
    let warning = Warning {
        code: Code::Reason(Reason::ConditionNotMet),
        pointer: "/data".to_owned(),
        mapping: Some(MappingId::parse("a").unwrap()),
        detail: "order.status = MEMORIZZATO".to_owned(),
    };
    assert_eq!(none, [warning]);
    let group = |id: &str, group: &str| mapping(id, ORDER, &[("groups", json!([group]))]);
    let included = config(vec![group("a", "Agenti"), group("b", "Clienti web")]);
    assert_eq!(warned(&order, &included), Vec::<String>::new());
    assert_eq!(warned(&order, &config(vec![group("a", "Agenti")])), ["group_not_included /data/customer/groups"]);
}

#[test]
fn what_the_decision_refuses_is_a_warning() {
    let nameless = ["first_name", "last_name"].map(|field| (format!("/data/customer/{field}"), json!(null)));
    let nameless: Vec<(&str, Value)> = nameless.iter().map(|(at, value)| (at.as_str(), value.clone())).collect();
    check(&nameless, &["value_missing /data"]);
    let mut marketing = complete();
    marketing.templates.iter_mut().for_each(|(_, template)| template.category = Category::Marketing);
    let consent = |value: Value| warned(&event(ORDER, &[("/data/customer/marketing_consent", value)]), &marketing);
    assert_eq!(consent(json!(true)), Vec::<String>::new());
    assert_eq!(consent(json!(false)), ["consent_missing /data/customer/marketing_consent"]);
    assert_eq!(consent(json!(null)), ["missing_consent /data/customer/marketing_consent"]);
    let mut inactive = complete();
    inactive.site.active = false;
    assert_eq!(warned(&event(ORDER, &[]), &inactive), ["site_inactive "]);
}

#[test]
fn reminders_that_are_not_kept_are_warnings() {
    let saved = |changes: &[(&str, Value)], config: &LiveConfig| {
        let warned = warned(&event(EventType::ActivitySaved, changes), config);
        warned.into_iter().filter(|warning| !warning.starts_with("missing_opt_out")).collect::<Vec<_>>()
    };
    let state = [("/data/activity/state", json!("COMPLETATA"))];
    assert_eq!(saved(&state, &complete()), ["activity_over /data/activity/state"]);
    let forbidden = [("/data/sender_may_notify", json!(false))];
    assert_eq!(saved(&forbidden, &complete()), ["sender_not_permitted /data/sender_may_notify"]);
    let lead = [("/data/reminders/1/minutes_before", json!(100_000)), ("/data/reminders/0/notify", json!(["sms"]))];
    let expected = ["notify_not_requested /data/reminders/0/notify", "reminder_past /data/reminders/1"];
    assert_eq!(saved(&lead, &complete()), expected);
    assert_eq!(saved(&[], &config(Vec::new())), ["no_mapping /type"]);
}

#[test]
fn a_misspelt_field_is_a_warning_and_a_field_of_the_contract_is_none() {
    check(&[("/data/customer/whatsapp_optout", json!(true))], &["unknown_field /data/customer/whatsapp_optout"]);
    check(
        &[("/data/a~b/", json!({"": 1})), ("/lang", json!("it"))].map(|(at, value)| (at.trim_end_matches('/'), value)),
        &["unknown_field /lang", "unknown_field /data/a~0b"],
    );
    for kind in EventType::ALL {
        let known = schema(kind);
        assert!(known["properties"].is_object());
        assert_eq!(unknown_fields(kind, &example(kind)), Vec::<String>::new(), "{kind}");
    }
}

#[test]
fn a_dry_run_has_a_limited_number_of_warnings() {
    let people: Vec<Value> = (0..100).map(|id| json!({"id": id.to_string()})).collect();
    let message = event(EventType::MessageSent, &[("/data/recipients", json!(people))]);
    let understood = dry_run(&message, &complete(), now());
    assert_eq!((understood.recipients.len(), understood.warnings.len()), (100, WARNINGS_MAX));
}

#[test]
fn every_code_has_a_name_and_a_sentence_in_both_languages() {
    let codes = [
        (Code::of(Reason::PhoneMissing), "no_phone"),
        (Code::Landline, "landline"),
        (Code::UnknownCountry, "unknown_country"),
        (Code::UnknownLanguage, "unknown_language"),
        (Code::LanguageNotUsed, "language_not_used"),
        (Code::MissingOptOut, "missing_opt_out"),
        (Code::MissingConsent, "missing_consent"),
        (Code::of(Reason::Expired), "long_past"),
        (Code::ReminderPast, "reminder_past"),
        (Code::ActivityOver, "activity_over"),
        (Code::UnknownField, "unknown_field"),
        (Code::of(Reason::NoMapping), "no_mapping"),
    ];
    for (code, name) in codes {
        assert_eq!(code.to_string(), name);
        assert_ne!(code.italian(), code.english());
        assert!(code.italian().ends_with('.') && code.english().ends_with('.'), "{name}");
    }
}
