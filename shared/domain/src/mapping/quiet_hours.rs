//! Quiet hours: the times when a mapping sends nothing, in the site's time zone. A message due in them waits for their
//! end.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};

use crate::primitives::local_time::first_valid;

/// Daily quiet hours, and days that are quiet as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// The start, such as `21:00`.
    pub from: HourMinute,
    /// The end, such as `08:00`. If it is before `from`, it is on the next day.
    pub to: HourMinute,
    /// Days on which nothing is sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<Date>,
}

/// A time of day to the minute, written `08:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HourMinute(Time);

/// The format of an [`HourMinute`].
const FORMAT: &str = "%H:%M";

/// The error for a text that is not a time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a time of the day such as 21:00")]
pub struct HourMinuteError;

impl TryFrom<String> for HourMinute {
    type Error = HourMinuteError;

    fn try_from(text: String) -> Result<Self, HourMinuteError> {
        let time = Self(Time::strptime(FORMAT, &text).map_err(|_| HourMinuteError)?);
        // jiff also accepts leading spaces and single digits.
        if String::from(time) == text { Ok(time) } else { Err(HourMinuteError) }
    }
}

impl From<HourMinute> for String {
    fn from(HourMinute(time): HourMinute) -> String {
        time.strftime(FORMAT).to_string()
    }
}

/// Number of steps in the search for the end. A longer sequence of holidays is not searched to its end.
const DAYS_MAX: usize = 62;

impl QuietHours {
    /// Returns the end of the quiet hours that `now` is in; `None` outside quiet hours.
    #[must_use]
    pub fn until(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let mut moment = now.to_zoned(zone.clone());
        if !self.holds(&moment) {
            return None;
        }
        for _ in 0..DAYS_MAX {
            moment = self.next_end(&moment, zone)?;
            if !self.holds(&moment) {
                break;
            }
        }
        Some(moment.timestamp())
    }

    fn holds(&self, moment: &Zoned) -> bool {
        let (time, HourMinute(from), HourMinute(to)) = (moment.time(), self.from, self.to);
        let in_hours = if from <= to { from <= time && time < to } else { from <= time || time < to };
        in_hours || self.holidays.contains(&moment.date())
    }

    /// Returns the next instant at which quiet hours or a holiday end.
    fn next_end(&self, moment: &Zoned, zone: &TimeZone) -> Option<Zoned> {
        let (date, HourMinute(to)) = (moment.date(), self.to);
        let midnight = Time::midnight();
        let ends =
            [date.to_datetime(to), date.tomorrow().ok()?.to_datetime(midnight), date.tomorrow().ok()?.to_datetime(to)];
        // If the clocks go back over an end, the quiet hours continue in the second of the two hours and end again.
        let again = |end| zone.to_ambiguous_zoned(end).later().ok().map(|end| end.timestamp());
        let ends = ends.into_iter().flat_map(|end| [first_valid(end, zone), again(end)]).flatten();
        ends.filter(|end| *end > moment.timestamp()).min().map(|end| end.to_zoned(zone.clone()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn quiet(from: &str, to: &str, holidays: &[&str]) -> QuietHours {
        serde_json::from_value(json!({"from": from, "to": to, "holidays": holidays})).unwrap()
    }

    fn rome() -> TimeZone {
        TimeZone::get("Europe/Rome").unwrap()
    }

    #[track_caller]
    fn check(hours: &QuietHours, now: &str, until: Option<&str>) {
        let until = until.map(|until| until.parse::<Timestamp>().unwrap());
        assert_eq!(hours.until(now.parse().unwrap(), &rome()), until, "{now}");
    }

    #[test]
    fn a_night_ends_in_the_morning_and_a_holiday_on_the_morning_after() {
        let hours = quiet("21:00", "08:00", &["2026-12-25", "2026-12-26"]);
        check(&hours, "2026-11-22T20:59:00+01:00", None);
        check(&hours, "2026-11-22T21:00:00+01:00", Some("2026-11-23T08:00:00+01:00"));
        check(&hours, "2026-11-23T07:59:59+01:00", Some("2026-11-23T08:00:00+01:00"));
        check(&hours, "2026-11-23T08:00:00+01:00", None);
        check(&hours, "2026-12-24T22:00:00+01:00", Some("2026-12-27T08:00:00+01:00"));
        check(&hours, "2026-12-25T12:00:00+01:00", Some("2026-12-27T08:00:00+01:00"));
        let lunch = quiet("13:00", "15:00", &[]);
        check(&lunch, "2026-11-22T13:30:00+01:00", Some("2026-11-22T15:00:00+01:00"));
        check(&lunch, "2026-11-22T15:00:00+01:00", None);
    }

    #[test]
    fn quiet_hours_follow_clock_changes() {
        let hours = quiet("21:00", "08:00", &[]);
        check(&hours, "2027-03-27T22:00:00+01:00", Some("2027-03-28T08:00:00+02:00"));
        let odd = quiet("23:00", "02:30", &[]);
        check(&odd, "2027-03-28T01:00:00+01:00", Some("2027-03-28T03:00:00+02:00"));
        check(&odd, "2027-10-31T02:15:00+02:00", Some("2027-10-31T02:30:00+02:00"));
        check(&odd, "2027-10-31T02:15:00+01:00", Some("2027-10-31T02:30:00+01:00"));
    }

    #[test]
    fn times_are_written_as_they_are_read() {
        let hours = quiet("21:00", "08:05", &["2026-12-25"]);
        let written = serde_json::to_value(&hours).unwrap();
        assert_eq!(written, json!({"from": "21:00", "to": "08:05", "holidays": ["2026-12-25"]}));
        for right in ["00:00", "00:59", "08:05", "12:00", "19:09", "23:59"] {
            assert_eq!(HourMinute::try_from(right.to_owned()).map(String::from).as_deref(), Ok(right));
        }
        let formats = ["", "08", "8:00", "08:0", "0800", "08.00", "08-00", "08:00:00", "008:00", "08:000", "T0800"];
        let ranges = ["24:00", "23:60", "99:99"];
        let signs = ["-1:00", "+7:00", "-0:00", "08:+5", " 8:00", "08: 5", "08:0 ", " 08:00", "08:00 "];
        let digits = ["08:0é", "é8:00", "0８:00", "ab:cd"];
        for wrong in formats.into_iter().chain(ranges).chain(signs).chain(digits) {
            assert!(HourMinute::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn quiet_hours_end_at_a_later_time_that_is_not_quiet(
            minute in 0i64..3_000_000, from in 0i8..24, to in 0i8..24, holiday in 1i8..29,
        ) {
            let hours = quiet(&format!("{from:02}:00"), &format!("{to:02}:30"), &[&format!("2027-03-{holiday:02}")]);
            let now = "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_mins(minute);
            if let Some(until) = hours.until(now, &rome()) {
                prop_assert!(until > now);
                prop_assert_eq!(hours.until(until, &rome()), None);
            }
        }
    }
}
