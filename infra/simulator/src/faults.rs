//! Ordered faults, which the next sends encounter instead of a working platform.

use serde::Deserialize;

use crate::graph_error::GraphError;

/// The longest delay that can be ordered. It exceeds any client timeout.
const DELAY_MS_MAX: u64 = 600_000;

/// A fault as posted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Posted {
    #[serde(default = "once")]
    count: u64,
    #[serde(rename = "match", default)]
    only: Match,
    effect: PostedEffect,
}

fn once() -> u64 {
    1
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Match {
    to: Option<String>,
    template: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum PostedEffect {
    Error(PostedError),
    AcceptThenCut(bool),
    CutBefore(bool),
    DelayMs(u64),
    FailLater(PostedFailure),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PostedError {
    status: Option<u16>,
    code: i64,
    details: Option<String>,
    #[serde(default)]
    accepted: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PostedFailure {
    code: i64,
}

/// The effect of a fault on a send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Refuses any send with this error.
    Error(GraphError),
    /// Accepts the send but answers with this error.
    AcceptThenError(GraphError),
    /// Accepts the send, then closes the connection without an answer.
    AcceptThenCut,
    /// Closes the connection without processing the send or answering.
    CutBefore,
    /// Processes the send normally and delays the answer by this many milliseconds.
    Delay(u64),
    /// Accepts the send, then reports it as failed with this code.
    FailLater(i64),
}

struct Fault {
    left: u64,
    to: Option<String>,
    template: Option<String>,
    effect: Effect,
}

/// The pending faults, in posting order.
#[derive(Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    /// Adds a fault from its JSON and returns the number of pending faults. The error describes the problem.
    pub(crate) fn post(&mut self, json: &[u8]) -> Result<usize, String> {
        let posted: Posted = serde_json::from_slice(json).map_err(|error| format!("not a fault: {error}"))?;
        if posted.count == 0 {
            return Err("count must be at least 1".into());
        }
        self.0.push(Fault {
            left: posted.count,
            to: posted.only.to.as_deref().map(digits),
            template: posted.only.template,
            effect: effect(posted.effect)?,
        });
        Ok(self.0.len())
    }

    /// Returns the first fault that matches this send, with its index for [`Faults::spend`].
    pub(crate) fn find(&self, to: Option<&str>, template: Option<&str>) -> Option<(usize, Effect)> {
        let to = to.map(digits);
        self.0.iter().enumerate().find_map(|(index, fault)| {
            let concerns = (fault.to.is_none() || fault.to == to)
                && (fault.template.is_none() || fault.template.as_deref() == template);
            concerns.then(|| (index, fault.effect.clone()))
        })
    }

    /// Counts one use of the fault at `index` and removes the fault after its last use.
    pub(crate) fn spend(&mut self, index: usize) {
        if let Some(fault) = self.0.get_mut(index) {
            fault.left -= 1;
            if fault.left == 0 {
                self.0.remove(index);
            }
        }
    }
}

fn effect(posted: PostedEffect) -> Result<Effect, String> {
    match posted {
        PostedEffect::Error(PostedError { status, code, details, accepted }) => match status {
            Some(status) if !(200..=599).contains(&status) => Err("error.status must lie between 200 and 599".into()),
            _ if accepted => Ok(Effect::AcceptThenError(GraphError::ordered(status, code, details))),
            _ => Ok(Effect::Error(GraphError::ordered(status, code, details))),
        },
        PostedEffect::AcceptThenCut(true) => Ok(Effect::AcceptThenCut),
        PostedEffect::CutBefore(true) => Ok(Effect::CutBefore),
        PostedEffect::AcceptThenCut(false) | PostedEffect::CutBefore(false) => {
            Err("a cut is ordered with true; leave the fault out for none".into())
        }
        PostedEffect::DelayMs(ms) if ms > DELAY_MS_MAX => Err(format!("delay_ms must be at most {DELAY_MS_MAX}")),
        PostedEffect::DelayMs(ms) => Ok(Effect::Delay(ms)),
        PostedEffect::FailLater(PostedFailure { code }) => Ok(Effect::FailLater(code)),
    }
}

/// Returns the digits of a number, so that `+39 340 …` and `+39340…` are one recipient.
fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(posted: &[&str]) -> Faults {
        let mut faults = Faults::default();
        for json in posted {
            faults.post(json.as_bytes()).unwrap();
        }
        faults
    }

    #[track_caller]
    fn refused(json: &str, expected: &str) {
        let reason = Faults::default().post(json.as_bytes()).unwrap_err();
        assert!(reason.contains(expected), "{reason}");
    }

    #[test]
    fn the_first_matching_fault_applies_until_it_is_spent() {
        let mut faults = faults(&[
            r#"{"count":2,"match":{"to":"+39 340 1"},"effect":{"cut_before":true}}"#,
            r#"{"match":{"template":"ordine"},"effect":{"delay_ms":5}}"#,
            r#"{"match":{"template":"promo"},"effect":{"fail_later":{"code":131026}}}"#,
            r#"{"effect":{"accept_then_cut":true}}"#,
        ]);
        for _ in 0..2 {
            let (index, effect) = faults.find(Some("+393401"), Some("ordine")).unwrap();
            assert_eq!(effect, Effect::CutBefore);
            faults.spend(index);
        }
        assert_eq!(faults.find(Some("+393401"), Some("ordine")).unwrap().1, Effect::Delay(5));
        assert_eq!(faults.find(Some("+393401"), Some("promo")).unwrap().1, Effect::FailLater(131026));
        assert_eq!(faults.find(Some("+393401"), Some("altro")).unwrap().1, Effect::AcceptThenCut);
        assert_eq!(faults.find(None, None).unwrap().1, Effect::AcceptThenCut);
    }

    #[test]
    fn an_invalid_body_is_refused_with_a_reason() {
        refused("{", "not a fault");
        refused(r#"{"effect":{"explode":true}}"#, "unknown variant `explode`");
        refused(r#"{"effekt":{"cut_before":true}}"#, "unknown field `effekt`");
        refused(r#"{"match":{"from":"1"},"effect":{"cut_before":true}}"#, "unknown field `from`");
        refused(r#"{"count":0,"effect":{"cut_before":true}}"#, "count");
        refused(r#"{"count":-1,"effect":{"cut_before":true}}"#, "not a fault");
        refused(r#"{"effect":{"cut_before":false}}"#, "true");
        refused(r#"{"effect":{"delay_ms":600001}}"#, "at most");
        refused(r#"{"effect":{"error":{"status":199,"code":1}}}"#, "status");
        refused(r#"{"effect":{"fail_later":{}}}"#, "missing field `code`");
    }
}
