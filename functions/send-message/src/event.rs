//! Processes an accepted event: plans it, records it, and processes its messages.

use domain::decision::plan::{Plan, plan};
use domain::event::{Event, EventData};
use domain::primitives::id::{MappingId, SiteId};
use domain::primitives::trace::TraceParent;
use domain::queue::job::{Job, MessageJob};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use runtime::failure::Failure;
use runtime::metrics::Metric;
use runtime::telemetry::{self, field};
use store::ledger::{EventRecord, Recorded};
use tracing::Instrument;

use crate::people::with_latest_contact_data;
use crate::task::{Invocation, Probe, Task};
use crate::{App, carts, message, pending, reminders};

/// Number of messages that one execution can process in the worst case. A larger plan is fanned out, one record per
/// message.
const MESSAGES_AT_ONCE: usize = 10;

/// An event as its record carries it.
#[derive(Clone, Copy)]
pub(crate) struct Accepted<'a> {
    pub(crate) site: &'a SiteId,
    pub(crate) received_at: Timestamp,
    pub(crate) trace: Option<&'a TraceParent>,
    /// Whether the record waited, so that newer data may exist.
    pub(crate) waited: bool,
    pub(crate) document: &'a serde_json::Value,
}

/// Plans an event, records it, and processes each message of its plan.
pub(crate) async fn process(app: &App, accepted: Accepted<'_>, invocation: Invocation<'_>) -> Result<(), Failure> {
    let Accepted { site, received_at, trace, waited, document } = accepted;
    let live = app.live_site(site).await?;
    // The event was valid when it was received. The same time limits `occurred_at` here.
    let event = Event::parse_any(document.clone(), received_at).map_err(Failure::dead)?;
    let retention_days = live.site.retention_days;
    let planned = plan(&event, &live);
    let record = EventRecord { site, event: &event, received_at, trace, plan: &planned, retention_days };
    let stored: Plan = match app.ledger.record_event(record, app.clock.now()).await? {
        Recorded::New => {
            for planned in &planned.skips {
                app.metrics.count_by(Metric::MessagesSkipped, planned.skip.reason.to_string());
            }
            log_plan(site, &event, &planned);
            planned
        }
        Recorded::Existing(stored) => stored,
        Recorded::Conflict => {
            tracing::warn!(%site, event.id = %event.id, "an event id was received again with different content; the first applies");
            return Ok(());
        }
    };
    if let EventData::CustomerUpdated { customer } = &event.data {
        let key = app.secrets.contact_secret(app.clock.now()).await?.person_key(site, &customer.id);
        let kept_for = SignedDuration::from_hours(24 * i64::from(retention_days));
        let kept_until = app.clock.now().saturating_add(kept_for).unwrap_or(Timestamp::MAX);
        app.contacts.put_person(&key, customer, event.occurred_at, kept_until).await?;
    }
    reminders::update(app, &live, &event, received_at).await?;
    pending::record(app, &live, &event, received_at).await?;
    carts::update(app, &live, &event, &stored).await?;
    let refreshed = if waited { reminders::refreshed(app, site, &event, received_at).await? } else { None };
    if let Some(refreshed) = &refreshed {
        refreshed.remind_others(app, site, &stored).await?;
    }
    if stored.messages.len() > MESSAGES_AT_ONCE {
        return fan_out(app, site, &event, &stored).await;
    }
    let carts = carts::keys(app, &live, &event).await?;
    let event = match &refreshed {
        None if waited => {
            let recipients = stored.messages.iter().map(|planned| planned.recipient.clone());
            with_latest_contact_data(app, site, event, received_at, recipients).await?
        }
        _ => event,
    };
    let jobs: Vec<MessageJob> =
        stored.messages.iter().map(|planned| MessageJob::first(site, &event.id, planned)).collect();
    let probe = Probe::default();
    let task = |job| Task {
        app,
        live: &live,
        event: &event,
        carts: carts.as_ref(),
        received_at,
        invocation,
        job,
        probe: &probe,
    };
    let processing = jobs.iter().map(|job| {
        let context = telemetry::context(&[(field::MESSAGE, &job.id())]);
        message::process_refreshed(task(job), refreshed.as_ref()).instrument(context)
    });
    let results = join_all(processing).await;
    // All messages are processed before any failure is returned. A retryable failure takes precedence over a permanent
    // one.
    let mut failures: Vec<Failure> = results.into_iter().filter_map(Result::err).collect();
    failures.sort_by_key(|failure| matches!(failure, Failure::Dead(_)));
    failures.into_iter().next().map_or(Ok(()), Err)
}

/// Enqueues one record per message of a large plan. The event's own record is deleted only afterwards.
async fn fan_out(app: &App, site: &SiteId, event: &Event, plan: &Plan) -> Result<(), Failure> {
    let job = |planned| Job::Message(MessageJob::first(site, &event.id, planned));
    let jobs: Vec<Job> = plan.messages.iter().map(job).collect();
    let put = app.queue.send_all(&jobs).await;
    put.into_iter().collect::<Result<(), _>>()?;
    Ok(())
}

fn log_plan(site: &SiteId, event: &Event, plan: &Plan) {
    tracing::info!(
        %site,
        event.id = %event.id,
        event.kind = %event.kind(),
        messages = plan.messages.len(),
        skips = plan.skips.len(),
        "planned an event"
    );
    for planned in &plan.skips {
        tracing::info!(
            %site,
            event.id = %event.id,
            mapping = planned.mapping.as_ref().map(MappingId::as_str),
            reason = %planned.skip.reason,
            "left out of the plan"
        );
    }
}
