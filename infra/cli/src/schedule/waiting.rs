//! What waits of a site, without reading everything that does: there may be a million reminders.

use domain::event::{Event, EventData};
use domain::message::state::State;
use domain::primitives::id::EventId;
use domain::primitives::key::reminder_event_id;
use jiff::Timestamp;
use store::schedule::{Due, DueItem, SHARDS};

use super::message::Waits;
use super::reminder::Kept;
use crate::failure::Failure;
use crate::stack::Stack;

/// Items read at once when one of them is looked for.
const ITEMS_AT_ONCE: usize = 1_000;

/// What waits.
#[derive(Default)]
pub(super) struct Waiting {
    /// Messages that have a moment of their own, by that moment; then those of the lanes, oldest first.
    pub(super) messages: Vec<Waits>,
    /// Reminders, by their moment.
    pub(super) reminders: Vec<Kept>,
    /// Whether there is more than was asked for.
    pub(super) more: bool,
    /// Items that nobody can read.
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

/// What is due next of the site, at most `limit` items that have a moment, and as many of each lane.
pub(super) async fn soonest(limit: usize, stack: &Stack) -> Result<Waiting, Failure> {
    let site = stack.site()?;
    let (mut waiting, mut items, mut lanes) = (Waiting::default(), Vec::new(), Vec::new());
    // One more says that there is more.
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

/// What waits because of an event: its messages, the reminders that it saved, or the one that raises it.
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

/// The reminder that raises an event. Its id does not say where it is: everything is looked through, first for one that
/// tells the event it was put by, which is nearly every one, then for one whose activity was saved since.
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
