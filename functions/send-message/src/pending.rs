//! Pending states: states that wait during `hold_for` or quiet hours. The newest state of a subject supersedes older
//! ones.

use domain::decision::guards::{guards, state, takes_back};
use domain::decision::plan::recipients;
use domain::event::Event;
use domain::mapping::{Mapping, Repeat};
use domain::primitives::key::pending_state_key;
use domain::site::config::LiveConfig;
use jiff::Timestamp;
use runtime::failure::Failure;
use store::contacts::PendingState;

use crate::App;
use crate::task::Task;

/// Records this state as the latest pending one; returns the time of a newer one, if any.
///
/// Under `OncePerState`, the same state does not count as newer. Otherwise a synchronisation that raises it again and
/// again would postpone it forever.
pub(crate) async fn newer(task: Task<'_>) -> Result<Option<Timestamp>, Failure> {
    let Task { app, live, event, received_at, .. } = task;
    let Some(mapping) = live.mapping(&task.job.mapping) else { return Ok(None) };
    // A message that does not wait needs no pending state: the claim prevents it from superseding a newer one.
    let is_quiet = || mapping.quiet_hours.as_ref()?.until(task.now(), &live.site.zone());
    let waits = mapping.hold_for.is_some() || is_quiet().is_some() || (keeps_waiting(mapping) && task.job.attempt > 0);
    let Some(state) = state(event).filter(|_| waits && task.job.resend_requested_at.is_none()) else { return Ok(None) };
    let guards = guards(&task.job.site, mapping, event, &task.job.recipient, received_at);
    let Some(latest) = &guards.latest else { return Ok(None) };
    let newer = app.contacts.put_pending(&pending_state_key(latest), (guards.version, &state), task.now()).await?;
    let same =
        |newer: &PendingState| newer.state.as_deref() == Some(&*state) && mapping.repeat() == Repeat::OncePerState;
    Ok(newer.filter(|newer| !same(newer)).map(|newer| newer.entered_at))
}

/// Records a cancellation as the latest pending state, even if no message is sent about it. The message about the
/// previous state must not be sent any more.
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

/// Whether a state may wait so long that a newer state occurs.
fn keeps_waiting(mapping: &Mapping) -> bool {
    mapping.hold_for.is_some() || mapping.quiet_hours.is_some()
}
