//! Dates, times and durations for people.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::Texts;

const DAY_MINUTES: u64 = 24 * 60;

impl Texts {
    /// Formats a timestamp in a time zone, to the minute: `24/11/2026 alle 15:00`, `24 Nov 2026 at 15:00`.
    #[must_use]
    pub fn moment(&self, at: Timestamp, zone: &TimeZone) -> String {
        let moment = at.to_zoned(zone.clone()).strftime(&self.moment_format()).to_string();
        // People expect the time of their site. Any other must say so.
        if *zone == TimeZone::UTC { moment + " UTC" } else { moment }
    }

    /// Formats the date of a timestamp in a time zone.
    #[must_use]
    pub fn day(&self, at: Timestamp, zone: &TimeZone) -> String {
        self.date(at.to_zoned(zone.clone()).date())
    }

    /// Formats a date: `24/11/2026`, `24 Nov 2026`.
    #[must_use]
    pub fn date(&self, date: Date) -> String {
        date.strftime(&self.date_format()).to_string()
    }

    /// Formats a number of minutes, as days if they are whole days.
    #[must_use]
    pub fn lead(&self, minutes: u64) -> String {
        if minutes > 0 && minutes.is_multiple_of(DAY_MINUTES) {
            self.days(minutes / DAY_MINUTES)
        } else {
            self.minutes(minutes)
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Lang;

    #[test]
    fn times_are_shown_in_the_given_zone() {
        let zone = jiff::tz::TimeZone::get("Europe/Rome").unwrap();
        let at = "2026-11-24T14:00:00Z".parse().unwrap();
        assert_eq!(Lang::It.texts().moment(at, &zone), "24/11/2026 alle 15:00");
        assert_eq!(Lang::En.texts().moment(at, &zone), "24 Nov 2026 at 15:00");
        assert_eq!(Lang::It.texts().moment(at, &jiff::tz::TimeZone::UTC), "24/11/2026 alle 14:00 UTC");
        let midnight = "2026-11-24T23:30:00Z".parse().unwrap();
        assert_eq!(Lang::It.texts().day(midnight, &zone), "25/11/2026");
        assert_eq!(Lang::En.texts().day(midnight, &zone), "25 Nov 2026");
    }

    #[test]
    fn whole_days_are_counted_in_days() {
        let texts = Lang::It.texts();
        let leads = [0, 1, 90, 1440, 2880, 1441].map(|minutes| texts.lead(minutes));
        assert_eq!(leads, ["0 minuti", "1 minuto", "90 minuti", "1 giorno", "2 giorni", "1441 minuti"]);
        assert_eq!([1, 1440, 2880].map(|minutes| Lang::En.texts().lead(minutes)), ["1 minute", "1 day", "2 days"]);
    }
}
