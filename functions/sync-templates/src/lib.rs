//! Reads the template list of an account into the store.
//!
//! The list is read whole before anything is written: an incomplete one changes nothing.

use domain::config::Account;
use domain::id::SiteId;
use provider::{ListError, Provider};
use secrecy::SecretString;
use store::StoreError;
use store::config::ConfigTable;

/// Why the templates are still those of the last sync.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The list could not be read whole; nothing was changed.
    #[error(transparent)]
    List(#[from] ListError),
    /// The store did not take all of it; the next sync completes it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reads the templates of an account and replaces what the store knows of them. Answers how many there are.
///
/// # Errors
/// [`SyncError`].
pub async fn sync(
    provider: &Provider,
    store: &ConfigTable,
    site: &SiteId,
    account: &Account,
    token: &SecretString,
) -> Result<usize, SyncError> {
    let templates = provider.templates(account, token).await?;
    store.put_templates(site, &account.id, &templates).await?;
    Ok(templates.len())
}
