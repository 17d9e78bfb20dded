use serde_json::json;

use super::*;

#[test]
fn the_queue_contract_only_grows() {
    let job = Job::event(
        SiteId::parse("demo").unwrap(),
        "2026-11-22T09:15:00Z".parse().unwrap(),
        json!({"id": "1", "data": {}}),
    );
    let text = r#"{"job":"event.1","site":"demo","received_at":"2026-11-22T09:15:00Z","event":{"data":{},"id":"1"}}"#;
    assert_eq!(serde_json::to_string(&job).unwrap(), text);
    assert_eq!(serde_json::from_str::<Job>(text).unwrap(), job);
    let again = r#"{"job":"event.1","site":"demo","received_at":"2026-11-22T09:15:00Z","event":{"data":{},"id":"1"},"attempt":1}"#;
    assert_eq!(serde_json::to_string(&job.put_back()).unwrap(), again);
    let redriven = again.replace(r#""attempt":1"#, r#""redriven_at":"2026-12-12T08:00:00Z""#);
    let job = serde_json::from_str::<Job>(again).unwrap().redriven("2026-12-12T08:00:00Z".parse().unwrap());
    assert_eq!(serde_json::to_string(&job).unwrap(), redriven);
    assert_eq!(serde_json::from_str::<Job>(&redriven).unwrap(), job);
    let message = r#"{"job":"message.1","site":"demo","event":"e-1","mapping":"orders","recipient":"C7"}"#;
    let job = serde_json::from_str::<Job>(message).unwrap();
    assert_eq!(serde_json::to_string(&job).unwrap(), message);
    let released = r#"{"job":"message.1","site":"demo","event":"e-1","mapping":"orders","recipient":"C7","occasion":2,"asked_at":"2026-11-22T09:15:00Z","attempt":3,"pass":"probe"}"#;
    let job = serde_json::from_str::<Job>(released).unwrap();
    assert_eq!(serde_json::to_string(&job).unwrap(), released);
    let send_now = message.replace('}', r#","at_once":true}"#);
    assert_eq!(serde_json::to_string(&serde_json::from_str::<Job>(&send_now).unwrap()).unwrap(), send_now);
    let uncalled = message.replace('}', r#","uncalled":"invocation/process/7"}"#);
    assert_eq!(serde_json::to_string(&serde_json::from_str::<Job>(&uncalled).unwrap()).unwrap(), uncalled);
    let slot = released.replace(r#""probe""#, r#"{"slot":"2026-11-22T09:15:00.5Z"}"#);
    assert_eq!(serde_json::to_string(&serde_json::from_str::<Job>(&slot).unwrap()).unwrap(), slot);
}

/// The functions' bundles select fewer features of `serde_json` than the workspace. This test fails only where the
/// feature `float_roundtrip` is missing, as with `cargo test -p domain`.
#[test]
fn a_record_keeps_every_number() {
    for number in ["1.4000000000000001", "0.9988345714285717", "-9.223372e+76", "18446744073709551615", "1e-7"] {
        let text =
            format!(r#"{{"job":"event.1","site":"demo","received_at":"2026-11-22T09:15:00Z","event":{number}}}"#);
        assert_eq!(serde_json::to_string(&serde_json::from_str::<Job>(&text).unwrap()).unwrap(), text);
    }
}

#[test]
fn an_event_is_put_back_for_fourteen_days_from_its_receipt_or_its_redrive() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let two_weeks = 14 * 24 * 3_600;
    let job = Job::event(SiteId::parse("demo").unwrap(), at(0), json!({}));
    assert_eq!([two_weeks, two_weeks + 1].map(|now| job.over_since(at(now))), [None, Some(at(0))]);
    let job = job.redriven(at(10 * two_weeks)).put_back();
    let over = [11 * two_weeks, 11 * two_weeks + 1].map(|now| job.over_since(at(now)));
    assert_eq!(over, [None, Some(at(10 * two_weeks))]);
}

#[test]
fn a_message_is_refused_alone_after_three_failures_between_other_successes() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let last_error = |before: Option<&LastError>, second, proved| {
        LastError::again(before, "none").unexplained(at(second), Option::map(proved, at))
    };
    let times = |last_error: &LastError| (last_error.unexplained.unwrap().times, last_error.is_refused_alone());
    let trouble = (0..9).fold(None, |before, _| Some(LastError::again(before.as_ref(), "none")));
    let first = last_error(trouble.as_ref(), 10, None);
    let again = last_error(Some(&first), 20, Some(5));
    assert_eq!([times(&first), times(&again)], [(1, false); 2], "nobody was accepted since: it may be the account");
    let second = last_error(Some(&LastError::again(Some(&again), "131016")), 40, Some(30));
    let third = last_error(Some(&second), 60, Some(50));
    assert_eq!([times(&second), times(&third)], [(2, false), (3, true)]);
    let text = r#"{"code":"none","times":2,"unexplained":{"times":1,"at":"1970-01-01T00:00:10Z"}}"#;
    let known: LastError = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&known).unwrap(), text);
    let older: LastError = serde_json::from_str(r#"{"code":"none","times":2}"#).unwrap();
    assert_eq!(older.unexplained, None);
}

#[test]
fn an_unknown_or_incomplete_record_is_refused() {
    for text in ["", "{}", r#"{"job":"event.9"}"#, r#"{"job":"event.1","site":"demo"}"#] {
        assert!(serde_json::from_str::<Job>(text).is_err(), "{text}");
    }
}
