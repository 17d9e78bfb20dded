use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::primitives::id::SiteId;

fn event(kind: &str, occurred_at: Timestamp, data: &serde_json::Value) -> Event {
    let document = json!({"id": "k", "type": kind, "occurred_at": occurred_at.to_string(), "data": data});
    Event::parse(document, occurred_at).unwrap()
}

fn at(minute: i64) -> Timestamp {
    "2026-11-22T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minute)
}

fn site() -> Site {
    Site::new(SiteId::parse("demo").unwrap())
}

fn left(minute: i64) -> serde_json::Value {
    json!({"cart": {"id": "K1", "abandoned_at": at(minute).to_string(), "item_count": 1,
                    "total": {"amount": "10.00", "currency": "EUR"}},
           "customer": {"id": "C7"}})
}

fn cart(minute: i64) -> Cart {
    match event("cart.abandoned", at(minute), &left(minute)).data {
        EventData::CartAbandoned { cart, .. } => cart,
        other => panic!("{other:?}"),
    }
}

fn judged(minute: i64, history: &CartHistory, now: i64) -> String {
    match judge(&cart(minute), history, ("m-1", at(now))) {
        Ok(()) => format!("at {}", due_at(at(minute), history, None, &site()).duration_since(at(0)).as_mins()),
        Err(skip) => skip.reason.to_string(),
    }
}

#[test]
fn only_the_newest_cart_is_notified_after_the_interval() {
    let history = CartHistory { newest: Some(at(10)), first: Some(at(0)), ..CartHistory::default() };
    assert_eq!(judged(10, &history, 20), "at 190");
    assert_eq!(judged(0, &history, 180), "not_latest_cart");
}

#[test]
fn a_cart_that_keeps_changing_is_notified_after_the_longest_postponement() {
    let history = CartHistory { newest: Some(at(1_400)), first: Some(at(0)), ..CartHistory::default() };
    assert_eq!(judged(1_400, &history, 1_401), "at 1440");
    let ordered = CartHistory { closed_at: Some(at(0)), ..history };
    assert_eq!(judged(1_400, &ordered, 1_401), "at 1580", "an order ends the series");
}

#[test]
fn no_notice_for_a_closed_cart_or_right_after_another_notice() {
    let closed = |minute| CartHistory { closed_at: Some(at(minute)), ..CartHistory::default() };
    assert_eq!(judged(10, &closed(10), 300), "cancelled");
    assert_eq!(judged(10, &closed(9), 300), "at 190", "it was filled again afterwards");
    let ended = |minute| CartHistory { ended_at: Some(at(minute)), ..closed(9) };
    assert_eq!([9, 10].map(|minute| judged(10, &ended(minute), 300)), ["at 190", "cancelled"]);
    let notified =
        |by: &str| CartHistory { notified_at: Some(at(0)), notified_by: Some(by.to_owned()), ..CartHistory::default() };
    assert_eq!(judged(10, &notified("m-0"), 1_439), "not_latest_cart");
    assert_eq!(judged(10, &notified("m-0"), 1_440), "at 190");
    assert_eq!(judged(10, &notified("m-1"), 300), "at 190", "its own next try");
}

#[test]
fn a_cart_notice_is_due_after_the_interval_or_the_longest_postponement() {
    let site = Site { cart_interval: 60, cart_max_postponement: 100, ..site() };
    let due = |left: i64, first: Option<i64>, closed: Option<i64>| {
        let history = CartHistory { first: first.map(at), closed_at: closed.map(at), ..CartHistory::default() };
        due_at(at(left), &history, None, &site).duration_since(at(0)).as_mins()
    };
    assert_eq!(due(500, None, None), 560);
    assert_eq!(due(500, Some(480), None), 560);
    assert_eq!(due(500, Some(450), None), 550, "100 minutes after the first of the series");
    assert_eq!(due(500, Some(300), None), 500, "never before the cart itself");
    // An order ends the series that began before it or at the same time.
    assert_eq!(due(500, Some(450), Some(449)), 550);
    assert_eq!(due(500, Some(450), Some(450)), 560);
    assert_eq!(due(500, Some(450), Some(451)), 560);
}

#[test]
fn a_mapping_may_set_its_own_cart_interval() {
    let mapping = |minutes: u16| -> Mapping {
        let text = json!({"id": "c", "name": "c", "event_type": "cart.abandoned", "enabled": true,
                          "active_since": "2020-01-01T00:00:00Z", "templates": {}, "cart_interval": minutes});
        serde_json::from_value(text).unwrap()
    };
    let site = Site { cart_interval: 60, cart_max_postponement: 100, ..site() };
    let due = |first: Option<i64>, minutes: u16| {
        let history = CartHistory { first: first.map(at), ..CartHistory::default() };
        due_at(at(500), &history, Some(&mapping(minutes)), &site).duration_since(at(0)).as_mins()
    };
    assert_eq!(due(None, 30), 530);
    assert_eq!(due(None, 1_440), 1_940, "longer than the site's longest postponement");
    assert_eq!(due(Some(450), 1_440), 1_890);
    assert_eq!(due(Some(420), 90), 520);
}

#[test]
fn the_useful_period_of_a_cart_notice_starts_when_it_is_due() {
    let mapping = json!({"id": "c", "name": "c", "event_type": "cart.abandoned", "enabled": true,
                         "active_since": "2020-01-01T00:00:00Z", "templates": {}, "useful_for": "12h"});
    let mapping: Mapping = serde_json::from_value(mapping).unwrap();
    let site = Site { cart_interval: 60, cart_max_postponement: 100, ..site() };
    let until = useful_until(&cart(500), &CartHistory::default(), Some(&mapping), &site);
    assert_eq!(until, at(560 + 12 * 60));
    let postponed = CartHistory { first: Some(at(450)), ..CartHistory::default() };
    assert_eq!(useful_until(&cart(500), &postponed, Some(&mapping), &site), at(550 + 12 * 60));
}

/// Describes an event's cart change in short; `at` is in minutes since the start of the test day.
fn stated(kind: &str, occurred_at: i64, data: &serde_json::Value) -> Option<String> {
    let event = event(kind, at(occurred_at), data);
    let CartUpdate { customer, change, at: when, .. } = change(&event, &site())?;
    let change = match change {
        CartChange::Left(_) => "left".to_owned(),
        CartChange::Ordered(_) => "ordered".to_owned(),
        CartChange::Ended(cart) => format!("{cart} ended"),
    };
    Some(format!("{customer} {change} at {}", when.duration_since(at(0)).as_mins()))
}

#[test]
fn an_agents_cart_is_not_the_customers() {
    assert_eq!(stated("cart.abandoned", 40, &left(10)).as_deref(), Some("C7 left at 10"));
    for (object, field) in [("cart", "created_by_agent"), ("customer", "is_agent")] {
        let mut data = left(10);
        data[object][field] = json!(true);
        assert_eq!(stated("cart.abandoned", 40, &data), None, "{field}");
    }
}

#[test]
fn an_order_closes_every_cart_and_other_endings_only_their_own() {
    let ends = ["ordered", "emptied", "recovered"].map(|reason| {
        stated("cart.closed", 40, &json!({"cart": {"id": "K1"}, "customer": {"id": "C7"}, "reason": reason})).unwrap()
    });
    assert_eq!(ends, ["C7 ordered at 40", "C7 K1 ended at 40", "C7 K1 ended at 40"]);
}

#[test]
fn an_order_closes_carts_abandoned_before_it_was_placed() {
    let order = |changes: serde_json::Value| {
        let mut order = json!({"id": "O1", "status": "NUOVO", "item_count": 1,
                               "total": {"amount": "10.00", "currency": "EUR"}});
        order.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        stated("order.status_changed", 2_000, &json!({"order": order, "customer": {"id": "C7"}}))
    };
    for status in ["nuovo", "CONFERMATO", "Memorizzato", "PAGAMENTO NON CONFERMATO", "Da verificare"] {
        assert_eq!(order(json!({"status": status})).as_deref(), Some("C7 ordered at 2000"), "{status}");
    }
    for changes in [
        json!({"status": "EVASO"}),
        json!({"status": "MEMORIZZATO - SOSTITUITO"}),
        json!({"status": "In Attesa di Pagamento"}),
        json!({"status": "MEMORIZZATO", "previous_status": "NUOVO"}),
        json!({"kind": "quote"}),
        json!({"kind": "return"}),
    ] {
        assert_eq!(order(changes.clone()), None, "{changes}");
    }
    // The day ends in Rome one hour before it ends in UTC. An order cannot be created after its event.
    assert_eq!(order(json!({"date": "2026-11-22"})).as_deref(), Some("C7 ordered at 1379"));
    assert_eq!(order(json!({"date": "2026-11-23"})).as_deref(), Some("C7 ordered at 2000"));
    assert_eq!(order(json!({"date": "2026-12-24"})).as_deref(), Some("C7 ordered at 2000"));
}

proptest! {
    #[test]
    fn a_cart_notice_is_never_before_the_cart_and_never_after_the_longest_postponement(
        left in 0i64..10_000, since in 0i64..2_000, interval: u16, longest: u16,
    ) {
        let site = Site { cart_interval: interval, cart_max_postponement: longest, ..site() };
        let (abandoned_at, first) = (at(left), at(left - since));
        let due = due_at(abandoned_at, &CartHistory { first: Some(first), ..CartHistory::default() }, None, &site);
        prop_assert!(due >= abandoned_at);
        prop_assert!(due <= abandoned_at + SignedDuration::from_mins(i64::from(interval)));
        prop_assert!(due == abandoned_at || due <= first + SignedDuration::from_mins(i64::from(longest)));
    }
}
