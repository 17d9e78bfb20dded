//! A message that does not go now. No wait holds a record of the queue: a short one is a successor that SQS delays, a
//! longer one an item of the schedule, and a message that waits for its account stands in the account's lane, where the
//! oldest goes first. The successor is in the queue before the ledger says so and before this record is given up, so
//! that a crash in between repeats the message, which the claim absorbs, and never loses it.

use domain::decision::{self, Halt};
use domain::message::backoff::{self, PAUSE_MAX};
use domain::message::state::{WaitReason, Waiting};
use domain::queue::job::{Job, MessageJob};
use jiff::{SignedDuration, Timestamp};
use store::ledger::Parked;
use store::schedule::{Lane, Place};

use crate::message::{Task, record_skip};
use crate::record::Failure;
use crate::{consequences, jitter};

/// The first pause of a message whose claim was not answered.
const UNANSWERED_PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// How often that pause is doubled at most, and one.
const UNANSWERED_DOUBLED: u32 = 5;

/// What the decision has wait: a paused site's messages stand in the lane, a held template's come back at the hold's end.
pub(crate) async fn for_decision(task: Task<'_>, waiting: Waiting, useful_until: Timestamp) -> Result<(), Failure> {
    let lane = task.sender.lane(&task.record.planned.mapping);
    let place = match (waiting.why, lane) {
        (WaitReason::SitePaused, Some(lane)) => Place::Lane(lane, task.sender.event.occurred_at),
        (_, _) => Place::Until(waiting.until),
    };
    park(task, &waiting, &place, useful_until).await
}

/// Puts a message back for some time; what would be of no use by then is too late at once.
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
    let app = task.sender.app;
    // Up to a second more than asked for: SQS knows whole seconds.
    let seconds = u16::try_from(pause.as_secs().saturating_add(1)).unwrap_or(u16::MAX);
    for put in app.queue.send_after(&[(Job::Message(task.successor()), seconds)]).await {
        put.map_err(|error| Failure::Again(error.to_string()))?;
    }
    // The successor is on its way: were this record put back too, there would be two.
    match app.ledger.wait(task.record, &waiting, task.now()).await {
        Ok(waits) => match log_wait(task, &waiting, waits).await {
            // The successor finds what this record cannot do.
            Err(Failure::Again(cause)) => tracing::info!(cause, "a successor goes on with the message"),
            logged => logged?,
        },
        Err(error) => {
            let (site, id) = (task.record.site, task.record.id());
            tracing::warn!(%site, message.id = %id, %error, "that a message waits could not be recorded");
        }
    }
    Ok(())
}

/// Parks a message in its account's lane: it is released in the order of the events.
pub(crate) async fn in_lane(
    task: Task<'_>,
    lane: Lane,
    (why, detail): (WaitReason, String),
    useful_until: Timestamp,
) -> Result<(), Failure> {
    let waiting = Waiting { until: useful_until, why, detail };
    let place = Place::Lane(lane, task.sender.event.occurred_at);
    park(task, &waiting, &place, useful_until).await
}

/// Parks a message, with the record that brings it back.
pub(crate) async fn park(
    task: Task<'_>,
    waiting: &Waiting,
    place: &Place,
    useful_until: Timestamp,
) -> Result<(), Failure> {
    let job = task.successor();
    let parked = Parked { message: task.record, waiting, place, job: &job, useful_until };
    let waits = task.sender.app.parking.park(parked, task.now()).await?;
    log_wait(task, waiting, waits).await
}

/// Puts a message back whose claim was not answered in time. The record says that its owner did not call the provider;
/// nothing else proves that, so without a place in the queue the message becomes `unknown`.
pub(crate) async fn uncalled(task: Task<'_>, owner: &str) -> Result<(), Failure> {
    let job = MessageJob { uncalled: Some(owner.to_owned()), ..task.successor() };
    // Soon, so that the sweep does not come first and call the message unknown for a while.
    let pause = backoff::pause(UNANSWERED_PAUSE, job.attempt.min(UNANSWERED_DOUBLED), jitter());
    let seconds = u16::try_from(pause.as_secs().saturating_add(1)).unwrap_or(u16::MAX);
    for put in task.sender.app.queue.send_after(&[(Job::Message(job), seconds)]).await {
        put.map_err(|error| Failure::Again(error.to_string()))?;
    }
    Ok(())
}

/// Says that a message waits. One that was decided meanwhile does not: what follows from its answer happens.
pub(crate) async fn log_wait(task: Task<'_>, waiting: &Waiting, waits: bool) -> Result<(), Failure> {
    let (site, id) = (task.record.site, task.record.id());
    if waits {
        tracing::info!(%site, message.id = %id, why = %waiting.why, until = %waiting.until, "a message waits");
        return Ok(());
    }
    tracing::info!(%site, message.id = %id, "the message was dealt with before");
    match task.sender.app.ledger.reported(&id).await? {
        Some(decided) => Box::pin(consequences::given_up(task, &decided)).await,
        None => Ok(()),
    }
}
