mod activities;
mod contract;
mod streams;

use serde_json::{Value, json};

use super::example::published as example;
use super::*;

fn now() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

fn order_event() -> Value {
    json!({
        "id": "c4a1b7e2-77", "type": "order.status_changed", "occurred_at": "2026-11-22T10:15:00+01:00",
        "language": "it", "extra": [1],
        "data": {
            "order": {"id": "1320", "code": "OC1/1320", "status": "MEMORIZZATO", "item_count": 3,
                      "total": {"amount": "129.90", "currency": "EUR"}, "date": "2026-11-22"},
            "customer": {"id": "C7", "first_name": "Anna", "last_name": "Rossi", "phone": "340 1234567"}
        }
    })
}

fn with(mut document: Value, pointer: &str, value: Value) -> Value {
    *document.pointer_mut(pointer).unwrap() = value;
    document
}

#[track_caller]
fn pointers(document: Value) -> Vec<String> {
    match Event::parse(document, now()) {
        Err(EventError::Invalid(faults)) => faults.into_iter().map(|fault| fault.pointer).collect(),
        other => panic!("expected faults, got {other:?}"),
    }
}

#[test]
fn an_order_is_read_and_unknown_fields_are_kept() {
    let event = Event::parse(order_event(), now()).unwrap();
    assert_eq!(event.kind(), EventType::OrderStatusChanged);
    assert_eq!(event.subject(), "order:1320");
    assert_eq!(event.occurred_at.to_string(), "2026-11-22T09:15:00Z");
    assert_eq!(event.document["extra"], json!([1]));
    let EventData::OrderStatusChanged { order, customer } = &event.data else { panic!("{:?}", event.data) };
    assert_eq!((order.kind, order.item_count, order.version), (OrderKind::Order, 3, None));
    assert_eq!(order.date, Some(jiff::civil::date(2026, 11, 22)));
    assert_eq!(customer.full_name().as_deref(), Some("Anna Rossi"));
}

#[test]
fn unknown_languages_of_the_session_and_the_recipients_are_listed() {
    let unknown = |session: &str, own: &str| {
        let mut document = with(order_event(), "/language", session.into());
        document["data"]["customer"]["language"] = own.into();
        let event = Event::parse(document, now()).unwrap();
        event.unknown_languages().into_iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(unknown("it", "de_AT"), [""; 0]);
    assert_eq!(unknown("ita", "gb"), ["gb", "ita"]);
    assert_eq!(unknown("ita", "ITA"), ["ita"]);
}

#[test]
fn a_missing_field_is_named_by_its_pointer() {
    let mut document = order_event();
    document["data"].as_object_mut().unwrap().remove("customer");
    document["data"]["order"].as_object_mut().unwrap().remove("total");
    assert_eq!(pointers(document), ["/data/order/total", "/data/customer"]);
    assert_eq!(pointers(json!({})), ["/id", "/type", "/occurred_at", "/data"]);
    assert_eq!(pointers(json!([])), [""]);
}

#[test]
fn an_unknown_type_has_its_own_error() {
    let document = with(order_event(), "/type", json!("order.exploded"));
    assert_eq!(Event::parse(document, now()), Err(EventError::UnknownType));
    assert_eq!(pointers(with(order_event(), "/type", json!(7))), ["/type"]);
}

#[test]
fn a_time_needs_an_offset_and_may_be_five_minutes_ahead() {
    let at = |text: &str| with(order_event(), "/occurred_at", json!(text));
    assert_eq!(pointers(at("2026-11-22T10:15:00")), ["/occurred_at"]);
    assert_eq!(pointers(at("2026-11-22")), ["/occurred_at"]);
    assert_eq!(pointers(at("22/11/2026 10:15")), ["/occurred_at"]);
    assert_eq!(pointers(at("2026-11-22T10:00Z")), ["/occurred_at"]);
    assert_eq!(pointers(at("20261122T100000Z")), ["/occurred_at"]);
    assert_eq!(pointers(at("2026-11-22T10:00:00+01:00[Europe/Rome]")), ["/occurred_at"]);
    assert_eq!(pointers(at("2026-11-22T10:05:01Z")), ["/occurred_at"]);
    assert_eq!(pointers(at("1999-12-31T23:59:59Z")), ["/occurred_at"]);
    assert!(Event::parse(at("2026-11-22T10:05:00Z"), now()).is_ok());
    assert!(Event::parse(at("2026-11-22T11:00:00.123+01:00"), now()).is_ok());
}

#[test]
fn wrong_values_are_named() {
    let wrong = [
        ("/id", json!("bridge:rem.1")),
        ("/language", json!("italiano")),
        ("/data", json!([])),
        ("/data/order/total/amount", json!(129.9)),
        ("/data/order/total/amount", json!("129,90")),
        ("/data/order/item_count", json!(-1)),
        ("/data/order/item_count", json!(1e300)),
        ("/data/order/status", json!(" ")),
        ("/data/order/date", json!("2026-02-30")),
        ("/data/order/id", json!("a\u{0}b")),
        ("/data/customer/id", json!("")),
    ];
    for (pointer, value) in wrong {
        assert_eq!(pointers(with(order_event(), pointer, value)), [pointer]);
    }
    assert!(Event::parse(with(order_event(), "/language", Value::Null), now()).is_ok());
}

#[test]
fn a_customer_area_event_reads_the_ticked_channels() {
    let mut document = json!({
        "id": "m-1", "type": "message.sent", "occurred_at": "2026-11-22T09:00:00Z",
        "data": {
            "message": {"id": "M1", "subject": "", "body": "Riga uno\nRiga due"},
            "sender": {"id": "S"}, "recipients": [{"id": "A"}, {"id": "B"}],
            "notify": ["E-Mail", "WhatsApp"]
        }
    });
    let event = Event::parse(document.clone(), now()).unwrap();
    assert_eq!(event.notify(), Some(Notify { whatsapp: true, sender_may_notify: true }));
    assert_eq!(event.recipients().len(), 2);
    assert_eq!(event.actor().map(|actor| actor.id.as_str()), Some("S"));

    document["data"]["recipients"] = (0..=PERSONS_MAX).map(|id| json!({"id": id.to_string()})).collect();
    document["data"].as_object_mut().unwrap().remove("notify");
    assert_eq!(pointers(document), ["/data/recipients", "/data/notify"]);
}

#[test]
fn a_cart_event_has_one_recipient_and_a_known_closing_reason() {
    let event = Event::parse(example(EventType::CartAbandoned), now()).unwrap();
    assert_eq!((event.subject().as_str(), event.recipients().len()), ("cart:K55", 1));
    let closed = example(EventType::CartClosed);
    let EventData::CartClosed { reason, .. } = Event::parse(closed.clone(), now()).unwrap().data else { panic!() };
    assert_eq!(reason, CartEnd::Ordered);
    assert_eq!(pointers(with(closed, "/data/reason", json!("lost"))), ["/data/reason"]);
    let ahead = with(example(EventType::CartAbandoned), "/data/cart/abandoned_at", json!("2026-11-22T10:05:01Z"));
    assert_eq!(pointers(ahead), ["/data/cart/abandoned_at"]);
}

#[test]
fn documents_published_without_documents_is_refused() {
    let none = with(example(EventType::DocumentsPublished), "/data/documents", json!([]));
    assert_eq!(pointers(none), ["/data/documents"]);
}

#[test]
fn every_example_has_its_type_and_expected_recipients() {
    let notified = |kind: EventType| {
        let event = Event::parse(example(kind), now()).unwrap();
        assert_eq!(event.kind(), kind);
        event.recipients().iter().map(|person| person.id.to_string()).collect::<Vec<_>>().join(" ")
    };
    let recipients = EventType::ALL.map(notified);
    let expected = ["C7", "C7", "", "C7", "S1", "", "", "S1", "S1", "C7", "G3", "G3", "G3", "AZ12", ""];
    assert_eq!(recipients, expected);
}

#[test]
fn every_type_has_one_name() {
    for kind in EventType::ALL {
        assert_eq!(EventType::of(kind.name()), Some(kind));
        assert_eq!(serde_json::to_value(kind).unwrap(), json!(kind.name()));
    }
}
