//! Point-in-time recovery of tables, as AWS does it: a copy of the items in a new table without a time to live.

use std::collections::HashMap;

use anyhow::{Context, Result};
use aws_sdk_dynamodb::types::{AttributeValue, TimeToLiveSpecification};
use store::tables::{TTL_ATTRIBUTE, create_all};

use crate::functions::{Functions, Tables};
use crate::{TableNames, World};

/// An item as the SDK represents it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The items of a table at one moment.
#[derive(Debug)]
pub struct Export {
    /// The logical name of the table.
    table: &'static str,
    items: Vec<Item>,
}

impl World {
    /// Copies the items of a table, given by its logical name.
    ///
    /// # Errors
    /// If there is no such table or it does not respond.
    pub async fn export(&self, table: &'static str) -> Result<Export> {
        Ok(Export { table, items: self.items(table).await? })
    }

    /// Returns the items of a table, given by its logical name.
    pub(crate) async fn items(&self, table: &str) -> Result<Vec<Item>> {
        let name = self.tables.named(table).with_context(|| format!("no table {table}"))?;
        let scan = self.emulators.dynamodb().scan().table_name(name).consistent_read(true);
        let mut pages = scan.into_paginator().items().send();
        let mut items = Vec::new();
        while let Some(item) = pages.next().await {
            items.push(item?);
        }
        Ok(items)
    }

    /// Writes items into a table.
    pub(crate) async fn put_items(&self, name: &str, items: &[Item]) -> Result<()> {
        for item in items {
            let request = self.emulators.dynamodb().put_item().table_name(name);
            request.set_item(Some(item.clone())).send().await?;
        }
        Ok(())
    }

    /// Restores exports into new tables, whose names begin with `prefix`. Returns the names of the tables to use: the
    /// restored ones, and the current ones of the others.
    ///
    /// # Errors
    /// If a table cannot be created or rejects an item.
    pub async fn restore(&self, exports: &[Export], prefix: &str) -> Result<TableNames> {
        let restored = TableNames::of(prefix);
        create_all(&self.emulators.dynamodb(), prefix).await?;
        let mut names = self.tables.clone();
        for Export { table, items } in exports {
            let name = restored.named(table).with_context(|| format!("no table {table}"))?;
            self.put_items(name, items).await?;
            let used = match *table {
                "Config" => &mut names.config,
                "Contacts" => &mut names.contacts,
                "Ledger" => &mut names.ledger,
                _ => &mut names.schedule,
            };
            name.clone_into(used);
        }
        Ok(names)
    }

    /// Sets the time to live of a table.
    ///
    /// # Errors
    /// If the table rejects it.
    pub async fn set_expiry(&self, name: &str) -> Result<()> {
        let expiry = TimeToLiveSpecification::builder().attribute_name(TTL_ATTRIBUTE).enabled(true).build()?;
        let request = self.emulators.dynamodb().update_time_to_live().table_name(name);
        request.time_to_live_specification(expiry).send().await?;
        Ok(())
    }

    /// Deploys the functions with other tables. Records in the queues, the simulator and the clock stay.
    ///
    /// # Errors
    /// If a function does not start.
    pub fn restart_with(&mut self, names: TableNames) -> Result<()> {
        let Functions { receive, send, sweep, track, sync, metrics } = Functions::start(&self.parts, &names)?;
        self.front.replace(receive.clone());
        self.metrics.extend(metrics);
        let Tables { config, webhooks, ledger, contacts, schedule } = Tables::open(&self.parts, &names);
        (self.receive, self.send, self.sweep, self.track, self.sync) = (receive, send, sweep, track, sync);
        (self.config, self.webhooks, self.ledger) = (config, webhooks, ledger);
        (self.contacts, self.schedule, self.tables) = (contacts, schedule, names);
        Ok(())
    }
}
