//! Files that wait to be told together: an item for each folder, actor, mapping and recipient, with the message that
//! will tell them. Who joins is written into the item, the ledger and the schedule in one transaction, so that a file is
//! told by exactly one message; the claim of that message empties the item.

use aws_sdk_dynamodb::types::{ConditionCheck, Put, TransactWriteItem, Update};
use domain::decision::digest::Collection;
use domain::primitives::key::MessageId;
use jiff::SignedDuration;

use super::message::{NOT_ACCEPTED, STILL_OPEN, sort_key};
use super::park::{Parked, Parking};
use super::{Ledger, expiry_after};
use crate::error::StoreError;
use crate::item::{Reading, json, number, text};
use crate::transaction::{Transaction, Written, a_while};

/// The sort key of a collection.
pub(super) const OPEN: &str = "OPEN";
/// How long after its moment a collection is forgotten that nobody told: a message is of use for a week at most.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(8 * 24);

/// A collection as the ledger has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCollection {
    /// Its key.
    pub key: String,
    /// What it holds; `None` once it was told.
    pub collection: Option<Collection>,
    /// Counts who joined.
    pub version: u32,
}

/// What a write of joining guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guarded {
    /// The message that joins.
    Message,
    /// Its item in the schedule.
    Schedule,
    /// The collection.
    Collection,
    /// The message that carries the collection.
    Digest,
}

/// What came of joining a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joined {
    /// The message waits, and is told by the carrier.
    Waits,
    /// It was decided meanwhile, or a newer record of it is on its way.
    Decided,
    /// Another message joined at the same moment, or the carrier left.
    Changed,
    /// The carrier is decided: it tells nobody any more.
    DigestGone,
}

impl Ledger {
    /// The collection of a key; `None` if nothing is collected there.
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

    /// That a collection is told by the claim of its carrier, unless somebody joined it since it was read.
    pub(super) fn end_collection(&self, stored: &StoredCollection) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&self.table)
            .key("pk", text(&stored.key))
            .key("sk", text(OPEN))
            .update_expression("SET version = version + :one REMOVE collected")
            .condition_expression("version = :version")
            .expression_attribute_values(":version", number(stored.version))
            .expression_attribute_values(":one", number(1));
        let update = update.build().map_err(|error| StoreError::Refused(error.to_string()))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// The files that are collected from now on; `before` is the version the item had, if there was one.
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
            .item("site", text(parked.message.site.as_str()))
            .item("collected", json(collection)?)
            .item("version", number(before.unwrap_or_default().saturating_add(1)))
            .item("expires_at", expiry_after(collection.until, KEPT_FOR));
        let put = match before {
            Some(version) => {
                put.condition_expression("version = :before").expression_attribute_values(":before", number(version))
            }
            None => put.condition_expression("attribute_not_exists(pk)"),
        };
        let put = put.build().map_err(|error| StoreError::Refused(error.to_string()))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// That a message is neither decided nor claimed.
    fn still_open(&self, id: &MessageId) -> Result<TransactWriteItem, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .key("pk", text(&id.event))
            .key("sk", text(sort_key(id)))
            .condition_expression(STILL_OPEN)
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":retry", text(NOT_ACCEPTED));
        let check = check.build().map_err(|error| StoreError::Refused(error.to_string()))?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }
}

impl Parking {
    /// Parks a message with the collection it begins or joins; `before` is the version the collection had, if there was
    /// one.
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
