//! Pending states and quiet hours: the newest state of a subject supersedes older ones.

use domain::mapping::{Repeat, UsefulFor};
use domain::message::reason::Reason;
use domain::message::state::{State, WaitReason};
use domain::primitives::id::AccountId;
use domain::site::health::{Cause, Proof};
use jiff::SignedDuration;
use kit::{World, order_status_changed};
use serde_json::{Value, json};
use store::schedule::Lane;

use crate::waiting::{HOUR, MINUTE, order, state, waits_for};

#[tokio::test]
async fn a_pending_state_is_superseded_by_a_newer_one_in_any_order() {
    for turned in [false, true] {
        let world = World::start().await.unwrap();
        let five = UsefulFor::parse("5m").unwrap();
        world.configure("stato-ordine", |_, mapping| mapping.hold_for = Some(five)).await.unwrap();
        let state_at = |id: &str, status: &str, version: u64| {
            let mut event = order_status_changed(id);
            event["occurred_at"] = json!((world.clock.now() - SignedDuration::from_secs(60)).to_string());
            event["data"]["order"]["status"] = json!(status);
            event["data"]["order"]["version"] = json!(version);
            event
        };
        let mut events = [state_at("e-1", "MEMORIZZATO", 3), state_at("e-2", "EVASO", 4)];
        if turned {
            events.reverse();
        }
        for event in &events {
            world.accept(event).await.unwrap();
            world.deliver().await.unwrap();
        }
        assert!(world.phone().await.unwrap().is_empty());
        world.pass(MINUTE * 10).await.unwrap();
        let texts = world.texts().await.unwrap();
        assert!(matches!(texts.as_slice(), [text] if text.contains("EVASO")), "turned: {turned}, {texts:?}");
        let State::Skipped(skip) = world.state("e-1", "stato-ordine", "C7").await.unwrap() else { panic!() };
        assert_eq!(skip.reason, Reason::Superseded);
        world.finish().await.unwrap();
    }
}

#[tokio::test]
async fn a_pending_state_of_a_cancelled_order_is_not_notified() {
    let world = World::start().await.unwrap();
    let five = UsefulFor::parse("5m").unwrap();
    let configured = world.configure("stato-ordine", |_, mapping| {
        mapping.hold_for = Some(five);
        mapping.order_statuses = vec!["EVASO".to_owned()];
    });
    configured.await.unwrap();
    for (number, status) in [(1, "EVASO"), (2, "FATTURATO"), (3, "ANNULLATO")] {
        let mut event = order(number);
        event["data"]["order"]["id"] = json!(if number == 2 { "another" } else { "one" });
        event["data"]["order"]["status"] = json!(status);
        event["data"]["customer"]["id"] = json!("C1");
        event["occurred_at"] =
            json!((world.clock.now() + SignedDuration::from_secs(number.try_into().unwrap())).to_string());
        world.accept(&event).await.unwrap();
    }
    world.pass(MINUTE * 10).await.unwrap();
    assert!(world.phone().await.unwrap().is_empty());
    let State::Skipped(skip) = state(&world, 1).await else { panic!() };
    assert_eq!(skip.reason, Reason::Superseded);
    world.finish().await.unwrap();
}

/// The order `one` of C1, `number` seconds from now, with this status.
fn one_order(world: &World, number: usize, status: &str) -> Value {
    let mut event = order(number);
    event["data"]["order"]["id"] = json!("one");
    event["data"]["order"]["status"] = json!(status);
    event["data"]["customer"] = order(1)["data"]["customer"].clone();
    let seconds = SignedDuration::from_secs(number.try_into().unwrap());
    event["occurred_at"] = json!((world.clock.now() + seconds).to_string());
    event
}

async fn reason(world: &World, number: usize) -> Option<Reason> {
    match world.state(&format!("e-{number}"), "stato-ordine", "C1").await.unwrap() {
        State::Skipped(skip) => Some(skip.reason),
        _ => None,
    }
}

#[tokio::test]
async fn a_pending_state_raised_repeatedly_is_notified_once_and_on_time() {
    let world = World::start().await.unwrap();
    let hold_for = Some(UsefulFor::parse("30m").unwrap());
    world.configure("stato-ordine", |_, mapping| mapping.hold_for = hold_for).await.unwrap();
    for number in 1..=4 {
        world.accept(&one_order(&world, number, "EVASO")).await.unwrap();
        world.pass(MINUTE * 10).await.unwrap();
    }
    assert_eq!(world.phone().await.unwrap().len(), 1, "half an hour after the first");
    world.pass(HOUR).await.unwrap();
    assert_eq!(world.phone().await.unwrap().len(), 1);
    for number in 2..=4 {
        assert_eq!(reason(&world, number).await, Some(Reason::AlreadyNotified), "{number}");
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_pending_state_with_repeat_every_is_superseded_by_its_own_repetition() {
    let world = World::start().await.unwrap();
    let hold_for = Some(UsefulFor::parse("30m").unwrap());
    let configured = world.configure("stato-ordine", |_, mapping| {
        mapping.hold_for = hold_for;
        mapping.repeat = Some(Repeat::Every);
    });
    configured.await.unwrap();
    for number in 1..=3 {
        world.accept(&one_order(&world, number, "EVASO")).await.unwrap();
        world.pass(MINUTE * 10).await.unwrap();
    }
    world.pass(HOUR).await.unwrap();
    assert_eq!(world.phone().await.unwrap().len(), 1);
    for number in 1..=2 {
        assert_eq!(reason(&world, number).await, Some(Reason::Superseded), "{number}");
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_skipped_state_does_not_supersede_an_earlier_waiting_one() {
    let world = World::start().await.unwrap();
    let quiet = serde_json::from_value(json!({"from": "21:00", "to": "08:00", "holidays": []})).unwrap();
    let configured = world.configure("stato-ordine", |_, mapping| {
        mapping.quiet_hours = Some(quiet);
        mapping.groups = vec!["Rivenditori".to_owned()];
    });
    configured.await.unwrap();
    let lane = Lane { site: world.site().unwrap(), account: AccountId::parse("main").unwrap() };
    let cause = Cause { code: "131031", by_report: false, at: world.clock.now(), probe_after: HOUR };
    world.schedule.stop_account(&lane, cause, cause.at).await.unwrap();
    let mut first = one_order(&world, 1, "BOLLATO");
    first["data"]["customer"]["groups"] = json!(["Rivenditori"]);
    for event in [first, one_order(&world, 2, "EVASO")] {
        world.accept(&event).await.unwrap();
        world.deliver().await.unwrap();
    }
    assert_eq!(reason(&world, 2).await, Some(Reason::GroupNotIncluded));
    world.schedule.start_account(&lane, Proof::Operator).await.unwrap();
    world.pass(MINUTE * 5).await.unwrap();
    assert_eq!(state(&world, 1).await, State::Sent);
    world.finish().await.unwrap();
}

/// Sets quiet hours from 10:30 to 12:00. Stories begin at 11:00 in Rome.
async fn quiet_until_noon(world: &World, change: impl FnOnce(&mut domain::mapping::Mapping)) {
    let quiet = serde_json::from_value(json!({"from": "10:30", "to": "12:00", "holidays": []})).unwrap();
    let configured = world.configure("stato-ordine", |_, mapping| {
        mapping.quiet_hours = Some(quiet);
        change(mapping);
    });
    configured.await.unwrap();
}

#[tokio::test]
async fn after_quiet_hours_only_the_newest_state_of_an_uncancelled_order_is_notified() {
    for (statuses, received) in [(["EVASO", "ANNULLATO"], 0), (["BOLLATO", "EVASO"], 1)] {
        let world = World::start().await.unwrap();
        let of_interest = || ["BOLLATO", "EVASO"].map(str::to_owned).to_vec();
        quiet_until_noon(&world, |mapping| mapping.order_statuses = of_interest()).await;
        for (number, status) in (1..).zip(statuses) {
            world.accept(&one_order(&world, number, status)).await.unwrap();
            world.pass(MINUTE).await.unwrap();
        }
        world.pass(HOUR * 2).await.unwrap();
        let phone = world.phone().await.unwrap();
        assert_eq!(phone.len(), received, "{phone:?}");
        assert_eq!(reason(&world, 1).await, Some(Reason::Superseded), "{statuses:?}");
        world.finish().await.unwrap();
    }
}

#[tokio::test]
async fn a_message_outlasted_by_quiet_hours_expires_immediately_even_if_held_first() {
    for hold_for in [None, Some("5m")] {
        let world = World::start().await.unwrap();
        quiet_until_noon(&world, |mapping| {
            mapping.hold_for = hold_for.map(|text| UsefulFor::parse(text).unwrap());
            mapping.useful_for = Some(UsefulFor::parse("30m").unwrap());
        })
        .await;
        world.accept(&one_order(&world, 1, "EVASO")).await.unwrap();
        world.deliver().await.unwrap();
        let State::Skipped(skip) = state(&world, 1).await else { panic!("{:?}", state(&world, 1).await) };
        assert_eq!(skip.reason, Reason::Expired);
        assert!(skip.detail.ends_with("quiet_hours"), "{skip:?}");
        world.finish().await.unwrap();
    }
}

#[tokio::test]
async fn quiet_hours_end_in_the_morning() {
    let world = World::start().await.unwrap();
    quiet_until_noon(&world, |_| ()).await;
    world.accept(&order(1)).await.unwrap();
    world.pass(MINUTE * 58).await.unwrap();
    assert_eq!(waits_for(&state(&world, 1).await), Some(WaitReason::QuietHours));
    world.pass(MINUTE * 4).await.unwrap();
    assert_eq!(state(&world, 1).await, State::Sent);
    world.finish().await.unwrap();
}
