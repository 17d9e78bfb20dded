//! Handles one queue record: parses its body and applies the platform event.

use aws_lambda_events::event::sqs::SqsMessage;
use domain::primitives::cause::chain;
use domain::primitives::id::SiteId;
use domain::queue::platform_event::{PlatformEvent, Queued};
use runtime::batch::TryAgain;
use runtime::failure::{DeadRecord, Failure, dead_letter};
use runtime::telemetry::{self, field};
use store::ledger::DeadQueue;

use crate::status::Report;
use crate::{App, account, choice, status, template};

/// Handles one record. On `Err`, SQS delivers it again.
pub(crate) async fn handle(app: &App, record: SqsMessage) -> Result<(), TryAgain> {
    let body = record.body.as_deref().unwrap_or_default();
    let queued = match serde_json::from_str::<Queued>(body) {
        Ok(queued) => queued,
        // serde's error message may quote the body. The position does not.
        Err(error) => {
            let cause =
                format!("the record is not a platform event (line {}, column {})", error.line(), error.column());
            return dead(app, &record, None, &cause).await;
        }
    };
    note(&queued.platform_event);
    match apply(app, queued.platform_event.clone(), body).await {
        Ok(()) => Ok(()),
        Err(Failure::Again(cause)) => put_back(app, &record, queued, &chain(&cause)).await,
        Err(Failure::Dead(cause)) => dead(app, &record, Some(queued.platform_event.site()), &chain(&cause)).await,
    }
}

/// Adds what a platform event names to the context of the log.
fn note(platform_event: &PlatformEvent) {
    telemetry::note(&[(field::SITE, platform_event.site())]);
    if let PlatformEvent::Status { message: Some(message), .. } = platform_event {
        telemetry::note(&[(field::MESSAGE, message)]);
    }
}

/// Puts a platform event back with exponential backoff, so that an outage does not use up the SQS receive count. After
/// 14 days it becomes a dead letter.
async fn put_back(app: &App, record: &SqsMessage, queued: Queued, cause: &str) -> Result<(), TryAgain> {
    let now = app.clock.now();
    let site = queued.platform_event.site().clone();
    if queued.is_over(now) {
        let cause = format!("{cause}; the platform event could not be applied for 14 days");
        return dead(app, record, Some(&site), &cause).await;
    }
    tracing::warn!(%site, cause, "a platform event could not be applied; it is put back");
    let again = queued.put_back(now);
    // Without randomness the pauses have their full length.
    let pause = again.pause(now, getrandom::u32().unwrap_or(u32::MAX));
    let seconds = u16::try_from(pause.as_secs()).unwrap_or(u16::MAX);
    app.statuses.send_after(&again, seconds).await.map_err(|error| {
        tracing::warn!(error = chain(&error), "a platform event could not be put back; SQS will deliver it again");
        TryAgain
    })
}

async fn apply(app: &App, platform_event: PlatformEvent, body: &str) -> Result<(), Failure> {
    match platform_event {
        PlatformEvent::Status {
            site,
            phone_number_id,
            provider_id,
            message,
            status,
            at,
            failure,
            category,
            wa_id,
            user_id,
        } => {
            let aliases = [wa_id, user_id].into_iter().flatten().collect();
            let report = Report { site, phone_number_id, provider_id, message, status, at, failure, category, aliases };
            status::apply(app, &report, body).await
        }
        PlatformEvent::Word { site, phone_number_id, from, at, word } => {
            choice::apply(app, &site, &phone_number_id, &from, &choice::of_word(word, at)).await
        }
        PlatformEvent::Preference { site, phone_number_id, from, at, value } => {
            choice::apply(app, &site, &phone_number_id, &from, &choice::of_preference(value, at)).await
        }
        PlatformEvent::NumberChanged { site, phone_number_id, from, to } => {
            choice::carry_over(app, &site, &phone_number_id, (&from, &to)).await
        }
        PlatformEvent::Template { site, waba_id, name, language, change } => {
            for site in app.sharing(&site).await? {
                template::apply(app, &site, &waba_id, (&name, &language), &change).await?;
            }
            Ok(())
        }
        PlatformEvent::Account { site, waba_id, phone_number_id, event, stops, lifts, at, until, .. } => {
            let at = at.unwrap_or_else(|| app.clock.now());
            let sites = app.sharing(&site).await?;
            let mut report = account::Report { site, waba_id, phone_number_id, event, stops, lifts, at, until };
            for site in sites {
                report.site = site;
                account::apply(app, &report).await?;
            }
            Ok(())
        }
    }
}

async fn dead(app: &App, record: &SqsMessage, site: Option<&SiteId>, cause: &str) -> Result<(), TryAgain> {
    let dead = DeadRecord { queue: DeadQueue::Statuses, site, record, cause };
    dead_letter(&app.ledger, &app.metrics, dead, app.clock.now()).await
}
