//! `bridge account`.

use std::path::Path;

use domain::primitives::id::AccountId;
use domain::site::config::Account;
use domain::site::health::{Health, Proof, Stop};
use jiff::tz::TimeZone;
use provider::{Observation, Step, Verdict};
use serde_json::{Map, Value, json};
use store::accounts::AccountState;
use store::schedule::Lane;
use texts::Texts;

use crate::args;
use crate::document;
use crate::failure::{Failure, Sentence};
use crate::output::{Output, wrapped};
use crate::settings::{self, ACCOUNT};
use crate::stack::Stack;
use crate::webhook::{self, WebhookProof};

pub(crate) async fn run(command: args::Account, stack: &Stack, output: Output) -> Result<(), Failure> {
    match command {
        args::Account::Add { id, token_file, settings } => add(&id, &token_file, &settings, stack, output).await,
        args::Account::Show { id } => show(id.as_deref(), stack, output).await,
        args::Account::Set { id, token_file, settings } => {
            set(&id, token_file.as_deref(), &settings, stack, output).await
        }
        args::Account::Test { id } => test(id.as_deref(), stack, output).await,
        args::Account::Start { id } => start(&id, stack, output).await,
    }
}

/// An account, whether it is the site's default, and the site's time zone.
struct Found {
    account: Account,
    is_default: bool,
    zone: TimeZone,
}

/// Returns the named account, or the site's default account.
async fn find(id: Option<&str>, stack: &Stack) -> Result<Found, Failure> {
    let live = stack.live().await?;
    let default = live.default_account();
    let wanted = id.or_else(|| default.map(AccountId::as_str)).unwrap_or_default();
    let found = live.accounts.iter().find(|account| account.id.as_str() == wanted);
    let account = found.ok_or_else(|| Failure::no(|texts| texts.no_account(wanted)))?;
    Ok(Found { account: account.clone(), is_default: default == Some(&account.id), zone: live.site.zone() })
}

async fn add(id: &str, token: &Path, pairs: &[String], stack: &Stack, output: Output) -> Result<(), Failure> {
    let id = AccountId::parse(id).map_err(|error| Failure::usage(|texts| texts.wrong_id(texts.id_error(error))))?;
    if stack.live().await?.accounts.iter().any(|account| account.id == id) {
        return Err(Failure::no(|texts| texts.account_exists(id.to_string())));
    }
    let mut account = with(Map::from_iter([("id".to_owned(), json!(id))]), pairs)?;
    stack.put_token(&account, &document::read_secret(token)?).await?;
    let site = stack.site()?;
    let webhook = webhook::add_sender(site, &mut account, stack).await?;
    stack.config.put_account(site, &account).await?;
    output.say(&json!({"account": account, "webhook": webhook.document(site)}), |texts| {
        let head = texts.account_added(id.to_string());
        format!("{head}\n{}", webhook.words(texts))
    });
    Ok(())
}

async fn show(id: Option<&str>, stack: &Stack, output: Output) -> Result<(), Failure> {
    let Found { account, is_default, zone } = find(id, stack).await?;
    let fields = serde_json::to_value(&account).unwrap_or_default();
    let AccountState { health: Health { stop, .. }, consecutive_failures, .. } =
        stack.schedule.account_state(&lane(&account, stack)?).await?;
    let stopped = stop.as_ref().map(|stop| json!({"since": stop.since, "code": stop.code, "probe_at": stop.probe_at}));
    let document =
        json!({"account": fields, "default": is_default, "stopped": stopped, "troubles": consecutive_failures});
    output.say(&document, |texts| {
        let shown = settings::shown(&fields, ACCOUNT, texts);
        let stopped = stop.as_ref().map(|stop| stop_words(stop, &account, &zone, texts)).unwrap_or_default();
        let silent = Some(&account).filter(|account| is_default && !account.active);
        let silent = silent.map(|account| inactive_default_words(account, texts)).unwrap_or_default();
        let head = match is_default {
            true => texts.account_default(account.id.as_str()),
            false => texts.account(account.id.as_str()),
        };
        format!("{head}\n{shown}{silent}{stopped}")
    });
    Ok(())
}

/// Formats a warning that the default account is inactive, with its consequences.
pub(crate) fn inactive_default_words(account: &Account, texts: &Texts) -> String {
    let id = &account.id;
    wrapped(&texts.account_default_inactive(id.to_string()), 0)
}

/// Formats the stop of an account: its start, its code and the next probe.
fn stop_words(stop: &Stop, account: &Account, zone: &TimeZone, texts: &Texts) -> String {
    let since = texts.moment(stop.since, zone);
    let probe_at = texts.moment(stop.probe_at, zone);
    let id = &account.id;
    wrapped(&texts.account_stopped(since, stop.code.as_str(), probe_at, id.to_string()), 0)
}

fn lane(account: &Account, stack: &Stack) -> Result<Lane, Failure> {
    Ok(Lane { site: stack.site()?.clone(), account: account.id.clone() })
}

async fn start(id: &str, stack: &Stack, output: Output) -> Result<(), Failure> {
    let Found { account, .. } = find(Some(id), stack).await?;
    let lane = lane(&account, stack)?;
    let stopped = stack.schedule.account_state(&lane).await?.health.stop.is_some();
    stack.schedule.start_account(&lane, Proof::Operator).await?;
    output.say(&json!({"account": account.id, "was_stopped": stopped}), |texts| texts.account_started().to_owned());
    if stopped { Ok(()) } else { Err(Failure::no(|texts| texts.account_not_stopped(id))) }
}

async fn set(id: &str, token: Option<&Path>, pairs: &[String], stack: &Stack, output: Output) -> Result<(), Failure> {
    let Found { account: old, is_default, .. } = find(Some(id), stack).await?;
    let fields: Map<String, Value> =
        serde_json::to_value(&old).and_then(serde_json::from_value).map_err(|error| Failure::internal(&error))?;
    let mut account = with(fields, pairs)?;
    let token = token.map(document::read_secret).transpose()?;
    if provider::host(&old.base_url) != provider::host(&account.base_url) && token.is_none() {
        // The token is stored for its host only.
        return Err(Failure::usage(|texts| texts.token_again()));
    }
    if let Some(token) = token {
        stack.put_token(&account, &token).await?;
    }
    let site = stack.site()?;
    webhook::add_sender(site, &mut account, stack).await?;
    stack.config.put_account(site, &account).await?;
    output.say(&json!({"account": account}), |texts| {
        let silent = Some(&account).filter(|account| is_default && !account.active);
        let silent = silent.map(|account| inactive_default_words(account, texts)).unwrap_or_default();
        format!("{}\n{silent}", texts.done())
    });
    Ok(())
}

/// The result of one step of a test.
struct Tested {
    step: &'static str,
    result: StepResult,
}

/// Whether what a step tests is right, with the observation.
enum StepResult {
    Right,
    Wrong(Sentence),
    Unclear(Sentence),
}

impl From<Verdict> for StepResult {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Right => Self::Right,
            Verdict::Wrong(seen) => Self::Wrong(Sentence::of(|texts| observation(&seen, texts))),
            Verdict::Unclear(seen) => Self::Unclear(Sentence::of(|texts| observation(&seen, texts))),
        }
    }
}

/// Formats what a check of the platform observed.
pub(crate) fn observation(seen: &Observation, texts: &Texts) -> String {
    match seen {
        Observation::Setup(reason) => texts.probe_setup(reason.as_str()),
        Observation::NoAnswer(cause) => texts.probe_no_answer(cause.as_str()),
        Observation::Refused { code, details } => texts.probe_refused(code.as_str(), details.as_str()),
        Observation::Malformed(cause) => texts.probe_malformed(cause.as_str()),
        Observation::Cut => texts.probe_cut(),
        Observation::Status(status) => texts.probe_status(*status),
    }
}

async fn test(id: Option<&str>, stack: &Stack, output: Output) -> Result<(), Failure> {
    let Found { account, .. } = find(id, stack).await?;
    let token = stack.token(&account).await?;
    let probed = stack.provider()?.probe(&account, &token).await;
    let mut tested: Vec<Tested> =
        probed.into_iter().map(|(step, verdict)| Tested { step: setting_of(step), result: verdict.into() }).collect();
    if wrong_step(&tested).is_none() {
        tested.push(Tested { step: "webhook", result: test_webhook(stack).await? });
    }
    let wrong = wrong_step(&tested);
    let steps: Vec<Value> = tested.iter().map(step_document).collect();
    output.say(&json!({"account": account.id, "ok": wrong.is_none(), "steps": steps}), |texts| {
        tested.iter().map(|tested| step_words(tested, texts)).collect()
    });
    wrong.map_or(Ok(()), |wrong| Err(Failure::no(|texts| texts.account_test_wrong(wrong.step))))
}

fn wrong_step(tested: &[Tested]) -> Option<&Tested> {
    tested.iter().find(|tested| matches!(tested.result, StepResult::Wrong(_)))
}

/// Tests the way back: statuses and opt-outs reach the site only through its webhook.
async fn test_webhook(stack: &Stack) -> Result<StepResult, Failure> {
    Ok(match webhook::proof(stack.site()?, stack).await? {
        WebhookProof::SeenAt(_) => StepResult::Right,
        WebhookProof::NotSet => StepResult::Wrong(Sentence::of(|texts| texts.account_webhook_not_set())),
        WebhookProof::Unseen => StepResult::Wrong(Sentence::of(|texts| texts.account_webhook_unseen())),
    })
}

fn step_document(tested: &Tested) -> Value {
    let (result, detail) = match &tested.result {
        StepResult::Right => ("right", None),
        StepResult::Wrong(detail) => ("wrong", Some(detail)),
        StepResult::Unclear(detail) => ("unclear", Some(detail)),
    };
    json!({"step": tested.step, "result": result, "detail": detail})
}

fn step_words(tested: &Tested, texts: &Texts) -> String {
    let step = tested.step;
    let words = match &tested.result {
        StepResult::Right => texts.step_right(step),
        StepResult::Wrong(detail) => texts.step_wrong(step, detail.words(texts)),
        StepResult::Unclear(detail) => texts.step_unclear(step, detail.words(texts)),
    };
    wrapped(&words, 0)
}

/// Returns the name of what a step tests.
pub(crate) fn setting_of(step: Step) -> &'static str {
    match step {
        Step::BaseUrl => "base_url",
        Step::Connection => "connection",
        Step::Token => "token",
        Step::WabaId => "waba_id",
        Step::PhoneNumberId => "phone_number_id",
    }
}

fn with(mut fields: Map<String, Value>, pairs: &[String]) -> Result<Account, Failure> {
    settings::assign(&mut fields, ACCOUNT, pairs)?;
    serde_json::from_value(Value::Object(fields)).map_err(|error| Failure::internal(&error))
}
