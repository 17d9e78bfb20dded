//! Platform events about accounts: an account that cannot send any more, and other changes.

use domain::primitives::id::SiteId;
use domain::site::config::Account;
use domain::site::health::Cause;
use jiff::{SignedDuration, Timestamp};
use runtime::failure::Failure;
use runtime::metrics::Metric;
use store::schedule::Lane;

use crate::App;

/// Delay before the first probe, because bans and restrictions last days. A restriction that ends earlier is probed at
/// its end.
const PROBE_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// A report about an account. The fields are those of the platform event.
pub(crate) struct Report {
    pub(crate) site: SiteId,
    pub(crate) waba_id: Option<String>,
    pub(crate) phone_number_id: Option<String>,
    pub(crate) event: String,
    pub(crate) stops: bool,
    pub(crate) lifts: bool,
    pub(crate) at: Timestamp,
    pub(crate) until: Option<Timestamp>,
}

impl Report {
    /// Whether the report concerns an account: by number if it names one, otherwise by owner.
    fn is_about(&self, account: &Account) -> bool {
        match (&self.phone_number_id, &self.waba_id) {
            (Some(phone_number_id), _) => account.phone_number_id == *phone_number_id,
            (None, waba_id) => waba_id.as_ref() == Some(&account.waba_id),
        }
    }

    /// Returns the delay before the first probe. `None` if the report does not stop the account, or not any more.
    fn stops_for(&self, now: Timestamp) -> Option<SignedDuration> {
        let left = self.until.map_or(PROBE_AFTER, |until| until.duration_since(now).min(PROBE_AFTER));
        Some(left).filter(|left| self.stops && left.is_positive())
    }
}

/// Stops the accounts that cannot send any more, and probes accounts whose stop was lifted. Other reports are only
/// logged.
pub(crate) async fn apply(app: &App, report: &Report) -> Result<(), Failure> {
    let Report { site, event, lifts, at, .. } = report;
    let Some(live) = app.config.live(site).await? else { return Ok(()) };
    let now = app.clock.now();
    for account in live.accounts.iter().filter(|account| report.is_about(account)) {
        let lane = Lane { site: site.clone(), account: account.id.clone() };
        if let Some(probe_after) = report.stops_for(now) {
            let cause = Cause { code: event, by_report: true, at: *at, probe_after };
            let health = app.schedule.stop_account(&lane, cause, now).await?;
            let stopped = health.stop.is_some();
            if stopped {
                app.metrics.count(Metric::AccountsStopped, 1);
            }
            tracing::error!(%site, account = %account.id, event, stopped, "Meta reports that an account cannot send");
        } else if *lifts {
            app.schedule.reinstate_account(&lane, *at, now).await?;
            tracing::warn!(%site, account = %account.id, event, "Meta reports that an account can send again");
        } else {
            tracing::info!(%site, account = %account.id, event, "something about an account changed");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_concerns_one_number_or_every_number_of_its_owner() {
        let account: Account =
            serde_json::from_str(r#"{"id":"main","base_url":"https://x/v23.0","phone_number_id":"1","waba_id":"2"}"#)
                .unwrap();
        let is_about = |phone_number_id: Option<&str>, waba_id: Option<&str>| {
            let event = String::new();
            let site = SiteId::parse("demo").unwrap();
            let (phone_number_id, waba_id) = (phone_number_id.map(str::to_owned), waba_id.map(str::to_owned));
            let (stops, lifts, at, until) = (true, false, Timestamp::UNIX_EPOCH, None);
            Report { site, waba_id, phone_number_id, event, stops, lifts, at, until }.is_about(&account)
        };
        assert!(is_about(Some("1"), None));
        assert!(is_about(None, Some("2")));
        assert!(!is_about(Some("7"), Some("2")), "another number of the same owner");
        assert!(!is_about(None, Some("7")));
        assert!(!is_about(None, None));
    }
}
