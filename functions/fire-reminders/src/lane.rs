//! An account's lane: its parked messages are released oldest first, as fast as the account may send; while it is
//! stopped, one at a time finds out whether it can send again.

use domain::config::Account;
use domain::job::{Job, MessageJob, Pass};
use jiff::{SignedDuration, Timestamp};
use store::accounts::{AccountState, Lease};
use store::schedule::{Due, DueItem, Lane};

use crate::fire::into_queue;
use crate::{App, SweepError, Tally};

/// Slots are leased until the next sweep.
const UNTIL_NEXT_SWEEP: SignedDuration = SignedDuration::from_secs(60);
/// When a stopped account may be probed again if the probe's outcome never comes.
const PROBE_AGAIN: SignedDuration = SignedDuration::from_mins(5);
/// Among so many of the oldest the probe is chosen.
const PROBES_AMONG: usize = 16;
/// Messages of a lane that are looked at in one sweep: a minute's worth of the fastest common number and more.
const MESSAGES_AT_ONCE: usize = 5_000;

/// A parked message.
type Parked<'a> = (&'a DueItem, &'a MessageJob, Timestamp);

/// Releases what may go of a lane.
pub(crate) async fn release(app: &App, lane: &Lane, tally: &mut Tally) -> Result<(), SweepError> {
    let now = app.clock.now();
    let items = app.schedule.parked(lane, MESSAGES_AT_ONCE).await?;
    if items.is_empty() {
        app.schedule.close_lane(lane, now).await?;
        return Ok(());
    }
    let parked = items.iter().filter_map(|item| match &item.what {
        Due::Message { job, useful_until } => Some((item, job, *useful_until)),
        Due::Lane(_) | Due::Reminder(_) => None,
    });
    let (useful, too_late): (Vec<Parked<'_>>, Vec<Parked<'_>>) = parked.partition(|(.., until)| *until >= now);
    // Whatever the account does: what is of no use any more is recorded so.
    let mut due: Vec<(&DueItem, Job, u16)> =
        too_late.into_iter().map(|(item, job, _)| (item, Job::Message(job.clone()), 0)).collect();
    let live = app.config.live(&lane.site).await?;
    let account = live.as_ref().and_then(|live| live.accounts.iter().find(|account| account.id == lane.account));
    match (&live, account) {
        (Some(live), _) if live.site.active && live.site.paused => {}
        (Some(live), Some(account)) if live.site.active && account.active => {
            due.extend(within_pace(app, lane, account, &useful, now).await?);
        }
        // A site or an account that is gone or switched off: the decision records why nothing is sent.
        _ => due.extend(useful.iter().map(|(item, job, _)| (*item, Job::Message((*job).clone()), 0))),
    }
    tally.swept.released += into_queue(app, due, tally).await.len();
    Ok(())
}

/// The messages that may go before the next sweep, each delayed until its slot.
async fn within_pace<'a>(
    app: &App,
    lane: &Lane,
    account: &Account,
    useful: &[Parked<'a>],
    now: Timestamp,
) -> Result<Vec<(&'a DueItem, Job, u16)>, SweepError> {
    let state = app.schedule.account_state(lane).await?;
    if state.stop.is_some() {
        // Another one of the oldest each time: one that is refused for itself must not keep all others waiting.
        let turn = usize::try_from(now.as_second() / 60).unwrap_or_default() % useful.len().clamp(1, PROBES_AMONG);
        let Some((item, job, _)) = useful.get(turn) else { return Ok(Vec::new()) };
        let probes = app.schedule.take_probe(lane, PROBE_AGAIN, now).await?;
        return Ok(if probes { vec![(*item, released(job, Pass::Probe), 0)] } else { Vec::new() });
    }
    let pace = account.pace();
    let count = room(&state, pace, now).min(useful.len());
    let wanted = u32::try_from(count).unwrap_or(u32::MAX);
    if wanted == 0 {
        return Ok(Vec::new());
    }
    match app.schedule.lease(lane, wanted, pace, UNTIL_NEXT_SWEEP, now).await? {
        Lease::Granted { first, .. } => {
            let slots = (0..).map(|place: i32| first.saturating_add(pace * place).unwrap_or(first));
            let release = |((item, job, _), slot): (&Parked<'a>, Timestamp)| {
                let seconds = u16::try_from(slot.duration_since(now).as_secs()).unwrap_or_default();
                (*item, released(job, Pass::Slot(slot)), seconds)
            };
            Ok(useful.iter().take(count).zip(slots).map(release).collect())
        }
        Lease::Full { .. } | Lease::Stopped(_) => Ok(Vec::new()),
    }
}

/// How many slots are free until the next sweep.
fn room(state: &AccountState, pace: SignedDuration, now: Timestamp) -> usize {
    let taken = state.next_free.map_or(SignedDuration::ZERO, |next| next.duration_since(now)).max(SignedDuration::ZERO);
    let left = UNTIL_NEXT_SWEEP.saturating_sub(taken).max(SignedDuration::ZERO);
    usize::try_from(left.as_micros() / pace.as_micros().max(1)).unwrap_or_default()
}

fn released(job: &MessageJob, pass: Pass) -> Job {
    Job::Message(MessageJob { pass: Some(pass), ..job.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_what_the_minute_has_left() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let pace = SignedDuration::from_millis(100);
        let after = |seconds| AccountState {
            next_free: Some(now + SignedDuration::from_secs(seconds)),
            ..AccountState::default()
        };
        assert_eq!(room(&AccountState::default(), pace, now), 600);
        assert_eq!([-60, 0, 20, 60, 90].map(|seconds| room(&after(seconds), pace, now)), [600, 600, 400, 0, 0]);
    }
}
