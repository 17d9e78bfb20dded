//! The clock of this machine, the API, and the sweep of every minute.

use std::time::Duration;

use domain::primitives::cause::chain;
use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::DATE;

use super::report::Report;
use crate::output::moment;
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
    let lang = report.lang;
    match api_time(stack).await {
        Ok(Some(theirs)) => {
            report.good("api", stack.api_url(), lang.of("risponde", "answers"));
            let skew = stack.clock.now().duration_since(theirs);
            let seconds = skew.as_secs();
            if skew.abs() > SKEW_MAX {
                report.finding(
                    "clock",
                    "",
                    lang.of(
                        format!("l'orologio di questo computer differisce di {seconds} s da quello dell'API"),
                        format!("the clock of this computer differs by {seconds} s from that of the API"),
                    ),
                    lang.of("sincronizzare l'orologio (NTP)", "synchronise the clock (NTP)"),
                );
            } else {
                report.good("clock", "", lang.of(format!("differenza {seconds} s"), format!("difference {seconds} s")));
            }
        }
        Ok(None) => report.good("api", stack.api_url(), lang.of("risponde, senza ora", "answers, without a time")),
        Err(cause) => report.finding(
            "api",
            stack.api_url(),
            cause,
            lang.of(
                "nessun evento può arrivare: verificare DNS, certificato e dominio dello stack",
                "no event can arrive: check the DNS, the certificate and the domain of the stack",
            ),
        ),
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
    let lang = report.lang;
    let advice = "docs/runbooks/lateness.md";
    let sweep = match stack.schedule.last_sweep().await {
        Ok(Some(sweep)) => sweep,
        Ok(None) => {
            let never = lang.of("non è mai stato registrato", "none was ever recorded");
            return report.finding("sweep", "", never, advice);
        }
        Err(error) => return report.finding("sweep", "", chain(&error), advice),
    };
    let at = moment(sweep.at);
    if stack.clock.now().duration_since(sweep.at) > SWEEP_AGE_MAX {
        let old = lang.of(format!("l'ultimo è delle {at}"), format!("the last one was at {at}"));
        report.finding("sweep", "", old, advice);
    } else if sweep.failed {
        let failed = lang.of(format!("fallito in parte alle {at}"), format!("a part failed at {at}"));
        report.finding("sweep", "", failed, advice);
    } else if sweep.late_s > LATE_MAX_S {
        let late_s = sweep.late_s;
        let late = lang.of(format!("in ritardo di {late_s} s"), format!("late by {late_s} s"));
        report.finding("sweep", "", late, advice);
    } else {
        let late_s = sweep.late_s;
        let detail = lang.of(format!("alle {at}, ritardo {late_s} s"), format!("at {at}, {late_s} s late"));
        report.good("sweep", "", detail);
    }
}
