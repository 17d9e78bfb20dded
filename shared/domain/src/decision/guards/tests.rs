//! Rules against repeated and out-of-order messages, for each event type.

use serde_json::{Value, json};

use super::*;
use crate::event::EventType;
use crate::event::example::published;
use crate::message::state::{Answer, Failure, Status, StatusFact};

fn received_at() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

/// Returns the published example of an event type, with some fields changed.
fn event(kind: EventType, changes: &[(&str, Value)]) -> Event {
    let mut document = published(kind);
    for (pointer, value) in changes {
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        document.pointer_mut(parent).unwrap()[field] = value.clone();
    }
    Event::parse(document, received_at()).unwrap()
}

fn order(status: &str) -> Event {
    event(EventType::OrderStatusChanged, &[("/data/order/status", json!(status)), ("/data/order/version", json!(7))])
}

fn activity(state: &str) -> Event {
    event(EventType::ActivityStatusChanged, &[("/data/new_state", json!(state))])
}

fn guards_with(repeat: Option<&str>, event: &Event) -> Guards {
    let mapping = json!({"id": "m", "name": "m", "event_type": event.kind().name(), "enabled": true,
                         "active_since": "2020-01-01T00:00:00Z", "templates": {}, "repeat": repeat});
    let mapping: Mapping = serde_json::from_value(mapping).unwrap();
    let recipient = ObjectId::parse("R").unwrap();
    guards(&SiteId::parse("demo").unwrap(), &mapping, event, &recipient, received_at())
}

#[test]
fn only_orders_and_activities_have_states_that_supersede_one_another() {
    let states = EventType::ALL.map(|kind| (kind, state(&event(kind, &[])).is_some()));
    for (kind, has_state) in states {
        let expected = matches!(kind, EventType::OrderStatusChanged | EventType::ActivityStatusChanged);
        assert_eq!(has_state, expected, "{kind}");
        assert_eq!(guards_with(None, &event(kind, &[])).latest.is_some(), expected, "{kind}");
    }
}

#[test]
fn a_state_has_one_name_for_all_its_spellings() {
    assert_eq!(state(&order("MEMORIZZATO")), state(&order("confermato")));
    assert_eq!(state(&order("Pronto al ritiro")), state(&order("PRONTO AL  RITIRO")));
    assert_ne!(state(&order("EVASO")), state(&order("BOLLATO")));
    assert_eq!(state(&activity("Completata")), state(&activity("COMPLETATA")));
    assert_ne!(state(&activity("Completata")), state(&activity("Annullata")));
}

#[test]
fn a_version_orders_the_events_of_a_subject() {
    assert_eq!(guards_with(None, &order("EVASO")).version.version, Some(7));
    assert_eq!(guards_with(None, &activity("Completata")).version.version, Some(3));
    assert_eq!(guards_with(None, &event(EventType::ActivityReminder, &[])).version.version, Some(2));
    assert_eq!(guards_with(None, &event(EventType::FileUploaded, &[])).version.version, None);
    let version = guards_with(None, &order("EVASO")).version;
    assert_eq!((version.occurred_at, version.received_at), (order("EVASO").occurred_at, received_at()));
}

#[test]
fn only_a_cancellation_takes_back_earlier_states() {
    for (event, expected) in [
        (order("ANNULLATO"), true),
        (order("Modificato - Annullato"), true),
        (order("EVASO"), false),
        (order("Annullato dal cliente"), false),
        (activity("Annullata"), true),
        (activity("Completata"), false),
    ] {
        assert_eq!(takes_back(&event), expected, "{:?}", state(&event));
    }
    let others = EventType::ALL.into_iter().filter(|kind| takes_back(&event(*kind, &[])));
    assert_eq!(others.count(), 0, "no published example is a cancellation");
}

#[test]
fn the_dedup_key_follows_the_mappings_repeat() {
    let key = |repeat, event: &Event| guards_with(repeat, event).dedup_key;
    assert_eq!(key(Some("every"), &order("EVASO")), None);
    assert_eq!(key(None, &order("EVASO")), key(Some("once_per_state"), &order("Evaso")));
    assert_ne!(key(None, &order("EVASO")), key(None, &order("BOLLATO")));
    assert_eq!(key(Some("once_per_actor"), &order("EVASO")), None, "nobody acts on an order");
    let read_by = |id| event(EventType::MessageRead, &[("/data/reader/id", json!(id))]);
    assert_eq!(key(None, &read_by("G3")), key(None, &read_by("G3")));
    assert_ne!(key(None, &read_by("G3")), key(None, &read_by("G4")));
    assert_eq!(key(Some("once_per_state"), &read_by("G3")), None, "a reading has no state");
}

#[test]
fn a_reminder_is_guarded_by_its_activity_and_a_cart_notice_by_its_cart() {
    let reminder = guards_with(Some("every"), &event(EventType::ActivityReminder, &[]));
    assert!(reminder.dedup_key.is_some(), "a reminder is sent once whatever the mapping repeats");
    assert!(matches!(reminder.activity.unwrap().basis, ReminderBasis::Start(_)));
    assert_eq!(reminder.cart, None);
    let abandoned = event(EventType::CartAbandoned, &[]);
    let cart = guards_with(None, &abandoned).cart.unwrap();
    assert_eq!(cart.left_at.to_string(), "2026-11-22T08:45:00Z");
    assert!(!cart.requested);
    assert_ne!(cart.keys.all, cart.keys.ended);
    let other = event(EventType::CartAbandoned, &[("/data/cart/id", json!("K56"))]);
    let other = guards_with(None, &other).cart.unwrap();
    assert_eq!(other.keys.all, cart.keys.all);
    assert_ne!(other.keys.ended, cart.keys.ended);
}

#[test]
fn a_dedup_key_is_renewed_only_after_half_its_lifetime() {
    let remember_for = SignedDuration::from_hours(730 * 24);
    let left = |hours: i64| renewal(received_at() + SignedDuration::from_hours(hours), received_at(), remember_for);
    assert_eq!(left(730 * 24), None);
    assert_eq!(left(365 * 24), None);
    let renewed = Some(received_at() + remember_for);
    assert_eq!(left(365 * 24 - 1), renewed);
    // This one has expired and is not deleted yet.
    assert_eq!(left(-1), renewed);
}

#[test]
fn already_notified_names_a_failed_or_unknown_outcome() {
    let at = received_at();
    let failure = Failure { code: "132000".to_owned(), details: String::new(), trace_id: None };
    let of = |answer: Option<Answer>, statuses: &[Status]| {
        let fact = StatusFact { at, code: None, details: None, category: None };
        let statuses = statuses.iter().map(|status| (*status, fact.clone())).collect();
        Facts { answer, statuses, ..Facts::default() }
    };
    let accepted = Answer::Accepted { at, provider_id: "w".to_owned(), note: None };
    let refused = Answer::Refused { at, failure };
    let unknown = Answer::Unknown { at, cause: "cut".to_owned(), details: None };
    for (facts, detail, is_refused) in [
        (None, "e.m", false),
        (Some(of(Some(accepted.clone()), &[])), "e.m", false),
        (Some(of(Some(accepted), &[Status::Failed])), "e.m, failed", false),
        (Some(of(Some(refused.clone()), &[])), "e.m, failed", true),
        (Some(of(Some(refused), &[Status::Delivered])), "e.m", false),
        (Some(of(Some(unknown), &[])), "e.m, unknown", false),
    ] {
        assert_eq!(facts.as_ref().is_some_and(Facts::is_refused), is_refused, "{facts:?}");
        let skip = already_notified("e.m", facts.as_ref());
        assert_eq!((skip.reason, skip.detail.as_str()), (Reason::AlreadyNotified, detail), "{facts:?}");
    }
}

#[test]
fn explicit_preferences_reflect_the_fields_the_event_states() {
    let explicit = |opt_out: Value, consent: Value| {
        let changes = [("/data/customer/whatsapp_opt_out", opt_out), ("/data/customer/marketing_consent", consent)];
        let event = event(EventType::OrderStatusChanged, &changes);
        let recipient = event.recipients()[0].id.clone();
        let ExplicitPreferences { opt_out, consent } = ExplicitPreferences::of(&event, &recipient);
        (opt_out, consent)
    };
    assert_eq!(explicit(json!(null), json!(null)), (false, false));
    assert_eq!(explicit(json!(false), json!(null)), (true, false));
    assert_eq!(explicit(json!(null), json!(true)), (false, true));
    assert_eq!(guards_with(None, &order("EVASO")).explicit, ExplicitPreferences::default(), "nobody's");
}
