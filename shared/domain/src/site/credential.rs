//! The key that authenticates a site, `pwb_<key id>_<secret>`, and the id of its webhook.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::primitives::id::SiteId;
use crate::site::signing::Signing;

/// Prefix of every key, so that a leaked key is recognizable.
pub const KEY_PREFIX: &str = "pwb_";
/// Random bytes in a key's secret.
pub const SECRET_BYTES: usize = 32;
/// How long an execution may still use a secret that was replaced.
pub const SECRET_KEPT_FOR: SignedDuration = SignedDuration::from_secs(60);
/// Maximum length of a key id and of a secret, in bytes.
const PART_BYTES_MAX: usize = 64;

/// The token of an account at the provider.
#[derive(Clone, Debug)]
pub struct AccountToken {
    /// The token.
    pub token: SecretString,
    /// The only host that may get it, with its port unless that is the default one. The host is stored with the token,
    /// so that a change of the account's base URL alone cannot redirect the token.
    ///
    /// `None` if the secret was stored by a version that knew no host. Any host may then get the token.
    pub host: Option<String>,
}

/// A key as presented in a request. It contains only the secret's hash, so it can be compared and logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentedKey {
    /// The id of the key that the request claims.
    pub key_id: String,
    secret_sha256: String,
}

impl PresentedKey {
    /// Parses a whole key; `None` if it is not a valid key.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (key_id, secret) = text.strip_prefix(KEY_PREFIX)?.split_once('_')?;
        Self::from_parts(key_id, secret)
    }

    /// Builds a key from its id and secret, as sent with HTTP Basic; `None` if they cannot belong to a key.
    #[must_use]
    pub fn from_parts(key_id: &str, secret: &str) -> Option<Self> {
        let fits = |part: &str| (1..=PART_BYTES_MAX).contains(&part.len());
        let is_id = key_id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_secret = secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        if !fits(key_id) || !fits(secret) || !is_id || !is_secret {
            return None;
        }
        Some(Self { key_id: key_id.to_owned(), secret_sha256: hex::encode(Sha256::digest(secret)) })
    }
}

/// A key as stored: enough to recognize the key, not enough to use it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredKey {
    /// The key's id.
    pub key_id: String,
    /// The site that the key authenticates.
    pub site: SiteId,
    /// SHA-256 of the secret's text, in hexadecimal.
    pub secret_sha256: String,
    /// Whether the key is revoked.
    #[serde(default)]
    pub revoked: bool,
    /// Whether requests with the key are signed. It is the same for all keys of the site.
    #[serde(default, skip_serializing_if = "Signing::is_off")]
    pub signing: Signing,
}

impl StoredKey {
    /// Creates a key from random bytes. Returns the stored form, and the text for the site, which is shown once.
    #[must_use]
    pub fn create(site: SiteId, key_id: &str, secret: &[u8; SECRET_BYTES]) -> (Self, String) {
        let secret = URL_SAFE_NO_PAD.encode(secret);
        let text = format!("{KEY_PREFIX}{key_id}_{secret}");
        let secret_sha256 = hex::encode(Sha256::digest(&secret));
        let key_id = key_id.to_owned();
        (Self { key_id, site, secret_sha256, revoked: false, signing: Signing::Off }, text)
    }

    /// Returns the stored form of a key that was created elsewhere.
    #[must_use]
    pub fn of(site: SiteId, key: PresentedKey) -> Self {
        let PresentedKey { key_id, secret_sha256 } = key;
        Self { key_id, site, secret_sha256, revoked: false, signing: Signing::Off }
    }

    /// Whether the presented key matches this one and this one is not revoked. Secrets are compared in constant time.
    #[must_use]
    pub fn admits(&self, presented: &PresentedKey) -> bool {
        let same_secret = self.secret_sha256.as_bytes().ct_eq(presented.secret_sha256.as_bytes());
        !self.revoked && self.key_id == presented.key_id && bool::from(same_secret)
    }
}

/// Creates the id of a site's webhook from random bytes: the secret part of its address.
#[must_use]
pub fn webhook_id(random: &[u8; SECRET_BYTES]) -> String {
    URL_SAFE_NO_PAD.encode(random)
}

/// Whether a text can be a webhook's id. Nothing else is looked up.
#[must_use]
pub fn is_webhook_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=PART_BYTES_MAX).contains(&text.len()) && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> (StoredKey, String) {
        StoredKey::create(SiteId::parse("demo").unwrap(), "k1", &[0xfb; SECRET_BYTES])
    }

    #[test]
    fn a_key_admits_itself_only() {
        let (stored, text) = key();
        assert!(text.contains("-_"), "the secret's own underscores must not confuse the parser: {text}");
        assert!(stored.admits(&PresentedKey::parse(&text).unwrap()));
        assert_eq!(StoredKey::of(stored.site.clone(), PresentedKey::parse(&text).unwrap()), stored);
        let mut tampered = text.clone();
        tampered.replace_range(text.len() - 1.., "A");
        assert!(!stored.admits(&PresentedKey::parse(&tampered).unwrap()));
        let secret = text.strip_prefix("pwb_k1_").unwrap();
        assert!(stored.admits(&PresentedKey::from_parts("k1", secret).unwrap()));
        assert!(!stored.admits(&PresentedKey::from_parts("k2", secret).unwrap()));
        assert!(!StoredKey { revoked: true, ..stored }.admits(&PresentedKey::parse(&text).unwrap()));
    }

    #[test]
    fn the_signing_of_a_key_is_stored_only_if_it_is_on() {
        let (stored, _) = key();
        let text = serde_json::to_string(&stored).unwrap();
        assert!(!text.contains("signing"), "{text}");
        assert_eq!(serde_json::from_str::<StoredKey>(&text).unwrap(), stored);
        let signed = StoredKey { signing: Signing::Required, ..stored };
        let text = serde_json::to_string(&signed).unwrap();
        assert!(text.contains(r#""signing":"required""#), "{text}");
        assert_eq!(serde_json::from_str::<StoredKey>(&text).unwrap(), signed);
    }

    #[test]
    fn malformed_keys_are_refused() {
        for text in ["", "pwb_", "pwb_k1", "pwb_k1_", "pwb__x", "k1_x", "pwb_k 1_x", "pwb_k1_é"] {
            assert_eq!(PresentedKey::parse(text), None, "{text}");
        }
        assert_eq!(PresentedKey::parse(&format!("pwb_k1_{}", "x".repeat(65))), None);
    }

    #[test]
    fn a_webhook_id_is_safe_in_a_url() {
        let id = webhook_id(&[0xfb; SECRET_BYTES]);
        assert_eq!(id.len(), 43);
        assert!(is_webhook_id(&id) && is_webhook_id("0123456789abcdef"), "{id}");
        for text in ["", "a/b", "a b", "..", "%20", "é", &"x".repeat(65)] {
            assert!(!is_webhook_id(text), "{text}");
        }
    }

    #[test]
    fn debug_output_of_either_key_form_hides_the_secret() {
        let (stored, text) = key();
        let secret = text.strip_prefix("pwb_k1_").unwrap();
        let presented = PresentedKey::parse(&text).unwrap();
        assert!(!format!("{stored:?}{presented:?}").contains(secret));
    }
}
