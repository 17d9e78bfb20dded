//! Tables, queues and the secret of the pseudonyms.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{PointInTimeRecoveryStatus, TableStatus, TimeToLiveStatus};
use aws_sdk_sqs::types::QueueAttributeName;
use domain::primitives::cause::chain;
use serde_json::Value;

use super::report::Report;
use crate::stack::Stack;

/// What is wrong with a table.
enum Fault {
    /// It does not answer, or it is not active.
    Unusable(String),
    /// Old items are not removed.
    NoExpiry,
    /// It cannot be restored to an earlier time.
    NoRecovery,
}

/// Checks the four tables.
pub(super) async fn tables(stack: &Stack, on_aws: bool, report: &mut Report) {
    let texts = report.texts;
    for (name, table) in stack.tables() {
        match table_fault(stack, name, table, on_aws).await {
            None => report.good("table", name, texts.doctor_table_active()),
            Some(Fault::Unusable(cause)) => report.finding("table", name, cause, texts.doctor_table_unusable()),
            Some(Fault::NoExpiry) => report.finding(
                "table",
                name,
                texts.doctor_no_expiry(),
                format!(
                    "aws dynamodb update-time-to-live --table-name {table} --time-to-live-specification \
                     Enabled=true,AttributeName=expires_at"
                ),
            ),
            Some(Fault::NoRecovery) => report.finding(
                "table",
                name,
                texts.doctor_no_recovery(),
                format!(
                    "aws dynamodb update-continuous-backups --table-name {table} \
                     --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true"
                ),
            ),
        }
    }
}

async fn table_fault(stack: &Stack, name: &str, table: &str, on_aws: bool) -> Option<Fault> {
    let described = match stack.dynamodb.describe_table().table_name(table).send().await {
        Ok(described) => described.table?,
        Err(error) => return Some(Fault::Unusable(chain(&error))),
    };
    let status = described.table_status().unwrap_or(&TableStatus::Active);
    // A table that is being updated answers.
    if !matches!(status, TableStatus::Active | TableStatus::Updating) {
        return Some(Fault::Unusable(status.to_string()));
    }
    // The local run removes nothing and keeps no backups.
    if !on_aws {
        return None;
    }
    if ["Contacts", "Ledger"].contains(&name) {
        let expiry = match stack.dynamodb.describe_time_to_live().table_name(table).send().await {
            Ok(answer) => answer.time_to_live_description.and_then(|expiry| expiry.time_to_live_status),
            Err(error) => return Some(Fault::Unusable(chain(&error))),
        };
        if !matches!(expiry, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)) {
            return Some(Fault::NoExpiry);
        }
    }
    match stack.dynamodb.describe_continuous_backups().table_name(table).send().await {
        Ok(answer) => {
            let backups = answer.continuous_backups_description;
            let recovery = backups.and_then(|backups| backups.point_in_time_recovery_description);
            let status = recovery.and_then(|recovery| recovery.point_in_time_recovery_status);
            (status != Some(PointInTimeRecoveryStatus::Enabled)).then_some(Fault::NoRecovery)
        }
        Err(error) => Some(Fault::Unusable(chain(&error))),
    }
}

/// The numbers of a queue.
struct Depth {
    visible: u64,
    in_flight: u64,
    delayed: u64,
    /// The name of the queue of its dead letters.
    dead_queue: Option<String>,
}

/// Checks both queues and the dead-letter queue that they share.
pub(super) async fn queues(stack: &Stack, report: &mut Report) {
    let mut dead = BTreeSet::new();
    for (name, url) in stack.queue_urls() {
        let depth = match depth(stack, url).await {
            Ok(depth) => depth,
            Err(cause) => {
                unreadable(name, cause, report);
                continue;
            }
        };
        let Depth { visible, in_flight, delayed, dead_queue } = depth;
        let detail = report.texts.doctor_queue_depth(visible, in_flight, delayed);
        report.good("queue", name, detail);
        match dead_queue {
            Some(name) => drop(dead.insert(name)),
            None => {
                report.finding("queue", name, report.texts.doctor_no_dead_queue(), report.texts.doctor_deploy_again())
            }
        }
    }
    for name in dead {
        match stack.sqs.get_queue_url().queue_name(&name).send().await {
            Ok(answer) => dead_letters(stack, &name, answer.queue_url().unwrap_or_default(), report).await,
            Err(error) => unreadable(&name, chain(&error), report),
        }
    }
}

/// Checks a dead-letter queue. Its records are written into the ledger at once, so it is normally empty.
pub(super) async fn dead_letters(stack: &Stack, name: &str, url: &str, report: &mut Report) {
    match depth(stack, url).await {
        Ok(Depth { visible: 0, .. }) => {}
        Ok(Depth { visible, .. }) => report.finding(
            "queue",
            name,
            report.texts.doctor_dead_waiting(visible),
            "docs/runbooks/dead-letter-queues.md",
        ),
        Err(cause) => unreadable(name, cause, report),
    }
}

/// Checks a queue that only holds what failed.
pub(super) async fn failures(stack: &Stack, name: &'static str, url: &str, report: &mut Report) {
    match depth(stack, url).await {
        Ok(Depth { visible: 0, .. }) => report.good("queue", name, report.texts.doctor_queue_empty()),
        Ok(Depth { visible, .. }) => {
            report.finding("queue", name, report.texts.doctor_runs_failed(visible), "docs/runbooks/missed-sweeps.md")
        }
        Err(cause) => unreadable(name, cause, report),
    }
}

fn unreadable(name: &str, cause: String, report: &mut Report) {
    let advice = report.texts.doctor_queue_missing();
    report.finding("queue", name, cause, advice);
}

async fn depth(stack: &Stack, url: &str) -> Result<Depth, String> {
    let request = stack.sqs.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::All);
    let answer = request.send().await.map_err(|error| chain(&error))?;
    let attribute = |name: QueueAttributeName| answer.attributes().and_then(|all| all.get(&name)).map(String::as_str);
    let count = |name| attribute(name).and_then(|text| text.parse().ok()).unwrap_or_default();
    let redrive = attribute(QueueAttributeName::RedrivePolicy).and_then(|text| serde_json::from_str(text).ok());
    let redrive: Value = redrive.unwrap_or_default();
    let arn = redrive.get("deadLetterTargetArn").and_then(Value::as_str);
    Ok(Depth {
        visible: count(QueueAttributeName::ApproximateNumberOfMessages),
        in_flight: count(QueueAttributeName::ApproximateNumberOfMessagesNotVisible),
        delayed: count(QueueAttributeName::ApproximateNumberOfMessagesDelayed),
        dead_queue: arn.and_then(|arn| arn.rsplit(':').next()).map(str::to_owned),
    })
}

/// Checks the secret from which the pseudonyms of numbers are computed. It is never rotated, so its age is no finding.
pub(super) async fn keys(stack: &Stack, report: &mut Report) {
    let texts = report.texts;
    let read = stack.contact_secret().await;
    let name = stack.secret_name("keys");
    match (read, stack.secret_changed_at(&name).await) {
        (Ok(_), Ok(Some(at))) => {
            let created = report.day(at);
            report.good("secret", "keys", texts.doctor_created(created));
        }
        (Ok(_), Ok(None)) => report.good("secret", "keys", ""),
        (Err(failure), _) | (Ok(_), Err(failure)) => {
            report.finding("secret", "keys", failure.words(texts), texts.doctor_no_pseudonyms())
        }
    }
}
