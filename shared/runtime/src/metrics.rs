//! Metrics: lines of the log that CloudWatch reads as numbers (its embedded metric format), so that no call and no agent
//! is needed. They are written only where Lambda logs JSON; nobody reads them elsewhere.
//!
//! CloudWatch may count a line twice, and bills each combination of dimensions: the only one is the stack.

use std::io::Write;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::env::Environment;

/// Where CloudWatch files the metrics.
const NAMESPACE: &str = "PasswebWhatsApp";

/// A metric's unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A number of things.
    Count,
    /// A time.
    Seconds,
}

/// The metrics of a stack; `None`: they are not written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    stack: Option<String>,
}

impl Metrics {
    /// The metrics of a stack, as the function's environment has them.
    #[must_use]
    pub fn of(environment: &Environment, stack: &str) -> Self {
        let is_json =
            environment.optional("AWS_LAMBDA_LOG_FORMAT").is_some_and(|name| name.eq_ignore_ascii_case("json"));
        Self { stack: is_json.then(|| stack.to_owned()) }
    }

    /// Writes the values of a moment.
    pub fn write(&self, values: &[(&str, Unit, i64)], now: Timestamp) {
        let Some(stack) = &self.stack else { return };
        // Where the log cannot be written nothing can be said of it either.
        let _ = writeln!(std::io::stdout().lock(), "{}", line(stack, values, now));
    }
}

/// The line of some values, as CloudWatch wants it.
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
    fn a_line_is_what_cloudwatch_reads() {
        let now = "2026-11-24T10:00:00Z".parse().unwrap();
        let line = line("shop", &[("Lateness", Unit::Seconds, 12), ("Fired", Unit::Count, 3)], now);
        insta::assert_snapshot!(line, @r#"{"Fired":3,"Lateness":12,"Stack":"shop","_aws":{"CloudWatchMetrics":[{"Dimensions":[["Stack"]],"Metrics":[{"Name":"Lateness","Unit":"Seconds"},{"Name":"Fired","Unit":"Count"}],"Namespace":"PasswebWhatsApp"}],"Timestamp":1795514400000}}"#);
    }

    #[test]
    fn they_are_written_where_lambda_logs_json() {
        let of = |format| Metrics::of(&Environment::of(&[("AWS_LAMBDA_LOG_FORMAT", format)]), "shop");
        assert_eq!(of("JSON"), Metrics { stack: Some("shop".to_owned()) });
        assert_eq!(of("Text"), Metrics::default());
        assert_eq!(Metrics::of(&Environment::of(&[]), "shop"), Metrics::default());
    }
}
