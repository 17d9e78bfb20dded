//! Messages in the ledger: settle, skip, wait, resolve and read.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use domain::event::Event;
use domain::message::reason::Skip;
use domain::message::state::{Answer, Facts, Resolved, Waiting};
use domain::primitives::id::SiteId;
use domain::primitives::key::MessageId;
use domain::queue::job::MessageJob;
use jiff::Timestamp;

use super::facts::{NOT_ACCEPTED, Reported, UNKNOWN, answer_name, facts, provider_key, reported, sort_key};
use super::{Ledger, expiry};
use crate::error::StoreError;
use crate::item::{Item, json, number, text, time};
use crate::transact::conditional;

/// The send number of the first send. Each resend by an operator has the next number.
pub(super) const FIRST_SEND: u32 = 1;

/// A message in the partition of its event: everything about it that does not change.
#[derive(Clone, Copy, Debug)]
pub struct MessageRecord<'a> {
    /// The job that processes the message. Of two records of one message, the one with the lower `attempt` is outdated
    /// and writes nothing.
    pub job: &'a MessageJob,
    /// The event that the message is about.
    pub event: &'a Event,
    /// Days that the ledger keeps the message.
    pub retention_days: u16,
}

/// The values of a send that a claim records for later inspection.
#[derive(Clone, Copy)]
pub struct Sending<'a> {
    /// The account that sends the message.
    pub account: &'a str,
    /// The template's name and language.
    pub template: (&'a str, &'a str),
    /// The recipient's number, E.164.
    pub phone: &'a str,
    /// The number's pseudonym at the site.
    pub contact: &'a str,
    /// The text that the recipient reads.
    pub text: &'a str,
}

impl MessageRecord<'_> {
    /// Returns the message's id.
    #[must_use]
    pub fn id(&self) -> MessageId {
        self.job.id()
    }
}

impl Ledger {
    /// Records the provider's answer. Only the owner of the claim settles a message, and a late answer replaces
    /// `unknown`.
    ///
    /// # Errors
    /// [`StoreError`]; the message stays `sending`. The caller must keep its record, which hands the message to the
    /// sweep.
    pub async fn settle(&self, site: &SiteId, id: &MessageId, owner: &str, answer: &Answer) -> Result<(), StoreError> {
        let mut set = "SET answered = :answered, answer = :answer".to_owned();
        let mut request = self.update(id);
        if let Answer::Accepted { provider_id, .. } = answer
            && let Some(provider) = provider_key(site, provider_id)
        {
            set.push_str(", provider = :provider");
            request = request.expression_attribute_values(":provider", text(provider));
        }
        let request = request
            .update_expression(format!("{set} REMOVE open_shard, open_since"))
            .condition_expression("#owner = :owner AND (attribute_not_exists(answered) OR answered = :unknown)")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", text(owner))
            .expression_attribute_values(":unknown", text(UNKNOWN))
            .expression_attribute_values(":answered", text(answer_name(answer)))
            .expression_attribute_values(":answer", json(answer)?);
        let Some(old) = conditional(request).await? else { return Ok(()) };
        // The write succeeded but its response was lost.
        if facts(&old)?.answer.as_ref() == Some(answer) {
            return Ok(());
        }
        Err(StoreError::malformed(&id.to_string(), "is not ours to settle"))
    }

    /// Records that a message is not sent. Nothing changes if the message is already claimed or decided, or if a newer
    /// record of it is in flight; the recorded facts are then returned.
    ///
    /// `contact` is the pseudonym of the message's number, if there is one. It lists the message in `by_contact`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn skip(
        &self,
        message: &MessageRecord<'_>,
        skip: &Skip,
        contact: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<Reported>, StoreError> {
        let id = message.id();
        let (names, values) = identity(message, now);
        let mut set = format!("SET {IDENTITY}, skipped = :skipped");
        let mut request = self
            .update(&id)
            .condition_expression(UNDECIDED)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .expression_attribute_values(":skipped", json(skip)?);
        if let Some(contact) = contact {
            set.push_str(", contact = :contact");
            request = request.expression_attribute_values(":contact", text(contact_of(&message.job.site, contact)));
        }
        let old = conditional(request.update_expression(format!("{set} REMOVE waiting"))).await?;
        old.as_ref().map(reported).transpose()
    }

    /// Records that a message waits for a queue record that was already put back, with the number of that record.
    /// Returns whether the message waits: `false` if it is already claimed or decided, or if a newer record of it is in
    /// flight.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn wait(
        &self,
        message: &MessageRecord<'_>,
        waiting: &Waiting,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let id = message.id();
        let (names, values) = identity(message, now);
        let request = self
            .update(&id)
            .update_expression(format!("SET {IDENTITY}, {WAITS}"))
            .condition_expression(UNDECIDED)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .expression_attribute_values(":waiting", json(waiting)?)
            .expression_attribute_values(":next", number(message.job.attempt.saturating_add(1)));
        Ok(conditional(request).await?.is_none())
    }

    /// Records an operator's decision about an unknown outcome. Returns whether the outcome was unknown.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn resolve(&self, id: &MessageId, resolved: &Resolved) -> Result<bool, StoreError> {
        let request = self
            .update(id)
            .update_expression("SET resolved = :resolved")
            .condition_expression("answered = :unknown AND attribute_not_exists(resolved)")
            .expression_attribute_values(":unknown", text(UNKNOWN))
            .expression_attribute_values(":resolved", json(resolved)?);
        Ok(conditional(request).await?.is_none())
    }

    /// Returns the facts of a message; `None` if nothing was recorded yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn message(&self, id: &MessageId) -> Result<Option<Facts>, StoreError> {
        self.item(id).await?.as_ref().map(facts).transpose()
    }

    /// Like [`message`](Self::message), with the values of the send that its claim recorded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reported(&self, id: &MessageId) -> Result<Option<Reported>, StoreError> {
        self.item(id).await?.as_ref().map(reported).transpose()
    }

    pub(super) async fn item(&self, id: &MessageId) -> Result<Option<Item>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).consistent_read(true);
        Ok(request.key("pk", text(&id.event)).key("sk", text(sort_key(id))).send().await?.item)
    }

    fn update(&self, id: &MessageId) -> UpdateItemFluentBuilder {
        let request = self.client.update_item().table_name(&self.table).return_values(ReturnValue::None);
        request
            .key("pk", text(&id.event))
            .key("sk", text(sort_key(id)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }
}

/// The message exists and is not decided or claimed, or its last attempt was not accepted.
pub(super) const STILL_OPEN: &str = "attribute_exists(pk) AND attribute_not_exists(skipped) \
     AND (attribute_not_exists(#owner) OR answered = :retry)";
/// A message that may still be claimed, skipped or parked, under all of these conditions:
///
/// - It is not skipped or claimed, or its last attempt was not accepted.
/// - No status is recorded for it.
/// - No newer record of it is in flight.
pub(super) const UNDECIDED: &str = "attribute_not_exists(skipped) AND (attribute_not_exists(#owner) OR answered = :retry) \
     AND attribute_not_exists(status_sent) AND attribute_not_exists(status_delivered) \
     AND attribute_not_exists(status_read) AND attribute_not_exists(status_failed) \
     AND (attribute_not_exists(put_back) OR put_back <= :attempt)";

/// The attributes of a message that never change. The first write sets them.
///
/// `day` and `subject` are not among them: an index leads to the event, whose partition has its messages. An entry for
/// each message would cost a write unit and find nothing more.
pub(super) const IDENTITY: &str = "site = if_not_exists(site, :site), event_id = if_not_exists(event_id, :event_id), \
     mapping = if_not_exists(mapping, :mapping), recipient = if_not_exists(recipient, :recipient), \
     occasion = if_not_exists(occasion, :occasion), \
     #at = if_not_exists(#at, :now), expires_at = if_not_exists(expires_at, :expires_at)";

/// The attributes of a message that waits for the record with the number `:next`.
pub(super) const WAITS: &str = "waiting = :waiting, put_back = :next";

/// The names and values of an expression.
pub(super) type Expression = (HashMap<String, String>, HashMap<String, AttributeValue>);

/// The names and values of [`IDENTITY`] and [`UNDECIDED`].
pub(super) fn identity(message: &MessageRecord<'_>, now: Timestamp) -> Expression {
    let names = [("#at", "at"), ("#owner", "owner")];
    let values = [
        (":site", text(message.job.site.as_str())),
        (":event_id", text(message.event.id.as_str())),
        (":mapping", text(message.job.mapping.as_str())),
        (":recipient", text(message.job.recipient.as_str())),
        (":now", time(now)),
        (":expires_at", expiry(now, message.retention_days)),
        (":occasion", number(message.job.send_number)),
        (":attempt", number(message.job.attempt)),
        (":retry", text(NOT_ACCEPTED)),
    ];
    let names = names.map(|(name, attribute)| (name.to_owned(), attribute.to_owned()));
    (names.into(), values.map(|(name, value)| (name.to_owned(), value)).into())
}

/// The partition of `by_contact`.
pub(super) fn contact_of(site: &SiteId, contact: &str) -> String {
    format!("{site}#{contact}")
}
