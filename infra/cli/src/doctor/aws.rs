//! The parts that only a stack on AWS has: credentials, the stack itself, its functions, and the account's quota.

use std::collections::BTreeSet;

use aws_config::SdkConfig;
use aws_sdk_cloudformation::types::{Stack as Described, StackStatus};
use domain::primitives::cause::chain;
use domain::queue::CONTRACT;

use super::data;
use super::report::Report;
use crate::args::Common;
use crate::failure::Failure;
use crate::stack::aws::{Outputs, connect, describe, session};
use crate::stack::{Stack, site_id};

/// The functions of a stack.
const FUNCTIONS: [&str; 5] = ["receive-event", "send-message", "track-delivery", "fire-reminders", "sync-templates"];
/// The alias that everything invokes.
const ALIAS: &str = "live";
/// The parameters with the maximum of executions of each queue's mapping.
const MAPPINGS: [&str; 3] = ["SendConcurrency", "StatusConcurrency", "DeadLetterConcurrency"];
/// Executions that need room beside the mappings: `receive-event`, the sweep, the template sync and a console.
const OTHERS: i32 = 4;

/// A stack on AWS.
pub(super) struct Aws {
    pub(super) stack: Stack,
    name: String,
    sdk: SdkConfig,
    described: Described,
    outputs: Outputs,
}

/// Opens a stack. `None` if that is a finding, which is then recorded.
///
/// # Errors
/// [`Failure::Usage`] if an option is wrong.
pub(super) async fn open(name: &str, common: &Common, report: &mut Report) -> Result<Option<Aws>, Failure> {
    let texts = report.texts;
    let site = common.site.as_deref().map(site_id).transpose()?;
    let sdk = match connect(&session(name, common)?).await {
        Ok(sdk) => sdk,
        Err(Failure::Usage(cause)) => return Err(Failure::Usage(cause)),
        Err(failure) => {
            report.finding("credentials", "", failure.words(texts), "docs/cli.md, Region and credentials");
            return Ok(None);
        }
    };
    identity(&sdk, report).await;
    let described = match describe(name, &sdk).await {
        Ok(described) => described,
        Err(failure) => {
            let advice = texts.doctor_check_name();
            report.finding("stack", name, failure.words(texts), advice);
            return Ok(None);
        }
    };
    let outputs = Outputs::of(&described);
    match outputs.names() {
        Ok(names) => {
            let stack = Stack::on(names, &sdk, site);
            Ok(Some(Aws { stack, name: name.to_owned(), sdk, described, outputs }))
        }
        Err(failure) => {
            let advice = texts.doctor_deploy_again();
            report.finding("stack", name, failure.words(texts), advice);
            Ok(None)
        }
    }
}

async fn identity(sdk: &SdkConfig, report: &mut Report) {
    match aws_sdk_sts::Client::new(sdk).get_caller_identity().send().await {
        Ok(caller) => report.good("credentials", "", caller.arn().unwrap_or_default()),
        Err(error) => report.finding("credentials", "", chain(&error), "docs/cli.md, Region and credentials"),
    }
}

pub(super) async fn check(aws: &Aws, report: &mut Report) {
    state(aws, report);
    let lambda = aws_sdk_lambda::Client::new(&aws.sdk);
    functions(aws, &lambda, report).await;
    concurrency(aws, &lambda, report).await;
    for (name, output) in [("MissedTicks", "MissedTicksUrl"), ("FailedInvocations", "FailedInvocationsUrl")] {
        if let Ok(url) = aws.outputs.get(output) {
            data::failures(&aws.stack, name, &url, report).await;
        }
    }
    // Nothing empties the queue of version 0.1.0, so the records in it need a person.
    if let Ok(url) = aws.outputs.get("StatusesDeadLettersUrl") {
        data::dead_letters(&aws.stack, "StatusesDeadLetters", &url, report).await;
    }
}

/// Checks that the last deployment succeeded.
fn state(aws: &Aws, report: &mut Report) {
    let texts = report.texts;
    match aws.described.stack_status() {
        Some(status @ (StackStatus::CreateComplete | StackStatus::UpdateComplete)) => {
            report.good("stack", &aws.name, status.as_str());
        }
        status => {
            let status = status.map_or("-", StackStatus::as_str);
            report.finding("stack", &aws.name, texts.doctor_deployment(status), texts.doctor_wait_or_read());
        }
    }
}

/// The versions that a function states in its description.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Versions {
    bridge: String,
    contract: String,
}

impl Versions {
    /// Parses a description such as `0.1.0, queue contract 1`.
    fn parse(description: &str) -> Option<Self> {
        let (bridge, contract) = description.split_once(", queue contract ")?;
        Some(Self { bridge: bridge.to_owned(), contract: contract.to_owned() })
    }
}

async fn functions(aws: &Aws, lambda: &aws_sdk_lambda::Client, report: &mut Report) {
    let texts = report.texts;
    let mut found = BTreeSet::new();
    for function in FUNCTIONS {
        let name = format!("{}-{function}", aws.name);
        match lambda.get_function_configuration().function_name(&name).qualifier(ALIAS).send().await {
            Ok(live) => {
                let description = live.description().unwrap_or_default();
                let number = live.version().unwrap_or("-");
                report.good("function", function, format!("{description} ({ALIAS}: {number})"));
                found.extend(Versions::parse(description));
            }
            Err(error) => report.finding("function", function, chain(&error), texts.doctor_function_missing()),
        }
    }
    versions(&found, report);
}

/// Compares the versions of the functions with one another and with this program.
fn versions(found: &BTreeSet<Versions>, report: &mut Report) {
    let texts = report.texts;
    let own = Versions { bridge: env!("CARGO_PKG_VERSION").to_owned(), contract: CONTRACT.to_string() };
    let contracts: BTreeSet<&String> = found.iter().map(|one| &one.contract).collect();
    let listed: Vec<&str> = found.iter().map(|one| one.bridge.as_str()).collect();
    let listed = listed.join(", ");
    if contracts.len() > 1 {
        report.finding("versions", "", texts.doctor_other_formats(), "docs/runbooks/rollback.md");
    } else if found.len() > 1 {
        let differ = texts.doctor_versions_differ(listed);
        report.finding("versions", "", differ, "docs/runbooks/rollback.md");
    } else if found.first().is_some_and(|one| *one != own) {
        let own = own.bridge;
        report.finding("versions", "", texts.doctor_other_version(own, listed), texts.doctor_same_version());
    } else if !found.is_empty() {
        report.good("versions", "", listed);
    }
}

/// Compares the account's quota with the executions that the stack can take.
async fn concurrency(aws: &Aws, lambda: &aws_sdk_lambda::Client, report: &mut Report) {
    let texts = report.texts;
    let parameter = |name: &str| {
        let parameters = aws.described.parameters().iter();
        let value = parameters.filter(|one| one.parameter_key() == Some(name)).find_map(|one| one.parameter_value());
        value.and_then(|value| value.parse::<i32>().ok()).unwrap_or_default()
    };
    let needed = MAPPINGS.into_iter().map(parameter).sum::<i32>() + OTHERS;
    match lambda.get_account_settings().send().await {
        Ok(settings) => {
            let quota = settings.account_limit.map(|limit| limit.concurrent_executions).unwrap_or_default();
            if quota < needed {
                report.finding("concurrency", "", texts.doctor_quota(quota, needed), texts.doctor_raise_quota());
            } else {
                let detail = texts.doctor_quota_right(needed, quota);
                report.good("concurrency", "", detail);
            }
        }
        Err(error) => report.finding("concurrency", "", chain(&error), texts.doctor_rights()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use texts::Lang;

    fn found(descriptions: &[&str]) -> String {
        let found = descriptions.iter().filter_map(|text| Versions::parse(text)).collect();
        let mut report = Report::new(Lang::En.texts());
        versions(&found, &mut report);
        report.words()
    }

    #[test]
    fn functions_of_one_version_agree_with_this_program() {
        let own = format!("{}, queue contract {CONTRACT}", env!("CARGO_PKG_VERSION"));
        assert!(found(&[&own, &own]).starts_with("ok        versions: "), "{}", found(&[&own]));
        let older = format!("0.0.9, queue contract {CONTRACT}");
        assert!(found(&[&own, &older]).contains("different versions: 0.0.9, "), "{}", found(&[&own, &older]));
        assert!(found(&[&older]).contains("use bridge of the same version"), "{}", found(&[&older]));
        assert!(found(&[&own, "9.0.0, queue contract 9"]).contains("different formats"));
        assert!(found(&["no version"]).starts_with("Checks: 0"));
    }
}
