//! What is due goes into the queue, oldest first.

use domain::job::Job;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use runtime::batch::Deadline;
use store::schedule::{Due, DueItem};

use crate::{App, SweepError, Swept, lane, reminder};

/// Items of a shard that are read at once.
const ITEMS_AT_ONCE: usize = 500;
/// Removals under way at once.
const REMOVALS_AT_ONCE: usize = 25;

/// Fires every item of a shard whose moment has come.
pub(crate) async fn fire_due(app: &App, shard: u8, deadline: &Deadline, swept: &mut Swept) -> Result<(), SweepError> {
    let now = app.clock.now();
    loop {
        let items = app.schedule.due(shard, now, ITEMS_AT_ONCE).await?;
        let (mut messages, mut lanes, mut dropped) = (Vec::new(), Vec::new(), Vec::new());
        for item in &items {
            match &item.what {
                Due::Message { job, .. } => messages.push((item, Job::Message(job.clone()), 0)),
                Due::Lane(lane) => lanes.push(lane),
                Due::Reminder(reminder) => match reminder::raise(app, &item.key, reminder).await? {
                    Some(job) => messages.push((item, job, 0)),
                    None => dropped.push(item),
                },
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
                if deadline.has_time() {
                    lane::release(app, lane, swept).await?;
                }
            }
            return Ok(());
        }
    }
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
