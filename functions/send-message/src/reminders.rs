//! Keeps reminders in step with the events of their activity. No event deletes a reminder: a reminder is checked
//! against the activity's item when it is due. The order in which events arrive therefore does not matter.

use domain::decision::plan::Plan;
use domain::decision::reminder::{ActivityStatus, Kept, activity_status, raised, reminder_fingerprint, to_keep};
use domain::event::person::{Person, bring_up_to_date, people_of};
use domain::event::{Event, EventData, EventVersion};
use domain::primitives::id::{EventId, ObjectId, SiteId};
use domain::primitives::key::{activity_key, reminder_key};
use domain::queue::job::Job;
use domain::site::config::LiveConfig;
use jiff::Timestamp;
use runtime::failure::Failure;
use serde_json::Value;
use store::ledger::is_erased;
use store::schedule::ReminderItem;

use crate::App;
use crate::people::latest_records;

/// Processes an event of an activity: updates the activity's item, then keeps the reminders that are still due.
/// Idempotent.
pub(crate) async fn update(app: &App, live: &LiveConfig, event: &Event, received_at: Timestamp) -> Result<(), Failure> {
    let Some((activity, activity_status)) = activity_status(event) else { return Ok(()) };
    let (site, version) = (&live.site.id, EventVersion::of_activity(event, received_at));
    let mut kept =
        if activity_status == ActivityStatus::Saved { to_keep(event, live.site.morning) } else { Vec::new() };
    let last = last_of(&kept).max(app.clock.now());
    let key = activity_key(site, activity);
    if let Some(latest) = app.contacts.put_activity(&key, event, (version, activity_status), last).await? {
        tracing::info!(%site, event.id = %event.id, "a newer event of the activity is known");
        // The newer event kept only reminders due after its own occurrence. An unchanged reminder due before that is
        // kept by this event alone.
        kept.retain(|kept| latest.has(&kept.fingerprint));
    }
    let last = last_of(&kept).max(app.clock.now());
    let reminders = kept.len();
    if reminders > 0 {
        // A reminder reads this event when it is due, possibly far in the future.
        app.ledger.keep_event(site, &event.id, last).await?;
    }
    for kept in kept {
        let (site, event, activity) = (site.clone(), event.id.clone(), activity.clone());
        let item = ReminderItem { site, event, activity, reminder: kept.id, due_at: kept.due_at };
        app.schedule.put_reminder(&item, version).await?;
    }
    tracing::info!(%site, event.id = %event.id, reminders, "followed an event of an activity");
    Ok(())
}

/// A reminder refreshed from the latest event that saved its activity.
pub(crate) struct Refreshed {
    /// The reminder, under its original event id.
    pub(crate) event: Event,
    /// The event that saved the activity.
    pub(crate) by: EventId,
    /// The event document that the latest save would have raised.
    own: Value,
}

/// Rebuilds a reminder raised by the bridge from the latest `activity.saved`: text, people, owner, and the last known
/// contact data.
///
/// Returns `None` for other events, and for a reminder that is already current or no longer valid. The claim refuses
/// an invalid reminder.
pub(crate) async fn refreshed(
    app: &App,
    site: &SiteId,
    event: &Event,
    received_at: Timestamp,
) -> Result<Option<Refreshed>, Failure> {
    let EventData::ActivityReminder { activity, reminder, .. } = &event.data else { return Ok(None) };
    if !event.id.is_reserved() {
        return Ok(None);
    }
    let (key, fingerprint) =
        (activity_key(site, &activity.id), reminder_fingerprint(activity, &reminder.id, reminder.minutes_before));
    let mut latest = app.contacts.activities(std::slice::from_ref(&key)).await?;
    let latest = latest.remove(&key).transpose()?.filter(|latest| latest.has(&fingerprint));
    let saved_by = event.document.pointer("/data/saved_by").and_then(Value::as_str);
    let Some(by) = latest.map(|latest| latest.event).filter(|by| saved_by != Some(by.as_str())) else {
        return Ok(None);
    };
    let saved = app.ledger.recorded(site, &by).await?.filter(|saved| !is_erased(&saved.document));
    let Some(saved) = saved else { return Ok(None) };
    let read = |document, received_at| {
        Event::parse_any(document, received_at).map_err(|error| Failure::dead(format!("the event {by}: {error}")))
    };
    let saved = read(saved.document, saved.received_at)?;
    let item = reminder_key(site, &activity.id, &reminder.id);
    let Some(mut own) = raised(&saved, &item, &reminder.id, event.occurred_at) else { return Ok(None) };
    let people: Vec<ObjectId> = people_of(&mut own).map(|(id, _)| id).collect();
    let latest = latest_records(app, site, people).await?;
    bring_up_to_date(&mut own, saved.occurred_at, &latest);
    let mut document = own.clone();
    if let Some(id) = document.get_mut("id") {
        *id = event.id.as_str().into();
    }
    Ok(Some(Refreshed { event: read(document, received_at)?, by, own }))
}

impl Refreshed {
    /// Reminds people who joined the activity after its reminder was planned. It enqueues the event that the latest
    /// save would have raised, with the same id each time. A person in both events is notified once, by whichever
    /// event comes first.
    pub(crate) async fn remind_others(&self, app: &App, site: &SiteId, plan: &Plan) -> Result<(), Failure> {
        let is_new = |person: &Person| {
            let planned = plan.messages.iter().any(|planned| planned.recipient == person.id);
            !planned && !plan.skips.iter().any(|planned| planned.recipient.as_ref() == Some(&person.id))
        };
        if !self.event.recipients().iter().any(is_new) {
            return Ok(());
        }
        let job = Job::event(site.clone(), app.clock.now(), self.own.clone());
        app.queue.send(&job).await?;
        tracing::info!(%site, event.id = %self.event.id, by.id = %self.by, "others are reminded by a newer event");
        Ok(())
    }

    /// Whether a person is still to be reminded.
    pub(crate) fn reminds(&self, person: &ObjectId) -> bool {
        self.event.recipients().iter().any(|recipient| recipient.id == *person)
    }
}

/// Returns the latest due time of these reminders.
fn last_of(kept: &[Kept]) -> Timestamp {
    kept.iter().map(|kept| kept.due_at).max().unwrap_or_default()
}
