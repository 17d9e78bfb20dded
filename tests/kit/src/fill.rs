//! Fills the tables directly, for measurements.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use jiff::Timestamp;
use serde_json::json;
use store::schedule::SHARDS;

use crate::World;

/// The maximum number of items in one `BatchWriteItem` call.
const ITEMS_AT_ONCE: usize = 25;

impl World {
    /// Writes `reminders` reminders into the schedule, all due at `due_at`.
    ///
    /// The items equal those that `activity.saved` creates, but there are no activities. The calls of the functions do
    /// not include these writes.
    ///
    /// # Errors
    /// If the table rejects the items.
    pub async fn fill_schedule(&self, reminders: usize, due_at: Timestamp) -> Result<()> {
        let (client, table) = (self.emulators.dynamodb(), &self.tables.schedule);
        let site = self.site()?;
        let text = |value: String| AttributeValue::S(value);
        let numbers: Vec<usize> = (0..reminders).collect();
        for chunk in numbers.chunks(ITEMS_AT_ONCE) {
            let mut puts = Vec::with_capacity(chunk.len());
            for number in chunk {
                let reminder = json!({
                    "site": site, "event": format!("pending-{number}"), "activity": format!("pending-{number}"),
                    "reminder": "r1", "due_at": due_at,
                });
                let item = HashMap::from([
                    ("pk".to_owned(), text(format!("R#pending-{number:08}"))),
                    ("shard".to_owned(), text((number % usize::from(SHARDS)).to_string())),
                    ("due_at".to_owned(), text(format!("{due_at:.9}"))),
                    ("reminder".to_owned(), text(reminder.to_string())),
                    ("site".to_owned(), text(site.to_string())),
                ]);
                let put = PutRequest::builder().set_item(Some(item)).build()?;
                puts.push(WriteRequest::builder().put_request(put).build());
            }
            let answer = client.batch_write_item().request_items(table, puts).send().await?;
            ensure!(answer.unprocessed_items.is_none_or(|left| left.is_empty()), "the table did not take all items");
        }
        Ok(())
    }

    /// Writes an item of string attributes into a table, for items that no function writes in this form.
    ///
    /// # Errors
    /// If the table rejects the item.
    pub async fn put_item(&self, table: &str, item: &[(&str, &str)]) -> Result<()> {
        let attribute = |(name, value): &(&str, &str)| ((*name).to_owned(), AttributeValue::S((*value).to_owned()));
        let item: HashMap<String, AttributeValue> = item.iter().map(attribute).collect();
        let table = self.tables.named(table).with_context(|| format!("no table {table}"))?;
        let request = self.emulators.dynamodb().put_item().table_name(table);
        request.set_item(Some(item)).send().await?;
        Ok(())
    }
}
