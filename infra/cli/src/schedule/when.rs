//! Formats of dates, times and durations for people.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::output::Lang;

const DAY_MINUTES: u64 = 24 * 60;

/// Formats a timestamp in a time zone, to the minute: `24/11/2026 alle 15:00`, `24 Nov 2026 at 15:00`.
pub(super) fn local(at: Timestamp, zone: &TimeZone, lang: Lang) -> String {
    let format = lang.of("%d/%m/%Y alle %H:%M", "%-d %b %Y at %H:%M");
    at.to_zoned(zone.clone()).strftime(format).to_string()
}

/// Formats a date: `24/11/2026`, `24 Nov 2026`.
pub(super) fn day(date: Date, lang: Lang) -> String {
    date.strftime(lang.of("%d/%m/%Y", "%-d %b %Y")).to_string()
}

/// Formats a number of minutes, as days if they are whole days.
pub(super) fn lead(minutes: u64, lang: Lang) -> String {
    let in_days = minutes > 0 && minutes.is_multiple_of(DAY_MINUTES);
    let count = if in_days { minutes / DAY_MINUTES } else { minutes };
    let unit = match (in_days, count == 1) {
        (true, true) => lang.of("giorno", "day"),
        (true, false) => lang.of("giorni", "days"),
        (false, true) => lang.of("minuto", "minute"),
        (false, false) => lang.of("minuti", "minutes"),
    };
    format!("{count} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_the_given_zone() {
        let rome = TimeZone::get("Europe/Rome").unwrap();
        let at = "2026-11-04T14:05:59Z".parse().unwrap();
        assert_eq!(local(at, &rome, Lang::It), "04/11/2026 alle 15:05");
        assert_eq!(local(at, &rome, Lang::En), "4 Nov 2026 at 15:05");
        assert_eq!(day(jiff::civil::date(2026, 11, 4), Lang::En), "4 Nov 2026");
    }

    #[test]
    fn a_lead_of_whole_days_is_shown_in_days() {
        let of = |minutes| [lead(minutes, Lang::It), lead(minutes, Lang::En)];
        assert_eq!(of(0), ["0 minuti", "0 minutes"]);
        assert_eq!(of(1), ["1 minuto", "1 minute"]);
        assert_eq!(of(90), ["90 minuti", "90 minutes"]);
        assert_eq!(of(1440), ["1 giorno", "1 day"]);
        assert_eq!(of(2880), ["2 giorni", "2 days"]);
        assert_eq!(of(1441), ["1441 minuti", "1441 minutes"]);
    }
}
