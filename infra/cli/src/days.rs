//! The time ranges of a search in the ledger.

use jiff::{SignedDuration, Timestamp};

/// Length of a day.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Yields the last `count` days as time ranges, newest first, so that a caller holds only one day in memory. The newest
/// range ends 24 hours in the future, because the clock of the writing machine may be ahead of this one.
pub(crate) fn days(now: Timestamp, count: u16) -> impl Iterator<Item = (Timestamp, Timestamp)> {
    let before = move |days: i32| now.saturating_sub(DAY * days).unwrap_or(now);
    let gap = SignedDuration::from_nanos(1);
    (0..i32::from(count)).map(move |day| {
        let until = if day == 0 { before(-1) } else { before(day).saturating_sub(gap).unwrap_or(now) };
        (before(day + 1), until)
    })
}

/// Yields one timestamp for each UTC date of the last days, newest first.
pub(crate) fn dates(now: Timestamp, count: u16) -> impl Iterator<Item = Timestamp> {
    (0..=i32::from(count)).map(move |day| now.saturating_sub(DAY * day).unwrap_or(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_touch_and_do_not_overlap() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let days: Vec<_> = days(now, 3).collect();
        assert_eq!(days.len(), 3);
        assert!(days[0].1 > now);
        for pair in days.windows(2) {
            assert_eq!(pair[0].0, pair[1].1.saturating_add(SignedDuration::from_nanos(1)).unwrap());
        }
        assert_eq!(days[2].0, "2026-11-19T10:00:00Z".parse().unwrap());
    }

    #[test]
    fn dates_go_back_from_today() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let dates: Vec<String> = dates(now, 2).map(|date| date.strftime("%Y-%m-%d").to_string()).collect();
        assert_eq!(dates, ["2026-11-22", "2026-11-21", "2026-11-20"]);
    }
}
