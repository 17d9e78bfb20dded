//! Messages parked for an account. A message leaves the lane as soon as it can be sent or is of no use.

use domain::mapping::UsefulFor;
use domain::message::reason::Reason;
use domain::message::state::{State, WaitReason};
use domain::primitives::id::AccountId;
use domain::queue::job::Job;
use domain::site::config::Account;
use domain::site::health::{Cause, Proof};
use jiff::{SignedDuration, Timestamp};
use kit::{World, message_sent};
use serde_json::json;
use store::accounts::Lease;
use store::schedule::{Due, Lane};

use crate::waiting::{HOUR, MINUTE, fault, order, state, waits_for};

fn lane(world: &World, account: &str) -> Lane {
    Lane { site: world.site().unwrap(), account: AccountId::parse(account).unwrap() }
}

async fn raise(world: &World, numbers: std::ops::Range<usize>) {
    for number in numbers {
        world.accept(&order(number)).await.unwrap();
        world.deliver().await.unwrap();
    }
}

#[tokio::test]
async fn a_message_parked_again_before_its_item_was_removed_stays_parked() {
    let world = World::start().await.unwrap();
    fault(&world, 1_000, 401, 190).await;
    for number in 0..2 {
        world.accept(&order(number)).await.unwrap();
        world.deliver().await.unwrap();
    }
    let lane = lane(&world, "main");
    let items = world.schedule.parked(&lane, 10).await.unwrap();
    let item = items.iter().find(|item| matches!(&item.what, Due::Message { job, .. } if job.event.as_str() == "e-1"));
    let (item, Due::Message { job, .. }) = item.map(|item| (item, &item.what)).unwrap() else { panic!() };
    // A sweep enqueues the message, and it is parked again before the sweep removes the item.
    world.enqueue(&serde_json::to_string(&Job::Message(job.clone())).unwrap()).await.unwrap();
    world.deliver().await.unwrap();
    assert!(!world.schedule.remove(item).await.unwrap());
    assert_eq!(world.schedule.parked(&lane, 10).await.unwrap().len(), 2);
    world.reset_simulator().await.unwrap();
    world.pass(MINUTE * 10).await.unwrap();
    assert_eq!(state(&world, 1).await, State::Sent);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_message_that_stops_its_account_does_not_block_the_others() {
    for (count, of_the_stop) in [(2, "2026-11-22T10:00:30Z"), (5, "2026-11-22T10:00:30Z"), (17, "2026-11-22T10:01:10Z")]
    {
        let world = World::start().await.unwrap();
        world.clock.advance_to(of_the_stop.parse().unwrap());
        let effect = json!({"error": {"status": 403, "code": 10}});
        world.fault(&json!({"count": 1_000, "match": {"to": "+393401000000"}, "effect": effect})).await.unwrap();
        raise(&world, 0..count).await;
        assert_eq!(waits_for(&state(&world, count - 1).await), Some(WaitReason::AccountStopped));
        world.pass(HOUR * 2).await.unwrap();
        for number in 1..count {
            assert_eq!(state(&world, number).await, State::Sent, "{number} of {count}");
        }
        world.finish().await.unwrap();
    }
}

#[tokio::test]
async fn parked_messages_are_sent_when_their_mapping_moves_to_another_account() {
    let world = World::start().await.unwrap();
    let (site, live) = (world.site().unwrap(), world.live().await.unwrap());
    let old = Account { id: AccountId::parse("old").unwrap(), ..live.accounts[0].clone() };
    world.config.put_account(&site, &old).await.unwrap();
    let templates = world.config.templates(&site, &live.accounts[0].id).await.unwrap();
    world.config.put_templates(&site, &old.id, &templates).await.unwrap();
    world.configure("stato-ordine", |_, mapping| mapping.account = Some(old.id.clone())).await.unwrap();
    // As for a code that concerns the whole account: the first probe is after a day.
    let lane = lane(&world, "old");
    let cause = Cause { code: "131031", by_report: false, at: world.clock.now(), probe_after: HOUR * 24 };
    world.schedule.stop_account(&lane, cause, cause.at).await.unwrap();
    raise(&world, 0..3).await;
    assert_eq!(world.schedule.parked(&lane, 10).await.unwrap().len(), 3);
    world.configure("stato-ordine", |_, mapping| mapping.account = None).await.unwrap();
    world.pass(MINUTE * 2).await.unwrap();
    for number in 0..3 {
        assert_eq!(state(&world, number).await, State::Sent, "{number}");
    }
    let stop = world.schedule.account_state(&lane).await.unwrap().health.stop;
    assert!(stop.is_some(), "nothing was learnt of the account that was left");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_parked_message_expires_on_time_behind_any_number_of_older_ones() {
    let world = World::start().await.unwrap();
    world.configure("stato-ordine", |site, _| site.paused = true).await.unwrap();
    // More items than one read returns, all older and of use for days.
    let (lane, long) = (lane(&world, "main"), "2026-11-28T00:00:00.000000000Z");
    let job = json!({"site": "demo", "event": "older", "mapping": "stato-ordine",
                     "recipient": "C0", "attempt": 1});
    for number in 0..1_100 {
        let key = format!("M#older-{number}");
        let item = [
            ("pk", key.as_str()),
            ("shard", &lane.key()),
            ("due_at", "2026-11-22T08:00:00.000000000Z"),
            ("job", &job.to_string()),
            ("useful_until", long),
            ("site", "demo"),
        ];
        world.put_item("Schedule", &item).await.unwrap();
    }
    let hour = UsefulFor::parse("1h").unwrap();
    world.configure("stato-ordine", |_, mapping| mapping.useful_for = Some(hour)).await.unwrap();
    let mut short = order(1);
    let happened: Timestamp = world.clock.now();
    short["occurred_at"] = json!(happened.to_string());
    world.accept(&short).await.unwrap();
    world.deliver().await.unwrap();
    assert_eq!(waits_for(&state(&world, 1).await), Some(WaitReason::SitePaused));
    world.clock.advance_to(happened + HOUR);
    // A message that is not final a quarter of an hour later counts as unaccounted for.
    world.pass(MINUTE * 15 - SignedDuration::from_secs(1)).await.unwrap();
    let State::Skipped(skip) = state(&world, 1).await else { panic!("{:?}", state(&world, 1).await) };
    assert_eq!(skip.reason, Reason::Expired);
    assert_eq!(world.schedule.parked(&lane, 2_000).await.unwrap().len(), 1_100);
    world.finish().await.unwrap();
}

async fn stop(world: &World, probe_after: SignedDuration) {
    let cause = Cause { code: "190", by_report: false, at: world.clock.now(), probe_after };
    world.schedule.stop_account(&lane(world, "main"), cause, cause.at).await.unwrap();
}

async fn start(world: &World) {
    world.schedule.start_account(&lane(world, "main"), Proof::Operator).await.unwrap();
}

#[tokio::test]
async fn a_rate_refusal_pauses_the_whole_account_including_leased_slots() {
    let world = World::start().await.unwrap();
    stop(&world, HOUR).await;
    raise(&world, 0..40).await;
    start(&world).await;
    fault(&world, 1_000, 429, 80_007).await;
    world.pass(MINUTE + SignedDuration::from_secs(20)).await.unwrap();
    let calls = world.requests().await.unwrap().len();
    assert!((1..=10).contains(&calls), "{calls} calls: a batch of the queue has ten, the others find the pause");
    assert_eq!(waits_for(&state(&world, 39).await), Some(WaitReason::Pace));
    world.reset_simulator().await.unwrap();
    world.pass(MINUTE * 20).await.unwrap();
    for number in 0..40 {
        assert_eq!(state(&world, number).await, State::Sent, "{number}");
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_base_url_that_was_changed_in_the_table_does_not_get_the_token() {
    let world = World::start().await.unwrap();
    world.store_host().await.unwrap();
    raise(&world, 0..1).await;
    assert_eq!(state(&world, 0).await, State::Sent);
    let (site, live) = (world.site().unwrap(), world.live().await.unwrap());
    // The same server under another name.
    let base_url = live.accounts[0].base_url.replace("127.0.0.1", "localhost");
    world.config.put_account(&site, &Account { base_url, ..live.accounts[0].clone() }).await.unwrap();
    world.clock.advance(MINUTE);
    raise(&world, 1..2).await;
    assert_eq!(waits_for(&state(&world, 1).await), Some(WaitReason::AccountStopped));
    assert_eq!(world.requests().await.unwrap().len(), 1, "nothing was sent to the other host");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_lane_starts_slowly_after_a_pause() {
    let world = World::start().await.unwrap();
    let site = world.site().unwrap();
    let live = world.live().await.unwrap();
    world.config.put_account(&site, &Account { throughput: 1, ..live.accounts[0].clone() }).await.unwrap();
    stop(&world, HOUR).await;
    raise(&world, 0..95).await;
    start(&world).await;
    world.schedule.pause_account(&lane(&world, "main"), world.clock.now()).await.unwrap();
    let mut released = Vec::new();
    for _ in 0..4 {
        released.push(world.sweep().await.unwrap().released);
        world.clock.advance(MINUTE);
    }
    assert_eq!(released, [6, 12, 24, 48], "an eighth, a quarter, half, and all of 48 a minute");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_new_lease_starts_after_both_the_leased_slots_and_the_pause() {
    let world = World::start().await.unwrap();
    let (lane, pace, now) = (lane(&world, "main"), SignedDuration::from_secs(1), world.clock.now());
    world.schedule.lease(&lane, 50, pace, MINUTE, now).await.unwrap();
    world.schedule.pause_account(&lane, now + SignedDuration::from_secs(30)).await.unwrap();
    let leased = world.schedule.lease(&lane, 1, pace, MINUTE, now).await.unwrap();
    assert_eq!(leased, Lease::Granted { first: now + SignedDuration::from_secs(50), failed_lately: false });
    world.schedule.pause_account(&lane, now + MINUTE).await.unwrap();
    world.schedule.pause_account(&lane, now + SignedDuration::from_secs(1)).await.unwrap();
    let leased = world.schedule.lease(&lane, 1, pace, SignedDuration::from_secs(55), now).await.unwrap();
    assert_eq!(leased, Lease::Full { free_at: now + MINUTE }, "a shorter pause does not end a longer one");
    let leased = world.schedule.lease(&lane, 1, pace, MINUTE, now).await.unwrap();
    assert_eq!(leased, Lease::Granted { first: now + MINUTE, failed_lately: false });
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_probe_that_ends_without_a_call_leaves_probing_to_the_next_sweep() {
    let world = World::start().await.unwrap();
    stop(&world, SignedDuration::ZERO).await;
    let mut first = order(0);
    first["occurred_at"] = json!((world.clock.now() - HOUR).to_string());
    world.accept(&first).await.unwrap();
    world.deliver().await.unwrap();
    let reader = json!([{"id": "P1", "first_name": "Carla", "phone": "333 1111111"}]);
    world.clock.advance(SignedDuration::from_secs(1));
    world.accept(&message_sent("m-1", &reader)).await.unwrap();
    world.deliver().await.unwrap();
    assert_eq!(world.schedule.parked(&lane(&world, "main"), 10).await.unwrap().len(), 2);
    let quiet = serde_json::from_value(json!({"from": "10:30", "to": "12:00", "holidays": []})).unwrap();
    world.configure("stato-ordine", |_, mapping| mapping.quiet_hours = Some(quiet)).await.unwrap();
    world.pass(MINUTE * 3).await.unwrap();
    assert_eq!(waits_for(&state(&world, 0).await), Some(WaitReason::QuietHours), "it was the first to probe");
    assert_eq!(world.state("m-1", "nuovo-messaggio", "P1").await.unwrap(), State::Sent);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn late_records_of_a_lane_keep_its_pace_and_are_not_parked_again() {
    let world = World::start().await.unwrap();
    let (site, live) = (world.site().unwrap(), world.live().await.unwrap());
    world.config.put_account(&site, &Account { throughput: 1, ..live.accounts[0].clone() }).await.unwrap();
    world.clock.advance(SignedDuration::from_secs(16));
    stop(&world, HOUR).await;
    raise(&world, 0..60).await;
    start(&world).await;
    let swept = world.sweep().await.unwrap();
    assert_eq!(swept.released, 48, "as many as the minute has slots");
    // The records come late because of a backlog. The slots of this minute are leased until its end.
    world.clock.advance(SignedDuration::from_secs(30));
    let began = world.clock.now();
    world.deliver().await.unwrap();
    assert_eq!(world.phone().await.unwrap().len(), 48);
    let took = world.clock.now().duration_since(began);
    assert!(took >= SignedDuration::from_secs(30), "they took {took}: the pace holds");
    world.pass(MINUTE * 2).await.unwrap();
    assert_eq!(world.phone().await.unwrap().len(), 60);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_lane_is_opened_once_for_many_messages() {
    let world = World::start().await.unwrap();
    stop(&world, HOUR).await;
    raise(&world, 0..1).await;
    let _before = world.wire.take_calls();
    for number in 1..=10 {
        let mut event = order(number);
        event["data"]["order"]["status"] = json!("EVASO");
        world.accept(&event).await.unwrap();
    }
    world.deliver().await.unwrap();
    let calls = world.wire.take_calls();
    // The slot lease is rejected once per message, because the account is stopped. Nothing opens the lane again.
    assert_eq!(calls.get("UpdateItem").copied().unwrap_or_default(), 10, "{calls:?}");
    // The lane is still visited long after it was opened.
    world.clock.advance(MINUTE * 20);
    raise(&world, 11..12).await;
    start(&world).await;
    world.pass(MINUTE * 2).await.unwrap();
    for number in 0..12 {
        assert_eq!(state(&world, number).await, State::Sent, "{number}");
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_batch_gives_back_the_slots_it_does_not_use() {
    let world = World::start().await.unwrap();
    let (site, live) = (world.site().unwrap(), world.live().await.unwrap());
    world.config.put_account(&site, &Account { throughput: 1, ..live.accounts[0].clone() }).await.unwrap();
    world.clock.advance(SignedDuration::from_secs(16));
    let began = world.clock.now();
    for number in 0..10 {
        let mut event = order(number);
        if number > 0 {
            event["data"]["customer"]["phone"] = json!("no number");
        }
        world.accept(&event).await.unwrap();
    }
    world.deliver().await.unwrap();
    assert_eq!(world.phone().await.unwrap().len(), 1);
    let next_free = world.schedule.account_state(&lane(&world, "main")).await.unwrap().next_free.unwrap();
    assert!(next_free.duration_since(began) < SignedDuration::from_secs(2), "{next_free}, from {began}");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_message_refused_alone_fails_after_three_refusals_and_frees_the_account() {
    let world = World::start().await.unwrap();
    // A code that is not Meta's: a firewall that rejects the text, or an invalid token.
    let effect = json!({"error": {"status": 403, "code": 999_999}});
    world.fault(&json!({"count": 1_000, "match": {"to": "+393401000000"}, "effect": effect})).await.unwrap();
    raise(&world, 0..1).await;
    world.pass(HOUR).await.unwrap();
    assert_eq!(waits_for(&state(&world, 0).await), Some(WaitReason::AccountStopped), "nothing else was accepted");
    for number in 1..4 {
        raise(&world, number..number + 1).await;
        world.pass(MINUTE * 40).await.unwrap();
        assert_eq!(state(&world, number).await, State::Sent, "{number}");
    }
    assert_eq!(state(&world, 0).await, State::Failed("999999".to_owned()));
    let health = world.schedule.account_state(&lane(&world, "main")).await.unwrap().health;
    assert_eq!(health.stop, None);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn no_message_fails_while_a_gateway_refuses_all_of_them() {
    let world = World::start().await.unwrap();
    fault(&world, 1_000, 401, 999_999).await;
    raise(&world, 0..5).await;
    world.pass(HOUR * 2).await.unwrap();
    for number in 0..5 {
        assert_eq!(waits_for(&state(&world, number).await), Some(WaitReason::AccountStopped), "{number}");
    }
    world.reset_simulator().await.unwrap();
    world.pass(MINUTE * 40).await.unwrap();
    for number in 0..5 {
        assert_eq!(state(&world, number).await, State::Sent, "{number}");
    }
    world.finish().await.unwrap();
}
