//! Signatures of Passweb's requests, by the recipe of Standard Webhooks and without the bridge's own code.

use anyhow::{Context, Result};
use aws_smithy_types::base64;
use domain::site::credential::{PresentedKey, StoredKey};
use domain::site::signing::Signing;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{SITE, STACK, World};

/// Returns the headers of a signed request: the same id for every attempt, and the time of this one.
///
/// # Errors
/// If the secret is malformed.
pub fn signed(secret: &str, id: &str, at: Timestamp, body: &[u8]) -> Result<[(&'static str, String); 3]> {
    let key = base64::decode(secret.strip_prefix("whsec_").context("no prefix")?)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key)?;
    mac.update(format!("{id}.{}.", at.as_second()).as_bytes());
    mac.update(body);
    let signature = format!("v1,{}", base64::encode(mac.finalize().into_bytes()));
    Ok([
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", at.as_second().to_string()),
        ("webhook-signature", signature),
    ])
}

impl World {
    /// Sets whether the site's requests are signed, and the secrets that are valid.
    ///
    /// # Errors
    /// If an emulator refuses.
    pub async fn set_signing(&self, signing: Signing, secrets: &[&str]) -> Result<()> {
        let name = format!("{STACK}/{SITE}/inbound");
        let client = self.emulators.secrets();
        let known = client.get_secret_value().secret_id(&name).send().await?;
        let mut document: Value = serde_json::from_str(known.secret_string().unwrap_or_default())?;
        let list: Vec<Value> =
            secrets.iter().map(|secret| json!({"secret": secret, "created_at": "2026-11-22T10:00:00Z"})).collect();
        document.as_object_mut().context("no object")?.insert("signing".to_owned(), list.into());
        client.put_secret_value().secret_id(&name).secret_string(document.to_string()).send().await?;
        let presented = PresentedKey::parse(&self.api_key).context("no key")?;
        let key = self.config.key(&presented.key_id).await?.context("no key")?;
        self.config.put_key(&StoredKey { signing, ..key }).await?;
        Ok(())
    }
}
