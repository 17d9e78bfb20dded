//! Messages: claimed, settled, skipped.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use domain::event::Event;
use domain::id::SiteId;
use domain::key::{MessageId, event_key, message_key};
use domain::message::{Answer, Claim, Facts, Status, StatusFact};
use domain::plan::PlannedMessage;
use domain::reason::Skip;
use jiff::Timestamp;

use super::{Ledger, day_shard, expiry, shard, subject_key};
use crate::error::StoreError;
use crate::item::{Item, Reading, json, number, text, time};

/// A first send; higher numbers are resends a person chose.
const FIRST_OCCASION: u32 = 1;

/// A message as it stands in its event's partition: everything about it that does not change.
#[derive(Clone, Debug)]
pub struct MessageRecord<'a> {
    /// The site.
    pub site: &'a SiteId,
    /// The event it tells.
    pub event: &'a Event,
    /// Which mapping and recipient.
    pub planned: &'a PlannedMessage,
    /// Days the ledger keeps it.
    pub retention_days: u16,
}

/// Longest id of the provider that is indexed: real ones have some sixty bytes, a key may have 2,048. A longer one is
/// kept in the answer.
const PROVIDER_ID_BYTES_MAX: usize = 512;

/// What the ledger answers to a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// The message is ours: the provider may be called, once.
    Ours,
    /// It is not to be sent now: what is known of it.
    Theirs(Facts),
}

/// What a claim writes besides itself, for whoever asks later what was sent.
#[derive(Clone, Copy)]
pub struct Sending<'a> {
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
            message: message_key(&self.planned.mapping, &self.planned.recipient, FIRST_OCCASION),
        }
    }
}

impl Ledger {
    /// Claims a message for sending: afterwards it is `sending` and belongs to `owner`, which must be unique to this
    /// attempt. A message can be claimed if nothing is recorded of it, or if the last attempt surely was not accepted.
    ///
    /// # Errors
    /// [`StoreError`]; nobody knows then whether the claim was written, and the provider must not be called. The sweep
    /// finds it.
    pub async fn claim(
        &self,
        message: &MessageRecord<'_>,
        owner: &str,
        sending: Sending<'_>,
        now: Timestamp,
    ) -> Result<Claimed, StoreError> {
        let id = message.id();
        let request = self.update(&id).update_expression(format!(
            "SET {IDENTITY}, #owner = :owner, claimed_at = :now, attempt = if_not_exists(attempt, :zero) + :one, \
             template = :template, #language = :language, phone = :phone, contact = :contact, #text = :text, \
             open_shard = :open_shard, open_since = :now REMOVE answered, answer"
        ));
        let (template, language) = sending.template;
        let request = identity(request, message, &id, now)
            .condition_expression("attribute_not_exists(pk) OR (answered = :retry AND attribute_not_exists(skipped))")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#language", "language")
            .expression_attribute_names("#text", "text")
            .expression_attribute_values(":owner", text(owner))
            .expression_attribute_values(":zero", number(0))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":template", text(template))
            .expression_attribute_values(":language", text(language))
            .expression_attribute_values(":phone", text(sending.phone))
            .expression_attribute_values(":contact", text(format!("{}#{}", message.site, sending.contact)))
            .expression_attribute_values(":text", text(sending.text))
            .expression_attribute_values(":open_shard", text(shard(&id.event)))
            .expression_attribute_values(":retry", text(NOT_ACCEPTED));
        match conditional(request).await? {
            None => Ok(Claimed::Ours),
            Some(old) => {
                let facts = facts(&old)?;
                // The write went through and its answer was lost on the way: the SDK's second try meets ourselves.
                let ours = facts.claim.as_ref().is_some_and(|claim| claim.owner == owner) && facts.answer.is_none();
                Ok(if ours { Claimed::Ours } else { Claimed::Theirs(facts) })
            }
        }
    }

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
        let settled = facts(&old)?.answer;
        if settled.as_ref() == Some(answer) {
            return Ok(());
        }
        Err(StoreError::malformed(&id.to_string(), "is not ours to settle"))
    }

    /// Records that a message is not sent. What was recorded of it before stays; the answer says what counts now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn skip(&self, message: &MessageRecord<'_>, skip: &Skip, now: Timestamp) -> Result<Facts, StoreError> {
        let id = message.id();
        let request = self.update(&id).update_expression(format!("SET {IDENTITY}, skipped = :skipped"));
        let request = identity(request, message, &id, now)
            .condition_expression("attribute_not_exists(pk) OR (answered = :retry AND attribute_not_exists(skipped))")
            .expression_attribute_values(":retry", text(NOT_ACCEPTED))
            .expression_attribute_values(":skipped", json(skip)?);
        match conditional(request).await? {
            None => Ok(Facts { skipped: Some(skip.clone()), ..Facts::default() }),
            Some(old) => facts(&old),
        }
    }

    /// What is known of a message; `None` if nothing was recorded yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn message(&self, id: &MessageId) -> Result<Option<Facts>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).consistent_read(true);
        let request = request.key("pk", text(&id.event)).key("sk", text(sort_key(id)));
        request.send().await?.item.as_ref().map(facts).transpose()
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
const UNKNOWN: &str = "unknown";

/// What never changes of a message, set by whoever writes it first.
const IDENTITY: &str = "site = if_not_exists(site, :site), event_id = if_not_exists(event_id, :event_id), \
     mapping = if_not_exists(mapping, :mapping), recipient = if_not_exists(recipient, :recipient), \
     #day = if_not_exists(#day, :day), subject = if_not_exists(subject, :subject), \
     #at = if_not_exists(#at, :now), expires_at = if_not_exists(expires_at, :expires_at)";

fn identity(
    request: UpdateItemFluentBuilder,
    message: &MessageRecord<'_>,
    id: &MessageId,
    now: Timestamp,
) -> UpdateItemFluentBuilder {
    request
        .expression_attribute_names("#day", "day")
        .expression_attribute_names("#at", "at")
        .expression_attribute_values(":site", text(message.site.as_str()))
        .expression_attribute_values(":event_id", text(message.event.id.as_str()))
        .expression_attribute_values(":mapping", text(message.planned.mapping.as_str()))
        .expression_attribute_values(":recipient", text(message.planned.recipient.as_str()))
        .expression_attribute_values(":day", text(day_shard(message.site, &id.event, now)))
        .expression_attribute_values(":subject", text(subject_key(message.site, message.event)))
        .expression_attribute_values(":now", time(now))
        .expression_attribute_values(":expires_at", expiry(now, message.retention_days))
}

/// Sends a conditional update; `Some` is the item that made the condition fail.
pub(super) async fn conditional(request: UpdateItemFluentBuilder) -> Result<Option<Item>, StoreError> {
    match request.send().await {
        Ok(_) => Ok(None),
        Err(error) => match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                Ok(Some(failed.item().cloned().unwrap_or_default()))
            }
            _ => Err(error.into()),
        },
    }
}

fn sort_key(id: &MessageId) -> String {
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
fn facts(item: &Item) -> Result<Facts, StoreError> {
    let reading = Reading::of(item);
    let claim = match (reading.text("owner")?, reading.time("claimed_at")?) {
        (Some(owner), Some(at)) => {
            Some(Claim { owner: owner.to_owned(), at, attempt: reading.number("attempt")?.unwrap_or(1) })
        }
        _ => None,
    };
    Ok(Facts {
        skipped: reading.json("skipped")?,
        claim,
        answer: reading.json("answer")?,
        statuses: statuses(&reading)?,
    })
}

/// Statuses are a map from the status's name to its fact, so that each is written once and in any order.
fn statuses(reading: &Reading<'_>) -> Result<BTreeMap<Status, StatusFact>, StoreError> {
    let Some(AttributeValue::M(map)) = reading.item.get("statuses") else { return Ok(BTreeMap::new()) };
    let mut statuses = BTreeMap::new();
    for (name, fact) in map {
        let status = serde_json::from_value(serde_json::Value::String(name.clone()));
        let fact = fact.as_s().map_or("", String::as_str);
        match (status, serde_json::from_str(fact)) {
            (Ok(status), Ok(fact)) => {
                statuses.insert(status, fact);
            }
            _ => return Err(reading.fault("statuses", format_args!("holds a malformed {name}"))),
        }
    }
    Ok(statuses)
}
