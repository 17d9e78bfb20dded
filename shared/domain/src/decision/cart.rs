//! Carts: one notice of each mapping for a cart that was left, after an interval, for the newest cart of a customer and at
//! most once a day (R-59 … R-65). Guests may share a customer's id: while nothing was said of the customer besides
//! (`customer.updated`), carts that were left with different numbers are different people's.
//!
//! Carts that a customer leaves while the one before still waits for its notice are a row: each postpones the notice, up
//! to the site's longest postponement after the first of them. A cart that comes when none waits begins a row of its own.

use jiff::{SignedDuration, Timestamp};

use crate::event::order_state::OrderState;
use crate::event::person::Person;
use crate::event::{Cart, CartEnd, Event, EventData, Order, OrderKind};
use crate::mapping::Mapping;
use crate::message::reason::{Reason, Skip};
use crate::primitives::id::ObjectId;
use crate::site::config::Site;

/// After a notice the next one for the same customer is at least so far away.
pub const NOTICE_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// What is known of the carts of a customer, and of one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CartHistory {
    /// When the newest cart was left.
    pub newest: Option<Timestamp>,
    /// When the first cart of the last row was left, unless somebody was told of that row.
    pub first: Option<Timestamp>,
    /// When the customer last ordered: that closes every cart.
    pub closed_at: Option<Timestamp>,
    /// When this very cart was last emptied or taken up again.
    pub ended_at: Option<Timestamp>,
    /// When the customer was last told of a cart by the same mapping.
    pub notified_at: Option<Timestamp>,
    /// By which message.
    pub notified_by: Option<String>,
}

/// When a mapping tells of a cart: the interval after it was left, and no later than the longest postponement after the
/// first of its row. An order ends the row that was left before it. An interval of the mapping's own may be longer than
/// the site's longest postponement.
#[must_use]
pub fn due_at(abandoned_at: Timestamp, history: &CartHistory, mapping: Option<&Mapping>, site: &Site) -> Timestamp {
    let own = mapping.and_then(|mapping| mapping.cart_interval);
    let own = own.map(|minutes| SignedDuration::from_mins(i64::from(minutes)));
    let first = history.first.filter(|first| history.closed_at.is_none_or(|closed_at| closed_at < *first));
    let interval = abandoned_at.saturating_add(own.unwrap_or(interval(site))).unwrap_or(Timestamp::MAX);
    let longest = own.map_or(postponed_max(site), |own| own.max(postponed_max(site)));
    let longest = first.unwrap_or(abandoned_at).saturating_add(longest).unwrap_or(Timestamp::MAX);
    interval.min(longest).max(abandoned_at)
}

/// How long after it was left a cart is told of, where the mapping says nothing else.
#[must_use]
pub fn interval(site: &Site) -> SignedDuration {
    SignedDuration::from_mins(i64::from(site.cart_interval))
}

/// How long after the first of a row was left its notice goes at the latest.
#[must_use]
pub fn postponed_max(site: &Site) -> SignedDuration {
    SignedDuration::from_mins(i64::from(site.cart_max_postponement))
}

/// Until when a message about a cart is of use: counted from when it is due.
#[must_use]
pub fn useful_until(cart: &Cart, history: &CartHistory, mapping: &Mapping, site: &Site) -> Timestamp {
    let due = due_at(cart.abandoned_at, history, Some(mapping), site);
    due.saturating_add(mapping.useful_for().duration()).unwrap_or(Timestamp::MAX)
}

/// Whether what was in a cart is still in it.
///
/// # Errors
/// The customer ordered, emptied the cart or took it up again.
pub fn still_left(cart: &Cart, history: &CartHistory) -> Result<(), Skip> {
    match history.closed_at.max(history.ended_at).filter(|at| *at >= cart.abandoned_at) {
        Some(at) => Err(Skip::new(Reason::Cancelled, at.to_string())),
        None => Ok(()),
    }
}

/// Whether a cart is one to be told of by a message at `at`, its moment: still left, the newest, and the mapping told of
/// none within a day before, nor since it was left.
///
/// # Errors
/// Why not.
pub fn judge(cart: &Cart, history: &CartHistory, (message, at): (&str, Timestamp)) -> Result<(), Skip> {
    still_left(cart, history)?;
    if let Some(newest) = history.newest.filter(|at| *at > cart.abandoned_at) {
        return Err(Skip::new(Reason::NotLatestCart, newest.to_string()));
    }
    let by_another = history.notified_by.as_deref() != Some(message);
    // What was left before the last notice was told by it, or gave way to what was: it is not news when it is raised again.
    let too_soon = |notified: &Timestamp| at.duration_since(*notified) < NOTICE_EVERY || cart.abandoned_at <= *notified;
    if let Some(notified) = history.notified_at.filter(|notified| by_another && too_soon(notified)) {
        return Err(Skip::new(Reason::NotLatestCart, notified.to_string()));
    }
    Ok(())
}

/// What an event says of the carts of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CartUpdate<'a> {
    /// Whose carts.
    pub customer: &'a ObjectId,
    /// Their record, where the event has it: it says with which number.
    pub person: Option<&'a Person>,
    /// What.
    pub change: CartChange<'a>,
    /// When it was so.
    pub at: Timestamp,
}

/// What can be said of a customer's carts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CartChange<'a> {
    /// A cart was left.
    Left(&'a ObjectId),
    /// Whatever was in any cart until then is no longer to be told of; the cart that was ordered, if the event names it.
    Ordered(Option<&'a ObjectId>),
    /// Whatever was in this cart until then is no longer to be told of.
    Ended(&'a ObjectId),
}

/// What an event says of the carts of a customer; `None` where it says nothing. An order closes what was left before it
/// was made. What an agent leaves is none of the customer's.
#[must_use]
pub fn change<'a>(event: &'a Event, site: &Site) -> Option<CartUpdate<'a>> {
    let at = event.occurred_at;
    match &event.data {
        EventData::CartAbandoned { cart, customer } if !cart.created_by_agent && !customer.is_agent => {
            let (person, change) = (Some(customer.as_ref()), CartChange::Left(&cart.id));
            Some(CartUpdate { customer: &customer.id, person, change, at: cart.abandoned_at })
        }
        EventData::CartClosed { cart, customer, reason } => {
            let change =
                if *reason == CartEnd::Ordered { CartChange::Ordered(Some(cart)) } else { CartChange::Ended(cart) };
            Some(CartUpdate { customer, person: None, change, at })
        }
        EventData::OrderStatusChanged { order, customer } if is_created(order) => {
            let at = at.min(made_by(order, site));
            Some(CartUpdate { customer: &customer.id, person: Some(customer), change: CartChange::Ordered(None), at })
        }
        _ => None,
    }
}

/// Whether an event of an order says that it was made: it enters a state of new orders and left none.
fn is_created(order: &Order) -> bool {
    let state = OrderState::of(&order.status);
    order.kind == OrderKind::Order
        && order.previous_status.is_none()
        && matches!(
            state,
            Some(
                OrderState::Nuovo
                    | OrderState::Memorizzato
                    | OrderState::PagamentoNonConfermato
                    | OrderState::DaVerificare
            )
        )
}

/// When an order was made at the latest: by the end of its date, so that a synchronisation which raises yesterday's order
/// today does not close today's cart.
fn made_by(order: &Order, site: &Site) -> Timestamp {
    let end = |date: jiff::civil::Date| date.to_zoned(site.zone()).and_then(|day| day.end_of_day());
    order.date.and_then(|date| end(date).ok()).map_or(Timestamp::MAX, |end| end.timestamp())
}

#[cfg(test)]
mod tests {
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
    fn a_cart_is_told_after_the_interval_and_only_the_newest() {
        let history = CartHistory { newest: Some(at(10)), first: Some(at(0)), ..CartHistory::default() };
        assert_eq!(judged(10, &history, 20), "at 190");
        assert_eq!(judged(0, &history, 180), "not_latest_cart");
    }

    #[test]
    fn a_cart_that_keeps_changing_is_told_after_the_longest_postponement() {
        let history = CartHistory { newest: Some(at(1_400)), first: Some(at(0)), ..CartHistory::default() };
        assert_eq!(judged(1_400, &history, 1_401), "at 1440");
        let ordered = CartHistory { closed_at: Some(at(0)), ..history };
        assert_eq!(judged(1_400, &ordered, 1_401), "at 1580", "an order ends the row");
    }

    #[test]
    fn what_was_closed_or_just_told_is_not_told() {
        let closed = |minute| CartHistory { closed_at: Some(at(minute)), ..CartHistory::default() };
        assert_eq!(judged(10, &closed(10), 300), "cancelled");
        assert_eq!(judged(10, &closed(9), 300), "at 190", "it was filled again afterwards");
        let ended = |minute| CartHistory { ended_at: Some(at(minute)), ..closed(9) };
        assert_eq!([9, 10].map(|minute| judged(10, &ended(minute), 300)), ["at 190", "cancelled"]);
        let notified = |by: &str| CartHistory {
            notified_at: Some(at(0)),
            notified_by: Some(by.to_owned()),
            ..CartHistory::default()
        };
        assert_eq!(judged(10, &notified("m-0"), 1_439), "not_latest_cart");
        assert_eq!(judged(10, &notified("m-0"), 1_440), "at 190");
        assert_eq!(judged(10, &notified("m-1"), 300), "at 190", "its own next try");
    }

    #[test]
    fn a_notice_is_due_after_the_interval_or_the_longest_postponement_of_its_row() {
        let site = Site { cart_interval: 60, cart_max_postponement: 100, ..site() };
        let due = |left: i64, first: Option<i64>, closed: Option<i64>| {
            let history = CartHistory { first: first.map(at), closed_at: closed.map(at), ..CartHistory::default() };
            due_at(at(left), &history, None, &site).duration_since(at(0)).as_mins()
        };
        assert_eq!(due(500, None, None), 560);
        assert_eq!(due(500, Some(480), None), 560);
        assert_eq!(due(500, Some(450), None), 550, "100 minutes after the first of the row");
        assert_eq!(due(500, Some(300), None), 500, "never before the cart itself");
        // An order ends the row that began before it or with it.
        assert_eq!(due(500, Some(450), Some(449)), 550);
        assert_eq!(due(500, Some(450), Some(450)), 560);
        assert_eq!(due(500, Some(450), Some(451)), 560);
    }

    #[test]
    fn a_mapping_may_tell_after_an_interval_of_its_own() {
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
    fn a_notice_is_of_use_counted_from_when_it_is_due() {
        let mapping = json!({"id": "c", "name": "c", "event_type": "cart.abandoned", "enabled": true,
                             "active_since": "2020-01-01T00:00:00Z", "templates": {}, "useful_for": "12h"});
        let mapping: Mapping = serde_json::from_value(mapping).unwrap();
        let site = Site { cart_interval: 60, cart_max_postponement: 100, ..site() };
        let until = useful_until(&cart(500), &CartHistory::default(), &mapping, &site);
        assert_eq!(until, at(560 + 12 * 60));
        let postponed = CartHistory { first: Some(at(450)), ..CartHistory::default() };
        assert_eq!(useful_until(&cart(500), &postponed, &mapping, &site), at(550 + 12 * 60));
    }

    /// What an event says, in short; `at` counts the minutes from the beginning.
    fn said(kind: &str, occurred_at: i64, data: &serde_json::Value) -> Option<String> {
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
    fn an_agents_cart_says_nothing_of_the_customers() {
        assert_eq!(said("cart.abandoned", 40, &left(10)).as_deref(), Some("C7 left at 10"));
        for (object, field) in [("cart", "created_by_agent"), ("customer", "is_agent")] {
            let mut data = left(10);
            data[object][field] = json!(true);
            assert_eq!(said("cart.abandoned", 40, &data), None, "{field}");
        }
    }

    #[test]
    fn an_order_closes_every_cart_and_the_rest_its_own() {
        let ends = ["ordered", "emptied", "recovered"].map(|reason| {
            said("cart.closed", 40, &json!({"cart": {"id": "K1"}, "customer": {"id": "C7"}, "reason": reason})).unwrap()
        });
        assert_eq!(ends, ["C7 ordered at 40", "C7 K1 ended at 40", "C7 K1 ended at 40"]);
    }

    #[test]
    fn an_order_closes_what_was_left_before_it_was_made() {
        let order = |changes: serde_json::Value| {
            let mut order = json!({"id": "O1", "status": "NUOVO", "item_count": 1,
                                   "total": {"amount": "10.00", "currency": "EUR"}});
            order.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            said("order.status_changed", 2_000, &json!({"order": order, "customer": {"id": "C7"}}))
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
        // The day ends in Rome, an hour before it does in Greenwich; and nothing is made after it was said.
        assert_eq!(order(json!({"date": "2026-11-22"})).as_deref(), Some("C7 ordered at 1379"));
        assert_eq!(order(json!({"date": "2026-11-23"})).as_deref(), Some("C7 ordered at 2000"));
        assert_eq!(order(json!({"date": "2026-12-24"})).as_deref(), Some("C7 ordered at 2000"));
    }

    proptest! {
        #[test]
        fn a_notice_is_never_before_the_cart_and_never_after_the_longest_postponement(
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
}
