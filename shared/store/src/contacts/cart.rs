//! The carts of a customer: the newest one counts, in whatever order the events arrive.
//!
//! Guests may share a customer's id. Each number that carts were left with therefore has an item in addition to the
//! item of the customer's id, and both are written. The number's item decides as long as the customer has no contact
//! data.
//!
//! A series of carts is a sequence in which each cart was left while the notice of the previous one was still waiting.
//!
//! | attribute of `CART#hash` | content |
//! |---|---|
//! | `newest` | when the newest cart with a planned notice was left |
//! | `newest_besides` | when the newest cart without a planned notice was left; it is newer all the same |
//! | `first_left` | when the first cart of the waiting series was left |
//! | `closed_at` | when the customer last ordered |
//! | `closed_all_at` | the same, for an order with an unknown number |
//! | `notified_at/m`, `notified_by/m` | time and message of the last notice of the mapping `m` |
//! | `first_before/m` | `first_left` before that notice, to restore it if the notice is not delivered |
//! | `told_before/m`, `told_before_by/m` | the previous notice, if an operator requested the last one |
//! | the same without `/m` | the last notice of any mapping, as older versions wrote it |
//!
//! `CARTEND#hash` contains in `ended_at` when a cart was emptied or resumed. `CARTLEFT#hash` contains in `carts` the
//! key of the number's item that a cart was left with, because the event that closes the cart has no number.

use std::collections::HashMap;

use domain::decision::cart::{CartChange, CartHistory, CartUpdate, interval, postponed_max};
use domain::primitives::id::MappingId;
use domain::primitives::key::{CartKeys, cart_key, carts_of_number_key, ended_cart_key, left_cart_key};
use domain::site::config::Site;
use jiff::{SignedDuration, Timestamp};

use super::person::record_key;
use super::suppression::updated;
use super::{Contacts, Item};
use crate::error::StoreError;
use crate::item::{Reading, number, text, time};

/// How long the items are kept after the last change.
pub(crate) const CARTS_REMEMBERED_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The cart continues the series: the notice of the previous cart is still waiting.
const CONTINUES: Write = Write {
    set: "newest = :at",
    on: "newest < :at AND newest >= :interval_ago AND first_left >= :longest_ago \
         AND (attribute_not_exists(closed_at) OR closed_at < first_left)",
};
/// The cart begins a series.
const BEGINS: Write =
    Write { set: "newest = :at, first_left = :at", on: "attribute_not_exists(newest) OR newest < :at" };
/// The event arrives late: the series already continued after this cart.
const PRECEDES: Write = Write {
    set: "first_left = :at",
    on: "first_left > :at AND first_left <= :interval_later AND (attribute_not_exists(closed_at) OR closed_at < :at)",
};
/// The cart is the newest one without a planned notice.
const BESIDES: Write =
    Write { set: "newest_besides = :at", on: "attribute_not_exists(newest_besides) OR newest_besides < :at" };
/// The customer ordered.
const ORDERED: Write = Write { set: "closed_at = :at", on: "attribute_not_exists(closed_at) OR closed_at < :at" };
/// The customer ordered with an unknown number.
const CLOSED_ALL: Write =
    Write { set: "closed_all_at = :at", on: "attribute_not_exists(closed_all_at) OR closed_all_at < :at" };
/// A cart was emptied or resumed.
const ENDED: Write = Write { set: "ended_at = :at", on: "attribute_not_exists(ended_at) OR ended_at < :at" };

/// Options for recording a change of carts.
#[derive(Clone, Copy, Debug)]
pub struct CartScope {
    /// Whether a notice is planned for the cart. Only such carts postpone one another.
    pub is_planned: bool,
    /// Whether to record the change only if a cart of the customer is known.
    pub only_known: bool,
}

/// A conditional update.
#[derive(Clone, Copy)]
struct Write {
    set: &'static str,
    on: &'static str,
}

impl Contacts {
    /// Records a change of a customer's carts, unless a newer one of the same kind is recorded. `contact` is the
    /// pseudonym of the number in the event.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn change_cart(
        &self,
        site: &Site,
        change: &CartUpdate<'_>,
        contact: Option<&str>,
        scope: CartScope,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (customer, all) = (change.customer, cart_key(&site.id, change.customer));
        let of_number = |contact| carts_of_number_key(&site.id, customer, contact);
        let (number, writes): (Option<String>, &[Write]) = match change.change {
            CartChange::Left(cart) => {
                let key = of_number(contact.unwrap_or_default());
                if !scope.only_known {
                    self.keep_number(&left_cart_key(&site.id, customer, cart), &key, now).await?;
                }
                (Some(key), if scope.is_planned { &[CONTINUES, BEGINS, PRECEDES] } else { &[BESIDES] })
            }
            CartChange::Ordered(None) => (contact.map(of_number), &[ORDERED]),
            CartChange::Ordered(Some(cart)) => {
                (self.number_of(&left_cart_key(&site.id, customer, cart)).await?, &[ORDERED])
            }
            CartChange::Ended(cart) => {
                if scope.only_known && self.items(&[&all]).await?.is_empty() {
                    return Ok(());
                }
                let scope = CartScope { only_known: false, ..scope };
                let ended = ended_cart_key(&site.id, customer, cart);
                self.write_cart(&ended, ENDED, (site, change), (scope, now)).await?;
                return Ok(());
            }
        };
        if number.is_none() {
            self.write_cart(&all, CLOSED_ALL, (site, change), (scope, now)).await?;
        }
        for key in number.iter().chain([&all]) {
            for write in writes {
                if self.write_cart(key, *write, (site, change), (scope, now)).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Records the number's item that a cart was left with.
    async fn keep_number(&self, key: &str, of_number: &str, now: Timestamp) -> Result<(), StoreError> {
        let request = self.client.update_item().table_name(&self.table).key("pk", text(key));
        let request = request
            .update_expression("SET expires_at = :expires_at, carts = :carts")
            .expression_attribute_values(":expires_at", number(expires_at(now)))
            .expression_attribute_values(":carts", text(of_number));
        request.send().await?;
        Ok(())
    }

    /// The key of the number's item that a cart was left with, if the cart is known.
    async fn number_of(&self, key: &str) -> Result<Option<String>, StoreError> {
        let known = self.items(&[key]).await?;
        known.get(key).map(|item| Ok(Reading::of(item).required("carts")?.to_owned())).transpose()
    }

    /// Performs one conditional update. Returns whether its condition held.
    async fn write_cart(
        &self,
        key: &str,
        Write { set, on }: Write,
        (site, CartUpdate { at, .. }): (&Site, &CartUpdate<'_>),
        (scope, now): (CartScope, Timestamp),
    ) -> Result<bool, StoreError> {
        let condition = if scope.only_known { format!("attribute_exists(pk) AND ({on})") } else { on.to_owned() };
        let request = self.client.update_item().table_name(&self.table).key("pk", text(key));
        let mut request = request
            .update_expression(format!("SET {set}, expires_at = :expires_at"))
            .condition_expression(condition)
            .expression_attribute_values(":at", time(*at))
            .expression_attribute_values(":expires_at", number(expires_at(now)));
        let moments = [
            (":interval_ago", at.saturating_sub(interval(site)).unwrap_or(Timestamp::MIN)),
            (":longest_ago", at.saturating_sub(postponed_max(site)).unwrap_or(Timestamp::MIN)),
            (":interval_later", at.saturating_add(interval(site)).unwrap_or(Timestamp::MAX)),
        ];
        // DynamoDB rejects a value that no expression uses.
        for (name, moment) in moments.into_iter().filter(|(name, _)| on.contains(name)) {
            request = request.expression_attribute_values(name, time(moment));
        }
        updated(request).await
    }

    /// Completes the keys of a cart with `by_number`: whether only the carts of its number count. This holds if the
    /// customer has no contact data and the number has an item. Older versions wrote no such item.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn cart_keys(&self, keys: CartKeys, person: &str) -> Result<CartKeys, StoreError> {
        let record = record_key(person);
        let items = self.items(&[&keys.of_number, person, &record]).await?;
        let is_known = items.contains_key(person) || items.contains_key(&record);
        let by_number = items.contains_key(&keys.of_number) && !is_known;
        Ok(CartKeys { by_number, ..keys })
    }

    /// Returns the state of a customer's carts and of one cart, as it applies to a mapping, in one read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn carts(&self, keys: &CartKeys, mapping: &MappingId) -> Result<CartHistory, StoreError> {
        let items = self.items(&[&keys.all, &keys.of_number, &keys.ended]).await?;
        let [all, of_number, ended] = [&keys.all, &keys.of_number, &keys.ended].map(|key| items.get(key));
        CartItems { all, of_number, ended }.history(keys.by_number, mapping)
    }
}

fn expires_at(now: Timestamp) -> i64 {
    now.saturating_add(CARTS_REMEMBERED_FOR).unwrap_or(now).as_second()
}

/// The attribute names of a cart notice.
pub(crate) struct Notice {
    at: String,
    by: String,
    first_before: String,
    earlier_at: String,
    earlier_by: String,
}

impl Notice {
    /// The attributes of a mapping's notices.
    pub(crate) fn of(mapping: &MappingId) -> Self {
        Self::named(&format!("/{mapping}"))
    }

    /// The attributes of the notices of all mappings, as older versions wrote them.
    pub(crate) fn of_any() -> Self {
        Self::named("")
    }

    fn named(suffix: &str) -> Self {
        let name = |name: &str| format!("{name}{suffix}");
        Self {
            at: name("notified_at"),
            by: name("notified_by"),
            first_before: name("first_before"),
            earlier_at: name("told_before"),
            earlier_by: name("told_before_by"),
        }
    }

    /// The names that an expression uses. DynamoDB rejects any other name.
    pub(crate) fn names(&self, expressions: &[&str]) -> HashMap<String, String> {
        let names = [
            ("#at", &self.at),
            ("#by", &self.by),
            ("#first_before", &self.first_before),
            ("#earlier_at", &self.earlier_at),
            ("#earlier_by", &self.earlier_by),
        ];
        let used = |name: &str| expressions.iter().any(|expression| expression.contains(name));
        names.into_iter().filter(|(name, _)| used(name)).map(|(name, own)| (name.to_owned(), own.clone())).collect()
    }

    fn read(&self, reading: &Reading<'_>) -> Result<Option<(Timestamp, Option<String>)>, StoreError> {
        let by = reading.text(&self.by)?.map(str::to_owned);
        Ok(reading.time(&self.at)?.map(|at| (at, by)))
    }
}

/// The items of [`CartKeys`] that exist.
#[derive(Clone, Copy, Default)]
pub(crate) struct CartItems<'a> {
    pub(crate) all: Option<&'a Item>,
    pub(crate) of_number: Option<&'a Item>,
    pub(crate) ended: Option<&'a Item>,
}

impl CartItems<'_> {
    /// The state of the carts as it applies to a mapping.
    pub(crate) fn history(self, by_number: bool, mapping: &MappingId) -> Result<CartHistory, StoreError> {
        let mut history = CartHistory::default();
        if let Some(item) = if by_number { self.of_number } else { self.all } {
            let reading = Reading::of(item);
            history.newest = reading.time("newest")?.max(reading.time("newest_besides")?);
            history.first = reading.time("first_left")?;
            history.closed_at = reading.time("closed_at")?;
            let notice = Notice::of(mapping).read(&reading)?.max(Notice::of_any().read(&reading)?);
            (history.notified_at, history.notified_by) = notice.map_or((None, None), |(at, by)| (Some(at), by));
        }
        if let Some(item) = self.all {
            history.closed_at = history.closed_at.max(Reading::of(item).time("closed_all_at")?);
        }
        if let Some(item) = self.ended {
            history.ended_at = Reading::of(item).time("ended_at")?;
        }
        Ok(history)
    }
}

#[cfg(test)]
mod tests;
