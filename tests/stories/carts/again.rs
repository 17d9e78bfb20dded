//! Cart notices that are refused, retried, raised again or resent.

use super::*;

#[tokio::test]
async fn a_cart_raised_again_later_is_not_notified_twice_but_a_newly_abandoned_one_is() {
    let world = World::start().await.unwrap();
    let first = world.clock.now();
    raise(&world, &left("k-1", "K1", first)).await;
    later(&world, HOUR * 3).await;
    assert_eq!(state(&world, "k-1").await, State::Sent);
    // A synchronisation raises the same cart under another event id.
    later(&world, HOUR * 25).await;
    raise(&world, &left("k-2", "K1", first)).await;
    assert_eq!(reason(&world, "k-2").await, Some(Reason::NotLatestCart));
    raise(&world, &left("k-3", "K1", world.clock.now())).await;
    later(&world, HOUR * 3).await;
    assert_eq!(state(&world, "k-3").await, State::Sent);
    world.finish().await.unwrap();
}

/// Makes WhatsApp refuse the next `count` messages.
async fn refuse(world: &World, code: u32, count: u32) {
    let effect = json!({"error": {"status": 400, "code": code}});
    world.fault(&json!({"count": count, "effect": effect})).await.unwrap();
}

#[tokio::test]
async fn a_refused_cart_notice_does_not_count_as_sent() {
    // A refusal at once, and a refusal after all retries that the code allows.
    for (code, count) in [(131_049, 1), (131_060, 2)] {
        let world = World::start().await.unwrap();
        raise(&world, &left("k-1", "K1", world.clock.now())).await;
        refuse(&world, code, count).await;
        later(&world, HOUR * 3).await;
        world.pass(MINUTE * 5).await.unwrap();
        assert!(matches!(state(&world, "k-1").await, State::Failed(_)), "{code}");
        raise(&world, &left("k-2", "K2", world.clock.now())).await;
        later(&world, HOUR * 3).await;
        assert_eq!(state(&world, "k-2").await, State::Sent, "{code}");
        world.finish().await.unwrap();
    }
}

#[tokio::test]
async fn a_cart_notice_that_was_not_accepted_is_retried_and_not_postponed() {
    let world = hasty().await;
    let beginning = world.clock.now();
    raise(&world, &left("k-1", "K1", beginning)).await;
    world.clock.advance(HOUR * 2);
    raise(&world, &left("k-2", "K2", world.clock.now())).await;
    refuse(&world, 131_060, 1).await;
    later(&world, HOUR * 2).await;
    world.pass(MINUTE * 5).await.unwrap();
    assert_eq!(state(&world, "k-2").await, State::Sent);
    assert!(received_once(&world).await <= beginning + HOUR * 4 + MINUTE * 2);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_operator_may_resend_a_cart_notice_unless_the_cart_was_closed() {
    let world = World::start().await.unwrap();
    raise(&world, &left("k-1", "K1", world.clock.now())).await;
    world.pass(HOUR * 4).await.unwrap();
    let again = |send_number: u32| {
        json!({"job": "message.1", "site": "demo", "event": "k-1", "mapping": "carrello-abbandonato",
               "recipient": "C7", "occasion": send_number, "asked_at": world.clock.now().to_string()})
        .to_string()
    };
    world.enqueue(&again(2)).await.unwrap();
    world.pass(MINUTE).await.unwrap();
    assert_eq!(world.phone().await.unwrap().len(), 2);
    raise(&world, &closed("x-1", "K1", world.clock.now(), "ordered")).await;
    world.enqueue(&again(3)).await.unwrap();
    world.pass(MINUTE).await.unwrap();
    assert_eq!(world.phone().await.unwrap().len(), 2);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_cart_notice_resent_by_an_operator_counts_as_sent() {
    let world = World::start().await.unwrap();
    raise(&world, &left("k-1", "K1", world.clock.now())).await;
    refuse(&world, 131_049, 1).await;
    later(&world, HOUR * 3).await;
    assert!(matches!(state(&world, "k-1").await, State::Failed(_)));
    raise(&world, &left("k-2", "K2", world.clock.now())).await;
    let again = json!({"job": "message.1", "site": "demo", "event": "k-1", "mapping": "carrello-abbandonato",
                       "recipient": "C7", "occasion": 2, "asked_at": world.clock.now().to_string()});
    world.enqueue(&again.to_string()).await.unwrap();
    world.pass(MINUTE).await.unwrap();
    assert_eq!(world.phone().await.unwrap().len(), 1, "though there is a newer one");
    later(&world, HOUR * 3).await;
    assert_eq!(reason(&world, "k-2").await, Some(Reason::NotLatestCart));
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_cart_notice_sent_now_by_an_operator_counts_as_sent() {
    let world = World::start().await.unwrap();
    raise(&world, &left("k-1", "K1", world.clock.now())).await;
    let now = json!({"job": "message.1", "site": "demo", "event": "k-1", "mapping": "carrello-abbandonato",
                     "recipient": "C7", "attempt": 1, "at_once": true});
    world.enqueue(&now.to_string()).await.unwrap();
    world.deliver().await.unwrap();
    assert_eq!(state(&world, "k-1").await, State::Sent);
    raise(&world, &left("k-2", "K2", world.clock.now())).await;
    world.pass(HOUR * 4).await.unwrap();
    assert_eq!(reason(&world, "k-2").await, Some(Reason::NotLatestCart));
    assert_eq!(world.phone().await.unwrap().len(), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_sent_cart_notice_still_counts_when_its_resend_is_refused() {
    let world = World::start().await.unwrap();
    raise(&world, &left("k-1", "K1", world.clock.now())).await;
    later(&world, HOUR * 3).await;
    assert_eq!(state(&world, "k-1").await, State::Sent);
    refuse(&world, 131_049, 1).await;
    let again = json!({"job": "message.1", "site": "demo", "event": "k-1", "mapping": "carrello-abbandonato",
                       "recipient": "C7", "occasion": 2, "asked_at": world.clock.now().to_string()});
    world.enqueue(&again.to_string()).await.unwrap();
    world.pass(MINUTE).await.unwrap();
    raise(&world, &left("k-2", "K2", world.clock.now())).await;
    later(&world, HOUR * 3).await;
    assert_eq!(reason(&world, "k-2").await, Some(Reason::NotLatestCart));
    assert_eq!(world.phone().await.unwrap().len(), 1);
    world.finish().await.unwrap();
}
