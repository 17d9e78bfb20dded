//! The writes and checks of a claim that prevent duplicates and messages out of order.

use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use domain::decision::guards::{ActivityGuard, Guards, ReminderBasis, renewal};
use domain::event::EventVersion;
use domain::primitives::key::MessageId;
use jiff::Timestamp;

use super::release::NO_VERSION;
use super::{Claim, Claims, Guarded};
use crate::contacts::renewal::renew;
use crate::error::StoreError;
use crate::item::{number, text};
use crate::newer::Newer;
use crate::transact::Refused;

impl Claims {
    /// Writes the latest-event item. Refused if the item has a newer event, unless this message wrote it.
    pub(super) fn put_latest(
        &self,
        key: &str,
        claim: &Claim<'_>,
        id: &MessageId,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        let newer = Newer::than(claim.guards.version);
        let condition = format!("attribute_not_exists(pk) OR message = :message OR {}", newer.condition);
        // An update instead of a put keeps the previous values, which a release restores.
        let mut set = "SET message = :message, #owner = :owner, expires_at = :expires_at, \
             before_message = if_not_exists(message, :none), before_owner = if_not_exists(#owner, :none), \
             before_occurred_at = if_not_exists(occurred_at, :none), \
             before_received_at = if_not_exists(received_at, :none), \
             before_version = if_not_exists(doc_version, :no_version), \
             before_expires_at = if_not_exists(expires_at, :no_version)"
            .to_owned();
        for (name, _) in &newer.attributes {
            set.push_str(&format!(", {name} = :{name}"));
        }
        if claim.guards.version.version.is_none() {
            set.push_str(" REMOVE doc_version");
        }
        let update = Update::builder()
            .table_name(&self.contacts)
            .key("pk", text(key))
            .update_expression(set)
            .condition_expression(condition)
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(claim.owner))
            .expression_attribute_values(":message", text(id.to_string()))
            .expression_attribute_values(":expires_at", expiry(claim, now))
            .expression_attribute_values(":none", text(""))
            .expression_attribute_values(":no_version", number(NO_VERSION))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let update = newer
            .attributes
            .into_iter()
            .fold(update, |update, (name, value)| update.expression_attribute_values(format!(":{name}"), value));
        let update = update.build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Extends the expiry of the latest-event item and the dedup key that refused a claim, if they are past half of
    /// their lifetime. Events that are raised again every night then do not cost a write each time.
    pub(super) async fn renew(
        &self,
        claim: &Claim<'_>,
        refused: &Refused<Guarded>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let expires_at = |guarded| {
            let item = refused.by(guarded)?;
            let seconds = item.get("expires_at")?.as_n().ok()?.parse().ok()?;
            Timestamp::from_second(seconds).ok()
        };
        let met = [Guarded::LatestEvent, Guarded::DedupKey].into_iter().filter_map(expires_at).min();
        if met.and_then(|expires_at| renewal(expires_at, now, claim.remember_for)).is_none() {
            return Ok(());
        }
        // Both are written together, but the claim may have met only one of them.
        let Guards { latest, dedup_key, .. } = claim.guards;
        for key in latest.iter().chain(dedup_key) {
            renew(&self.ledger.client, &self.contacts, key, (now, claim.remember_for)).await?;
        }
        Ok(())
    }

    /// The check that the reminder of an activity is still valid. `version` is the event version of the reminder's
    /// event.
    pub(super) fn check_activity(
        &self,
        activity: &ActivityGuard,
        version: EventVersion,
    ) -> Result<TransactWriteItem, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&self.contacts)
            .key("pk", text(&activity.key))
            .expression_attribute_values(":no", AttributeValue::Bool(false))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let check = match &activity.basis {
            ReminderBasis::Fingerprint(due) => check
                .condition_expression("attribute_not_exists(pk) OR (is_over = :no AND contains(moments, :due))")
                .expression_attribute_values(":due", text(due)),
            ReminderBasis::Start(starts) => {
                let newer = Newer::than(version);
                let check = check
                    .condition_expression(format!(
                        "attribute_not_exists(pk) OR (is_over = :no AND (attribute_not_exists(starts) OR starts = :starts)) \
                         OR {}",
                        newer.condition
                    ))
                    .expression_attribute_values(":starts", text(starts));
                newer
                    .attributes
                    .into_iter()
                    .fold(check, |check, (name, value)| check.expression_attribute_values(format!(":{name}"), value))
            }
        };
        let check = check.build()?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }

    /// Writes the dedup key. Refused if it belongs to another message.
    pub(super) fn put_dedup_key(
        &self,
        key: &str,
        claim: &Claim<'_>,
        id: &MessageId,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        let put = remembered(&self.contacts, key, claim, id, now);
        written(remembered_if(put, "attribute_not_exists(pk) OR message = :message", id))
    }
}

/// An item that belongs to a message and expires after the claim's `remember_for`.
pub(super) fn remembered(table: &str, key: &str, claim: &Claim<'_>, id: &MessageId, now: Timestamp) -> PutBuilder {
    Put::builder()
        .table_name(table)
        .item("pk", text(key))
        .item("owner", text(claim.owner))
        .item("message", text(id.to_string()))
        .item("expires_at", expiry(claim, now))
}

fn expiry(claim: &Claim<'_>, now: Timestamp) -> AttributeValue {
    number(now.saturating_add(claim.remember_for).unwrap_or(now).as_second())
}

/// Adds a condition to [`remembered`]. If it fails, the existing item is returned.
fn remembered_if(put: PutBuilder, condition: impl Into<String>, id: &MessageId) -> PutBuilder {
    put.condition_expression(condition)
        .expression_attribute_values(":message", text(id.to_string()))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
}

pub(super) fn written(put: PutBuilder) -> Result<TransactWriteItem, StoreError> {
    let put = put.build()?;
    Ok(TransactWriteItem::builder().put(put).build())
}
