//! Decides one message and processes it as far as possible in this execution.

use domain::decision::context::DecisionContext;
use domain::decision::{Halt, decide};
use domain::event::Event;
use domain::message::reason::{Reason, Skip};
use domain::message::state::WaitReason;
use domain::queue::job::MessageJob;
use runtime::failure::Failure;
use runtime::telemetry::{self, field};
use store::ledger::is_erased;

use crate::files::DigestRole;
use crate::people::with_latest_contact_data;
use crate::reminders::Refreshed;
use crate::skip::record_skip;
use crate::task::{Invocation, Probe, Task};
use crate::{App, FRESH_FOR, carts, consequences, context, files, pending, reminders, send, wait};

/// Processes one message of an event that is in the ledger.
pub(crate) async fn process_job(
    app: &App,
    job: &MessageJob,
    probe: &Probe,
    invocation: Invocation<'_>,
) -> Result<(), Failure> {
    let site = &job.site;
    let live = app.live_site(site).await?;
    let recorded = app.ledger.recorded(site, &job.event).await?;
    let recorded = recorded.ok_or_else(|| Failure::dead("the event is not in the ledger"))?;
    if let Some(trace) = &recorded.trace {
        telemetry::note(&[(field::TRACE, &trace.trace_id())]);
    }
    if is_erased(&recorded.document) {
        tracing::info!(%site, event.id = %job.event, "the event was erased; its messages are decided");
        return Ok(());
    }
    if !recorded.plan.messages.contains(&job.planned()) {
        return Err(Failure::dead("the message is not in the event's plan"));
    }
    let received_at = recorded.received_at;
    let mut event = Event::parse_any(recorded.document, received_at).map_err(Failure::dead)?;
    let carts = carts::keys(app, &live, &event).await?;
    // A record that comes back has waited. Newer data about its activity and its recipient applies.
    let waited =
        job.attempt > 0 || job.resend_requested_at.is_some() || app.clock.now().duration_since(received_at) > FRESH_FOR;
    let refreshed = if waited { reminders::refreshed(app, site, &event, received_at).await? } else { None };
    match &refreshed {
        // A resend of one message must not cause other messages.
        Some(_) if job.resend_requested_at.is_some() => {}
        Some(refreshed) => refreshed.remind_others(app, site, &recorded.plan).await?,
        None if waited => {
            event =
                with_latest_contact_data(app, site, event, received_at, std::iter::once(job.recipient.clone())).await?;
        }
        None => {}
    }
    let task = Task { app, live: &live, event: &event, carts: carts.as_ref(), received_at, invocation, job, probe };
    process_refreshed(task, refreshed.as_ref()).await
}

/// Processes a message, using the refreshed reminder if there is one. A recipient who no longer belongs to the
/// activity is not reminded.
pub(crate) async fn process_refreshed(task: Task<'_>, refreshed: Option<&Refreshed>) -> Result<(), Failure> {
    match refreshed {
        None => process(task).await,
        Some(refreshed) if refreshed.reminds(&task.job.recipient) => {
            process(Task { event: &refreshed.event, ..task }).await
        }
        Some(refreshed) => record_skip(task, &Skip::new(Reason::Cancelled, refreshed.by.as_str())).await,
    }
}

/// Processes one message as far as possible now: it ends up skipped, sent, refused, unknown or waiting.
async fn process(task: Task<'_>) -> Result<(), Failure> {
    let Task { app, live, event, invocation, .. } = task;
    let _place = app.sends.acquire().await.map_err(Failure::again)?;
    if !invocation.deadline.has_time() {
        return Err(Failure::again("no time left for all messages of the event"));
    }
    if let Some(owner) = task.job.uncalled.as_deref() {
        Box::pin(consequences::release(task, owner)).await?;
    }
    let digest_role = files::digest_role(task).await?;
    if let DigestRole::MemberOf(digest, facts) = &digest_role {
        return files::follow_digest(task, digest, facts.as_ref()).await;
    }
    let planned = task.job.planned();
    let context = DecisionContext {
        resend_requested_at: task.job.resend_requested_at,
        send_now: task.job.send_now,
        cart: context::carts(task).await?,
        newer_at: pending::newer(task).await?,
        message: task.id().to_string(),
        files: digest_role.files().cloned(),
        collects_until: digest_role.until(task),
        ..DecisionContext::default()
    };
    let decided = match decide(event, &planned, live, &context, task.now()) {
        // The claim checks the number itself. Only a skip needs the decision context, so that the first reason is
        // recorded.
        Err(Halt::Skip(skip)) if skip.reason.comes_after_suppression() => {
            decide(event, &planned, live, &context::with_recipient(task, &context).await?, task.now())
        }
        decided => decided,
    };
    match decided {
        Ok(outgoing) => send::send(task, &outgoing, &digest_role).await,
        Err(Halt::Skip(skip)) => record_skip(task, &skip).await,
        Err(Halt::Wait { waiting, useful_until }) => match digest_role {
            DigestRole::Joins(key) if waiting.why == WaitReason::Hold => {
                files::join(task, key, (waiting, useful_until), &context).await
            }
            _ => wait::for_decision(task, waiting, useful_until).await,
        },
    }
}
