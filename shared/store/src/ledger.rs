//! The `Ledger` table: every event with its plan, and every message with what became of it.
//!
//! | pk | sk | what |
//! |---|---|---|
//! | event key | `EVENT` | the event, its plan, the hash of its content |
//! | event key | `M#` + message key | a message's facts |
//! | `FILES#…` | `OPEN` | files that wait to be told together |
//! | `CONFLICT#site#day` | event key + hash | an event whose id came again with another content |
//! | `DEAD#site#day` | id of the queue's record | a record nobody could process |
//!
//! The promise "nothing is sent twice" rests on [`Claims::claim`] and [`Ledger::settle`]: a message is claimed by one
//! conditional write before the provider is called, what is claimed is never taken over, and only its owner settles it.

mod cancel;
mod claim;
mod collect;
mod dead;
mod erase;
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
use jiff::{SignedDuration, Timestamp};

use crate::batch_get::{self, BatchGet};
use crate::error::StoreError;
use crate::item::{Item, Reading, json, number, text, time};

pub use claim::{Claim, Claimed, Claims};
pub(crate) use claim::{PAIR_AHEAD, renew};
pub use collect::{Joined, StoredCollection};
pub use dead::{DeadLetter, DeadQueue, KeptBody, KeptLetter};
pub use erase::{Entry, Erased, Trace, is_erased};
pub use message::{MessageRecord, Sending};
pub use park::{Parked, Parking};
pub use read::{StoredEvent, StoredMessage};
pub use status::{Orphan, OrphansAfter, Reported};
pub use sweep::{OpenMessage, SHARDS};

const EVENT: &str = "EVENT";
/// Of an event, where the index by contact finds it by its order's code. Events have no contact of their own there: that
/// is their messages'.
const CODE: &str = "contact";
/// Days an event is kept after the moment of its last reminder.
const NEEDED_DAYS: u16 = 30;

/// The `Ledger` table.
#[derive(Clone, Debug)]
pub struct Ledger {
    client: Client,
    table: String,
}

/// An event to be recorded with its plan.
#[derive(Clone, Copy, Debug)]
pub struct EventRecord<'a> {
    /// The site that raised it.
    pub site: &'a SiteId,
    /// The event.
    pub event: &'a Event,
    /// When `receive-event` accepted it.
    pub received_at: Timestamp,
    /// What is to be done about it.
    pub plan: &'a Plan,
    /// Days the ledger keeps it.
    pub retention_days: u16,
}

/// What the ledger answers to an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is new: the plan given is the plan.
    New,
    /// It was recorded before: its plan of then counts.
    Existing(Plan),
    /// Its id was recorded before with another content: the first one counts, this one is kept as a conflict.
    Conflict,
}

/// An event as it was recorded. `Debug` is left out on purpose: the document holds personal data.
#[derive(Clone)]
pub struct RecordedEvent {
    /// The callback's document.
    pub document: serde_json::Value,
    /// When it was accepted.
    pub received_at: Timestamp,
    /// What is to be done about it.
    pub plan: Plan,
}

impl Ledger {
    /// The table of that name.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Writes an event with its plan unless its id is known already.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn record_event(&self, record: EventRecord<'_>, now: Timestamp) -> Result<Recorded, StoreError> {
        let EventRecord { site, event, received_at, plan, retention_days } = record;
        let pk = event_key(site, &event.id);
        let hash = content_hash(&event.document);
        let request = self.client.put_item().table_name(&self.table);
        let request = match event.code() {
            Some(code) => request.item(CODE, text(code_key(site, code))),
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
        // What the bridge raises again may know its people better by then: nobody sent another content.
        if old.required("content_hash")? == hash || event.id.is_reserved() {
            return Ok(Recorded::Existing(old.json("plan")?.unwrap_or_default()));
        }
        self.put_conflict(record, &pk, &hash, now).await?;
        Ok(Recorded::Conflict)
    }

    /// Keeps an event at least until some time after a moment for which it is needed.
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
        message::conditional(request).await?;
        Ok(())
    }

    /// When DynamoDB may delete an event, to the second; `None` if there is no such event.
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

    /// The plan of an event; `None` if there is no such event.
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

    /// An event as it was recorded; `None` if there is no such event.
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

    /// As [`recorded`](Self::recorded), of many events in as few reads as DynamoDB allows, by [`event_key`].
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

    /// The ids of the events of a site that came again with another content on a day.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn conflicts(&self, site: &SiteId, day: Timestamp) -> Result<Vec<String>, StoreError> {
        let items = self.partition(format!("CONFLICT#{site}#{}", utc_day(day))).await?;
        items.iter().map(|item| Reading::of(item).required("event_id").map(str::to_owned)).collect()
    }

    /// Every item of a partition.
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

/// Partition of the index by day: site, UTC day, and a shard taken from the event's key.
fn day_shard(site: &SiteId, event_key: &str, now: Timestamp) -> String {
    format!("{site}#{}#{}", utc_day(now), shard(event_key))
}

/// Partition of the index by subject.
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

/// When DynamoDB may delete an item, in epoch seconds.
fn expiry(now: Timestamp, retention_days: u16) -> aws_sdk_dynamodb::types::AttributeValue {
    expiry_after(now, SignedDuration::from_hours(24 * i64::from(retention_days)))
}

/// As [`expiry`], some time after a moment.
fn expiry_after(moment: Timestamp, by: SignedDuration) -> aws_sdk_dynamodb::types::AttributeValue {
    number(moment.saturating_add(by).unwrap_or(moment).as_second())
}

fn recorded_event(item: &Item) -> Result<RecordedEvent, StoreError> {
    let reading = Reading::of(item);
    Ok(RecordedEvent {
        document: reading.json("event")?.unwrap_or_default(),
        received_at: reading.time("received_at")?.ok_or_else(|| reading.fault("received_at", "is missing"))?,
        plan: reading.json("plan")?.unwrap_or_default(),
    })
}
