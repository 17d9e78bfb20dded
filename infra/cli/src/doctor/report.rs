//! The checklist: what was checked, and what to do.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use texts::Texts;

use crate::output::wrapped;

/// Blanks before the lines below a check.
const INDENT: usize = 10;

/// The result of one check.
enum Outcome {
    /// Nothing to do. Contains the observation.
    Good(String),
    /// Something to do.
    Finding { problem: String, advice: String },
}

/// One line of the checklist.
struct Check {
    name: &'static str,
    subject: String,
    outcome: Outcome,
}

/// The checks so far.
pub(super) struct Report {
    pub(super) texts: &'static Texts,
    /// The time zone of the site that is being checked; UTC before the first site.
    pub(super) zone: TimeZone,
    checks: Vec<Check>,
}

impl Report {
    pub(super) fn new(texts: &'static Texts) -> Self {
        Self { texts, zone: TimeZone::UTC, checks: Vec::new() }
    }

    /// Formats a timestamp.
    pub(super) fn moment(&self, at: Timestamp) -> String {
        self.texts.moment(at, &self.zone)
    }

    /// Formats the date of a timestamp.
    pub(super) fn day(&self, at: Timestamp) -> String {
        self.texts.day(at, &self.zone)
    }

    /// Records that nothing is to do.
    pub(super) fn good(&mut self, name: &'static str, subject: impl Into<String>, detail: impl Into<String>) {
        self.checks.push(Check { name, subject: subject.into(), outcome: Outcome::Good(detail.into()) });
    }

    /// Records a finding with its remedy.
    pub(super) fn finding(
        &mut self,
        name: &'static str,
        subject: impl Into<String>,
        problem: impl Into<String>,
        advice: impl Into<String>,
    ) {
        let outcome = Outcome::Finding { problem: problem.into(), advice: advice.into() };
        self.checks.push(Check { name, subject: subject.into(), outcome });
    }

    /// Returns the number of findings.
    pub(super) fn findings(&self) -> usize {
        self.checks.iter().filter(|check| matches!(check.outcome, Outcome::Finding { .. })).count()
    }

    /// Returns the checklist as JSON.
    pub(super) fn document(&self) -> Value {
        let one = |check: &Check| match &check.outcome {
            Outcome::Good(detail) => {
                json!({"check": check.name, "subject": check.subject, "result": "ok", "detail": detail})
            }
            Outcome::Finding { problem, advice } => json!({
                "check": check.name, "subject": check.subject, "result": "finding", "detail": problem, "advice": advice,
            }),
        };
        let checks: Vec<Value> = self.checks.iter().map(one).collect();
        json!({"ok": self.findings() == 0, "checks": checks})
    }

    /// Formats the checklist.
    pub(super) fn words(&self) -> String {
        let text: String = self.checks.iter().map(|check| self.line(check)).collect();
        let (all, findings) = (self.checks.len(), self.findings());
        text + &self.texts.doctor_total(all, findings) + "\n"
    }

    fn line(&self, check: &Check) -> String {
        let title = format!("{} {}", self.title(check.name), check.subject);
        let (mark, detail, advice) = match &check.outcome {
            Outcome::Good(detail) => ("ok".to_owned(), detail, None),
            Outcome::Finding { problem, advice } => (self.texts.doctor_finding(), problem, Some(advice)),
        };
        let head = format!("{mark:INDENT$}{}: {detail}", title.trim_end());
        let mut lines = indented(&head);
        if let Some(advice) = advice {
            lines += &remedy(&format!("{} {advice}", self.texts.doctor_remedy()));
        }
        lines
    }

    /// Returns the name of a check for people.
    fn title(&self, name: &'static str) -> String {
        let texts = self.texts;
        match name {
            "account" => texts.check_account(),
            "api" => texts.check_api(),
            "clock" => texts.check_clock(),
            "concurrency" => texts.check_concurrency(),
            "credentials" => texts.check_credentials(),
            "dead_letters" => texts.check_dead_letters(),
            "function" => texts.check_function(),
            "key" => texts.check_key(),
            "local_run" => texts.check_local_run(),
            "mapping" => texts.check_mapping(),
            "queue" => texts.check_queue(),
            "secret" => texts.check_secret(),
            "site" => texts.check_site(),
            "stack" => texts.check_stack(),
            "sweep" => texts.check_sweep(),
            "table" => texts.check_table(),
            "template_sync" => texts.check_template_sync(),
            "versions" => texts.check_versions(),
            "webhook" => texts.check_webhook(),
            other => other.to_owned(),
        }
    }
}

/// Formats a remedy. A command stays on one line, so that it can be copied.
fn remedy(text: &str) -> String {
    let is_command = text.contains(": aws ") || text.contains(": bridge ");
    if is_command { format!("{}{text}\n", " ".repeat(INDENT)) } else { wrapped(text, INDENT) }
}

/// Wraps a line whose continuation is indented.
fn indented(head: &str) -> String {
    let (mark, rest) = head.split_at_checked(INDENT).unwrap_or((head, ""));
    let lines = wrapped(rest, INDENT);
    format!("{mark}{}", lines.trim_start_matches(' '))
}

#[cfg(test)]
mod tests {
    use texts::Lang;

    use super::*;

    #[test]
    fn a_finding_has_its_remedy_below_it() {
        let mut report = Report::new(Lang::En.texts());
        report.good("table", "Ledger", "active");
        report.finding(
            "webhook",
            "negozio",
            "nothing has come through it since its secret was set",
            "bridge send-test",
        );
        assert_eq!(
            report.words(),
            "ok        table Ledger: active\n\
             FINDING   webhook negozio: nothing has come through it since its secret was set\n\
             \x20         Remedy: bridge send-test\n\
             Checks: 2, findings: 1.\n"
        );
    }

    #[test]
    fn a_long_finding_is_wrapped_below_its_beginning() {
        let mut report = Report::new(Lang::It.texts());
        report.finding("queue", "eventi", "parola ".repeat(20), "rimedio");
        let text = report.words();
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(text.starts_with("PROBLEMA  coda eventi: parola"), "{text}");
        assert!(text.lines().nth(1).is_some_and(|line| line.starts_with("          parola")), "{text}");
    }
}
