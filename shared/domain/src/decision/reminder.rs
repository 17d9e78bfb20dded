//! Reminders: when one is due, and the event that it raises.
//!
//! - A lead of whole days keeps the local time. A reminder one day before 15:00 is due at 15:00, also across a clock
//!   change.
//! - Every other lead is an absolute duration, including zero.
//! - A whole-day activity starts at the site's `morning`.

use std::collections::BTreeSet;

use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::{Value, json};

use crate::decision::plan::{Plan, PlannedSkip};
use crate::event::{Activity, ActivityTime, DueReminder, Event, EventData, Reminder};
use crate::message::reason::Skip;
use crate::primitives::id::ObjectId;
use crate::primitives::key::reminder_event_id;
use crate::primitives::local_time::first_valid;

const DAY_MINUTES: u64 = 24 * 60;

/// Returns when a reminder is due, `minutes_before` its activity. `morning` is the time at which a whole-day activity
/// starts for the site. `None` if the calendar has no such instant.
#[must_use]
pub fn due_at(activity: &Activity, minutes_before: u64, morning: Time) -> Option<Timestamp> {
    let zone = &activity.zone;
    let starts = match activity.starts {
        ActivityTime::At(instant) => instant.to_zoned(zone.clone()).datetime(),
        ActivityTime::Day(day) => day.to_datetime(morning),
    };
    if minutes_before > 0 && minutes_before.is_multiple_of(DAY_MINUTES) {
        let days = i64::try_from(minutes_before / DAY_MINUTES).ok()?;
        return first_valid(starts.checked_sub(days.days()).ok()?, zone);
    }
    let instant = match activity.starts {
        ActivityTime::At(instant) => instant,
        ActivityTime::Day(_) => first_valid(starts, zone)?,
    };
    instant.checked_sub(SignedDuration::from_mins(i64::try_from(minutes_before).ok()?)).ok()
}

/// A reminder that the schedule keeps until it is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The reminder's id.
    pub id: ObjectId,
    /// When it is due.
    pub due_at: Timestamp,
    /// The reminder fingerprint: its [`reminder_fingerprint`].
    pub fingerprint: String,
}

/// Returns the reminder fingerprint: the reminder's id, the activity's start and the lead.
///
/// A reminder is notified once for each fingerprint and is valid only while the fingerprint is current. An edit of
/// anything else does not affect the reminder.
#[must_use]
pub fn reminder_fingerprint(activity: &Activity, reminder: &ObjectId, minutes_before: u64) -> String {
    format!("{reminder}/{}/{minutes_before}", starts(activity))
}

/// Returns the start of an activity as it appears in fingerprints and in the activity's item:
/// `At(2026-11-24T14:00:00Z)`, `Day(2026-11-24)`. The form is persisted: a different form would send every reminder
/// again.
#[must_use]
pub fn starts(activity: &Activity) -> String {
    match activity.starts {
        ActivityTime::At(instant) => format!("At({instant})"),
        ActivityTime::Day(date) => format!("Day({date})"),
    }
}

/// Returns the [`reminder_fingerprint`] of a reminder in a saved event. `None` if the event has no such reminder to send on
/// WhatsApp.
#[must_use]
pub fn saved_fingerprint(saved: &Event, reminder: &ObjectId) -> Option<String> {
    let (activity, mut reminders) = (saved.activity()?, ticked(saved));
    let reminder = reminders.find(|known| known.id == *reminder)?;
    Some(reminder_fingerprint(activity, &reminder.id, reminder.minutes_before))
}

/// Returns the [`reminder_fingerprint`]s that are valid after an event: one for each reminder to send on WhatsApp. This includes
/// reminders that were due before the event happened. Empty if the activity is over.
#[must_use]
pub fn fingerprints(saved: &Event) -> BTreeSet<String> {
    let basis = matches!(activity_status(saved), Some((_, ActivityStatus::Saved)));
    let Some(activity) = saved.activity().filter(|_| basis) else { return BTreeSet::new() };
    ticked(saved).map(|reminder| reminder_fingerprint(activity, &reminder.id, reminder.minutes_before)).collect()
}

/// Returns the reminders with WhatsApp ticked, if the sender may notify. Empty for other events.
fn ticked(saved: &Event) -> impl Iterator<Item = &Reminder> {
    let reminders: &[Reminder] = match &saved.data {
        EventData::ActivitySaved { reminders, sender_may_notify: true, .. } => reminders,
        _ => &[],
    };
    reminders.iter().filter(|reminder| reminder.whatsapp)
}

/// Returns the reminders to schedule after an activity was saved. WhatsApp must be ticked, the sender must be permitted
/// to notify, and the due time must not be before the event. Empty for other events.
#[must_use]
pub fn to_keep(event: &Event, morning: Time) -> Vec<Kept> {
    let Some(activity) = event.activity() else { return Vec::new() };
    let due = ticked(event).filter_map(|reminder| {
        let due_at = due_at(activity, reminder.minutes_before, morning)?;
        let fingerprint = reminder_fingerprint(activity, &reminder.id, reminder.minutes_before);
        Some(Kept { id: reminder.id.clone(), due_at, fingerprint })
    });
    due.filter(|kept| kept.due_at >= event.occurred_at).collect()
}

/// The activity status after an event: saved or over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActivityStatus {
    /// The activity has the reminders of this event.
    Saved,
    /// The activity was deleted, cancelled or completed, and has no reminders.
    Over,
}

/// Returns the activity of an event and the activity status. `None` if the event does not affect reminders.
#[must_use]
pub fn activity_status(event: &Event) -> Option<(&ObjectId, ActivityStatus)> {
    match &event.data {
        EventData::ActivitySaved { activity, .. } => {
            let activity_status = if is_over(&activity.state) { ActivityStatus::Over } else { ActivityStatus::Saved };
            Some((&activity.id, activity_status))
        }
        EventData::ActivityDeleted { activity } => Some((activity, ActivityStatus::Over)),
        EventData::ActivityStatusChanged(change) if is_over(&change.new_state) => {
            Some((&change.activity.id, ActivityStatus::Over))
        }
        _ => None,
    }
}

fn is_over(state: &str) -> bool {
    use crate::event::activity_state::ActivityState;
    matches!(ActivityState::of(state), Some(ActivityState::Annullata | ActivityState::Completata))
}

/// JSON pointer to the time at which the activity was saved, in a reminder raised by the bridge.
const SAVED_AT: &str = "/data/saved_at";

/// Returns the time of the contact data in an event. Contact data newer than this overrides the event's own. For a
/// reminder raised by the bridge, it is the time at which the activity was saved.
#[must_use]
pub fn contact_data_as_of(event: &Event) -> Timestamp {
    let saved_at = event.document.pointer(SAVED_AT).filter(|_| event.id.is_reserved());
    saved_at.and_then(Value::as_str).and_then(|at| at.parse().ok()).unwrap_or(event.occurred_at)
}

/// Returns the document of the event that a due reminder raises, built from the event that saved the activity. `None`
/// if that event has no such reminder.
#[must_use]
pub fn raised(saved: &Event, item: &str, reminder: &ObjectId, due_at: Timestamp) -> Option<Value> {
    let EventData::ActivitySaved { reminders, .. } = &saved.data else { return None };
    let DueReminder { id, minutes_before } = reminders
        .iter()
        .find(|known| known.id == *reminder)
        .map(|known| DueReminder { id: known.id.clone(), minutes_before: known.minutes_before })?;
    let data = saved.document.get("data")?;
    let part = |name: &str| data.get(name).cloned().unwrap_or(Value::Null);
    let own = data
        .get("reminders")?
        .as_array()?
        .iter()
        .find(|known| known.get("id").and_then(Value::as_str) == Some(id.as_str()));
    let owner = own.and_then(|reminder| reminder.get("owner")).cloned().unwrap_or(Value::Null);
    Some(json!({
        "id": reminder_event_id(item, due_at, &saved.id),
        "type": "activity.reminder",
        "occurred_at": due_at.to_string(),
        "data": {
            "activity": part("activity"),
            "reminder": {"id": id, "minutes_before": minutes_before},
            "owner": owner,
            "saved_by": saved.id,
            "saved_at": saved.occurred_at.to_string(),
            "assignees": part("assignees"),
            "notify": ["whatsapp"],
            "sender_may_notify": true,
        }
    }))
}

/// Returns the plan of a reminder event that is not notified. Either an operator cancelled the reminder or it was no
/// longer valid when due. Every recipient is skipped for that reason.
#[must_use]
pub fn taken_back(raised: &Event, skip: &Skip) -> Plan {
    let mut left_out: Vec<Option<ObjectId>> = Vec::new();
    for person in raised.recipients() {
        let recipient = Some(person.id.clone());
        if !left_out.contains(&recipient) {
            left_out.push(recipient);
        }
    }
    if left_out.is_empty() {
        left_out.push(None);
    }
    let skips = left_out.into_iter().map(|recipient| PlannedSkip { mapping: None, recipient, skip: skip.clone() });
    Plan { messages: Vec::new(), skips: skips.collect() }
}

#[cfg(test)]
mod tests;
