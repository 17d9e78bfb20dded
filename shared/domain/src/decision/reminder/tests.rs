use super::*;
use crate::event::EventType;
use crate::event::example::published;
use crate::message::reason::Reason;

const MORNING: Time = jiff::civil::time(9, 0, 0, 0);

fn saved_in(zone: &str, starts: &str, reminders: &Value) -> Value {
    let all_day = !starts.contains('T');
    json!({
        "id": "a-1", "type": "activity.saved", "occurred_at": "2026-11-22T09:00:00Z",
        "data": {
            "activity": {"id": "A1", "subject": "Visita", "starts_at": starts, "all_day": all_day,
                         "time_zone": zone, "state": "PIANIFICATA"},
            "creator": {"id": "C"}, "assignees": [{"id": "P"}], "reminders": reminders
        }
    })
}

fn saved(starts: &str, reminders: &Value) -> Event {
    let document = saved_in("Europe/Rome", starts, reminders);
    Event::parse(document, "2026-11-22T10:00:00Z".parse().unwrap()).unwrap()
}

#[track_caller]
fn check(starts: &str, minutes_before: u64, expected: &str) {
    check_in("Europe/Rome", starts, minutes_before, expected);
}

#[track_caller]
fn check_in(zone: &str, starts: &str, minutes_before: u64, expected: &str) {
    let mut document = saved_in(zone, starts, &json!([]));
    document["occurred_at"] = json!("2026-11-22T09:00:00Z");
    let event = Event::parse(document, "2026-11-22T10:00:00Z".parse().unwrap()).unwrap();
    let due = due_at(event.activity().unwrap(), minutes_before, MORNING).unwrap();
    assert_eq!(due, expected.parse::<Timestamp>().unwrap(), "{starts} - {minutes_before}: {due}");
}

#[test]
fn leads_are_absolute_but_days_keep_the_wall_clock() {
    check("2026-11-24T15:00:00+01:00", 30, "2026-11-24T14:30:00+01:00");
    check("2026-11-24T15:00:00+01:00", 0, "2026-11-24T15:00:00+01:00");
    check("2026-11-24T15:00:00+01:00", 1440, "2026-11-23T15:00:00+01:00");
    // Italian clocks go forward on 28 March 2027 and back on 31 October 2027.
    check("2027-03-28T15:00:00+02:00", 1440, "2027-03-27T15:00:00+01:00");
    check("2027-03-28T15:00:00+02:00", 1441, "2027-03-27T13:59:00+01:00");
    check("2027-10-31T15:00:00+01:00", 1440, "2027-10-30T15:00:00+02:00");
    check("2027-10-31T15:00:00+01:00", 720, "2027-10-31T03:00:00+01:00");
}

#[test]
fn a_due_time_in_a_gap_moves_to_its_end_and_one_in_a_fold_is_the_first() {
    check("2027-03-29T02:30:00+02:00", 1440, "2027-03-28T03:00:00+02:00");
    check("2027-11-01T02:30:00+01:00", 1440, "2027-10-31T02:30:00+02:00");
}

#[test]
fn days_are_counted_on_the_calendar() {
    // 2028 has a 29 February; 2027 does not.
    check("2028-03-01T15:00:00+01:00", 1440, "2028-02-29T15:00:00+01:00");
    check("2027-03-01T15:00:00+01:00", 1440, "2027-02-28T15:00:00+01:00");
    check("2028-02-29T15:00:00+01:00", 525_600, "2027-03-01T15:00:00+01:00");
    check("2028-02-29", 1440, "2028-02-28T09:00:00+01:00");
    check("2027-01-01T10:00:00+01:00", 1440, "2026-12-31T10:00:00+01:00");
    check("2027-01-01", 10_080, "2026-12-25T09:00:00+01:00");
    check("2027-01-01T00:30:00+01:00", 60, "2026-12-31T23:30:00+01:00");
}

#[test]
fn other_zones_use_their_own_clock_changes() {
    // New York goes forward on 14 March 2027 and back on 7 November. Lord Howe changes by half an hour and goes
    // back on 4 April.
    check_in("America/New_York", "2027-03-15T02:30:00-04:00", 1440, "2027-03-14T03:00:00-04:00");
    check_in("America/New_York", "2027-11-08T01:30:00-05:00", 1440, "2027-11-07T01:30:00-04:00");
    check_in("Australia/Lord_Howe", "2027-10-04T02:15:00+11:00", 1440, "2027-10-03T02:30:00+11:00");
    check_in("Australia/Lord_Howe", "2027-04-05T01:45:00+10:30", 1440, "2027-04-04T01:45:00+11:00");
    // In Santiago the clocks go forward at midnight on 5 September 2027: that day starts at 01:00.
    check_in("America/Santiago", "2027-09-06T00:30:00-03:00", 1440, "2027-09-05T01:00:00-03:00");
    check_in("America/Santiago", "2027-09-05", 540, "2027-09-04T23:00:00-04:00");
    check_in("Asia/Kolkata", "2027-03-29T02:30:00+05:30", 1440, "2027-03-28T02:30:00+05:30");
}

#[test]
fn a_reminder_without_a_lead_is_due_at_the_start_in_either_hour_of_a_fold() {
    for start in ["2027-10-31T02:30:00+02:00", "2027-10-31T02:30:00+01:00"] {
        check(start, 0, start);
    }
}

#[test]
fn a_whole_day_counts_from_the_morning() {
    check("2026-11-24", 0, "2026-11-24T09:00:00+01:00");
    check("2026-11-24", 2880, "2026-11-22T09:00:00+01:00");
    check("2026-11-24", 60, "2026-11-24T08:00:00+01:00");
}

#[test]
fn only_ticked_future_reminders_are_kept() {
    let reminders = json!([
        {"id": "r1", "minutes_before": 60, "notify": ["whatsapp"]},
        {"id": "r2", "minutes_before": 60, "notify": ["email"]},
        {"id": "r3", "minutes_before": 525_600, "notify": ["whatsapp"]},
    ]);
    let ids = |event: &Event| to_keep(event, MORNING).into_iter().map(|kept| kept.id.to_string()).collect::<Vec<_>>();
    let event = saved("2026-11-24T15:00:00+01:00", &reminders);
    assert_eq!(ids(&event), ["r1"]);
    assert_eq!(activity_status(&event).unwrap().1, ActivityStatus::Saved);
}

#[test]
fn an_activity_is_over_once_it_is_deleted_cancelled_or_completed() {
    let example = |kind: &str, changes: &[(&str, Value)]| {
        let mut document = published(EventType::of(kind).unwrap());
        for (pointer, value) in changes {
            *document.pointer_mut(pointer).unwrap() = value.clone();
        }
        let event = Event::parse(document, "2026-11-22T10:00:00Z".parse().unwrap()).unwrap();
        activity_status(&event).map(|(activity, activity_status)| (activity.to_string(), activity_status))
    };
    let changed = |state: &str| example("activity.status_changed", &[("/data/new_state", json!(state))]);
    let over = Some(("A1-3".to_owned(), ActivityStatus::Over));
    assert_eq!(["Completata", "ANNULLATA"].map(changed), [over.clone(), over]);
    assert_eq!(["Pianificata", "Scaduta", "In attesa"].map(changed), [None, None, None]);
    assert_eq!(example("activity.deleted", &[]).unwrap().1, ActivityStatus::Over);
    assert_eq!(example("activity.saved", &[]).unwrap().1, ActivityStatus::Saved);
    assert_eq!(
        example("activity.saved", &[("/data/activity/state", json!("Annullata"))]).unwrap().1,
        ActivityStatus::Over
    );
    assert_eq!(example("activity.acknowledged", &[]), None);
}

#[test]
fn a_reminder_fingerprint_is_unaffected_by_other_edits() {
    let reminders = json!([
        {"id": "r1", "minutes_before": 60, "notify": ["whatsapp"]},
        {"id": "r2", "minutes_before": 60, "notify": ["email"]},
        {"id": "r3", "minutes_before": 525_600, "notify": ["whatsapp"]},
    ]);
    let event = saved("2026-11-24T15:00:00+01:00", &reminders);
    let known = fingerprints(&event).into_iter().collect::<Vec<_>>();
    // The dedup key of a reminder contains this text: a different form would send every reminder again.
    assert_eq!(known, ["r1/At(2026-11-24T14:00:00Z)/60", "r3/At(2026-11-24T14:00:00Z)/525600"]);
    let id = |text: &str| ObjectId::parse(text).unwrap();
    assert_eq!(saved_fingerprint(&event, &id("r3")).as_ref(), known.last());
    assert_eq!(saved_fingerprint(&event, &id("r2")), None);
    assert_eq!(to_keep(&event, MORNING)[0].fingerprint, known[0]);
    let changed = |pointer: &str, value: Value| {
        let mut document = event.document.clone();
        *document.pointer_mut(pointer).unwrap() = value;
        fingerprints(&Event::parse(document, event.occurred_at).unwrap())
    };
    assert_eq!(changed("/data/activity/subject", json!("Riunione")), fingerprints(&event));
    let moved = changed("/data/activity/starts_at", json!("2026-11-24T15:30:00+01:00"));
    assert!(moved.is_disjoint(&fingerprints(&event)));
    assert!(changed("/data/activity/state", json!("Completata")).is_empty());
    assert!(changed("/data/reminders", json!([])).is_empty());
}

#[test]
fn the_persisted_form_of_a_start_never_changes() {
    let check = |starts_at: &str, form: &str| {
        let event = saved(starts_at, &json!([]));
        assert_eq!(starts(event.activity().unwrap()), form);
    };
    check("2026-11-24T15:00:00+01:00", "At(2026-11-24T14:00:00Z)");
    check("2026-11-24T15:00:00.5+01:00", "At(2026-11-24T14:00:00.5Z)");
    check("2026-11-24T15:00:00.000000001+01:00", "At(2026-11-24T14:00:00.000000001Z)");
    check("2026-11-24", "Day(2026-11-24)");
    check("2199-12-30", "Day(2199-12-30)");
    // Earlier versions wrote this form.
    for starts_at in ["2026-11-24T15:00:00+01:00", "2026-11-24T15:00:00.25+01:00", "2026-11-24"] {
        let event = saved(starts_at, &json!([]));
        let activity = event.activity().unwrap();
        assert_eq!(starts(activity), format!("{:?}", activity.starts));
    }
}

#[test]
fn only_a_raised_reminder_takes_its_contact_data_time_from_another_event() {
    let reminders = json!([{"id": "r1", "minutes_before": 60, "notify": ["whatsapp"]}]);
    let mut event = saved("2026-11-24T15:00:00+01:00", &reminders);
    let [kept] = to_keep(&event, MORNING).try_into().unwrap();
    let document = raised(&event, "item", &kept.id, kept.due_at).unwrap();
    assert_eq!(contact_data_as_of(&Event::parse_any(document, kept.due_at).unwrap()), event.occurred_at);
    event.document["data"]["saved_at"] = json!("2020-01-01T00:00:00Z");
    assert_eq!(contact_data_as_of(&event), event.occurred_at);
}

#[test]
fn a_due_reminder_raises_an_event_that_can_be_read() {
    let reminders = json!([{"id": "r1", "minutes_before": 60, "notify": ["whatsapp"], "owner": {"id": "G"}}]);
    let event = saved("2026-11-24T15:00:00+01:00", &reminders);
    let [kept] = to_keep(&event, MORNING).try_into().unwrap();
    let document = raised(&event, "item", &kept.id, kept.due_at).unwrap();
    let raised = Event::parse_any(document.clone(), kept.due_at).unwrap();
    assert_eq!(raised.recipients().first().map(|person| person.id.as_str()), Some("G"));
    assert!(raised.id.as_str().starts_with("bridge:rem."));
    assert!(Event::parse(document, kept.due_at).is_err(), "Passweb may not use our ids");
    assert!(super::raised(&event, "item", &ObjectId::parse("r9").unwrap(), kept.due_at).is_none());
}

#[test]
fn a_withdrawn_reminder_skips_each_recipient_once() {
    let check = |assignees: Value, expected: &[Option<&str>]| {
        let reminders = json!([{"id": "r1", "minutes_before": 60, "notify": ["whatsapp"]}]);
        let mut event = saved("2026-11-24T15:00:00+01:00", &reminders);
        event.document["data"]["assignees"] = assignees;
        let [kept] = to_keep(&event, MORNING).try_into().unwrap();
        let document = raised(&event, "item", &kept.id, kept.due_at).unwrap();
        let plan = taken_back(&Event::parse_any(document, kept.due_at).unwrap(), &Skip::new(Reason::Cancelled, "x"));
        let left_out: Vec<Option<&str>> =
            plan.skips.iter().map(|skip| skip.recipient.as_ref().map(ObjectId::as_str)).collect();
        assert_eq!((left_out.as_slice(), plan.messages), (expected, Vec::new()));
        assert!(plan.skips.iter().all(|planned| planned.skip == Skip::new(Reason::Cancelled, "x")));
    };
    check(json!([{"id": "P"}, {"id": "Q"}, {"id": "P"}]), &[Some("P"), Some("Q")]);
    check(json!([]), &[None]);
}
