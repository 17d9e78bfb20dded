//! The webhook of a site: its URL, how its requests are authenticated, and whether it is known to work.

use domain::primitives::id::SiteId;
use domain::site::config::Account;
use domain::site::credential::{SECRET_BYTES, webhook_id};
use domain::webhook::{Mode, Webhook};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use texts::Texts;

use crate::failure::Failure;
use crate::output::wrapped;
use crate::random::random;
use crate::stack::Stack;

/// Maximum length of a header name, in characters.
const HEADER_CHARS_MAX: usize = 64;

/// The values an operator enters at the platform.
pub(crate) struct WebhookSetup {
    url: String,
    mode: Mode,
    verify_token: SecretString,
}

/// A change of a webhook's authentication.
pub(crate) struct Change {
    pub(crate) mode: Mode,
    pub(crate) secret: SecretString,
}

impl WebhookSetup {
    /// Returns the webhook as JSON.
    pub(crate) fn document(&self, site: &SiteId) -> Value {
        json!({
            "site": site, "webhook_url": self.url, "verify_token": self.verify_token.expose_secret(), "mode": self.mode,
        })
    }

    /// Formats the webhook as text.
    pub(crate) fn words(&self, texts: &Texts) -> String {
        let token = self.verify_token.expose_secret();
        // Not wrapped, so that the values can be copied.
        texts.webhook_values(self.url.as_str(), token) + "\n" + &mode_words(&self.mode, texts)
    }
}

/// Formats how requests are authenticated.
pub(crate) fn mode_words(mode: &Mode, texts: &Texts) -> String {
    let words = match mode {
        Mode::Signature => texts.webhook_signed().to_owned(),
        Mode::Token { header } => texts.webhook_token(header),
    };
    wrapped(&words, 0)
}

/// Returns the site's webhook, and creates it if there is none. Until its secret is set, all its requests are rejected.
pub(crate) async fn ensure(site: &SiteId, stack: &Stack) -> Result<WebhookSetup, Failure> {
    if let Some((id, webhook)) = known(site, stack).await? {
        return Ok(WebhookSetup {
            url: stack.webhook_url(&id),
            mode: webhook.mode,
            verify_token: verify_token(site, stack).await?,
        });
    }
    let verify_token = verify_token(site, stack).await?;
    let id = random_id()?;
    let webhook = Webhook {
        site: site.clone(),
        mode: Mode::Signature,
        phone_number_ids: Vec::new(),
        waba_ids: Vec::new(),
        set_at: None,
    };
    stack.webhooks.put(&id, &webhook).await?;
    Ok(WebhookSetup { url: stack.webhook_url(&id), mode: webhook.mode, verify_token })
}

/// Registers an account's sender number with the site's webhook, so that platform events about it are accepted. Records
/// in the account whether another site had the number before.
pub(crate) async fn add_sender(site: &SiteId, account: &mut Account, stack: &Stack) -> Result<WebhookSetup, Failure> {
    let webhook = ensure(site, stack).await?;
    account.came_later = stack.webhooks.add_sender(site, &account.phone_number_id, &account.waba_id).await?;
    Ok(webhook)
}

/// Sets how the site's webhook authenticates requests. Stores the secret before the mode that requires it.
pub(crate) async fn set(site: &SiteId, change: Change, stack: &Stack) -> Result<WebhookSetup, Failure> {
    let webhook = ensure(site, stack).await?;
    stack.put_inbound(site, &[(secret_field(&change.mode), &change.secret)]).await?;
    if let Some((id, webhook)) = known(site, stack).await? {
        let set_at = Some(stack.clock.now());
        stack.webhooks.put(&id, &Webhook { mode: change.mode.clone(), set_at, ..webhook }).await?;
    }
    Ok(WebhookSetup { mode: change.mode, ..webhook })
}

/// Returns the field of the secret that authenticates requests.
fn secret_field(mode: &Mode) -> &'static str {
    match mode {
        Mode::Signature => "app_secret",
        Mode::Token { .. } => "token",
    }
}

/// Whether a webhook is known to work.
pub(crate) enum WebhookProof {
    /// It has no secret, so all its requests are rejected.
    NotSet,
    /// No request with a platform event has come that proves its authentication.
    Unseen,
    /// Such a request came. The time is that of the first one in about an hour.
    SeenAt(Timestamp),
}

/// Returns whether the site's webhook is known to work.
pub(crate) async fn proof(site: &SiteId, stack: &Stack) -> Result<WebhookProof, Failure> {
    let Some((id, webhook)) = known(site, stack).await? else { return Ok(WebhookProof::NotSet) };
    if stack.inbound(site, secret_field(&webhook.mode)).await?.is_none() {
        return Ok(WebhookProof::NotSet);
    }
    let seen = stack.webhooks.last_request(&id).await?;
    let seen = seen.filter(|at| webhook.proves_from().is_none_or(|from| *at >= from));
    Ok(seen.map_or(WebhookProof::Unseen, WebhookProof::SeenAt))
}

/// Validates the name of a header.
pub(crate) fn header(name: &str) -> Result<String, Failure> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let fits = (1..=HEADER_CHARS_MAX).contains(&name.len()) && name.bytes().all(allowed);
    if fits { Ok(name.to_owned()) } else { Err(Failure::usage(|texts| texts.not_a_header(name))) }
}

/// Returns the site's webhook and its id, if there is one.
pub(crate) async fn known(site: &SiteId, stack: &Stack) -> Result<Option<(String, Webhook)>, Failure> {
    let Some(id) = stack.webhooks.webhook_id_of(site).await? else { return Ok(None) };
    Ok(stack.webhooks.webhook(&id).await?.map(|webhook| (id, webhook)))
}

/// Returns the verify token, which Meta sends when it verifies the webhook URL. Creates it if there is none.
async fn verify_token(site: &SiteId, stack: &Stack) -> Result<SecretString, Failure> {
    if let Some(token) = stack.inbound(site, "verify_token").await? {
        return Ok(token);
    }
    let token = SecretString::from(random_id()?);
    stack.put_inbound(site, &[("verify_token", &token)]).await?;
    Ok(token)
}

fn random_id() -> Result<String, Failure> {
    Ok(webhook_id(&random::<SECRET_BYTES>()?))
}
