//! Files that wait for a digest message. Each folder, actor, mapping and recipient has one item, which names the digest
//! message.
//!
//! A message joins a collection in one transaction over the item, the ledger and the schedule. Exactly one message
//! therefore covers each file. The claim of the digest message empties the item.

use aws_sdk_dynamodb::types::{ConditionCheck, Put, TransactWriteItem, Update};
use domain::decision::digest::Collection;
use domain::primitives::key::MessageId;
use jiff::SignedDuration;

use super::facts::{NOT_ACCEPTED, sort_key};
use super::message::STILL_OPEN;
use super::park::{Parked, Parking};
use super::{Ledger, expiry_after};
use crate::error::StoreError;
use crate::item::{Reading, json, number, text};
use crate::transact::{Transaction, Written, a_while};

/// The sort key of a collection.
pub(super) const OPEN: &str = "OPEN";
/// How long a collection that was not sent is kept after it is due. A message is useful for a week at most.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(8 * 24);

/// A collection in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCollection {
    /// The key of the collection.
    pub key: String,
    /// The collected files; `None` once the digest message is claimed.
    pub collection: Option<Collection>,
    /// The version: each write to the collection increments it.
    pub version: u32,
}

/// The item that one write of a join guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guarded {
    /// The message that joins.
    Message,
    /// The message's item in the schedule.
    Schedule,
    /// The collection.
    Collection,
    /// The digest message of the collection.
    Digest,
}

/// The result of joining a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joined {
    /// The message waits, and the digest message covers its file.
    Waits,
    /// The message was decided in the meantime, or a newer record of it is in flight.
    Decided,
    /// The collection changed: another message joined at the same time, or the digest message was claimed.
    Changed,
    /// The digest message is already decided or claimed and covers no more files.
    DigestGone,
}

impl Ledger {
    /// Returns the collection of a key; `None` if there is no collection.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn collection(&self, key: &str) -> Result<Option<StoredCollection>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).consistent_read(true);
        let Some(item) = request.key("pk", text(key)).key("sk", text(OPEN)).send().await?.item else { return Ok(None) };
        let reading = Reading::of(&item);
        Ok(Some(StoredCollection {
            key: key.to_owned(),
            collection: reading.json("collected")?,
            version: reading.number("version")?.unwrap_or_default(),
        }))
    }

    /// Ends a collection with the claim of its digest message, unless another message joined since it was read.
    pub(super) fn end_collection(&self, stored: &StoredCollection) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.table)
            .key("pk", text(&stored.key))
            .key("sk", text(OPEN))
            .update_expression("SET version = version + :one REMOVE collected")
            .condition_expression("version = :version")
            .expression_attribute_values(":version", number(stored.version))
            .expression_attribute_values(":one", number(1));
        let update = update.build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Writes the collected files. `before` is the version of the item, if it exists.
    fn put_collection(
        &self,
        parked: Parked<'_>,
        (key, collection): (&str, &Collection),
        before: Option<u32>,
    ) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder()
            .table_name(&self.table)
            .item("pk", text(key))
            .item("sk", text(OPEN))
            .item("site", text(parked.message.job.site.as_str()))
            .item("collected", json(collection)?)
            .item("version", number(before.unwrap_or_default().saturating_add(1)))
            .item("expires_at", expiry_after(collection.until, KEPT_FOR));
        let put = match before {
            Some(version) => {
                put.condition_expression("version = :before").expression_attribute_values(":before", number(version))
            }
            None => put.condition_expression("attribute_not_exists(pk)"),
        };
        let put = put.build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// The check that a message is not decided or claimed.
    fn still_open(&self, id: &MessageId) -> Result<TransactWriteItem, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .key("pk", text(&id.event))
            .key("sk", text(sort_key(id)))
            .condition_expression(STILL_OPEN)
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":retry", text(NOT_ACCEPTED));
        let check = check.build()?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }
}

impl Parking {
    /// Parks a message together with the collection that it begins or joins. `before` is the version of the collection,
    /// if it exists.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn join(
        &self,
        parked: Parked<'_>,
        (key, collection): (&str, &Collection),
        before: Option<u32>,
        now: jiff::Timestamp,
    ) -> Result<Joined, StoreError> {
        let mut transaction = Transaction::new()
            .with(Guarded::Message, self.waits(parked, now)?)
            .with(Guarded::Schedule, self.put(parked)?)
            .with(Guarded::Collection, self.ledger.put_collection(parked, (key, collection), before)?);
        let digest = &collection.digest;
        if *digest != parked.message.id() {
            transaction = transaction.with(Guarded::Digest, self.ledger.still_open(digest)?);
        }
        let refused = match transaction.write(&self.ledger.client, None, &a_while()).await? {
            Written::All => return Ok(Joined::Waits),
            Written::Nothing(refused) => refused,
        };
        if refused.by(Guarded::Message).is_some() {
            return Ok(Joined::Decided);
        }
        if refused.by(Guarded::Digest).is_some() {
            return Ok(Joined::DigestGone);
        }
        Ok(Joined::Changed)
    }
}
