//! Carts that postpone one another.

use super::*;

#[tokio::test]
async fn a_cart_that_keeps_changing_is_notified_within_a_day() {
    let world = World::start().await.unwrap();
    let beginning = world.clock.now();
    for round in 0..14 {
        raise(&world, &left(&format!("k-{round}"), "K1", world.clock.now())).await;
        world.pass(HOUR * 2).await.unwrap();
    }
    let received = received_once(&world).await.duration_since(beginning);
    assert!((HOUR * 24..=HOUR * 24 + MINUTE * 2).contains(&received), "{received:?}");
    for round in 0..14 {
        let (id, expected) = (format!("k-{round}"), (round != 11).then_some(Reason::NotLatestCart));
        assert_eq!(reason(&world, &id).await, expected, "{id}: the newest of the first day is told");
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn carts_postpone_one_another_while_the_previous_one_waits_in_any_order() {
    for turned in [false, true] {
        let world = hasty().await;
        let beginning = world.clock.now();
        world.clock.advance(HOUR * 2 + MINUTE);
        let mut events = [left("k-1", "K1", beginning), left("k-2", "K2", beginning + HOUR * 2)];
        if turned {
            events.reverse();
        }
        for event in &events {
            raise(&world, event).await;
        }
        raise(&world, &left("k-3", "K3", world.clock.now())).await;
        assert_eq!(due(&world, "k-3").await, beginning + HOUR * 4, "turned: {turned}");
        later(&world, HOUR * 2).await;
        assert_eq!(state(&world, "k-3").await, State::Sent);
        world.finish().await.unwrap();
    }
}

#[tokio::test]
async fn a_cart_after_the_previous_one_was_due_waits_only_its_own_interval() {
    let world = hasty().await;
    let beginning = world.clock.now();
    // The first cart has no phone. It does not postpone a cart that is abandoned after its due time.
    let mut unknown = left("k-1", "K1", beginning);
    unknown["data"]["customer"]["phone"] = Value::Null;
    raise(&world, &unknown).await;
    assert_eq!(reason(&world, "k-1").await, Some(Reason::PhoneMissing));
    world.clock.advance(HOUR * 3 + MINUTE);
    raise(&world, &left("k-2", "K2", world.clock.now())).await;
    assert_eq!(due(&world, "k-2").await, world.clock.now() + HOUR * 3);
    // These carts use up the maximum postponement. The next cart starts a new series.
    for id in ["k-3", "k-4"] {
        world.clock.advance(HOUR);
        let mut unknown = left(id, "K3", world.clock.now());
        unknown["data"]["customer"]["phone"] = Value::Null;
        raise(&world, &unknown).await;
    }
    world.clock.advance(HOUR * 2 + MINUTE);
    raise(&world, &left("k-5", "K5", world.clock.now())).await;
    assert_eq!(due(&world, "k-5").await, world.clock.now() + HOUR * 3);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_order_ends_the_row_of_carts_abandoned_before_it() {
    let world = hasty().await;
    let beginning = world.clock.now();
    raise(&world, &left("k-1", "K1", beginning)).await;
    world.clock.advance(HOUR * 2);
    raise(&world, &ordered("o-1", beginning + HOUR, "NUOVO", "2026-11-22")).await;
    raise(&world, &left("k-2", "K2", world.clock.now())).await;
    assert_eq!(due(&world, "k-2").await, beginning + HOUR * 5);
    world.clock.advance(HOUR * 2 + MINUTE);
    raise(&world, &left("k-3", "K3", world.clock.now())).await;
    assert_eq!(due(&world, "k-3").await, beginning + HOUR * 6, "the series began with the second");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_late_order_also_ends_the_row_of_carts() {
    let world = hasty().await;
    let beginning = world.clock.now();
    raise(&world, &left("k-1", "K1", beginning)).await;
    world.clock.advance(HOUR * 2);
    raise(&world, &left("k-2", "K2", world.clock.now())).await;
    assert_eq!(due(&world, "k-2").await, beginning + HOUR * 4);
    raise(&world, &ordered("o-1", beginning + HOUR, "NUOVO", "2026-11-22")).await;
    later(&world, HOUR * 2).await;
    assert_eq!(due(&world, "k-2").await, beginning + HOUR * 5);
    later(&world, HOUR).await;
    assert_eq!(state(&world, "k-2").await, State::Sent);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_cart_that_would_not_be_notified_hastens_no_other() {
    let world = hasty().await;
    world
        .configure("carrello-abbandonato", |_, mapping| mapping.min_total = Some("40".parse().unwrap()))
        .await
        .unwrap();
    let beginning = world.clock.now();
    let mut small = left("k-1", "K1", beginning);
    small["data"]["cart"]["total"]["amount"] = json!("10.00");
    raise(&world, &small).await;
    world.clock.advance(HOUR * 2);
    raise(&world, &left("k-2", "K2", beginning + HOUR * 2)).await;
    assert_eq!(due(&world, "k-2").await, beginning + HOUR * 5);
    // A cart below the minimum total is still the newest cart.
    world.clock.advance(HOUR);
    let mut small = left("k-3", "K3", world.clock.now());
    small["data"]["cart"]["total"]["amount"] = json!("10.00");
    raise(&world, &small).await;
    later(&world, HOUR * 3).await;
    assert_eq!(reason(&world, "k-2").await, Some(Reason::NotLatestCart));
    world.finish().await.unwrap();
}
