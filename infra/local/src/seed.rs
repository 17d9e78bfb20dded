//! The initial configuration of the demo site: key, account, webhook, templates, and a mapping for every event type.
//!
//! Existing items are kept, so a developer's changes survive a restart. Only the account is rewritten, because the
//! simulator's address can change.

use anyhow::{Context, Result};
use domain::mapping::Mapping;
use domain::primitives::id::{AccountId, SiteId};
use domain::primitives::language::Language;
use domain::site::config::{Account, Site};
use domain::site::credential::{AccountToken, PresentedKey, StoredKey};
use domain::template::Template;
use domain::webhook::{Mode, Webhook};
use jiff::Timestamp;
use provider::{Network, Provider};
use secrecy::SecretString;
use serde::Deserialize;
use store::config::ConfigTable;
use store::webhooks::Webhooks;

/// Messages per second: Meta's limit for a number that is not shared with the WhatsApp Business app.
const THROUGHPUT: u16 = 80;

/// The demo site to set up.
#[derive(Clone, Copy)]
pub struct DemoSite<'a> {
    /// The site's id.
    pub site: &'a str,
    /// The account's id.
    pub account: &'a str,
    /// The site's key, `pwb_<key id>_<secret>`.
    pub api_key: &'a str,
    /// The base URL of the simulator's Cloud API, `http://127.0.0.1:8090/v1`.
    pub base_url: &'a str,
    /// The sender on the simulator.
    pub phone_number_id: &'a str,
    /// The business account on the simulator.
    pub waba_id: &'a str,
    /// The simulator's token.
    pub access_token: &'a str,
    /// The id of the site's webhook, to which the simulator reports.
    pub webhook_id: &'a str,
}

/// Sets up the demo site in an existing `Config` table. The simulator must be running, because the templates are read
/// from it.
///
/// # Errors
/// When the table or the simulator refuses.
pub async fn seed(config: &ConfigTable, webhooks: &Webhooks, demo: DemoSite<'_>, now: Timestamp) -> Result<()> {
    let site = SiteId::parse(demo.site).context("the site's id")?;
    let key = PresentedKey::parse(demo.api_key).context("the API key is malformed")?;
    config.put_key(&StoredKey::of(site.clone(), key)).await.context("the key")?;
    let live = config.live(&site).await.context("the configuration")?;
    if live.is_none() {
        let url = Some("https://www.example.com".to_owned());
        config.put_site(&Site { url, ..Site::new(site.clone()) }).await.context("the site")?;
    }
    let account = account(demo)?;
    config.put_account(&site, &account).await.context("the account")?;
    if webhooks.webhook(demo.webhook_id).await.context("the webhook")?.is_none() {
        let (site, mode) = (site.clone(), Mode::Signature);
        let webhook = Webhook { site, mode, phone_number_ids: Vec::new(), waba_ids: Vec::new(), set_at: None };
        webhooks.put(demo.webhook_id, &webhook).await.context("the webhook")?;
    }
    webhooks.add_sender(&site, demo.phone_number_id, demo.waba_id).await.context("the sender")?;
    let token = AccountToken { token: SecretString::from(demo.access_token), host: None };
    let provider = Provider::new(Network::Any)?;
    let synced = sync_templates::sync_even_if_many_go(&provider, config, &site, &account, &token, now).await;
    synced.context("the templates")?;
    let templates = config.templates(&site, &account.id).await.context("the templates")?;
    // A disabled mapping is not in the live configuration. A restart must not restore it.
    let existing = config.mappings(&site).await.context("the mappings")?;
    for mapping in mappings(&templates)? {
        if !existing.iter().any(|known| known.id == mapping.id) {
            config.put_mapping(&site, &mapping).await.with_context(|| format!("the mapping {}", mapping.id))?;
        }
    }
    Ok(())
}

fn account(demo: DemoSite<'_>) -> Result<Account> {
    Ok(Account {
        id: AccountId::parse(demo.account).context("the account's id")?,
        active: true,
        base_url: demo.base_url.to_owned(),
        phone_number_id: demo.phone_number_id.to_owned(),
        phone_number_id_in_path: true,
        waba_id: demo.waba_id.to_owned(),
        token_header: "Authorization".to_owned(),
        token_scheme: "Bearer".to_owned(),
        throughput: THROUGHPUT,
        came_later: false,
    })
}

/// A demo mapping of `mappings.json`: one template name, used for every language of that template. A default may be an
/// object with a text for each language.
#[derive(Deserialize)]
struct DemoMapping {
    id: String,
    name: String,
    event_type: String,
    template: String,
    body: serde_json::Value,
}

/// Builds the demo's mappings. They match any state and any group, are active since 2020, stay useful for a week, and
/// use the templates as the simulator lists them.
fn mappings(templates: &[Template]) -> Result<Vec<Mapping>> {
    let demos: Vec<DemoMapping> = serde_json::from_str(include_str!("mappings.json")).context("mappings.json")?;
    let mapping = |demo: DemoMapping| {
        let listed = templates.iter().filter(|template| template.name == demo.template);
        let uses: serde_json::Map<String, serde_json::Value> = listed
            .map(|template| {
                let one = serde_json::json!({
                    "name": template.name, "language": template.language, "fingerprint": template.fingerprint,
                    "body": body(&demo.body, &template.language),
                });
                (template.language.to_string(), one)
            })
            .collect();
        let document = serde_json::json!({
            "id": demo.id, "name": demo.name, "event_type": demo.event_type, "enabled": true,
            "active_since": "2020-01-01T00:00:00Z", "useful_for": "7d", "on_unknown": "never_resend",
            "templates": uses,
        });
        serde_json::from_value(document).with_context(|| format!("the mapping {}", demo.id))
    };
    demos.into_iter().map(mapping).collect()
}

/// Returns the values of a demo mapping with their defaults in one language.
fn body(values: &serde_json::Value, language: &Language) -> serde_json::Value {
    let mut values = values.clone();
    for value in values.as_object_mut().into_iter().flat_map(serde_json::Map::values_mut) {
        let text = value.pointer(&format!("/default/{}", language.base())).cloned();
        if let (Some(text), Some(default)) = (text, value.get_mut("default")) {
            *default = text;
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::event::{EventType, Notification};

    use super::*;

    #[test]
    fn every_event_type_that_can_notify_has_a_mapping() {
        let mapped: BTreeSet<String> =
            mappings(&[]).unwrap().into_iter().map(|mapping| mapping.event_type.to_string()).collect();
        let notified = EventType::ALL.into_iter().filter(|kind| kind.notification() != Notification::Never);
        assert_eq!(mapped, notified.map(|kind| kind.to_string()).collect());
    }
}
