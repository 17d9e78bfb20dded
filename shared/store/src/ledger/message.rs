//! Messages: settled, skipped, waiting, read.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use domain::decision::plan::PlannedMessage;
use domain::event::Event;
use domain::message::reason::Skip;
use domain::message::state::{Answer, Claim, Facts, Resolved, Status, StatusFact, Waiting};
use domain::primitives::id::SiteId;
use domain::primitives::key::{MessageId, event_key, message_key};
use jiff::Timestamp;

use super::status::{Reported, reported};
use super::{Ledger, day_shard, expiry, subject_key};
use crate::error::StoreError;
use crate::item::{Item, Reading, json, number, text, time};
use crate::transaction::again;

/// A first send; higher numbers are resends a person chose.
pub(super) const FIRST_SEND: u32 = 1;

/// A message as it stands in its event's partition: everything about it that does not change.
#[derive(Clone, Debug)]
pub struct MessageRecord<'a> {
    /// The site.
    pub site: &'a SiteId,
    /// The event it tells.
    pub event: &'a Event,
    /// Which mapping and recipient.
    pub planned: &'a PlannedMessage,
    /// 1, or the number of times a person chose to send it again, and one.
    pub send_number: u32,
    /// How often the record that brings it was put back: of two records of one message the one with the lower number is
    /// out of date, and writes nothing.
    pub attempt: u32,
    /// Days the ledger keeps it.
    pub retention_days: u16,
}

/// Longest id of the provider that is indexed: real ones have some sixty bytes, a key may have 2,048. A longer one is
/// kept in the answer.
const PROVIDER_ID_BYTES_MAX: usize = 512;

/// What a claim writes besides itself, for whoever asks later what was sent.
#[derive(Clone, Copy)]
pub struct Sending<'a> {
    /// The account it goes through.
    pub account: &'a str,
    /// The template's name and language.
    pub template: (&'a str, &'a str),
    /// The number it goes to, E.164.
    pub phone: &'a str,
    /// The number's pseudonym at the site.
    pub contact: &'a str,
    /// The text the recipient reads.
    pub text: &'a str,
}

impl MessageRecord<'_> {
    /// The message's id.
    #[must_use]
    pub fn id(&self) -> MessageId {
        MessageId {
            event: event_key(self.site, &self.event.id),
            message: message_key(&self.planned.mapping, &self.planned.recipient, self.send_number),
        }
    }
}

impl Ledger {
    /// Records what the provider answered. Only the owner of the claim settles it; a late answer replaces `unknown`.
    ///
    /// # Errors
    /// [`StoreError`]; the message stays `sending` and the sweep makes it `unknown`.
    pub async fn settle(&self, site: &SiteId, id: &MessageId, owner: &str, answer: &Answer) -> Result<(), StoreError> {
        let mut set = "SET answered = :answered, answer = :answer".to_owned();
        let mut request = self.update(id);
        if let Answer::Accepted { provider_id, .. } = answer
            && provider_id.len() <= PROVIDER_ID_BYTES_MAX
        {
            set.push_str(", provider = :provider");
            let provider = text(format!("{site}#{provider_id}"));
            request = request.expression_attribute_values(":provider", provider);
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
        // The write went through and its answer was lost on the way.
        if facts(&old)?.answer.as_ref() == Some(answer) {
            return Ok(());
        }
        Err(StoreError::malformed(&id.to_string(), "is not ours to settle"))
    }

    /// Records that a message is not sent. What was recorded of it before stays: what was decided of it before is the
    /// answer.
    /// `contact` is the pseudonym of its number, where it has one, so that it is found by it.
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
        let (names, values) = identity(message, &id, now);
        let mut set = format!("SET {IDENTITY}, skipped = :skipped");
        let mut request = self
            .update(&id)
            .condition_expression(UNDECIDED)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .expression_attribute_values(":skipped", json(skip)?);
        if let Some(contact) = contact {
            set.push_str(", contact = :contact");
            request = request.expression_attribute_values(":contact", text(contact_of(message.site, contact)));
        }
        let old = conditional(request.update_expression(format!("{set} REMOVE waiting"))).await?;
        old.as_ref().map(reported).transpose()
    }

    /// Records that a message waits for a record of the queue which was put back already, with the number of that
    /// record. What was decided of it meanwhile stays; the answer says whether it waits.
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
        let (names, values) = identity(message, &id, now);
        let request = self
            .update(&id)
            .update_expression(format!("SET {IDENTITY}, {WAITS}"))
            .condition_expression(UNDECIDED)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .expression_attribute_values(":waiting", json(waiting)?)
            .expression_attribute_values(":next", number(message.attempt.saturating_add(1)));
        Ok(conditional(request).await?.is_none())
    }

    /// Records what a person says of an unknown outcome. Answers whether it was unknown.
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

    /// What is known of a message; `None` if nothing was recorded yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn message(&self, id: &MessageId) -> Result<Option<Facts>, StoreError> {
        self.item(id).await?.as_ref().map(facts).transpose()
    }

    /// As [`message`](Self::message), with what its claim wrote besides itself.
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

pub(super) const NOT_ACCEPTED: &str = "not_accepted";
/// A message of which something is recorded, and nothing decided.
pub(super) const STILL_OPEN: &str = "attribute_exists(pk) AND attribute_not_exists(skipped) \
     AND (attribute_not_exists(#owner) OR answered = :retry)";
pub(super) const UNKNOWN: &str = "unknown";

/// A message of which nothing is decided, or whose last attempt was said not to be accepted and of which no report says
/// otherwise, and of which no newer record is on its way.
pub(super) const UNDECIDED: &str = "attribute_not_exists(skipped) AND (attribute_not_exists(#owner) OR answered = :retry) \
     AND attribute_not_exists(status_sent) AND attribute_not_exists(status_delivered) \
     AND attribute_not_exists(status_read) AND attribute_not_exists(status_failed) \
     AND (attribute_not_exists(put_back) OR put_back <= :attempt)";

/// What never changes of a message, set by whoever writes it first.
pub(super) const IDENTITY: &str = "site = if_not_exists(site, :site), event_id = if_not_exists(event_id, :event_id), \
     mapping = if_not_exists(mapping, :mapping), recipient = if_not_exists(recipient, :recipient), \
     occasion = if_not_exists(occasion, :occasion), \
     #day = if_not_exists(#day, :day), subject = if_not_exists(subject, :subject), \
     #at = if_not_exists(#at, :now), expires_at = if_not_exists(expires_at, :expires_at)";

/// That a message waits for the record of number `:next`.
pub(super) const WAITS: &str = "waiting = :waiting, put_back = :next";

/// The names and values of an expression.
pub(super) type Expression = (HashMap<String, String>, HashMap<String, AttributeValue>);

/// The names and values of [`IDENTITY`] and [`UNDECIDED`].
pub(super) fn identity(message: &MessageRecord<'_>, id: &MessageId, now: Timestamp) -> Expression {
    let names = [("#day", "day"), ("#at", "at"), ("#owner", "owner")];
    let values = [
        (":site", text(message.site.as_str())),
        (":event_id", text(message.event.id.as_str())),
        (":mapping", text(message.planned.mapping.as_str())),
        (":recipient", text(message.planned.recipient.as_str())),
        (":day", text(day_shard(message.site, &id.event, now))),
        (":subject", text(subject_key(message.site, message.event))),
        (":now", time(now)),
        (":expires_at", expiry(now, message.retention_days)),
        (":occasion", number(message.send_number)),
        (":attempt", number(message.attempt)),
        (":retry", text(NOT_ACCEPTED)),
    ];
    let names = names.map(|(name, stands_for)| (name.to_owned(), stands_for.to_owned()));
    (names.into(), values.map(|(name, value)| (name.to_owned(), value)).into())
}

/// Sends a conditional update; `Some` is the item that made the condition fail.
pub(super) async fn conditional(request: UpdateItemFluentBuilder) -> Result<Option<Item>, StoreError> {
    match again(|| request.clone().send()).await {
        Ok(_) => Ok(None),
        Err(error) => match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                Ok(Some(failed.item().cloned().unwrap_or_default()))
            }
            _ => Err(error.into()),
        },
    }
}

pub(super) fn sort_key(id: &MessageId) -> String {
    format!("M#{}", id.message)
}

pub(super) fn answer_name(answer: &Answer) -> &'static str {
    match answer {
        Answer::Accepted { .. } => "accepted",
        Answer::Refused { .. } => "refused",
        Answer::NotAccepted { .. } => NOT_ACCEPTED,
        Answer::Unknown { .. } => UNKNOWN,
    }
}

/// Reads a message's facts.
pub(super) fn facts(item: &Item) -> Result<Facts, StoreError> {
    let reading = Reading::of(item);
    let claim = match (reading.text("owner")?, reading.time("claimed_at")?) {
        (Some(owner), Some(at)) => {
            Some(Claim { owner: owner.to_owned(), at, attempt: reading.number("claims")?.unwrap_or(1) })
        }
        _ => None,
    };
    Ok(Facts {
        skipped: reading.json("skipped")?,
        claim,
        answer: reading.json("answer")?,
        statuses: statuses(&reading)?,
        waiting: reading.json("waiting")?,
        resolved: reading.json("resolved")?,
        files: reading.json("files")?,
    })
}

/// The attribute of a status: each has its own, so that it is written once and in any order.
pub(super) fn status_attribute(status: Status) -> &'static str {
    match status {
        Status::Sent => "status_sent",
        Status::Delivered => "status_delivered",
        Status::Read => "status_read",
        Status::Failed => "status_failed",
    }
}

pub(super) const STATUSES: [Status; 4] = [Status::Sent, Status::Delivered, Status::Read, Status::Failed];

fn statuses(reading: &Reading<'_>) -> Result<BTreeMap<Status, StatusFact>, StoreError> {
    let mut statuses = BTreeMap::new();
    for status in STATUSES {
        if let Some(fact) = reading.json(status_attribute(status))? {
            statuses.insert(status, fact);
        }
    }
    Ok(statuses)
}

/// The value of the index by contact.
pub(super) fn contact_of(site: &SiteId, contact: &str) -> String {
    format!("{site}#{contact}")
}
