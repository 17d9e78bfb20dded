//! Messages that wait. No wait keeps a queue record in flight:
//!
//! - A short wait is a successor record that SQS delays.
//! - A longer wait is an item of the schedule.
//! - A message that waits for its account is an item of the account's lane, where the oldest message goes first.
//!
//! The successor is enqueued before the ledger records the wait, and before this record is deleted. A crash in between
//! repeats the message, which the claim deduplicates. It never loses the message.

use domain::decision::{self, Halt};
use domain::message::backoff::{self, PAUSE_MAX};
use domain::message::state::{WaitReason, Waiting};
use domain::primitives::cause::chain;
use domain::queue::job::{Job, MessageJob};
use jiff::{SignedDuration, Timestamp};
use runtime::failure::Failure;
use runtime::metrics::Metric;
use store::ledger::Parked;
use store::schedule::{Lane, Place};

use crate::skip::record_skip;
use crate::task::Task;
use crate::{consequences, jitter};

/// Longest first backoff pause of a message whose claim was not answered.
const UNANSWERED_PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// Exponential growth of that pause ends at this attempt.
const UNANSWERED_DOUBLED: u32 = 5;

/// Parks a message as the decision requires. The messages of a paused site go into the account's lane; others, such as
/// those of a held template, come back when their wait ends.
pub(crate) async fn for_decision(task: Task<'_>, waiting: Waiting, useful_until: Timestamp) -> Result<(), Failure> {
    let lane = task.lane();
    let place = match (waiting.why, lane) {
        (WaitReason::SitePaused, Some(lane)) => Place::Lane(lane, task.event.occurred_at),
        (_, _) => Place::Until(waiting.until),
    };
    park(task, &waiting, &place, useful_until).await
}

/// Puts a message back with a delay. A message that would expire during the delay is skipped immediately.
pub(crate) async fn for_some_time(
    task: Task<'_>,
    pause: SignedDuration,
    (why, detail): (WaitReason, String),
    useful_until: Timestamp,
) -> Result<(), Failure> {
    let until = task.now().saturating_add(pause).unwrap_or(useful_until);
    let waiting = match decision::wait(until, why, detail, useful_until) {
        Halt::Wait { waiting, .. } => waiting,
        Halt::Skip(skip) => return record_skip(task, &skip).await,
    };
    if pause > PAUSE_MAX {
        return park(task, &waiting, &Place::Until(until), useful_until).await;
    }
    let app = task.app;
    // SQS delays by whole seconds, so the delay is up to one second longer than requested.
    let seconds = u16::try_from(pause.as_secs().saturating_add(1)).unwrap_or(u16::MAX);
    for put in app.queue.send_after(&[(Job::Message(task.job.put_back()), seconds)]).await {
        put?;
    }
    // The successor is already in the queue. Putting this record back too would duplicate it.
    match app.ledger.wait(&task.record(), &waiting, task.now()).await {
        Ok(waits) => match log_wait(task, &waiting, waits).await {
            // The successor does whatever this record could not.
            Err(Failure::Again(cause)) => tracing::info!(cause = chain(&cause), "a successor goes on with the message"),
            logged => logged?,
        },
        Err(error) => {
            let (site, id) = (&task.job.site, task.id());
            tracing::warn!(%site, message.id = %id, error = chain(&error), "the wait of a message could not be recorded");
        }
    }
    Ok(())
}

/// Parks a message in its account's lane, which is released in the order of the events.
pub(crate) async fn in_lane(
    task: Task<'_>,
    lane: Lane,
    (why, detail): (WaitReason, String),
    useful_until: Timestamp,
) -> Result<(), Failure> {
    let waiting = Waiting { until: useful_until, why, detail };
    let place = Place::Lane(lane, task.event.occurred_at);
    park(task, &waiting, &place, useful_until).await
}

/// Parks a message together with the job that brings it back.
pub(crate) async fn park(
    task: Task<'_>,
    waiting: &Waiting,
    place: &Place,
    useful_until: Timestamp,
) -> Result<(), Failure> {
    let job = task.job.put_back();
    let parked = Parked { message: &task.record(), waiting, place, job: &job, useful_until };
    let waits = task.app.parking.park(parked, task.now()).await?;
    log_wait(task, waiting, waits).await
}

/// Puts back a message whose owner does not call the provider after its claim, or after a claim without an answer. The
/// record states that this owner did not call the provider. It is the only proof: if it cannot be enqueued, the message
/// becomes `unknown`.
pub(crate) async fn uncalled(task: Task<'_>, owner: &str) -> Result<(), Failure> {
    let job = MessageJob { uncalled: Some(owner.to_owned()), ..task.job.put_back() };
    // The delay is short, so that the sweep does not set the message to `unknown` in the meantime.
    let pause = backoff::pause(UNANSWERED_PAUSE, job.attempt.min(UNANSWERED_DOUBLED), jitter());
    let seconds = u16::try_from(pause.as_secs().saturating_add(1)).unwrap_or(u16::MAX);
    for put in task.app.queue.send_after(&[(Job::Message(job), seconds)]).await {
        put?;
    }
    Ok(())
}

/// Logs that a message waits. If the message was decided in the meantime, the consequences of its answer are applied
/// instead.
pub(crate) async fn log_wait(task: Task<'_>, waiting: &Waiting, waits: bool) -> Result<(), Failure> {
    let (site, id) = (&task.job.site, task.id());
    if waits {
        tracing::info!(%site, message.id = %id, why = %waiting.why, until = %waiting.until, "a message waits");
        task.app.metrics.count_by(Metric::MessagesWaiting, waiting.why.to_string());
        return Ok(());
    }
    tracing::info!(%site, message.id = %id, "the message was already processed");
    match task.app.ledger.reported(&id).await? {
        Some(decided) => Box::pin(consequences::given_up(task, &decided)).await,
        None => Ok(()),
    }
}
