//! Dead letters: records that could not be processed, kept with their cause until an operator fixes it and puts them
//! back.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::primitives::id::SiteId;
use jiff::Timestamp;

use super::{Ledger, expiry, utc_day};
use crate::error::StoreError;
use crate::item::{Item, Reading, text, time};
use crate::transact::conditional;

/// The most bytes kept of a dead letter's body. An item may have 400 KB.
const EVIDENCE_BYTES_MAX: usize = 300 * 1024;

/// A record of a queue that could not be processed.
#[derive(Clone, Copy)]
pub struct DeadLetter<'a> {
    /// The queue of the record, to which it returns once the cause is fixed.
    pub queue: DeadQueue,
    /// The site, if the record still names it.
    pub site: Option<&'a SiteId>,
    /// The id of the record in the queue.
    pub record_id: &'a str,
    /// Why it could not be processed.
    pub cause: &'a str,
    /// Its body.
    pub body: &'a str,
    /// Days that the ledger keeps it.
    pub retention_days: u16,
}

/// A queue whose records may become dead letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadQueue {
    /// Events and messages.
    Events,
    /// Platform events of the provider.
    Statuses,
}

/// A dead letter in the ledger. It does not implement `Debug`, because the body contains personal data.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptLetter {
    /// The id of the record in the queue.
    pub id: String,
    /// The queue of the record.
    pub queue: DeadQueue,
    /// The site, if the record named it.
    pub site: Option<SiteId>,
    /// Why it could not be processed.
    pub cause: String,
    /// When it became a dead letter.
    pub at: Timestamp,
    /// Its body.
    pub body: KeptBody,
    /// When it was put back into its queue.
    pub redriven_at: Option<Timestamp>,
    pk: String,
}

/// The remaining part of a dead letter's body.
#[derive(Clone, PartialEq, Eq)]
pub enum KeptBody {
    /// The whole body.
    Whole(String),
    /// Only the beginning was kept, because the body was too long. The record cannot be put back.
    Cut,
    /// Nothing: the person in the record was erased.
    Erased,
}

impl DeadQueue {
    /// Returns the queue's name in the ledger.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Statuses => "statuses",
        }
    }

    /// Returns the queue with a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Events, Self::Statuses].into_iter().find(|queue| queue.name() == name)
    }
}

impl Ledger {
    /// Records a dead letter. The same record on the same day is the same dead letter.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_dead_letter(&self, letter: DeadLetter<'_>, now: Timestamp) -> Result<(), StoreError> {
        let mut end = letter.body.len().min(EVIDENCE_BYTES_MAX);
        while !letter.body.is_char_boundary(end) {
            end -= 1;
        }
        let request = self.client.put_item().table_name(&self.table);
        let request = request
            .item("pk", text(partition(letter.site, now)))
            .item("sk", text(letter.record_id))
            .item("queue", text(letter.queue.name()))
            .item("cause", text(letter.cause))
            .item("body", text(letter.body.get(..end).unwrap_or_default()))
            .item("cut", AttributeValue::Bool(end < letter.body.len()))
            .item("at", time(now))
            .item("expires_at", expiry(now, letter.retention_days));
        request.send().await?;
        Ok(())
    }

    /// Returns the causes of the dead letters of a site on a day; with `None`, of those without a site.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn dead_letters(&self, site: Option<&SiteId>, day: Timestamp) -> Result<Vec<String>, StoreError> {
        Ok(self.kept_letters(site, day).await?.into_iter().map(|letter| letter.cause).collect())
    }

    /// Returns the dead letters of a site on a day; with `None`, those without a site.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn kept_letters(&self, site: Option<&SiteId>, day: Timestamp) -> Result<Vec<KeptLetter>, StoreError> {
        let items = self.partition(partition(site, day)).await?;
        items.iter().map(|item| kept_letter(item, site)).collect()
    }

    /// Marks a dead letter as put back into its queue. It is called after SQS accepted the record, so that no record is
    /// lost. Putting it back twice is harmless, because no message is sent twice.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mark_redriven(&self, letter: &KeptLetter, now: Timestamp) -> Result<(), StoreError> {
        let request = self.client.update_item().table_name(&self.table);
        let request = request
            .key("pk", text(&letter.pk))
            .key("sk", text(&letter.id))
            .update_expression("SET redriven_at = :now")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":now", time(now));
        conditional(request).await?;
        Ok(())
    }
}

fn partition(site: Option<&SiteId>, day: Timestamp) -> String {
    format!("DEAD#{}#{}", site.map_or("-", SiteId::as_str), utc_day(day))
}

fn kept_letter(item: &Item, site: Option<&SiteId>) -> Result<KeptLetter, StoreError> {
    let reading = Reading::of(item);
    let flag = |name: &str| item.get(name).and_then(|value| value.as_bool().ok()) == Some(&true);
    // The first dead letters were all of one queue and have no `queue`.
    let queue = reading.text("queue")?.unwrap_or(DeadQueue::Events.name());
    Ok(KeptLetter {
        id: reading.required("sk")?.to_owned(),
        queue: DeadQueue::parse(queue).ok_or_else(|| reading.fault("queue", "is none of ours"))?,
        site: site.cloned(),
        cause: reading.required("cause")?.to_owned(),
        at: reading.time("at")?.ok_or_else(|| reading.fault("at", "is missing"))?,
        body: match reading.text("body")? {
            None => KeptBody::Erased,
            Some(body) if flag("cut") || body.len() >= EVIDENCE_BYTES_MAX => KeptBody::Cut,
            Some(body) => KeptBody::Whole(body.to_owned()),
        },
        redriven_at: reading.time("redriven_at")?,
        pk: reading.required("pk")?.to_owned(),
    })
}
