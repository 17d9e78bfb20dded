//! Several mappings of carts, and guests who share a customer's id.

use domain::primitives::id::MappingId;

use super::*;

/// Adds a second mapping, which sends a cart notice a day after the cart was abandoned.
async fn with_a_second_reminder(world: &World) {
    let live = world.live().await.unwrap();
    let first = live.mappings.iter().find(|mapping| mapping.id.as_str() == "carrello-abbandonato").unwrap();
    let mut second = first.clone();
    second.id = MappingId::parse("secondo-promemoria").unwrap();
    second.cart_interval = Some(24 * 60);
    world.config.put_mapping(&live.site.id, &second).await.unwrap();
    world.clock.advance(MINUTE);
}

/// Returns the time and the number of each message on the phone.
async fn received(world: &World) -> Vec<(Timestamp, String)> {
    let phone = world.phone().await.unwrap();
    let of = |message: &Value, name: &str| message[name].as_str().unwrap().to_owned();
    phone.iter().map(|message| (of(message, "received_at").parse().unwrap(), of(message, "to"))).collect()
}

fn with_phone(mut event: Value, phone: &str) -> Value {
    event["data"]["customer"]["phone"] = json!(phone);
    event
}

const ONE: &str = "340 1234567";
const OTHER: &str = "333 7654321";

#[tokio::test]
async fn each_cart_mapping_sends_its_own_message_with_its_own_daily_limit() {
    let world = World::start().await.unwrap();
    with_a_second_reminder(&world).await;
    let beginning = world.clock.now();
    raise(&world, &left("k-1", "K1", beginning)).await;
    later(&world, HOUR * 3 + MINUTE).await;
    later(&world, HOUR * 21).await;
    let moments: Vec<SignedDuration> =
        received(&world).await.iter().map(|(at, _)| at.duration_since(beginning)).collect();
    let [first, second] = moments.as_slice() else { panic!("{moments:?}") };
    assert!(*first >= HOUR * 3 && *first <= HOUR * 3 + MINUTE * 2, "{first}");
    assert!(*second >= HOUR * 24 && *second <= HOUR * 24 + MINUTE * 2, "{second}");
    // A later cart: each mapping sends a notice again, because its own last one was a day ago.
    world.clock.advance(MINUTE);
    raise(&world, &left("k-2", "K2", world.clock.now())).await;
    let again = world.clock.now();
    later(&world, HOUR * 3 + MINUTE).await;
    assert_eq!(state(&world, "k-2").await, State::Sent);
    later(&world, HOUR * 24).await;
    // The same cart is raised again: no mapping sends another notice.
    raise(&world, &left("k-3", "K2", again)).await;
    later(&world, HOUR * 4).await;
    assert_eq!(reason(&world, "k-3").await, Some(Reason::NotLatestCart));
    assert_eq!(received(&world).await.len(), 4);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_order_ends_the_second_reminder_too() {
    let world = World::start().await.unwrap();
    with_a_second_reminder(&world).await;
    raise(&world, &left("k-1", "K1", world.clock.now())).await;
    later(&world, HOUR * 4).await;
    raise(&world, &ordered("o-1", world.clock.now(), "NUOVO", "2026-11-22")).await;
    later(&world, HOUR * 21).await;
    let second = world.state("k-1", "secondo-promemoria", "C7").await.unwrap();
    assert!(matches!(second, State::Skipped(skip) if skip.reason == Reason::Cancelled));
    // The first cart notice was sent before the order.
    assert_eq!(state(&world, "k-1").await, State::Sent);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn guests_who_share_an_id_do_not_cancel_each_others_carts_where_their_phones_differ() {
    let world = World::start().await.unwrap();
    let beginning = world.clock.now();
    raise(&world, &with_phone(left("k-1", "K1", beginning), ONE)).await;
    raise(&world, &with_phone(left("k-2", "K2", beginning + MINUTE), OTHER)).await;
    later(&world, HOUR * 3 + MINUTE).await;
    let mut to: Vec<String> = received(&world).await.into_iter().map(|(_, to)| to).collect();
    to.sort_unstable();
    assert_eq!(to, ["+393337654321", "+393401234567"]);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_order_closes_the_carts_of_its_phone_or_all_carts_if_it_has_none() {
    // The event that closes carts, and which of the two carts it cancels.
    let without_phone = |mut event: Value| {
        event["data"]["customer"].as_object_mut().unwrap().remove("phone");
        event
    };
    for number in 0..4 {
        let world = World::start().await.unwrap();
        let beginning = world.clock.now();
        raise(&world, &with_phone(left("k-1", "K1", beginning), ONE)).await;
        raise(&world, &with_phone(left("k-2", "K2", beginning + MINUTE), OTHER)).await;
        world.clock.advance(MINUTE * 5);
        let order = ordered("o-1", world.clock.now(), "NUOVO", "2026-11-22");
        let (end, cancelled) = match number {
            0 => (with_phone(order, OTHER), [false, true]),
            1 => (without_phone(order), [true, true]),
            2 => (closed("x-1", "K1", world.clock.now(), "ordered"), [true, false]),
            // The closed cart is unknown, so its phone is unknown too. It may belong to either guest.
            _ => (closed("x-1", "K9", world.clock.now(), "ordered"), [true, true]),
        };
        raise(&world, &end).await;
        later(&world, HOUR * 3 + MINUTE).await;
        for (id, is_cancelled) in ["k-1", "k-2"].into_iter().zip(cancelled) {
            let expected = is_cancelled.then_some(Reason::Cancelled);
            assert_eq!(reason(&world, id).await, expected, "{number} {id}");
        }
        world.finish().await.unwrap();
    }
}

#[tokio::test]
async fn a_customer_with_contact_data_is_one_person_across_phones() {
    let world = World::start().await.unwrap();
    let updated = json!({"id": "c-1", "type": "customer.updated", "occurred_at": world.clock.now().to_string(),
                         "data": {"customer": {"id": "C7", "phone": OTHER}}});
    raise(&world, &with_phone(left("k-1", "K1", world.clock.now()), ONE)).await;
    raise(&world, &updated).await;
    world.clock.advance(MINUTE);
    raise(&world, &with_phone(left("k-2", "K2", world.clock.now()), OTHER)).await;
    later(&world, HOUR * 3 + MINUTE).await;
    assert_eq!(reason(&world, "k-1").await, Some(Reason::NotLatestCart));
    assert_eq!(state(&world, "k-2").await, State::Sent);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_cart_is_closed_by_its_original_phone_after_a_contact_update() {
    let world = World::start().await.unwrap();
    raise(&world, &with_phone(left("k-1", "K1", world.clock.now()), ONE)).await;
    world.clock.advance(MINUTE);
    raise(&world, &with_phone(ordered("o-1", world.clock.now(), "NUOVO", "2026-11-22"), ONE)).await;
    world.clock.advance(MINUTE);
    let updated = json!({"id": "c-1", "type": "customer.updated", "occurred_at": world.clock.now().to_string(),
                         "data": {"customer": {"id": "C7", "phone": OTHER}}});
    raise(&world, &updated).await;
    later(&world, HOUR * 3 + MINUTE).await;
    assert_eq!(reason(&world, "k-1").await, Some(Reason::Cancelled));
    world.finish().await.unwrap();
}
