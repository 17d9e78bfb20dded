//! Changes of the account and its numbers.

use super::*;

#[track_caller]
fn check(value: Value, expected: &str) {
    let platform_event = platform_event("account_update", value);
    let effect = match (platform_event["stops"].as_bool(), platform_event["lifts"].as_bool()) {
        (Some(true), None) => "stops",
        (Some(false), Some(true)) => "lifts",
        (Some(false), None) => "nothing",
        other => panic!("{other:?}"),
    };
    assert_eq!(effect, expected, "{platform_event}");
}

fn restricted(kind: &str, expiration: &Value) -> Value {
    json!({"event": "ACCOUNT_RESTRICTION", "restriction_info": [{"restriction_type": kind, "expiration": expiration}]})
}

#[test]
fn a_ban_stops_the_account_and_an_announced_ban_does_not() {
    check(
        json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE", "waba_ban_date": "x"}}),
        "stops",
    );
    check(json!({"event": "DISABLED_UPDATE"}), "stops");
    check(json!({"event": "ACCOUNT_DELETED"}), "stops");
    check(json!({"event": "ACCOUNT_OFFBOARDED"}), "stops");
    check(json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "SCHEDULE_FOR_DISABLE"}}), "nothing");
    check(json!({"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "SCAM"}}), "nothing");
    check(json!({"event": "VOLUME_BASED_PRICING_TIER_UPDATE"}), "nothing");
}

#[test]
fn the_end_of_a_ban_lifts_the_stop() {
    check(json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "REINSTATE"}}), "lifts");
    check(json!({"event": "ACCOUNT_RECONNECTED"}), "lifts");
}

#[test]
fn only_a_current_restriction_of_business_initiated_messages_stops() {
    let (later, past) = (json!(1_795_999_999), json!(1_790_000_000));
    check(restricted("RESTRICTED_BIZ_INITIATED_MESSAGING", &later), "stops");
    check(restricted("RESTRICTED_BIZ_INITIATED_MESSAGING", &Value::Null), "stops");
    check(restricted("RESTRICTED_BIZ_INITIATED_MESSAGING", &json!("2099-12-12T07:09:27.000Z")), "stops");
    check(restricted("RESTRICTED_BIZ_INITIATED_MESSAGING", &past), "nothing");
    for kind in [
        "RESTRICTED_ADD_PHONE_NUMBER_ACTION",
        "RESTRICTED_CUSTOMER_INITIATED_MESSAGING",
        "RESTRICTED_USER_INITIATED_CALLING",
        "RESTRICTED_UTILITY_TEMPLATES",
    ] {
        check(restricted(kind, &later), "nothing");
    }
    let both = json!({"event": "ACCOUNT_RESTRICTION", "restriction_info": [
        {"restriction_type": "RESTRICTED_ADD_PHONE_NUMBER_ACTION"},
        {"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": later},
        {"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": past},
    ]});
    assert_eq!(platform_event("account_update", both)["until"], json!("2026-11-30T00:53:19Z"));
}

#[test]
fn an_update_has_the_time_of_its_entry_unless_it_is_in_the_future() {
    let at = |time: Value| {
        let change = json!({"field": "account_update", "value": {"event": "ACCOUNT_DELETED"}});
        let document = json!({"entry": [{"id": "222", "time": time, "changes": [change]}]});
        let platform_events = parse(&document, &webhook(), received_at()).platform_events;
        serde_json::to_value(&platform_events[0]).unwrap()["at"].clone()
    };
    assert_eq!(at(json!(1_790_000_000)), json!("2026-09-21T14:13:20Z"));
    for time in [Value::Null, json!(1_999_999_999), json!(1_795_338_900_000_u64)] {
        assert_eq!(at(time), json!(received_at()));
    }
}

#[test]
fn a_capability_limit_is_read_as_a_number_or_a_tier() {
    for limit in [json!(2000), json!("TIER_2K")] {
        let platform_event =
            platform_event("business_capability_update", json!({"max_daily_conversations_per_business": limit}));
        let details = json!({"max_daily_conversations_per_business": limit}).to_string();
        let expected = json!({"notice": "account.1", "site": "demo", "waba_id": "222",
            "event": "business_capability_update", "details": details, "stops": false});
        assert_eq!(platform_event, expected);
    }
    let value =
        json!({"display_phone_number": "390212345678", "event": "THROUGHPUT_UPGRADE", "current_limit": "TIER_1K"});
    assert_eq!(platform_event("phone_number_quality_update", value)["event"], "THROUGHPUT_UPGRADE");
}

#[test]
fn the_account_named_in_the_value_overrides_the_entrys() {
    let value = json!({"event": "ACCOUNT_DELETED", "waba_info": {"waba_id": "999"}});
    assert_eq!(parsed("account_update", value).foreign, 1);
    let value = json!({"event": "ACCOUNT_DELETED", "waba_info": {"waba_id": 222}});
    let document = json!({"entry": [{"id": "provider", "changes": [{"field": "account_update", "value": value}]}]});
    assert_eq!(parse(&document, &webhook(), received_at()).platform_events.len(), 1);
}
