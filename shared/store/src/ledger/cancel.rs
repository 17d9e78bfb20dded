//! Cancelling a message before it is sent: one transaction removes it from the schedule and records it as skipped.

use aws_sdk_dynamodb::types::{Delete, TransactWriteItem, Update};
use domain::message::reason::Skip;
use domain::primitives::key::MessageId;

use super::Parking;
use super::facts::{NOT_ACCEPTED, sort_key};
use super::message::STILL_OPEN;
use super::park::Item;
use crate::error::StoreError;
use crate::item::{json, text};
use crate::schedule::message_item;
use crate::transact::Transaction;

impl Parking {
    /// Cancels a waiting message. A record of it that is in flight then finds it decided. Returns whether the message
    /// could be cancelled.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn cancel(&self, id: &MessageId, skip: &Skip) -> Result<bool, StoreError> {
        let update = Update::builder()
            .table_name(&self.ledger.table)
            .key("pk", text(&id.event))
            .key("sk", text(sort_key(id)))
            .update_expression("SET skipped = :skipped REMOVE waiting")
            .condition_expression(STILL_OPEN)
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":retry", text(NOT_ACCEPTED))
            .expression_attribute_values(":skipped", json(skip)?);
        // If there is no item, the message waits in the queue. Deleting a missing item is not an error.
        let delete = Delete::builder().table_name(&self.schedule.table).key("pk", text(message_item(id)));
        let update = TransactWriteItem::builder().update(update.build()?).build();
        let delete = TransactWriteItem::builder().delete(delete.build()?).build();
        self.write_both(Transaction::new().with(Item::Ledger, update).with(Item::Schedule, delete)).await
    }
}
