//! Pauses between tries: growing, and drawn at random up to the whole of it (full jitter), so that messages that failed
//! together do not come back together.

use jiff::SignedDuration;

/// Longest pause between two tries: what SQS can delay a record.
pub const PAUSE_MAX: SignedDuration = SignedDuration::from_secs(900);

/// How long a record is put back by ourselves that cannot be finished for want of the infrastructure: as long as the
/// queue would have kept it.
pub const PUT_BACK_FOR: SignedDuration = SignedDuration::from_hours(14 * 24);

/// The pause before try number `attempt` (from 1): at random from one second up to `first` doubled each time, at most
/// [`PAUSE_MAX`]. `jitter` is any number drawn at random.
#[must_use]
pub fn pause(first: SignedDuration, attempt: u32, jitter: u32) -> SignedDuration {
    let doubled = 2_i32.checked_pow(attempt.saturating_sub(1)).and_then(|times| first.checked_mul(times));
    let ceiling = doubled.unwrap_or(PAUSE_MAX).clamp(SignedDuration::from_secs(1), PAUSE_MAX);
    let whole_ms = ceiling.as_millis() - 1_000;
    // A number below 2^32 times one below 10^6 stays far below 2^127.
    let drawn_ms = whole_ms * i128::from(jitter) / i128::from(u32::MAX);
    SignedDuration::from_millis(1_000 + i64::try_from(drawn_ms).unwrap_or_default())
}

/// The pause before a recipient is written to again after code 131056: 4 to the power of the try, in seconds (Meta's
/// rule), at most [`PAUSE_MAX`].
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
