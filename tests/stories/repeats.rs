//! Messages that are not sent again, and messages that are too late.

use domain::mapping::Repeat;
use domain::message::reason::Reason;
use domain::message::state::State;
use domain::message::suppression::{Scope, Source, Suppression};
use jiff::SignedDuration;
use kit::{World, order_status_changed};
use serde_json::{Value, json};

fn order(id: &str, status: &str, version: Option<u64>, occurred_at: &str) -> Value {
    let mut event = order_status_changed(id);
    event["data"]["order"]["status"] = json!(status);
    event["data"]["order"]["version"] = json!(version);
    event["occurred_at"] = json!(occurred_at);
    event
}

async fn raise(world: &World, event: &Value) {
    world.accept(event).await.unwrap();
    world.deliver().await.unwrap();
}

async fn reason(world: &World, id: &str) -> Option<Reason> {
    match world.state(id, "stato-ordine", "C7").await.unwrap() {
        State::Skipped(skip) => Some(skip.reason),
        _ => None,
    }
}

#[tokio::test]
async fn a_full_synchronisation_that_raises_every_order_again_sends_nothing() {
    let world = World::start().await.unwrap();
    let order = |sync: usize, number: usize| {
        let mut event = order_status_changed(&format!("sync{sync}-{number}"));
        event["data"]["order"]["id"] = json!(format!("O{number}"));
        event["data"]["customer"]["id"] = json!(format!("C{number}"));
        event["data"]["customer"]["phone"] = json!(format!("34012{number:05}"));
        event
    };
    for sync in 0..2 {
        for chunk in 0..20 {
            let events: Vec<Value> = (0..50).map(|index| order(sync, chunk * 50 + index)).collect();
            assert_eq!(world.post_batch(&json!({"events": events})).await.unwrap().status, 202);
            world.deliver().await.unwrap();
            // The platform accepts 80 messages a second from one number.
            world.clock.advance(SignedDuration::from_secs(1));
        }
        assert_eq!(world.phone().await.unwrap().len(), 1000, "synchronisation {sync}");
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_state_entered_again_is_notified_once_unless_the_mapping_repeats_it() {
    let world = World::start().await.unwrap();
    raise(&world, &order("e-1", "MEMORIZZATO", None, "2026-11-22T09:00:00Z")).await;
    raise(&world, &order("e-2", "MODIFICATO", None, "2026-11-22T09:01:00Z")).await;
    raise(&world, &order("e-3", "Confermato", None, "2026-11-22T09:02:00Z")).await;
    assert_eq!(reason(&world, "e-3").await, Some(Reason::AlreadyNotified));
    assert_eq!(world.phone().await.unwrap().len(), 2);

    let site = world.site().unwrap();
    let live = world.live().await.unwrap();
    let mut mapping = live.mappings.into_iter().find(|mapping| mapping.id.as_str() == "stato-ordine").unwrap();
    mapping.repeat = Some(Repeat::Every);
    world.config.put_mapping(&site, &mapping).await.unwrap();
    world.clock.advance(SignedDuration::from_secs(15));
    raise(&world, &order("e-4", "MEMORIZZATO", None, "2026-11-22T09:03:00Z")).await;
    assert_eq!(world.phone().await.unwrap().len(), 3);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_state_is_not_notified_after_the_one_that_followed_it() {
    let world = World::start().await.unwrap();
    raise(&world, &order("e-2", "EVASO", Some(8), "2026-11-22T09:00:00Z")).await;
    // Later in time but with a lower version: the version decides.
    raise(&world, &order("e-1", "MEMORIZZATO", Some(7), "2026-11-22T09:05:00Z")).await;
    assert_eq!(reason(&world, "e-1").await, Some(Reason::Superseded));
    // Without a version, the time decides.
    raise(&world, &order("e-0", "NUOVO", None, "2026-11-22T08:00:00Z")).await;
    assert_eq!(reason(&world, "e-0").await, Some(Reason::Superseded));
    raise(&world, &order("e-3", "BOLLATO", Some(9), "2026-11-22T09:01:00Z")).await;
    assert_eq!(reason(&world, "e-3").await, None);
    assert_eq!(world.phone().await.unwrap().len(), 2);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_message_passes_its_own_guards_when_it_is_tried_again() {
    let world = World::start().await.unwrap();
    world.fault(&json!({"effect": {"error": {"status": 429, "code": 130429}}})).await.unwrap();
    world.accept(&order_status_changed("e-1")).await.unwrap();
    world.pass(SignedDuration::from_mins(2)).await.unwrap();
    let facts = world.facts("e-1", "stato-ordine", "C7").await.unwrap();
    assert_eq!((facts.state(), facts.claim.unwrap().attempt), (State::Sent, 2));
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_message_never_accepted_does_not_count_as_notified() {
    let world = World::start().await.unwrap();
    world.fault(&json!({"effect": {"error": {"status": 429, "code": 130429}}})).await.unwrap();
    raise(&world, &order("e-1", "EVASO", None, "2026-11-22T09:00:00Z")).await;
    assert!(matches!(world.state("e-1", "stato-ordine", "C7").await.unwrap(), State::Waiting(_)));
    // Before the retry, a synchronisation raises the same status under another id.
    world.clock.advance(SignedDuration::from_secs(2));
    raise(&world, &order("e-2", "EVASO", None, "2026-11-22T09:01:00Z")).await;
    assert_eq!(world.state("e-2", "stato-ordine", "C7").await.unwrap(), State::Sent);
    world.pass(SignedDuration::from_mins(2)).await.unwrap();
    assert!(matches!(reason(&world, "e-1").await, Some(Reason::Superseded | Reason::AlreadyNotified)));
    assert_eq!(world.phone().await.unwrap().len(), 1);
    world.finish().await.unwrap();
}

/// Anna's record changed.
fn customer_updated(id: &str, opted_out: bool, occurred_at: &str) -> Value {
    json!({
        "id": id, "type": "customer.updated", "occurred_at": occurred_at,
        "data": {"customer": {"id": "C7", "phone": "340 1234567", "whatsapp_opt_out": opted_out}}
    })
}

#[tokio::test]
async fn an_opt_out_applies_to_earlier_events() {
    let world = World::start().await.unwrap();
    raise(&world, &customer_updated("c-1", true, "2026-11-22T09:10:00Z")).await;
    // An older record that arrives late changes nothing.
    raise(&world, &customer_updated("c-0", false, "2026-11-22T08:00:00Z")).await;
    raise(&world, &order("e-1", "MEMORIZZATO", None, "2026-11-22T09:00:00Z")).await;
    assert_eq!(reason(&world, "e-1").await, Some(Reason::OptedOut));
    // For a later event, the preference in the event itself decides.
    let mut opted_in = order("e-2", "EVASO", None, "2026-11-22T09:20:00Z");
    opted_in["data"]["customer"]["whatsapp_opt_out"] = json!(false);
    raise(&world, &opted_in).await;
    assert_eq!(reason(&world, "e-2").await, None);
    raise(&world, &customer_updated("c-2", false, "2026-11-22T09:30:00Z")).await;
    raise(&world, &order("e-3", "BOLLATO", None, "2026-11-22T09:25:00Z")).await;
    assert_eq!(world.phone().await.unwrap().len(), 2);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_absent_opt_out_is_unknown_and_only_a_newer_explicit_no_lifts_a_recorded_one() {
    let world = World::start().await.unwrap();
    let without = |id: &str, occurred_at: &str| {
        let mut event = customer_updated(id, false, occurred_at);
        event["data"]["customer"].as_object_mut().unwrap().remove("whatsapp_opt_out");
        event
    };
    let saying = |id: &str, opted_out: bool, occurred_at: &str| {
        let mut event = order(id, id, None, occurred_at);
        event["data"]["customer"]["whatsapp_opt_out"] = json!(opted_out);
        event
    };
    raise(&world, &customer_updated("c-1", true, "2026-11-22T09:10:00Z")).await;
    raise(&world, &order("e-1", "e-1", None, "2026-11-22T09:20:00Z")).await;
    assert_eq!(reason(&world, "e-1").await, Some(Reason::OptedOut));
    // An update without the field erases nothing, and neither does an older "no".
    raise(&world, &without("c-2", "2026-11-22T09:25:00Z")).await;
    raise(&world, &customer_updated("c-3", false, "2026-11-22T09:05:00Z")).await;
    raise(&world, &saying("e-2", false, "2026-11-22T09:06:00Z")).await;
    raise(&world, &order("e-3", "e-3", None, "2026-11-22T09:30:00Z")).await;
    assert_eq!(reason(&world, "e-2").await, Some(Reason::OptedOut));
    assert_eq!(reason(&world, "e-3").await, Some(Reason::OptedOut));
    // A newer explicit "no" applies: in an event to that event only, in `customer.updated` to all later ones.
    raise(&world, &saying("e-4", false, "2026-11-22T09:31:00Z")).await;
    raise(&world, &order("e-5", "e-5", None, "2026-11-22T09:32:00Z")).await;
    assert_eq!(reason(&world, "e-4").await, None);
    assert_eq!(reason(&world, "e-5").await, Some(Reason::OptedOut));
    raise(&world, &customer_updated("c-4", false, "2026-11-22T09:33:00Z")).await;
    raise(&world, &order("e-6", "e-6", None, "2026-11-22T09:34:00Z")).await;
    assert_eq!(reason(&world, "e-6").await, None);
    // It still applies if it arrives after a newer update without the field.
    raise(&world, &without("c-6", "2026-11-22T09:40:00Z")).await;
    raise(&world, &customer_updated("c-5", true, "2026-11-22T09:35:00Z")).await;
    raise(&world, &order("e-7", "e-7", None, "2026-11-22T09:41:00Z")).await;
    assert_eq!(reason(&world, "e-7").await, Some(Reason::OptedOut));
    assert_eq!(world.phone().await.unwrap().len(), 2);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_opt_out_value_from_passweb_never_lifts_a_stop() {
    let world = World::start().await.unwrap();
    let contact = world.contact("340 1234567").await.unwrap();
    let since = world.clock.now();
    let stop = Suppression { scope: Scope::All, source: Source::Stop, since, reason: "STOP".to_owned() };
    world.contacts.suppress(&world.site().unwrap(), &contact, &stop).await.unwrap();
    world.clock.advance(SignedDuration::from_mins(10));
    let later = (since + SignedDuration::from_mins(5)).to_string();
    raise(&world, &customer_updated("c-1", false, &later)).await;
    let mut event = order("e-1", "EVASO", None, &later);
    event["data"]["customer"]["whatsapp_opt_out"] = json!(false);
    raise(&world, &event).await;
    assert_eq!(reason(&world, "e-1").await, Some(Reason::Suppressed));
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_late_event_record_uses_newer_contact_data() {
    let world = World::start().await.unwrap();
    world.accept(&order("e-1", "EVASO", None, "2026-11-22T09:20:00Z")).await.unwrap();
    // The execution that had the record was killed, and Anna has another number in the meantime.
    let batch = world.take().await.unwrap();
    let mut updated = customer_updated("c-1", false, "2026-11-22T09:30:00Z");
    updated["data"]["customer"]["phone"] = json!("333 7654321");
    raise(&world, &updated).await;
    world.clock.advance(SignedDuration::from_mins(3));
    world.redeliver(&batch).await.unwrap();
    world.deliver().await.unwrap();
    let [message] = world.phone().await.unwrap().try_into().unwrap();
    assert_eq!(message["to"], "+393337654321");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_waiting_message_is_decided_by_the_customers_current_groups() {
    let world = World::start().await.unwrap();
    let paused = |site: &mut domain::site::config::Site, mapping: &mut domain::mapping::Mapping, paused: bool| {
        site.paused = paused;
        mapping.groups = vec!["Clienti web".to_owned()];
    };
    world.configure("stato-ordine", |site, mapping| paused(site, mapping, true)).await.unwrap();
    raise(&world, &order("e-1", "EVASO", None, "2026-11-22T09:20:00Z")).await;
    let mut other = order("e-2", "EVASO", None, "2026-11-22T09:20:00Z");
    other["data"]["customer"]["id"] = json!("C8");
    other["data"]["customer"]["phone"] = json!("333 7654321");
    raise(&world, &other).await;
    let mut updated = customer_updated("c-1", false, "2026-11-22T09:30:00Z");
    updated["data"]["customer"]["groups"] = json!(["Rivenditori"]);
    raise(&world, &updated).await;
    // An update without groups leaves them unchanged.
    raise(&world, &customer_updated("c-2", false, "2026-11-22T09:31:00Z")).await;
    world.configure("stato-ordine", |site, mapping| paused(site, mapping, false)).await.unwrap();
    world.pass(SignedDuration::from_mins(3)).await.unwrap();
    assert_eq!(reason(&world, "e-1").await, Some(Reason::GroupNotIncluded));
    assert_eq!(world.phone().await.unwrap().len(), 1);
    world.finish().await.unwrap();
}
