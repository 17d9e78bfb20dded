//! Reads the tables directly.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::decision::guards::{Guards, guards};
use domain::event::Event;
use domain::primitives::id::{EventId, ObjectId};
use domain::primitives::key::MessageId;
use serde_json::Value;
use store::tables::table_name;

use crate::{STACK, World};

impl World {
    /// Returns the string and number attributes of an item of the `Contacts` table, or `None` if there is no such item.
    ///
    /// # Errors
    /// If the table does not respond.
    pub async fn contact_item(&self, key: &str) -> Result<Option<BTreeMap<String, String>>> {
        let request = self.emulators.dynamodb().get_item().table_name(table_name(STACK, "Contacts"));
        let answer = request.key("pk", AttributeValue::S(key.to_owned())).consistent_read(true).send().await?;
        let text = |value: AttributeValue| match value {
            AttributeValue::S(text) | AttributeValue::N(text) => Some(text),
            _ => None,
        };
        let texts = |item: std::collections::HashMap<String, AttributeValue>| {
            item.into_iter().filter_map(|(name, value)| Some((name, text(value)?))).collect()
        };
        Ok(answer.item.map(texts))
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
