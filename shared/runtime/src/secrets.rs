//! Secrets Manager: secrets by name, cached and never printed.

use std::collections::HashMap;
use std::sync::Mutex;

use aws_sdk_secretsmanager::Client;
use domain::primitives::cause::chain;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::Value;

/// Lifetime of a cached secret. A replaced token is used at most this long.
const KEPT_FOR: SignedDuration = SignedDuration::from_secs(60);

/// The secrets of a stack.
#[derive(Debug)]
pub struct Secrets {
    client: Client,
    stack: String,
    kept: Mutex<HashMap<String, (Timestamp, SecretString)>>,
}

/// Why a secret could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Secrets Manager did not return it.
    #[error("the secret {name} could not be read: {cause}")]
    Unavailable {
        /// The secret's name.
        name: String,
        /// The cause.
        cause: String,
    },
    /// The requested field is missing. The secret's content is not included.
    #[error("the secret {name} has no text at {pointer}")]
    Malformed {
        /// The secret's name.
        name: String,
        /// JSON pointer of the field.
        pointer: String,
    },
}

impl Secrets {
    /// Creates access to the secrets whose names begin with `<stack>/`.
    #[must_use]
    pub fn new(client: Client, stack: String) -> Self {
        Self { client, stack, kept: Mutex::default() }
    }

    /// Returns the text at `pointer` in the JSON secret `<stack>/<name>`.
    ///
    /// # Errors
    /// [`SecretError`].
    pub async fn text(&self, name: &str, pointer: &str, now: Timestamp) -> Result<SecretString, SecretError> {
        let name = format!("{}/{name}", self.stack);
        let key = format!("{name}{pointer}");
        if let Some(secret) = self.kept(&key, now) {
            return Ok(secret);
        }
        let unavailable = |cause: String| SecretError::Unavailable { name: name.clone(), cause };
        let answer = self.client.get_secret_value().secret_id(&name).send().await;
        let answer = answer.map_err(|error| unavailable(chain(&error)))?;
        let document: Option<Value> = answer.secret_string().and_then(|text| serde_json::from_str(text).ok());
        let field = document.as_ref().and_then(|document| document.pointer(pointer)).and_then(Value::as_str);
        let malformed = || SecretError::Malformed { name: name.clone(), pointer: pointer.to_owned() };
        let secret = SecretString::from(field.ok_or_else(malformed)?);
        self.keep(key, now, &secret);
        Ok(secret)
    }

    fn kept(&self, key: &str, now: Timestamp) -> Option<SecretString> {
        let kept = self.kept.lock().ok()?;
        let (since, secret) = kept.get(key)?;
        (now.duration_since(*since) < KEPT_FOR).then(|| secret.clone())
    }

    fn keep(&self, key: String, now: Timestamp, secret: &SecretString) {
        if let Ok(mut kept) = self.kept.lock() {
            kept.insert(key, (now, secret.clone()));
        }
    }
}
