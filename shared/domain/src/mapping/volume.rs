//! Volume spikes. A mapping that sends far more than on any of its last days is probably wrong. It stops until an
//! operator has checked it, and its messages wait.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Number of days to compare with.
pub const DAYS: i64 = 7;
/// The multiple of the maximum of the last days that counts as a volume spike.
const TIMES: u32 = 10;
/// A day up to this number of messages is never a volume spike, because a small shop has busy days.
const ALWAYS_ALLOWED: u32 = 1_000;

/// The volume spike that paused a mapping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeSpike {
    /// When the mapping was paused.
    pub since: Timestamp,
    /// The messages sent on that day.
    pub today: u32,
    /// The maximum of the last days.
    pub usual: u32,
}

/// Writes text for operators: `1200 today, at most 40 on the last days`.
impl std::fmt::Display for VolumeSpike {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} today, at most {} on the last days", self.today, self.usual)
    }
}

/// Returns a volume spike if the last `counted` messages of today exceeded the threshold. `days` is the number of
/// messages per day.
///
/// The threshold is ten times the maximum of the last days, at least 1,000. Each tenfold of it is another threshold,
/// which applies after an operator has confirmed the mapping. `None` for a mapping without earlier days.
#[must_use]
pub fn volume_spike(days: &BTreeMap<Date, u32>, counted: u32, now: Timestamp) -> Option<VolumeSpike> {
    let date = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let today = days.get(&date).copied().unwrap_or_default();
    let before = days.iter().filter(|(day, _)| **day < date).filter(|(day, _)| {
        let since = day.until(date).map(|span| i64::from(span.get_days()));
        since.is_ok_and(|since| since <= DAYS)
    });
    let usual = before.map(|(_, count)| *count).max()?;
    let allowed = usual.saturating_mul(TIMES).max(ALWAYS_ALLOWED);
    let mut steps = std::iter::successors(Some(allowed), |step| step.checked_mul(TIMES));
    let crossed = steps.any(|step| today > step && today.saturating_sub(counted) <= step);
    crossed.then_some(VolumeSpike { since: now, today, usual })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(days: &[(&str, u32)], counted: u32) -> Option<u32> {
        let days = days.iter().map(|(day, count)| (day.parse().unwrap(), *count)).collect();
        volume_spike(&days, counted, "2026-11-22T10:00:00Z".parse().unwrap()).map(|volume_spike| volume_spike.usual)
    }

    fn of(days: &[(&str, u32)]) -> Option<u32> {
        after(days, 10)
    }

    #[test]
    fn a_volume_spike_is_reported_again_only_at_ten_times_the_volume() {
        let of_today = |today| [("2026-11-21", 100), ("2026-11-22", today)];
        assert_eq!(after(&of_today(1_005), 10), Some(100));
        assert_eq!(after(&of_today(1_015), 10), None);
        assert_eq!(after(&of_today(10_005), 10), Some(100));
    }

    #[test]
    fn more_than_ten_times_the_busiest_recent_day_is_a_volume_spike() {
        assert_eq!(of(&[("2026-11-20", 200), ("2026-11-21", 30), ("2026-11-22", 2_001)]), Some(200));
        assert_eq!(of(&[("2026-11-20", 200), ("2026-11-22", 2_000)]), None);
        assert_eq!(of(&[("2026-11-21", 1), ("2026-11-22", 1_001)]), Some(1));
        assert_eq!(of(&[("2026-11-21", 1), ("2026-11-22", 1_000)]), None, "a small shop has a busy day");
        assert_eq!(after(&[("2026-11-22", 90_000)], 90_000), None, "there is nothing to compare with");
        assert_eq!(after(&[("2026-11-14", 1), ("2026-11-22", 90_000)], 90_000), None, "that was more than a week ago");
    }
}
