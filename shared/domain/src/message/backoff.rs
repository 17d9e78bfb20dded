//! Exponential backoff with full jitter: a random share of the whole pause, so that messages that failed together are
//! not retried together.

use jiff::SignedDuration;

/// Longest pause between two tries: the maximum delay of an SQS message.
pub const PAUSE_MAX: SignedDuration = SignedDuration::from_secs(900);

/// How long we put back a record that infrastructure failures keep from being finished: the retention period of the
/// queue.
pub const PUT_BACK_FOR: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Returns the pause before try number `attempt` (from 1).
///
/// The pause is random, from one second up to `first` doubled for each further try, at most [`PAUSE_MAX`]. `jitter` is
/// any random number.
#[must_use]
pub fn pause(first: SignedDuration, attempt: u32, jitter: u32) -> SignedDuration {
    let doubled = 2_i32.checked_pow(attempt.saturating_sub(1)).and_then(|times| first.checked_mul(times));
    let ceiling = doubled.unwrap_or(PAUSE_MAX).clamp(SignedDuration::from_secs(1), PAUSE_MAX);
    let whole_ms = ceiling.as_millis() - 1_000;
    // A number below 2^32 times one below 10^6 stays far below 2^127.
    let drawn_ms = whole_ms * i128::from(jitter) / i128::from(u32::MAX);
    SignedDuration::from_millis(1_000 + i64::try_from(drawn_ms).unwrap_or_default())
}

/// Returns the pause before sending to a recipient again after code 131056: 4 to the power of `attempt`, in seconds
/// (Meta's rule), at most [`PAUSE_MAX`].
#[must_use]
pub fn pair_pause(attempt: u32) -> SignedDuration {
    let seconds = 4_i64.checked_pow(attempt).unwrap_or(i64::MAX);
    SignedDuration::from_secs(seconds).min(PAUSE_MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIVE: SignedDuration = SignedDuration::from_secs(5);

    #[test]
    fn pauses_double_up_to_a_quarter_of_an_hour() {
        let most = |attempt| pause(FIVE, attempt, u32::MAX).as_secs();
        assert_eq!([1, 2, 3, 8, 9, 400].map(most), [5, 10, 20, 640, 900, 900]);
        assert_eq!(pause(FIVE, 3, 0).as_secs(), 1);
        assert_eq!([0, 1, 2, 3, 5, 99].map(|attempt| pair_pause(attempt).as_secs()), [1, 4, 16, 64, 900, 900]);
    }

    proptest! {
        #[test]
        fn a_pause_is_within_its_bounds(attempt: u32, jitter: u32, first in 1i64..100_000) {
            let drawn = pause(SignedDuration::from_secs(first), attempt, jitter);
            prop_assert!(drawn >= SignedDuration::from_secs(1) && drawn <= PAUSE_MAX);
        }
    }
}
