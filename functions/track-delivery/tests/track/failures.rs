//! Failures that concern more than their message, and records that cannot be applied.

use domain::message::suppression::UNREACHABLE_FOR;
use domain::site::health::Proof;
use jiff::SignedDuration;
use serde_json::json;

use crate::statuses::{failed, status};
use crate::world::{ANNA, World, site};

#[tokio::test]
async fn an_undeliverable_number_is_unreachable_for_a_month_from_the_failure() {
    let world = World::start().await;
    let id = world.send("e1", ANNA).await;
    let since = world.now();
    world.advance(3_600);
    world.deliver(&[failed("e1", &id, "131026", since)]).await;
    assert_eq!(world.known("demo", ANNA).await.unreachable_until, Some(since + UNREACHABLE_FOR));
    // The same report again, after the period was lifted and would have ended.
    world.contacts.reachable(&crate::world::contact("demo", ANNA)).await.unwrap();
    world.advance(31 * 86_400);
    world.deliver(&[failed("e1", &id, "131026", since)]).await;
    assert_eq!(world.known("demo", ANNA).await.unreachable_until, None);
}

#[tokio::test]
async fn a_marketing_refusal_suppresses_only_marketing() {
    let world = World::start().await;
    let id = world.send("e1", ANNA).await;
    world.deliver(&[failed("e1", &id, "131050", world.now())]).await;
    assert_eq!(world.suppressions("demo", ANNA).await, ["marketing/preferences"]);
    assert_eq!(world.suppressions("outlet", ANNA).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_paused_template_is_held_until_the_next_sync_has_seen_it() {
    let world = World::start().await;
    let id = world.send("e1", ANNA).await;
    let since = world.now();
    assert_eq!(world.refusal("demo").await, None);
    world.deliver(&[failed("e1", &id, "132015", since)]).await;
    assert_eq!(world.refusal("demo").await, Some(Err("template_held".to_owned())));
    world.advance(65 * 60);
    assert_eq!(world.refusal("demo").await, None);
    world.deliver(&[failed("e1", &id, "132015", world.now())]).await;
    assert_eq!(world.refusal("demo").await, None, "only the first report of a failure counts");
    let newer = world.send("e2", ANNA).await;
    let old = failed("e1", &id, "132015", since);
    world.deliver(&[failed("e2", &newer, "132015", world.now())]).await;
    world.deliver(&[old]).await;
    assert_eq!(world.refusal("demo").await, Some(Err("template_held".to_owned())), "an old report ends no newer hold");
}

#[tokio::test]
async fn an_account_failure_stops_the_account_unless_reported_late() {
    let world = World::start().await;
    let id = world.send("e1", ANNA).await;
    let since = world.now();
    world.deliver(&[failed("e1", &id, "131042", since)]).await;
    assert_eq!(world.stop("demo").await, Some(("131042".to_owned(), 60)));
    assert_eq!(world.stop("outlet").await, None, "its account may have another token or payment");
    let lane = store::schedule::Lane { site: site("demo"), account: crate::world::main() };
    world.schedule.start_account(&lane, Proof::Operator).await.unwrap();
    world.advance(3_600);
    world.deliver(&[failed("e1", &id, "131042", since)]).await;
    assert_eq!(world.stop("demo").await, None);
}

#[tokio::test]
async fn a_late_status_of_an_earlier_probe_does_not_end_a_newer_stop() {
    let world = World::start().await;
    let first = world.send("e1", ANNA).await;
    world.deliver(&[failed("e1", &first, "131042", world.now())]).await;
    world.advance(60);
    let former = world.probe("e2", ANNA).await;
    world.advance(86_400);
    let second = world.send("e3", ANNA).await;
    world.advance(5);
    world.deliver(&[failed("e3", &second, "131031", world.now())]).await;
    world.deliver(&[status("e2", Some(&former), "delivered", world.now())]).await;
    assert_eq!(world.stop("demo").await.map(|(code, _)| code).as_deref(), Some("131031"));
    world.advance(3_600);
    let probe = world.probe("e4", ANNA).await;
    world.deliver(&[status("e4", Some(&probe), "delivered", world.now())]).await;
    assert_eq!(world.stop("demo").await, None);
}

#[tokio::test]
async fn other_failures_affect_only_their_message() {
    let world = World::start().await;
    let id = world.send("e1", ANNA).await;
    world.deliver(&[failed("e1", &id, "131049", world.now())]).await;
    assert_eq!(world.known("demo", ANNA).await, domain::message::suppression::ContactData::default());
    assert_eq!((world.refusal("demo").await, world.stop("demo").await), (None, None));
}

#[tokio::test]
async fn a_banned_owner_stops_the_accounts_of_its_numbers() {
    let world = World::start().await;
    let ban = |stops: bool, waba_id: &str| {
        json!({"notice": "account.1", "site": "demo", "waba_id": waba_id, "event": "ACCOUNT_RESTRICTION",
            "details": "{}", "stops": stops})
    };
    world.deliver(&[ban(false, "222"), ban(true, "444")]).await;
    assert_eq!(world.stop("demo").await, None);
    world.deliver(&[ban(true, "222")]).await;
    for site in ["demo", "outlet"] {
        assert_eq!(world.stop(site).await, Some(("ACCOUNT_RESTRICTION".to_owned(), 86_400)), "{site}");
    }
    assert_eq!(world.stop("other").await, None);
}

#[tokio::test]
async fn the_end_of_a_ban_prevents_or_immediately_probes_the_stop_in_any_order() {
    let account = |event: &str, stops: bool, at: jiff::Timestamp| {
        json!({"notice": "account.1", "site": "demo", "waba_id": "222", "event": event, "details": "{}",
            "stops": stops, "lifts": !stops, "at": at})
    };
    for in_order in [true, false] {
        let world = World::start().await;
        let began = world.now();
        world.advance(3_600);
        let ban = account("DISABLED_UPDATE", true, began);
        let end = account("ACCOUNT_RECONNECTED", false, world.now());
        let (expected, platform_events) =
            if in_order { (Some(("DISABLED_UPDATE".to_owned(), 0)), [ban, end]) } else { (None, [end, ban]) };
        for platform_event in platform_events {
            world.deliver(&[platform_event]).await;
        }
        assert_eq!(world.stop("demo").await, expected);
    }
}

#[tokio::test]
async fn a_restriction_already_over_when_read_does_not_stop_the_account() {
    let world = World::start().await;
    let restriction = json!({"notice": "account.1", "site": "demo", "waba_id": "222", "event": "ACCOUNT_RESTRICTION",
        "details": "{}", "stops": true, "at": world.now(), "until": world.now() + SignedDuration::from_hours(2)});
    world.deliver(std::slice::from_ref(&restriction)).await;
    assert_eq!(world.stop("demo").await, Some(("ACCOUNT_RESTRICTION".to_owned(), 7_200)), "probed at its end");
    let lane = store::schedule::Lane { site: site("demo"), account: crate::world::main() };
    world.schedule.start_account(&lane, Proof::Operator).await.unwrap();
    world.advance(7_200);
    let mut late = restriction;
    late["at"] = json!(world.now());
    world.deliver(&[late]).await;
    assert_eq!(world.stop("demo").await, None);
}

#[tokio::test]
async fn an_unreadable_record_becomes_a_dead_letter_whose_cause_omits_its_text() {
    let world = World::start().await;
    let unknown = json!({"notice": "status.2", "secret": "393401234567"});
    assert_eq!(world.deliver(&[json!("no JSON"), unknown]).await, Vec::<String>::new());
    let causes = world.dead(None).await;
    assert_eq!(causes.len(), 2);
    assert!(causes.iter().all(|cause| cause.starts_with("the record is not a platform event (line 1")), "{causes:?}");
}

#[tokio::test]
async fn a_platform_event_that_cannot_be_applied_is_put_back_for_fourteen_days() {
    let world = World::start().await;
    let mut stop = json!({"notice": "word.1", "site": "demo", "phone_number_id": "111", "from": ANNA, "at": world.now(),
        "word": "stop"});
    assert_eq!(world.deliver_without_secrets(std::slice::from_ref(&stop)).await, [""; 0], "it uses up no receive");
    assert_eq!(world.put_back().await, 1);
    stop["put_back_since"] = json!(world.now());
    world.advance(14 * 24 * 3_600);
    world.deliver_without_secrets(std::slice::from_ref(&stop)).await;
    assert_eq!((world.put_back().await, world.dead(Some("demo")).await.len()), (2, 0));
    world.advance(1);
    world.deliver_without_secrets(&[stop]).await;
    let [cause] = world.dead(Some("demo")).await.try_into().unwrap();
    assert!(cause.ends_with("the platform event could not be applied for 14 days"), "{cause}");
    assert_eq!(world.put_back().await, 2);
}
