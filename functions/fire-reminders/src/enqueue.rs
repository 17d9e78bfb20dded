//! Moves processed items from the schedule into the queue.

use domain::queue::job::Job;
use futures_util::{StreamExt, stream};
use store::schedule::DueItem;

use crate::{App, Tally};

/// Concurrent removals per shard.
const REMOVALS_AT_ONCE: usize = 25;

/// Enqueues records with their delays in seconds, and removes their items from the schedule. Returns the items that
/// SQS accepted; the others remain.
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

/// Removes processed items from the schedule. An item that cannot be removed is processed again.
pub(crate) async fn remove(app: &App, items: &[&DueItem], tally: &mut Tally) {
    let mut removals = stream::iter(items).map(|item| app.schedule.remove(item)).buffer_unordered(REMOVALS_AT_ONCE);
    while let Some(removed) = removals.next().await {
        tally.keep(removed.map(drop));
    }
}
