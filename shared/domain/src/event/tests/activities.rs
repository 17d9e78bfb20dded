use super::*;

fn saved() -> Value {
    example(EventType::ActivitySaved)
}

fn starting(at: &str, zone: &str) -> Value {
    let event = with(saved(), "/data/activity/starts_at", json!(at));
    with(event, "/data/activity/time_zone", json!(zone))
}

fn all_day(starts: &str, ends: Value) -> Value {
    let event = with(saved(), "/data/activity/all_day", json!(true));
    with(with(event, "/data/activity/starts_at", json!(starts)), "/data/activity/ends_at", ends)
}

#[test]
fn the_offset_of_the_start_must_match_the_time_zone() {
    for (at, zone) in [
        ("2026-11-24T15:30:00+01:00", "Europe/Rome"),
        ("2026-07-24T15:30:00+02:00", "Europe/Rome"),
        ("2026-11-24T14:30:00Z", "UTC"),
        // 02:30 occurs twice on this night. The offset determines which one is meant.
        ("2026-10-25T02:30:00+02:00", "Europe/Rome"),
        ("2026-10-25T02:30:00+01:00", "Europe/Rome"),
    ] {
        assert!(Event::parse(starting(at, zone), now()).is_ok(), "{at} {zone}");
    }
    for (at, zone) in [
        ("2026-11-24T15:30:00+02:00", "Europe/Rome"),
        ("2026-11-24T14:30:00+00:00", "Europe/Rome"),
        ("2026-11-24T14:30:00-00:00", "Europe/Rome"),
        ("2026-11-24T15:30:00", "Europe/Rome"),
        ("2026-11-24", "Europe/Rome"),
        ("24/11/2026 15:30", "Europe/Rome"),
        ("1999-11-24T15:30:00+01:00", "Europe/Rome"),
    ] {
        assert_eq!(pointers(starting(at, zone)), ["/data/activity/starts_at"], "{at} {zone}");
    }
}

#[test]
fn a_start_in_utc_equals_the_same_instant_in_the_zone() {
    let zoned = Event::parse(starting("2026-11-24T15:30:00+01:00", "Europe/Rome"), now()).unwrap();
    for at in ["2026-11-24T14:30:00Z", "2026-11-24T14:30:00z"] {
        let event = Event::parse(starting(at, "Europe/Rome"), now()).unwrap();
        assert_eq!(event.activity(), zoned.activity(), "{at}");
    }
}

#[test]
fn an_unknown_time_zone_is_refused() {
    for zone in ["Europa/Roma", "CET+1", "", "+01:00"] {
        assert_eq!(pointers(starting("2026-11-24T15:30:00+01:00", zone)), ["/data/activity/time_zone"], "{zone}");
    }
}

#[test]
fn an_all_day_activity_has_dates() {
    let event = Event::parse(all_day("2026-11-24", json!("2026-11-25")), now()).unwrap();
    let activity = event.activity().unwrap();
    assert_eq!(activity.starts, ActivityTime::Day(jiff::civil::date(2026, 11, 24)));
    assert_eq!(activity.begun_at().to_string(), "2026-11-24T23:00:00Z");
    assert_eq!(pointers(all_day("2026-11-24T00:00:00+01:00", Value::Null)), ["/data/activity/starts_at"]);
    assert_eq!(pointers(all_day("2026-02-30", Value::Null)), ["/data/activity/starts_at"]);
    assert_eq!(pointers(all_day("2026-11-24", json!("domani"))), ["/data/activity/ends_at"]);
}

#[test]
fn the_reminders_of_an_activity_are_read() {
    let EventData::ActivitySaved { reminders, .. } = Event::parse(saved(), now()).unwrap().data else { panic!() };
    let [own, everybodys] = reminders.as_slice() else { panic!("{reminders:?}") };
    assert_eq!((own.minutes_before, own.whatsapp, own.owner.is_some()), (60, true, true));
    assert_eq!((everybodys.minutes_before, everybodys.owner.is_some()), (1440, false));
    let late = with(saved(), "/data/reminders/0/minutes_before", json!(MINUTES_BEFORE_MAX + 1));
    assert_eq!(pointers(late), ["/data/reminders/0/minutes_before"]);
}

#[test]
fn a_reminder_without_an_owner_goes_to_every_assignee() {
    let mut document = example(EventType::ActivityReminder);
    document["data"]["owner"] = Value::Null;
    let event = Event::parse(document, now()).unwrap();
    let notified: Vec<&str> = event.recipients().iter().map(|person| person.id.as_str()).collect();
    assert_eq!(notified, ["C7", "G3"]);
}

#[test]
fn duplicate_reminder_ids_are_refused() {
    let reminder = |id: &str| json!({"id": id, "minutes_before": 60, "notify": ["whatsapp"]});
    let of = |reminders: [Value; 3]| with(saved(), "/data/reminders", json!(reminders));
    assert!(Event::parse(of([reminder("r1"), reminder("r2"), reminder("r3")]), now()).is_ok());
    let twice = of([reminder("r1"), reminder("r1"), reminder("r1")]);
    assert_eq!(pointers(twice), ["/data/reminders/1/id", "/data/reminders/2/id"]);
}

#[test]
fn an_accepted_event_stays_readable_after_zones_or_rules_change() {
    let mut document = example(EventType::ActivitySaved);
    document["data"]["activity"]["all_day"] = json!(false);
    document["data"]["activity"]["time_zone"] = json!("Europe/Rome");
    // As if Rome had used this offset when the event was accepted.
    document["data"]["activity"]["starts_at"] = json!("2026-11-24T15:00:00+05:00");
    let reminder = json!({"id": "r1", "minutes_before": 60, "notify": ["whatsapp"]});
    document["data"]["reminders"] = json!([reminder, reminder]);
    let now = "2026-12-01T00:00:00Z".parse().unwrap();
    let Err(EventError::Invalid(faults)) = Event::parse(document.clone(), now) else { panic!() };
    let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(pointers, ["/data/activity/starts_at", "/data/reminders/1/id"]);
    assert!(Event::parse_any(document, now).is_ok());
}
