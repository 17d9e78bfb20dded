//! What is due goes into the queue, page by page, oldest first.

use domain::queue::job::Job;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use runtime::batch::Deadline;
use store::schedule::{Due, DueItem, Lane};

use crate::{App, Tally, lane, reminder};

/// Items of a shard that are read and fired at once: two events of at most 64 KB each, several times that once they are
/// read, [`crate::SHARDS_AT_ONCE`] times. `docs/measurements.md` has what that comes to, which the function's memory must
/// hold.
const ITEMS_AT_ONCE: usize = 25;
/// Removals under way at once, of each shard.
const REMOVALS_AT_ONCE: usize = 25;

/// Fires every item of a shard whose moment has come; then each lane among them is visited, which may take long.
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

/// Fires the items of a page. Answers the lanes among them.
async fn fire(app: &App, items: &[DueItem], tally: &mut Tally) -> Vec<Lane> {
    let (mut due, mut lanes, mut reminders) = (Vec::new(), Vec::new(), Vec::new());
    let now = app.clock.now();
    for item in items {
        // Also of what then cannot be fired: that it is late must show. A lane has no moment of its own.
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
                    // It does not stand any more.
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

/// Puts records into the queue, each after its seconds, and takes their items out of the schedule. Answers the items that
/// SQS took; the others stay.
pub(crate) async fn into_queue<'a>(
    app: &App,
    due: Vec<(&'a DueItem, Job, u16)>,
    tally: &mut Tally,
) -> Vec<&'a DueItem> {
    let (items, jobs): (Vec<&DueItem>, Vec<(Job, u16)>) =
        due.into_iter().map(|(item, job, seconds)| (item, (job, seconds))).unzip();
    let put = app.events.send_after(&jobs).await;
    let mut taken = Vec::with_capacity(items.len());
    for (item, put) in items.into_iter().zip(put) {
        match put {
            Ok(()) => taken.push(item),
            Err(error) => tally.keep(Err(error)),
        }
    }
    remove(app, &taken, tally).await;
    taken
}

/// Takes items out of the schedule that were dealt with. One that cannot be removed is dealt with again.
async fn remove(app: &App, items: &[&DueItem], tally: &mut Tally) {
    let mut removals = stream::iter(items).map(|item| app.schedule.remove(item)).buffer_unordered(REMOVALS_AT_ONCE);
    while let Some(removed) = removals.next().await {
        tally.keep(removed.map(drop));
    }
}

fn lateness(item: &DueItem, now: Timestamp) -> i64 {
    item.due_at.parse::<Timestamp>().map_or(0, |due_at| now.duration_since(due_at).as_secs())
}
