//! The platform's two rates: how fast one number may send, and how fast to one recipient.
//!
//! Each is a bucket kept as a single instant, the moment at which it would be full again: a send moves it
//! on by one interval, and is refused when it would lie further ahead than the burst allows.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::graph_error::GraphError;

/// 80 messages a second for the number, and at most a second's worth at once.
const NUMBER: Rate = Rate { interval: SignedDuration::from_micros(12_500), burst: 80 };
/// One message every 6 s to the same recipient, of which 45 may be borrowed at once.
const PAIR: Rate = Rate { interval: SignedDuration::from_secs(6), burst: 45 };

struct Rate {
    interval: SignedDuration,
    burst: i32,
}

impl Rate {
    /// Where the bucket stands after one more send, or nothing when the send is too early.
    fn spend(&self, full_at: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        let base = full_at.map_or(now, |at| at.max(now));
        let ahead = base.duration_since(now);
        if ahead > self.interval * (self.burst - 1) { None } else { base.checked_add(self.interval).ok() }
    }
}

/// The state of both limits.
#[derive(Default)]
pub(crate) struct Limits {
    number: Option<Timestamp>,
    pairs: HashMap<String, Timestamp>,
}

impl Limits {
    /// Counts one send to `wa_id`, or refuses it; a refused send counts for nothing.
    pub(crate) fn spend(&mut self, wa_id: &str, now: Timestamp) -> Result<(), GraphError> {
        let number = NUMBER
            .spend(self.number, now)
            .ok_or_else(|| GraphError::new(130429, "The number sends more than 80 messages a second"))?;
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
    fn the_pair_is_whole_again_after_four_and_a_half_minutes() {
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
    fn a_refused_send_counts_for_nothing() {
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
