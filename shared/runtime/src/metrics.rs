//! Metrics in CloudWatch's embedded metric format: log lines that CloudWatch reads as numbers, without a call or an
//! agent. They are written only where Lambda logs JSON, since nothing reads them elsewhere.
//!
//! An invocation counts while it works, and writes everything at its end. A process of Lambda handles one invocation at
//! a time. CloudWatch may count a line twice. It bills each combination of dimensions, so no metric has a site.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::env::Environment;

/// The CloudWatch namespace of the metrics.
const NAMESPACE: &str = "PasswebWhatsApp";
/// Maximum number of values of a metric in one line.
const VALUES_MAX: usize = 100;

/// A metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Events that SQS accepted.
    EventsAccepted,
    /// Requests and events of a batch that were refused.
    EventsRefused,
    /// Webhooks that SQS accepted.
    WebhooksAccepted,
    /// Webhooks that were refused.
    WebhooksRefused,
    /// Messages that the provider accepted.
    MessagesSent,
    /// Messages that were refused for good, or that failed later.
    MessagesFailed,
    /// Messages that were decided not to be sent.
    MessagesSkipped,
    /// Times that a message began to wait.
    MessagesWaiting,
    /// Messages with an unknown outcome.
    MessagesUnknown,
    /// Records that became dead letters.
    DeadLetters,
    /// Accounts that were stopped.
    AccountsStopped,
    /// Durations of the provider's calls.
    ProviderLatency,
    /// Records of the batches.
    BatchRecords,
    /// Time left at the end of the invocation.
    TimeLeft,
    /// The greatest delay between the due time of an item and its sweep.
    Lateness,
    /// Items that were due.
    Fired,
    /// Messages released from the lane of their account.
    Released,
    /// Accounts whose templates could not be read.
    SyncFailures,
    /// The age of the oldest last successful sync of an account.
    SyncAge,
}

impl Metric {
    /// All metrics.
    pub const ALL: [Self; 19] = [
        Self::EventsAccepted,
        Self::EventsRefused,
        Self::WebhooksAccepted,
        Self::WebhooksRefused,
        Self::MessagesSent,
        Self::MessagesFailed,
        Self::MessagesSkipped,
        Self::MessagesWaiting,
        Self::MessagesUnknown,
        Self::DeadLetters,
        Self::AccountsStopped,
        Self::ProviderLatency,
        Self::BatchRecords,
        Self::TimeLeft,
        Self::Lateness,
        Self::Fired,
        Self::Released,
        Self::SyncFailures,
        Self::SyncAge,
    ];

    /// Returns the name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EventsAccepted => "EventsAccepted",
            Self::EventsRefused => "EventsRefused",
            Self::WebhooksAccepted => "WebhooksAccepted",
            Self::WebhooksRefused => "WebhooksRefused",
            Self::MessagesSent => "MessagesSent",
            Self::MessagesFailed => "MessagesFailed",
            Self::MessagesSkipped => "MessagesSkipped",
            Self::MessagesWaiting => "MessagesWaiting",
            Self::MessagesUnknown => "MessagesUnknown",
            Self::DeadLetters => "DeadLetters",
            Self::AccountsStopped => "AccountsStopped",
            Self::ProviderLatency => "ProviderLatency",
            Self::BatchRecords => "BatchRecords",
            Self::TimeLeft => "TimeLeft",
            Self::Lateness => "Lateness",
            Self::Fired => "Fired",
            Self::Released => "Released",
            Self::SyncFailures => "SyncFailures",
            Self::SyncAge => "SyncAge",
        }
    }

    /// Returns the unit, as CloudWatch names it.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::ProviderLatency | Self::TimeLeft => "Milliseconds",
            Self::Lateness | Self::SyncAge => "Seconds",
            _ => "Count",
        }
    }

    /// Returns the dimension that the metric has in addition to the stack and the function.
    #[must_use]
    pub const fn detail(self) -> Option<&'static str> {
        match self {
            Self::EventsRefused | Self::WebhooksRefused => Some("Problem"),
            Self::MessagesFailed => Some("Class"),
            Self::MessagesSkipped => Some("Reason"),
            Self::MessagesWaiting => Some("Why"),
            Self::DeadLetters => Some("Queue"),
            _ => None,
        }
    }
}

/// The metrics of a function. Clones share their counts.
#[derive(Clone, Debug)]
pub struct Metrics {
    function: &'static str,
    /// `None` if nothing reads the metrics.
    stack: Option<String>,
    counted: Arc<Mutex<Counted>>,
    /// The lines written so far, if a test keeps them.
    kept: Option<Arc<Mutex<Vec<Value>>>>,
}

/// The values of an invocation so far.
#[derive(Debug, Default)]
struct Counted {
    values: BTreeMap<Metric, Vec<i64>>,
    /// Counts by the value of the metric's own dimension.
    by_detail: BTreeMap<(Metric, String), i64>,
}

impl Metrics {
    /// Creates the metrics of a function, according to its environment.
    #[must_use]
    pub fn of(environment: &Environment, stack: &str, function: &'static str) -> Self {
        let is_json =
            environment.optional("AWS_LAMBDA_LOG_FORMAT").is_some_and(|name| name.eq_ignore_ascii_case("json"));
        Self { function, stack: is_json.then(|| stack.to_owned()), counted: Arc::default(), kept: None }
    }

    /// Creates metrics whose lines are kept and returned by [`Self::written`]. For tests.
    #[must_use]
    pub fn kept(stack: &str, function: &'static str) -> Self {
        Self { function, stack: Some(stack.to_owned()), counted: Arc::default(), kept: Some(Arc::default()) }
    }

    /// Adds to the count of a metric without a dimension of its own.
    pub fn count(&self, metric: Metric, count: usize) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        if let Some(sum) = self.counted().values.entry(metric).or_insert_with(|| vec![0]).first_mut() {
            *sum = sum.saturating_add(count);
        }
    }

    /// Adds one to the count of a metric with this value of its own dimension.
    pub fn count_by(&self, metric: Metric, detail: impl Into<String>) {
        let mut counted = self.counted();
        let sum = counted.by_detail.entry((metric, detail.into())).or_default();
        *sum = sum.saturating_add(1);
    }

    /// Adds a measured value.
    pub fn measure(&self, metric: Metric, value: i64) {
        self.counted().values.entry(metric).or_default().push(value);
    }

    /// Writes everything that was counted, and begins anew.
    pub fn flush(&self, now: Timestamp) {
        let lines = self.lines(now);
        if let Some(kept) = &self.kept {
            kept.lock().unwrap_or_else(PoisonError::into_inner).extend(lines);
            return;
        }
        let mut log = std::io::stdout().lock();
        for line in lines {
            // If the log cannot be written, the failure cannot be logged either.
            let _ = writeln!(log, "{line}");
        }
    }

    /// Returns the lines that were kept so far.
    #[must_use]
    pub fn written(&self) -> Vec<Value> {
        let kept = self.kept.as_ref().map(|kept| kept.lock().unwrap_or_else(PoisonError::into_inner).clone());
        kept.unwrap_or_default()
    }

    /// Returns the lines with everything that was counted, and begins anew.
    fn lines(&self, now: Timestamp) -> Vec<Value> {
        let Counted { values, by_detail } = std::mem::take(&mut *self.counted());
        let Some(stack) = &self.stack else { return Vec::new() };
        let line = |dimension: Option<(&str, &str)>, metrics: &[(Metric, &[i64])]| {
            let mut line = Map::from_iter([
                ("Stack".to_owned(), json!(stack)),
                ("Function".to_owned(), json!(self.function)),
                ("_aws".to_owned(), header(dimension.map(|(name, _)| name), metrics, now)),
            ]);
            line.extend(dimension.map(|(name, value)| (name.to_owned(), json!(value))));
            line.extend(metrics.iter().map(|(metric, values)| (metric.name().to_owned(), of_values(values))));
            Value::Object(line)
        };
        let mut lines = Vec::new();
        let parts = values.values().map(|values| values.len().div_ceil(VALUES_MAX)).max().unwrap_or(0);
        for part in 0..parts {
            let metrics: Vec<(Metric, &[i64])> = values
                .iter()
                .filter_map(|(metric, values)| Some((*metric, values.chunks(VALUES_MAX).nth(part)?)))
                .collect();
            lines.push(line(None, &metrics));
        }
        for ((metric, detail), count) in &by_detail {
            let dimension = metric.detail().map(|name| (name, detail.as_str()));
            lines.push(line(dimension, &[(*metric, &[*count])]));
        }
        lines
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Metrics are equal if they are those of the same function of the same stack.
impl PartialEq for Metrics {
    fn eq(&self, other: &Self) -> bool {
        (self.function, &self.stack) == (other.function, &other.stack)
    }
}

impl Eq for Metrics {}

/// Returns the part of a line that makes CloudWatch read it.
fn header(detail: Option<&str>, metrics: &[(Metric, &[i64])], now: Timestamp) -> Value {
    let own = detail.map(|detail| vec!["Stack", "Function", detail]);
    let dimensions: Vec<Vec<&str>> = std::iter::once(vec!["Stack", "Function"]).chain(own).collect();
    let metrics: Vec<Value> =
        metrics.iter().map(|(metric, _)| json!({"Name": metric.name(), "Unit": metric.unit()})).collect();
    json!({
        "Timestamp": now.as_millisecond(),
        "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": metrics}],
    })
}

/// Returns a value alone, and several values as a list.
fn of_values(values: &[i64]) -> Value {
    match values {
        [value] => json!(value),
        values => json!(values),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-24T10:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_metrics_line_has_the_cloudwatch_format() {
        let metrics = Metrics::kept("shop", "fire-reminders");
        metrics.measure(Metric::Lateness, 12);
        metrics.count(Metric::Fired, 2);
        metrics.count(Metric::Fired, 1);
        metrics.count_by(Metric::MessagesSkipped, "opted_out");
        metrics.count_by(Metric::MessagesSkipped, "expired");
        metrics.count_by(Metric::MessagesSkipped, "expired");
        let lines: Vec<String> = metrics.lines(now()).iter().map(Value::to_string).collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        {"Fired":3,"Function":"fire-reminders","Lateness":12,"Stack":"shop","_aws":{"CloudWatchMetrics":[{"Dimensions":[["Stack","Function"]],"Metrics":[{"Name":"Lateness","Unit":"Seconds"},{"Name":"Fired","Unit":"Count"}],"Namespace":"PasswebWhatsApp"}],"Timestamp":1795514400000}}
        {"Function":"fire-reminders","MessagesSkipped":2,"Reason":"expired","Stack":"shop","_aws":{"CloudWatchMetrics":[{"Dimensions":[["Stack","Function"],["Stack","Function","Reason"]],"Metrics":[{"Name":"MessagesSkipped","Unit":"Count"}],"Namespace":"PasswebWhatsApp"}],"Timestamp":1795514400000}}
        {"Function":"fire-reminders","MessagesSkipped":1,"Reason":"opted_out","Stack":"shop","_aws":{"CloudWatchMetrics":[{"Dimensions":[["Stack","Function"],["Stack","Function","Reason"]],"Metrics":[{"Name":"MessagesSkipped","Unit":"Count"}],"Namespace":"PasswebWhatsApp"}],"Timestamp":1795514400000}}
        "#);
        assert!(metrics.lines(now()).is_empty(), "the next invocation begins anew");
    }

    #[test]
    fn a_line_has_at_most_a_hundred_values_of_a_metric() {
        let metrics = Metrics::kept("shop", "send-message");
        (0..250).for_each(|value| metrics.measure(Metric::ProviderLatency, value));
        metrics.count(Metric::MessagesSent, 250);
        let lines = metrics.lines(now());
        let lengths = lines.iter().map(|line| line["ProviderLatency"].as_array().unwrap().len());
        assert_eq!(lengths.collect::<Vec<_>>(), [100, 100, 50]);
        let sent: Vec<&Value> = lines.iter().filter_map(|line| line.get("MessagesSent")).collect();
        assert_eq!(sent, [250]);
    }

    #[test]
    fn the_names_are_those_of_the_documents() {
        let row = |metric: Metric| format!("{} {} {}", metric.name(), metric.unit(), metric.detail().unwrap_or("-"));
        insta::assert_snapshot!(Metric::ALL.map(row).join("\n"), @r#"
        EventsAccepted Count -
        EventsRefused Count Problem
        WebhooksAccepted Count -
        WebhooksRefused Count Problem
        MessagesSent Count -
        MessagesFailed Count Class
        MessagesSkipped Count Reason
        MessagesWaiting Count Why
        MessagesUnknown Count -
        DeadLetters Count Queue
        AccountsStopped Count -
        ProviderLatency Milliseconds -
        BatchRecords Count -
        TimeLeft Milliseconds -
        Lateness Seconds -
        Fired Count -
        Released Count -
        SyncFailures Count -
        SyncAge Seconds -
        "#);
    }

    #[test]
    fn metrics_are_written_only_where_lambda_logs_json() {
        let of = |format| Metrics::of(&Environment::of(&[("AWS_LAMBDA_LOG_FORMAT", format)]), "shop", "f");
        for (format, lines) in [("JSON", 1), ("json", 1), ("Text", 0), ("", 0)] {
            let metrics = of(format);
            metrics.count(Metric::Fired, 1);
            assert_eq!(metrics.lines(now()).len(), lines, "{format}");
        }
    }
}
