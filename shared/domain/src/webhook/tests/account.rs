//! Changes of the account and its numbers.

use super::*;

#[track_caller]
fn check(value: Value, stops: bool) {
    let notice = notice("account_update", value);
    assert_eq!(notice["stops"], stops, "{notice}");
}

#[test]
fn a_ban_or_a_restriction_stops() {
    check(json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE", "waba_ban_date": "x"}}), true);
    check(json!({"event": "DISABLED_UPDATE"}), true);
    let restriction = json!([{"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": 1_795_341_600}]);
    check(json!({"event": "ACCOUNT_RESTRICTION", "restriction_info": restriction}), true);
    check(json!({"event": "ACCOUNT_DELETED"}), true);
    check(json!({"event": "ACCOUNT_OFFBOARDED"}), true);
}

#[test]
fn what_ends_or_announces_a_ban_does_not_stop() {
    check(json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "REINSTATE"}}), false);
    check(json!({"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "SCHEDULE_FOR_DISABLE"}}), false);
    check(json!({"event": "ACCOUNT_RECONNECTED"}), false);
    check(json!({"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "SCAM"}}), false);
    check(json!({"event": "VOLUME_BASED_PRICING_TIER_UPDATE"}), false);
}

#[test]
fn what_the_business_may_do_is_told_in_either_type() {
    for limit in [json!(2000), json!("TIER_2K")] {
        let notice = notice("business_capability_update", json!({"max_daily_conversations_per_business": limit}));
        let details = json!({"max_daily_conversations_per_business": limit}).to_string();
        let expected = json!({"notice": "account.1", "site": "demo", "waba_id": "222",
            "event": "business_capability_update", "details": details, "stops": false});
        assert_eq!(notice, expected);
    }
    let value =
        json!({"display_phone_number": "390212345678", "event": "THROUGHPUT_UPGRADE", "current_limit": "TIER_1K"});
    assert_eq!(notice("phone_number_quality_update", value)["event"], "THROUGHPUT_UPGRADE");
}

#[test]
fn the_account_named_inside_is_the_one_that_counts() {
    let value = json!({"event": "ACCOUNT_DELETED", "waba_info": {"waba_id": "999"}});
    assert_eq!(parsed("account_update", value).foreign, 1);
    let value = json!({"event": "ACCOUNT_DELETED", "waba_info": {"waba_id": 222}});
    let document = json!({"entry": [{"id": "provider", "changes": [{"field": "account_update", "value": value}]}]});
    assert_eq!(parse(&document, &hook(), received_at()).notices.len(), 1);
}
