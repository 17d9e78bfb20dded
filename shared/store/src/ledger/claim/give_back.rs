//! Giving back what a claim took, where nobody got the message.

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::delete_item::builders::DeleteItemFluentBuilder;
use domain::key::MessageId;
use domain::occasion::{CartGuard, Guards};

use super::super::message::conditional;
use super::Claims;
use crate::error::StoreError;
use crate::item::text;
use crate::transaction::again;

impl Claims {
    /// Gives back what a claim took for a message which surely was not accepted: nobody was told, so another event may tell
    /// it, and the message itself takes it again with its next claim. The head stays: what is older must not be told.
    /// Doing it again changes nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn give_back(&self, guards: &Guards, id: &MessageId, owner: &str) -> Result<(), StoreError> {
        self.give_back_notice(guards, id).await?;
        for occasion in guards.occasion.iter().chain(&guards.occasions_besides) {
            self.forget_occasion(occasion, id, owner).await?;
        }
        Ok(())
    }

    /// Gives the notice of a cart back that a claim took for a message which nobody got: the next cart may be told within
    /// a day, and this one, if it is tried again, is due as it was.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn give_back_notice(&self, guards: &Guards, id: &MessageId) -> Result<(), StoreError> {
        let Some(CartGuard { key, asked, .. }) = &guards.cart else { return Ok(()) };
        let of_notice = |expression: &str, condition: &str| {
            let request = self.ledger.client.update_item().table_name(&self.contacts).key("pk", text(key));
            request
                .update_expression(expression)
                .condition_expression(format!("notified_by = :message{condition}"))
                .expression_attribute_values(":message", text(id.to_string()))
        };
        if !*asked {
            // A row that began since stays as it is.
            let expression = "SET first_left = if_not_exists(first_left, first_before) REMOVE notified_at, notified_by, first_before";
            conditional(of_notice(expression, "")).await?;
            return Ok(());
        }
        // That the customer was told before a person asked for another notice stays true.
        let expression =
            "SET notified_at = told_before, notified_by = told_before_by REMOVE told_before, told_before_by";
        let before = of_notice(expression, " AND told_before <> :none").expression_attribute_values(":none", text(""));
        if conditional(before).await?.is_some() {
            let expression = "REMOVE notified_at, notified_by, told_before, told_before_by";
            conditional(of_notice(expression, "")).await?;
        }
        Ok(())
    }

    /// Gives an occasion back that another message has which nobody got: it was refused for good.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn take_away(&self, occasion: &str, of: &str) -> Result<(), StoreError> {
        let request = self.ledger.client.delete_item().table_name(&self.contacts).key("pk", text(occasion));
        let request = request.condition_expression("message = :message");
        forget(request.expression_attribute_values(":message", text(of))).await
    }

    async fn forget_occasion(&self, occasion: &str, id: &MessageId, owner: &str) -> Result<(), StoreError> {
        let request = self.ledger.client.delete_item().table_name(&self.contacts).key("pk", text(occasion));
        // A later claim of the same message may have taken it again, and been accepted.
        let request = request.condition_expression("message = :message AND #owner = :owner");
        let request =
            request.expression_attribute_names("#owner", "owner").expression_attribute_values(":owner", text(owner));
        forget(request.expression_attribute_values(":message", text(id.to_string()))).await
    }
}

/// Deletes an item, unless it belongs to another message by now, or is gone.
pub(super) async fn forget(request: DeleteItemFluentBuilder) -> Result<(), StoreError> {
    match again(|| request.clone().send()).await {
        Ok(_) => Ok(()),
        Err(error) => match error.as_service_error() {
            Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(()),
            _ => Err(error.into()),
        },
    }
}
