//! States that a mapping keeps waiting (`hold_for`, quiet hours): the newest of a subject stands, the older ones give way.

use domain::decision::guards::{Repeat, guards, state, takes_back};
use domain::decision::plan::recipients;
use domain::event::Event;
use domain::mapping::Mapping;
use domain::primitives::key::pending_state_key;
use domain::site::config::LiveConfig;
use jiff::Timestamp;
use store::contacts::PendingState;

use crate::App;
use crate::message::{Sender, Task};
use crate::record::Failure;

/// Has a state stand for its subject while the mapping keeps it waiting; answers when a newer one was entered that does.
/// Where each state is told once the same state again is none: what is raised again and again by a synchronisation must
/// not put itself off.
pub(crate) async fn newer(task: Task<'_>) -> Result<Option<Timestamp>, Failure> {
    let Sender { app, live, event, received_at, .. } = task.sender;
    let Some(mapping) = live.mapping(&task.record.planned.mapping) else { return Ok(None) };
    // What goes at once overtakes nothing that waits: the claim sees to that.
    let is_quiet = || mapping.quiet_hours.as_ref()?.until(task.now(), &live.site.zone());
    let waits =
        mapping.hold_for.is_some() || is_quiet().is_some() || (keeps_waiting(mapping) && task.record.attempt > 0);
    let Some(state) = state(event).filter(|_| waits && task.resend_requested_at.is_none()) else { return Ok(None) };
    let guards = guards(task.record.site, mapping, event, &task.record.planned.recipient, received_at);
    let Some(latest) = &guards.latest else { return Ok(None) };
    let newer = app.contacts.put_pending(&pending_state_key(latest), (guards.version, &state), task.now()).await?;
    let same =
        |newer: &PendingState| newer.state.as_deref() == Some(&*state) && mapping.repeat() == Repeat::OncePerState;
    Ok(newer.filter(|newer| !same(newer)).map(|newer| newer.entered_at))
}

/// Has what was cancelled stand for its subject, whether a mapping tells that or not: the state it was in before must not
/// be told any more.
pub(crate) async fn record(app: &App, live: &LiveConfig, event: &Event, received_at: Timestamp) -> Result<(), Failure> {
    let Some(state) = state(event).filter(|_| takes_back(event)) else { return Ok(()) };
    let holding = live
        .mappings
        .iter()
        .filter(|mapping| mapping.enabled && mapping.event_type == event.kind() && keeps_waiting(mapping));
    for mapping in holding {
        for recipient in recipients(event, mapping.recipient_rule) {
            let guards = guards(&live.site.id, mapping, event, &recipient.id, received_at);
            if let Some(latest) = &guards.latest {
                app.contacts.put_pending(&pending_state_key(latest), (guards.version, &state), app.clock.now()).await?;
            }
        }
    }
    Ok(())
}

/// Whether a state may wait so long that another one is entered meanwhile.
fn keeps_waiting(mapping: &Mapping) -> bool {
    mapping.hold_for.is_some() || mapping.quiet_hours.is_some()
}
