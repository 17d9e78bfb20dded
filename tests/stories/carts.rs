//! Abandoned carts: one cart notice, for the newest cart, unless the customer came back.

mod again;
mod guests;
mod series;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use domain::message::reason::Reason;
use domain::message::state::{State, WaitReason};
use domain::primitives::id::ObjectId;
use domain::primitives::key::CartKeys;
use jiff::{SignedDuration, Timestamp};
use kit::{World, order_status_changed};
use serde_json::{Value, json};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Anna abandons a cart at a time of the story.
fn left(id: &str, cart: &str, at: Timestamp) -> Value {
    json!({
        "id": id, "type": "cart.abandoned", "occurred_at": at.to_string(), "language": "it",
        "data": {
            "cart": {"id": cart, "abandoned_at": at.to_string(), "item_count": 2,
                     "total": {"amount": "45.50", "currency": "EUR"}, "url": "https://www.example.com/carrello"},
            "customer": {"id": "C7", "first_name": "Anna", "last_name": "Rossi", "phone": "340 1234567"}
        }
    })
}

fn closed(id: &str, cart: &str, at: Timestamp, reason: &str) -> Value {
    json!({"id": id, "type": "cart.closed", "occurred_at": at.to_string(),
           "data": {"cart": {"id": cart}, "customer": {"id": "C7"}, "reason": reason}})
}

/// Anna places an order. `date` is the date of the document.
fn ordered(id: &str, at: Timestamp, status: &str, date: &str) -> Value {
    let mut event = order_status_changed(id);
    event["occurred_at"] = json!(at.to_string());
    let order = &mut event["data"]["order"];
    (order["id"], order["status"], order["date"]) = (json!(id), json!(status), json!(date));
    order["previous_status"] = Value::Null;
    event
}

async fn raise(world: &World, event: &Value) {
    world.accept(event).await.unwrap();
    world.deliver().await.unwrap();
}

/// Lets time pass. The sweeps in between do not matter.
async fn later(world: &World, by: SignedDuration) {
    world.clock.advance(by);
    world.sweep().await.unwrap();
    world.deliver().await.unwrap();
}

/// Returns the time at which a waiting cart is due.
async fn due(world: &World, id: &str) -> Timestamp {
    match state(world, id).await {
        State::Waiting(waiting) => waiting.until,
        other => panic!("{id}: {other:?}"),
    }
}

/// Asserts that the customer was notified exactly once. Returns the time of the message.
async fn received_once(world: &World) -> Timestamp {
    let phone = world.phone().await.unwrap();
    let [message] = phone.as_slice() else { panic!("{phone:?}") };
    message["received_at"].as_str().unwrap().parse().unwrap()
}

async fn state(world: &World, id: &str) -> State {
    world.state(id, "carrello-abbandonato", "C7").await.unwrap()
}

async fn reason(world: &World, id: &str) -> Option<Reason> {
    match state(world, id).await {
        State::Skipped(skip) => Some(skip.reason),
        _ => None,
    }
}

/// Starts a world in which carts postpone one another for at most four hours.
async fn hasty() -> World {
    let world = World::start().await.unwrap();
    world.configure("carrello-abbandonato", |site, _| site.cart_max_postponement = 240).await.unwrap();
    world
}

#[tokio::test]
async fn a_cart_notice_is_sent_after_the_interval() {
    let world = World::start().await.unwrap();
    let beginning = world.clock.now();
    raise(&world, &left("k-1", "K1", beginning)).await;
    let State::Waiting(waiting) = state(&world, "k-1").await else { panic!() };
    assert_eq!((waiting.why, waiting.until), (WaitReason::CartInterval, beginning + HOUR * 3));
    world.pass(HOUR * 3 - MINUTE).await.unwrap();
    assert!(world.phone().await.unwrap().is_empty());
    world.pass(MINUTE * 3).await.unwrap();
    assert_eq!(state(&world, "k-1").await, State::Sent);
    assert_eq!(world.phone().await.unwrap().len(), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn only_the_newest_cart_is_notified_in_any_order() {
    for turned in [false, true] {
        let world = World::start().await.unwrap();
        let beginning = world.clock.now();
        let mut events = [left("k-1", "K1", beginning - MINUTE * 30), left("k-2", "K2", beginning - MINUTE * 10)];
        if turned {
            events.reverse();
        }
        for event in &events {
            raise(&world, event).await;
        }
        world.pass(HOUR * 4).await.unwrap();
        assert_eq!(reason(&world, "k-1").await, Some(Reason::NotLatestCart), "turned: {turned}");
        assert_eq!(state(&world, "k-2").await, State::Sent);
        // A second cart notice within a day is not allowed.
        raise(&world, &left("k-3", "K3", world.clock.now())).await;
        later(&world, HOUR * 4).await;
        assert_eq!(reason(&world, "k-3").await, Some(Reason::NotLatestCart));
        // The skipped cart does not shorten the wait for the next one.
        later(&world, HOUR * 20).await;
        raise(&world, &left("k-4", "K4", world.clock.now())).await;
        later(&world, HOUR * 3 - MINUTE).await;
        assert!(matches!(state(&world, "k-4").await, State::Waiting(_)));
        later(&world, MINUTE).await;
        assert_eq!(state(&world, "k-4").await, State::Sent);
        world.finish().await.unwrap();
    }
}

#[tokio::test]
async fn an_agents_cart_does_not_replace_the_customers() {
    let world = hasty().await;
    let beginning = world.clock.now();
    raise(&world, &left("k-1", "K1", beginning)).await;
    world.clock.advance(HOUR);
    for (id, pointer) in [("a-1", "/data/cart/created_by_agent"), ("a-2", "/data/customer/is_agent")] {
        let mut event = left(id, "A1", world.clock.now());
        let (object, field) = pointer.rsplit_once('/').unwrap();
        event.pointer_mut(object).unwrap()[field] = json!(true);
        raise(&world, &event).await;
    }
    later(&world, HOUR * 2).await;
    assert_eq!(state(&world, "k-1").await, State::Sent);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_cart_due_a_day_after_the_last_notice_is_notified() {
    let world = World::start().await.unwrap();
    raise(&world, &left("k-1", "K1", world.clock.now())).await;
    later(&world, HOUR * 3).await;
    assert_eq!(state(&world, "k-1").await, State::Sent);
    later(&world, HOUR * 22).await;
    let left_at = world.clock.now();
    raise(&world, &left("k-2", "K2", left_at)).await;
    assert_eq!(due(&world, "k-2").await, left_at + HOUR * 3);
    later(&world, HOUR * 3).await;
    assert_eq!(state(&world, "k-2").await, State::Sent);
    assert_eq!(world.phone().await.unwrap().len(), 2);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_closed_or_ordered_cart_is_not_notified() {
    let world = World::start().await.unwrap();
    let beginning = world.clock.now();
    // The close event may arrive before the cart.
    raise(&world, &closed("x-1", "K1", beginning, "emptied")).await;
    raise(&world, &left("k-1", "K1", beginning - MINUTE)).await;
    assert_eq!(reason(&world, "k-1").await, Some(Reason::Cancelled));
    for (number, status) in ["NUOVO", "Confermato", "PAGAMENTO NON CONFERMATO", "DA_VERIFICARE"].iter().enumerate() {
        let cart = format!("k-1{number}");
        raise(&world, &left(&cart, "K2", world.clock.now())).await;
        later(&world, HOUR).await;
        raise(&world, &ordered(&format!("o-{number}"), world.clock.now(), status, "2026-11-22")).await;
        later(&world, HOUR * 2).await;
        assert_eq!(reason(&world, &cart).await, Some(Reason::Cancelled), "{status}");
    }
    let texts = world.texts().await.unwrap();
    assert_eq!(texts.len(), 4, "only the orders were told: {texts:?}");
    // If the cart is filled again afterwards, the notice is sent.
    raise(&world, &left("k-3", "K2", world.clock.now())).await;
    later(&world, HOUR * 3).await;
    assert_eq!(state(&world, "k-3").await, State::Sent);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_order_from_before_the_cart_does_not_cancel_its_notice() {
    let world = World::start().await.unwrap();
    raise(&world, &left("k-1", "K1", world.clock.now())).await;
    world.clock.advance(HOUR);
    let now = world.clock.now();
    // An order from yesterday that today's synchronisation raises, and an order that was already new before.
    raise(&world, &ordered("o-1", now, "MEMORIZZATO", "2026-11-21")).await;
    let mut confirmed = ordered("o-2", now, "MEMORIZZATO", "2026-11-22");
    confirmed["data"]["order"]["previous_status"] = json!("NUOVO");
    raise(&world, &confirmed).await;
    let mut quote = ordered("o-3", now, "NUOVO", "2026-11-22");
    quote["data"]["order"]["kind"] = json!("quote");
    raise(&world, &quote).await;
    later(&world, HOUR * 2).await;
    assert_eq!(state(&world, "k-1").await, State::Sent);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn closing_one_cart_leaves_the_others_open() {
    for (turned, reason_given) in [(false, "emptied"), (true, "recovered")] {
        let world = World::start().await.unwrap();
        let beginning = world.clock.now();
        world.clock.advance(HOUR);
        let mut events = [left("k-1", "K1", beginning), closed("x-1", "K0", world.clock.now(), reason_given)];
        if turned {
            events.reverse();
        }
        for event in &events {
            raise(&world, event).await;
        }
        later(&world, HOUR * 2).await;
        assert_eq!(state(&world, "k-1").await, State::Sent, "turned: {turned}");
        // An event about this cart closes it, and an order closes all carts.
        later(&world, HOUR * 24).await;
        raise(&world, &left("k-2", "K2", world.clock.now())).await;
        later(&world, MINUTE).await;
        raise(&world, &closed("x-2", "K2", world.clock.now(), reason_given)).await;
        later(&world, HOUR * 3).await;
        assert_eq!(reason(&world, "k-2").await, Some(Reason::Cancelled));
        raise(&world, &left("k-3", "K3", world.clock.now())).await;
        later(&world, MINUTE).await;
        raise(&world, &closed("x-3", "K0", world.clock.now(), "ordered")).await;
        later(&world, HOUR * 3).await;
        assert_eq!(reason(&world, "k-3").await, Some(Reason::Cancelled));
        world.finish().await.unwrap();
    }
}

/// Stops the handling of a cart notice at each poll, closes the cart there, and lets the handling continue.
#[tokio::test]
async fn a_cart_closed_between_decision_and_claim_is_not_notified() {
    let world = World::start().await.unwrap();
    let mut refused_by_claim = 0;
    for polls in 1..=60 {
        let (id, cart) = (format!("k-{polls}"), format!("K{polls}"));
        let customer = format!("C{polls}");
        let mut event = left(&id, &cart, world.clock.now());
        event["data"]["customer"]["id"] = json!(customer);
        event["data"]["customer"]["phone"] = json!(format!("340 10000{polls:02}"));
        raise(&world, &event).await;
        let now = json!({"job": "message.1", "site": "demo", "event": id, "mapping": "carrello-abbandonato",
                         "recipient": customer, "attempt": 1, "at_once": true});
        world.enqueue(&now.to_string()).await.unwrap();
        let batch = world.take().await.unwrap();
        let mut closing = closed(&format!("x-{polls}"), &cart, world.clock.now(), "recovered");
        closing["data"]["customer"]["id"] = json!(customer);
        let _before = world.wire.take_calls();
        let claimed = {
            let mut handling = pin!(world.handle(&batch));
            let mut left = polls;
            let stopped = poll_fn(|context| {
                left -= 1;
                match handling.as_mut().poll(context) {
                    Poll::Pending if left > 0 => Poll::Pending,
                    other => Poll::Ready(other.is_pending()),
                }
            });
            let stopped = stopped.await;
            let decided = world.wire.take_calls().contains_key("BatchGetItem");
            raise(&world, &closing).await;
            let claimed = world.facts(&id, "carrello-abbandonato", &customer).await.unwrap().claim.is_some();
            if stopped {
                assert!(handling.await.is_empty());
            }
            refused_by_claim += usize::from(decided && !claimed);
            claimed
        };
        for message in &batch {
            world.delete(message).await.unwrap();
        }
        let state = world.state(&id, "carrello-abbandonato", &customer).await.unwrap();
        let received = state == State::Sent;
        assert_eq!(received, claimed, "polls: {polls}, {state:?}");
    }
    assert!(refused_by_claim > 0);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn no_cart_history_is_stored_while_no_mapping_notifies_about_carts() {
    let world = World::start().await.unwrap();
    let site = world.site().unwrap();
    let [customer, cart] = ["C7", "K1"].map(|id| ObjectId::parse(id).unwrap());
    let contact = world.contact("340 1234567").await.unwrap();
    let keys = CartKeys::new(&site, [&customer, &cart], Some(&contact));
    let live = world.live().await.unwrap();
    let mapping = live.mappings.iter().find(|mapping| mapping.id.as_str() == "carrello-abbandonato").unwrap();
    world.configure("carrello-abbandonato", |_, mapping| mapping.enabled = false).await.unwrap();
    for (round, is_kept) in [false, true].into_iter().enumerate() {
        raise(&world, &ordered(&format!("o-{round}"), world.clock.now(), "NUOVO", "2026-11-22")).await;
        raise(&world, &closed(&format!("x-{round}"), "K1", world.clock.now(), "emptied")).await;
        raise(&world, &left(&format!("k-{round}"), "K2", world.clock.now())).await;
        let known = world.contacts.carts(&keys, &mapping.id).await.unwrap();
        let kept = [known.closed_at, known.ended_at, known.newest].map(|at| at.is_some());
        assert_eq!(kept, [is_kept; 3]);
        world.config.put_mapping(&site, mapping).await.unwrap();
        world.clock.advance(MINUTE);
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn cart_changes_while_the_mapping_is_disabled_count_once_it_is_enabled() {
    for (number, expected) in [Reason::Cancelled, Reason::Cancelled, Reason::NotLatestCart].into_iter().enumerate() {
        let world = World::start().await.unwrap();
        raise(&world, &left("k-1", "K1", world.clock.now())).await;
        let live = world.live().await.unwrap();
        let mapping = live.mappings.iter().find(|mapping| mapping.id.as_str() == "carrello-abbandonato").unwrap();
        world.configure("carrello-abbandonato", |_, mapping| mapping.enabled = false).await.unwrap();
        let now = world.clock.now();
        let ends =
            [ordered("o-1", now, "NUOVO", "2026-11-22"), closed("x-1", "K1", now, "emptied"), left("k-2", "K2", now)];
        raise(&world, &ends[number]).await;
        world.config.put_mapping(&live.site.id, mapping).await.unwrap();
        world.clock.advance(MINUTE);
        later(&world, HOUR * 3).await;
        assert_eq!(reason(&world, "k-1").await, Some(expected));
        world.finish().await.unwrap();
    }
}

#[tokio::test]
async fn a_small_cart_and_one_from_before_the_mapping_are_not_notified() {
    let world = World::start().await.unwrap();
    world
        .configure("carrello-abbandonato", |_, mapping| mapping.min_total = Some("50".parse().unwrap()))
        .await
        .unwrap();
    raise(&world, &left("k-1", "K1", world.clock.now())).await;
    world.configure("carrello-abbandonato", |_, mapping| mapping.min_total = None).await.unwrap();
    let now = world.clock.now();
    world.configure("carrello-abbandonato", |_, mapping| mapping.active_since = now).await.unwrap();
    raise(&world, &left("k-2", "K2", now - MINUTE)).await;
    // The event is newer, but the cart was abandoned before the activation.
    let mut late = left("k-3", "K3", now - MINUTE);
    late["occurred_at"] = json!((now + MINUTE).to_string());
    raise(&world, &late).await;
    let site = world.site().unwrap();
    let expected =
        [("k-1", Reason::ConditionNotMet), ("k-2", Reason::BeforeActivation), ("k-3", Reason::BeforeActivation)];
    for (id, expected) in expected {
        let id = domain::primitives::id::EventId::parse(id).unwrap();
        let plan = world.ledger.plan(&site, &id).await.unwrap().unwrap();
        assert_eq!(plan.skips.first().map(|planned| planned.skip.reason), Some(expected), "{plan:?}");
        assert!(plan.messages.is_empty());
    }
    world.finish().await.unwrap();
}
