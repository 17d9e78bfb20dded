//! Carts: one notice for a cart that was left, after the site's interval, for the newest cart of a customer and at most
//! once a day (R-57 … R-65).

use jiff::{SignedDuration, Timestamp};

use crate::config::Site;
use crate::event::{Cart, Event, EventData, OrderKind};
use crate::id::ObjectId;
use crate::mapping::Mapping;
use crate::order_state::OrderState;
use crate::reason::{Reason, Skip};

/// After a notice the next one for the same customer is at least so far away.
pub const NOTICE_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// What is known of the carts of a customer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CartHead {
    /// When the newest cart was left.
    pub newest: Option<Timestamp>,
    /// When the first of those was left that nobody was told of yet.
    pub first: Option<Timestamp>,
    /// When the customer last ordered, or a cart was emptied or taken up again.
    pub closed_at: Option<Timestamp>,
    /// When the customer was last told of a cart.
    pub notified_at: Option<Timestamp>,
    /// By which message.
    pub notified_by: Option<String>,
}

/// When a cart is told of: the interval after it was left, and no later than the longest postponement after the first
/// of the carts that followed one another.
#[must_use]
pub fn due_at(abandoned_at: Timestamp, first: Option<Timestamp>, site: &Site) -> Timestamp {
    let later = |from: Timestamp, minutes: u16| {
        from.saturating_add(SignedDuration::from_mins(i64::from(minutes))).unwrap_or(Timestamp::MAX)
    };
    let interval = later(abandoned_at, site.cart_interval);
    let longest = later(first.unwrap_or(abandoned_at), site.cart_max_postponement);
    interval.min(longest).max(abandoned_at)
}

/// Until when a message about a cart is of use: counted from when it is due.
#[must_use]
pub fn useful_until(cart: &Cart, head: &CartHead, mapping: &Mapping, site: &Site) -> Timestamp {
    let due = due_at(cart.abandoned_at, head.first, site);
    due.saturating_add(mapping.useful_for().duration()).unwrap_or(Timestamp::MAX)
}

/// Whether what was in a cart is still in it.
///
/// # Errors
/// The customer ordered, emptied the cart or took it up again.
pub fn still_left(cart: &Cart, head: &CartHead) -> Result<(), Skip> {
    match head.closed_at.filter(|at| *at >= cart.abandoned_at) {
        Some(closed_at) => Err(Skip::new(Reason::Cancelled, closed_at.to_string())),
        None => Ok(()),
    }
}

/// Whether a cart is one to be told of by a message: still left, the newest, and none was told of within a day.
///
/// # Errors
/// Why not.
pub fn judge(cart: &Cart, head: &CartHead, (message, now): (&str, Timestamp)) -> Result<(), Skip> {
    still_left(cart, head)?;
    if let Some(newest) = head.newest.filter(|at| *at > cart.abandoned_at) {
        return Err(Skip::new(Reason::NotLatestCart, newest.to_string()));
    }
    let by_another = head.notified_by.as_deref() != Some(message);
    if let Some(at) = head.notified_at.filter(|at| by_another && now.duration_since(*at) < NOTICE_EVERY) {
        return Err(Skip::new(Reason::NotLatestCart, at.to_string()));
    }
    Ok(())
}

/// What an event says of the carts of a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// A cart was left.
    Left(&'a ObjectId, Timestamp),
    /// Whatever was in a cart until then is no longer to be told of.
    Closed(&'a ObjectId, Timestamp),
}

/// What an event says of the carts of a customer; `None` where it says nothing. A new order closes what was in the cart
/// before it.
#[must_use]
pub fn change(event: &Event) -> Option<Change<'_>> {
    match &event.data {
        EventData::CartAbandoned { cart, customer } => Some(Change::Left(&customer.id, cart.abandoned_at)),
        EventData::CartClosed { customer, .. } => Some(Change::Closed(customer, event.occurred_at)),
        EventData::OrderStatusChanged { order, customer }
            if order.kind == OrderKind::Order
                && matches!(OrderState::of(&order.status), Some(OrderState::Nuovo | OrderState::Memorizzato)) =>
        {
            Some(Change::Closed(&customer.id, event.occurred_at))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::id::SiteId;

    fn at(minute: i64) -> Timestamp {
        "2026-11-22T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minute)
    }

    fn site() -> Site {
        Site::new(SiteId::parse("demo").unwrap())
    }

    fn cart(minute: i64) -> Cart {
        let document = json!({
            "id": "k", "type": "cart.abandoned", "occurred_at": at(minute).to_string(),
            "data": {"cart": {"id": "K1", "abandoned_at": at(minute).to_string(), "item_count": 1,
                              "total": {"amount": "10.00", "currency": "EUR"}},
                     "customer": {"id": "C7"}}
        });
        match Event::parse(document, at(minute)).unwrap().data {
            EventData::CartAbandoned { cart, .. } => cart,
            other => panic!("{other:?}"),
        }
    }

    fn judged(minute: i64, head: &CartHead, now: i64) -> String {
        match judge(&cart(minute), head, ("m-1", at(now))) {
            Ok(()) => format!("at {}", due_at(at(minute), head.first, &site()).duration_since(at(0)).as_mins()),
            Err(skip) => skip.reason.to_string(),
        }
    }

    #[test]
    fn a_cart_is_told_after_the_interval_and_only_the_newest() {
        let head = CartHead { newest: Some(at(10)), first: Some(at(0)), ..CartHead::default() };
        assert_eq!(judged(10, &head, 20), "at 190");
        assert_eq!(judged(0, &head, 180), "not_latest_cart");
    }

    #[test]
    fn a_cart_that_keeps_changing_is_told_after_the_longest_postponement() {
        let head = CartHead { newest: Some(at(1_400)), first: Some(at(0)), ..CartHead::default() };
        assert_eq!(judged(1_400, &head, 1_401), "at 1440");
    }

    #[test]
    fn what_was_closed_or_just_told_is_not_told() {
        let closed = |minute| CartHead { closed_at: Some(at(minute)), ..CartHead::default() };
        assert_eq!(judged(10, &closed(10), 300), "cancelled");
        assert_eq!(judged(10, &closed(9), 300), "at 190", "it was filled again afterwards");
        let told =
            |by: &str| CartHead { notified_at: Some(at(0)), notified_by: Some(by.to_owned()), ..CartHead::default() };
        assert_eq!(judged(10, &told("m-0"), 1_439), "not_latest_cart");
        assert_eq!(judged(10, &told("m-0"), 1_440), "at 190");
        assert_eq!(judged(10, &told("m-1"), 300), "at 190", "its own next try");
    }

    proptest! {
        #[test]
        fn a_notice_is_never_before_the_cart_and_never_after_the_longest_postponement(
            left in 0i64..10_000, since in 0i64..2_000, interval: u16, longest: u16,
        ) {
            let site = Site { cart_interval: interval, cart_max_postponement: longest, ..site() };
            let (abandoned_at, first) = (at(left), at(left - since));
            let due = due_at(abandoned_at, Some(first), &site);
            prop_assert!(due >= abandoned_at);
            prop_assert!(due <= abandoned_at + SignedDuration::from_mins(i64::from(interval)));
            prop_assert!(due == abandoned_at || due <= first + SignedDuration::from_mins(i64::from(longest)));
        }
    }
}
