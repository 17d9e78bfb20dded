//! The platform's two rate limits: how fast one number may send, and how fast it may send to one recipient.
//!
//! Each limit is a token bucket stored as a single timestamp: the time at which the bucket will be full again. A send
//! moves the timestamp forward by one interval. A send is refused if this would exceed the burst.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::graph_error::GraphError;

/// Default number of messages per second for one number.
const PER_SECOND_DEFAULT: u16 = 80;
/// The highest throughput that the platform grants a number.
const PER_SECOND_MAX: u16 = 1_000;
/// One message every 6 s to the same recipient, with a burst of up to 45 messages.
const PAIR: Rate = Rate { interval: SignedDuration::from_secs(6), burst: 45 };

struct Rate {
    interval: SignedDuration,
    burst: i32,
}

impl Rate {
    /// Creates a rate of this many messages per second, with a burst of one second's messages.
    fn of_number(per_second: u16) -> Self {
        let burst = i32::from(per_second);
        Self { interval: SignedDuration::from_secs(1) / burst, burst }
    }

    /// Returns the bucket's new timestamp after one more send, or `None` if the send is too early.
    fn spend(&self, full_at: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        let base = full_at.map_or(now, |at| at.max(now));
        let ahead = base.duration_since(now);
        if ahead > self.interval * (self.burst - 1) { None } else { base.checked_add(self.interval).ok() }
    }
}

/// The limit as posted to the control API.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Posted {
    messages_per_second: u16,
}

/// The state of both limits.
pub(crate) struct Limits {
    per_second: u16,
    number: Option<Timestamp>,
    pairs: HashMap<String, Timestamp>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_second: PER_SECOND_DEFAULT, number: None, pairs: HashMap::new() }
    }
}

impl Limits {
    /// Sets the number's rate from its JSON. Earlier sends no longer count against the limit. The error describes the
    /// problem.
    pub(crate) fn post(&mut self, json: &[u8]) -> Result<(), String> {
        let posted: Posted = serde_json::from_slice(json).map_err(|error| format!("not a limit: {error}"))?;
        if !(1..=PER_SECOND_MAX).contains(&posted.messages_per_second) {
            return Err(format!("messages_per_second must lie between 1 and {PER_SECOND_MAX}"));
        }
        self.per_second = posted.messages_per_second;
        self.number = None;
        Ok(())
    }

    /// Returns how many messages the number may send per second.
    pub(crate) fn per_second(&self) -> u16 {
        self.per_second
    }

    /// Counts one send to `wa_id`, or refuses it. A refused send does not count.
    pub(crate) fn spend(&mut self, wa_id: &str, now: Timestamp) -> Result<(), GraphError> {
        let number = Rate::of_number(self.per_second).spend(self.number, now).ok_or_else(|| {
            let details = format!("The number sends more than {} messages a second", self.per_second);
            GraphError::new(130429, details)
        })?;
        let pair = PAIR.spend(self.pairs.get(wa_id).copied(), now).ok_or_else(|| {
            GraphError::new(131056, "Too many messages from this number to the same recipient in a short time")
        })?;
        self.number = Some(number);
        self.pairs.insert(wa_id.to_owned(), pair);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_795_000_000_000 + ms).unwrap()
    }

    fn code(result: Result<(), GraphError>) -> Option<i64> {
        result.err().map(|error| error.code)
    }

    #[test]
    fn a_pair_may_burst_45_then_one_every_six_seconds() {
        let mut limits = Limits::default();
        for _ in 0..45 {
            assert_eq!(code(limits.spend("39340", at(0))), None);
        }
        assert_eq!(code(limits.spend("39340", at(5_999))), Some(131056));
        assert_eq!(code(limits.spend("39340", at(6_000))), None);
        assert_eq!(code(limits.spend("39340", at(6_000))), Some(131056));
        assert_eq!(code(limits.spend("39341", at(6_000))), None, "another recipient is not held back");
    }

    #[test]
    fn the_pair_limit_is_fully_restored_after_four_and_a_half_minutes() {
        let mut limits = Limits::default();
        for round in 0..2 {
            for _ in 0..45 {
                assert_eq!(code(limits.spend("39340", at(round * 270_000))), None);
            }
        }
    }

    #[test]
    fn the_number_sends_80_a_second() {
        let mut limits = Limits::default();
        for n in 0..80 {
            assert_eq!(code(limits.spend(&n.to_string(), at(0))), None);
        }
        assert_eq!(code(limits.spend("x", at(12))), Some(130429));
        assert_eq!(code(limits.spend("x", at(13))), None);
        for n in 0..80 {
            assert_eq!(code(limits.spend(&n.to_string(), at(1_100))), None);
        }
    }

    #[test]
    fn setting_the_numbers_rate_leaves_the_pair_limit_unchanged() {
        let mut limits = Limits::default();
        for n in 0..80 {
            limits.spend(&n.to_string(), at(0)).unwrap();
        }
        limits.post(br#"{"messages_per_second":2}"#).unwrap();
        assert_eq!(limits.per_second(), 2);
        assert_eq!(code(limits.spend("a", at(0))), None, "what was sent before no longer counts");
        assert_eq!(code(limits.spend("b", at(0))), None);
        assert_eq!(code(limits.spend("c", at(499))), Some(130429));
        assert_eq!(code(limits.spend("c", at(500))), None);
        limits.post(br#"{"messages_per_second":1000}"#).unwrap();
        for _ in 1..45 {
            assert_eq!(code(limits.spend("a", at(500))), None);
        }
        assert_eq!(code(limits.spend("a", at(500))), Some(131056));
    }

    #[test]
    fn an_invalid_limit_changes_nothing() {
        let mut limits = Limits::default();
        for json in ["", "{}", r#"{"messages_per_second":0}"#, r#"{"messages_per_second":1001}"#, r#"{"burst":1}"#] {
            assert!(limits.post(json.as_bytes()).is_err(), "{json}");
        }
        assert_eq!(limits.per_second(), 80);
    }

    #[test]
    fn a_refused_send_uses_no_quota() {
        let mut limits = Limits::default();
        for _ in 0..45 {
            limits.spend("39340", at(0)).unwrap();
        }
        for _ in 0..100 {
            assert_eq!(code(limits.spend("39340", at(0))), Some(131056));
        }
        assert_eq!(code(limits.spend("39341", at(0))), None, "the number's own rate was not spent");
        assert_eq!(code(limits.spend("39340", at(6_000))), None);
    }
}
