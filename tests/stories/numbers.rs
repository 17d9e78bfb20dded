//! Limits per phone number: the pair rate of WhatsApp, and suppressions.

use domain::message::reason::Reason;
use domain::message::state::{State, WaitReason};
use domain::message::suppression::{Scope, Source, Suppression};
use kit::{World, message_sent, order_status_changed};
use serde_json::{Value, json};

use crate::waiting::{HOUR, MINUTE, fault, order, state, waits_for};

/// An order of Anna's that no other event is about.
fn annas(number: usize) -> Value {
    let mut event = order(number);
    event["data"]["customer"] = order_status_changed("e")["data"]["customer"].clone();
    event
}

fn stop() -> Suppression {
    Suppression {
        scope: Scope::All,
        source: Source::Stop,
        since: "2026-11-22T10:00:00Z".parse().unwrap(),
        reason: String::new(),
    }
}

#[tokio::test]
async fn a_number_gets_messages_within_whatsapps_pair_limit() {
    let world = World::start().await.unwrap();
    for number in 0..60 {
        world.accept(&annas(number)).await.unwrap();
    }
    world.deliver().await.unwrap();
    // 40 at once, and one more for every six seconds that the account's pace took.
    let at_once = world.phone().await.unwrap().len();
    assert!((40..=41).contains(&at_once), "{at_once}");
    let waiting = world.state("e-59", "stato-ordine", "C7").await.unwrap();
    assert!(waits_for(&waiting) == Some(WaitReason::Pair) || waiting == State::Sent, "{waiting:?}");
    // The waits have a random share, which grows with each try.
    for _ in 0..60 {
        world.pass(MINUTE).await.unwrap();
        if world.phone().await.unwrap().len() == 60 {
            break;
        }
    }
    assert_eq!(world.phone().await.unwrap().len(), 60);
    assert_eq!(world.requests().await.unwrap().len(), 60, "the simulator refused none with 131056");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_pair_rate_refusal_delays_only_that_number() {
    let world = World::start().await.unwrap();
    let effect = json!({"error": {"status": 429, "code": 131_056}});
    world.fault(&json!({"match": {"to": "+393401000001"}, "effect": effect})).await.unwrap();
    world.accept(&order(1)).await.unwrap();
    world.deliver().await.unwrap();
    world.accept(&order(2)).await.unwrap();
    world.deliver().await.unwrap();
    assert_eq!(waits_for(&state(&world, 1).await), Some(WaitReason::Pair));
    assert_eq!(state(&world, 2).await, State::Sent);
    world.pass(MINUTE).await.unwrap();
    assert_eq!(state(&world, 1).await, State::Sent);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_suppression_takes_precedence_over_an_expiry() {
    let world = World::start().await.unwrap();
    let contact = world.contact("+393401000001").await.unwrap();
    world.contacts.suppress(&world.site().unwrap(), &contact, &stop()).await.unwrap();
    let mut late = order(1);
    late["occurred_at"] = json!("2026-11-01T10:00:00Z");
    world.accept(&late).await.unwrap();
    world.deliver().await.unwrap();
    let State::Skipped(skip) = state(&world, 1).await else { panic!() };
    assert_eq!(skip.reason, Reason::Suppressed);
    assert!(world.lift_stop(&contact).await.unwrap());
    world
        .accept(&{
            let mut event = order(2);
            event["data"]["customer"]["phone"] = json!("+393401000001");
            event
        })
        .await
        .unwrap();
    world.deliver().await.unwrap();
    assert_eq!(state(&world, 2).await, State::Sent);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_unreachable_number_is_skipped_for_a_month() {
    let world = World::start().await.unwrap();
    fault(&world, 1, 400, 131_026).await;
    for number in 0..2 {
        world.accept(&annas(number)).await.unwrap();
        world.deliver().await.unwrap();
    }
    assert_eq!(world.state("e-0", "stato-ordine", "C7").await.unwrap(), State::Failed("131026".to_owned()));
    let State::Skipped(skip) = world.state("e-1", "stato-ordine", "C7").await.unwrap() else { panic!() };
    assert_eq!(skip.reason, Reason::Unreachable);
    world.clock.advance(HOUR * 24 * 31);
    let mut later = annas(2);
    later["occurred_at"] = json!(world.clock.now().to_string());
    world.accept(&later).await.unwrap();
    world.deliver().await.unwrap();
    assert_eq!(world.state("e-2", "stato-ordine", "C7").await.unwrap(), State::Sent);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_consent_withdrawn_while_a_message_waits_counts() {
    let world = World::start().await.unwrap();
    let marketing = json!({"category": "MARKETING"});
    world.set_template("conferma_ordine", "it", &marketing).await.unwrap();
    let account = world.live().await.unwrap().accounts.first().unwrap().clone();
    world.sync_templates(&account).await.unwrap();
    let live = world.live().await.unwrap();
    let listed =
        live.template(&account.id, "conferma_ordine", &domain::primitives::language::Language::italian()).unwrap();
    let fingerprint = listed.fingerprint.clone();
    world
        .configure("stato-ordine", |site, mapping| {
            site.paused = true;
            mapping.needs_review = None;
            for used in mapping.templates.values_mut().filter(|used| used.name == "conferma_ordine") {
                used.fingerprint.clone_from(&fingerprint);
            }
        })
        .await
        .unwrap();
    for number in 0..2 {
        let mut event = order(number);
        event["data"]["customer"]["marketing_consent"] = json!(true);
        world.accept(&event).await.unwrap();
    }
    world.deliver().await.unwrap();
    assert_eq!(waits_for(&state(&world, 0).await), Some(WaitReason::SitePaused));
    let updated = json!({
        "id": "c-1", "type": "customer.updated", "occurred_at": world.clock.now().to_string(),
        "data": {"customer": {"id": "C0", "phone": "+393401000000", "marketing_consent": false}}
    });
    world.accept(&updated).await.unwrap();
    world.configure("stato-ordine", |site, _| site.paused = false).await.unwrap();
    world.pass(MINUTE * 3).await.unwrap();
    let State::Skipped(skip) = state(&world, 0).await else { panic!() };
    assert_eq!(skip.reason, Reason::ConsentMissing);
    assert_eq!(state(&world, 1).await, State::Sent);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_large_plan_is_fanned_out_and_a_later_stop_still_applies() {
    let world = World::start().await.unwrap();
    let reader = |number: usize| json!({"id": format!("P{number}"), "first_name": "Anna", "phone": format!("+39333{number:07}")});
    let readers: Vec<Value> = (1_000_000..1_000_030).map(reader).collect();
    world.accept(&message_sent("m-1", &json!(readers))).await.unwrap();
    let batch = world.take().await.unwrap();
    world.handle(&batch).await;
    assert!(world.phone().await.unwrap().is_empty(), "the plan is made, nothing is sent yet");
    // The event's record is delivered a second time, and one of the readers wrote STOP in the meantime.
    world.handle(&batch).await;
    world.delete(batch.first().unwrap()).await.unwrap();
    let contact = world.contact("+393331000007").await.unwrap();
    world.contacts.suppress(&world.site().unwrap(), &contact, &stop()).await.unwrap();
    assert_eq!(world.deliver().await.unwrap(), 60);
    assert_eq!(world.phone().await.unwrap().len(), 29);
    let State::Skipped(skip) = world.state("m-1", "nuovo-messaggio", "P1000007").await.unwrap() else { panic!() };
    assert_eq!((skip.reason, skip.detail.as_str()), (Reason::Suppressed, "all, stop, 2026-11-22"));
    world.finish().await.unwrap();
}
