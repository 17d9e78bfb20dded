//! A whole world at a moment, as a file: every item of the tables and every record of the queues. Files that one version
//! wrote show whether the next version reads them.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use store::tables::SCHEMAS;

use crate::restore::Item;
use crate::{STACK, World};

/// Partitions of the configuration that name the addresses and secrets of one world.
const OF_ONE_WORLD: [&str; 5] = ["KEY#", "HOOK#", "HOOKS#", "SENDER#", "FIRST#"];
/// Sort key of an account, which has the address of the simulator.
const ACCOUNT: &str = "ACCOUNT#";

/// The stored state of a world.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Snapshot {
    /// The moment.
    pub at: Timestamp,
    /// The secret of the pseudonyms.
    pub keys: String,
    /// The items of each table, in the form of DynamoDB's API.
    pub tables: BTreeMap<String, Vec<Value>>,
    /// The bodies in the events queue.
    pub events: Vec<String>,
    /// The bodies in the statuses queue.
    pub statuses: Vec<String>,
}

impl World {
    /// Takes a snapshot. It removes the records from the queues.
    ///
    /// # Errors
    /// If an emulator does not respond.
    pub async fn snapshot(&self) -> Result<Snapshot> {
        let mut tables = BTreeMap::new();
        for schema in &SCHEMAS {
            let entry = |(name, value): (String, AttributeValue)| Ok((name, json_of(&value)?));
            let object = |item: Item| item.into_iter().map(entry).collect::<Result<Map<_, _>>>().map(Value::Object);
            let mut items = self.items(schema.name).await?.into_iter().map(object).collect::<Result<Vec<_>>>()?;
            items.sort_by_key(|item| (key(item, "pk"), key(item, "sk")));
            tables.insert(schema.name.to_owned(), items);
        }
        let secret = self.emulators.secrets().get_secret_value().secret_id(format!("{STACK}/keys")).send().await?;
        Ok(Snapshot {
            at: self.clock.now(),
            keys: secret.secret_string.context("no secret")?,
            tables,
            events: self.events.drain().await?,
            statuses: self.statuses.drain().await?,
        })
    }

    /// Continues a snapshot: the world gets its items, its records, its secret and its time. Accounts, keys and the
    /// webhook stay its own.
    ///
    /// # Errors
    /// If an emulator does not respond, or an item is malformed.
    pub async fn load(&self, snapshot: &Snapshot) -> Result<()> {
        self.clock.advance_to(snapshot.at);
        let secrets = self.emulators.secrets();
        secrets.put_secret_value().secret_id(format!("{STACK}/keys")).secret_string(&snapshot.keys).send().await?;
        for (table, items) in &snapshot.tables {
            let items = items.iter().filter(|item| !is_of_one_world(item)).map(item_of).collect::<Result<Vec<_>>>()?;
            let name = self.tables.named(table).with_context(|| format!("no table {table}"))?;
            self.put_items(name, &items).await?;
        }
        for body in &snapshot.events {
            self.events.put(body).await?;
        }
        for body in &snapshot.statuses {
            self.statuses.put(body).await?;
        }
        Ok(())
    }
}

fn item_of(document: &Value) -> Result<Item> {
    let attributes = document.as_object().context("no item")?.iter();
    attributes.map(|(name, value)| Ok((name.clone(), attribute_of(value)?))).collect()
}

fn is_of_one_world(item: &Value) -> bool {
    OF_ONE_WORLD.iter().any(|prefix| key(item, "pk").starts_with(prefix)) || key(item, "sk").starts_with(ACCOUNT)
}

/// Returns a key of an item; empty if the table has none of that name.
fn key(item: &Value, name: &str) -> String {
    item.pointer(&format!("/{name}/S")).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn json_of(value: &AttributeValue) -> Result<Value> {
    Ok(match value {
        AttributeValue::S(text) => json!({"S": text}),
        AttributeValue::N(number) => json!({"N": number}),
        AttributeValue::Bool(flag) => json!({"BOOL": flag}),
        AttributeValue::Ss(texts) => json!({"SS": texts}),
        AttributeValue::M(map) => {
            let entry = |(name, value): (&String, &AttributeValue)| Ok((name.clone(), json_of(value)?));
            json!({"M": map.iter().map(entry).collect::<Result<Map<_, _>>>()?})
        }
        other => anyhow::bail!("the bridge stores no such attribute: {other:?}"),
    })
}

fn attribute_of(value: &Value) -> Result<AttributeValue> {
    let (kind, value) = value.as_object().and_then(|object| object.iter().next()).context("no attribute")?;
    let text = |value: &Value| value.as_str().map(str::to_owned).context("no text");
    Ok(match (kind.as_str(), value) {
        ("S", value) => AttributeValue::S(text(value)?),
        ("N", value) => AttributeValue::N(text(value)?),
        ("BOOL", Value::Bool(flag)) => AttributeValue::Bool(*flag),
        ("SS", Value::Array(texts)) => AttributeValue::Ss(texts.iter().map(text).collect::<Result<_>>()?),
        ("M", Value::Object(map)) => {
            let entry = |(name, value): (&String, &Value)| Ok((name.clone(), attribute_of(value)?));
            AttributeValue::M(map.iter().map(entry).collect::<Result<_>>()?)
        }
        _ => anyhow::bail!("no attribute: {kind}"),
    })
}
