//! The instants of local times.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

/// Returns the instant of a local time. In a gap (clocks go forward) it is the first instant after the gap; in a fold
/// (clocks go back), the first of the two.
#[must_use]
pub fn first_valid(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    match zone.to_ambiguous_timestamp(local).offset() {
        // With the later offset, the time is before the change. The change itself is the first valid minute.
        AmbiguousOffset::Gap { after, .. } => {
            let before_change = after.to_timestamp(local).ok()?;
            zone.following(before_change).next().map(|change| change.timestamp())
        }
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(local).ok(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_local_time_round_trips_or_lies_in_a_gap(minutes in 0i64..4_000_000) {
            let zone = TimeZone::get("Europe/Rome").unwrap();
            let local = jiff::civil::date(2026, 1, 1).at(0, 0, 0, 0) + minutes.minutes();
            let instant = first_valid(local, &zone).unwrap();
            let again = instant.to_zoned(zone).datetime();
            prop_assert!(again == local || (again > local && (again - local).get_minutes() < 60), "{} {}", local, again);
        }
    }
}
