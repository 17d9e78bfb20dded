//! The sweep of messages that stayed in `sending`: their owner is gone, and a claim is never taken over.
//!
//! A claim does not list its message for the sweep, because the two entries would cost two writes for each message.
//! The queue keeps the record of a claim until the claim is settled. If its owner stops, the record comes again, meets
//! the message in `sending`, and lists it.

use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use domain::message::state::{Answer, Claim};
use domain::primitives::key::MessageId;
use jiff::Timestamp;

use super::facts::{STATUSES, answer_name, sort_key, status_attribute};
use super::{Ledger, shard};
use crate::error::StoreError;
use crate::item::{Reading, json, text, time};
use crate::transact::conditional;

/// The shards of the index `open`.
pub const SHARDS: &[&str] = &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d", "e", "f"];

/// A message in `sending`, as the index returns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenMessage {
    pk: String,
    sk: String,
    since: String,
}

impl std::fmt::Display for OpenMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.pk, self.sk.strip_prefix("M#").unwrap_or(&self.sk))
    }
}

impl Ledger {
    /// Lists a message in `sending` for the sweep, with the time of its claim. Returns whether it is listed: `false` if
    /// the owner recorded an answer in the meantime.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open(&self, id: &MessageId, claim: &Claim) -> Result<bool, StoreError> {
        let request = self.client.update_item().table_name(&self.table);
        let request = request
            .key("pk", text(&id.event))
            .key("sk", text(sort_key(id)))
            .update_expression("SET open_shard = :shard, open_since = :since")
            .condition_expression("#owner = :owner AND attribute_not_exists(answered)")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(&claim.owner))
            .expression_attribute_values(":shard", text(shard(&id.event)))
            .expression_attribute_values(":since", time(claim.at));
        Ok(conditional(request).await?.is_none())
    }

    /// Returns the messages of a shard that were claimed at or before `cutoff` and have no answer.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_since(&self, shard: &str, cutoff: Timestamp) -> Result<Vec<OpenMessage>, StoreError> {
        let request = self.client.query().table_name(&self.table).index_name("open");
        let request = request.key_condition_expression("open_shard = :shard AND open_since <= :cutoff");
        let request = request.expression_attribute_values(":shard", text(shard));
        let request = request.expression_attribute_values(":cutoff", time(cutoff));
        let mut pages = request.into_paginator().send();
        let mut open = Vec::new();
        while let Some(page) = pages.next().await {
            for item in page?.items() {
                let reading = Reading::of(item);
                let part = |name| reading.required(name).map(str::to_owned);
                open.push(OpenMessage { pk: part("pk")?, sk: part("sk")?, since: part("open_since")? });
            }
        }
        Ok(open)
    }

    /// Marks a message as `unknown`, unless it was answered, claimed again or got a status since the index returned it.
    /// Returns whether it was marked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn give_up(&self, open: &OpenMessage, cause: &str, now: Timestamp) -> Result<bool, StoreError> {
        let answer = Answer::Unknown { at: now, cause: cause.to_owned(), details: None };
        let request = self.client.update_item().table_name(&self.table);
        let request = request
            .key("pk", text(&open.pk))
            .key("sk", text(&open.sk))
            .update_expression("SET answered = :answered, answer = :answer REMOVE open_shard, open_since")
            .condition_expression(
                "open_since = :since AND attribute_not_exists(answered) AND attribute_not_exists(status_sent) \
                 AND attribute_not_exists(status_delivered) AND attribute_not_exists(status_read) \
                 AND attribute_not_exists(status_failed)",
            )
            .expression_attribute_values(":since", text(&open.since))
            .expression_attribute_values(":answered", text(answer_name(&answer)))
            .expression_attribute_values(":answer", json(&answer)?)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Some(old) = conditional(request).await? else { return Ok(true) };
        if STATUSES.iter().any(|status| old.contains_key(status_attribute(*status))) {
            self.close(open).await?;
        }
        Ok(false)
    }

    /// Removes a message from the index: a status proves that it was accepted, although its owner recorded no answer.
    async fn close(&self, open: &OpenMessage) -> Result<(), StoreError> {
        let request = self.client.update_item().table_name(&self.table);
        let request = request
            .key("pk", text(&open.pk))
            .key("sk", text(&open.sk))
            .update_expression("REMOVE open_shard, open_since")
            .condition_expression("open_since = :since")
            .expression_attribute_values(":since", text(&open.since));
        conditional(request).await?;
        Ok(())
    }
}
