//! The `Ledger` table: every event with its plan, and every message with its outcome.
//!
//! | pk | sk | content |
//! |---|---|---|
//! | event key | `EVENT` | an event, its plan and the hash of its content |
//! | event key | `M#` + message key | the facts of a message |
//! | `FILES#hash` | `OPEN` | files that wait for their digest message |
//! | `CONFLICT#site#day` | event key + `#` + content hash | an event whose id was received again with other content |
//! | `DEAD#site#day` | record id of the queue | a dead letter; `-` replaces the site if it is unknown |
//! | `ORPHAN#site#provider id` | `status_…` | a status report whose message is not known yet |
//!
//! An event key is the hash of site and event id, and a day is a UTC date. The indexes are:
//!
//! | index | partition key | sort key | finds |
//! |---|---|---|---|
//! | `by_day` | `day`: site, UTC day and shard | `at` | events recorded on a day |
//! | `by_contact` | `contact`: site and pseudonym or code | `at` | messages to a number; events by order code |
//! | `by_subject` | `subject`: site and subject | `at` | events of a subject |
//! | `by_provider_id` | `provider`: site and provider's id | | the message of a provider's id |
//! | `open` | `open_shard` | `open_since` | messages whose owner may have stopped, and status reports without a message |
//!
//! Messages of earlier versions are in `by_day` and `by_subject` too. An event's partition has its messages.
//!
//! No message is sent twice because of [`Claims::claim`] and [`Ledger::settle`]:
//!
//! - A conditional write claims a message before the provider is called.
//! - A claim is never taken over.
//! - Only the owner of a claim settles the message.

mod cancel;
mod claim;
mod collect;
mod dead;
mod erase;
mod facts;
mod message;
mod park;
mod phone;
mod read;
mod status;
mod sweep;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use domain::decision::plan::Plan;
use domain::event::Event;
use domain::primitives::id::SiteId;
use domain::primitives::key::{code_key, content_hash, event_key};
use domain::primitives::trace::TraceParent;
use jiff::{SignedDuration, Timestamp};

use crate::batch_get::{self, BatchGet};
use crate::error::StoreError;
use crate::item::{Item, Reading, json, number, text, time};
use crate::transact::conditional;

pub use claim::{Claim, Claimed, Claims};
pub use collect::{Joined, StoredCollection};
pub use dead::{DeadLetter, DeadQueue, KeptBody, KeptLetter};
pub use erase::{Entry, Erased, Trace, is_erased};
pub use facts::Reported;
pub use message::{MessageRecord, Sending};
pub use park::{Parked, Parking};
pub use read::{StoredEvent, StoredMessage};
pub use status::{Orphan, OrphansAfter};
pub use sweep::{OpenMessage, SHARDS};

const EVENT: &str = "EVENT";
/// On an event's item: the attribute that lists the event in `by_contact` under the code of its order. Only messages
/// have a contact, so the attribute is free on events.
const CODE: &str = "contact";
/// The attribute with the trace of the caller.
const TRACE: &str = "trace";
/// Days that an event is kept after its last reminder is due.
const NEEDED_DAYS: u16 = 30;

/// The `Ledger` table.
#[derive(Clone, Debug)]
pub struct Ledger {
    client: Client,
    table: String,
}

/// An event to record, with its plan.
#[derive(Clone, Copy, Debug)]
pub struct EventRecord<'a> {
    /// The site that raised the event.
    pub site: &'a SiteId,
    /// The event.
    pub event: &'a Event,
    /// When `receive-event` accepted it.
    pub received_at: Timestamp,
    /// The trace of the caller.
    pub trace: Option<&'a TraceParent>,
    /// The event's plan.
    pub plan: &'a Plan,
    /// Days that the ledger keeps the event.
    pub retention_days: u16,
}

/// The result of recording an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// The event is new and the given plan applies.
    New,
    /// The event was recorded before, and the recorded plan applies.
    Existing(Plan),
    /// The id was recorded before with other content. The first event applies, and this one is kept as a conflict.
    Conflict,
}

/// An event as it was recorded. It does not implement `Debug`, because the document contains personal data.
#[derive(Clone)]
pub struct RecordedEvent {
    /// The document of the callback.
    pub document: serde_json::Value,
    /// When the event was accepted.
    pub received_at: Timestamp,
    /// The event's plan.
    pub plan: Plan,
    /// The trace of the caller.
    pub trace: Option<TraceParent>,
}

impl Ledger {
    /// Creates a client for the table `table`.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Records an event with its plan, unless its id is already known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn record_event(&self, record: EventRecord<'_>, now: Timestamp) -> Result<Recorded, StoreError> {
        let EventRecord { site, event, received_at, trace, plan, retention_days } = record;
        let pk = event_key(site, &event.id);
        let hash = content_hash(&event.document);
        let request = self.client.put_item().table_name(&self.table);
        let request = match event.code() {
            Some(code) => request.item(CODE, text(code_key(site, code))),
            None => request,
        };
        let request = match trace {
            Some(trace) => request.item(TRACE, text(trace.as_str())),
            None => request,
        };
        let request = request
            .item("pk", text(&pk))
            .item("sk", text(EVENT))
            .item("site", text(site.as_str()))
            .item("event_id", text(event.id.as_str()))
            .item("event_type", text(event.kind().name()))
            .item("occurred_at", time(event.occurred_at))
            .item("received_at", time(received_at))
            .item("event", json(&event.document)?)
            .item("content_hash", text(&hash))
            .item("plan", json(plan)?)
            .item("day", text(day_shard(site, &pk, now)))
            .item("subject", text(subject_key(site, event)))
            .item("at", time(now))
            .item("expires_at", expiry(now, retention_days))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = request.send().await else { return Ok(Recorded::New) };
        let Some(old) = refused_item(&error) else { return Err(error.into()) };
        let old = Reading::of(old);
        // An event that the bridge raises again may contain newer contact data. That is not a conflict.
        if old.required("content_hash")? == hash || event.id.is_reserved() {
            return Ok(Recorded::Existing(old.json("plan")?.unwrap_or_default()));
        }
        self.put_conflict(record, &pk, &hash, now).await?;
        Ok(Recorded::Conflict)
    }

    /// Extends the expiry of an event to at least `NEEDED_DAYS` after `until`, the time at which it is needed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_event(
        &self,
        site: &SiteId,
        event: &domain::primitives::id::EventId,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let request = self.client.update_item().table_name(&self.table);
        let request = request
            .key("pk", text(event_key(site, event)))
            .key("sk", text(EVENT))
            .update_expression("SET expires_at = :expires_at")
            .condition_expression("expires_at < :expires_at")
            .expression_attribute_values(":expires_at", expiry(until, NEEDED_DAYS));
        conditional(request).await?;
        Ok(())
    }

    /// Returns when DynamoDB may delete an event, to the second; `None` if there is no such event.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn expires_at(
        &self,
        site: &SiteId,
        event: &domain::primitives::id::EventId,
    ) -> Result<Option<Timestamp>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).consistent_read(true);
        let request = request.key("pk", text(event_key(site, event))).key("sk", text(EVENT));
        let Some(item) = request.send().await?.item else { return Ok(None) };
        let seconds = Reading::of(&item).number("expires_at")?.unwrap_or_default();
        Ok(Timestamp::from_second(i64::from(seconds)).ok())
    }

    /// Returns the plan of an event; `None` if there is no such event.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn plan(
        &self,
        site: &SiteId,
        event: &domain::primitives::id::EventId,
    ) -> Result<Option<Plan>, StoreError> {
        Ok(self.recorded(site, event).await?.map(|recorded| recorded.plan))
    }

    /// Returns an event as it was recorded; `None` if there is no such event.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn recorded(
        &self,
        site: &SiteId,
        event: &domain::primitives::id::EventId,
    ) -> Result<Option<RecordedEvent>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).consistent_read(true);
        let request = request.key("pk", text(event_key(site, event))).key("sk", text(EVENT));
        request.send().await?.item.as_ref().map(recorded_event).transpose()
    }

    /// Like [`recorded`](Self::recorded) for many events, by [`event_key`], in as few reads as DynamoDB allows.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn recorded_all(&self, event_keys: &[String]) -> Result<BatchGet<RecordedEvent>, StoreError> {
        let key = |key: &String| Item::from([("pk".to_owned(), text(key)), ("sk".to_owned(), text(EVENT))]);
        let wanted = event_keys.iter().map(|wanted| (wanted.clone(), key(wanted))).collect();
        let items = batch_get::items(&self.client, &self.table, wanted).await?;
        let read = |item: &Item| Ok((Reading::of(item).required("pk")?.to_owned(), recorded_event(item)));
        items.iter().map(read).collect()
    }

    /// Returns the ids of a site's events that were received again with other content on a day.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn conflicts(&self, site: &SiteId, day: Timestamp) -> Result<Vec<String>, StoreError> {
        let items = self.partition(format!("CONFLICT#{site}#{}", utc_day(day))).await?;
        items.iter().map(|item| Reading::of(item).required("event_id").map(str::to_owned)).collect()
    }

    /// Returns every item of a partition.
    async fn partition(&self, pk: String) -> Result<Vec<Item>, StoreError> {
        let request = self.client.query().table_name(&self.table).key_condition_expression("pk = :pk");
        let request = request.expression_attribute_values(":pk", text(pk)).consistent_read(true);
        let mut items = Vec::new();
        let mut pages = request.into_paginator().send();
        while let Some(page) = pages.next().await {
            items.extend(page?.items.unwrap_or_default());
        }
        Ok(items)
    }

    async fn put_conflict(
        &self,
        record: EventRecord<'_>,
        event_key: &str,
        hash: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let request = self.client.put_item().table_name(&self.table);
        let request = request
            .item("pk", text(format!("CONFLICT#{}#{}", record.site, utc_day(now))))
            .item("sk", text(format!("{event_key}#{hash}")))
            .item("event_id", text(record.event.id.as_str()))
            .item("event", json(&record.event.document)?)
            .item("received_at", time(record.received_at))
            .item("at", time(now))
            .item("expires_at", expiry(now, record.retention_days));
        request.send().await?;
        Ok(())
    }
}

/// The item that made a conditional put fail.
fn refused_item<R>(error: &SdkError<PutItemError, R>) -> Option<&Item> {
    match error.as_service_error() {
        Some(PutItemError::ConditionalCheckFailedException(failed)) => failed.item(),
        _ => None,
    }
}

/// The partition of `by_day`: site, UTC day and a shard derived from the event's key.
fn day_shard(site: &SiteId, event_key: &str, now: Timestamp) -> String {
    format!("{site}#{}#{}", utc_day(now), shard(event_key))
}

/// The partition of `by_subject`.
fn subject_key(site: &SiteId, event: &Event) -> String {
    format!("{site}#{}", event.subject())
}

/// One of sixteen shards: the first hexadecimal digit of a key, which is a hash.
fn shard(key: &str) -> &str {
    key.get(..1).unwrap_or("0")
}

fn utc_day(now: Timestamp) -> String {
    now.strftime("%Y-%m-%d").to_string()
}

/// When DynamoDB may delete an item, in epoch seconds: `retention_days` after `now`.
fn expiry(now: Timestamp, retention_days: u16) -> aws_sdk_dynamodb::types::AttributeValue {
    expiry_after(now, SignedDuration::from_hours(24 * i64::from(retention_days)))
}

/// Like [`expiry`], a duration after a time.
fn expiry_after(moment: Timestamp, by: SignedDuration) -> aws_sdk_dynamodb::types::AttributeValue {
    number(moment.saturating_add(by).unwrap_or(moment).as_second())
}

fn recorded_event(item: &Item) -> Result<RecordedEvent, StoreError> {
    let reading = Reading::of(item);
    Ok(RecordedEvent {
        document: reading.json("event")?.unwrap_or_default(),
        received_at: reading.time("received_at")?.ok_or_else(|| reading.fault("received_at", "is missing"))?,
        plan: reading.json("plan")?.unwrap_or_default(),
        trace: reading.text(TRACE)?.and_then(TraceParent::parse),
    })
}
