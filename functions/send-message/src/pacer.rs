//! Sending slots: leased in batches from the account's item and assigned to its messages one by one.

use std::collections::{HashMap, VecDeque};

use domain::primitives::cause::chain;
use domain::site::config::Account;
use domain::site::health::Stop;
use jiff::{SignedDuration, Timestamp};
use store::StoreError;
use store::accounts::Lease;
use store::schedule::Lane;
use tokio::sync::Mutex;

use crate::App;

/// Longest wait for a slot inside the function. A message with a later slot is parked.
const SLOT_WITHIN: SignedDuration = SignedDuration::from_secs(5);
/// Maximum number of slots per lease: a whole batch.
const SLOTS_AT_ONCE: usize = 10;

/// How long after its time a slot leased by the schedule may still be used.
const SLOT_KEPT_FOR: SignedDuration = SignedDuration::from_secs(10);
/// Longest wait inside the function for a replacement of a slot that is over.
const LATE_WITHIN: SignedDuration = SignedDuration::from_secs(15);

/// The slots of one invocation.
pub(crate) struct Pacer<'a> {
    app: &'a App,
    at_once: u32,
    accounts: Mutex<HashMap<Lane, Leased>>,
}

#[derive(Default)]
struct Leased {
    slots: VecDeque<Timestamp>,
    /// End of the last leased slot.
    end: Timestamp,
    failed_lately: bool,
}

/// The turn of a message that is ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The message has a slot. `failed_lately` states whether the account failed recently.
    At { slot: Timestamp, failed_lately: bool },
    /// No slot is free soon enough.
    Later,
    /// The account is stopped.
    Stopped(Stop),
}

impl<'a> Pacer<'a> {
    /// Creates a pacer for a batch of `records` records.
    pub(crate) fn new(app: &'a App, records: usize) -> Self {
        let at_once = u32::try_from(records.clamp(1, SLOTS_AT_ONCE)).unwrap_or(1);
        Self { app, at_once, accounts: Mutex::default() }
    }

    /// Returns the next slot of an account, and leases more slots if necessary.
    pub(crate) async fn turn(&self, lane: &Lane, account: &Account) -> Result<Turn, StoreError> {
        let mut accounts = self.accounts.lock().await;
        let leased = accounts.entry(lane.clone()).or_default();
        if let Some(slot) = leased.slots.pop_front() {
            return Ok(Turn::At { slot, failed_lately: leased.failed_lately });
        }
        let (now, pace) = (self.app.clock.now(), account.pace());
        match self.app.schedule.lease(lane, self.at_once, pace, SLOT_WITHIN, now).await? {
            Lease::Granted { first, failed_lately } => {
                let slots = (1..self.at_once).filter_map(|place| {
                    let after = pace.checked_mul(i32::try_from(place).ok()?)?;
                    first.checked_add(after).ok()
                });
                let span = pace.saturating_mul(i32::try_from(self.at_once).unwrap_or(i32::MAX));
                let end = first.saturating_add(span).unwrap_or(first);
                *leased = Leased { slots: slots.collect(), end, failed_lately };
                Ok(Turn::At { slot: first, failed_lately })
            }
            Lease::Full { .. } => Ok(Turn::Later),
            Lease::Stopped(stop) => Ok(Turn::Stopped(stop)),
        }
    }

    /// Returns the turn of a message for which the schedule leased a slot.
    ///
    /// If its record is late because of a backlog, the account's other slots are taken until the next sweep. A new
    /// slot would send the message back to the lane every minute. Late messages are therefore sent at the account's
    /// pace, one after the other in this process. Messages that arrive meanwhile go behind them.
    pub(crate) async fn kept(&self, lane: &Lane, account: &Account, slot: Timestamp, failed_lately: bool) -> Turn {
        let now = self.app.clock.now();
        let mut late = self.app.late.lock().await;
        let next = late.get(lane).copied().filter(|next| *next > now);
        let is_late = now.duration_since(slot) > SLOT_KEPT_FOR;
        if next.is_none() && !is_late {
            return Turn::At { slot, failed_lately };
        }
        let slot = slot.max(next.unwrap_or(now));
        if slot.duration_since(now) > LATE_WITHIN {
            return Turn::Later;
        }
        late.insert(lane.clone(), slot.saturating_add(account.pace()).unwrap_or(slot));
        Turn::At { slot, failed_lately }
    }

    /// Returns the slots that the batch did not use, if other messages can still use them.
    pub(crate) async fn settle(&self) {
        for (lane, leased) in self.accounts.lock().await.drain() {
            let Some(unused) = leased.slots.front() else { continue };
            if leased.end <= self.app.clock.now() {
                continue;
            }
            if let Err(error) = self.app.schedule.give_back_slots(&lane, *unused, leased.end).await {
                let Lane { site, account } = lane;
                tracing::warn!(%site, %account, error = chain(&error), "unused slots could not be given back");
            }
        }
    }

    /// Drops the leased slots of an account that was stopped or paused. The remaining messages of this batch are then
    /// parked.
    pub(crate) async fn forget(&self, lane: &Lane) {
        self.accounts.lock().await.remove(lane);
    }
}
