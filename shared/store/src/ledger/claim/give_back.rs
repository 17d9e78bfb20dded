//! Undoing the effects of a claim whose message was not delivered to anybody.

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::delete_item::builders::DeleteItemFluentBuilder;
use domain::decision::guards::{CartGuard, Guards};
use domain::primitives::key::MessageId;

use super::Claims;
use crate::contacts::Notice;
use crate::error::StoreError;
use crate::item::text;
use crate::transact::again;
use crate::transact::conditional;

impl Claims {
    /// Gives back the dedup keys and the cart notice that a claim took for a message that was certainly not accepted.
    ///
    /// Another event may then notify the recipient, and the next claim of this message takes them again. The
    /// latest-event item stays, so that no older event is sent. The call is idempotent.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn give_back(&self, guards: &Guards, id: &MessageId, owner: &str) -> Result<(), StoreError> {
        self.give_back_notice(guards, id).await?;
        for dedup_key in guards.dedup_key.iter().chain(&guards.other_dedup_keys) {
            self.forget_dedup_key(dedup_key, id, owner).await?;
        }
        Ok(())
    }

    /// Removes the cart notice that a claim recorded for a message that was not delivered. The next cart may then be
    /// notified within a day, and a retry for this cart is due as before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn give_back_notice(&self, guards: &Guards, id: &MessageId) -> Result<(), StoreError> {
        let Some(CartGuard { keys, mapping, requested, .. }) = &guards.cart else { return Ok(()) };
        self.take_back(&keys.of_number, &Notice::of(mapping), *requested, id).await?;
        if !self.take_back(&keys.all, &Notice::of(mapping), *requested, id).await? {
            // An older version may have recorded the claim.
            self.take_back(&keys.all, &Notice::of_any(), *requested, id).await?;
        }
        Ok(())
    }

    /// Removes the notice of a message from an item. Returns whether it was there.
    async fn take_back(&self, key: &str, notice: &Notice, requested: bool, id: &MessageId) -> Result<bool, StoreError> {
        let of_notice = |expression: &str, condition: &str| {
            let request = self.ledger.client.update_item().table_name(&self.contacts).key("pk", text(key));
            request
                .update_expression(expression)
                .condition_expression(condition)
                .set_expression_attribute_names(Some(notice.names(&[expression, condition])))
                .expression_attribute_values(":message", text(id.to_string()))
        };
        if !requested {
            // A series that began in the meantime keeps its first cart.
            let expression = "SET first_left = if_not_exists(first_left, #first_before) REMOVE #at, #by, #first_before";
            return Ok(conditional(of_notice(expression, "#by = :message")).await?.is_none());
        }
        // The notice before the one that an operator requested remains valid.
        let expression = "SET #at = #earlier_at, #by = #earlier_by REMOVE #earlier_at, #earlier_by";
        let before = of_notice(expression, "#by = :message AND #earlier_at <> :none");
        if conditional(before.expression_attribute_values(":none", text(""))).await?.is_none() {
            return Ok(true);
        }
        let expression = "REMOVE #at, #by, #earlier_at, #earlier_by";
        Ok(conditional(of_notice(expression, "#by = :message")).await?.is_none())
    }

    /// Deletes a dedup key that belongs to the message `of`, which was refused for good and not delivered.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take_away(&self, dedup_key: &str, of: &str) -> Result<(), StoreError> {
        let request = self.ledger.client.delete_item().table_name(&self.contacts).key("pk", text(dedup_key));
        let request = request.condition_expression("message = :message");
        forget(request.expression_attribute_values(":message", text(of))).await
    }

    async fn forget_dedup_key(&self, dedup_key: &str, id: &MessageId, owner: &str) -> Result<(), StoreError> {
        let request = self.ledger.client.delete_item().table_name(&self.contacts).key("pk", text(dedup_key));
        // A later claim of the same message may have taken the key again, and may have been accepted.
        let request = request.condition_expression("message = :message AND #owner = :owner");
        let request =
            request.expression_attribute_names("#owner", "owner").expression_attribute_values(":owner", text(owner));
        forget(request.expression_attribute_values(":message", text(id.to_string()))).await
    }
}

/// Deletes an item, unless it is gone or belongs to another message by now.
pub(super) async fn forget(request: DeleteItemFluentBuilder) -> Result<(), StoreError> {
    match again(|| request.clone().send()).await {
        Ok(_) => Ok(()),
        Err(error) => match error.as_service_error() {
            Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(()),
            _ => Err(error.into()),
        },
    }
}
