//! Reads the template lists of the active accounts into the store. It runs every hour for all accounts, and every
//! minute for accounts with a newly approved template.
//!
//! - [`sync()`] syncs one account. It reads the whole list before it writes anything; an incomplete list changes
//!   nothing. A mapping with a changed template is marked and sends nothing until an operator confirms it.
//! - [`handle`] syncs all sites. An account that fails does not affect the others. The run then fails at its end, so
//!   that the failure is noticed.

mod config;
mod sync;

use domain::primitives::cause::chain;
use domain::primitives::id::SiteId;
use domain::site::config::{Account, LiveConfig};
use futures_util::{StreamExt, stream};
use jiff::SignedDuration;
use provider::{Provider, SetupError};
use runtime::Clock;
use runtime::batch::Deadline;
use runtime::metrics::{Metric, Metrics};
use runtime::secrets::Secrets;
use serde::Serialize;
use serde_json::Value;
use store::StoreError;
use store::config::ConfigTable;

pub use config::Config;
pub use sync::{AccountSynced, SyncError, sync, sync_even_if_many_go};

/// The function's timeout, as in the stack's template.
const TIMEOUT: SignedDuration = SignedDuration::from_secs(300);
/// Time reserved for one account: a few pages of at most 10 s each, and the writes.
const ACCOUNT_MARGIN: SignedDuration = SignedDuration::from_secs(45);
/// Accounts synced concurrently. A slow account must not delay the others, and the provider must not be flooded.
const ACCOUNTS_AT_ONCE: usize = 4;

/// The clients that the handler borrows.
#[derive(Debug)]
pub struct App {
    config: ConfigTable,
    secrets: Secrets,
    provider: Provider,
    metrics: Metrics,
    clock: Clock,
}

/// The result of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Synced {
    /// Accounts that were synced.
    pub accounts: usize,
    /// Number of templates of these accounts.
    pub templates: usize,
    /// Mappings that now send nothing, until an operator confirms the changes of their templates.
    pub to_review: usize,
}

/// Why a run needs attention.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The sites could not be read. Nothing was done.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Some accounts still have the templates of an earlier sync. The cause of each was logged.
    #[error("{failed} accounts could not be synced, {} were", .synced.accounts)]
    Incomplete {
        /// Number of failures.
        failed: usize,
        /// The result for the other accounts.
        synced: Synced,
    },
}

impl App {
    /// Creates an app from the clients of the process.
    ///
    /// # Errors
    /// [`SetupError`] if the HTTP client cannot be built.
    pub fn new(
        dynamodb: aws_sdk_dynamodb::Client,
        secrets: aws_sdk_secretsmanager::Client,
        config: Config,
        clock: Clock,
    ) -> Result<Self, SetupError> {
        Ok(Self {
            config: ConfigTable::new(dynamodb, config.config_table),
            secrets: Secrets::new(secrets, config.stack),
            provider: Provider::new(config.network)?,
            metrics: config.metrics,
            clock,
        })
    }
}

/// Syncs every active account of every active site. `deadline_ms` is the invocation's deadline in milliseconds since
/// 1970.
///
/// # Errors
/// [`RunError`]. Synced accounts remain synced.
pub async fn handle(app: &App, deadline_ms: u64) -> Result<Synced, RunError> {
    let deadline = Deadline::of(deadline_ms, TIMEOUT, ACCOUNT_MARGIN, app.clock.clone());
    let mut accounts = Vec::new();
    let mut failed = 0;
    for site in app.config.sites().await? {
        match app.config.live(&site).await {
            Ok(live) => accounts.extend(live.into_iter().flat_map(active_accounts)),
            Err(error) => {
                tracing::error!(%site, error = chain(&error), "the accounts of a site could not be read");
                failed += 1;
            }
        }
    }
    let run = run(app, &deadline, &accounts, failed).await;
    let failures = match &run {
        Err(RunError::Incomplete { failed, .. }) => *failed,
        Ok(_) | Err(RunError::Store(_)) => 0,
    };
    // Both metrics are also written if there is no account, so that a missing run is noticed.
    app.metrics.count(Metric::SyncFailures, failures);
    match oldest_sync(app, &accounts).await {
        Ok(age) => app.metrics.measure(Metric::SyncAge, age.as_secs()),
        // The run itself is done. The alarm notices that the age is missing.
        Err(error) => tracing::error!(error = chain(&error), "the times of the last syncs could not be read"),
    }
    app.metrics.flush(app.clock.now());
    run
}

/// Returns the age of the oldest last sync of these accounts. The age of an account that was never synced counts from
/// its first run.
async fn oldest_sync(app: &App, accounts: &[(SiteId, Account)]) -> Result<SignedDuration, StoreError> {
    let now = app.clock.now();
    let accounts: Vec<_> = accounts.iter().map(|(site, account)| (site.clone(), account.id.clone())).collect();
    let last = app.config.last_syncs(&accounts).await?;
    for ((site, account), _) in accounts.iter().zip(&last).filter(|(_, last)| last.is_none()) {
        app.config.note_sync(site, account, now).await?;
    }
    Ok(last.iter().flatten().map(|at| now.duration_since(*at)).max().unwrap_or_default())
}

/// Handles a scheduled invocation. `{"asked": true}` syncs only the accounts with a requested sync (see
/// [`handle_asked`]). Any other input syncs all accounts (see [`handle`]).
///
/// # Errors
/// [`RunError`].
pub async fn handle_tick(app: &App, input: &Value, deadline_ms: u64) -> Result<Synced, RunError> {
    match input.get("asked").and_then(Value::as_bool) {
        Some(true) => handle_asked(app, deadline_ms).await,
        _ => handle(app, deadline_ms).await,
    }
}

/// Syncs the accounts with a requested sync. An account that fails is retried by the next hourly run.
///
/// # Errors
/// [`RunError`]. Synced accounts remain synced.
pub async fn handle_asked(app: &App, deadline_ms: u64) -> Result<Synced, RunError> {
    let deadline = Deadline::of(deadline_ms, TIMEOUT, ACCOUNT_MARGIN, app.clock.clone());
    let asked = app.config.asked_for_sync().await?;
    if asked.is_empty() {
        return Ok(Synced::default());
    }
    let mut accounts = Vec::new();
    for one in &asked {
        let of_site = app.config.live(&one.site).await?.into_iter().flat_map(active_accounts);
        accounts.extend(of_site.filter(|(_, account)| account.id == one.account));
    }
    let synced = run(app, &deadline, &accounts, 0).await;
    for one in &asked {
        app.config.answered(one).await?;
    }
    synced
}

/// Syncs accounts independently of each other. `failed` is the number of sites that could not be read.
async fn run(
    app: &App,
    deadline: &Deadline,
    accounts: &[(SiteId, Account)],
    mut failed: usize,
) -> Result<Synced, RunError> {
    let runs = accounts.iter().map(|(site, account)| sync_one(app, deadline, site, account));
    let results: Vec<Option<AccountSynced>> = stream::iter(runs).buffer_unordered(ACCOUNTS_AT_ONCE).collect().await;
    let mut synced = Synced::default();
    for result in results {
        match result {
            Some(of_account) => {
                synced.accounts += 1;
                synced.templates += of_account.templates;
                synced.to_review += of_account.to_review.len();
            }
            None => failed += 1,
        }
    }
    let Synced { accounts, templates, to_review } = synced;
    tracing::info!(accounts, templates, to_review, failed, "synced the templates");
    if failed == 0 { Ok(synced) } else { Err(RunError::Incomplete { failed, synced }) }
}

fn active_accounts(live: LiveConfig) -> Vec<(SiteId, Account)> {
    let LiveConfig { site, accounts, .. } = live;
    let active = accounts.into_iter().filter(|account| site.active && account.active);
    active.map(|account| (site.id.clone(), account)).collect()
}

/// Syncs one account. `None` if it still has the templates of an earlier sync.
async fn sync_one(app: &App, deadline: &Deadline, site: &SiteId, account: &Account) -> Option<AccountSynced> {
    let id = &account.id;
    if !deadline.has_time() {
        tracing::error!(%site, account = %id, "no time left to sync the templates of an account");
        return None;
    }
    let token = match app.secrets.account_token(site, id, app.clock.now()).await {
        Ok(token) => token,
        Err(error) => {
            tracing::error!(%site, account = %id, error = chain(&error), "the templates of an account were not synced");
            return None;
        }
    };
    match sync(&app.provider, &app.config, site, account, &token, app.clock.now()).await {
        Ok(synced) => Some(synced),
        Err(error) => {
            tracing::error!(%site, account = %id, error = chain(&error), "the templates of an account were not synced");
            None
        }
    }
}
