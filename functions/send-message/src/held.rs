//! States that a mapping holds (`hold_for`): the newest of a subject stands, the older ones give way.

use domain::config::LiveConfig;
use domain::decision::held_until;
use domain::event::Event;
use domain::key::held_key;
use domain::occasion::{guards, takes_back};
use domain::plan::recipients;
use jiff::Timestamp;

use crate::App;
use crate::message::{Sender, Task};
use crate::record::Failure;

/// Has a state stand for its subject while the mapping holds it; answers when a newer one was entered that does.
pub(crate) async fn newer(task: Task<'_>) -> Result<Option<Timestamp>, Failure> {
    let Sender { app, live, event, received_at, .. } = task.sender;
    let Some(mapping) = live.mapping(&task.record.planned.mapping) else { return Ok(None) };
    if held_until(event, mapping).is_none() || task.asked_at.is_some() {
        return Ok(None);
    }
    let guards = guards(task.record.site, mapping, event, &task.record.planned.recipient, received_at);
    let Some(head) = &guards.head else { return Ok(None) };
    Ok(app.contacts.hold(&held_key(head), guards.moment, task.now()).await?)
}

/// Has what was cancelled stand for its subject, whether a mapping tells that or not: the state it was in before must not
/// be told any more.
pub(crate) async fn follow(app: &App, live: &LiveConfig, event: &Event, received_at: Timestamp) -> Result<(), Failure> {
    if !takes_back(event) {
        return Ok(());
    }
    let holding = live.mappings.iter().filter(|mapping| {
        mapping.enabled && mapping.event_type == event.kind() && held_until(event, mapping).is_some()
    });
    for mapping in holding {
        for recipient in recipients(event, mapping.recipient_rule).0 {
            let guards = guards(&live.site.id, mapping, event, &recipient.id, received_at);
            if let Some(head) = &guards.head {
                app.contacts.hold(&held_key(head), guards.moment, app.clock.now()).await?;
            }
        }
    }
    Ok(())
}
