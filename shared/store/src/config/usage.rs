//! The events of each API key in the current minute, as the executions share them.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValue;
use domain::site::intake::Share;

use super::ConfigTable;
use crate::error::StoreError;
use crate::item::{Reading, number, text};

/// The sort key of the item.
const USAGE: &str = "USAGE";
/// Attempts while other executions begin the minute.
const TRIES: u32 = 3;

/// A conditional write.
#[derive(Clone, Copy)]
struct Write {
    update: &'static str,
    condition: &'static str,
}

const ADD: Write = Write { update: "ADD #events :events", condition: "#minute = :minute" };
const BEGIN: Write = Write {
    update: "SET #minute = :minute, #events = :events",
    condition: "attribute_not_exists(#minute) OR #minute < :minute",
};

impl ConfigTable {
    /// Adds a count to the events of a key in a minute. Returns the sum of all executions.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn share_usage(&self, key_id: &str, share: Share) -> Result<u32, StoreError> {
        for _ in 0..TRIES {
            // Usually another execution has begun the minute.
            if let Some(total) = self.update_usage(key_id, share, ADD).await? {
                return Ok(total);
            }
            if let Some(total) = self.update_usage(key_id, share, BEGIN).await? {
                return Ok(total);
            }
        }
        Err(StoreError::contended("the usage of a key"))
    }

    /// Runs an update under its condition. Returns the sum; `None` if the condition is not met.
    async fn update_usage(&self, key_id: &str, share: Share, write: Write) -> Result<Option<u32>, StoreError> {
        let request = self.client.update_item().table_name(&self.table);
        let request = request.key("pk", text(format!("USAGE#{key_id}"))).key("sk", text(USAGE));
        let request = request.update_expression(write.update).condition_expression(write.condition);
        let request = request
            .expression_attribute_names("#minute", "minute")
            .expression_attribute_names("#events", "events")
            .expression_attribute_values(":minute", number(share.minute))
            .expression_attribute_values(":events", number(share.events))
            .return_values(ReturnValue::AllNew);
        match request.send().await {
            Ok(answer) => {
                let item = answer.attributes.unwrap_or_default();
                Ok(Some(Reading::of(&item).number("events")?.unwrap_or_default()))
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(None),
                _ => Err(error.into()),
            },
        }
    }
}
