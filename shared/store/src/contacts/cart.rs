//! The carts of a customer: the newest counts, in whatever order the events come.

use domain::cart::{CartHead, Change};
use domain::id::SiteId;
use domain::key::cart_key;
use jiff::{SignedDuration, Timestamp};

use super::suppression::updated;
use super::{Contacts, Item};
use crate::error::StoreError;
use crate::item::{Reading, number, text, time};

/// How long it is remembered after the last change.
const REMEMBERED_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);

impl Contacts {
    /// Records what an event says of the carts of a customer, unless something newer of the same kind is known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn change_cart(&self, site: &SiteId, change: &Change<'_>, now: Timestamp) -> Result<(), StoreError> {
        let (customer, at, expression, condition) = match change {
            Change::Left(customer, at) => (
                customer,
                at,
                "SET newest = :at, first_left = if_not_exists(first_left, :at), expires_at = :expires_at",
                "attribute_not_exists(newest) OR newest < :at",
            ),
            Change::Closed(customer, at) => (
                customer,
                at,
                "SET closed_at = :at, expires_at = :expires_at REMOVE first_left",
                "attribute_not_exists(closed_at) OR closed_at < :at",
            ),
        };
        let remembered = now.saturating_add(REMEMBERED_FOR).unwrap_or(now).as_second();
        let request = self.client.update_item().table_name(&self.table).key("pk", text(cart_key(site, customer)));
        let request = request
            .update_expression(expression)
            .condition_expression(condition)
            .expression_attribute_values(":at", time(*at))
            .expression_attribute_values(":expires_at", number(remembered));
        updated(request).await?;
        Ok(())
    }

    /// What is known of the carts of a customer, by their key.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn carts(&self, key: &str) -> Result<CartHead, StoreError> {
        let items = self.items(&[key]).await?;
        items.get(key).map_or_else(|| Ok(CartHead::default()), cart_head)
    }
}

/// Reads what is known of a customer's carts.
pub(crate) fn cart_head(item: &Item) -> Result<CartHead, StoreError> {
    let reading = Reading::of(item);
    Ok(CartHead {
        newest: reading.time("newest")?,
        first: reading.time("first_left")?,
        closed_at: reading.time("closed_at")?,
        notified_at: reading.time("notified_at")?,
        notified_by: reading.text("notified_by")?.map(str::to_owned),
    })
}
