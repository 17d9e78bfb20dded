//! Signatures of Passweb's requests, by Standard Webhooks 1.0: HMAC-SHA256 over id, timestamp and raw body.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;

/// How far the time of a signature may be from our clock. An old request cannot be repeated after that.
pub const TOLERANCE: SignedDuration = SignedDuration::from_secs(300);
/// Maximum number of secrets of a site that are valid at a time: an old one and its successor.
pub const SECRETS_MAX: usize = 2;
/// Random bytes of a secret.
pub const SECRET_BYTES: usize = 32;
/// Prefix of a secret.
const PREFIX: &str = "whsec_";
/// The version of a signature: HMAC-SHA256.
const VERSION: &str = "v1";
/// Valid lengths of a secret, in bytes (Standard Webhooks, "Signature scheme").
const SECRET_LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;
/// Maximum length of an id, in bytes.
const ID_BYTES_MAX: usize = 256;
/// Maximum length of a timestamp, in digits.
const TIMESTAMP_DIGITS_MAX: usize = 12;
/// Maximum number of signatures of a request.
const SIGNATURES_MAX: usize = 16;

/// Whether a site's requests are signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signing {
    /// Signatures are ignored.
    #[default]
    Off,
    /// A signature must be valid, and may be absent.
    Optional,
    /// Every request must have a valid signature.
    Required,
}

impl Signing {
    /// Whether signatures are ignored.
    #[must_use]
    pub fn is_off(&self) -> bool {
        *self == Self::Off
    }
}

/// A secret with which the caller signs, as Secrets Manager stores it.
#[derive(Clone, Debug)]
pub struct SigningSecret {
    /// The text, `whsec_…`.
    pub text: SecretString,
    /// When it was created.
    pub created_at: Timestamp,
}

impl SigningSecret {
    /// Creates a secret from random bytes.
    #[must_use]
    pub fn create(random: &[u8; SECRET_BYTES], now: Timestamp) -> Self {
        Self { text: SecretString::from(format!("{PREFIX}{}", STANDARD.encode(random))), created_at: now }
    }

    /// Reads the list of a site's secrets; `None` if it is no list of secrets, or empty.
    #[must_use]
    pub fn list(stored: &Value) -> Option<Vec<Self>> {
        let secret = |item: &Value| {
            let text = SecretString::from(item.get("secret")?.as_str()?);
            key_of(&text)?;
            Some(Self { text, created_at: item.get("created_at")?.as_str()?.parse().ok()? })
        };
        let secrets: Vec<Self> = stored.as_array()?.iter().map(secret).collect::<Option<_>>()?;
        Some(secrets).filter(|secrets| !secrets.is_empty())
    }

    /// Returns the stored form.
    #[must_use]
    pub fn stored(&self) -> Value {
        json!({"secret": self.text.expose_secret(), "created_at": self.created_at.to_string()})
    }
}

/// Returns the key of a secret; `None` if it is malformed.
fn key_of(secret: &SecretString) -> Option<SecretSlice<u8>> {
    let text = secret.expose_secret();
    let key = STANDARD.decode(text.strip_prefix(PREFIX).unwrap_or(text)).ok()?;
    SECRET_LENGTHS.contains(&key.len()).then(|| SecretSlice::from(key))
}

/// The headers of a signed request.
#[derive(Clone, Copy, Debug)]
pub struct Signature<'a> {
    /// `webhook-id`: the same for every repetition.
    pub id: &'a str,
    /// `webhook-timestamp`: when this attempt was signed, in seconds since 1970.
    pub timestamp: &'a str,
    /// `webhook-signature`: signatures with their version, separated by blanks.
    pub signatures: &'a str,
}

/// Why a signature is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A header does not have its format.
    #[error("{0} is malformed")]
    Malformed(&'static str),
    /// The timestamp is too far from our clock.
    #[error("webhook-timestamp is more than 300 seconds from the bridge's clock")]
    Stale,
    /// No signature was made with one of the secrets over this request.
    #[error("no signature in webhook-signature matches the request")]
    Mismatch,
}

impl Signature<'_> {
    /// Checks the signature of a body. Any of the secrets is sufficient. Signatures are compared in constant time.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub fn check(&self, body: &[u8], secrets: &[SigningSecret], now: Timestamp) -> Result<(), SignatureError> {
        if !is_id(self.id) {
            return Err(SignatureError::Malformed("webhook-id"));
        }
        let signed_at = seconds(self.timestamp).ok_or(SignatureError::Malformed("webhook-timestamp"))?;
        let presented: Vec<&str> = self.signatures.split(' ').filter(|text| !text.is_empty()).collect();
        if presented.is_empty() || presented.len() > SIGNATURES_MAX {
            return Err(SignatureError::Malformed("webhook-signature"));
        }
        if now.duration_since(signed_at).abs() > TOLERANCE {
            return Err(SignatureError::Stale);
        }
        // One pass over the body for each secret, however many signatures there are.
        let macs: Vec<Hmac<Sha256>> = secrets.iter().filter_map(|secret| self.mac(body, secret)).collect();
        let is_by_one = |signature: Vec<u8>| macs.iter().any(|mac| mac.clone().verify_slice(&signature).is_ok());
        let is_valid = presented.into_iter().filter_map(bytes_of).any(is_by_one);
        if is_valid { Ok(()) } else { Err(SignatureError::Mismatch) }
    }

    fn mac(&self, body: &[u8], secret: &SigningSecret) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(key_of(&secret.text)?.expose_secret()).ok()?;
        for part in [self.id.as_bytes(), b".", self.timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        Some(mac)
    }
}

/// Whether a text can be the id of a signed request. A brace or a quotation mark is refused: otherwise the beginning of
/// a signed body could be moved into the id without a change of the signed bytes.
fn is_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'{' | b'}');
    (1..=ID_BYTES_MAX).contains(&text.len()) && text.bytes().all(allowed)
}

/// Reads a timestamp of digits only, so that the signed text has a single form.
fn seconds(text: &str) -> Option<Timestamp> {
    let is_number = (1..=TIMESTAMP_DIGITS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    Timestamp::from_second(text.parse().ok().filter(|_| is_number)?).ok()
}

/// Returns the bytes of a signature; `None` for another version or another encoding.
fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let (version, signature) = text.split_once(',')?;
    if version == VERSION { STANDARD.decode(signature).ok() } else { None }
}

#[cfg(test)]
mod tests;
