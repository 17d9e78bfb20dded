//! Parking: a message moves from the queue to the schedule.
//!
//! One transaction writes both tables, so that the message is always in exactly one of the two places, and the ledger
//! records which one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};
use domain::message::state::Waiting;
use domain::queue::job::MessageJob;
use jiff::{SignedDuration, Timestamp};

use super::facts::sort_key;
use super::message::{IDENTITY, UNDECIDED, WAITS, identity};
use super::{Ledger, MessageRecord};
use crate::error::StoreError;
use crate::item::{json, number, text, time};
use crate::schedule::{Lane, Place, Schedule, message_item, shard_of};
use crate::transact::{Transaction, Written, a_while};

/// How long a process does not open the same lane again. A lane is visited for longer than that, and the difference is
/// longer than an index lags behind its table. A message parked in this time is therefore found.
const OPENED_FOR: SignedDuration = SignedDuration::from_mins(5);

/// The two items of a message that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// The message in the ledger.
    Ledger,
    /// Its item in the schedule.
    Schedule,
}

/// The ledger together with the schedule.
#[derive(Clone, Debug)]
pub struct Parking {
    pub(super) ledger: Ledger,
    pub(super) schedule: Schedule,
    /// When this process last opened each lane.
    opened: Arc<Mutex<HashMap<Lane, Timestamp>>>,
}

/// A message to park.
#[derive(Clone, Copy)]
pub struct Parked<'a> {
    /// The message, with the number of the record that parks it.
    pub message: &'a MessageRecord<'a>,
    /// The wait reason.
    pub waiting: &'a Waiting,
    /// The place where the message waits.
    pub place: &'a Place,
    /// The record that brings the message back.
    pub job: &'a MessageJob,
    /// When the message expires.
    pub useful_until: Timestamp,
}

impl Parking {
    /// Creates the parking of a ledger and a schedule.
    #[must_use]
    pub fn new(ledger: Ledger, schedule: Schedule) -> Self {
        Self { ledger, schedule, opened: Arc::default() }
    }

    /// Parks a message. Returns whether it was parked: `false` if it is already decided, or if a newer record of it is
    /// in flight.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn park(&self, parked: Parked<'_>, now: Timestamp) -> Result<bool, StoreError> {
        if let Place::Lane(lane, _) = parked.place {
            self.open(lane, now).await?;
        }
        let transaction = Transaction::new();
        let transaction = transaction.with(Item::Ledger, self.waits(parked, now)?);
        self.write_both(transaction.with(Item::Schedule, self.put(parked)?)).await
    }

    /// Opens a lane, unless this process opened it recently.
    async fn open(&self, lane: &Lane, now: Timestamp) -> Result<(), StoreError> {
        let opened_at = self.opened.lock().ok().and_then(|opened| opened.get(lane).copied());
        if opened_at.is_some_and(|at| now.duration_since(at) < OPENED_FOR) {
            return Ok(());
        }
        self.schedule.open_lane(lane, now).await?;
        if let Ok(mut opened) = self.opened.lock() {
            opened.insert(lane.clone(), now);
        }
        Ok(())
    }

    /// Writes the items of the ledger and the schedule together. Returns whether the condition on the ledger held.
    pub(super) async fn write_both(&self, both: Transaction<Item>) -> Result<bool, StoreError> {
        match both.write(&self.ledger.client, None, &a_while()).await? {
            Written::All => Ok(true),
            Written::Nothing(refused) if refused.by(Item::Ledger).is_some() => Ok(false),
            Written::Nothing(_) => Err(StoreError::contended("the schedule refused a message")),
        }
    }

    pub(super) fn waits(&self, parked: Parked<'_>, now: Timestamp) -> Result<TransactWriteItem, StoreError> {
        let id = parked.message.id();
        let (names, values) = identity(parked.message, now);
        let update = Update::builder()
            .table_name(&self.ledger.table)
            .key("pk", text(&id.event))
            .key("sk", text(sort_key(&id)))
            .update_expression(format!("SET {IDENTITY}, {WAITS}"))
            .condition_expression(UNDECIDED)
            .set_expression_attribute_names(Some(names))
            .set_expression_attribute_values(Some(values))
            .expression_attribute_values(":waiting", json(parked.waiting)?)
            .expression_attribute_values(":next", number(parked.message.job.attempt.saturating_add(1)));
        let update = update.build()?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    pub(super) fn put(&self, parked: Parked<'_>) -> Result<TransactWriteItem, StoreError> {
        let key = message_item(&parked.message.id());
        let (shard, due_at) = match parked.place {
            Place::Until(moment) => (shard_of(&key), *moment),
            Place::Lane(lane, occurred_at) => (lane.key(), *occurred_at),
        };
        let put = Put::builder()
            .table_name(&self.schedule.table)
            .item("pk", text(key))
            .item("shard", text(shard))
            .item("due_at", time(due_at))
            .item("job", json(parked.job)?)
            .item("useful_until", time(parked.useful_until))
            .item("site", text(parked.job.site.as_str()));
        let put = put.build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}
