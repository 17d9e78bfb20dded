//! Webhooks: whose they are, and which sites share a sender number. Part of the `Config` table.
//!
//! | pk | sk | json |
//! |---|---|---|
//! | `WEBHOOK#webhook id` | `WEBHOOK` | the webhook's site, mode, numbers and accounts |
//! | `HOOKS#site` | `WEBHOOK` | the id of the site's webhook |
//! | `SENDER#phone number id` | site | the account the number belongs to |
//! | `FIRST#phone number id` | `WEBHOOK` | the site that had the number first; null once that one is gone |

use aws_sdk_dynamodb::Client;
use domain::primitives::id::SiteId;
use domain::webhook::Webhook;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::StoreError;
use crate::item::{Reading, json, text};

const WEBHOOK: &str = "HOOK";

/// The webhooks of all sites.
#[derive(Clone, Debug)]
pub struct Webhooks {
    client: Client,
    table: String,
}

impl Webhooks {
    /// Those in the `Config` table of that name.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// A webhook by its id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn webhook(&self, id: &str) -> Result<Option<Webhook>, StoreError> {
        self.get(webhook_key(id)).await
    }

    /// The id of a site's webhook.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn webhook_id_of(&self, site: &SiteId) -> Result<Option<String>, StoreError> {
        self.get(site_webhook_key(site)).await
    }

    /// Writes a site's webhook, and its numbers as the site's. A site has one: what it had under another id opens
    /// nothing any more.
    ///
    /// # Errors
    /// [`StoreError`]; what was written until then stays, and the next call completes it.
    pub async fn put(&self, id: &str, webhook: &Webhook) -> Result<(), StoreError> {
        for phone_number_id in &webhook.phone_number_ids {
            // A number written here alone has no account said; one that has keeps it.
            if !self.sites_of(phone_number_id).await?.contains(&webhook.site) {
                self.note_first(&webhook.site, phone_number_id).await?;
                self.put_item(sender_key(phone_number_id), webhook.site.as_str(), &None::<&str>).await?;
            }
        }
        if let Some(former) = self.webhook_id_of(&webhook.site).await?.filter(|former| former != id) {
            self.delete_item(webhook_key(&former), WEBHOOK).await?;
        }
        // It is listed before it opens anything, so that none is ever out of sight.
        self.put_item(site_webhook_key(&webhook.site), WEBHOOK, &id).await?;
        self.put_item(webhook_key(id), WEBHOOK, webhook).await
    }

    /// Makes a number and its account the site's: what its webhook brings of them is believed from then on. Adding them
    /// again changes nothing. Answers whether another site had the number before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn add_sender(&self, site: &SiteId, phone_number_id: &str, waba_id: &str) -> Result<bool, StoreError> {
        self.note_first(site, phone_number_id).await?;
        self.put_item(sender_key(phone_number_id), site.as_str(), &Some(waba_id)).await?;
        if let Some(id) = self.webhook_id_of(site).await?
            && let Some(mut webhook) = self.webhook(&id).await?
        {
            add(&mut webhook.phone_number_ids, phone_number_id);
            add(&mut webhook.waba_ids, waba_id);
            self.put_item(webhook_key(&id), WEBHOOK, &webhook).await?;
        }
        self.came_later(site, phone_number_id).await
    }

    /// Whether a site came to a number that another site had before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn came_later(&self, site: &SiteId, phone_number_id: &str) -> Result<bool, StoreError> {
        let first: Option<Option<SiteId>> = self.get(first_key(phone_number_id)).await?;
        Ok(first.is_some_and(|first| first.as_ref() != Some(site)))
    }

    /// Notes which site had a number first, if nobody did yet. Of sites that had it before this was noted any may be it.
    async fn note_first(&self, site: &SiteId, phone_number_id: &str) -> Result<(), StoreError> {
        if self.get::<Option<SiteId>>(first_key(phone_number_id)).await?.is_some() {
            return Ok(());
        }
        let sites = self.sites_of(phone_number_id).await?;
        let other = sites.first().filter(|_| !sites.contains(site));
        self.put_item(first_key(phone_number_id), WEBHOOK, other.unwrap_or(site)).await
    }

    /// The sites that send from a number: who stops one of them, stops all.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sites_of(&self, phone_number_id: &str) -> Result<Vec<SiteId>, StoreError> {
        let request = self.client.query().table_name(&self.table).key_condition_expression("pk = :pk");
        let request = request.expression_attribute_values(":pk", text(sender_key(phone_number_id)));
        let mut pages = request.consistent_read(true).into_paginator().send();
        let mut sites = Vec::new();
        while let Some(page) = pages.next().await {
            for item in page?.items.unwrap_or_default() {
                let reading = Reading::of(&item);
                let site = SiteId::parse(reading.required("sk")?);
                sites.push(site.map_err(|error| reading.fault("sk", error))?);
            }
        }
        Ok(sites)
    }

    /// Removes a site's webhook, and its numbers as the site's.
    ///
    /// # Errors
    /// [`StoreError`]; what was removed until then stays so, and the next call completes it.
    pub async fn remove(&self, site: &SiteId) -> Result<(), StoreError> {
        let Some(id) = self.webhook_id_of(site).await? else { return Ok(()) };
        for phone_number_id in self.webhook(&id).await?.map(|webhook| webhook.phone_number_ids).unwrap_or_default() {
            if !self.came_later(site, &phone_number_id).await? {
                // Should the site come back, it does not know what was said meanwhile.
                self.put_item(first_key(&phone_number_id), WEBHOOK, &None::<SiteId>).await?;
            }
            self.delete_item(sender_key(&phone_number_id), site.as_str()).await?;
        }
        self.delete_item(webhook_key(&id), WEBHOOK).await?;
        self.delete_item(site_webhook_key(site), WEBHOOK).await
    }

    async fn get<T: DeserializeOwned>(&self, pk: String) -> Result<Option<T>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).consistent_read(true);
        let answer = request.key("pk", text(pk)).key("sk", text(WEBHOOK)).send().await?;
        let Some(item) = answer.item else { return Ok(None) };
        let reading = Reading::of(&item);
        let value = reading.json("json")?;
        value.map(Some).ok_or_else(|| reading.fault("json", "is missing"))
    }

    async fn put_item(&self, pk: String, sk: &str, value: &impl Serialize) -> Result<(), StoreError> {
        let request = self.client.put_item().table_name(&self.table);
        request.item("pk", text(pk)).item("sk", text(sk)).item("json", json(value)?).send().await?;
        Ok(())
    }

    async fn delete_item(&self, pk: String, sk: &str) -> Result<(), StoreError> {
        let request = self.client.delete_item().table_name(&self.table);
        request.key("pk", text(pk)).key("sk", text(sk)).send().await?;
        Ok(())
    }
}

fn webhook_key(id: &str) -> String {
    format!("HOOK#{id}")
}

fn site_webhook_key(site: &SiteId) -> String {
    format!("HOOKS#{site}")
}

fn sender_key(phone_number_id: &str) -> String {
    format!("SENDER#{phone_number_id}")
}

fn first_key(phone_number_id: &str) -> String {
    format!("FIRST#{phone_number_id}")
}

/// Adds an id to a list, once.
fn add(ids: &mut Vec<String>, id: &str) {
    if !ids.iter().any(|one| one == id) {
        ids.push(id.to_owned());
    }
}
