//! Reads what waits for a site. A list does not read the whole schedule, which may contain a million reminders.

use domain::event::{Event, EventData};
use domain::message::state::State;
use domain::primitives::id::EventId;
use domain::primitives::key::reminder_event_id;
use jiff::Timestamp;
use store::schedule::{Due, DueItem, SHARDS};

use super::kept::Kept;
use super::message::Waits;
use crate::failure::Failure;
use crate::stack::Stack;

/// Items per page when the whole schedule is searched.
const ITEMS_AT_ONCE: usize = 1_000;

/// The waiting items of a site or an event.
#[derive(Default)]
pub(super) struct Waiting {
    /// Messages with a due time, in its order; then those of the lanes, oldest first.
    pub(super) messages: Vec<Waits>,
    /// Reminders by due time.
    pub(super) reminders: Vec<Kept>,
    /// Whether there are more items than requested.
    pub(super) more: bool,
    /// Number of unreadable items.
    pub(super) unreadable: usize,
}

impl Waiting {
    fn add(&mut self, item: DueItem) {
        match item.what.clone() {
            Due::Message { job, useful_until } => self.messages.push(Waits { item, job, useful_until }),
            Due::Reminder(reminder) => self.reminders.push(Kept { item, reminder }),
            Due::Lane(_) => {}
        }
    }
}

/// Returns the next items of the site: at most `limit` with a due time, and at most `limit` of each lane.
pub(super) async fn soonest(limit: usize, stack: &Stack) -> Result<Waiting, Failure> {
    let site = stack.site()?;
    let (mut waiting, mut items, mut lanes) = (Waiting::default(), Vec::new(), Vec::new());
    // One item beyond the limit shows that there are more.
    let limit_and_one = limit.saturating_add(1);
    for shard in 0..SHARDS {
        let page = stack.schedule.soonest(site, shard, limit_and_one).await?;
        waiting.unreadable += page.unreadable.len();
        for item in page.items {
            match item.what {
                Due::Lane(lane) => lanes.push(lane),
                Due::Message { .. } | Due::Reminder(_) => items.push(item),
            }
        }
    }
    items.sort_by(|one, other| one.due_at.cmp(&other.due_at));
    lanes.sort();
    waiting.more = items.len() > limit;
    items.into_iter().take(limit).for_each(|item| waiting.add(item));
    for lane in lanes {
        let parked = stack.schedule.parked(&lane, limit_and_one).await?;
        waiting.more |= parked.len() > limit;
        parked.into_iter().take(limit).for_each(|item| waiting.add(item));
    }
    Ok(waiting)
}

/// Returns what waits because of an event: its messages, the reminders it saved, or the reminder that will raise it.
pub(super) async fn of_event(id: &EventId, stack: &Stack) -> Result<Waiting, Failure> {
    let (site, mut waiting) = (stack.site()?, Waiting::default());
    let Some(event) = stack.ledger.event(site, id).await? else {
        let raises = if id.is_reserved() { reminder(id, stack).await? } else { None };
        waiting.reminders.extend(raises);
        return Ok(waiting);
    };
    for message in event.messages.iter().filter(|message| matches!(message.facts.state(), State::Waiting(_))) {
        if let Some(item) = stack.schedule.message(&message.id).await? {
            waiting.add(item);
        }
    }
    if let Ok(Event { data: EventData::ActivitySaved { activity, reminders, .. }, .. }) =
        Event::parse_any(event.document, event.received_at)
    {
        for saved in reminders {
            if let Some(item) = stack.schedule.reminder(site, &activity.id, &saved.id).await? {
                waiting.add(item);
            }
        }
    }
    waiting.reminders.sort_by_key(|kept| kept.reminder.due_at);
    Ok(waiting)
}

/// Finds the reminder that will raise an event. The id does not contain its location, so this reads the whole schedule.
/// The first pass assumes that the event that scheduled the reminder also raises it, which is nearly always true. The
/// second pass uses the activity's latest event, for activities that were saved again since.
pub(super) async fn reminder(id: &EventId, stack: &Stack) -> Result<Option<Kept>, Failure> {
    for by_latest in [false, true] {
        for shard in 0..SHARDS {
            let mut pages = stack.schedule.due_pages(shard, Timestamp::MAX, ITEMS_AT_ONCE);
            while let Some(page) = pages.next().await {
                let kept = page?.items.into_iter().filter_map(|item| match item.what.clone() {
                    Due::Reminder(reminder) => Some(Kept { item, reminder }),
                    Due::Message { .. } | Due::Lane(_) => None,
                });
                let mut kept: Vec<Kept> = kept.collect();
                let keys: Vec<String> = kept.iter().map(Kept::activity).filter(|_| by_latest).collect();
                let latest = stack.contacts.activities(&keys).await?;
                let raises = |kept: &Kept| {
                    let latest = latest.get(&kept.activity()).and_then(|latest| latest.as_ref().ok());
                    let saved_by = latest.map_or(&kept.reminder.event, |latest| &latest.event);
                    reminder_event_id(&kept.item.key, kept.reminder.due_at, saved_by) == id.as_str()
                };
                if let Some(place) = kept.iter().position(raises) {
                    let found = kept.swap_remove(place);
                    return Ok(Some(found).filter(|found| stack.site().is_ok_and(|site| found.reminder.site == *site)));
                }
            }
        }
    }
    Ok(None)
}
