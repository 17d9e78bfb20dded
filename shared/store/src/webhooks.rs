//! Webhooks, their sites, and the sites that share a sender number. Part of the `Config` table.
//!
//! | pk | sk | json |
//! |---|---|---|
//! | `HOOK#webhook id` | `HOOK` | the webhook's site, mode, numbers and accounts |
//! | `HOOKS#site` | `HOOK` | the id of the site's webhook |
//! | `SENDER#phone number id` | site | the WhatsApp Business Account of the number at this site, or null |
//! | `SEEN#webhook id` | `HOOK` | `at`: an authenticated request that brought a platform event; written at most once an hour |
//! | `FIRST#phone number id` | `HOOK` | the first site that used the number; null once it removed its webhook |

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use domain::primitives::id::SiteId;
use domain::webhook::Webhook;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::StoreError;
use crate::item::{Reading, json, text, time};

const WEBHOOK: &str = "HOOK";

/// The webhooks of all sites.
#[derive(Clone, Debug)]
pub struct Webhooks {
    client: Client,
    table: String,
}

impl Webhooks {
    /// Creates a client for the webhooks in the `Config` table `table`.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Returns a webhook by its id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn webhook(&self, id: &str) -> Result<Option<Webhook>, StoreError> {
        self.get(webhook_key(id)).await
    }

    /// Records that a webhook works, unless a request since `since` is recorded.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn note_request(&self, id: &str, since: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        let request = self.client.update_item().table_name(&self.table);
        let request = request.key("pk", text(seen_key(id))).key("sk", text(WEBHOOK));
        let request = request
            .update_expression("SET #at = :now")
            .condition_expression("attribute_not_exists(#at) OR #at < :since")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":now", time(now))
            .expression_attribute_values(":since", time(since));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(error.into()),
            },
        }
    }

    /// Returns when a webhook was last seen to work.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn last_request(&self, id: &str) -> Result<Option<Timestamp>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).consistent_read(true);
        let answer = request.key("pk", text(seen_key(id))).key("sk", text(WEBHOOK)).send().await?;
        answer.item.map_or(Ok(None), |item| Reading::of(&item).time("at"))
    }

    /// Returns the id of a site's webhook.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn webhook_id_of(&self, site: &SiteId) -> Result<Option<String>, StoreError> {
        self.get(site_webhook_key(site)).await
    }

    /// Writes a site's webhook and assigns its numbers to the site. A site has one webhook: a previous one with another
    /// id is deleted.
    ///
    /// # Errors
    /// [`StoreError`]; the items written so far stay, and the next call completes the change.
    pub async fn put(&self, id: &str, webhook: &Webhook) -> Result<(), StoreError> {
        for phone_number_id in &webhook.phone_number_ids {
            // A number that the site already has keeps its account. A new one is written without an account.
            if !self.sites_of(phone_number_id).await?.contains(&webhook.site) {
                self.note_first(&webhook.site, phone_number_id).await?;
                self.put_item(sender_key(phone_number_id), webhook.site.as_str(), &None::<&str>).await?;
            }
        }
        if let Some(former) = self.webhook_id_of(&webhook.site).await?.filter(|former| former != id) {
            self.delete_item(webhook_key(&former), WEBHOOK).await?;
            self.delete_item(seen_key(&former), WEBHOOK).await?;
        }
        // The webhook is listed before it becomes valid, so that every valid webhook is listed.
        self.put_item(site_webhook_key(&webhook.site), WEBHOOK, &id).await?;
        self.put_item(webhook_key(id), WEBHOOK, webhook).await
    }

    /// Assigns a number and its account to the site, so that the site's webhook accepts their platform events.
    /// Repeating the call changes nothing. Returns whether another site used the number first.
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

    /// Returns whether the site is not the first one that used a number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn came_later(&self, site: &SiteId, phone_number_id: &str) -> Result<bool, StoreError> {
        let first: Option<Option<SiteId>> = self.get(first_key(phone_number_id)).await?;
        Ok(first.is_some_and(|first| first.as_ref() != Some(site)))
    }

    /// Records the first site that uses a number, if none is recorded. If several sites already used the number, any of
    /// them may be recorded.
    async fn note_first(&self, site: &SiteId, phone_number_id: &str) -> Result<(), StoreError> {
        if self.get::<Option<SiteId>>(first_key(phone_number_id)).await?.is_some() {
            return Ok(());
        }
        let sites = self.sites_of(phone_number_id).await?;
        let other = sites.first().filter(|_| !sites.contains(site));
        self.put_item(first_key(phone_number_id), WEBHOOK, other.unwrap_or(site)).await
    }

    /// Returns the sites that send from a number. A STOP to one of them applies to all.
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

    /// Removes a site's webhook and its numbers.
    ///
    /// # Errors
    /// [`StoreError`]; the items removed so far stay removed, and the next call completes the removal.
    pub async fn remove(&self, site: &SiteId) -> Result<(), StoreError> {
        let Some(id) = self.webhook_id_of(site).await? else { return Ok(()) };
        for phone_number_id in self.webhook(&id).await?.map(|webhook| webhook.phone_number_ids).unwrap_or_default() {
            if !self.came_later(site, &phone_number_id).await? {
                // If the site returns, it has missed the opt-outs in between and must not count as the first one.
                self.put_item(first_key(&phone_number_id), WEBHOOK, &None::<SiteId>).await?;
            }
            self.delete_item(sender_key(&phone_number_id), site.as_str()).await?;
        }
        self.delete_item(webhook_key(&id), WEBHOOK).await?;
        self.delete_item(seen_key(&id), WEBHOOK).await?;
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

fn seen_key(id: &str) -> String {
    format!("SEEN#{id}")
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

/// Adds an id to a list, unless the list contains it.
fn add(ids: &mut Vec<String>, id: &str) {
    if !ids.iter().any(|one| one == id) {
        ids.push(id.to_owned());
    }
}
