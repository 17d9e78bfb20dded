//! Statuses of messages: recorded, and acted upon if a failure concerns more than its message.

use domain::message::error_code::{self, Consequence, TEMPLATE_HELD_FOR};
use domain::message::state::{Facts, Failure as Reason, State, Status, StatusFact};
use domain::message::suppression::UNREACHABLE_FOR;
use domain::primitives::id::{AccountId, SiteId};
use domain::primitives::key::MessageId;
use domain::primitives::language::Language;
use domain::site::config::TemplateHold;
use domain::site::health::{Cause, Proof};
use jiff::{SignedDuration, Timestamp};
use runtime::failure::Failure;
use runtime::metrics::Metric;
use store::contacts::Choice;
use store::ledger::Reported;
use store::schedule::Lane;

use crate::{App, choice, identity};

/// Maximum age of a report that still stops an account. The cause of an older one may have ended since.
const STOPS_WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// A status report. The fields are those of the platform event.
pub(crate) struct Report {
    /// The site whose webhook received it. The message may belong to another site that sends from the same number.
    pub(crate) site: SiteId,
    pub(crate) phone_number_id: String,
    pub(crate) provider_id: String,
    pub(crate) message: Option<String>,
    pub(crate) status: Status,
    pub(crate) at: Timestamp,
    pub(crate) failure: Option<Reason>,
    pub(crate) category: Option<String>,
    /// Other ids of the recipient.
    pub(crate) aliases: Vec<String>,
}

impl Report {
    fn fact(&self) -> StatusFact {
        StatusFact {
            at: self.at,
            code: self.failure.as_ref().map(|failure| failure.code.clone()),
            details: self.failure.as_ref().map(|failure| failure.details.clone()),
            category: self.category.clone(),
        }
    }
}

/// The message of a report, with the status recorded.
struct Found {
    site: SiteId,
    id: MessageId,
    reported: Reported,
}

/// Records a status with its message, or keeps it until the message is known. `body` is the record's body.
pub(crate) async fn apply(app: &App, report: &Report, body: &str) -> Result<(), Failure> {
    let Report { site, provider_id, status, .. } = report;
    let fact = report.fact();
    let Some(Found { site, id, reported }) = find(app, report, &fact).await? else {
        app.ledger.put_orphan(site, provider_id, *status, body, app.clock.now()).await?;
        tracing::info!(%site, ?status, "a status has no message yet; it is kept for it");
        return Ok(());
    };
    let site = &site;
    let code = fact.code.as_deref();
    tracing::info!(%site, message.id = %id, ?status, provider.code = code, state = %reported.facts.state(), "recorded a status");
    if *status == Status::Failed {
        // Only the first of several failures counts.
        if reported.facts.statuses.get(status) == Some(&fact) {
            app.metrics.count_by(Metric::MessagesFailed, error_code::class_name(code.unwrap_or_default()));
            act(app, site, &id, &reported, &fact).await?;
        }
    } else {
        if let Some(contact) = contact_that_arrived_after_all(&reported) {
            app.contacts.reachable(contact).await?;
        }
        if reported.probe
            && let Some(account) = account(&reported)
            && let Some(claim) = &reported.facts.claim
        {
            // The probe has left, so the account can send.
            app.schedule.start_account(&Lane { site: site.clone(), account }, Proof::Left(claim.at)).await?;
        }
    }
    match &reported.contact {
        Some(contact) => identity::learn(app, (site, &report.phone_number_id), contact, &report.aliases).await,
        None => Ok(()),
    }
}

/// Records the status with its message: first at the site whose webhook received it, then at other sites that send
/// from the same number.
async fn find(app: &App, report: &Report, fact: &StatusFact) -> Result<Option<Found>, Failure> {
    if let Some(found) = find_at(app, &report.site, report, fact).await? {
        return Ok(Some(found));
    }
    for site in app.webhooks.sites_of(&report.phone_number_id).await? {
        if site != report.site
            && let Some(found) = find_at(app, &site, report, fact).await?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Records the status with a message of one site. Finds the message by our id, otherwise by the provider's id, never
/// by the number.
async fn find_at(app: &App, site: &SiteId, report: &Report, fact: &StatusFact) -> Result<Option<Found>, Failure> {
    let Report { provider_id, message, status, .. } = report;
    if let Some(id) = message.as_deref().and_then(MessageId::parse)
        && let Some(reported) = app.ledger.record_status(site, &id, provider_id, (*status, fact)).await?
    {
        return Ok(Some(Found { site: site.clone(), id, reported }));
    }
    let Some(id) = app.ledger.message_of_provider(site, provider_id).await? else { return Ok(None) };
    let reported = app.ledger.record_status(site, &id, provider_id, (*status, fact)).await?;
    Ok(reported.map(|reported| Found { site: site.clone(), id, reported }))
}

/// Returns the number of a message that was reported both undeliverable and delivered, and is therefore reachable.
/// Other deliveries need no write, since nothing is sent to an unreachable number.
fn contact_that_arrived_after_all(reported: &Reported) -> Option<&str> {
    let failed = reported.facts.statuses.get(&Status::Failed)?.code.as_deref()?;
    let undeliverable = error_code::consequence(failed) == Some(Consequence::Unreachable);
    reported.contact.as_deref().filter(|_| undeliverable && arrived(&reported.facts))
}

fn arrived(facts: &Facts) -> bool {
    matches!(facts.state(), State::Delivered | State::Read)
}

/// Applies the consequences of a failure beyond its message. All times count from the failure, so that a repeated or
/// late report changes nothing.
async fn act(app: &App, site: &SiteId, id: &MessageId, reported: &Reported, fact: &StatusFact) -> Result<(), Failure> {
    let code = fact.code.as_deref().unwrap_or_default();
    let now = app.clock.now();
    // A clock ahead of ours must not extend any period.
    let since = fact.at.min(now);
    let Some(consequence) = error_code::consequence(code) else { return Ok(()) };
    match (consequence, &reported.contact, account(reported)) {
        (Consequence::Unreachable, Some(contact), _) => {
            leave_alone(app, site, contact, (id, reported), since, now).await
        }
        (Consequence::MarketingOptOut, Some(contact), _) => {
            let choice = Choice::Out(choice::no_marketing(since, code.to_owned()));
            app.contacts.choose(Some(site), contact, &choice).await?;
            Ok(())
        }
        (Consequence::HoldTemplate, _, Some(account)) => {
            let Some((name, language)) = template(reported) else { return Ok(()) };
            let until = since.saturating_add(TEMPLATE_HELD_FOR).unwrap_or(now);
            if until > now {
                let hold = TemplateHold { account, name, language, until, code: code.to_owned() };
                app.config.hold_template(site, &hold).await?;
                tracing::warn!(%site, template = hold.name, provider.code = code, "Meta does not take a template; it is held");
            }
            Ok(())
        }
        (Consequence::StopAccount { probe_after }, _, Some(account)) => {
            if let Some(pause) = probe_in(SignedDuration::from_mins(i64::from(probe_after)), since, now) {
                tracing::error!(%site, %account, provider.code = code, "an account cannot send; it is stopped");
                let cause = Cause { code, by_report: true, at: since, probe_after: pause };
                app.schedule.stop_account(&Lane { site: site.clone(), account }, cause, now).await?;
                app.metrics.count(Metric::AccountsStopped, 1);
            }
            Ok(())
        }
        // A message that was never claimed has no number, account or template, so no report can concern it.
        _ => Ok(()),
    }
}

/// Marks a number as unreachable, unless the message was delivered after all.
async fn leave_alone(
    app: &App,
    site: &SiteId,
    contact: &str,
    (id, reported): (&MessageId, &Reported),
    since: Timestamp,
    now: Timestamp,
) -> Result<(), Failure> {
    let until = since.saturating_add(UNREACHABLE_FOR).unwrap_or(now);
    if until <= now || arrived(&reported.facts) {
        return Ok(());
    }
    app.contacts.unreachable(site, contact, until).await?;
    // A delivery recorded in between found nothing to end. A delivery recorded later ends the period itself.
    if app.ledger.message(id).await?.is_some_and(|facts| arrived(&facts)) {
        app.contacts.reachable(contact).await?;
    }
    Ok(())
}

/// Returns the delay before a stopped account is probed. `None` if the failure is too old to stop it.
fn probe_in(probe_after: SignedDuration, since: Timestamp, now: Timestamp) -> Option<SignedDuration> {
    let left = probe_after.max(STOPS_WITHIN) - now.duration_since(since);
    left.is_positive().then(|| left.min(probe_after))
}

fn account(reported: &Reported) -> Option<AccountId> {
    reported.account.as_deref().and_then(|account| AccountId::parse(account).ok())
}

fn template(reported: &Reported) -> Option<(String, Language)> {
    let (name, language) = reported.template.as_ref()?;
    Some((name.clone(), Language::parse(language).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_stops_an_account_for_the_remaining_time_only() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let (minute, day) = (SignedDuration::from_mins(1), SignedDuration::from_hours(24));
        assert_eq!(probe_in(minute, at(0), at(10)), Some(minute));
        assert_eq!(probe_in(minute, at(0), at(3_599)), Some(SignedDuration::from_secs(1)));
        assert_eq!(probe_in(minute, at(0), at(3_600)), None);
        assert_eq!(probe_in(day, at(0), at(3_600)), Some(SignedDuration::from_hours(23)));
        assert_eq!(probe_in(day, at(0), at(86_400)), None);
    }
}
