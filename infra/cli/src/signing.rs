//! How the requests of a site's caller are signed: the secrets, and whether a signature is required.

use domain::primitives::id::SiteId;
use domain::site::credential::StoredKey;
use domain::site::signing::{SECRET_BYTES, SECRETS_MAX, Signing, SigningSecret};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use texts::Texts;

use crate::failure::Failure;
use crate::output::{Output, wrapped};
use crate::random::random;
use crate::stack::Stack;

/// A change of a site's signing.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    /// Creates a secret. The present one stays valid.
    NewSecret,
    /// Revokes all secrets but the newest.
    RevokeOld,
    /// Sets whether a signature is required.
    Mode(Signing),
}

/// Returns whether a site's requests are signed. Every key of the site has the same mode.
pub(crate) fn mode_of(keys: &[StoredKey]) -> Signing {
    keys.iter().map(|key| key.signing).max().unwrap_or_default()
}

/// Whether a valid key accepts requests that another key of the site refuses. An interrupted change leaves it so.
pub(crate) fn differs(keys: &[StoredKey]) -> bool {
    let mode = mode_of(keys);
    keys.iter().any(|key| !key.revoked && key.signing != mode)
}

pub(crate) async fn set(change: Change, stack: &Stack, output: Output) -> Result<(), Failure> {
    let site = stack.live().await?.site.id;
    let mut secrets = stack.signing_secrets(&site).await?;
    let keys = stack.config.keys(&site).await?;
    let mut mode = mode_of(&keys);
    let mut created = None;
    match change {
        Change::NewSecret => {
            if secrets.len() >= SECRETS_MAX {
                return Err(Failure::no(|texts| texts.two_signing_secrets()));
            }
            let secret = create(stack)?;
            secrets.push(secret.clone());
            // Store the secret before the mode that requires it.
            stack.put_signing_secrets(&site, &secrets).await?;
            created = Some(secret);
            if mode == Signing::Off {
                mode = Signing::Optional;
                put_mode(keys, mode, stack).await?;
            }
        }
        Change::RevokeOld => {
            let newest = secrets.pop().filter(|_| !secrets.is_empty());
            let newest = newest.ok_or_else(|| Failure::no(|texts| texts.no_old_signing_secret()))?;
            secrets = vec![newest];
            stack.put_signing_secrets(&site, &secrets).await?;
        }
        Change::Mode(wanted) => {
            if wanted != Signing::Off && secrets.is_empty() {
                return Err(Failure::no(|texts| texts.no_signing_secret()));
            }
            mode = wanted;
            put_mode(keys, mode, stack).await?;
        }
    }
    let created = created.as_ref().map(|secret| secret.text.expose_secret());
    output.say(&document(&site, mode, &secrets, created), |texts| words(&site, mode, created, texts));
    Ok(())
}

/// Writes the mode into every key of the site, so that a request needs no other read.
async fn put_mode(keys: Vec<StoredKey>, mode: Signing, stack: &Stack) -> Result<(), Failure> {
    for key in keys {
        stack.config.put_key(&StoredKey { signing: mode, ..key }).await?;
    }
    Ok(())
}

fn create(stack: &Stack) -> Result<SigningSecret, Failure> {
    Ok(SigningSecret::create(&random::<SECRET_BYTES>()?, stack.clock.now()))
}

fn document(site: &SiteId, mode: Signing, secrets: &[SigningSecret], created: Option<&str>) -> Value {
    let times: Vec<String> = secrets.iter().map(|secret| secret.created_at.to_string()).collect();
    json!({"site": site, "signing": mode, "secrets_created_at": times, "signing_secret": created})
}

fn words(site: &SiteId, mode: Signing, created: Option<&str>, texts: &Texts) -> String {
    let secret = created.map(|secret| texts.signing_secret_added(site.to_string(), secret) + "\n");
    secret.unwrap_or_default() + &mode_words(mode, texts)
}

/// Formats whether requests are signed.
pub(crate) fn mode_words(mode: Signing, texts: &Texts) -> String {
    let words = match mode {
        Signing::Off => texts.signing_off(),
        Signing::Optional => texts.signing_optional(),
        Signing::Required => texts.signing_required(),
    };
    wrapped(&words, 0)
}

#[cfg(test)]
mod tests {
    use texts::Lang;

    use super::*;

    #[test]
    fn the_secret_is_on_a_line_of_its_own_to_be_copied() {
        let site = SiteId::parse("negozio").unwrap();
        for lang in Lang::ALL {
            let words = words(&site, Signing::Optional, Some("whsec_x"), lang.texts());
            assert!(words.lines().any(|line| line == "whsec_x"), "{words}");
        }
    }
}
