//! What an event changes of the reminders of its activity. Nothing is deleted: a reminder that does not stand any more is
//! found out when it is due, by the activity's head, so that the order in which the events come does not matter.

use domain::config::LiveConfig;
use domain::event::Event;
use domain::key::activity_key;
use domain::reminder::{Kept, Standing, moment, standing, to_keep};
use jiff::Timestamp;
use store::schedule::ReminderItem;

use crate::App;
use crate::record::Failure;

/// Follows an event of an activity: its head first, then what is to be kept. Handled again it does the same again.
pub(crate) async fn follow(app: &App, live: &LiveConfig, event: &Event, received_at: Timestamp) -> Result<(), Failure> {
    let Some((activity, standing)) = standing(event) else { return Ok(()) };
    let (site, moment) = (&live.site.id, moment(event, received_at));
    let mut kept = if standing == Standing::Saved { to_keep(event, live.site.morning) } else { Vec::new() };
    let last = last_of(&kept).max(app.clock.now());
    let key = activity_key(site, activity);
    if let Some(head) = app.contacts.put_activity(&key, event, (moment, standing), last).await? {
        tracing::info!(%site, event.id = %event.id, "a newer event of the activity is known");
        // What the newer one left as it was may have been due before that one happened: then only this one has it kept.
        kept.retain(|kept| head.has(&kept.moment));
    }
    let last = last_of(&kept).max(app.clock.now());
    let reminders = kept.len();
    if reminders > 0 {
        // The reminders read the event when they are due, however far ahead that is.
        app.ledger.keep_event(site, &event.id, last).await?;
    }
    for kept in kept {
        let (site, event, activity) = (site.clone(), event.id.clone(), activity.clone());
        let item = ReminderItem { site, event, activity, reminder: kept.id, due_at: kept.due_at };
        app.schedule.put_reminder(&item, moment).await?;
    }
    tracing::info!(%site, event.id = %event.id, reminders, "followed an event of an activity");
    Ok(())
}

/// The latest moment of these.
fn last_of(kept: &[Kept]) -> Timestamp {
    kept.iter().map(|kept| kept.due_at).max().unwrap_or_default()
}
