//! The checks of carts in a claim, and the cart notice that the claim records.

use aws_sdk_dynamodb::types::{ConditionCheck, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use domain::decision::cart::NOTICE_EVERY;
use domain::decision::guards::CartGuard;
use domain::primitives::key::{CartKeys, MessageId};
use jiff::Timestamp;

use super::Claims;
use crate::contacts::{CARTS_REMEMBERED_FOR, Notice};
use crate::error::StoreError;
use crate::item::{number, text, time};

impl Claims {
    /// Records a cart notice of a mapping, which ends the series of carts.
    ///
    /// Returns the writes to the customer's item and to the number's item, in this order. One of them decides, and the
    /// other only records the notice. The deciding item refuses the notice within a day of another one, and for a cart
    /// that was left before another one.
    pub(super) fn put_cart_notice(
        &self,
        cart: &CartGuard,
        id: &MessageId,
        now: Timestamp,
    ) -> Result<[TransactWriteItem; 2], StoreError> {
        let CartKeys { all, of_number, by_number, .. } = &cart.keys;
        // The customer's item alone records an order without a known number.
        let open = "(attribute_not_exists(closed_all_at) OR closed_all_at < :left_at)";
        let counts = cart_is_valid(cart.requested);
        let (all_condition, of_number_condition) = if *by_number {
            (Some(open.to_owned()), Some(counts))
        } else {
            (Some(format!("{open} AND {counts}")), None)
        };
        let all = self.put_notice(all, all_condition, cart, id, now)?;
        let of_number = self.put_notice(of_number, of_number_condition, cart, id, now)?;
        Ok([all, of_number])
    }

    fn put_notice(
        &self,
        key: &str,
        condition: Option<String>,
        CartGuard { mapping, left_at, requested, .. }: &CartGuard,
        id: &MessageId,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        let update = if *requested {
            // Keeps the previous notice, which is restored if this message is refused.
            "SET #at = :now, #by = :message, #earlier_at = if_not_exists(#at, :none), \
             #earlier_by = if_not_exists(#by, :none), expires_at = :expires_at"
        } else {
            "SET #at = :now, #by = :message, #first_before = if_not_exists(first_left, :left_at), \
             expires_at = :expires_at REMOVE first_left"
        };
        let before = now.saturating_sub(NOTICE_EVERY).unwrap_or(now);
        let remembered = now.saturating_add(CARTS_REMEMBERED_FOR).unwrap_or(now).as_second();
        let values = [
            (":now", time(now)),
            (":message", text(id.to_string())),
            (":expires_at", number(remembered)),
            (":none", text("")),
            (":left_at", time(*left_at)),
            (":before", time(before)),
        ];
        let expressions = [update, condition.as_deref().unwrap_or_default()];
        // DynamoDB rejects a value that no expression uses.
        let used = values.into_iter().filter(|(name, _)| expressions.iter().any(|part| part.contains(name)));
        let update = Update::builder()
            .table_name(&self.contacts)
            .key("pk", text(key))
            .update_expression(update)
            .set_expression_attribute_names(Some(Notice::of(mapping).names(&expressions)))
            .set_expression_attribute_values(Some(used.map(|(name, value)| (name.to_owned(), value)).collect()))
            .set_condition_expression(condition)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let update = update.build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// The check of the cart itself: not emptied or resumed since it was left.
    pub(super) fn check_cart(
        &self,
        CartGuard { keys, left_at, .. }: &CartGuard,
    ) -> Result<TransactWriteItem, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&self.contacts)
            .key("pk", text(&keys.ended))
            .condition_expression("attribute_not_exists(pk) OR ended_at < :left_at")
            .expression_attribute_values(":left_at", time(*left_at))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let check = check.build()?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }
}

/// The condition under which a cart notice may be sent. With `requested`, an operator requested the notice, and newer carts
/// and earlier notices do not matter. Older versions stored one notice for all mappings.
fn cart_is_valid(requested: bool) -> String {
    let open = "(attribute_not_exists(closed_at) OR closed_at < :left_at)";
    let newest = "(attribute_not_exists(#at) OR (#at <= :before AND #at < :left_at) OR #by = :message) \
         AND (attribute_not_exists(notified_at) OR (notified_at <= :before AND notified_at < :left_at) \
         OR notified_by = :message) \
         AND (attribute_not_exists(newest) OR newest <= :left_at) \
         AND (attribute_not_exists(newest_besides) OR newest_besides <= :left_at)";
    if requested { open.to_owned() } else { format!("{open} AND {newest}") }
}
