//! The secrets of a stack: account tokens, webhook secrets and the key of the pseudonyms.

use aws_sdk_secretsmanager::operation::get_secret_value::{GetSecretValueError, GetSecretValueOutput};
use domain::primitives::cause::chain;
use domain::primitives::id::SiteId;
use domain::primitives::key::ContactSecret;
use domain::site::config::Account;
use domain::site::credential::AccountToken;
use domain::site::signing::SigningSecret;
use jiff::Timestamp;
use runtime::secrets::Secrets;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};

use super::Stack;
use crate::failure::Failure;

impl Stack {
    /// Reads an account's token.
    pub(crate) async fn token(&self, account: &Account) -> Result<AccountToken, Failure> {
        let secrets = Secrets::new(self.secrets.clone(), self.names.stack.clone());
        Ok(secrets.account_token(self.site()?, &account.id, self.clock.now()).await?)
    }

    /// Reads the secret from which contact pseudonyms are computed.
    pub(crate) async fn contact_secret(&self) -> Result<ContactSecret, Failure> {
        let secrets = Secrets::new(self.secrets.clone(), self.names.stack.clone());
        let hmac = secrets.text("keys", "/hmac", self.clock.now()).await?;
        ContactSecret::parse(hmac.expose_secret())
            .map_err(|error| Failure::no(|texts| texts.secret_malformed(error.to_string())))
    }

    /// Stores an account's token with the host of its base URL, and keeps the tokens of the site's other accounts.
    pub(crate) async fn put_token(&self, account: &Account, token: &SecretString) -> Result<(), Failure> {
        let name = self.secret_name(&format!("{}/provider", self.site()?));
        let known = self.secret(&name).await?;
        let mut secret = known.clone().unwrap_or_default();
        let accounts = secret.entry("accounts").or_insert_with(|| json!({}));
        if !accounts.is_object() {
            *accounts = json!({});
        }
        if let Some(accounts) = accounts.as_object_mut() {
            let fields = json!({"token": token.expose_secret(), "host": provider::host(&account.base_url)});
            accounts.insert(account.id.to_string(), fields);
        }
        self.put_secret(&name, &secret, known.is_some()).await
    }

    /// Reads a field of a site's webhook secret; `None` if it is missing or empty.
    pub(crate) async fn inbound(&self, site: &SiteId, field: &str) -> Result<Option<SecretString>, Failure> {
        let secret = self.secret(&self.secret_name(&format!("{site}/inbound"))).await?.unwrap_or_default();
        Ok(secret.get(field).and_then(Value::as_str).filter(|text| !text.is_empty()).map(SecretString::from))
    }

    /// Sets fields of a site's webhook secret and keeps the others.
    pub(crate) async fn put_inbound(&self, site: &SiteId, fields: &[(&str, &SecretString)]) -> Result<(), Failure> {
        let name = self.secret_name(&format!("{site}/inbound"));
        let known = self.secret(&name).await?;
        let mut secret = known.clone().unwrap_or_default();
        for (field, value) in fields {
            secret.insert((*field).to_owned(), json!(value.expose_secret()));
        }
        self.put_secret(&name, &secret, known.is_some()).await
    }

    /// Returns the secrets with which a site's caller signs, oldest first. Empty if there are none.
    pub(crate) async fn signing_secrets(&self, site: &SiteId) -> Result<Vec<SigningSecret>, Failure> {
        let secret = self.secret(&self.secret_name(&format!("{site}/inbound"))).await?.unwrap_or_default();
        let Some(list) = secret.get("signing") else { return Ok(Vec::new()) };
        SigningSecret::list(list).ok_or_else(|| Failure::no(|texts| texts.signing_secrets_malformed()))
    }

    /// Replaces the secrets with which a site's caller signs, and keeps the webhook's.
    pub(crate) async fn put_signing_secrets(&self, site: &SiteId, secrets: &[SigningSecret]) -> Result<(), Failure> {
        let name = self.secret_name(&format!("{site}/inbound"));
        let known = self.secret(&name).await?;
        let mut secret = known.clone().unwrap_or_default();
        secret.insert("signing".to_owned(), secrets.iter().map(SigningSecret::stored).collect());
        self.put_secret(&name, &secret, known.is_some()).await
    }

    /// Returns the full name of a secret of the stack.
    pub(crate) fn secret_name(&self, name: &str) -> String {
        format!("{}/{name}", self.names.stack)
    }

    /// Returns when a secret was last changed; `None` if there is no secret of that name, or no time is known.
    pub(crate) async fn secret_changed_at(&self, name: &str) -> Result<Option<Timestamp>, Failure> {
        let answer = self.read_secret(name).await?;
        Ok(answer.and_then(|secret| Timestamp::from_second(secret.created_date()?.secs()).ok()))
    }

    /// Reads the fields of a secret; `None` if there is no secret of that name.
    async fn secret(&self, name: &str) -> Result<Option<Map<String, Value>>, Failure> {
        let answer = self.read_secret(name).await?;
        let fields = |secret: GetSecretValueOutput| {
            secret.secret_string().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
        };
        Ok(answer.map(fields))
    }

    /// Reads a secret; `None` if there is none of that name.
    async fn read_secret(&self, name: &str) -> Result<Option<GetSecretValueOutput>, Failure> {
        match self.secrets.get_secret_value().secret_id(name).send().await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) => match error.as_service_error() {
                Some(GetSecretValueError::ResourceNotFoundException(_)) => Ok(None),
                _ => Err(Failure::unreachable(|texts| texts.secret_unreadable(name, chain(&error)))),
            },
        }
    }

    async fn put_secret(&self, name: &str, secret: &Map<String, Value>, exists: bool) -> Result<(), Failure> {
        let text = Value::Object(secret.clone()).to_string();
        if exists {
            let sent = self.secrets.put_secret_value().secret_id(name).secret_string(text).send().await;
            sent.map(drop).map_err(|error| unwritten(name, &error))
        } else {
            let sent = self.secrets.create_secret().name(name).secret_string(text).send().await;
            sent.map(drop).map_err(|error| unwritten(name, &error))
        }
    }
}

fn unwritten(name: &str, error: &(dyn std::error::Error + 'static)) -> Failure {
    Failure::unreachable(|texts| texts.secret_unwritable(name, chain(error)))
}
