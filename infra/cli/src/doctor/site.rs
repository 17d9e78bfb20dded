//! The sites: keys, webhook, accounts, mappings with their templates, and dead letters.

use std::collections::BTreeSet;

use domain::check::check;
use domain::mapping::Mapping;
use domain::primitives::cause::chain;
use domain::primitives::id::SiteId;
use domain::site::config::{Account, LiveConfig};
use jiff::SignedDuration;
use provider::Verdict;
use store::schedule::Lane;

use super::report::Report;
use crate::account::{inactive_default_words, observation, setting_of};
use crate::days::dates;
use crate::mapping::review_words;
use crate::signing;
use crate::stack::Stack;
use crate::webhook::{self, WebhookProof};

/// Age from which a token or a secret of a webhook should be replaced.
const SECRET_AGE_MAX: SignedDuration = SignedDuration::from_hours(24 * 365);
/// Greatest age of the last sync of an account's templates. It runs each hour.
const SYNC_AGE_MAX: SignedDuration = SignedDuration::from_hours(3);
/// Days whose dead letters are listed: SQS keeps records as long.
const DEAD_DAYS: u16 = 14;

/// Checks the named site, or every site.
pub(super) async fn all(stack: &Stack, report: &mut Report) {
    let sites = match stack.site() {
        Ok(site) => Ok(vec![site.clone()]),
        Err(_) => stack.config.sites().await,
    };
    let texts = report.texts;
    let sites = match sites {
        Ok(sites) => sites,
        Err(error) => return report.finding("site", "", chain(&error), rights(report)),
    };
    if sites.is_empty() {
        report.finding("site", "", texts.doctor_no_site(), "bridge site add");
    }
    for site in sites {
        one(&stack.at(site), report).await;
    }
}

fn rights(report: &Report) -> String {
    report.texts.doctor_rights()
}

async fn one(stack: &Stack, report: &mut Report) {
    let texts = report.texts;
    let Ok(site) = stack.site() else { return };
    let live = match stack.live().await {
        Ok(live) => live,
        Err(failure) => return report.finding("site", site.as_str(), failure.words(texts), rights(report)),
    };
    report.zone = live.site.zone();
    if !live.site.active {
        let inactive = texts.doctor_site_inactive();
        report.finding("site", site.as_str(), inactive, format!("bridge --site {site} site set active=true"));
    } else if live.site.paused {
        let paused = texts.doctor_site_paused();
        report.finding("site", site.as_str(), paused, format!("bridge --site {site} site set paused=false"));
    } else {
        report.good("site", site.as_str(), texts.doctor_site_active());
    }
    key(stack, site, report).await;
    webhook_of(stack, site, report).await;
    accounts(stack, site, &live, report).await;
    mappings(stack, site, &live, report).await;
    dead_letters(stack, site, report).await;
}

async fn key(stack: &Stack, site: &SiteId, report: &mut Report) {
    let texts = report.texts;
    match stack.config.keys(site).await {
        Ok(keys) => {
            match keys.iter().filter(|key| !key.revoked).count() {
                0 => report.finding(
                    "key",
                    site.as_str(),
                    texts.doctor_no_key(),
                    format!("bridge --site {site} site rotate-key"),
                ),
                count => report.good("key", site.as_str(), texts.doctor_keys(count)),
            }
            if signing::differs(&keys) {
                let differ = texts.doctor_signing_differs();
                report.finding(
                    "key",
                    site.as_str(),
                    differ,
                    format!("bridge --site {site} site set-signing --mode MODE"),
                );
            }
            if !signing::mode_of(&keys).is_off() {
                signing_secret(stack, site, report).await;
            }
        }
        Err(error) => report.finding("key", site.as_str(), chain(&error), rights(report)),
    }
}

/// Checks that a site with signed requests has a signing secret.
async fn signing_secret(stack: &Stack, site: &SiteId, report: &mut Report) {
    let texts = report.texts;
    match stack.signing_secrets(site).await {
        Ok(secrets) if secrets.is_empty() => report.finding(
            "secret",
            site.as_str(),
            texts.doctor_no_signing_secret(),
            format!("bridge --site {site} site set-signing"),
        ),
        Ok(_) => {}
        Err(failure) => report.finding("secret", site.as_str(), failure.words(texts), rights(report)),
    }
}

async fn webhook_of(stack: &Stack, site: &SiteId, report: &mut Report) {
    let texts = report.texts;
    match webhook::proof(site, stack).await {
        Ok(WebhookProof::SeenAt(at)) => {
            let at = report.moment(at);
            let detail = texts.doctor_webhook_seen(at);
            report.good("webhook", site.as_str(), detail);
            secret_age(stack, site, "inbound", "bridge site set-webhook", report).await;
        }
        Ok(WebhookProof::NotSet) => report.finding(
            "webhook",
            site.as_str(),
            texts.doctor_webhook_not_set(),
            format!("bridge --site {site} site set-webhook"),
        ),
        Ok(WebhookProof::Unseen) => {
            report.finding("webhook", site.as_str(), texts.doctor_webhook_unseen(), texts.doctor_enter_webhook())
        }
        Err(failure) => report.finding("webhook", site.as_str(), failure.words(texts), rights(report)),
    }
}

/// Checks the age of a secret of the site.
async fn secret_age(stack: &Stack, site: &SiteId, name: &'static str, replace: &str, report: &mut Report) {
    let texts = report.texts;
    let secret = format!("{site}/{name}");
    match stack.secret_changed_at(&stack.secret_name(&secret)).await {
        Ok(Some(at)) if stack.clock.now().duration_since(at) > SECRET_AGE_MAX => {
            let since = report.day(at);
            report.finding("secret", secret, texts.doctor_secret_old(since), texts.doctor_replace_secret(replace));
        }
        Ok(Some(at)) => {
            let since = report.day(at);
            report.good("secret", secret, texts.doctor_created(since));
        }
        Ok(None) => report.finding("secret", secret, texts.doctor_missing(), replace),
        Err(failure) => report.finding("secret", secret, failure.words(texts), rights(report)),
    }
}

async fn accounts(stack: &Stack, site: &SiteId, live: &LiveConfig, report: &mut Report) {
    let texts = report.texts;
    if live.accounts.is_empty() {
        let none = texts.doctor_no_account();
        return report.finding("account", site.as_str(), none, format!("bridge --site {site} account add"));
    }
    secret_age(stack, site, "provider", "bridge account set ID --token-file FILE", report).await;
    for account in &live.accounts {
        let subject = format!("{site}/{}", account.id);
        if !account.active {
            if live.default_account() == Some(&account.id) {
                let words = inactive_default_words(account, texts);
                report.finding(
                    "account",
                    subject,
                    words.trim_end(),
                    format!("bridge account set {} active=true", account.id),
                );
            }
            continue;
        }
        match account_fault(stack, site, account, report).await {
            Some((problem, advice)) => report.finding("account", subject, problem, advice),
            None => report.good("account", subject, texts.doctor_can_send()),
        }
    }
    syncs(stack, site, live, report).await;
}

/// Returns why an account cannot send, with the remedy.
async fn account_fault(stack: &Stack, site: &SiteId, account: &Account, report: &Report) -> Option<(String, String)> {
    let texts = report.texts;
    let id = &account.id;
    let lane = Lane { site: site.clone(), account: id.clone() };
    match stack.schedule.account_state(&lane).await {
        Ok(state) => {
            if let Some(stop) = state.health.stop {
                let (since, code) = (report.moment(stop.since), stop.code);
                return Some((
                    texts.doctor_account_stopped(since, code),
                    "docs/runbooks/account-stopped.md".to_owned(),
                ));
            }
        }
        Err(error) => return Some((chain(&error), rights(report))),
    }
    let token = match stack.token(account).await {
        Ok(token) => token,
        Err(failure) => {
            return Some((failure.words(texts).to_owned(), format!("bridge account set {id} --token-file FILE")));
        }
    };
    let provider = match stack.provider() {
        Ok(provider) => provider,
        Err(failure) => return Some((failure.words(texts).to_owned(), "-".to_owned())),
    };
    let verdicts = provider.probe(account, &token).await;
    let wrong = verdicts.into_iter().find_map(|(step, verdict)| match verdict {
        Verdict::Wrong(seen) => Some(format!("{}: {}", setting_of(step), observation(&seen, texts))),
        Verdict::Right | Verdict::Unclear(_) => None,
    });
    wrong.map(|wrong| (wrong, format!("bridge account test {id}")))
}

async fn syncs(stack: &Stack, site: &SiteId, live: &LiveConfig, report: &mut Report) {
    let texts = report.texts;
    let active: Vec<_> = live.accounts.iter().filter(|account| account.active).collect();
    let named: Vec<_> = active.iter().map(|account| (site.clone(), account.id.clone())).collect();
    let last = match stack.config.last_syncs(&named).await {
        Ok(last) => last,
        Err(error) => return report.finding("template_sync", site.as_str(), chain(&error), rights(report)),
    };
    for (account, last) in active.iter().zip(last) {
        let subject = format!("{site}/{}", account.id);
        match last {
            Some(at) if stack.clock.now().duration_since(at) <= SYNC_AGE_MAX => {
                report.good("template_sync", subject, report.moment(at));
            }
            Some(at) => {
                let at = report.moment(at);
                let old = texts.doctor_last_sync(at);
                report.finding("template_sync", subject, old, "docs/runbooks/template-sync.md");
            }
            None => {
                let never = texts.doctor_never_synced();
                report.finding("template_sync", subject, never, "bridge template sync");
            }
        }
    }
}

/// Checks every enabled mapping with the templates that it uses, as of their last sync.
async fn mappings(stack: &Stack, site: &SiteId, live: &LiveConfig, report: &mut Report) {
    let texts = report.texts;
    let mappings = match stack.config.mappings(site).await {
        Ok(mappings) => mappings,
        Err(error) => return report.finding("mapping", site.as_str(), chain(&error), rights(report)),
    };
    let enabled: Vec<&Mapping> = mappings.iter().filter(|mapping| mapping.enabled).collect();
    if enabled.is_empty() {
        let none = texts.doctor_no_mapping();
        return report.finding("mapping", site.as_str(), none, "bridge mapping apply FILE");
    }
    for mapping in enabled {
        let id = &mapping.id;
        let subject = format!("{site}/{id}");
        match mapping_fault(mapping, live, report) {
            Some((problem, advice)) => report.finding("mapping", subject, problem, advice),
            None => {
                let templates: BTreeSet<&str> = mapping.templates.values().map(|used| used.name.as_str()).collect();
                let templates: Vec<&str> = templates.into_iter().collect();
                report.good("mapping", subject, texts.doctor_templates(templates.join(", ")));
            }
        }
    }
}

/// Returns why a mapping does not send, with the remedy.
fn mapping_fault(mapping: &Mapping, live: &LiveConfig, report: &Report) -> Option<(String, String)> {
    let texts = report.texts;
    let id = &mapping.id;
    if let Some(review) = &mapping.needs_review {
        let words = review_words(review, &report.zone, texts);
        return Some((texts.doctor_needs_review(words), format!("bridge mapping confirm {id}")));
    }
    if mapping.volume_spike.is_some() {
        let paused = texts.doctor_mapping_paused();
        return Some((paused.to_owned(), format!("bridge mapping confirm {id}")));
    }
    let document = serde_json::to_value(mapping).ok()?;
    let checked = check(&document, live);
    let finding = checked.findings.iter().find(|finding| !finding.problem.is_warning())?;
    Some((texts.problem(&finding.problem), "bridge template sync".to_owned()))
}

async fn dead_letters(stack: &Stack, site: &SiteId, report: &mut Report) {
    let texts = report.texts;
    let mut open = 0;
    for date in dates(stack.clock.now(), DEAD_DAYS) {
        for owner in [Some(site), None] {
            match stack.ledger.kept_letters(owner, date).await {
                Ok(letters) => open += letters.iter().filter(|letter| letter.redriven_at.is_none()).count(),
                Err(error) => return report.finding("dead_letters", site.as_str(), chain(&error), rights(report)),
            }
        }
    }
    if open == 0 {
        report.good("dead_letters", site.as_str(), texts.doctor_none());
    } else {
        report.finding(
            "dead_letters",
            site.as_str(),
            texts.doctor_dead_letters(open, DEAD_DAYS),
            "bridge dead list; docs/runbooks/dead-letters.md",
        );
    }
}
