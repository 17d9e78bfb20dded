//! What is due goes into the queue, oldest first.

use domain::job::Job;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use runtime::batch::Deadline;
use store::schedule::{Due, DueItem, Lane};

use crate::{App, SweepError, Swept, lane, reminder};

/// Items of a shard that are read and fired at once.
const ITEMS_AT_ONCE: usize = 100;
/// Reminders looked at at once.
const REMINDERS_AT_ONCE: usize = 20;
/// Removals under way at once.
const REMOVALS_AT_ONCE: usize = 25;

/// Fires every item of a shard whose moment has come.
pub(crate) async fn fire_due(app: &App, shard: u8, deadline: &Deadline, swept: &mut Swept) -> Result<(), SweepError> {
    let now = app.clock.now();
    let mut failed = None;
    loop {
        let items = app.schedule.due(shard, now, ITEMS_AT_ONCE).await?;
        let looked_at = stream::iter(&items).map(|item| look_at(app, item)).buffered(REMINDERS_AT_ONCE);
        let (mut messages, mut lanes, mut dropped) = (Vec::new(), Vec::new(), Vec::new());
        for (item, next) in looked_at.collect::<Vec<_>>().await {
            match next {
                Ok(Next::Fire(job)) => messages.push((item, *job, 0)),
                Ok(Next::Visit(lane)) => lanes.push(lane),
                Ok(Next::Drop) => dropped.push(item),
                // It stays, and the next sweep tries again.
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        for item in &dropped {
            app.schedule.remove(item).await?;
        }
        let fired = messages.len() + dropped.len();
        for (item, ..) in &messages {
            swept.late_s = swept.late_s.max(lateness(item, now));
        }
        into_queue(app, messages).await?;
        swept.fired += fired;
        // A lane stays in the index while anything may be parked in it: once in a sweep is enough.
        if fired == 0 || items.len() < ITEMS_AT_ONCE || !deadline.has_time() {
            for lane in lanes {
                if deadline.has_time()
                    && let Err(error) = lane::release(app, lane, swept).await
                {
                    // One lane that fails must not keep the others waiting.
                    tracing::warn!(%error, site = %lane.site, account = %lane.account, "a lane could not be released");
                    failed = failed.or(Some(error));
                }
            }
            return failed.map_or(Ok(()), Err);
        }
    }
}

/// What is to be done with an item whose moment has come.
enum Next<'a> {
    Fire(Box<Job>),
    Visit(&'a Lane),
    /// It does not stand any more.
    Drop,
}

async fn look_at<'a>(app: &App, item: &'a DueItem) -> (&'a DueItem, Result<Next<'a>, SweepError>) {
    let next = match &item.what {
        Due::Message { job, .. } => Ok(Next::Fire(Box::new(Job::Message(job.clone())))),
        Due::Lane(lane) => Ok(Next::Visit(lane)),
        Due::Reminder(reminder) => match reminder::raise(app, &item.key, reminder).await {
            Ok(Some(job)) => Ok(Next::Fire(Box::new(job))),
            Ok(None) => Ok(Next::Drop),
            Err(error) => Err(error),
        },
    };
    (item, next)
}

/// Puts records into the queue, each after its seconds, and takes their items out of the schedule. What SQS did not take
/// stays, and is the answer.
pub(crate) async fn into_queue(app: &App, due: Vec<(&DueItem, Job, u16)>) -> Result<(), SweepError> {
    let (items, jobs): (Vec<&DueItem>, Vec<(Job, u16)>) =
        due.into_iter().map(|(item, job, seconds)| (item, (job, seconds))).unzip();
    let put = app.events.send_after(&jobs).await;
    let mut refused = None;
    let mut taken = Vec::with_capacity(items.len());
    for (item, put) in items.into_iter().zip(put) {
        match put {
            Ok(()) => taken.push(item),
            Err(error) => refused = Some(error),
        }
    }
    let removals = stream::iter(taken).map(|item| app.schedule.remove(item));
    removals.buffer_unordered(REMOVALS_AT_ONCE).try_collect::<Vec<bool>>().await?;
    refused.map_or(Ok(()), |error| Err(error.into()))
}

fn lateness(item: &DueItem, now: Timestamp) -> i64 {
    item.due_at.parse::<Timestamp>().map_or(0, |due_at| now.duration_since(due_at).as_secs())
}
