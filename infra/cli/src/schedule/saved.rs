//! The reminders in an `activity.saved` event, as `bridge explain` shows them: when each is due, and what became of it.

use domain::decision::reminder::{ActivityStatus, activity_status, due_at, reminder_fingerprint};
use domain::event::{Activity, Event, EventData, Reminder};
use domain::primitives::id::{EventId, ObjectId};
use domain::primitives::key::{activity_key, event_key, reminder_event_id, reminder_key};
use domain::site::config::Site;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use store::ledger::StoredEvent;
use store::schedule::Due;
use texts::Texts;

use crate::failure::Failure;
use crate::output::wrapped;
use crate::stack::Stack;

/// A reminder in a saved activity.
pub(crate) struct Saved {
    id: ObjectId,
    minutes_before: u64,
    due_at: Option<Timestamp>,
    zone: TimeZone,
    fate: Fate,
}

/// What became of a reminder.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fate {
    /// It is sent at its time, unless the activity changes.
    Scheduled,
    /// It raised this event.
    Raised(String),
    /// WhatsApp is not ticked on it.
    NotRequested,
    /// The person who saved the activity may not notify.
    NotPermitted,
    /// The activity was completed or cancelled when it was saved.
    Over,
    /// It was due before the event happened.
    Past,
    /// A newer event of the activity replaced it, or it was raised just now.
    Gone,
}

/// Returns the reminders in an event; `None` if it is no readable `activity.saved`.
pub(crate) async fn reminders_of(
    stored: &StoredEvent,
    site: &Site,
    stack: &Stack,
) -> Result<Option<Vec<Saved>>, Failure> {
    let Ok(event) = Event::parse_any(stored.document.clone(), stored.received_at) else { return Ok(None) };
    let EventData::ActivitySaved { activity, reminders, .. } = &event.data else { return Ok(None) };
    let mut saved = Vec::with_capacity(reminders.len());
    for reminder in reminders {
        let due_at = due_at(activity, reminder.minutes_before, site.morning);
        let fate = match scheduled_at(&event, reminder, due_at) {
            Ok(due_at) => fate(&event, activity, reminder, due_at, stack).await?,
            Err(fate) => fate,
        };
        let (id, zone) = (reminder.id.clone(), activity.zone.clone());
        saved.push(Saved { id, minutes_before: reminder.minutes_before, due_at, zone, fate });
    }
    Ok(Some(saved))
}

/// Returns when the event schedules a reminder, or why it does not.
fn scheduled_at(event: &Event, reminder: &Reminder, due_at: Option<Timestamp>) -> Result<Timestamp, Fate> {
    let permitted = matches!(event.data, EventData::ActivitySaved { sender_may_notify: true, .. });
    match due_at {
        _ if matches!(activity_status(event), Some((_, ActivityStatus::Over))) => Err(Fate::Over),
        _ if !reminder.whatsapp => Err(Fate::NotRequested),
        _ if !permitted => Err(Fate::NotPermitted),
        Some(due_at) if due_at >= event.occurred_at => Ok(due_at),
        Some(_) | None => Err(Fate::Past),
    }
}

/// Looks a reminder up in the schedule, and the event that it raised in the ledger.
async fn fate(
    event: &Event,
    activity: &Activity,
    reminder: &Reminder,
    due_at: Timestamp,
    stack: &Stack,
) -> Result<Fate, Failure> {
    let site = stack.site()?;
    let key = activity_key(site, &activity.id);
    let latest = stack.contacts.activities(std::slice::from_ref(&key)).await?;
    let latest = latest.get(&key).and_then(|latest| latest.as_ref().ok());
    let scheduled = stack.schedule.reminder(site, &activity.id, &reminder.id).await?;
    if scheduled.is_some_and(|item| matches!(&item.what, Due::Reminder(kept) if kept.due_at == due_at)) {
        let fingerprint = reminder_fingerprint(activity, &reminder.id, reminder.minutes_before);
        // The schedule keeps a reminder that is no longer valid until it is due.
        let is_valid = latest.is_some_and(|latest| latest.has(&fingerprint));
        return Ok(if is_valid { Fate::Scheduled } else { Fate::Gone });
    }
    // A reminder is raised from the latest event that saved its activity.
    let latest = latest.map(|latest| latest.event.clone());
    let item = reminder_key(site, &activity.id, &reminder.id);
    for saved_by in [Some(event.id.clone()), latest].into_iter().flatten() {
        let id = reminder_event_id(&item, due_at, &saved_by);
        let Ok(raised) = EventId::parse(&id) else { continue };
        let key = event_key(site, &raised);
        if stack.ledger.recorded_all(std::slice::from_ref(&key)).await?.contains_key(&key) {
            return Ok(Fate::Raised(id));
        }
    }
    Ok(Fate::Gone)
}

impl Fate {
    /// Returns the fate as a JSON value.
    fn name(&self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Raised(_) => "raised",
            Self::NotRequested => "not_requested",
            Self::NotPermitted => "not_permitted",
            Self::Over => "over",
            Self::Past => "past",
            Self::Gone => "gone",
        }
    }

    fn words(&self, texts: &Texts) -> String {
        match self {
            Self::Scheduled => texts.saved_reminder_scheduled().to_string(),
            Self::Raised(id) => texts.saved_reminder_raised(id.as_str()),
            Self::NotRequested => texts.saved_reminder_not_requested().to_string(),
            Self::NotPermitted => texts.saved_reminder_not_permitted().to_string(),
            Self::Over => texts.saved_reminder_over().to_string(),
            Self::Past => texts.saved_reminder_past().to_string(),
            Self::Gone => texts.saved_reminder_gone().to_string(),
        }
    }
}

impl Saved {
    pub(crate) fn document(&self) -> Value {
        let raised = if let Fate::Raised(id) = &self.fate { Some(id) } else { None };
        json!({
            "reminder": self.id, "minutes_before": self.minutes_before, "due_at": self.due_at,
            "state": self.fate.name(), "event": raised,
        })
    }

    pub(crate) fn words(&self, texts: &Texts) -> String {
        let before = match self.minutes_before {
            0 => texts.at_the_start().to_string(),
            minutes => texts.before_the_start(texts.lead(minutes)),
        };
        let line = match self.due_at {
            Some(due_at) => {
                let zone = self.zone.iana_name().unwrap_or_default();
                texts.saved_reminder_due(self.id.as_str(), before, texts.moment(due_at, &self.zone), zone)
            }
            None => texts.saved_reminder(self.id.as_str(), before),
        };
        wrapped(&line, 2) + &wrapped(&self.fate.words(texts), 6)
    }
}
