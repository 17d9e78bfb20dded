//! Taking back a claim whose owner certainly did not call the provider.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{ConditionCheck, TransactWriteItem, Update};
use domain::decision::guards::Guards;
use domain::message::state::{Answer, Failure};
use domain::primitives::key::{MessageId, message_key};
use domain::queue::job::MessageJob;
use jiff::Timestamp;

use super::super::MessageRecord;
use super::super::facts::{NOT_ACCEPTED, UNKNOWN, answer_name, sort_key};
use super::Claims;
use super::give_back::forget;
use crate::contacts::PAIR_INTERVAL;
use crate::error::StoreError;
use crate::item::{Item, Reading, json, millis, number, text};
use crate::transact::{Transaction, Written, a_while, again};

/// The failure code of a message that was claimed but not sent to the provider.
const NO_CODE: &str = "none";
const DETAILS: &str = "WA Smart Business was not called after the claim";
/// The attributes of a latest-event item, and the attributes that keep their previous values.
const BEFORE: &[(&str, &str)] = &[
    ("message", "before_message"),
    ("owner", "before_owner"),
    ("occurred_at", "before_occurred_at"),
    ("received_at", "before_received_at"),
    ("doc_version", "before_version"),
    ("expires_at", "before_expires_at"),
];
/// Represents the absence of a previous version.
pub(super) const NO_VERSION: i64 = -1;

/// The item that one write of a release guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guarded {
    /// The message belongs to the owner, and no outcome is recorded.
    Message,
    /// No operator sent the message again.
    Resend,
    /// The last slot of the number has not passed.
    Slot,
}

impl Claims {
    /// Takes back the claim of an owner that certainly did not call the provider. Only a record that the owner itself
    /// put back proves this.
    ///
    /// The message can then be claimed again. The latest-event item, the dedup keys, the cart notice and the slot of
    /// the number are given back. The call is idempotent.
    ///
    /// Returns `false` if there is no claim to take back:
    ///
    /// - The message does not exist or has another owner.
    /// - An answer or a status is recorded. The answer `unknown` of the sweep does not count.
    /// - The message was skipped, or an operator resolved it or sent it again.
    ///
    /// # Errors
    /// [`StoreError`]; the next call completes the release.
    pub async fn release(
        &self,
        message: &MessageRecord<'_>,
        guards: &Guards,
        owner: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let id = message.id();
        let Some(item) = self.ledger.item(&id).await? else { return Ok(false) };
        let reading = Reading::of(&item);
        if reading.text("owner")? != Some(owner) {
            return Ok(false);
        }
        match reading.text("answered")? {
            None | Some(UNKNOWN) => {
                let contact = reading.text("contact")?.and_then(|contact| contact.split_once('#'));
                let contact = contact.map(|(_, pseudonym)| pseudonym);
                if !self.end_claim(message, owner, contact, now).await? {
                    return Ok(false);
                }
            }
            Some(NOT_ACCEPTED) => {}
            Some(_) => return Ok(false),
        }
        if let Some(latest) = &guards.latest {
            self.restore_latest(latest, &id, owner).await?;
        }
        self.give_back(guards, &id, owner).await?;
        Ok(true)
    }

    /// Ends the claim and gives the slot of the number back if it has not passed. Returns whether the claim existed.
    async fn end_claim(
        &self,
        message: &MessageRecord<'_>,
        owner: &str,
        contact: Option<&str>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let id = message.id();
        let mut ended = Transaction::new()
            .with(Guarded::Message, self.never_called(&id, owner, now)?)
            .with(Guarded::Resend, self.not_sent_again(message)?);
        let without_slot = ended.clone();
        if let Some(contact) = contact {
            ended = ended.with(Guarded::Slot, self.give_slot_back(contact, now)?);
        }
        let client = &self.ledger.client;
        let refused = match ended.write(client, None, &a_while()).await? {
            Written::All => return Ok(true),
            Written::Nothing(refused) => refused,
        };
        if refused.by(Guarded::Message).is_some() || refused.by(Guarded::Resend).is_some() {
            return Ok(false);
        }
        Ok(matches!(without_slot.write(client, None, &a_while()).await?, Written::All))
    }

    fn never_called(&self, id: &MessageId, owner: &str, now: Timestamp) -> Result<TransactWriteItem, StoreError> {
        let failure = Failure { code: NO_CODE.to_owned(), details: DETAILS.to_owned(), trace_id: None };
        let answer = Answer::NotAccepted { at: now, failure };
        let update = Update::builder()
            .table_name(&self.ledger.table)
            .key("pk", text(&id.event))
            .key("sk", text(sort_key(id)))
            .update_expression("SET answered = :answered, answer = :answer REMOVE open_shard, open_since")
            .condition_expression(
                "#owner = :owner AND (attribute_not_exists(answered) OR answered = :unknown) \
                 AND attribute_not_exists(skipped) AND attribute_not_exists(resolved) \
                 AND attribute_not_exists(status_sent) AND attribute_not_exists(status_delivered) \
                 AND attribute_not_exists(status_read) AND attribute_not_exists(status_failed)",
            )
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(owner))
            .expression_attribute_values(":unknown", text(UNKNOWN))
            .expression_attribute_values(":answered", text(answer_name(&answer)))
            .expression_attribute_values(":answer", json(&answer)?);
        let update = update.build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// An operator may have sent an `unknown` message again.
    fn not_sent_again(&self, message: &MessageRecord<'_>) -> Result<TransactWriteItem, StoreError> {
        let MessageJob { mapping, recipient, send_number, .. } = message.job;
        let next = message_key(mapping, recipient, send_number.saturating_add(1));
        let next = MessageId { message: next, ..message.id() };
        let check = ConditionCheck::builder()
            .table_name(&self.ledger.table)
            .key("pk", text(&next.event))
            .key("sk", text(sort_key(&next)))
            .condition_expression("attribute_not_exists(pk)");
        let check = check.build()?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }

    fn give_slot_back(&self, contact: &str, now: Timestamp) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.contacts)
            .key("pk", text(contact))
            .update_expression("SET next_slot = next_slot - :interval")
            .condition_expression("next_slot > :now")
            .expression_attribute_values(":interval", number(PAIR_INTERVAL.as_millis()))
            .expression_attribute_values(":now", millis(now));
        let update = update.build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Restores the latest-event item as it was before a claim wrote it, if it still belongs to that claim.
    async fn restore_latest(&self, key: &str, id: &MessageId, owner: &str) -> Result<(), StoreError> {
        let request = self.ledger.client.get_item().table_name(&self.contacts).consistent_read(true);
        let Some(item) = request.key("pk", text(key)).send().await?.item else { return Ok(()) };
        let condition = "message = :message AND #owner = :owner";
        let Some(before) = latest_before(&item)? else {
            let request = self.ledger.client.delete_item().table_name(&self.contacts).key("pk", text(key));
            let request = request.condition_expression(condition).expression_attribute_names("#owner", "owner");
            let request = request.expression_attribute_values(":message", text(id.to_string()));
            return forget(request.expression_attribute_values(":owner", text(owner))).await;
        };
        let request = self.ledger.client.put_item().table_name(&self.contacts).set_item(Some(before));
        let request = request
            .item("pk", text(key))
            .condition_expression(condition)
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":message", text(id.to_string()))
            .expression_attribute_values(":owner", text(owner));
        match again(|| request.clone().send()).await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(error.into()),
            },
        }
    }
}

/// The latest-event item before the given one; `None` if there was none.
fn latest_before(item: &Item) -> Result<Option<Item>, StoreError> {
    if Reading::of(item).text("before_message")?.is_none_or(str::is_empty) {
        return Ok(None);
    }
    let no_version = number(NO_VERSION);
    let kept = BEFORE.iter().filter_map(|(name, before)| Some(((*name).to_owned(), item.get(*before)?.clone())));
    Ok(Some(kept.filter(|(_, value)| *value != no_version).collect()))
}
