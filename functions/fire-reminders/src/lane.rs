//! An account's lane: its parked messages are released oldest first, as fast as the account may send; while it is
//! stopped, one at a time finds out whether it can send again. What is of no use any more, and what goes through another
//! account by now, is released whatever the account does: the decision records what becomes of it.

use domain::queue::job::{Job, MessageJob, SendPermit};
use domain::site::config::LiveConfig;
use jiff::{SignedDuration, Timestamp};
use runtime::batch::Deadline;
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
/// Messages of a lane that are read, leased slots for and released at once: a second's worth of work between two looks
/// at the deadline.
const MESSAGES_AT_ONCE: usize = 500;
/// Every so many minutes a lane is read to its end though nothing more of it may go: what is of no use any more is
/// recorded so before it counts as unaccounted for, which is a quarter of an hour after, also if one of them is missed.
const WHOLE_EVERY_MINUTES: i64 = 5;
/// After so many messages the rest of a lane waits for the next sweep, so that others have their turn.
const RELEASED_MAX: usize = 10_000;

/// A parked message.
type Parked<'a> = (&'a DueItem, &'a MessageJob);
/// What goes into the queue, each after so many seconds.
type Released<'a> = Vec<(&'a DueItem, Job, u16)>;

/// What a lane lets through of the messages that may still be sent by its account.
enum Gate {
    /// All of them: its site or its account is gone or switched off.
    Open,
    /// One, to find out whether the stopped account can send again.
    Probe,
    /// So many, one slot each.
    Pace { pace: SignedDuration, room: usize },
    /// None, or none any more: its site or its account is paused, or as many went as may.
    Shut,
}

/// Releases what may go of a lane.
pub(crate) async fn release(app: &App, lane: &Lane, deadline: &Deadline, tally: &mut Tally) -> Result<(), SweepError> {
    let began_at = app.clock.now();
    let live = app.config.live(&lane.site).await?;
    let mut gate = gate(app, lane, live.as_ref(), began_at).await?;
    let reads_all = began_at.as_second() / 60 % WHOLE_EVERY_MINUTES == 0;
    let mut pages = app.schedule.parked_pages(lane, MESSAGES_AT_ONCE);
    let (mut found, mut released) = (false, 0);
    while deadline.has_time() && released < RELEASED_MAX {
        let Some(page) = pages.next().await else {
            if !found {
                app.schedule.close_lane(lane, began_at).await?;
            }
            break;
        };
        let (page, now) = (page?, app.clock.now());
        found |= !page.items.is_empty() || !page.unreadable.is_empty();
        page.unreadable.into_iter().for_each(|error| tally.keep(Err(error)));
        let (mut apart, mut of_account): (Released<'_>, Vec<Parked<'_>>) = (Vec::new(), Vec::new());
        for item in &page.items {
            let Due::Message { job, useful_until } = &item.what else { continue };
            if *useful_until < now || !live.as_ref().is_some_and(|live| goes_through(live, job, lane)) {
                apart.push((item, Job::Message(job.clone()), 0));
            } else {
                of_account.push((item, job));
            }
        }
        released += into_queue(app, apart, tally).await.len();
        let through = gate.let_through(app, lane, &of_account, began_at + UNTIL_NEXT_SWEEP).await?;
        released += into_queue(app, through, tally).await.len();
        if matches!(gate, Gate::Shut) && !reads_all {
            break;
        }
    }
    tally.swept.released += released;
    Ok(())
}

/// Whether a message would be sent through the lane's account as its mapping is now.
fn goes_through(live: &LiveConfig, job: &MessageJob, lane: &Lane) -> bool {
    let account = live.mapping(&job.mapping).and_then(|mapping| live.account(mapping));
    account.is_some_and(|account| account.id == lane.account)
}

async fn gate(app: &App, lane: &Lane, live: Option<&LiveConfig>, now: Timestamp) -> Result<Gate, SweepError> {
    let Some(live) = live.filter(|live| live.site.active) else { return Ok(Gate::Open) };
    if live.site.paused {
        return Ok(Gate::Shut);
    }
    let account = live.accounts.iter().find(|account| account.id == lane.account && account.active);
    let Some(account) = account else { return Ok(Gate::Open) };
    let state = app.schedule.account_state(lane).await?;
    let is_paused = state.paused_until.is_some_and(|until| until > now);
    if state.health.stop.is_some() {
        return Ok(if is_paused { Gate::Shut } else { Gate::Probe });
    }
    let pace = account.pace();
    Ok(Gate::pace(pace, room(&state, pace, now)))
}

impl Gate {
    fn pace(pace: SignedDuration, room: usize) -> Self {
        if room == 0 { Self::Shut } else { Self::Pace { pace, room } }
    }

    /// The messages that may go before the next sweep, at `until`; those with a slot delayed until that.
    async fn let_through<'a>(
        &mut self,
        app: &App,
        lane: &Lane,
        parked: &[Parked<'a>],
        until: Timestamp,
    ) -> Result<Released<'a>, SweepError> {
        // The pages before took their time: a record whose slot is over by the time it arrives would be parked again.
        let now = app.clock.now();
        if parked.is_empty() {
            return Ok(Vec::new());
        }
        match *self {
            Self::Open => Ok(parked.iter().map(|(item, job)| (*item, Job::Message((*job).clone()), 0)).collect()),
            Self::Shut => Ok(Vec::new()),
            Self::Probe => {
                *self = Self::Shut;
                let Some(turn) = app.schedule.take_probe(lane, PROBE_AGAIN, now).await? else { return Ok(Vec::new()) };
                // Another one of the oldest each time: one that is refused for itself must not keep all others waiting.
                let among = parked.len().min(PROBES_AMONG);
                let chosen = parked.get(usize::try_from(turn).unwrap_or_default() % among);
                Ok(chosen.into_iter().map(|(item, job)| (*item, released(job, SendPermit::Probe), 0)).collect())
            }
            Self::Pace { pace, room } => {
                let count = room.min(parked.len());
                *self = Self::pace(pace, room - count);
                let wanted = u32::try_from(count).unwrap_or(u32::MAX);
                let Lease::Granted { first, .. } =
                    app.schedule.lease(lane, wanted, pace, until.duration_since(now), now).await?
                else {
                    *self = Self::Shut;
                    return Ok(Vec::new());
                };
                let slots = (0..).map(|place: i32| first.saturating_add(pace * place).unwrap_or(first));
                let release = |((item, job), slot): (&Parked<'a>, Timestamp)| {
                    let seconds = u16::try_from(slot.duration_since(now).as_secs()).unwrap_or_default();
                    (*item, released(job, SendPermit::Slot(slot)), seconds)
                };
                Ok(parked.iter().take(count).zip(slots).map(release).collect())
            }
        }
    }
}

/// How many slots are free until the next sweep.
fn room(state: &AccountState, pace: SignedDuration, now: Timestamp) -> usize {
    let taken = state.free_at(now).duration_since(now);
    let left = UNTIL_NEXT_SWEEP.saturating_sub(taken).max(SignedDuration::ZERO);
    usize::try_from(left.as_micros() / pace.as_micros().max(1)).unwrap_or_default()
}

fn released(job: &MessageJob, permit: SendPermit) -> Job {
    Job::Message(MessageJob { permit: Some(permit), ..job.clone() })
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
        let paused = AccountState { paused_until: Some(now + SignedDuration::from_secs(45)), ..after(20) };
        assert_eq!(room(&paused, pace, now), 150);
    }
}
