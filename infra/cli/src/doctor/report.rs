//! The checklist: what was checked, and what to do.

use serde_json::{Value, json};

use crate::output::{Lang, wrapped};

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
    pub(super) lang: Lang,
    checks: Vec<Check>,
}

impl Report {
    pub(super) fn new(lang: Lang) -> Self {
        Self { lang, checks: Vec::new() }
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
        let mut text: String = self.checks.iter().map(|check| self.line(check)).collect();
        let (all, findings) = (self.checks.len(), self.findings());
        text += &self.lang.of(
            format!("Controlli: {all}, problemi: {findings}.\n"),
            format!("Checks: {all}, findings: {findings}.\n"),
        );
        text
    }

    fn line(&self, check: &Check) -> String {
        let title = format!("{} {}", self.title(check.name), check.subject);
        let (mark, detail, advice) = match &check.outcome {
            Outcome::Good(detail) => ("ok", detail, None),
            Outcome::Finding { problem, advice } => (self.lang.of("PROBLEMA", "FINDING"), problem, Some(advice)),
        };
        let head = format!("{mark:INDENT$}{}: {detail}", title.trim_end());
        let mut lines = indented(&head);
        if let Some(advice) = advice {
            lines += &remedy(&format!("{} {advice}", self.lang.of("Rimedio:", "Remedy:")));
        }
        lines
    }

    /// Returns the name of a check for people.
    fn title(&self, name: &'static str) -> &'static str {
        let titles = match name {
            "account" => ["account", "account"],
            "api" => ["API", "API"],
            "clock" => ["orologio", "clock"],
            "concurrency" => ["esecuzioni", "executions"],
            "credentials" => ["credenziali", "credentials"],
            "dead_letters" => ["scarti", "dead letters"],
            "function" => ["funzione", "function"],
            "key" => ["chiave API", "API key"],
            "local_run" => ["prova locale", "local run"],
            "mapping" => ["azione", "mapping"],
            "queue" => ["coda", "queue"],
            "secret" => ["segreto", "secret"],
            "site" => ["sito", "site"],
            "stack" => ["stack", "stack"],
            "sweep" => ["passaggio ogni minuto", "sweep"],
            "table" => ["tabella", "table"],
            "template_sync" => ["lettura dei template", "template sync"],
            "versions" => ["versioni", "versions"],
            "webhook" => ["webhook", "webhook"],
            other => [other, other],
        };
        let [italian, english] = titles;
        self.lang.of(italian, english)
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
    use super::*;

    #[test]
    fn a_finding_has_its_remedy_below_it() {
        let mut report = Report::new(Lang::En);
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
        let mut report = Report::new(Lang::It);
        report.finding("queue", "eventi", "parola ".repeat(20), "rimedio");
        let text = report.words();
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert!(text.starts_with("PROBLEMA  coda eventi: parola"), "{text}");
        assert!(text.lines().nth(1).is_some_and(|line| line.starts_with("          parola")), "{text}");
    }
}
