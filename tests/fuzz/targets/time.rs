//! Times as people and Passweb write them. The lines of an input are a time zone, an instant, the start and the end of
//! the quiet hours, the holidays, the start of an activity, the minutes of its reminder, and a duration.
#![no_main]

use domain::decision::reminder::{due_at, raised, to_keep};
use domain::event::{ActivityTime, Event};
use domain::mapping::UsefulFor;
use domain::mapping::quiet_hours::{HourMinute, QuietHours};
use domain::primitives::local_time::first_valid;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

/// Years in which the bridge sends. Earlier time zones had offsets with seconds.
const YEARS: std::ops::RangeInclusive<i16> = 2000..=2200;
/// The longest gap of a local time: a country that crossed the date line left out a day.
const GAP_MAX: SignedDuration = SignedDuration::from_hours(24);
/// Holidays in a row that the search for the end of the quiet hours surely passes.
const HOLIDAYS_MAX: usize = 15;

fuzz_target!(|input: &str| {
    let mut lines = input.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    let (zone, instant, from, to, holidays) = (line(), line(), line(), line(), line());
    let (starts_at, minutes, duration) = (line(), line(), line());
    durations(duration);
    occurred_at(instant);
    let Ok(zone) = TimeZone::get(zone) else { return };
    activity(starts_at, minutes, &zone);
    let Ok(now) = instant.parse::<Timestamp>() else { return };
    if !YEARS.contains(&now.to_zoned(TimeZone::UTC).year()) {
        return;
    }
    local(now.to_zoned(TimeZone::UTC).datetime(), &zone);
    quiet(from, to, holidays, now, &zone);
});

fn durations(text: &str) {
    let Ok(useful_for) = UsefulFor::parse(text) else { return };
    assert!(useful_for.duration().is_positive() && useful_for.duration() <= UsefulFor::MAX.duration(), "{text:?}");
    assert_eq!(UsefulFor::parse(&useful_for.to_string()), Ok(useful_for), "{text:?}");
}

/// The time of an event is between the year 2000 and five minutes ahead, and the instant that RFC 3339 means.
fn occurred_at(text: &str) {
    let customer =
        |at: &str| json!({"id": "e", "type": "customer.updated", "occurred_at": at, "data": {"customer": {"id": "C"}}});
    let Ok(event) = Event::parse(customer(text), fuzz::now()) else { return };
    assert_eq!(text.parse::<Timestamp>().ok(), Some(event.occurred_at), "{text:?}");
    assert!(event.occurred_at <= fuzz::now() + SignedDuration::from_mins(5), "{text:?}");
    assert!(event.occurred_at.to_zoned(TimeZone::UTC).year() >= *YEARS.start(), "{text:?}");
    let again = Event::parse(customer(&event.occurred_at.to_string()), fuzz::now()).expect("a written time is read");
    assert_eq!(again.occurred_at, event.occurred_at, "{text:?}");
}

/// A reminder is due before its activity, and the event that it raises is read again.
fn activity(starts_at: &str, minutes: &str, zone: &TimeZone) {
    let (Some(name), Ok(minutes)) = (zone.iana_name(), minutes.parse::<u64>()) else { return };
    let Ok(saved) = Event::parse(saved(starts_at, minutes, name), fuzz::now()) else { return };
    let activity = saved.activity().expect("an activity was saved");
    let morning = jiff::civil::time(9, 0, 0, 0);
    let begins = match activity.starts {
        ActivityTime::At(instant) => Some(instant),
        ActivityTime::Day(day) => first_valid(day.to_datetime(morning), zone),
    };
    assert!(begins.is_none_or(|begins| begins <= activity.begun_at()), "{starts_at:?} begins after its end");
    for kept in to_keep(&saved, morning) {
        assert_eq!(Some(kept.due_at), due_at(activity, minutes, morning));
        assert!(begins.is_some_and(|begins| kept.due_at <= begins), "{starts_at:?}: due at {}", kept.due_at);
        let document = raised(&saved, "item", &kept.id, kept.due_at).expect("a kept reminder raises an event");
        let event = Event::parse_any(document, kept.due_at).expect("a raised event is valid");
        assert_eq!((event.activity(), event.occurred_at), (Some(activity), kept.due_at));
    }
}

fn saved(starts_at: &str, minutes: u64, zone: &str) -> Value {
    json!({"id": "e", "type": "activity.saved", "occurred_at": "2001-01-01T00:00:00Z", "data": {
        "activity": {"id": "A", "subject": "", "starts_at": starts_at, "all_day": starts_at.len() == "2026-11-24".len(),
            "time_zone": zone, "state": "PIANIFICATA"},
        "creator": {"id": "S"}, "assignees": [{"id": "C"}],
        "reminders": [{"id": "R", "minutes_before": minutes, "notify": ["whatsapp"]}],
    }})
}

/// A local time is kept, or moved to the end of the gap that it is in.
fn local(local: DateTime, zone: &TimeZone) {
    let instant = first_valid(local, zone).expect("the years of the bridge have every instant");
    let again = instant.to_zoned(zone.clone()).datetime();
    let moved = again.duration_since(local);
    assert!(!moved.is_negative() && moved <= GAP_MAX, "{local} becomes {again}");
    let second_before = (instant - SignedDuration::from_secs(1)).to_zoned(zone.clone()).datetime();
    assert!(moved.is_zero() || second_before < local, "{local} is not in the gap before {again}");
}

/// Quiet hours end later, at a time that is not quiet, and are written as they are read.
fn quiet(from: &str, to: &str, holidays: &str, now: Timestamp, zone: &TimeZone) {
    for text in [from, to] {
        let read = HourMinute::try_from(text.to_owned()).map(String::from);
        assert!(read.is_err() || read.as_deref() == Ok(text), "{text:?}");
    }
    let holidays: Vec<&str> = holidays.split(',').filter(|day| !day.is_empty()).take(HOLIDAYS_MAX).collect();
    let hours = json!({"from": from, "to": to, "holidays": holidays});
    let Ok(hours) = serde_json::from_value::<QuietHours>(hours) else { return };
    fuzz::round_trip(&hours);
    let Some(until) = hours.until(now, zone) else { return };
    assert!(until > now, "{hours:?} end at {until}, which is not after {now}");
    assert_eq!(hours.until(until, zone), None, "{hours:?} end at {until}, which is quiet");
}
