//! Secrets Manager: secrets by name, cached and never printed.

use aws_sdk_secretsmanager::Client;
use domain::primitives::cause::Cause;
use domain::primitives::id::{AccountId, SiteId};
use domain::primitives::key::{ContactSecret, WeakSecret};
use domain::site::credential::{AccountToken, SECRET_KEPT_FOR};
use domain::site::signing::SigningSecret;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::cache::{Cache, Loaded};

/// The secrets of a stack.
#[derive(Debug)]
pub struct Secrets {
    client: Client,
    stack: String,
    cache: Cache<String, SecretString, SecretError>,
}

/// Why a secret could not be read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SecretError {
    /// Secrets Manager did not return it.
    #[error("the secret {name} could not be read")]
    Unavailable {
        /// The secret's name.
        name: String,
        /// The cause.
        #[source]
        cause: Cause,
    },
    /// The requested field is missing. The secret's content is not included.
    #[error("the secret {name} has no text at {pointer}")]
    Malformed {
        /// The secret's name.
        name: String,
        /// JSON pointer of the field.
        pointer: String,
    },
    /// The secret for pseudonyms is too short.
    #[error("the secret for pseudonyms is unusable")]
    Weak(#[from] WeakSecret),
}

impl Secrets {
    /// Creates access to the secrets whose names begin with `<stack>/`.
    #[must_use]
    pub fn new(client: Client, stack: String) -> Self {
        Self { client, stack, cache: Cache::default() }
    }

    /// Returns the text at `pointer` in the JSON secret `<stack>/<name>`.
    ///
    /// # Errors
    /// [`SecretError`].
    pub async fn text(&self, name: &str, pointer: &str, now: Timestamp) -> Result<SecretString, SecretError> {
        let name = format!("{}/{name}", self.stack);
        let key = format!("{name}{pointer}");
        let load = self.load(name, pointer, |field| field.as_str().map(str::to_owned));
        self.cache.get(&key, now, load).await
    }

    /// Returns the token of an account and its host, from the secret `<stack>/<site>/provider`.
    ///
    /// # Errors
    /// [`SecretError`].
    pub async fn account_token(
        &self,
        site: &SiteId,
        account: &AccountId,
        now: Timestamp,
    ) -> Result<AccountToken, SecretError> {
        let name = format!("{}/{site}/provider", self.stack);
        let pointer = format!("/accounts/{account}");
        let load = self.load(name.clone(), &pointer, |fields| parse_account(fields).map(|_| fields.to_string()));
        let fields = self.cache.get(&format!("{name}{pointer}"), now, load).await?;
        let fields = serde_json::from_str(fields.expose_secret()).unwrap_or_default();
        parse_account(&fields).ok_or(SecretError::Malformed { name, pointer })
    }

    /// Returns the secrets with which a site's caller signs, from the secret `<stack>/<site>/inbound`.
    ///
    /// # Errors
    /// [`SecretError`].
    pub async fn signing(&self, site: &SiteId, now: Timestamp) -> Result<Vec<SigningSecret>, SecretError> {
        let (name, pointer) = (format!("{}/{site}/inbound", self.stack), "/signing");
        let load = self.load(name.clone(), pointer, |list| SigningSecret::list(list).map(|_| list.to_string()));
        let list = self.cache.get(&format!("{name}{pointer}"), now, load).await?;
        let list = serde_json::from_str(list.expose_secret()).unwrap_or_default();
        SigningSecret::list(&list).ok_or_else(|| SecretError::Malformed { name, pointer: pointer.to_owned() })
    }

    /// Returns the secret for pseudonyms.
    ///
    /// # Errors
    /// [`SecretError`].
    pub async fn contact_secret(&self, now: Timestamp) -> Result<ContactSecret, SecretError> {
        let secret = self.text("keys", "/hmac", now).await?;
        Ok(ContactSecret::parse(secret.expose_secret())?)
    }

    /// Reads the field at `pointer` of a secret. `text_of` returns the text to keep, or `None` if the field is malformed.
    async fn load(
        &self,
        name: String,
        pointer: &str,
        text_of: impl FnOnce(&Value) -> Option<String>,
    ) -> Result<Loaded<SecretString>, SecretError> {
        let answer = self.client.get_secret_value().secret_id(&name).send().await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return Err(SecretError::Unavailable { name, cause: Cause::new(error) }),
        };
        let document: Option<Value> = answer.secret_string().and_then(|text| serde_json::from_str(text).ok());
        let text = document.as_ref().and_then(|document| document.pointer(pointer)).and_then(text_of);
        match text {
            Some(text) => Ok(Loaded { value: SecretString::from(text), keep_for: SECRET_KEPT_FOR }),
            None => Err(SecretError::Malformed { name, pointer: pointer.to_owned() }),
        }
    }
}

/// Reads the fields of an account; `None` if there is no token, or if the host is not a text.
fn parse_account(fields: &Value) -> Option<AccountToken> {
    let token = fields.get("token")?.as_str()?;
    let host = match fields.get("host") {
        None | Some(Value::Null) => None,
        Some(host) => Some(host.as_str()?.to_owned()),
    };
    Some(AccountToken { token: SecretString::from(token), host })
}
