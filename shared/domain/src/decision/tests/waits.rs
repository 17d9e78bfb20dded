//! Tests of the waits that a mapping requires: `hold_for` and quiet hours.

use super::*;
use crate::mapping::UsefulFor;

/// Returns the demo configuration, its order mapping with a hold, quiet hours and a usefulness.
///
/// The order happened at 09:00 UTC. The current time is 10:00 UTC, 11:00 in Rome.
fn waits(hold_for: Option<&str>, quiet: Option<(&str, &str)>, useful_for: &str) -> LiveConfig {
    with(|config| {
        let mapping = &mut config.mappings[0];
        mapping.hold_for = hold_for.map(|text| UsefulFor::parse(text).unwrap());
        mapping.useful_for = Some(UsefulFor::parse(useful_for).unwrap());
        mapping.quiet_hours = quiet.map(|(from, to)| serde_json::from_value(json!({"from": from, "to": to})).unwrap());
    })
}

/// Returns the end and the reason of the wait.
fn waiting(config: &LiveConfig, known: &DecisionContext) -> Option<(String, WaitReason)> {
    let event = order(&[]);
    let planned = plan(&event, config);
    match decide(&event, planned.messages.first().unwrap(), config, known, now()) {
        Ok(_) => None,
        Err(Halt::Wait { waiting, .. }) => Some((waiting.until.to_string(), waiting.why)),
        Err(Halt::Skip(skip)) => panic!("{skip:?}"),
    }
}

#[track_caller]
fn check_wait(config: &LiveConfig, expected: Option<(&str, WaitReason)>) {
    let expected = expected.map(|(until, why)| (until.to_owned(), why));
    assert_eq!(waiting(config, &DecisionContext::default()), expected);
}

#[test]
fn a_state_waits_until_its_hold_is_over() {
    check_wait(&waits(Some("90m"), None, "2d"), Some(("2026-11-22T10:30:00Z", WaitReason::Hold)));
    check_wait(&waits(Some("61m"), None, "2d"), Some(("2026-11-22T10:01:00Z", WaitReason::Hold)));
    check_wait(&waits(Some("1h"), None, "2d"), None);
    check_wait(&waits(Some("30m"), None, "2d"), None);
    check_wait(&waits(None, None, "2d"), None);
}

#[test]
fn a_message_waits_for_the_end_of_the_quiet_hours() {
    check_wait(&waits(None, Some(("10:30", "12:00")), "2d"), Some(("2026-11-22T11:00:00Z", WaitReason::QuietHours)));
    check_wait(&waits(None, Some(("12:00", "13:00")), "2d"), None);
    // The hold is over: only the quiet hours apply.
    check_wait(
        &waits(Some("30m"), Some(("10:30", "12:00")), "2d"),
        Some(("2026-11-22T11:00:00Z", WaitReason::QuietHours)),
    );
}

#[test]
fn a_hold_that_ends_in_quiet_hours_waits_for_its_own_end_first() {
    // The hold ends at 12:00 in Rome. The quiet hours from 11:30 to 13:00 end while the message is useful.
    check_wait(&waits(Some("2h"), Some(("11:30", "13:00")), "2d"), Some(("2026-11-22T11:00:00Z", WaitReason::Hold)));
}

#[test]
fn a_message_expires_if_the_quiet_hours_after_its_hold_outlast_it() {
    // The quiet hours end at 10:00 UTC the next day. The message is useful until 21:00 UTC.
    let config = waits(Some("2h"), Some(("11:30", "11:00")), "12h");
    check(&order(&[]), &config, "expired", "2026-11-22T21:00:00Z, quiet_hours");
    // The message is useful until exactly the end of the quiet hours, so it waits.
    check_wait(&waits(Some("2h"), Some(("11:30", "22:00")), "12h"), Some(("2026-11-22T11:00:00Z", WaitReason::Hold)));
}

#[test]
fn sending_now_skips_the_hold_and_the_quiet_hours() {
    let now = DecisionContext { send_now: true, ..DecisionContext::default() };
    assert_eq!(waiting(&waits(Some("90m"), Some(("10:30", "12:00")), "2d"), &now), None);
}

#[test]
fn files_wait_until_their_collection_ends() {
    let hour = SignedDuration::from_hours(1);
    let collects = |until| DecisionContext { collects_until: Some(until), ..DecisionContext::default() };
    let config = waits(None, None, "2d");
    assert_eq!(waiting(&config, &collects(now() + hour)), Some(("2026-11-22T11:00:00Z".to_owned(), WaitReason::Hold)));
    assert_eq!(waiting(&config, &collects(now())), None);
}

#[test]
fn only_states_of_orders_and_activities_are_held_for_a_newer_one() {
    let held = |event: &Event| {
        let held = mapping("any", event.kind().name());
        let held = Mapping { hold_for: Some(UsefulFor::parse("90m").unwrap()), ..held };
        held_until(event, &held).map(|until| until.duration_since(event.occurred_at).as_mins())
    };
    assert_eq!(held(&order(&[])), Some(90));
    let activity = json!({"id": "A1", "subject": "Visita", "starts_at": "2026-11-24", "all_day": true, "time_zone": "Europe/Rome", "state": "x"});
    let data = json!({"activity": activity, "old_state": "x", "new_state": "y", "actor": {"id": "A"},
                      "creator": {"id": "C"}, "assignees": [], "notify": ["whatsapp"]});
    let changed = json!({"id": "e-3", "type": "activity.status_changed", "occurred_at": "2026-11-22T09:00:00Z",
                         "data": data});
    assert_eq!(held(&Event::parse(changed, now()).unwrap()), Some(90));
    assert_eq!(held(&upload(json!([]), &[])), None);
    assert_eq!(held_until(&order(&[]), &mapping("orders", "order.status_changed")), None);
}

#[test]
fn a_message_is_useful_up_to_and_including_its_last_second() {
    let until = |moment: &str| outcome(&order(&[("/occurred_at", json!(moment))]), &waits(None, None, "1h"));
    assert!(until("2026-11-22T09:00:00Z").is_ok());
    assert_eq!(until("2026-11-22T08:59:59Z").unwrap_err().0, "expired");
}
