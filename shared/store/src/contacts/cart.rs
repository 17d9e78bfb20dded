//! The carts of a customer: the newest counts, in whatever order the events come.
//!
//! | attribute of `CART#…` | what |
//! |---|---|
//! | `newest` | when the newest cart was left that somebody is to be told of |
//! | `newest_besides` | when the newest was left that nobody is to be told of: it is newer all the same |
//! | `first_left` | when the first of the row was left whose newest cart waits |
//! | `first_before` | `first_left` as the last notice found it, in case nobody gets that |
//! | `closed_at` | when the customer last ordered |
//! | `notified_at`, `notified_by` | the last notice |

use domain::cart::{CartHead, Change, What, interval, postponed_max};
use domain::config::Site;
use domain::key::{cart_key, ended_cart_key};
use jiff::{SignedDuration, Timestamp};

use super::suppression::updated;
use super::{Contacts, Item};
use crate::error::StoreError;
use crate::item::{Reading, number, text, time};

/// How long it is remembered after the last change.
const REMEMBERED_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);

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
/// A cart was emptied or taken up again.
const ENDED: Write = Write { set: "ended_at = :at", on: "attribute_not_exists(ended_at) OR ended_at < :at" };

/// How what happens to carts is kept.
#[derive(Clone, Copy, Debug)]
pub struct Following {
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
    /// Records what an event says of the carts of a customer, unless something newer of the same kind is known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn change_cart(
        &self,
        site: &Site,
        change: &Change<'_>,
        following: Following,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let key = cart_key(&site.id, change.customer);
        let writes: &[Write] = match change.what {
            What::Left if following.is_planned => &[CONTINUES, BEGINS, PRECEDES],
            What::Left => &[BESIDES],
            What::Ordered => &[ORDERED],
            What::Ended(cart) => {
                let ended_key = ended_cart_key(&site.id, change.customer, cart);
                if following.only_known && self.items(&[&key]).await?.is_empty() {
                    return Ok(());
                }
                let following = Following { only_known: false, ..following };
                self.write_cart(&ended_key, ENDED, (site, change), (following, now)).await?;
                return Ok(());
            }
        };
        for write in writes {
            if self.write_cart(&key, *write, (site, change), (following, now)).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Writes one thing, if its condition holds: then `true`.
    async fn write_cart(
        &self,
        key: &str,
        Write { set, on }: Write,
        (site, Change { at, .. }): (&Site, &Change<'_>),
        (following, now): (Following, Timestamp),
    ) -> Result<bool, StoreError> {
        let remembered = now.saturating_add(REMEMBERED_FOR).unwrap_or(now).as_second();
        let condition = if following.only_known { format!("attribute_exists(pk) AND ({on})") } else { on.to_owned() };
        let request = self.client.update_item().table_name(&self.table).key("pk", text(key));
        let mut request = request
            .update_expression(format!("SET {set}, expires_at = :expires_at"))
            .condition_expression(condition)
            .expression_attribute_values(":at", time(*at))
            .expression_attribute_values(":expires_at", number(remembered));
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

    /// What is known of the carts of a customer, and of one of them, by their keys, in one read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn carts(&self, key: &str, ended_key: &str) -> Result<CartHead, StoreError> {
        let items = self.items(&[key, ended_key]).await?;
        cart_head(items.get(key), items.get(ended_key))
    }
}

/// Reads what is known of a customer's carts, and of the end of one of them.
pub(crate) fn cart_head(carts: Option<&Item>, ended: Option<&Item>) -> Result<CartHead, StoreError> {
    let mut head = CartHead::default();
    if let Some(item) = carts {
        let reading = Reading::of(item);
        head.newest = reading.time("newest")?.max(reading.time("newest_besides")?);
        head.first = reading.time("first_left")?;
        head.closed_at = reading.time("closed_at")?;
        head.notified_at = reading.time("notified_at")?;
        head.notified_by = reading.text("notified_by")?.map(str::to_owned);
    }
    if let Some(item) = ended {
        head.ended_at = Reading::of(item).time("ended_at")?;
    }
    Ok(head)
}
