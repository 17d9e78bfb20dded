//! Raises the statuses that follow an accepted message, each at its time.

use std::time::Duration;

use tokio::sync::oneshot;

use crate::{
    course::{Mode, Status},
    state::{Shared, State, Tick},
    webhook::{
        Update,
        envelope::{self, Subject},
    },
};

/// Raises the statuses of an accepted message. Returns a receiver if the send's answer must wait for the statuses. It
/// resolves once each status was posted once.
pub(crate) fn follow(
    shared: &Shared,
    state: &mut State,
    subject: Subject,
    failure: Option<i64>,
) -> Option<oneshot::Receiver<()>> {
    let course = state.mode.course(failure);
    let outbox = shared.outbox();
    let ticket = outbox.expect(course.len());
    match state.mode {
        Mode::BeforeAnswer {} => Some(outbox.post_now(ticket, reach(shared, state, &subject, &course))),
        Mode::Delayed { delay_ms } => {
            let shared = shared.clone();
            outbox.spawn(ticket, async move {
                tokio::time::sleep(Duration::from_millis(delay_ms)).await;
                let mut state = shared.lock();
                // A reset may have happened while this task waited for the lock.
                if shared.outbox().holds(ticket) {
                    let updates = reach(&shared, &mut state, &subject, &course);
                    shared.outbox().push(ticket, updates);
                }
            });
            None
        }
        _ => {
            outbox.push(ticket, reach(shared, state, &subject, &course));
            None
        }
    }
}

/// Records the statuses for the phone and builds their webhook updates.
fn reach(shared: &Shared, state: &mut State, subject: &Subject, course: &[Status]) -> Vec<Update> {
    let now = shared.now();
    state.ticks.extend(course.iter().map(|&status| Tick { id: subject.id.clone(), status }));
    course.iter().map(|&status| envelope::status(subject, status, now)).collect()
}
