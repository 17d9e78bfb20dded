//! One account: its whole list, or nothing.

use domain::primitives::id::{MappingId, SiteId};
use domain::site::config::Account;
use domain::template::Template;
use jiff::Timestamp;
use provider::{ListError, Provider};
use secrecy::SecretString;
use store::StoreError;
use store::config::ConfigTable;

/// Of a hundred templates so many may go at once. More look like a list that was cut short, or like the list of another
/// account.
const GONE_PERCENT_MAX: usize = 20;

/// Why the templates are still those of the last sync.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The list could not be read whole; nothing was changed.
    #[error(transparent)]
    List(#[from] ListError),
    /// Too many templates would go; nothing was changed until a person has looked.
    #[error("{gone} of {known} templates are no longer listed, which is more than {GONE_PERCENT_MAX} %")]
    TooManyGone {
        /// Templates known and no longer listed.
        gone: usize,
        /// Templates known.
        known: usize,
    },
    /// The store did not take all of it; the next sync completes it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a sync of an account came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSynced {
    /// How many templates the account has.
    pub templates: usize,
    /// The mappings that send nothing from now on, until a person confirmed what changed of their templates.
    pub to_review: Vec<MappingId>,
}

/// Reads the templates of an account and replaces what the store knows of them.
///
/// # Errors
/// [`SyncError`].
pub async fn sync(
    provider: &Provider,
    store: &ConfigTable,
    site: &SiteId,
    account: &Account,
    token: &SecretString,
    now: Timestamp,
) -> Result<AccountSynced, SyncError> {
    let listed = provider.templates(account, token).await?;
    let known = store.templates(site, &account.id).await?;
    few_gone(&known, &listed)?;
    replace(store, site, account, (&known, &listed), now).await
}

/// As [`sync`], however many templates go: for a person who has looked at the list.
///
/// # Errors
/// [`SyncError`], but never for templates that go.
pub async fn sync_even_if_many_go(
    provider: &Provider,
    store: &ConfigTable,
    site: &SiteId,
    account: &Account,
    token: &SecretString,
    now: Timestamp,
) -> Result<AccountSynced, SyncError> {
    let listed = provider.templates(account, token).await?;
    let known = store.templates(site, &account.id).await?;
    replace(store, site, account, (&known, &listed), now).await
}

/// Marks the mappings first: a run that breaks off in between leaves none that goes on with a template nobody looked at.
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
    use domain::template::{Category, Content, NO_BODY, TemplateStatus};

    use super::*;

    fn templates(names: std::ops::Range<usize>) -> Vec<Template> {
        let template = |number: usize| Template {
            name: format!("t{number}"),
            language: Language::italian(),
            status: TemplateStatus::Approved,
            category: Category::Utility,
            quality: None,
            content: Content::Unusable { why: NO_BODY.to_owned() },
            fingerprint: String::new(),
        };
        names.map(template).collect()
    }

    #[test]
    fn a_fifth_may_go_and_no_more() {
        assert!(few_gone(&templates(0..10), &templates(2..12)).is_ok());
        let refused = few_gone(&templates(0..10), &templates(3..20));
        assert!(matches!(refused, Err(SyncError::TooManyGone { gone: 3, known: 10 })), "{refused:?}");
        assert!(few_gone(&templates(0..10), &[]).is_err());
        assert!(few_gone(&[], &templates(0..1)).is_ok(), "the first sync has nothing to lose");
    }

    #[test]
    fn another_language_is_another_template() {
        let mut listed = templates(0..4);
        listed[0].language = Language::parse("en").unwrap();
        assert!(few_gone(&templates(0..4), &listed).is_err());
    }
}
