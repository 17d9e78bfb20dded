//! Cancelling a reminder, and raising it now.

use domain::decision::reminder::taken_back;
use domain::event::Event;
use domain::message::reason::{BY_OPERATOR, Reason, Skip};
use domain::primitives::id::EventId;
use domain::primitives::key::reminder_event_id;
use serde_json::json;
use store::ledger::EventRecord;
use store::schedule::ReminderItem;

use super::{Looked, Validity, is_taken_back};
use crate::failure::Failure;
use crate::output::Output;
use crate::schedule::kept::Kept;
use crate::schedule::waiting;
use crate::stack::Stack;

/// Finds a reminder by its id and evaluates it.
///
/// # Errors
/// [`Failure::No`] if no reminder with this id waits.
async fn find(id: &EventId, stack: &Stack) -> Result<Looked, Failure> {
    let found = waiting::reminder(id, stack).await?.into_iter().collect();
    match Looked::at(found, stack).await?.pop().filter(|looked| looked.id() == id.as_str()) {
        Some(looked) => Ok(looked),
        None if stack.ledger.plan(stack.site()?, id).await?.is_some() => {
            Err(Failure::no(|texts| texts.no_longer_in_schedule(id.to_string())))
        }
        None => Err(Failure::no(|texts| texts.no_reminder(id.to_string()))),
    }
}

/// Returns the failure for a reminder that cannot be changed.
fn refused(validity: Validity, id: &EventId) -> Failure {
    Failure::no(|texts| match validity {
        Validity::TakenBack | Validity::Raised => texts.see_explain(validity.words(texts), id.as_str()),
        Validity::Valid | Validity::Over | Validity::Changed | Validity::Lost | Validity::Unreadable => {
            validity.words(texts)
        }
    })
}

/// Cancels a reminder for good: records the event it would raise with a plan that notifies nobody. If a repeated event
/// schedules the reminder again, the sweep finds the recorded event.
pub(in crate::schedule) async fn cancel(id: &EventId, stack: &Stack, output: Output) -> Result<(), Failure> {
    let looked = find(id, stack).await?;
    match (looked.validity, &looked.event) {
        (Validity::Valid, Some(event)) => record(event, &looked.kept, stack).await?,
        // The item may have been scheduled again, or a crash came between the two steps.
        (Validity::TakenBack, _) => {}
        // An unreadable reminder cannot be recorded. Remove its item anyway; otherwise it would stay for ever.
        (Validity::Unreadable, _) => {}
        (validity, _) => return Err(refused(validity, id)),
    }
    // `remove` is conditional: a reminder that was moved meanwhile stays, under another id.
    stack.schedule.remove(&looked.kept.item).await?;
    let ReminderItem { activity, reminder, due_at, .. } = &looked.kept.reminder;
    let recorded = looked.validity != Validity::Unreadable;
    let (outcome, reason) = if recorded { (Some("skipped"), Some(Reason::Cancelled)) } else { (None, None) };
    let document = json!({
        "event": id, "activity": activity, "reminder": reminder, "due_at": due_at, "outcome": outcome, "reason": reason,
    });
    output.say(&document, |texts| match recorded {
        true => texts.reminder_cancel_done(id.to_string()),
        false => texts.reminder_removed(),
    });
    Ok(())
}

/// Records the event of a reminder with a plan that notifies nobody.
async fn record(event: &Event, kept: &Kept, stack: &Stack) -> Result<(), Failure> {
    let (site, now, due_at) = (&kept.reminder.site, stack.clock.now(), kept.reminder.due_at);
    let plan = taken_back(event, &Skip::new(Reason::Cancelled, BY_OPERATOR));
    let retention_days = stack.live().await?.site.retention_days;
    // The event occurs at the due time. With an earlier `received_at` it would be unreadable, because an event cannot
    // occur after it is received.
    let record = EventRecord { trace: None, site, event, received_at: now.max(due_at), plan: &plan, retention_days };
    stack.ledger.record_event(record, now).await?;
    // The first record wins: the sweep may have raised the reminder meanwhile.
    let recorded = stack.ledger.plan(site, &event.id).await?;
    if !recorded.is_some_and(|plan| is_taken_back(&plan)) {
        return Err(refused(Validity::Raised, &event.id));
    }
    stack.ledger.keep_event(site, &event.id, due_at).await?;
    Ok(())
}

/// Moves a reminder to the current time, so that the next sweep raises it. The claim prevents a second message at the
/// original due time.
pub(in crate::schedule) async fn fire_now(id: &EventId, stack: &Stack, output: Output) -> Result<(), Failure> {
    let looked = find(id, stack).await?;
    if looked.validity != Validity::Valid {
        return Err(refused(looked.validity, id));
    }
    let now = stack.clock.now();
    if !stack.schedule.move_reminder(&looked.kept.item, now).await? {
        return Err(Failure::no(|texts| texts.reminder_overtaken()));
    }
    let raises = reminder_event_id(&looked.kept.item.key, now, &looked.saved_by);
    let ReminderItem { activity, reminder, .. } = &looked.kept.reminder;
    let document = json!({"event": raises, "activity": activity, "reminder": reminder, "due_at": now});
    output.say(&document, |texts| texts.reminder_fired(raises));
    Ok(())
}
