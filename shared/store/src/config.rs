//! The `Config` table: the shop's configuration.
//!
//! | pk | sk | content |
//! |---|---|---|
//! | `LIVE#site` | `SITE` | the site |
//! | `LIVE#site` | `ACCOUNT#id` | an account |
//! | `LIVE#site` | `MAPPING#id` | an enabled mapping, with `needs_review` and `volume_spike` |
//! | `LIVE#site` | `TEMPLATE#account#name#language` | a template that an enabled mapping uses |
//! | `LIVE#site` | `HOLD#account#name#language` | a template that Meta refused to send, with the end of the hold |
//! | `MAPPINGS#site` | `MAPPING#id` | a disabled mapping, with `needs_review` |
//! | `HISTORY#site#mapping` | version, ten digits | a saved version of a mapping |
//! | `TEMPLATES#site` | `account#name#language` | a template of an account, used or not |
//! | `SITES` | site | nothing: the key lists the site |
//! | `RESYNC` | `site#account` | `asked_at`: when a sync of the account's templates was requested |
//! | `SYNCED` | `site#account` | `at`: when the templates of the account were last read, or first tried |
//! | `KEY#key id` | `KEY` | an API key: its hash and site |
//! | `USAGE#key id` | `USAGE` | `minute`, `events`: the events of the key in that minute |
//! | `KEYS#site` | key id | nothing: the key lists the API key |
//! | `HOOK#…`, `HOOKS#…`, `SENDER#…`, `SEEN#…`, `FIRST#…` | | webhooks and sender numbers (see the module `webhooks`) |
//!
//! The attribute `json` contains the value. Exceptions are `asked_at`, `at`, the usage of a key, and two attributes of a mapping: `needs_review`
//! (the templates that changed) and `volume_spike` (the volume spike that paused it).

mod accounts;
mod mappings;
mod resync;
mod synced;
mod templates;
mod usage;

use aws_sdk_dynamodb::Client;
use domain::mapping::Mapping;
use domain::primitives::cause::chain;
use domain::primitives::id::{AccountId, SiteId};
use domain::site::config::{Account, LiveConfig, Site, TemplateHold};
use domain::site::credential::StoredKey;
use domain::template::Template;
use serde::Serialize;

use crate::error::StoreError;
use crate::item::{Item, Reading, json, text};

pub use mappings::Kept;
pub use resync::Asked;
pub use templates::TemplateKey;

const SITES: &str = "SITES";
const SITE: &str = "SITE";
const ACCOUNT: &str = "ACCOUNT#";
const MAPPING: &str = "MAPPING#";
const TEMPLATE: &str = "TEMPLATE#";
const HOLD: &str = "HOLD#";
const KEY: &str = "KEY";

/// The `Config` table.
#[derive(Clone, Debug)]
pub struct ConfigTable {
    client: Client,
    table: String,
}

impl ConfigTable {
    /// Creates a client for the table `table`.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Returns the configuration of a site that decisions need, in one query; `None` if the site does not exist.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn live(&self, site: &SiteId) -> Result<Option<LiveConfig>, StoreError> {
        live_of(&self.query(&live_key(site)).await?)
    }

    /// Holds a template that Meta refused to send. A later refusal replaces the hold.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn hold_template(&self, site: &SiteId, hold: &TemplateHold) -> Result<(), StoreError> {
        let sk = format!("{HOLD}{}#{}#{}", hold.account, hold.name, hold.language);
        self.put(live_key(site), sk, hold).await
    }

    /// Returns an API key by its id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn key(&self, key_id: &str) -> Result<Option<StoredKey>, StoreError> {
        self.read_key(key_id, false).await
    }

    async fn read_key(&self, key_id: &str, consistent: bool) -> Result<Option<StoredKey>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).consistent_read(consistent);
        let request = request.key("pk", text(format!("KEY#{key_id}"))).key("sk", text(KEY));
        let answer = request.send().await?;
        answer.item.as_ref().map(|item| value(&Reading::of(item))).transpose()
    }

    /// Returns the API keys of a site by id, including revoked ones. The keys are read consistently, because a
    /// command that changes one writes it back as a whole.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keys(&self, site: &SiteId) -> Result<Vec<StoredKey>, StoreError> {
        let mut keys = Vec::new();
        for item in self.query(&keys_key(site)).await? {
            keys.extend(self.read_key(Reading::of(&item).required("sk")?, true).await?);
        }
        Ok(keys)
    }

    /// Writes an API key. It is listed before it becomes valid, so that every valid key is listed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_key(&self, key: &StoredKey) -> Result<(), StoreError> {
        self.put(keys_key(&key.site), key.key_id.clone(), &()).await?;
        self.put(format!("KEY#{}", key.key_id), KEY.to_owned(), key).await
    }

    /// Returns the ids of all sites.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sites(&self) -> Result<Vec<SiteId>, StoreError> {
        let mut sites = Vec::new();
        for item in self.query(SITES).await? {
            let reading = Reading::of(&item);
            let id = SiteId::parse(reading.required("sk")?);
            sites.push(id.map_err(|error| reading.fault("sk", error))?);
        }
        Ok(sites)
    }

    /// Lists a site before any of its items is written, so that every site is listed.
    async fn list_site(&self, site: &SiteId) -> Result<(), StoreError> {
        self.put(SITES.to_owned(), site.to_string(), &()).await
    }

    /// Writes a site.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_site(&self, site: &Site) -> Result<(), StoreError> {
        self.list_site(&site.id).await?;
        self.put(live_key(&site.id), SITE.to_owned(), site).await
    }

    /// Returns every template of an account, as of the last sync.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn templates(&self, site: &SiteId, account: &AccountId) -> Result<Vec<Template>, StoreError> {
        let mut templates = Vec::new();
        for item in self.query(&templates_key(site)).await? {
            let reading = Reading::of(&item);
            match owned_template(&reading, Some(reading.required("sk")?))? {
                Some((owner, template)) if owner == *account => templates.push(template),
                _ => {}
            }
        }
        Ok(templates)
    }

    /// Replaces the templates of an account by the provider's list, both in the full list and in the live partition. A
    /// template that is no longer listed is deleted, so that no message uses it.
    ///
    /// # Errors
    /// [`StoreError`]; the items written so far stay, and the next call completes the replacement.
    pub async fn put_templates(
        &self,
        site: &SiteId,
        account: &AccountId,
        templates: &[Template],
    ) -> Result<(), StoreError> {
        let Some(live) = self.live(site).await? else { return Ok(()) };
        let used = |template: &Template| live.mappings.iter().any(|mapping| uses(mapping, template));
        for template in templates {
            let key = template_key(account, template);
            self.put(templates_key(site), key.clone(), template).await?;
            if used(template) {
                self.put(live_key(site), format!("{TEMPLATE}{key}"), template).await?;
            }
        }
        let listed = |template: &Template| {
            templates.iter().any(|one| one.name == template.name && one.language == template.language)
        };
        for gone in self.templates(site, account).await?.iter().filter(|template| !listed(template)) {
            let key = template_key(account, gone);
            self.delete(live_key(site), format!("{TEMPLATE}{key}")).await?;
            self.delete(templates_key(site), key).await?;
        }
        Ok(())
    }

    async fn query(&self, partition: &str) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        let request = self.client.query().table_name(&self.table).key_condition_expression("pk = :pk");
        let request = request.expression_attribute_values(":pk", text(partition)).consistent_read(true);
        let mut pages = request.into_paginator().send();
        while let Some(page) = pages.next().await {
            items.extend(page?.items.unwrap_or_default());
        }
        Ok(items)
    }

    async fn put(&self, pk: String, sk: String, value: &impl Serialize) -> Result<(), StoreError> {
        let request = self.client.put_item().table_name(&self.table);
        request.item("pk", text(pk)).item("sk", text(sk)).item("json", json(value)?).send().await?;
        Ok(())
    }

    async fn delete(&self, pk: String, sk: String) -> Result<(), StoreError> {
        let request = self.client.delete_item().table_name(&self.table);
        request.key("pk", text(pk)).key("sk", text(sk)).send().await?;
        Ok(())
    }
}

fn live_key(site: &SiteId) -> String {
    format!("LIVE#{site}")
}

/// Reads the items of a site's live partition; `None` if the site does not exist.
fn live_of(items: &[Item]) -> Result<Option<LiveConfig>, StoreError> {
    let mut found: Option<Site> = None;
    let mut live = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for item in items {
        let reading = Reading::of(item);
        match reading.required("sk")? {
            SITE => found = Some(value(&reading)?),
            sk if sk.starts_with(ACCOUNT) => live.0.extend(readable(value::<Account>(&reading))),
            sk if sk.starts_with(MAPPING) => live.1.extend(readable(mappings::read(&reading))),
            sk if sk.starts_with(HOLD) => live.3.extend(readable(value::<TemplateHold>(&reading))),
            sk => live.2.extend(readable(owned_template(&reading, sk.strip_prefix(TEMPLATE))).flatten()),
        }
    }
    let (accounts, mappings, templates, holds) = live;
    Ok(found.map(|site| LiveConfig { site, accounts, mappings, templates, holds }))
}

fn keys_key(site: &SiteId) -> String {
    format!("KEYS#{site}")
}

fn templates_key(site: &SiteId) -> String {
    format!("TEMPLATES#{site}")
}

fn template_key(account: &AccountId, template: &Template) -> String {
    format!("{account}#{}#{}", template.name, template.language)
}

/// Whether a mapping uses a template of any account.
fn uses(mapping: &Mapping, template: &Template) -> bool {
    mapping.templates.values().any(|one| one.name == template.name && one.language == template.language)
}

fn value<T: serde::de::DeserializeOwned>(reading: &Reading<'_>) -> Result<T, StoreError> {
    let value = reading.json("json")?;
    value.ok_or_else(|| reading.fault("json", "is missing"))
}

/// Returns a value, or logs the error. One account, mapping or template that cannot be read must not stop the others,
/// and no message uses it.
fn readable<T>(value: Result<T, StoreError>) -> Option<T> {
    value.inspect_err(|error| tracing::error!(error = chain(error), "a part of the configuration was left out")).ok()
}

/// A template with its account, which the key contains; `None` for items of a later version.
fn owned_template(reading: &Reading<'_>, key: Option<&str>) -> Result<Option<(AccountId, Template)>, StoreError> {
    let account = key.and_then(|key| key.split_once('#')).and_then(|(account, _)| AccountId::parse(account).ok());
    account.map(|account| Ok((account, value(reading)?))).transpose()
}
