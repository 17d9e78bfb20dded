//! Carts that were left: one notice, for the newest, unless the customer came back.

use domain::message::{State, Why};
use domain::reason::Reason;
use jiff::{SignedDuration, Timestamp};
use kit::{World, order_status_changed};
use serde_json::{Value, json};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Anna leaves a cart at a time of the story.
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

async fn tell(world: &World, event: &Value) {
    world.accept(event).await.unwrap();
    world.deliver().await.unwrap();
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

#[tokio::test]
async fn a_cart_is_told_of_after_the_interval() {
    let world = World::start().await.unwrap();
    let beginning = world.clock.now();
    tell(&world, &left("k-1", "K1", beginning)).await;
    let State::Waiting(waiting) = state(&world, "k-1").await else { panic!() };
    assert_eq!((waiting.why, waiting.until), (Why::CartInterval, beginning + HOUR * 3));
    world.pass(HOUR * 3 - MINUTE).await.unwrap();
    assert!(world.phone().await.unwrap().is_empty());
    world.pass(MINUTE * 3).await.unwrap();
    assert_eq!(state(&world, "k-1").await, State::Sent);
    assert_eq!(world.phone().await.unwrap().len(), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn only_the_newest_cart_is_told_of_whatever_came_first() {
    for turned in [false, true] {
        let world = World::start().await.unwrap();
        let beginning = world.clock.now();
        let mut events = [left("k-1", "K1", beginning - MINUTE * 30), left("k-2", "K2", beginning - MINUTE * 10)];
        if turned {
            events.reverse();
        }
        for event in &events {
            tell(&world, event).await;
        }
        world.pass(HOUR * 4).await.unwrap();
        assert_eq!(reason(&world, "k-1").await, Some(Reason::NotLatestCart), "turned: {turned}");
        assert_eq!(state(&world, "k-2").await, State::Sent);
        // The next one within a day is one too many.
        tell(&world, &left("k-3", "K3", world.clock.now())).await;
        world.pass(HOUR * 4).await.unwrap();
        assert_eq!(reason(&world, "k-3").await, Some(Reason::NotLatestCart));
        world.pass(HOUR * 24).await.unwrap();
        tell(&world, &left("k-4", "K4", world.clock.now())).await;
        world.pass(HOUR * 4).await.unwrap();
        assert_eq!(state(&world, "k-4").await, State::Sent);
        world.finish().await.unwrap();
    }
}

#[tokio::test]
async fn a_cart_that_keeps_changing_is_told_of_once_a_day_at_the_latest() {
    let world = World::start().await.unwrap();
    let beginning = world.clock.now();
    for round in 0..14 {
        tell(&world, &left(&format!("k-{round}"), "K1", world.clock.now())).await;
        world.pass(HOUR * 2).await.unwrap();
    }
    let phone = world.phone().await.unwrap();
    let [message] = phone.as_slice() else { panic!("{phone:?}") };
    let told: Timestamp = message["received_at"].as_str().unwrap().parse().unwrap();
    assert!(told.duration_since(beginning) <= HOUR * 24 + MINUTE * 2, "{told}");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_cart_that_was_closed_or_ordered_is_not_told_of() {
    let world = World::start().await.unwrap();
    let beginning = world.clock.now();
    // The closing may come before the cart.
    tell(&world, &closed("x-1", "K1", beginning, "emptied")).await;
    tell(&world, &left("k-1", "K1", beginning - MINUTE)).await;
    assert_eq!(reason(&world, "k-1").await, Some(Reason::Cancelled));
    tell(&world, &left("k-2", "K2", world.clock.now())).await;
    world.pass(HOUR).await.unwrap();
    let mut order = order_status_changed("o-1");
    order["occurred_at"] = json!(world.clock.now().to_string());
    tell(&world, &order).await;
    world.pass(HOUR * 3).await.unwrap();
    assert_eq!(reason(&world, "k-2").await, Some(Reason::Cancelled));
    let texts = world.texts().await.unwrap();
    assert_eq!(texts.len(), 1, "only the order was told: {texts:?}");
    // Filled again afterwards, it counts.
    tell(&world, &left("k-3", "K3", world.clock.now())).await;
    world.pass(HOUR * 4).await.unwrap();
    assert_eq!(state(&world, "k-3").await, State::Sent);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_small_cart_and_one_from_before_the_mapping_are_not_told_of() {
    let world = World::start().await.unwrap();
    world
        .configure("carrello-abbandonato", |_, mapping| mapping.min_total = Some("50".parse().unwrap()))
        .await
        .unwrap();
    tell(&world, &left("k-1", "K1", world.clock.now())).await;
    world.configure("carrello-abbandonato", |_, mapping| mapping.min_total = None).await.unwrap();
    let now = world.clock.now();
    world.configure("carrello-abbandonato", |_, mapping| mapping.active_since = now).await.unwrap();
    tell(&world, &left("k-2", "K2", now - MINUTE)).await;
    let site = world.site().unwrap();
    for (id, expected) in [("k-1", Reason::ConditionNotMet), ("k-2", Reason::BeforeActivation)] {
        let id = domain::id::EventId::parse(id).unwrap();
        let plan = world.ledger.plan(&site, &id).await.unwrap().unwrap();
        assert_eq!(plan.skips.first().map(|planned| planned.skip.reason), Some(expected), "{plan:?}");
        assert!(plan.messages.is_empty());
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_cart_is_told_again_when_a_person_asks_unless_it_was_closed() {
    let world = World::start().await.unwrap();
    tell(&world, &left("k-1", "K1", world.clock.now())).await;
    world.pass(HOUR * 4).await.unwrap();
    let again = |occasion: u32| {
        json!({"job": "message.1", "site": "demo", "event": "k-1", "mapping": "carrello-abbandonato",
               "recipient": "C7", "occasion": occasion, "asked_at": world.clock.now().to_string()})
        .to_string()
    };
    world.enqueue(&again(2)).await.unwrap();
    world.pass(MINUTE).await.unwrap();
    assert_eq!(world.phone().await.unwrap().len(), 2);
    tell(&world, &closed("x-1", "K1", world.clock.now(), "ordered")).await;
    world.enqueue(&again(3)).await.unwrap();
    world.pass(MINUTE).await.unwrap();
    assert_eq!(world.phone().await.unwrap().len(), 2);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_cart_goes_at_once_when_a_person_has_it_go_and_counts_as_told() {
    let world = World::start().await.unwrap();
    tell(&world, &left("k-1", "K1", world.clock.now())).await;
    let now = json!({"job": "message.1", "site": "demo", "event": "k-1", "mapping": "carrello-abbandonato",
                     "recipient": "C7", "attempt": 1, "at_once": true});
    world.enqueue(&now.to_string()).await.unwrap();
    world.deliver().await.unwrap();
    assert_eq!(state(&world, "k-1").await, State::Sent);
    tell(&world, &left("k-2", "K2", world.clock.now())).await;
    world.pass(HOUR * 4).await.unwrap();
    assert_eq!(reason(&world, "k-2").await, Some(Reason::NotLatestCart));
    assert_eq!(world.phone().await.unwrap().len(), 1);
    world.finish().await.unwrap();
}
