//! The carts of a customer: the newest counts, in whatever order the events come.
//!
//! Guests may share a customer's id. So each number with which carts were left has an item of its own besides that of the
//! customer's id, and both are written. That of the number counts while nothing else was said of the customer.
//!
//! | attribute of `CART#…` | what |
//! |---|---|
//! | `newest` | when the newest cart was left that somebody is to be told of |
//! | `newest_besides` | when the newest was left that nobody is to be told of: it is newer all the same |
//! | `first_left` | when the first of the row was left whose newest cart waits |
//! | `closed_at` | when the customer last ordered |
//! | `closed_all_at` | the same, where nobody knows with which number |
//! | `notified_at/m`, `notified_by/m` | the last notice of the mapping `m` |
//! | `first_before/m` | `first_left` as that notice found it, in case nobody gets it |
//! | `notified_at`, `notified_by`, `first_before` | the last notice of any mapping, as older versions wrote it |
//!
//! `CARTLEFT#…` names the item of the number (`carts`) with which a cart was left: the event that closes it has no number.

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

/// How long it is remembered after the last change.
pub(crate) const CARTS_REMEMBERED_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The cart goes on with the row: the one before it still waits.
const CONTINUES: Write = Write {
    set: "newest = :at",
    on: "newest < :at AND newest >= :interval_ago AND first_left >= :longest_ago \
         AND (attribute_not_exists(closed_at) OR closed_at < first_left)",
};
/// It begins a row.
const BEGINS: Write =
    Write { set: "newest = :at, first_left = :at", on: "attribute_not_exists(newest) OR newest < :at" };
/// It comes late: the row went on from it.
const PRECEDES: Write = Write {
    set: "first_left = :at",
    on: "first_left > :at AND first_left <= :interval_later AND (attribute_not_exists(closed_at) OR closed_at < :at)",
};
/// It is newer than those that are to be told of, and not told of itself.
const BESIDES: Write =
    Write { set: "newest_besides = :at", on: "attribute_not_exists(newest_besides) OR newest_besides < :at" };
/// The customer ordered.
const ORDERED: Write = Write { set: "closed_at = :at", on: "attribute_not_exists(closed_at) OR closed_at < :at" };
/// The customer ordered, and nobody knows with which number.
const CLOSED_ALL: Write =
    Write { set: "closed_all_at = :at", on: "attribute_not_exists(closed_all_at) OR closed_all_at < :at" };
/// A cart was emptied or taken up again.
const ENDED: Write = Write { set: "ended_at = :at", on: "attribute_not_exists(ended_at) OR ended_at < :at" };

/// How what happens to carts is kept.
#[derive(Clone, Copy, Debug)]
pub struct CartScope {
    /// Somebody is to be told of the cart: only such carts postpone one another.
    pub is_planned: bool,
    /// Only where a cart of the customer is known.
    pub only_known: bool,
}

/// A conditional update.
#[derive(Clone, Copy)]
struct Write {
    set: &'static str,
    on: &'static str,
}

impl Contacts {
    /// Records what an event says of the carts of a customer, unless something newer of the same kind is known. `contact`
    /// is the pseudonym of the number that the event gives.
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

    /// Keeps which item is that of the number with which a cart was left.
    async fn keep_number(&self, key: &str, of_number: &str, now: Timestamp) -> Result<(), StoreError> {
        let request = self.client.update_item().table_name(&self.table).key("pk", text(key));
        let request = request
            .update_expression("SET expires_at = :expires_at, carts = :carts")
            .expression_attribute_values(":expires_at", number(expires_at(now)))
            .expression_attribute_values(":carts", text(of_number));
        request.send().await?;
        Ok(())
    }

    /// The item of the number with which a cart was left, if the cart is known.
    async fn number_of(&self, key: &str) -> Result<Option<String>, StoreError> {
        let known = self.items(&[key]).await?;
        known.get(key).map(|item| Ok(Reading::of(item).required("carts")?.to_owned())).transpose()
    }

    /// Writes one thing, if its condition holds: then `true`.
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
        // DynamoDB refuses a value that no expression names.
        for (name, moment) in moments.into_iter().filter(|(name, _)| on.contains(name)) {
            request = request.expression_attribute_values(name, time(moment));
        }
        updated(request).await
    }

    /// The keys of a cart, with whether only the carts of its number count: nothing was said of the customer besides, and
    /// the cart was kept under its number, which older versions did not do.
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

    /// What is known of the carts of a customer, and of one of them, to a mapping, in one read.
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

/// Where an item keeps the last notice of a cart.
pub(crate) struct Notice {
    at: String,
    by: String,
    first_before: String,
    earlier_at: String,
    earlier_by: String,
}

impl Notice {
    /// The notices of a mapping.
    pub(crate) fn of(mapping: &MappingId) -> Self {
        Self::named(&format!("/{mapping}"))
    }

    /// The notices of all mappings, as older versions kept them.
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

    /// The names that an expression uses; DynamoDB refuses others.
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

/// The items of [`CartKeys`], as far as there are any.
#[derive(Clone, Copy, Default)]
pub(crate) struct CartItems<'a> {
    pub(crate) all: Option<&'a Item>,
    pub(crate) of_number: Option<&'a Item>,
    pub(crate) ended: Option<&'a Item>,
}

impl CartItems<'_> {
    /// What they say to a mapping.
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
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        "2026-11-22T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hour)
    }

    fn item(moments: &[(&str, i64)], by: &[(&str, &str)]) -> Item {
        let moments = moments.iter().map(|(name, hour)| ((*name).to_owned(), time(at(*hour))));
        moments.chain(by.iter().map(|(name, by)| ((*name).to_owned(), text(*by)))).collect()
    }

    #[test]
    fn what_an_older_version_wrote_counts_for_every_mapping() {
        let history = |all: &Item, mapping: &str| {
            let items = CartItems { all: Some(all), ..CartItems::default() };
            items.history(false, &MappingId::parse(mapping).unwrap()).unwrap()
        };
        let moments = [("newest", 3), ("first_left", 2), ("closed_at", 1), ("notified_at", 4)];
        let old = item(&moments, &[("notified_by", "m-0")]);
        let expected = CartHistory {
            newest: Some(at(3)),
            first: Some(at(2)),
            closed_at: Some(at(1)),
            ended_at: None,
            notified_at: Some(at(4)),
            notified_by: Some("m-0".to_owned()),
        };
        assert_eq!(history(&old, "one"), expected);
        assert_eq!(history(&old, "other"), expected);
        let new = item(&[("notified_at/one", 6)], &[("notified_by/one", "m-1")]);
        let both = old.into_iter().chain(new).collect();
        assert_eq!(history(&both, "other"), expected);
        let own = CartHistory { notified_at: Some(at(6)), notified_by: Some("m-1".to_owned()), ..expected };
        assert_eq!(history(&both, "one"), own);
    }

    #[test]
    fn of_guests_the_carts_of_their_number_count_and_what_closed_all() {
        let all = item(&[("newest", 9), ("closed_at", 8), ("closed_all_at", 2), ("notified_at", 7)], &[]);
        let of_number = item(&[("newest", 3), ("closed_at", 1)], &[]);
        let items = CartItems { all: Some(&all), of_number: Some(&of_number), ended: None };
        let mapping = MappingId::parse("one").unwrap();
        let expected = CartHistory { newest: Some(at(3)), closed_at: Some(at(2)), ..CartHistory::default() };
        assert_eq!(items.history(true, &mapping).unwrap(), expected);
        let known = items.history(false, &mapping).unwrap();
        assert_eq!((known.newest, known.closed_at, known.notified_at), (Some(at(9)), Some(at(8)), Some(at(7))));
    }

    #[test]
    fn the_names_of_notices_never_change() {
        let names = |notice: Notice| {
            let names = notice.names(&["#at #by #first_before #earlier_at #earlier_by"]);
            ["#at", "#by", "#first_before", "#earlier_at", "#earlier_by"].map(|name| names[name].clone())
        };
        let of_mapping = names(Notice::of(&MappingId::parse("m").unwrap()));
        assert_eq!(
            of_mapping,
            ["notified_at/m", "notified_by/m", "first_before/m", "told_before/m", "told_before_by/m"]
        );
        let of_any = names(Notice::of_any());
        assert_eq!(of_any, ["notified_at", "notified_by", "first_before", "told_before", "told_before_by"]);
        assert!(Notice::of_any().names(&["#by = :message"]).keys().eq(["#by"]));
    }
}
