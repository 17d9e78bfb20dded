//! Reading the ledger for operators: events with the outcome of every message, by id, number, subject or day.
//!
//! Decisions read none of this.

use std::collections::BTreeSet;
use std::fmt;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::decision::plan::Plan;
use domain::message::state::Facts;
use domain::primitives::id::{EventId, MappingId, ObjectId, SiteId};
use domain::primitives::key::{MessageId, code_key, event_key, message_key};
use jiff::Timestamp;
use serde_json::Value;

use super::facts::facts;
use super::message::FIRST_SEND;
use super::{EVENT, Ledger, SHARDS};
use crate::error::StoreError;
use crate::item::{Item, Reading, text, time};

/// An event in the ledger.
#[derive(Clone)]
pub struct StoredEvent {
    /// The id of the event.
    pub id: String,
    /// The name of its type.
    pub event_type: String,
    /// When the event occurred.
    pub occurred_at: Timestamp,
    /// When it was accepted.
    pub received_at: Timestamp,
    /// The document as received.
    pub document: Value,
    /// The event's plan.
    pub plan: Plan,
    /// The outcome of each message, including planned messages without a record.
    pub messages: Vec<StoredMessage>,
}

/// Omits the document, which contains personal data.
impl fmt::Debug for StoredEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("StoredEvent");
        debug.field("id", &self.id).field("event_type", &self.event_type).field("messages", &self.messages);
        debug.finish_non_exhaustive()
    }
}

/// A message in the ledger.
#[derive(Clone, PartialEq)]
pub struct StoredMessage {
    /// The id of the message.
    pub id: MessageId,
    /// The mapping.
    pub mapping: MappingId,
    /// The recipient's id.
    pub recipient: ObjectId,
    /// The send number: 1 for the first send, plus 1 for each resend by an operator.
    pub send_number: u32,
    /// The recorded facts.
    pub facts: Facts,
    /// The number the message was sent to, E.164; only if it was claimed.
    pub phone: Option<String>,
    /// The text of the message; only if it was claimed.
    pub text: Option<String>,
}

/// Omits number and text, which are personal data.
impl fmt::Debug for StoredMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("StoredMessage");
        debug.field("id", &self.id).field("mapping", &self.mapping).field("recipient", &self.recipient);
        debug.field("facts", &self.facts).finish_non_exhaustive()
    }
}

/// The most events with one code that are read to find their order. A code belongs to one order.
const ORDERS_OF_CODE_MAX: usize = 20;

/// An index and the attribute of its partition key.
struct Index {
    name: &'static str,
    partition: &'static str,
}

const BY_CONTACT: Index = Index { name: "by_contact", partition: "contact" };
const BY_SUBJECT: Index = Index { name: "by_subject", partition: "subject" };
const BY_DAY: Index = Index { name: "by_day", partition: "day" };

impl Ledger {
    /// Returns an event with its plan and messages, in one query; `None` if it is unknown.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn event(&self, site: &SiteId, event: &EventId) -> Result<Option<StoredEvent>, StoreError> {
        self.event_of(&event_key(site, event)).await
    }

    /// Returns the event of a message, with all its messages; `None` if the site has no such message.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn event_of_message(&self, site: &SiteId, id: &MessageId) -> Result<Option<StoredEvent>, StoreError> {
        let event = self.event_of(&id.event).await?;
        // The key is a hash of site and event. An event of another site must not be shown.
        let is_ours =
            |event: &StoredEvent| EventId::parse(&event.id).is_ok_and(|known| event_key(site, &known) == id.event);
        let has_it = |event: &StoredEvent| event.messages.iter().any(|message| message.id == *id);
        Ok(event.filter(|event| is_ours(event) && has_it(event)))
    }

    /// Returns the events with a message to a number, by the number's pseudonym at the site, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn events_of_contact(&self, site: &SiteId, contact: &str) -> Result<Vec<StoredEvent>, StoreError> {
        let keys = self.event_keys(BY_CONTACT, &format!("{site}#{contact}"), None).await?;
        self.events(keys).await
    }

    /// Returns whether the site has a message to a number, by the number's pseudonym.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn knows_contact(&self, site: &SiteId, contact: &str) -> Result<bool, StoreError> {
        let request = self.client.query().table_name(&self.table).index_name(BY_CONTACT.name);
        let request = request
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", BY_CONTACT.partition)
            .expression_attribute_values(":pk", text(format!("{site}#{contact}")))
            .limit(1);
        Ok(!request.send().await?.items().is_empty())
    }

    /// Returns the events of orders, by the order's number in Passweb or by the code that customers see, oldest first.
    ///
    /// If a code belongs to many orders, only the first ones are read. Events of earlier versions have no code. They
    /// are found only if a newer event of the same order has it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn events_of_order(&self, site: &SiteId, order: &str) -> Result<Vec<StoredEvent>, StoreError> {
        let by_id = format!("{site}#order:{}", order.trim());
        let with_code = self.event_keys(BY_CONTACT, &code_key(site, order), None).await?;
        let mut subjects = BTreeSet::from([by_id]);
        for key in with_code.iter().take(ORDERS_OF_CODE_MAX) {
            subjects.extend(self.subject_of(key).await?);
        }
        let mut keys = BTreeSet::new();
        for subject in subjects {
            keys.extend(self.event_keys(BY_SUBJECT, &subject, None).await?);
        }
        self.events(keys).await
    }

    /// The subject of an event, as the index contains it.
    async fn subject_of(&self, event_key: &str) -> Result<Option<String>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).consistent_read(true);
        let request = request.key("pk", text(event_key)).key("sk", text(EVENT)).projection_expression("subject");
        let item = request.send().await?.item.unwrap_or_default();
        Ok(Reading::of(&item).text("subject")?.map(str::to_owned))
    }

    /// Returns the events of a subject such as `order:1320`, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn events_of_subject(&self, site: &SiteId, subject: &str) -> Result<Vec<StoredEvent>, StoreError> {
        let keys = self.event_keys(BY_SUBJECT, &format!("{site}#{subject}"), None).await?;
        self.events(keys).await
    }

    /// Returns the events recorded between two times, both included, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn events_between(
        &self,
        site: &SiteId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let mut keys = BTreeSet::new();
        for day in days(from, until) {
            for shard in SHARDS {
                let partition = format!("{site}#{day}#{shard}");
                keys.extend(self.event_keys(BY_DAY, &partition, Some((from, until))).await?);
            }
        }
        self.events(keys).await
    }

    /// The partitions of the events that an index returns. A message is in the partition of its event.
    async fn event_keys(
        &self,
        index: Index,
        partition: &str,
        between: Option<(Timestamp, Timestamp)>,
    ) -> Result<BTreeSet<String>, StoreError> {
        let condition = if between.is_some() { "#pk = :pk AND #at BETWEEN :from AND :until" } else { "#pk = :pk" };
        let request = self.client.query().table_name(&self.table).index_name(index.name);
        let mut request = request
            .key_condition_expression(condition)
            .expression_attribute_names("#pk", index.partition)
            .expression_attribute_values(":pk", text(partition));
        if let Some((from, until)) = between {
            request = request
                .expression_attribute_names("#at", "at")
                .expression_attribute_values(":from", time(from))
                .expression_attribute_values(":until", time(until));
        }
        let mut keys = BTreeSet::new();
        let mut pages = request.into_paginator().send();
        while let Some(page) = pages.next().await {
            for item in page?.items() {
                let reading = Reading::of(item);
                // For a day, only events count: a message may be written a day after its event.
                if between.is_none() || reading.required("sk")? == EVENT {
                    keys.insert(reading.required("pk")?.to_owned());
                }
            }
        }
        Ok(keys)
    }

    async fn events(&self, keys: BTreeSet<String>) -> Result<Vec<StoredEvent>, StoreError> {
        let mut events = Vec::with_capacity(keys.len());
        for key in keys {
            events.extend(self.event_of(&key).await?);
        }
        events.sort_by(|one, other| (one.occurred_at, &one.id).cmp(&(other.occurred_at, &other.id)));
        Ok(events)
    }

    async fn event_of(&self, key: &str) -> Result<Option<StoredEvent>, StoreError> {
        let request = self.client.query().table_name(&self.table).key_condition_expression("pk = :pk");
        let request = request.expression_attribute_values(":pk", text(key)).consistent_read(true);
        let mut pages = request.into_paginator().send();
        let (mut event, mut messages) = (None, Vec::new());
        while let Some(page) = pages.next().await {
            for item in page?.items() {
                match item.get("sk").and_then(|sk| sk.as_s().ok()).map(String::as_str) {
                    Some(EVENT) => event = Some(stored_event(item)?),
                    Some(sk) if sk.starts_with("M#") => messages.push(stored_message(item)?),
                    _ => {}
                }
            }
        }
        let Some(mut event) = event else { return Ok(None) };
        for planned in &event.plan.messages {
            let message = message_key(&planned.mapping, &planned.recipient, FIRST_SEND);
            if !messages.iter().any(|known| known.id.message == message) {
                messages.push(StoredMessage {
                    id: MessageId { event: key.to_owned(), message },
                    mapping: planned.mapping.clone(),
                    recipient: planned.recipient.clone(),
                    send_number: FIRST_SEND,
                    facts: Facts::default(),
                    phone: None,
                    text: None,
                });
            }
        }
        messages.sort_by(|one, other| place(one).cmp(&place(other)));
        event.messages = messages;
        Ok(Some(event))
    }
}

/// The position of a message among the messages of its event.
fn place(message: &StoredMessage) -> (&MappingId, &ObjectId, u32) {
    (&message.mapping, &message.recipient, message.send_number)
}

/// The UTC days from one time to another, as the index names them.
fn days(from: Timestamp, until: Timestamp) -> Vec<String> {
    let day = |moment: Timestamp| moment.to_zoned(jiff::tz::TimeZone::UTC).date();
    let (mut next, last) = (day(from), day(until));
    let mut days = Vec::new();
    while next <= last {
        days.push(next.to_string());
        match next.tomorrow() {
            Ok(tomorrow) => next = tomorrow,
            Err(_) => break,
        }
    }
    days
}

fn stored_event(item: &Item) -> Result<StoredEvent, StoreError> {
    let reading = Reading::of(item);
    let moment = |name: &str| reading.time(name)?.ok_or_else(|| reading.fault(name, "is missing"));
    Ok(StoredEvent {
        id: reading.required("event_id")?.to_owned(),
        event_type: reading.required("event_type")?.to_owned(),
        occurred_at: moment("occurred_at")?,
        received_at: moment("received_at")?,
        document: reading.json("event")?.unwrap_or_default(),
        plan: reading.json("plan")?.unwrap_or_default(),
        messages: Vec::new(),
    })
}

fn stored_message(item: &Item) -> Result<StoredMessage, StoreError> {
    let reading = Reading::of(item);
    let key = |name: &str| item.get(name).and_then(|value: &AttributeValue| value.as_s().ok()).cloned();
    let fault = |name: &'static str| move |error: domain::primitives::id::IdError| reading_fault(item, name, error);
    Ok(StoredMessage {
        id: MessageId {
            event: key("pk").unwrap_or_default(),
            message: key("sk").and_then(|sk| sk.strip_prefix("M#").map(str::to_owned)).unwrap_or_default(),
        },
        mapping: MappingId::parse(reading.required("mapping")?).map_err(fault("mapping"))?,
        recipient: ObjectId::parse(reading.required("recipient")?).map_err(fault("recipient"))?,
        send_number: reading.number("occasion")?.unwrap_or(FIRST_SEND),
        facts: facts(item)?,
        phone: reading.text("phone")?.map(str::to_owned),
        text: reading.text("text")?.map(str::to_owned),
    })
}

fn reading_fault(item: &Item, name: &str, cause: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    Reading::of(item).fault(name, cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_utc_days() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(days(at("2026-12-31T23:30:00+01:00"), at("2027-01-01T12:00:00Z")), ["2026-12-31", "2027-01-01"]);
        assert_eq!(days(at("2026-01-02T00:00:00Z"), at("2026-01-01T00:00:00Z")), Vec::<String>::new());
    }
}
