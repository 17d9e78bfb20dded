//! `bridge template`.

mod show;

use domain::check::check;
use domain::mapping::Review;
use domain::primitives::id::MappingId;
use domain::site::config::{Account, LiveConfig};
use provider::Provider;
use serde_json::{Value, json};
use sync_templates::{SyncError, sync, sync_even_if_many_go};

use crate::args;
use crate::failure::{Failure, Sentence};
use crate::mapping::review_words;
use crate::output::{Output, wrapped};
use crate::stack::Stack;

pub(crate) async fn run(command: args::Template, stack: &Stack, output: Output) -> Result<(), Failure> {
    match command {
        args::Template::Sync { even_if_many_go } => sync_all(even_if_many_go, stack, output).await,
        args::Template::List => show::list(stack, output).await,
        args::Template::Show { name, language } => show::show(&name, language.as_deref(), stack, output).await,
    }
}

impl From<SyncError> for Failure {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::List(error) => error.into(),
            SyncError::Store(error) => error.into(),
            SyncError::TooManyGone { gone, known } => Self::no(|texts| texts.too_many_gone(gone, known)),
        }
    }
}

async fn sync_all(even_if_many_go: bool, stack: &Stack, output: Output) -> Result<(), Failure> {
    let provider = stack.provider()?;
    let (mut accounts, mut failed) = (Vec::new(), Vec::new());
    for account in stack.live().await?.accounts.iter().filter(|account| account.active) {
        match sync_one(account, even_if_many_go, &provider, stack).await {
            Ok(templates) => accounts.push((account.id.to_string(), templates)),
            Err(failure) => failed.push((account.id.to_string(), failure)),
        }
    }
    let live = stack.live().await?;
    let to_review: Vec<(&MappingId, &Review)> =
        live.mappings.iter().filter_map(|one| Some((&one.id, one.needs_review.as_ref()?))).collect();
    let cannot_send = cannot_send(&live);
    let document = json!({
        "accounts": accounts.iter().map(|(id, templates)| json!({"account": id, "templates": templates})).collect::<Vec<_>>(),
        "failed": failed.iter().map(|(id, why)| json!({"account": id, "error": why.to_string()})).collect::<Vec<_>>(),
        "needs_review": to_review.iter().map(|(id, _)| id).collect::<Vec<_>>(),
        "cannot_send": cannot_send,
    });
    let zone = live.site.zone();
    output.say(&document, |texts| {
        let mut words: String =
            accounts.iter().map(|(id, templates)| texts.account_synced(id.as_str(), *templates) + "\n").collect();
        for (id, why) in &failed {
            words += &wrapped(&texts.template_not_synced(id.as_str(), why.words(texts)), 0);
        }
        for (id, review) in &to_review {
            words += &wrapped(&texts.template_needs_review(id.as_str(), review_words(review, &zone, texts)), 0);
        }
        for id in &cannot_send {
            words += &(texts.cannot_send(id.as_str()) + "\n");
        }
        words
    });
    not_synced(&failed)
}

/// Syncs an account and returns the number of its templates.
async fn sync_one(
    account: &Account,
    even_if_many_go: bool,
    provider: &Provider,
    stack: &Stack,
) -> Result<usize, Failure> {
    let (site, now) = (stack.site()?, stack.clock.now());
    let token = stack.token(account).await?;
    let synced = if even_if_many_go {
        sync_even_if_many_go(provider, &stack.config, site, account, &token, now).await?
    } else {
        sync(provider, &stack.config, site, account, &token, now).await?
    };
    Ok(synced.templates)
}

/// Returns a failure if any account was not synced: unreachable if that applies to all of them, otherwise negative.
fn not_synced(failed: &[(String, Failure)]) -> Result<(), Failure> {
    if failed.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = failed.iter().map(|(id, _)| id.as_str()).collect();
    let message = Sentence::of(|texts| texts.not_synced(ids.join(", ")));
    let out_of_reach = failed.iter().all(|(_, why)| matches!(why, Failure::Unreachable(_)));
    Err(if out_of_reach { Failure::Unreachable(message) } else { Failure::No(message) })
}

/// Returns the enabled mappings without a review mark that fail the check against the current templates. Such a mapping
/// needs no confirmation: its template is missing, or Meta paused it.
fn cannot_send(live: &LiveConfig) -> Vec<&MappingId> {
    let fails = |document: Value| !check(&document, live).is_right();
    let unmarked = live.mappings.iter().filter(|mapping| mapping.enabled && mapping.needs_review.is_none());
    unmarked.filter(|mapping| serde_json::to_value(mapping).is_ok_and(fails)).map(|mapping| &mapping.id).collect()
}
