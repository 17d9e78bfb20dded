//! Enqueues due items, page by page, oldest first.

use domain::queue::job::Job;
use jiff::Timestamp;
use runtime::batch::Deadline;
use store::schedule::{Due, DueItem, Lane};

use crate::enqueue::{into_queue, remove};
use crate::{App, Tally, lane, reminder};

/// Items of a shard that are read and fired at once. An item needs up to two events of at most 64 KB, and several
/// times that once parsed, for each of [`crate::SHARDS_AT_ONCE`] shards. The function's memory must hold the result;
/// see `docs/measurements.md`.
const ITEMS_AT_ONCE: usize = 25;

/// Fires every due item of a shard. The lanes among them follow at the end, because a lane may take long.
pub(crate) async fn fire_due(app: &App, shard: u8, deadline: &Deadline) -> Tally {
    let (mut tally, mut lanes) = (Tally::default(), Vec::new());
    let mut pages = app.schedule.due_pages(shard, app.clock.now(), ITEMS_AT_ONCE);
    while deadline.has_time()
        && let Some(page) = pages.next().await
    {
        match page {
            Ok(page) => {
                page.unreadable.into_iter().for_each(|error| tally.keep(Err(error)));
                lanes.extend(fire(app, &page.items, &mut tally).await);
            }
            Err(error) => tally.keep(Err(error)),
        }
    }
    visit(app, &lanes, deadline, &mut tally).await;
    tally
}

/// Fires the items of a page. Returns the lanes among them.
async fn fire(app: &App, items: &[DueItem], tally: &mut Tally) -> Vec<Lane> {
    let (mut due, mut lanes, mut reminders) = (Vec::new(), Vec::new(), Vec::new());
    let now = app.clock.now();
    for item in items {
        // Items that then fail to fire count too: their lateness must be visible. A lane has no due time of its own.
        if !matches!(item.what, Due::Lane(_)) {
            tally.swept.late_s = tally.swept.late_s.max(lateness(item, now));
        }
        match &item.what {
            Due::Message { job, .. } => due.push((item, Job::Message(job.clone()), 0)),
            Due::Lane(lane) => lanes.push(lane.clone()),
            Due::Reminder(reminder) => reminders.push((item, reminder)),
        }
    }
    let mut dropped = Vec::new();
    match reminder::raise(app, &reminders).await {
        Ok(raised) => {
            for ((item, _), raised) in reminders.iter().zip(raised) {
                match raised {
                    Ok(Some(job)) => due.push((item, job, 0)),
                    // The reminder is no longer valid.
                    Ok(None) => dropped.push(*item),
                    Err(error) => tally.keep(Err(error)),
                }
            }
        }
        Err(error) => tally.keep(Err(error)),
    }
    due.sort_by(|(one, ..), (other, ..)| one.due_at.cmp(&other.due_at));
    tally.swept.fired += into_queue(app, due, tally).await.len() + dropped.len();
    remove(app, &dropped, tally).await;
    lanes
}

async fn visit(app: &App, lanes: &[Lane], deadline: &Deadline, tally: &mut Tally) {
    for lane in lanes {
        if deadline.has_time()
            && let Err(error) = lane::release(app, lane, deadline, tally).await
        {
            tracing::warn!(site = %lane.site, account = %lane.account, "a lane could not be released");
            tally.keep(Err(error));
        }
    }
}

fn lateness(item: &DueItem, now: Timestamp) -> i64 {
    item.due_at.parse::<Timestamp>().map_or(0, |due_at| now.duration_since(due_at).as_secs())
}
