//! The `Schedule` table: messages, reminders and lanes that are due later.
//!
//! | pk | shard | `due_at` | content |
//! |---|---|---|---|
//! | `M#` + message id | `0` … `15` | when the message is due | a message that waits until a time |
//! | `M#` + message id | `LANE#site#account` | when its event occurred | a message parked for its account |
//! | `R#hash` | `0` … `15` | when the reminder is due | a reminder of an activity |
//! | `LANE#site#account` | `0` … `15` | the next visit | an account with parked messages |
//! | `ACCOUNT#site#account` | | | an account's sending slots and stop (see [`crate::accounts`]) |
//! | `SWEEP` | | | the last sweep (see [`crate::sweeps`]) |
//!
//! The index `due` has the partition key `shard` and the sort key `due_at`. The cost of a sweep therefore depends on
//! the items that are due, not on all pending items. A lane is a shard of its own, ordered by the time of the events: a
//! query returns its oldest message first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use domain::event::EventVersion;
use domain::primitives::cause::chain;
use domain::primitives::id::{AccountId, EventId, ObjectId, SiteId};
use domain::primitives::key::{MessageId, reminder_key};
use domain::queue::job::MessageJob;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::item::{Item, Reading, json, text, time};
use crate::newer::Newer;
use crate::transact::again;

/// Shards of the index `due`. One partition takes 1,000 writes a second, and sixteen are enough for the morning peak of
/// a site.
pub const SHARDS: u8 = 16;
/// The page size of a query that is filtered by site.
const SITE_PAGE: usize = 1_000;
/// How long a lane is visited after it was last opened for a message. This is longer than an index lags behind its
/// table.
const LANE_KEPT_FOR: SignedDuration = SignedDuration::from_mins(15);

/// The `Schedule` table.
#[derive(Clone, Debug)]
pub struct Schedule {
    pub(crate) client: Client,
    pub(crate) table: String,
    pub(crate) known_slots: KnownSlots,
}

/// A lane: the messages parked for one account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane {
    /// The site.
    pub site: SiteId,
    /// The account.
    pub account: AccountId,
}

/// The next free slot of each account, as this process last saw it. It may be outdated: it only decides which condition
/// a lease tries first.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownSlots(Arc<Mutex<HashMap<Lane, Timestamp>>>);

impl KnownSlots {
    pub(crate) fn get(&self, lane: &Lane) -> Option<Timestamp> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(lane).copied()
    }

    pub(crate) fn keep(&self, lane: &Lane, next_free: Timestamp) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(lane.clone(), next_free);
    }
}

/// An item of the schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueItem {
    /// The key of the item.
    pub key: String,
    /// When the item is due, exactly as stored. A different value means that the item was moved.
    pub due_at: String,
    /// The lane that the message is parked in. `due_at` is then the time its event occurred.
    pub lane: Option<Lane>,
    /// The kind of the item with its content.
    pub what: Due,
    /// The name and stored value of the attribute that contains `what`. The value differs if the item was put again.
    content: Option<(&'static str, String)>,
}

/// A page of the items of a shard or a lane.
#[derive(Debug, Default)]
pub struct Page {
    /// The items.
    pub items: Vec<DueItem>,
    /// The errors of the items that cannot be read. They stay in the table and do not block the others.
    pub unreadable: Vec<StoreError>,
}

/// The items of a shard or a lane, page by page, oldest first.
///
/// Each item is returned once. An item that the sweep cannot fire does not block later items. An item that was removed
/// does not come back from an index that lags behind.
#[derive(Debug)]
pub struct Pages(Option<QueryFluentBuilder>);

impl Pages {
    /// Returns the next page, which may be empty; `None` after the last page and after an error.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn next(&mut self) -> Option<Result<Page, StoreError>> {
        let query = self.0.take()?;
        let answer = match query.clone().send().await {
            Ok(answer) => answer,
            Err(error) => return Some(Err(error.into())),
        };
        let mut page = Page::default();
        for item in answer.items() {
            match due_item(item) {
                Ok(item) => page.items.push(item),
                Err(error) => page.unreadable.push(error),
            }
        }
        self.0 = answer.last_evaluated_key.map(|last| query.set_exclusive_start_key(Some(last)));
        Some(Ok(page))
    }
}

/// The kinds of items in the schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// A message to retry.
    Message {
        /// The record to put into the queue.
        job: MessageJob,
        /// When the message expires.
        useful_until: Timestamp,
    },
    /// A lane to visit.
    Lane(Lane),
    /// A reminder of an activity.
    Reminder(ReminderItem),
}

/// A reminder that is due later. Its content stays in the ledger, in the event that saved its activity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReminderItem {
    /// The site.
    pub site: SiteId,
    /// The event that saved the activity.
    pub event: EventId,
    /// The activity.
    pub activity: ObjectId,
    /// The reminder.
    pub reminder: ObjectId,
    /// When the reminder is due.
    pub due_at: Timestamp,
}

/// The place where a message waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Until a time.
    Until(Timestamp),
    /// In its account's lane, ordered by the time its event occurred.
    Lane(Lane, Timestamp),
}

impl Lane {
    /// Returns the lane's name. It is the key of the lane's item and the shard of the messages parked in the lane.
    #[must_use]
    pub fn key(&self) -> String {
        format!("LANE#{}#{}", self.site, self.account)
    }

    /// Parses a shard as a lane of a site; `None` for any other shard.
    fn of_shard(shard: &str, site: &SiteId) -> Option<Self> {
        let account = shard.strip_prefix(&format!("LANE#{site}#"))?;
        Some(Self { site: site.clone(), account: AccountId::parse(account).ok()? })
    }
}

/// The key of a message's item.
pub(crate) fn message_item(id: &MessageId) -> String {
    format!("M#{id}")
}

/// The shard of an item, derived from its key. Any stable distribution is sufficient.
pub(crate) fn shard_of(key: &str) -> String {
    let sum = key.bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    (sum % SHARDS).to_string()
}

impl Schedule {
    /// Creates a client for the table `table`.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table, known_slots: KnownSlots::default() }
    }

    /// Returns the items of a shard that are due, oldest first, in pages of at most `page` items.
    #[must_use]
    pub fn due_pages(&self, shard: u8, now: Timestamp, page: usize) -> Pages {
        Pages(Some(self.query(&shard.to_string(), Some(now), page)))
    }

    /// Returns the items of a site in a shard that are due next, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn soonest(&self, site: &SiteId, shard: u8, limit: usize) -> Result<Page, StoreError> {
        // The items of other sites count towards a page, too.
        let query = self.query(&shard.to_string(), None, limit.max(SITE_PAGE));
        let query = query.filter_expression("site = :site").expression_attribute_values(":site", text(site.as_str()));
        Self::first(query, limit).await
    }

    /// Returns the item of a message that waits; `None` if it is not in the schedule.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn message(&self, id: &MessageId) -> Result<Option<DueItem>, StoreError> {
        self.item(&message_item(id)).await
    }

    /// Returns the item of a reminder that waits; `None` if it is not in the schedule.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reminder(
        &self,
        site: &SiteId,
        activity: &ObjectId,
        reminder: &ObjectId,
    ) -> Result<Option<DueItem>, StoreError> {
        self.item(&reminder_key(site, activity, reminder)).await
    }

    async fn item(&self, key: &str) -> Result<Option<DueItem>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).key("pk", text(key)).consistent_read(true);
        request.send().await?.item.as_ref().map(due_item).transpose()
    }

    /// Returns the oldest messages of a lane, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn parked(&self, lane: &Lane, limit: usize) -> Result<Vec<DueItem>, StoreError> {
        let page = Self::first(self.query(&lane.key(), None, limit), limit).await?;
        for error in page.unreadable {
            tracing::error!(error = chain(&error), "a parked message cannot be read");
        }
        Ok(page.items)
    }

    /// Returns all messages of a lane, in pages of at most `page` items.
    #[must_use]
    pub fn parked_pages(&self, lane: &Lane, page: usize) -> Pages {
        Pages(Some(self.query(&lane.key(), None, page)))
    }

    async fn first(query: QueryFluentBuilder, limit: usize) -> Result<Page, StoreError> {
        let (mut pages, mut first) = (Pages(Some(query)), Page::default());
        while first.items.len() < limit
            && let Some(page) = pages.next().await
        {
            let page = page?;
            first.items.extend(page.items);
            first.unreadable.extend(page.unreadable);
        }
        first.items.truncate(limit);
        Ok(first)
    }

    fn query(&self, shard: &str, until: Option<Timestamp>, limit: usize) -> QueryFluentBuilder {
        let condition = if until.is_some() { "#shard = :shard AND due_at <= :until" } else { "#shard = :shard" };
        let request = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("due")
            .key_condition_expression(condition)
            .expression_attribute_names("#shard", "shard")
            .expression_attribute_values(":shard", text(shard))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX));
        match until {
            Some(until) => request.expression_attribute_values(":until", time(until)),
            None => request,
        }
    }

    /// Schedules a reminder, unless a newer event of its activity already did.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_reminder(&self, reminder: &ReminderItem, version: EventVersion) -> Result<(), StoreError> {
        let key = reminder_key(&reminder.site, &reminder.activity, &reminder.reminder);
        let newer = Newer::than(version);
        let mut request = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", text(&key))
            .item("shard", text(shard_of(&key)))
            .item("due_at", time(reminder.due_at))
            .item("reminder", json(reminder)?)
            .item("site", text(reminder.site.as_str()))
            .condition_expression(format!("attribute_not_exists(pk) OR {}", newer.condition));
        for (name, value) in newer.attributes {
            request = request.expression_attribute_values(format!(":{name}"), value.clone()).item(name, value);
        }
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(error.into()),
            },
        }
    }

    /// Removes an item that was fired, unless it was moved or put again. Returns whether it was removed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remove(&self, item: &DueItem) -> Result<bool, StoreError> {
        let request = self.client.delete_item().table_name(&self.table).key("pk", text(&item.key));
        // In a lane, `due_at` never changes. Only the content distinguishes an item from one that was parked again.
        let mut condition = "due_at = :due_at".to_owned();
        let mut request = request.expression_attribute_values(":due_at", text(&item.due_at));
        if let Some((name, content)) = &item.content {
            condition.push_str(" AND #content = :content");
            request = request
                .expression_attribute_names("#content", *name)
                .expression_attribute_values(":content", text(content));
        }
        let request = request.condition_expression(condition);
        match again(|| request.clone().send()).await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(error.into()),
            },
        }
    }

    /// Moves a reminder to another time, unless it was fired, moved or put again. Returns whether it was moved.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn move_reminder(&self, item: &DueItem, due_at: Timestamp) -> Result<bool, StoreError> {
        let (Due::Reminder(reminder), Some((name, content))) = (&item.what, &item.content) else { return Ok(false) };
        let moved = ReminderItem { due_at, ..reminder.clone() };
        let request = self.client.update_item().table_name(&self.table).key("pk", text(&item.key));
        let request = request
            .update_expression("SET due_at = :moved_to, #content = :moved")
            .condition_expression("due_at = :due_at AND #content = :content")
            .expression_attribute_names("#content", *name)
            .expression_attribute_values(":due_at", text(&item.due_at))
            .expression_attribute_values(":content", text(content))
            .expression_attribute_values(":moved_to", time(due_at))
            .expression_attribute_values(":moved", json(&moved)?);
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(error.into()),
            },
        }
    }

    /// Schedules the visits of a lane, from the next sweep on. It is called before a message is parked in the lane, so
    /// that no message is parked unseen.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_lane(&self, lane: &Lane, now: Timestamp) -> Result<(), StoreError> {
        let key = lane.key();
        let request = self.client.update_item().table_name(&self.table).key("pk", text(&key));
        let request = request
            .update_expression(
                "SET used_at = :now, #shard = if_not_exists(#shard, :shard), due_at = if_not_exists(due_at, :now), \
                 site = :site, account = :account",
            )
            .expression_attribute_names("#shard", "shard")
            .expression_attribute_values(":now", time(now))
            .expression_attribute_values(":shard", text(shard_of(&key)))
            .expression_attribute_values(":site", text(lane.site.as_str()))
            .expression_attribute_values(":account", text(lane.account.as_str()));
        request.send().await?;
        Ok(())
    }

    /// Ends the visits of an empty lane that was not opened lately. Returns whether they ended.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn close_lane(&self, lane: &Lane, now: Timestamp) -> Result<bool, StoreError> {
        let before = now.saturating_sub(LANE_KEPT_FOR).unwrap_or(now);
        let request = self.client.delete_item().table_name(&self.table).key("pk", text(lane.key()));
        let request = request.condition_expression("used_at <= :before");
        match request.expression_attribute_values(":before", time(before)).send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(error.into()),
            },
        }
    }
}

fn due_item(item: &Item) -> Result<DueItem, StoreError> {
    let reading = Reading::of(item);
    let key = reading.required("pk")?.to_owned();
    let due_at = reading.required("due_at")?.to_owned();
    let what = match (reading.json("job")?, reading.json("reminder")?) {
        (Some(job), _) => Due::Message {
            job,
            useful_until: reading.time("useful_until")?.ok_or_else(|| reading.fault("useful_until", "is missing"))?,
        },
        (None, Some(reminder)) => Due::Reminder(reminder),
        (None, None) => Due::Lane(Lane {
            site: SiteId::parse(reading.required("site")?).map_err(|error| reading.fault("site", error))?,
            account: AccountId::parse(reading.required("account")?).map_err(|error| reading.fault("account", error))?,
        }),
    };
    let content = ["job", "reminder"].into_iter().find_map(|name| Some((name, reading.text(name).ok()??.to_owned())));
    let lane = match &what {
        Due::Message { job, .. } => reading.text("shard")?.and_then(|shard| Lane::of_shard(shard, &job.site)),
        Due::Lane(_) | Due::Reminder(_) => None,
    };
    Ok(DueItem { key, due_at, lane, what, content })
}
