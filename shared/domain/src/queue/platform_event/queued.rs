//! A whole record of the statuses queue: a platform event, and the time since when it has been put back.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::PlatformEvent;
use crate::message::backoff;

/// The smallest upper bound of a pause, for the first retry after a failure.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// The longest pause. A STOP is then applied within 60 s after the table is available again. That includes a call that
/// is about to time out (8 s) and the call that puts the record back (8 s).
const PAUSE_MAX: SignedDuration = SignedDuration::from_secs(40);

/// A platform event in the queue. If it was never put back, the record is the event alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// The platform event.
    #[serde(flatten)]
    pub platform_event: PlatformEvent,
    /// When the bridge first put it back, because a table or a secret was unavailable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub put_back_since: Option<Timestamp>,
}

impl Queued {
    /// Returns the same event, put back at `now`.
    #[must_use]
    pub fn put_back(self, now: Timestamp) -> Self {
        Self { put_back_since: Some(self.put_back_since.unwrap_or(now)), ..self }
    }

    /// Returns the pause before the next retry, with jitter. The upper bound is the time waited so far, at least 5 s
    /// and at most 40 s. The lower bound is 1 s. `jitter` is any random number.
    #[must_use]
    pub fn pause(&self, now: Timestamp, jitter: u32) -> SignedDuration {
        let waited = self.put_back_since.map_or(SignedDuration::ZERO, |since| now.duration_since(since));
        backoff::pause(waited.clamp(FIRST_PAUSE, PAUSE_MAX), 1, jitter)
    }

    /// Whether it has been put back for so long that an operator must handle it.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.put_back_since.is_some_and(|since| now.duration_since(since) > backoff::PUT_BACK_FOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STOP: &str = r#"{"notice":"word.1","site":"demo","phone_number_id":"1","from":"393401234567","at":"2026-11-22T09:15:00Z","word":"stop"}"#;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn an_earlier_record_round_trips_unchanged() {
        let queued: Queued = serde_json::from_str(STOP).unwrap();
        assert_eq!(queued.platform_event, serde_json::from_str::<PlatformEvent>(STOP).unwrap());
        assert_eq!(serde_json::to_string(&queued).unwrap(), STOP);
        let again = queued.put_back("2026-11-22T09:16:00Z".parse().unwrap());
        let text = STOP.replace('}', r#","put_back_since":"2026-11-22T09:16:00Z"}"#);
        assert_eq!(serde_json::to_string(&again).unwrap(), text);
        assert_eq!(serde_json::from_str::<Queued>(&text).unwrap(), again);
        for other in [STOP.replace('}', r#","other":1}"#), text.replace("word.1", "word.9"), "{}".to_owned()] {
            assert!(serde_json::from_str::<Queued>(&other).is_err(), "{other}");
        }
    }

    #[test]
    fn pauses_grow_with_the_wait_and_stay_below_a_minute() {
        let queued = serde_json::from_str::<Queued>(STOP).unwrap().put_back(at(0)).put_back(at(7));
        let pauses = [0, 5, 10, 30, 21_600].map(|second| queued.pause(at(second), u32::MAX).as_secs());
        assert_eq!(pauses, [5, 5, 10, 30, 40]);
        assert_eq!(queued.pause(at(21_600), 0).as_secs(), 1);
        let two_weeks = 14 * 24 * 3_600;
        assert_eq!([two_weeks, two_weeks + 1].map(|second| queued.is_over(at(second))), [false, true]);
    }
}
