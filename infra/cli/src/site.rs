//! `bridge site`.

use domain::primitives::id::{AccountId, SiteId};
use domain::site::config::Site;
use domain::site::credential::StoredKey;
use domain::site::signing::Signing;
use domain::webhook::Mode;
use serde_json::{Map, Value, json};

use crate::account;
use crate::args;
use crate::document::read_secret;
use crate::failure::Failure;
use crate::output::{Output, wrapped};
use crate::random::random;
use crate::settings::{self, SITE};
use crate::signing;
use crate::stack::{Stack, site_id};
use crate::webhook::{self, Change};

/// Maximum number of keys of a site that are valid at a time: an old one and its successor.
const LIVE_KEYS_MAX: usize = 2;
/// Random bytes of a key's id.
const KEY_ID_BYTES: usize = 6;

pub(crate) async fn run(command: args::Site, stack: &Stack, output: Output) -> Result<(), Failure> {
    match command {
        args::Site::Add { id, settings } => add(&site_id(&id)?, &settings, stack, output).await,
        args::Site::Show => show(stack, output).await,
        args::Site::Set { settings } => set(&settings, stack, output).await,
        args::Site::RotateKey { revoke } => rotate_key(&revoke, stack, output).await,
        args::Site::SetSigning { mode, revoke_old } => {
            let change = match mode {
                Some(mode) => signing::Change::Mode(match mode {
                    args::SigningMode::Off => Signing::Off,
                    args::SigningMode::Optional => Signing::Optional,
                    args::SigningMode::Required => Signing::Required,
                }),
                None if revoke_old => signing::Change::RevokeOld,
                None => signing::Change::NewSecret,
            };
            signing::set(change, stack, output).await
        }
        args::Site::SetWebhook { app_secret_file, token_header, token_file } => {
            let change = match (app_secret_file, token_header, token_file) {
                (Some(file), ..) => Change { mode: Mode::Signature, secret: read_secret(&file)? },
                (None, Some(name), Some(file)) => {
                    Change { mode: Mode::Token { header: webhook::header(&name)? }, secret: read_secret(&file)? }
                }
                _ => {
                    return Err(Failure::usage(|texts| texts.webhook_options()));
                }
            };
            set_webhook(change, stack, output).await
        }
    }
}

async fn add(id: &SiteId, pairs: &[String], stack: &Stack, output: Output) -> Result<(), Failure> {
    if stack.config.live(id).await?.is_some() {
        return Err(Failure::no(|texts| texts.site_exists(id.to_string())));
    }
    let site = with(&Site::new(id.clone()), pairs)?;
    if let Some(account) = &site.default_account {
        return Err(unknown_account(account));
    }
    // Store the key first. A key without its site opens nothing. A site without a key accepts no events and blocks
    // another `add`.
    let key = make_key(id, Signing::default(), stack).await?;
    stack.config.put_site(&site).await?;
    let webhook = webhook::ensure(id, stack).await?;
    let mut document = webhook.document(id);
    if let Some(fields) = document.as_object_mut() {
        fields.insert("api_key".to_owned(), json!(key));
    }
    output.say(&document, |texts| {
        let head = texts.site_added(id.to_string(), key);
        format!("{head}\n{}", webhook.words(texts))
    });
    Ok(())
}

async fn set_webhook(change: Change, stack: &Stack, output: Output) -> Result<(), Failure> {
    let site = stack.live().await?.site.id;
    let webhook = webhook::set(&site, change, stack).await?;
    output.say(&webhook.document(&site), |texts| webhook.words(texts));
    Ok(())
}

async fn show(stack: &Stack, output: Output) -> Result<(), Failure> {
    let live = stack.live().await?;
    let keys = stack.config.keys(&live.site.id).await?;
    let signing = signing::mode_of(&keys);
    let keys: Vec<Value> = keys.iter().map(|key| json!({"key_id": key.key_id, "revoked": key.revoked})).collect();
    let accounts: Vec<&str> = live.accounts.iter().map(|account| account.id.as_str()).collect();
    let mappings = stack.config.mappings(&live.site.id).await?;
    let mappings: Vec<&str> = mappings.iter().map(|mapping| mapping.id.as_str()).collect();
    let default_account = live.default_account().cloned();
    let site = Site { default_account, ..live.site.clone() };
    let site = serde_json::to_value(&site).unwrap_or_default();
    let endpoint =
        webhook::known(&live.site.id, stack).await?.map(|(id, endpoint)| (stack.webhook_url(&id), endpoint.mode));
    let webhook = endpoint.as_ref().map(|(url, mode)| json!({"url": url, "mode": mode}));
    let document = json!({"site": site, "keys": keys, "signing": signing, "accounts": accounts, "mappings": mappings,
        "webhook": webhook});
    output.say(&document, |texts| {
        let list = |title: &str, ids: &[&str]| wrapped(&format!("{title}: {}", ids.join(", ")), 0);
        let keys: Vec<String> = keys
            .iter()
            .map(|key| {
                let revoked = key["revoked"] == true;
                let id = key["key_id"].as_str().unwrap_or_default();
                if revoked { format!("{id} ({})", texts.key_revoked()) } else { id.to_owned() }
            })
            .collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        texts.site(live.site.id.as_str())
            + "\n"
            + &settings::shown(&site, SITE, texts)
            + &list(&texts.keys(), &keys)
            + &signing::mode_words(signing, texts)
            + &list("Account", &accounts)
            + &list(&texts.mappings(), &mappings)
            + &endpoint
                .map(|(url, mode)| format!("Webhook: {url}\n{}", webhook::mode_words(&mode, texts)))
                .unwrap_or_default()
    });
    Ok(())
}

async fn set(pairs: &[String], stack: &Stack, output: Output) -> Result<(), Failure> {
    let live = stack.live().await?;
    let old = Site { default_account: live.default_account().cloned(), ..live.site.clone() };
    let site = with(&old, pairs)?;
    let silent = match &site.default_account {
        None => None,
        // An unchanged default account may be gone; that must not block other changes.
        Some(id) => match live.account_or_default(Some(id)) {
            None if old.default_account != site.default_account => return Err(unknown_account(id)),
            account => account.filter(|account| !account.active),
        },
    };
    stack.config.put_site(&site).await?;
    output.say(&json!({"site": site}), |texts| {
        let silent = silent.map(|account| account::inactive_default_words(account, texts)).unwrap_or_default();
        format!("{}\n{silent}", texts.done())
    });
    Ok(())
}

fn unknown_account(id: &AccountId) -> Failure {
    Failure::no(|texts| texts.no_account(id.to_string()))
}

async fn rotate_key(revoke: &[String], stack: &Stack, output: Output) -> Result<(), Failure> {
    let site = &stack.live().await?.site.id;
    let mut keys = stack.config.keys(site).await?;
    if let Some(unknown) = revoke.iter().find(|id| !keys.iter().any(|key| key.key_id == **id)) {
        return Err(Failure::usage(|texts| texts.no_key(unknown)));
    }
    for key in keys.iter_mut().filter(|key| revoke.contains(&key.key_id)) {
        key.revoked = true;
        stack.config.put_key(key).await?;
    }
    let live: Vec<&str> = keys.iter().filter(|key| !key.revoked).map(|key| key.key_id.as_str()).collect();
    if live.len() >= LIVE_KEYS_MAX {
        let live = live.join(", ");
        return Err(Failure::no(|texts| texts.two_keys(live.as_str())));
    }
    let key = make_key(site, signing::mode_of(&keys), stack).await?;
    output
        .say(&json!({"site": site, "api_key": key, "revoked": revoke}), |texts| texts.key_added(site.to_string(), key));
    Ok(())
}

/// Creates a key, stores its verifier and returns its text. A new key must not admit what the others refuse, so it has
/// their mode of signing.
async fn make_key(site: &SiteId, signing: Signing, stack: &Stack) -> Result<String, Failure> {
    let id = hex::encode(random::<KEY_ID_BYTES>()?);
    let (stored, text) = StoredKey::create(site.clone(), &id, &random()?);
    stack.config.put_key(&StoredKey { signing, ..stored }).await?;
    Ok(text)
}

/// Returns a copy of a site with some settings changed.
fn with(site: &Site, pairs: &[String]) -> Result<Site, Failure> {
    let malformed = |error: serde_json::Error| Failure::internal(&error);
    let mut fields: Map<String, Value> =
        serde_json::to_value(site).and_then(serde_json::from_value).map_err(malformed)?;
    settings::assign(&mut fields, SITE, pairs)?;
    serde_json::from_value(Value::Object(fields)).map_err(malformed)
}
