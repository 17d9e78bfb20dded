//! Abandoned carts and their notices (R-59 … R-65).
//!
//! Each mapping sends at most one notice per customer a day, for the newest cart, an interval after the customer left
//! it.
//!
//! Guests may share a customer id. As long as no `customer.updated` event describes the customer, carts left with
//! different phone numbers count as different people's.
//!
//! A cart left while the previous one still waits for its notice continues a series. Each cart of the series postpones
//! the notice, up to the site's maximum postponement after the first cart. A cart left while no other one waits begins
//! a new series.

use jiff::{SignedDuration, Timestamp};

use crate::event::order_state::OrderState;
use crate::event::person::Person;
use crate::event::{Cart, CartEnd, Event, EventData, Order, OrderKind};
use crate::mapping::Mapping;
use crate::message::reason::{Reason, Skip};
use crate::primitives::id::ObjectId;
use crate::site::config::Site;

/// Minimum time between two cart notices of a mapping to the same customer.
pub const NOTICE_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// The recorded state of a customer's carts, and of one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CartHistory {
    /// When the newest cart was left.
    pub newest: Option<Timestamp>,
    /// When the first cart of the last series was left; `None` if the series was already notified.
    pub first: Option<Timestamp>,
    /// When the customer last ordered. An order closes every cart.
    pub closed_at: Option<Timestamp>,
    /// When this cart was last emptied or recovered.
    pub ended_at: Option<Timestamp>,
    /// When the same mapping last sent the customer a cart notice.
    pub notified_at: Option<Timestamp>,
    /// The message that was this notice.
    pub notified_by: Option<String>,
}

/// Returns when a mapping's cart notice is due: the interval after the cart was left.
///
/// The maximum postponement after the first cart of the series limits it. An order ends the series that began before
/// it or with it. A mapping's own interval may exceed the site's maximum postponement.
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

/// The site's interval between leaving a cart and its notice, for mappings without an interval of their own.
#[must_use]
pub fn interval(site: &Site) -> SignedDuration {
    SignedDuration::from_mins(i64::from(site.cart_interval))
}

/// The maximum time between the first cart of a series and the notice.
#[must_use]
pub fn postponed_max(site: &Site) -> SignedDuration {
    SignedDuration::from_mins(i64::from(site.cart_max_postponement))
}

/// When a cart notice stops being useful, counted from its due time.
#[must_use]
pub fn useful_until(cart: &Cart, history: &CartHistory, mapping: &Mapping, site: &Site) -> Timestamp {
    let due = due_at(cart.abandoned_at, history, Some(mapping), site);
    due.saturating_add(mapping.useful_for().duration()).unwrap_or(Timestamp::MAX)
}

/// Checks that the cart is still abandoned.
///
/// # Errors
/// The customer ordered, emptied the cart or recovered it.
pub fn still_left(cart: &Cart, history: &CartHistory) -> Result<(), Skip> {
    match history.closed_at.max(history.ended_at).filter(|at| *at >= cart.abandoned_at) {
        Some(at) => Err(Skip::new(Reason::Cancelled, at.to_string())),
        None => Ok(()),
    }
}

/// Whether the cart notice may be sent at `at`: the cart is still abandoned and is the newest.
///
/// The same mapping must not have sent another notice within the day before, or since the cart was left. A notice that
/// `message` itself sent does not count.
///
/// # Errors
/// The reason to skip the notice.
pub fn judge(cart: &Cart, history: &CartHistory, (message, at): (&str, Timestamp)) -> Result<(), Skip> {
    still_left(cart, history)?;
    if let Some(newest) = history.newest.filter(|at| *at > cart.abandoned_at) {
        return Err(Skip::new(Reason::NotLatestCart, newest.to_string()));
    }
    let by_another = history.notified_by.as_deref() != Some(message);
    // The last notice covered every cart left before it. Such a cart is not new when Passweb raises it again.
    let too_soon = |notified: &Timestamp| at.duration_since(*notified) < NOTICE_EVERY || cart.abandoned_at <= *notified;
    if let Some(notified) = history.notified_at.filter(|notified| by_another && too_soon(notified)) {
        return Err(Skip::new(Reason::NotLatestCart, notified.to_string()));
    }
    Ok(())
}

/// A change to a customer's carts, as reported by an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CartUpdate<'a> {
    /// The customer who owns the carts.
    pub customer: &'a ObjectId,
    /// The customer's record, if the event contains it. It provides the phone number.
    pub person: Option<&'a Person>,
    /// The change.
    pub change: CartChange<'a>,
    /// When the change happened.
    pub at: Timestamp,
}

/// Kinds of change to a customer's carts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CartChange<'a> {
    /// The customer left a cart.
    Left(&'a ObjectId),
    /// The customer ordered: no cart left up to then is notified. Contains the ordered cart, if the event names it.
    Ordered(Option<&'a ObjectId>),
    /// The cart was emptied or recovered: if it was left before then, it is not notified.
    Ended(&'a ObjectId),
}

/// Returns the change to a customer's carts that an event reports; `None` if it reports none.
///
/// An order closes the carts left before the order was created. Carts left by an agent are ignored.
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

/// Whether the event reports a new order: it enters an initial state and has no previous state.
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

/// Returns the latest time at which the order can have been created: the end of its date.
///
/// A synchronisation may raise yesterday's order today. Such an order must not close today's cart.
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
        assert_eq!(judged(1_400, &ordered, 1_401), "at 1580", "an order ends the series");
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
        assert_eq!(due(500, Some(450), None), 550, "100 minutes after the first of the series");
        assert_eq!(due(500, Some(300), None), 500, "never before the cart itself");
        // An order ends the series that began before it or at the same time.
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

    /// Describes an event's cart change in short; `at` is in minutes since the start of the test day.
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
        // The day ends in Rome one hour before it ends in UTC. An order cannot be created after its event.
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
