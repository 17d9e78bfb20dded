//! Platform events from WA Smart Business, from the webhook to the ledger.

use domain::message::reason::Reason;
use domain::message::state::{State, Status, WaitReason};
use domain::primitives::id::SiteId;
use jiff::SignedDuration;
use kit::{Chaos, World, order_status_changed};
use serde_json::{Value, json};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// An order of Anna's that no other event is about.
fn order(id: &str) -> Value {
    let mut event = order_status_changed(id);
    event["data"]["order"]["id"] = json!(id);
    event
}

async fn raise(world: &World, id: &str) {
    world.accept(&order(id)).await.unwrap();
    world.deliver().await.unwrap();
}

async fn state(world: &World, id: &str) -> State {
    world.state(id, "stato-ordine", "C7").await.unwrap()
}

/// Returns the provider's id and our id of the only message on the phone.
async fn ids(world: &World) -> (String, String) {
    let [message] = world.phone().await.unwrap().try_into().unwrap();
    let text = |name: &str| message[name].as_str().unwrap().to_owned();
    (text("id"), text("biz_opaque_callback_data"))
}

async fn report(world: &World, (provider_id, opaque): (&str, Option<&str>), status: &str) {
    let answer = world.report(&World::status(provider_id, opaque, status, world.clock.now())).await.unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    world.deliver_reports().await.unwrap();
}

#[tokio::test]
async fn a_message_is_sent_delivered_and_read() {
    for mode in ["normal", "reversed", "doubled", "before_answer"] {
        let world = World::start().await.unwrap();
        world.report_statuses(mode).await.unwrap();
        raise(&world, "e-1").await;
        world.deliver_reports().await.unwrap();
        let facts = world.facts("e-1", "stato-ordine", "C7").await.unwrap();
        assert_eq!(facts.state(), State::Read, "{mode}");
        let category = facts.statuses.get(&Status::Delivered).and_then(|fact| fact.category.clone());
        assert_eq!(category.as_deref(), Some("utility"), "{mode}");
        world.finish().await.unwrap();
    }
}

#[tokio::test]
async fn the_final_state_is_the_same_for_any_order_of_reports() {
    let statuses = ["sent", "delivered", "read", "failed"];
    for first in 0..24 {
        // All 24 orders of four statuses, each with one status repeated.
        let mut left: Vec<&str> = statuses.to_vec();
        let mut order = Vec::new();
        let mut rest = first;
        for size in (1..=4).rev() {
            order.push(left.remove(rest % size));
            rest /= size;
        }
        order.push(order[first % 4]);
        let world = World::start().await.unwrap();
        raise(&world, "e-1").await;
        let (provider_id, opaque) = ids(&world).await;
        for (place, status) in order.iter().enumerate() {
            let opaque = Some(opaque.as_str()).filter(|_| place % 2 == 0);
            report(&world, (&provider_id, opaque), status).await;
        }
        assert_eq!(state(&world, "e-1").await, State::Read, "{order:?}");
        world.finish().await.unwrap();
    }
}

#[tokio::test]
async fn an_unknown_outcome_is_resolved_by_a_report() {
    let world = World::start().await.unwrap();
    world.report_statuses("none").await.unwrap();
    world.fault(&json!({"effect": {"accept_then_cut": true}})).await.unwrap();
    raise(&world, "e-1").await;
    assert_eq!(state(&world, "e-1").await, State::Unknown);
    let (provider_id, opaque) = ids(&world).await;
    // The provider's id is unknown so far. A report without our id waits for its message.
    report(&world, (&provider_id, None), "delivered").await;
    assert_eq!(state(&world, "e-1").await, State::Unknown);
    report(&world, (&provider_id, Some(&opaque)), "sent").await;
    assert_eq!(state(&world, "e-1").await, State::Sent);
    let swept = world.sweep().await.unwrap();
    assert_eq!(swept.joined, 1);
    world.deliver_reports().await.unwrap();
    assert_eq!(state(&world, "e-1").await, State::Delivered);
    assert_eq!(world.phone().await.unwrap().len(), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_report_for_another_number_is_ignored() {
    let world = World::start().await.unwrap();
    raise(&world, "e-1").await;
    let (provider_id, opaque) = ids(&world).await;
    let mut foreign = World::status(&provider_id, Some(&opaque), "read", world.clock.now());
    foreign["value"]["metadata"]["phone_number_id"] = json!("999");
    assert_eq!(world.report(&foreign).await.unwrap().status, 200);
    assert_eq!(world.deliver_reports().await.unwrap(), 0);
    assert_eq!(state(&world, "e-1").await, State::Sent);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_stop_suppresses_and_a_start_lifts_it() {
    let world = World::start().await.unwrap();
    world.write_back("+393401234567", " Stop! ").await.unwrap();
    world.deliver_reports().await.unwrap();
    raise(&world, "e-1").await;
    let State::Skipped(skip) = state(&world, "e-1").await else { panic!() };
    assert_eq!((skip.reason, skip.detail.as_str()), (Reason::Suppressed, "all, stop, 2026-11-22"));
    world.clock.advance(MINUTE);
    world.write_back("+393401234567", "Stop, non era urgente: lo ritiro domani").await.unwrap();
    world.write_back("+393401234567", "RIPRENDI").await.unwrap();
    world.deliver_reports().await.unwrap();
    raise(&world, "e-2").await;
    assert_eq!(state(&world, "e-2").await, State::Sent);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_outage_of_six_hours_loses_no_stop_and_no_status() {
    let world = World::start().await.unwrap();
    raise(&world, "e-1").await;
    let (provider_id, opaque) = ids(&world).await;
    let delivered = World::status(&provider_id, Some(&opaque), "delivered", world.clock.now());
    assert_eq!(world.report(&delivered).await.unwrap().status, 200);
    world.write_back("+393401234567", "STOP").await.unwrap();
    let odds = kit::Odds { failing_percent: 100, ..kit::Odds::default() };
    world.unleash(Chaos { seed: 1, odds, ..Chaos::default() });
    world.pass(SignedDuration::from_hours(6)).await.unwrap();
    world.unleash(Chaos::default());
    // The maximum delay of a platform event that was put back just before the table recovered.
    world.pass(MINUTE).await.unwrap();
    assert_eq!(state(&world, "e-1").await, State::Delivered);
    raise(&world, "e-2").await;
    let State::Skipped(skip) = state(&world, "e-2").await else { panic!() };
    assert_eq!(skip.reason, Reason::Suppressed);
    let dead = world.ledger.dead_letters(Some(&world.site().unwrap()), world.clock.now()).await.unwrap();
    assert_eq!(dead, [""; 0]);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_failure_after_acceptance_is_final_and_marks_the_number_unreachable() {
    let world = World::start().await.unwrap();
    world.report_statuses("normal").await.unwrap();
    world.fault(&json!({"effect": {"fail_later": {"code": 131_026}}})).await.unwrap();
    raise(&world, "e-1").await;
    world.deliver_reports().await.unwrap();
    assert_eq!(state(&world, "e-1").await, State::Failed("131026".to_owned()));
    raise(&world, "e-2").await;
    let State::Skipped(skip) = state(&world, "e-2").await else { panic!() };
    assert_eq!(skip.reason, Reason::Unreachable);
    assert_eq!(world.requests().await.unwrap().len(), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_account_failure_reported_later_stops_the_account() {
    let world = World::start().await.unwrap();
    world.report_statuses("normal").await.unwrap();
    world.fault(&json!({"effect": {"fail_later": {"code": 131_042}}})).await.unwrap();
    raise(&world, "e-1").await;
    world.deliver_reports().await.unwrap();
    raise(&world, "e-2").await;
    let State::Waiting(waiting) = state(&world, "e-2").await else { panic!() };
    assert_eq!((waiting.why, waiting.detail.as_str()), (WaitReason::AccountStopped, "131042"));
    world.pass(MINUTE * 3).await.unwrap();
    assert_eq!(state(&world, "e-2").await, State::Read, "the probe went through");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_orphan_stored_again_while_in_flight_is_kept() {
    let world = World::start().await.unwrap();
    let (site, ledger) = (world.site().unwrap(), &world.ledger);
    let keep = |at| ledger.put_orphan(&site, "wamid.1", Status::Sent, "{}", at);
    keep(world.clock.now()).await.unwrap();
    let [first] = ledger.orphans(world.clock.now(), 10, None).await.unwrap().0.try_into().unwrap();
    // The function that took it from the queue did not find its message yet.
    world.clock.advance(MINUTE);
    keep(world.clock.now()).await.unwrap();
    ledger.drop_orphan(&first).await.unwrap();
    let [second] = ledger.orphans(world.clock.now(), 10, None).await.unwrap().0.try_into().unwrap();
    ledger.drop_orphan(&second).await.unwrap();
    assert_eq!(ledger.orphans(world.clock.now(), 10, None).await.unwrap().0, []);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_sweep_looks_for_the_message_of_every_report_that_waits() {
    let world = World::start().await.unwrap();
    raise(&world, "e-1").await;
    let (provider_id, _) = ids(&world).await;
    let site = world.site().unwrap();
    // Messages that the shop sends by other means from the same number.
    for number in 0..450 {
        let id = format!("wamid.foreign-{number}");
        world.ledger.put_orphan(&site, &id, Status::Sent, "{}", world.clock.now()).await.unwrap();
    }
    world.clock.advance(SignedDuration::from_secs(1));
    let platform_event = json!({"notice": "status.1", "site": "demo", "phone_number_id": "106540352242922",
        "provider_id": provider_id, "status": "delivered", "at": world.clock.now()});
    let now = world.clock.now();
    world.ledger.put_orphan(&site, &provider_id, Status::Delivered, &platform_event.to_string(), now).await.unwrap();
    assert_eq!(world.sweep().await.unwrap().joined, 1);
    world.deliver_reports().await.unwrap();
    assert_eq!(state(&world, "e-1").await, State::Delivered);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_report_kept_for_another_site_of_the_number_finds_its_message_later() {
    let world = World::start().await.unwrap();
    raise(&world, "e-1").await;
    let (provider_id, _) = ids(&world).await;
    let outlet = SiteId::parse("outlet").unwrap();
    for (site, number) in [("outlet", "106540352242922"), ("other", "333")] {
        let (site, now) = (SiteId::parse(site).unwrap(), world.clock.now());
        world.webhooks.add_sender(&site, number, "102290129340398").await.unwrap();
        let platform_event = json!({"notice": "status.1", "site": site, "phone_number_id": number,
            "provider_id": provider_id, "status": "delivered", "at": now});
        world
            .ledger
            .put_orphan(&site, &provider_id, Status::Delivered, &platform_event.to_string(), now)
            .await
            .unwrap();
    }
    assert_eq!(world.sweep().await.unwrap().joined, 1);
    world.deliver_reports().await.unwrap();
    assert_eq!(state(&world, "e-1").await, State::Delivered);
    world.clock.advance(MINUTE * 3);
    let (left, _) = world.ledger.orphans(world.clock.now(), 10, None).await.unwrap();
    assert!(left.iter().all(|orphan| orphan.site != outlet) && left.len() == 1, "{left:?}");
    world.finish().await.unwrap();
}
