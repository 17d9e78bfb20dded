//! Metrics in CloudWatch's embedded metric format: log lines that CloudWatch reads as numbers, without a call or an
//! agent. They are written only where Lambda logs JSON, since nothing reads them elsewhere.
//!
//! CloudWatch may count a line twice. It bills each combination of dimensions, so the stack is the only dimension.

use std::io::Write;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::env::Environment;

/// The CloudWatch namespace of the metrics.
const NAMESPACE: &str = "PasswebWhatsApp";

/// A metric's unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A count.
    Count,
    /// A duration.
    Seconds,
}

/// The metrics of a stack. With `None` they are not written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    stack: Option<String>,
}

impl Metrics {
    /// Creates the metrics of a stack, according to the function's environment.
    #[must_use]
    pub fn of(environment: &Environment, stack: &str) -> Self {
        let is_json =
            environment.optional("AWS_LAMBDA_LOG_FORMAT").is_some_and(|name| name.eq_ignore_ascii_case("json"));
        Self { stack: is_json.then(|| stack.to_owned()) }
    }

    /// Writes values measured at `now`.
    pub fn write(&self, values: &[(&str, Unit, i64)], now: Timestamp) {
        let Some(stack) = &self.stack else { return };
        // If the log cannot be written, the failure cannot be logged either.
        let _ = writeln!(std::io::stdout().lock(), "{}", line(stack, values, now));
    }
}

/// Returns the line with these values, in CloudWatch's format.
fn line(stack: &str, values: &[(&str, Unit, i64)], now: Timestamp) -> Value {
    let unit = |unit: Unit| match unit {
        Unit::Count => "Count",
        Unit::Seconds => "Seconds",
    };
    let metrics: Vec<Value> = values.iter().map(|(name, of, _)| json!({"Name": name, "Unit": unit(*of)})).collect();
    let mut line: Map<String, Value> =
        values.iter().map(|(name, _, value)| ((*name).to_owned(), json!(value))).collect();
    line.insert("Stack".to_owned(), json!(stack));
    line.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [["Stack"]], "Metrics": metrics}],
        }),
    );
    Value::Object(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metrics_line_has_the_cloudwatch_format() {
        let now = "2026-11-24T10:00:00Z".parse().unwrap();
        let line = line("shop", &[("Lateness", Unit::Seconds, 12), ("Fired", Unit::Count, 3)], now);
        insta::assert_snapshot!(line, @r#"{"Fired":3,"Lateness":12,"Stack":"shop","_aws":{"CloudWatchMetrics":[{"Dimensions":[["Stack"]],"Metrics":[{"Name":"Lateness","Unit":"Seconds"},{"Name":"Fired","Unit":"Count"}],"Namespace":"PasswebWhatsApp"}],"Timestamp":1795514400000}}"#);
    }

    #[test]
    fn metrics_are_written_only_where_lambda_logs_json() {
        let of = |format| Metrics::of(&Environment::of(&[("AWS_LAMBDA_LOG_FORMAT", format)]), "shop");
        assert_eq!(of("JSON"), Metrics { stack: Some("shop".to_owned()) });
        assert_eq!(of("Text"), Metrics::default());
        assert_eq!(Metrics::of(&Environment::of(&[]), "shop"), Metrics::default());
    }
}
