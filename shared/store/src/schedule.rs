//! The `Schedule` table: what waits for its moment.
//!
//! | pk | shard | `due_at` | what |
//! |---|---|---|---|
//! | `M#` message id | `0` … `15` | its moment | a message that waits for a moment |
//! | `M#` message id | `LANE#site#account` | when its event happened | a message parked for its account |
//! | `R#` hash | `0` … `15` | its moment | a reminder of an activity |
//! | `LANE#site#account` | `0` … `15` | the next visit | an account that has messages parked |
//! | `ACCOUNT#site#account` | | | its sending slots and whether it is stopped (see [`crate::accounts`]) |
//!
//! Items are found through the index `due`: a shard and the moment, so that a sweep costs what is due and not what is
//! pending. A lane is a shard of its own whose moments are those of the events: reading it in order is oldest first.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use domain::decision::guards::EventVersion;
use domain::primitives::id::{AccountId, EventId, ObjectId, SiteId};
use domain::primitives::key::{MessageId, reminder_key};
use domain::queue::job::MessageJob;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::item::{Item, Reading, json, text, time};
use crate::newer::Newer;
use crate::transaction::again;

/// Shards of the index `due`: one partition takes 1,000 writes a second, sixteen are room for a whole site's morning.
pub const SHARDS: u8 = 16;
/// Items of a page of which only one site's are wanted.
const SITE_PAGE: usize = 1_000;
/// How long a lane is visited after the last message was parked in it: longer than any index lags behind its table.
const LANE_KEPT_FOR: SignedDuration = SignedDuration::from_mins(15);

/// The `Schedule` table.
#[derive(Clone, Debug)]
pub struct Schedule {
    pub(crate) client: Client,
    pub(crate) table: String,
}

/// The messages parked for an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane {
    /// The site.
    pub site: SiteId,
    /// The account.
    pub account: AccountId,
}

/// An item whose moment has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueItem {
    /// Its key.
    pub key: String,
    /// Its moment, as the table has it: the item is the same while it has not moved.
    pub due_at: String,
    /// The lane it is parked in; then its moment is when its event happened.
    pub lane: Option<Lane>,
    /// What it is.
    pub what: Due,
    /// The attribute that says so, as the table has it: an item that was put again since has another.
    content: Option<(&'static str, String)>,
}

/// Some of the items of a shard or of a lane.
#[derive(Debug, Default)]
pub struct Page {
    /// The items.
    pub items: Vec<DueItem>,
    /// Why each of the others cannot be read: they stay, and must not keep the rest waiting.
    pub unreadable: Vec<StoreError>,
}

/// The items of a shard or of a lane, page by page, oldest first. Each is handed out once: what a sweep cannot fire does
/// not keep it from what comes after, and what it removed does not come again from an index that lags behind.
#[derive(Debug)]
pub struct Pages(Option<QueryFluentBuilder>);

impl Pages {
    /// The next page, which may be empty; `None` after the last, or after one that could not be read.
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

/// What an item of the schedule is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// A message to be tried again.
    Message {
        /// The record to be put into the queue.
        job: MessageJob,
        /// Until when it is of use.
        useful_until: Timestamp,
    },
    /// A lane to be visited.
    Lane(Lane),
    /// A reminder of an activity.
    Reminder(ReminderItem),
}

/// A reminder that waits for its moment. What it tells stays in the ledger, with the event that saved its activity.
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
    /// When it is due.
    pub due_at: Timestamp,
}

/// Where a message waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// For a moment.
    Until(Timestamp),
    /// In its account's lane, in the order in which the events happened.
    Lane(Lane, Timestamp),
}

impl Lane {
    /// The lane's name: the key of its item, and the shard of what is parked in it.
    #[must_use]
    pub fn key(&self) -> String {
        format!("LANE#{}#{}", self.site, self.account)
    }

    /// The lane of a site that is a shard; `None` of another one.
    fn of_shard(shard: &str, site: &SiteId) -> Option<Self> {
        let account = shard.strip_prefix(&format!("LANE#{site}#"))?;
        Some(Self { site: site.clone(), account: AccountId::parse(account).ok()? })
    }
}

/// The key of a message's item.
pub(crate) fn message_item(id: &MessageId) -> String {
    format!("M#{id}")
}

/// The shard of an item by its key: any spread that is always the same will do.
pub(crate) fn shard_of(key: &str) -> String {
    let sum = key.bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    (sum % SHARDS).to_string()
}

impl Schedule {
    /// The table of that name.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// The items of a shard whose moment has come, oldest first, in pages of at most `page` items.
    #[must_use]
    pub fn due_pages(&self, shard: u8, now: Timestamp, page: usize) -> Pages {
        Pages(Some(self.query(&shard.to_string(), Some(now), page)))
    }

    /// The items of a site in a shard that are due next, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn soonest(&self, site: &SiteId, shard: u8, limit: usize) -> Result<Page, StoreError> {
        // Items of other sites count for a page, too.
        let query = self.query(&shard.to_string(), None, limit.max(SITE_PAGE));
        let query = query.filter_expression("site = :site").expression_attribute_values(":site", text(site.as_str()));
        Self::first(query, limit).await
    }

    /// The item of a message that waits; `None` if it is not in the schedule.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn message(&self, id: &MessageId) -> Result<Option<DueItem>, StoreError> {
        self.item(&message_item(id)).await
    }

    /// The item of a reminder that waits.
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

    /// The oldest messages of a lane, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn parked(&self, lane: &Lane, limit: usize) -> Result<Vec<DueItem>, StoreError> {
        let page = Self::first(self.query(&lane.key(), None, limit), limit).await?;
        for error in page.unreadable {
            tracing::error!(%error, "a parked message cannot be read");
        }
        Ok(page.items)
    }

    /// All messages of a lane, in pages of at most `page` items.
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

    /// Keeps a reminder until its moment, unless a newer event of its activity did already.
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

    /// Removes an item that was fired, unless it was moved or put again since. Answers whether it was removed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn remove(&self, item: &DueItem) -> Result<bool, StoreError> {
        let request = self.client.delete_item().table_name(&self.table).key("pk", text(&item.key));
        // In a lane the moment never changes: only the content tells an item from the one that was parked again.
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

    /// Moves a reminder to another moment, unless it was fired, moved or put again since. Answers whether it was moved.
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

    /// Has a lane visited from the next sweep on. Called before a message is parked in it, so that none is parked where
    /// nobody looks.
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

    /// Ends the visits of an empty lane in which nothing was parked lately.
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
