//! Reminders that Passweb raises itself, in addition to those of the bridge.

use super::*;

#[tokio::test]
async fn a_reminder_raised_by_both_passweb_and_the_bridge_is_sent_once() {
    let world = World::start().await.unwrap();
    let event = saved("a-1", 1, "2026-11-22T15:00:00+01:00");
    let own = raised_by_passweb("p-1", &event, "2026-11-22T10:04:00Z");
    raise(&world, &[event, own]).await;
    assert_eq!(received(&world).await.len(), 1, "Passweb raised it before its time");
    world.pass(MINUTE * 60 * 6).await.unwrap();
    assert_eq!(received(&world).await.len(), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn passwebs_reminder_is_skipped_if_a_newer_event_contradicts_it() {
    let first = saved("a-1", 1, "2026-11-22T15:00:00+01:00");
    let own = raised_by_passweb("p-1", &first, "2026-11-22T14:00:00+01:00");
    let moved = edited("a-2", 2, "2026-11-22T16:00:00+01:00", "2026-11-22T14:01:00+01:00");
    let text = edited("a-2", 2, "2026-11-22T15:00:00+01:00", "2026-11-22T14:01:00+01:00");
    let mut without = text.clone();
    without["data"]["reminders"] = json!([]);
    for (last, is_received) in [
        (deleted("d-1", "2026-11-22T14:01:00+01:00"), false),
        // Passweb raised the reminder after the deletion, so the activity exists.
        (deleted("d-1", "2026-11-22T13:59:00+01:00"), true),
        (cancelled("s-1", 2, "2026-11-22T14:01:00+01:00"), false),
        (moved, false),
        (text, true),
        // Passweb decides which reminders exist.
        (without, true),
    ] {
        let world = World::start().await.unwrap();
        world.clock.advance_to(at("2026-11-22T14:02:00+01:00"));
        raise(&world, &[first.clone(), last.clone(), own.clone()]).await;
        assert_eq!(received(&world).await.len(), usize::from(is_received), "{last}");
        if !is_received {
            let State::Skipped(skip) = world.state("p-1", MAPPING, "P1").await.unwrap() else { panic!() };
            assert_eq!((skip.reason, skip.detail.as_str()), (Reason::Cancelled, last["id"].as_str().unwrap()));
        }
        world.finish().await.unwrap();
    }
}

#[tokio::test]
async fn two_people_with_one_number_are_reminded_once_in_any_listing_order() {
    let world = World::start().await.unwrap();
    let mut event = saved("a-1", 1, "2026-11-22T15:00:00+01:00");
    let mut other = event["data"]["assignees"][0].clone();
    other["id"] = json!("P2");
    event["data"]["assignees"].as_array_mut().unwrap().push(other);
    let mut own = raised_by_passweb("p-1", &event, "2026-11-22T10:04:00Z");
    own["data"]["assignees"].as_array_mut().unwrap().reverse();
    raise(&world, &[event, own]).await;
    world.pass(MINUTE * 60 * 6).await.unwrap();
    assert_eq!(received(&world).await.len(), 1);
    world.finish().await.unwrap();
}
