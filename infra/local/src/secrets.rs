//! The secrets of the demo site. They are created once per data folder, so that an API key stays valid across restarts.
//! Each start writes them to the Secrets Manager emulator, which is only in memory.

use std::fs;

use anyhow::{Context, Result};
use aws_sdk_secretsmanager::Client;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    clock,
    data_folder::{DataFolder, SECRETS_FILE},
};

/// The content of `secrets.json`. `Debug` is deliberately not implemented.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Secrets {
    /// The site's key, `pwb_<key id>_<secret>`.
    pub api_key: String,
    /// The token of the WA Smart Business account.
    pub access_token: String,
    /// The unguessable part of the webhook's URL.
    pub webhook_id: String,
    /// The secret that signs webhooks.
    pub webhook_secret: String,
    /// The stack's HMAC secret: 32 bytes in Base64.
    pub hmac: String,
}

impl Secrets {
    /// Reads the folder's secrets, or creates them on the first start.
    ///
    /// # Errors
    /// When the file is invalid or cannot be written.
    pub fn of(folder: &DataFolder) -> Result<Self> {
        let file = folder.path().join(SECRETS_FILE);
        if file.exists() {
            let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            // The parser's own message could quote a secret.
            return serde_json::from_str(&text).ok().with_context(|| {
                format!(
                    "{} is not what the local run wrote; --fresh makes a new one, with empty tables",
                    file.display()
                )
            });
        }
        let secrets = Self::new()?;
        folder.write(SECRETS_FILE, &serde_json::to_string_pretty(&secrets)?)?;
        Ok(secrets)
    }

    /// Creates new secrets.
    ///
    /// # Errors
    /// When the operating system cannot provide random bytes.
    pub fn new() -> Result<Self> {
        let key_id = hex::encode(clock::random::<6>()?);
        Ok(Self {
            api_key: format!("pwb_{key_id}_{}", URL_SAFE_NO_PAD.encode(clock::random::<32>()?)),
            access_token: format!("EAA{}", hex::encode(clock::random::<32>()?)),
            webhook_id: hex::encode(clock::random::<16>()?),
            webhook_secret: hex::encode(clock::random::<16>()?),
            hmac: STANDARD.encode(clock::random::<32>()?),
        })
    }

    /// Writes the secrets that the functions read to Secrets Manager: `<stack>/<site>/provider`,
    /// `<stack>/<site>/inbound` and `<stack>/keys`.
    ///
    /// # Errors
    /// When the emulator refuses.
    pub async fn publish(&self, client: &Client, stack: &str, site: &str, account: &str) -> Result<()> {
        let provider = json!({ "accounts": { account: { "token": self.access_token } } });
        // Anyone who knows the URL of the demo's webhook can verify a subscription. The reports themselves must be
        // signed.
        let inbound = json!({ "app_secret": self.webhook_secret, "verify_token": self.webhook_id });
        let keys = json!({ "hmac": self.hmac });
        let all = [
            (format!("{stack}/{site}/provider"), provider),
            (format!("{stack}/{site}/inbound"), inbound),
            (format!("{stack}/keys"), keys),
        ];
        for (name, value) in all {
            let created = client.create_secret().name(&name).secret_string(value.to_string()).send().await;
            created.with_context(|| format!("the secret {name}"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn secrets_are_made_once_and_kept_private() {
        let parent = tempfile::tempdir().unwrap();
        let folder = DataFolder::lock(parent.path()).unwrap();
        let first = Secrets::of(&folder).unwrap();
        let again = Secrets::of(&folder).unwrap();
        assert_eq!(first.api_key, again.api_key);
        assert_eq!(first.hmac, again.hmac);
        let mode = fs::metadata(parent.path().join(SECRETS_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn the_key_has_an_id_and_32_random_bytes() {
        let [one, other] = [Secrets::new().unwrap(), Secrets::new().unwrap()];
        assert_ne!(one.api_key, other.api_key);
        let parts: Vec<_> = one.api_key.splitn(3, '_').collect();
        assert_eq!((parts[0], parts[1].len()), ("pwb", 12));
        assert_eq!(URL_SAFE_NO_PAD.decode(parts[2]).unwrap().len(), 32);
        assert_eq!(STANDARD.decode(&one.hmac).unwrap().len(), 32);
    }

    #[test]
    fn a_damaged_file_is_named_but_not_quoted() {
        let parent = tempfile::tempdir().unwrap();
        let folder = DataFolder::lock(parent.path()).unwrap();
        fs::write(parent.path().join(SECRETS_FILE), r#"{"api_key":"pwb_hush"}"#).unwrap();
        let refused = format!("{:#}", Secrets::of(&folder).err().unwrap());
        assert!(refused.contains("secrets.json") && !refused.contains("hush"), "{refused}");
    }
}
