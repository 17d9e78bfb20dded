//! Lanes: releases an account's parked messages oldest first, at the account's pace. While the account is stopped, one
//! message at a time probes it.
//!
//! An expired message, or a message that now goes through another account, is released in any case. The decision then
//! records its outcome.

use domain::queue::job::{Job, MessageJob, SendPermit};
use domain::site::config::LiveConfig;
use jiff::{SignedDuration, Timestamp};
use runtime::batch::Deadline;
use store::accounts::{AccountState, Lease};
use store::schedule::{Due, DueItem, Lane};

use crate::enqueue::into_queue;
use crate::{App, SweepError, Tally};

/// Slots are leased until the next sweep.
const UNTIL_NEXT_SWEEP: SignedDuration = SignedDuration::from_secs(60);
/// Time after which a stopped account may be probed again if the probe has no outcome.
const PROBE_AGAIN: SignedDuration = SignedDuration::from_mins(5);
/// Number of oldest messages among which the probe is chosen.
const PROBES_AMONG: usize = 16;
/// Messages of a lane that are read, given slots and released at once: about a second of work between two checks of
/// the deadline.
const MESSAGES_AT_ONCE: usize = 500;
/// A lane is read to its end at this interval, even when no more of its messages may go. An expired message must be
/// recorded before it counts as unaccounted for, 15 minutes after its expiry, even if one such run is missed.
const WHOLE_EVERY_MINUTES: i64 = 5;
/// Minutes after a pause until a lane has its full pace again. If the provider throttles once more, all messages
/// released behind the throttled one must be parked again.
const SLOW_START_MINUTES: u32 = 3;
/// Maximum number of messages released from a lane in one sweep, so that other lanes have their turn.
const RELEASED_MAX: usize = 10_000;

/// A parked message.
type Parked<'a> = (&'a DueItem, &'a MessageJob);
/// Records to enqueue, each with its delay in seconds.
type Released<'a> = Vec<(&'a DueItem, Job, u16)>;

/// How many of the messages for its account a lane releases.
enum Gate {
    /// All messages: the site or the account no longer exists or is inactive.
    Open,
    /// One message, as a probe of the stopped account.
    Probe,
    /// `room` messages, one slot each.
    Pace { pace: SignedDuration, room: usize },
    /// None: the site or the account is paused, or the slots are used up.
    Shut,
}

/// Releases the messages of a lane that may go.
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

/// Whether the current mapping sends the message through the lane's account.
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
    let pace = slow_start(&state, account.pace(), now);
    Ok(Gate::pace(pace, room(&state, pace, now)))
}

impl Gate {
    fn pace(pace: SignedDuration, room: usize) -> Self {
        if room == 0 { Self::Shut } else { Self::Pace { pace, room } }
    }

    /// Returns the messages that may go before the next sweep at `until`. Messages with a slot are delayed until it.
    async fn let_through<'a>(
        &mut self,
        app: &App,
        lane: &Lane,
        parked: &[Parked<'a>],
        until: Timestamp,
    ) -> Result<Released<'a>, SweepError> {
        // Earlier pages took time. A record whose slot is over on arrival would be parked again.
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
                // Each probe uses another of the oldest messages, so that a message refused for its own reasons does
                // not block the others.
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

/// Returns the distance between two messages. After a pause it is eight times the account's pace, and it halves each
/// minute.
fn slow_start(state: &AccountState, pace: SignedDuration, now: Timestamp) -> SignedDuration {
    let Some(paused_until) = state.paused_until else { return pace };
    let minutes = now.duration_since(paused_until).max(SignedDuration::ZERO).as_mins();
    let doublings = SLOW_START_MINUTES.saturating_sub(u32::try_from(minutes).unwrap_or(u32::MAX));
    pace.saturating_mul(1 << doublings)
}

/// Returns the number of free slots until the next sweep.
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
    fn room_is_the_number_of_sends_that_still_fit_in_the_minute() {
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

    #[test]
    fn a_lane_starts_slowly_after_a_pause() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let pace_after = |seconds| {
            let paused_until = Some(now - SignedDuration::from_secs(seconds));
            let state = AccountState { paused_until, ..AccountState::default() };
            slow_start(&state, SignedDuration::from_millis(100), now).as_millis()
        };
        let after = [-45, 0, 59, 60, 120, 180, 86_400].map(pace_after);
        assert_eq!(after, [800, 800, 800, 400, 200, 100, 100]);
        let never_paused = slow_start(&AccountState::default(), SignedDuration::from_millis(100), now);
        assert_eq!(never_paused.as_millis(), 100);
    }
}
