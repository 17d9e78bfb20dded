//! Handles one queue record: parses its body, processes its event or message, and puts it back or gives it up.

use aws_lambda_events::event::sqs::SqsMessage;
use domain::message::backoff;
use domain::primitives::cause::chain;
use domain::primitives::id::{EventId, SiteId};
use domain::primitives::trace::TraceParent;
use domain::queue::job::{Job, MessageJob, SendPermit};
use jiff::SignedDuration;
use queue::TRACE_ATTRIBUTE;
use runtime::batch::TryAgain;
use runtime::failure::{DeadRecord, Failure, dead_letter};
use runtime::telemetry::{self, field};
use serde_json::Value;
use store::StoreError;
use store::ledger::DeadQueue;
use store::schedule::Lane;

use crate::event::Accepted;
use crate::sort::{GIVEN_UP, Sorted};
use crate::task::{Invocation, Probe};
use crate::{App, FRESH_FOR, consequences, event, jitter, message};

/// Longest first backoff pause of a record that failed because a service was unavailable.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(5);

/// Handles one record. On `Err`, SQS delivers it again.
pub(crate) async fn handle(app: &App, record: SqsMessage, invocation: Invocation<'_>) -> Result<(), TryAgain> {
    match app.arns.sort(&record) {
        Sorted::Job(job) => {
            let job = job.traced(trace_of(&record));
            note(&job);
            process(app, &record, job, invocation).await
        }
        Sorted::DeadJob(job) => {
            let job = job.traced(trace_of(&record));
            note(&job);
            give_up(app, &record, &job, GIVEN_UP).await
        }
        Sorted::Dead { queue, site, cause } => {
            if let Some(site) = &site {
                telemetry::note(&[(field::SITE, site)]);
            }
            bury(app, &record, queue, site.as_ref(), &cause).await
        }
    }
}

/// Processes a job, and puts it back or gives it up if that fails.
async fn process(app: &App, record: &SqsMessage, job: Job, invocation: Invocation<'_>) -> Result<(), TryAgain> {
    let done = match &job {
        Job::Event { site, received_at, event: document, attempt, trace, .. } => {
            let waited = *attempt > 0 || app.clock.now().duration_since(*received_at) > FRESH_FOR;
            let accepted = Accepted { site, received_at: *received_at, trace: trace.as_ref(), waited, document };
            Box::pin(event::process(app, accepted, invocation)).await
        }
        Job::Message(job) => {
            let probe = Probe::default();
            let done = Box::pin(message::process_job(app, job, &probe, invocation)).await;
            if job.permit == Some(SendPermit::Probe) && !probe.is_answered() {
                give_back_probe(app, job).await;
            }
            done
        }
    };
    match done {
        Ok(()) => Ok(()),
        Err(Failure::Again(cause)) => {
            let cause = chain(&cause);
            if let Some(since) = job.over_since(app.clock.now()) {
                let cause = format!("{cause}; the event has been tried since {since}, for more than 14 days");
                return give_up(app, record, &job, &cause).await;
            }
            tracing::warn!(site = %job.site(), cause, "a record could not be finished; it is put back");
            put_back(app, job).await
        }
        Err(Failure::Dead(cause)) => give_up(app, record, &job, &chain(&cause)).await,
    }
}

/// Returns the trace of the caller, which is an attribute of the record.
fn trace_of(record: &SqsMessage) -> Option<TraceParent> {
    record.message_attributes.get(TRACE_ATTRIBUTE)?.string_value.as_deref().and_then(TraceParent::parse)
}

/// Adds what a job names to the context of the log.
fn note(job: &Job) {
    telemetry::note(&[(field::SITE, job.site())]);
    match job {
        Job::Event { event, trace, .. } => {
            if let Some(id) = event.get("id").and_then(Value::as_str).and_then(|id| EventId::parse(id).ok()) {
                telemetry::note(&[(field::EVENT, &id)]);
            }
            if let Some(trace) = trace {
                telemetry::note(&[(field::TRACE, &trace.trace_id())]);
            }
        }
        Job::Message(job) => telemetry::note(&[(field::EVENT, &job.event), (field::MESSAGE, &job.id())]),
    }
}

/// Records a job as a dead letter. SQS delivers the record no more, so a message of it that another execution left in
/// `sending` is handed to the sweep before.
async fn give_up(app: &App, record: &SqsMessage, job: &Job, cause: &str) -> Result<(), TryAgain> {
    match consequences::of_dead_letter(app, job).await {
        Ok(()) => {}
        Err(error @ StoreError::Unavailable(_)) => {
            tracing::warn!(error = chain(&error), "the messages of a dead letter could not be read");
            return Err(TryAgain);
        }
        // Another delivery would read the same.
        Err(error) => tracing::error!(error = chain(&error), "the messages of a dead letter are unreadable"),
    }
    bury(app, record, DeadQueue::Events, Some(job.site()), cause).await
}

/// Records a dead letter of a queue.
async fn bury(
    app: &App,
    record: &SqsMessage,
    queue: DeadQueue,
    site: Option<&SiteId>,
    cause: &str,
) -> Result<(), TryAgain> {
    dead_letter(&app.ledger, &app.metrics, DeadRecord { queue, site, record, cause }, app.clock.now()).await
}

/// Puts a record back with exponential backoff. An outage therefore does not use up the SQS receive count and does not
/// fill the dead-letter queue.
async fn put_back(app: &App, job: Job) -> Result<(), TryAgain> {
    let again = job.put_back();
    let attempt = match &again {
        Job::Event { attempt, .. } | Job::Message(MessageJob { attempt, .. }) => *attempt,
    };
    let pause = backoff::pause(FIRST_PAUSE, attempt, jitter());
    let seconds = u16::try_from(pause.as_secs()).unwrap_or(u16::MAX);
    let put = app.queue.send_after(&[(again, seconds)]).await;
    match put.into_iter().find_map(Result::err) {
        None => Ok(()),
        Some(error) => {
            tracing::warn!(error = chain(&error), "a record could not be put back; SQS will deliver it again");
            Err(TryAgain)
        }
    }
}

/// Returns the right to probe an account when the message gave no evidence about the account. The next sweep can then
/// choose another message. If this call fails, the right expires after some minutes.
async fn give_back_probe(app: &App, job: &MessageJob) {
    let site = &job.site;
    let given_back = async {
        let Some(live) = app.live(site).await? else { return Ok(()) };
        let Some(account) = live.mapping(&job.mapping).and_then(|mapping| live.account(mapping)) else { return Ok(()) };
        app.schedule.return_probe(&Lane { site: site.clone(), account: account.id.clone() }).await
    };
    if let Err(error) = given_back.await {
        tracing::warn!(%site, error = chain(&error), "the right to probe an account could not be given back");
    }
}
