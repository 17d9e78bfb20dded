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
use crate::event::{Cart, CartEnd, Event, EventData, EventType, Order, OrderKind};
use crate::mapping::{Mapping, UsefulFor};
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
pub fn useful_until(cart: &Cart, history: &CartHistory, mapping: Option<&Mapping>, site: &Site) -> Timestamp {
    let due = due_at(cart.abandoned_at, history, mapping, site);
    let useful_for = mapping.map_or_else(|| UsefulFor::default_of(EventType::CartAbandoned), Mapping::useful_for);
    due.saturating_add(useful_for.duration()).unwrap_or(Timestamp::MAX)
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
mod tests;
