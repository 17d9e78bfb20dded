//! Erasing a person: a scan finds the person's data in the ledger, and updates remove it.
//!
//! These remain: ids, hashes, states and times. That includes the event's id and type, the plan, and each message with
//! its outcome and the pseudonym of its number.
//!
//! These are erased: all text from the event, the provider or an operator, and the provider's ids, which contain the
//! number.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::decision::digest::Collection;
use domain::decision::plan::{Plan, PlannedMessage};
use domain::message::reason::Skip;
use domain::message::state::{Answer, Facts, Resolved, State, StatusFact};
use domain::primitives::key::{MessageId, message_key};
use serde_json::{Value, json as document};

use super::collect::OPEN;
use super::facts::{STATUSES, facts, sort_key, status_attribute};
use super::message::FIRST_SEND;
use super::{EVENT, Ledger, Parking};
use crate::error::StoreError;
use crate::item::{Item, Reading, json, number, text};
use crate::transact::conditional;

/// Replaces the provider's id of a message. In an event's document, the field with this name marks it as erased.
const ERASED: &str = "erased";

/// Returns whether the personal data of an event was erased. Its document can then not notify anybody.
#[must_use]
pub fn is_erased(document: &Value) -> bool {
    document.get(ERASED) == Some(&Value::Bool(true))
}

/// Personal data in the ledger, as a scan finds it.
pub enum Trace {
    /// An event that is not erased yet.
    Event {
        /// The key of the event.
        key: String,
        /// The document as received.
        document: Value,
    },
    /// A message that was claimed.
    Message {
        /// The key of its event.
        event: String,
        /// The number the message was sent to, E.164.
        phone: String,
    },
    /// An event whose id was received again with other content.
    Conflict(Entry, Value),
    /// The body of a dead letter of the site, or of an unknown site.
    DeadLetter(Entry, String),
    /// A status report whose message is not known.
    Orphan(Entry, String),
    /// Files that wait for their digest message, with the key of that message's event.
    Collection(Entry, String),
}

/// The key of an item that is not an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pk: String,
    sk: String,
}

/// The result of erasing an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// The number of messages.
    pub messages: usize,
    /// The number of these that were not sent yet and were cancelled.
    pub cancelled: usize,
    /// The number of these that are being sent. They keep their number until they have an answer.
    pub sending: usize,
}

impl Ledger {
    /// Calls `found` for each item with personal data at a site. Scans the whole table: for the command line only.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn traces(
        &self,
        site: &domain::primitives::id::SiteId,
        mut found: impl FnMut(Trace),
    ) -> Result<(), StoreError> {
        let request = self.client.scan().table_name(&self.table).consistent_read(true);
        let request = request
            .filter_expression(
                "site = :site OR begins_with(pk, :conflict) OR begins_with(pk, :dead) OR begins_with(pk, :nobodys)",
            )
            .expression_attribute_values(":site", text(site.as_str()))
            .expression_attribute_values(":conflict", text(format!("CONFLICT#{site}#")))
            .expression_attribute_values(":dead", text(format!("DEAD#{site}#")))
            .expression_attribute_values(":nobodys", text("DEAD#-#"));
        let mut pages = request.into_paginator().send();
        while let Some(page) = pages.next().await {
            for item in page?.items() {
                if let Some(trace) = trace(item)? {
                    found(trace);
                }
            }
        }
        Ok(())
    }

    /// Removes the content of a conflict or a dead letter. The item and its cause stay.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn erase_entry(&self, entry: &Entry) -> Result<(), StoreError> {
        let request = self.client.update_item().table_name(&self.table);
        let request = request
            .key("pk", text(&entry.pk))
            .key("sk", text(&entry.sk))
            .update_expression("REMOVE #event, body")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#event", "event");
        conditional(request).await?;
        Ok(())
    }

    /// Deletes a status report, whose key is the provider's id with the number in it, or a collection of files.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn erase_whole(&self, entry: &Entry) -> Result<(), StoreError> {
        let request = self.client.delete_item().table_name(&self.table);
        request.key("pk", text(&entry.pk)).key("sk", text(&entry.sk)).send().await?;
        Ok(())
    }

    /// Records a planned message as skipped if nothing is recorded for it. A record of it that is in flight then finds
    /// it decided. Returns whether nothing was recorded.
    async fn close_planned(&self, event: &Item, planned: &PlannedMessage, skip: &Skip) -> Result<bool, StoreError> {
        let (reading, id) = (Reading::of(event), planned_id(event, planned)?);
        let mut request = self.client.update_item().table_name(&self.table);
        request = request
            .key("pk", text(&id.event))
            .key("sk", text(sort_key(&id)))
            .update_expression(
                "SET site = :site, event_id = :event_id, mapping = :mapping, recipient = :recipient, \
                 occasion = :occasion, #at = :at, expires_at = :expires_at, \
                 skipped = :skipped",
            )
            .condition_expression("attribute_not_exists(pk)")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":mapping", text(planned.mapping.as_str()))
            .expression_attribute_values(":recipient", text(planned.recipient.as_str()))
            .expression_attribute_values(":occasion", number(FIRST_SEND))
            .expression_attribute_values(":skipped", json(skip)?);
        for name in ["site", "event_id", "at", "expires_at"] {
            let value = event.get(name).ok_or_else(|| reading.fault(name, "is missing"))?;
            request = request.expression_attribute_values(format!(":{name}"), value.clone());
        }
        Ok(conditional(request).await?.is_none())
    }

    /// Removes all text of the event, the provider and the operator from a message. Returns `true` if the message was
    /// left unchanged because it received another answer in the meantime.
    async fn redact_message(&self, item: &Item, known: &Facts) -> Result<bool, StoreError> {
        let reading = Reading::of(item);
        let mut set = Vec::new();
        let mut request = self.client.update_item().table_name(&self.table);
        request = request
            .key("pk", text(reading.required("pk")?))
            .key("sk", text(reading.required("sk")?))
            .expression_attribute_names("#text", "text");
        let condition = match item.get("answer") {
            Some(answer) => {
                request = request.expression_attribute_values(":known", answer.clone());
                "answer = :known"
            }
            None => "attribute_not_exists(answer)",
        };
        if let Some(answer) = known.answer.clone().map(without_words) {
            set.push("answer = :answer".to_owned());
            request = request.expression_attribute_values(":answer", json(&answer)?);
        }
        if known.claim.is_some() {
            // It is also set if there is none yet, so that no later report restores the provider's id.
            set.push("provider = :provider".to_owned());
            let provider = text(format!("{}#{ERASED}", reading.required("site")?));
            request = request.expression_attribute_values(":provider", provider);
        }
        if let Some(skip) = &known.skipped {
            set.push("skipped = :skipped".to_owned());
            request = request.expression_attribute_values(":skipped", json(&Skip::from(skip.reason))?);
        }
        if let Some(resolved) = known.resolved.clone() {
            set.push("resolved = :resolved".to_owned());
            let resolved = Resolved { note: String::new(), ..resolved };
            request = request.expression_attribute_values(":resolved", json(&resolved)?);
        }
        for status in STATUSES {
            if let Some(fact) = known.statuses.get(&status) {
                let name = status_attribute(status);
                set.push(format!("{name} = :{name}"));
                let fact = StatusFact { details: None, ..fact.clone() };
                request = request.expression_attribute_values(format!(":{name}"), json(&fact)?);
            }
        }
        let set = if set.is_empty() { String::new() } else { format!("SET {} ", set.join(", ")) };
        let request =
            request.update_expression(format!("{set}REMOVE phone, #text, files")).condition_expression(condition);
        Ok(conditional(request).await?.is_some())
    }

    async fn redact_event(&self, item: &Item, rest: Option<&Value>) -> Result<(), StoreError> {
        let reading = Reading::of(item);
        let known: Value = reading.json("event")?.unwrap_or_default();
        let field = |name: &str| known.get(name).cloned().unwrap_or_default();
        let stub = document!({
            "id": field("id"), "type": field("type"), "occurred_at": field("occurred_at"), ERASED: true,
        });
        let mut plan: Plan = reading.json("plan")?.unwrap_or_default();
        for planned in &mut plan.skips {
            planned.skip = Skip::from(planned.skip.reason);
        }
        let request = self.client.update_item().table_name(&self.table);
        let request = request
            .key("pk", text(reading.required("pk")?))
            .key("sk", text(EVENT))
            .update_expression("SET #event = :event, #plan = :plan")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_names("#event", "event")
            .expression_attribute_names("#plan", "plan")
            .expression_attribute_values(":event", json(rest.unwrap_or(&stub))?)
            .expression_attribute_values(":plan", json(&plan)?);
        conditional(request).await?;
        Ok(())
    }
}

impl Parking {
    /// Erases an event and its messages, whichever of its recipients is erased. Messages that were not sent are
    /// cancelled with `skip`.
    ///
    /// The document is erased last, so that the next call finds and completes an interrupted erasure. `rest` replaces
    /// the document, if some of it may stay.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn erase_event(&self, key: &str, rest: Option<&Value>, skip: &Skip) -> Result<Erased, StoreError> {
        let items = self.ledger.partition(key.to_owned()).await?;
        let event = items.iter().find(|item| sort_text(item) == Some(EVENT));
        let mut erased = Erased::default();
        if let Some(event) = event {
            let plan: Plan = Reading::of(event).json("plan")?.unwrap_or_default();
            for planned in &plan.messages {
                if self.ledger.close_planned(event, planned, skip).await? {
                    erased.messages += 1;
                    erased.cancelled += 1;
                }
            }
        }
        for item in &items {
            let Some(message) = sort_text(item).and_then(|sk| sk.strip_prefix("M#")) else { continue };
            let id = MessageId { event: key.to_owned(), message: message.to_owned() };
            erased.messages += 1;
            let mut known = facts(item)?;
            if matches!(known.state(), State::Pending | State::Waiting(_)) && self.cancel(&id, skip).await? {
                erased.cancelled += 1;
                known.skipped = Some(skip.clone());
            }
            if !known.state().is_final() || self.ledger.redact_message(item, &known).await? {
                erased.sending += 1;
            }
        }
        if let Some(event) = event {
            self.ledger.redact_event(event, rest).await?;
        }
        Ok(erased)
    }
}

/// An answer without the provider's text and without its id.
fn without_words(answer: Answer) -> Answer {
    let bare = |failure: domain::message::state::Failure| domain::message::state::Failure {
        details: String::new(),
        ..failure
    };
    match answer {
        Answer::Accepted { at, note, .. } => Answer::Accepted { at, provider_id: ERASED.to_owned(), note },
        Answer::Refused { at, failure } => Answer::Refused { at, failure: bare(failure) },
        Answer::NotAccepted { at, failure } => Answer::NotAccepted { at, failure: bare(failure) },
        Answer::Unknown { at, cause, .. } => Answer::Unknown { at, cause, details: None },
    }
}

fn planned_id(event: &Item, planned: &PlannedMessage) -> Result<MessageId, StoreError> {
    let event = Reading::of(event).required("pk")?.to_owned();
    Ok(MessageId { event, message: message_key(&planned.mapping, &planned.recipient, FIRST_SEND) })
}

fn sort_text(item: &Item) -> Option<&str> {
    item.get("sk").and_then(|sk: &AttributeValue| sk.as_s().ok()).map(String::as_str)
}

fn trace(item: &Item) -> Result<Option<Trace>, StoreError> {
    let reading = Reading::of(item);
    let (pk, sk) = (reading.required("pk")?, reading.required("sk")?);
    let entry = || Entry { pk: pk.to_owned(), sk: sk.to_owned() };
    if pk.starts_with("CONFLICT#") {
        return Ok(reading.json("event")?.map(|document| Trace::Conflict(entry(), document)));
    }
    if pk.starts_with("DEAD#") {
        return Ok(reading.text("body")?.map(|body| Trace::DeadLetter(entry(), body.to_owned())));
    }
    if pk.starts_with("ORPHAN#") {
        return Ok(reading.text("notice")?.map(|notice| Trace::Orphan(entry(), notice.to_owned())));
    }
    if sk == OPEN {
        let collection: Option<Collection> = reading.json("collected")?;
        return Ok(collection.map(|collection| Trace::Collection(entry(), collection.digest.event)));
    }
    if sk == EVENT {
        let document: Value = reading.json("event")?.unwrap_or_default();
        return Ok((!is_erased(&document)).then(|| Trace::Event { key: pk.to_owned(), document }));
    }
    let phone = reading.text("phone")?;
    Ok(phone.map(|phone| Trace::Message { event: pk.to_owned(), phone: phone.to_owned() }))
}
