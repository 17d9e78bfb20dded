//! The limit of the events of an API key.
//!
//! Each execution counts on its own and shares its count from time to time, so a request costs no write. The limit
//! therefore holds approximately: each execution may exceed it by the events that it has not shared. Dry runs are never
//! shared, because they write nothing: each execution counts its own.

use std::num::NonZeroU32;

use jiff::{SignedDuration, Timestamp};

/// The part of the limit that an execution counts before it shares its count: a two-hundredth.
const SHARED_PARTS: u32 = 200;
const MINUTE_S: i64 = 60;

/// The number of events that a key may raise in a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventsPerMinute(pub NonZeroU32);

/// The events of a key in the current minute, as far as this execution knows them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The minute, counted since 1970.
    minute: i64,
    /// The events of all executions that were shared.
    shared: u32,
    /// The events of this execution that it has not shared.
    own: u32,
}

/// A count to add to that of the other executions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The minute, counted since 1970.
    pub minute: i64,
    /// The number of events.
    pub events: u32,
}

impl Usage {
    /// Returns the time until the key may raise events again; `None` if it may do so now.
    #[must_use]
    pub fn wait(&self, limit: EventsPerMinute, now: Timestamp) -> Option<SignedDuration> {
        let is_used_up = self.minute == minute_of(now) && self.shared.saturating_add(self.own) >= limit.0.get();
        is_used_up.then(|| SignedDuration::from_secs(MINUTE_S - now.as_second().rem_euclid(MINUTE_S)))
    }

    /// Counts events that were accepted. Returns the count to share, if it is large enough.
    #[must_use]
    pub fn count(&mut self, events: u32, limit: EventsPerMinute, now: Timestamp) -> Option<Share> {
        let minute = minute_of(now);
        if self.minute != minute {
            *self = Self { minute, ..Self::default() };
        }
        self.own = self.own.saturating_add(events);
        let is_large = self.own >= (limit.0.get() / SHARED_PARTS).max(1);
        is_large.then_some(Share { minute, events: self.own })
    }

    /// Notes that a count was shared. `total` is the sum of all executions in its minute.
    pub fn learn(&mut self, share: Share, total: u32) {
        if self.minute == share.minute {
            self.own = self.own.saturating_sub(share.events);
            self.shared = self.shared.max(total);
        }
    }
}

fn minute_of(now: Timestamp) -> i64 {
    now.as_second().div_euclid(MINUTE_S)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limit(events: u32) -> EventsPerMinute {
        EventsPerMinute(NonZeroU32::new(events).unwrap())
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_key_waits_for_the_next_minute_when_its_limit_is_used_up() {
        let mut usage = Usage::default();
        assert_eq!(usage.wait(limit(100), at(0)), None);
        assert_eq!(usage.count(99, limit(100), at(1)), Some(Share { minute: 0, events: 99 }));
        assert_eq!(usage.wait(limit(100), at(2)), None);
        let _ = usage.count(1, limit(100), at(3));
        assert_eq!(usage.wait(limit(100), at(3)), Some(SignedDuration::from_secs(57)));
        assert_eq!(usage.wait(limit(100), at(60)), None);
        let _ = usage.count(100, limit(100), at(-1));
        assert_eq!(usage.wait(limit(100), at(-1)), Some(SignedDuration::from_secs(1)));
    }

    #[test]
    fn a_count_is_shared_when_it_reaches_a_two_hundredth_of_the_limit() {
        let mut usage = Usage::default();
        assert_eq!(usage.count(29, limit(6_000), at(0)), None);
        let share = Share { minute: 0, events: 30 };
        assert_eq!(usage.count(1, limit(6_000), at(0)), Some(share));
        usage.learn(share, 5_990);
        assert_eq!(usage, Usage { minute: 0, shared: 5_990, own: 0 });
        assert_eq!(usage.count(10, limit(6_000), at(1)), None);
        assert!(usage.wait(limit(6_000), at(1)).is_some());
        usage.learn(Share { minute: 0, events: 5 }, 60);
        assert_eq!(usage, Usage { minute: 0, shared: 5_990, own: 5 }, "an earlier answer may come later");
        usage.learn(Share { minute: 7, events: 5 }, 60);
        assert_eq!(usage.own, 5, "another minute");
    }

    proptest! {
        /// Any number of executions in any order exceeds the limit by less than one share for each of them, and at
        /// least the limit is accepted.
        #[test]
        fn the_limit_holds_approximately(
            events in 1_u32..10_000,
            turns in proptest::collection::vec(0_usize..5, 1..3_000),
        ) {
            let (limit, share_of_one) = (limit(events), (events / SHARED_PARTS).max(1));
            let mut executions = [Usage::default(); 5];
            let (mut total, mut accepted) = (0, 0);
            for turn in turns {
                let usage = &mut executions[turn];
                if usage.wait(limit, at(5)).is_some() {
                    prop_assert!(accepted >= events, "refused at {accepted} of {events}");
                    continue;
                }
                accepted += 1;
                if let Some(share) = usage.count(1, limit, at(5)) {
                    total += share.events;
                    usage.learn(share, total);
                }
            }
            prop_assert!(accepted <= events + 5 * share_of_one, "{accepted} of {events}");
        }
    }
}
