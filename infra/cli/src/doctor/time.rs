//! The clock of this machine, the API, and the sweep of every minute.

use std::time::Duration;

use domain::primitives::cause::chain;
use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::DATE;

use super::report::Report;
use crate::stack::Stack;

/// Timeout of the call to the API.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Greatest difference between this clock and the API's. AWS refuses requests with five minutes.
const SKEW_MAX: SignedDuration = SignedDuration::from_secs(60);
/// The sweep runs each minute. Two may be missing while a new version is deployed.
const SWEEP_AGE_MAX: SignedDuration = SignedDuration::from_mins(3);
/// Greatest delay of an item, as in the alarm.
const LATE_MAX_S: i64 = 300;

/// Checks that the API answers, and compares its time with this machine's. The clock decides from when on a mapping
/// applies, and AWS refuses requests that are signed with a wrong time.
pub(super) async fn clock(stack: &Stack, report: &mut Report) {
    let texts = report.texts;
    match api_time(stack).await {
        Ok(Some(theirs)) => {
            report.good("api", stack.api_url(), texts.doctor_answers());
            let skew = stack.clock.now().duration_since(theirs);
            let seconds = skew.as_secs();
            if skew.abs() > SKEW_MAX {
                report.finding("clock", "", texts.doctor_clock_wrong(seconds), texts.doctor_set_clock());
            } else {
                report.good("clock", "", texts.doctor_clock_right(seconds));
            }
        }
        Ok(None) => report.good("api", stack.api_url(), texts.doctor_answers_no_time()),
        Err(cause) => report.finding("api", stack.api_url(), cause, texts.doctor_check_dns()),
    }
}

/// Returns the time of the API's answer. Any answer will do: the path does not exist.
async fn api_time(stack: &Stack) -> Result<Option<Timestamp>, String> {
    let client = reqwest::Client::builder().timeout(TIMEOUT).build().map_err(|error| chain(&error))?;
    let answer = client.get(stack.api_url()).send().await.map_err(|error| chain(&error.without_url()))?;
    let date = answer.headers().get(DATE).and_then(|value| value.to_str().ok());
    Ok(date.and_then(|date| rfc2822::parse(date).ok()).map(|date| date.timestamp()))
}

/// Checks that the sweep runs, and that nothing is late.
pub(super) async fn sweep(stack: &Stack, report: &mut Report) {
    let texts = report.texts;
    let advice = "docs/runbooks/lateness.md";
    let sweep = match stack.schedule.last_sweep().await {
        Ok(Some(sweep)) => sweep,
        Ok(None) => {
            let never = texts.doctor_no_sweep();
            return report.finding("sweep", "", never, advice);
        }
        Err(error) => return report.finding("sweep", "", chain(&error), advice),
    };
    let at = report.moment(sweep.at);
    if stack.clock.now().duration_since(sweep.at) > SWEEP_AGE_MAX {
        let old = texts.doctor_last_sweep(at);
        report.finding("sweep", "", old, advice);
    } else if sweep.failed {
        let failed = texts.doctor_sweep_failed(at);
        report.finding("sweep", "", failed, advice);
    } else if sweep.late_s > LATE_MAX_S {
        let late_s = sweep.late_s;
        let late = texts.doctor_sweep_late(late_s);
        report.finding("sweep", "", late, advice);
    } else {
        let late_s = sweep.late_s;
        let detail = texts.doctor_sweep_right(at, late_s);
        report.good("sweep", "", detail);
    }
}
