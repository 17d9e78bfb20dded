//! Syncs one account: its whole list, or nothing.

use domain::primitives::id::{MappingId, SiteId};
use domain::site::config::Account;
use domain::site::credential::AccountToken;
use domain::template::Template;
use jiff::Timestamp;
use provider::{ListError, Provider};
use store::StoreError;
use store::config::ConfigTable;

/// Largest share of known templates that may disappear in one sync, in percent. A larger share suggests a truncated
/// list, or the list of another account.
const GONE_PERCENT_MAX: usize = 20;

/// Why an account still has the templates of the last sync.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The list could not be read completely. Nothing was changed.
    #[error(transparent)]
    List(#[from] ListError),
    /// Too many templates would disappear. Nothing was changed; an operator must check the list.
    #[error("{gone} of {known} templates are no longer listed, which is more than {GONE_PERCENT_MAX} %")]
    TooManyGone {
        /// Known templates that are no longer listed.
        gone: usize,
        /// Known templates.
        known: usize,
    },
    /// The store did not accept everything. The next sync completes it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The result of the sync of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSynced {
    /// Number of templates of the account.
    pub templates: usize,
    /// Mappings that now send nothing, until an operator confirms the changes of their templates.
    pub to_review: Vec<MappingId>,
}

/// Reads the templates of an account and replaces those in the store.
///
/// # Errors
/// [`SyncError`].
pub async fn sync(
    provider: &Provider,
    store: &ConfigTable,
    site: &SiteId,
    account: &Account,
    token: &AccountToken,
    now: Timestamp,
) -> Result<AccountSynced, SyncError> {
    let listed = provider.templates(account, token).await?;
    let known = store.templates(site, &account.id).await?;
    few_gone(&known, &listed)?;
    replace(store, site, account, (&known, &listed), now).await
}

/// Like [`sync`], without a limit on disappearing templates. For an operator who has checked the list.
///
/// # Errors
/// [`SyncError`], but never `TooManyGone`.
pub async fn sync_even_if_many_go(
    provider: &Provider,
    store: &ConfigTable,
    site: &SiteId,
    account: &Account,
    token: &AccountToken,
    now: Timestamp,
) -> Result<AccountSynced, SyncError> {
    let listed = provider.templates(account, token).await?;
    let known = store.templates(site, &account.id).await?;
    replace(store, site, account, (&known, &listed), now).await
}

/// Replaces the templates. The mappings are marked first, so that an interrupted run leaves no mapping with an
/// unreviewed template.
async fn replace(
    store: &ConfigTable,
    site: &SiteId,
    account: &Account,
    (known, listed): (&[Template], &[Template]),
    now: Timestamp,
) -> Result<AccountSynced, SyncError> {
    let to_review = store.mark_for_review(site, &account.id, (known, listed), now).await?;
    for mapping in &to_review {
        tracing::warn!(%site, %mapping, "a template of a mapping changed; it sends nothing until a person confirmed it");
    }
    store.put_templates(site, &account.id, listed).await?;
    store.note_sync(site, &account.id, now).await?;
    Ok(AccountSynced { templates: listed.len(), to_review })
}

fn few_gone(known: &[Template], listed: &[Template]) -> Result<(), SyncError> {
    let is_listed =
        |template: &&Template| listed.iter().any(|one| one.name == template.name && one.language == template.language);
    let gone = known.len() - known.iter().filter(is_listed).count();
    if gone * 100 > known.len() * GONE_PERCENT_MAX {
        Err(SyncError::TooManyGone { gone, known: known.len() })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use domain::primitives::language::Language;
    use domain::template::{Category, Content, TemplateStatus, Unfillable};

    use super::*;

    fn templates(names: std::ops::Range<usize>) -> Vec<Template> {
        let template = |number: usize| Template {
            name: format!("t{number}"),
            language: Language::italian(),
            status: TemplateStatus::Approved,
            category: Category::Utility,
            quality: None,
            content: Content::Unusable { why: Unfillable::NoBody },
            fingerprint: String::new(),
        };
        names.map(template).collect()
    }

    #[test]
    fn a_sync_may_remove_at_most_a_fifth_of_the_templates() {
        assert!(few_gone(&templates(0..10), &templates(2..12)).is_ok());
        let refused = few_gone(&templates(0..10), &templates(3..20));
        assert!(matches!(refused, Err(SyncError::TooManyGone { gone: 3, known: 10 })), "{refused:?}");
        assert!(few_gone(&templates(0..10), &[]).is_err());
        assert!(few_gone(&[], &templates(0..1)).is_ok(), "the first sync has nothing to lose");
    }

    #[test]
    fn a_template_in_another_language_is_a_different_template() {
        let mut listed = templates(0..4);
        listed[0].language = Language::parse("en").unwrap();
        assert!(few_gone(&templates(0..4), &listed).is_err());
    }
}
