//! Reads the tables directly.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::decision::guards::{Guards, guards};
use domain::event::Event;
use domain::primitives::id::{EventId, ObjectId};
use domain::primitives::key::MessageId;
use serde_json::Value;
use store::tables::SCHEMAS;

use crate::World;
use crate::restore::Item;

/// The overhead of each stored item and index entry, in bytes.
const OVERHEAD: usize = 100;
/// The partition keys of the ledger's indexes, each with its sort key. An entry has these, and the keys of the item.
const INDEXES: [(&str, &str); 5] =
    [("day", "at"), ("contact", "at"), ("subject", "at"), ("provider", ""), ("open_shard", "open_since")];

/// The stored size of an item of a table without an index on all attributes, with its index entries.
fn stored(item: &Item) -> usize {
    let part = |name: &str| item.get(name).map_or(0, |value| name.len() + size(value));
    let is_listed = |(partition, _): &&(&str, &str)| item.contains_key("sk") && item.contains_key(*partition);
    let entry = |(partition, sort): &(&str, &str)| OVERHEAD + part("pk") + part("sk") + part(partition) + part(sort);
    let own: usize = item.iter().map(|(name, value)| name.len() + size(value)).sum();
    OVERHEAD + own + INDEXES.iter().filter(is_listed).map(entry).sum::<usize>()
}

fn size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        // Two digits take a byte, and the number one more.
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
        AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
        AttributeValue::L(values) => 3 + values.iter().map(|value| 1 + size(value)).sum::<usize>(),
        AttributeValue::M(values) => 3 + values.iter().map(|(name, value)| 1 + name.len() + size(value)).sum::<usize>(),
        _ => 1,
    }
}

impl World {
    /// Returns the string and number attributes of an item of the `Contacts` table, or `None` if there is no such item.
    ///
    /// # Errors
    /// If the table does not respond.
    pub async fn contact_item(&self, key: &str) -> Result<Option<BTreeMap<String, String>>> {
        let request = self.emulators.dynamodb().get_item().table_name(&self.tables.contacts);
        let answer = request.key("pk", AttributeValue::S(key.to_owned())).consistent_read(true).send().await?;
        let text = |value: AttributeValue| match value {
            AttributeValue::S(text) | AttributeValue::N(text) => Some(text),
            _ => None,
        };
        let texts = |item: Item| item.into_iter().filter_map(|(name, value)| Some((name, text(value)?))).collect();
        Ok(answer.item.map(texts))
    }

    /// Returns the size of all items of the four tables and their indexes, as DynamoDB bills them.
    ///
    /// # Errors
    /// If a table does not respond.
    pub async fn stored_bytes(&self) -> Result<usize> {
        let mut bytes = 0;
        for schema in &SCHEMAS {
            bytes += self.items(schema.name).await?.iter().map(stored).sum::<usize>();
        }
        Ok(bytes)
    }

    /// Returns the messages of an event.
    ///
    /// # Errors
    /// If there is no such event.
    pub async fn messages_of(&self, event: &str) -> Result<Vec<MessageId>> {
        let stored = self.ledger.event(&self.site()?, &EventId::parse(event)?).await?.context("no such event")?;
        Ok(stored.messages.into_iter().map(|message| message.id).collect())
    }

    /// Returns the conditions that the claim of an event's message checks.
    ///
    /// # Errors
    /// If there is no such mapping.
    pub async fn guards(&self, event: &Value, mapping: &str, recipient: &str) -> Result<Guards> {
        let live = self.live().await?;
        let mapping = live.mappings.iter().find(|known| known.id.as_str() == mapping).context("no such mapping")?;
        let event = Event::parse_any(event.clone(), self.clock.now()).map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(guards(&live.site.id, mapping, &event, &ObjectId::parse(recipient)?, self.clock.now()))
    }
}
