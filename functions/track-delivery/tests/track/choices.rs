//! Choices apply at every site that sends from the number, in whatever order they arrive.

use domain::message::suppression::{Scope, Source, Suppression};
use domain::primitives::phone::{Country, Phone};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::statuses::{CASES, status};
use crate::world::{ANNA, World, contact, secret, site};

const NONE: [&str; 0] = [];

fn word(word: &str, from: &str, at: Timestamp) -> Value {
    json!({"notice": "word.1", "site": "demo", "phone_number_id": "111", "from": from, "at": at, "word": word})
}

fn preference(value: &str, at: Timestamp) -> Value {
    json!({"notice": "preference.1", "site": "demo", "phone_number_id": "111", "from": ANNA, "at": at, "value": value})
}

fn later(at: Timestamp, seconds: i64) -> Timestamp {
    at + SignedDuration::from_secs(seconds)
}

#[tokio::test]
async fn a_stop_applies_at_every_site_of_the_number_and_a_start_lifts_it() {
    let world = World::start().await;
    let operator =
        Suppression { scope: Scope::All, source: Source::Operator, since: world.now(), reason: "asked".to_owned() };
    world.contacts.suppress(&site("demo"), &contact("demo", ANNA), &operator).await.unwrap();
    world.deliver(&[word("stop", ANNA, world.now())]).await;
    assert_eq!(world.suppressions("demo", ANNA).await, ["all/stop", "all/operator"]);
    assert_eq!(world.suppressions("outlet", ANNA).await, ["all/stop"]);
    assert_eq!(world.suppressions("other", ANNA).await, NONE, "it sends from another number");
    world.deliver(&[word("start", ANNA, later(world.now(), 1))]).await;
    assert_eq!(world.suppressions("demo", ANNA).await, ["all/operator"], "nobody clears another's");
    assert_eq!(world.suppressions("outlet", ANNA).await, NONE);
}

/// The latest choice counts, in any order and with any repetitions. A STOP also counts against a START of the same
/// time.
#[tokio::test]
async fn the_latest_stop_or_start_applies_in_any_delivery_order() {
    let world = World::start().await;
    let mut runner = TestRunner::default();
    let stated = prop::collection::vec((prop::bool::ANY, 0_i64..4), 1..7);
    for case in 0..CASES {
        let stated = stated.new_tree(&mut runner).unwrap().current();
        let from = format!("3934000001{case:02}");
        for (stops, second) in &stated {
            let name = if *stops { "stop" } else { "start" };
            world.deliver(&[word(name, &from, later(world.now(), *second))]).await;
        }
        let last = stated.iter().map(|(stops, second)| (*second, *stops)).max().unwrap();
        assert_eq!(!world.suppressions("demo", &from).await.is_empty(), last.1, "{stated:?}");
        assert_eq!(world.suppressions("outlet", &from).await, world.suppressions("demo", &from).await);
    }
}

#[tokio::test]
async fn a_repeated_stop_that_an_operator_lifted_stays_lifted() {
    let world = World::start().await;
    let stop = word("stop", ANNA, world.now());
    world.deliver(std::slice::from_ref(&stop)).await;
    assert!(world.lift_stop(&contact("demo", ANNA)).await);
    world.deliver(&[stop]).await;
    assert_eq!(world.suppressions("demo", ANNA).await, NONE);
    world.deliver(&[word("stop", ANNA, later(world.now(), 1))]).await;
    assert_eq!(world.suppressions("demo", ANNA).await, ["all/stop"]);
}

#[tokio::test]
async fn a_preference_applies_to_marketing_only() {
    let world = World::start().await;
    world.deliver(&[preference("stop", world.now())]).await;
    assert_eq!(world.suppressions("demo", ANNA).await, ["marketing/preferences"]);
    assert_eq!(world.suppressions("outlet", ANNA).await, ["marketing/preferences"]);
    world.deliver(&[word("start", ANNA, later(world.now(), 1))]).await;
    assert_eq!(world.suppressions("demo", ANNA).await, ["marketing/preferences"], "START is about the STOP");
    world.deliver(&[preference("resume", later(world.now(), 1))]).await;
    assert_eq!(world.suppressions("demo", ANNA).await, NONE);
}

#[tokio::test]
async fn a_stop_under_an_alias_applies_to_its_number() {
    let world = World::start().await;
    let id = world.send("e1", ANNA).await;
    let mut sent = status("e1", Some(&id), "sent", world.now());
    sent["user_id"] = json!("IT.a1");
    world.deliver(&[sent]).await;
    world.deliver(&[word("stop", "IT.a1", world.now())]).await;
    assert_eq!(world.suppressions("demo", ANNA).await, ["all/stop"]);
    assert_eq!(world.dead(Some("demo")).await, NONE);
}

#[tokio::test]
async fn a_stop_from_an_unknown_id_is_kept_until_its_number_is_known() {
    let world = World::start().await;
    assert_eq!(world.deliver(&[word("stop", "IT.a1", world.now())]).await, NONE);
    assert_eq!(world.dead(Some("demo")).await, NONE);
    assert!(world.contacts.all(&site("demo")).await.unwrap().is_empty(), "an id is no number of the site");
    let id = world.send("e1", ANNA).await;
    let mut sent = status("e1", Some(&id), "sent", world.now());
    sent["user_id"] = json!("IT.a1");
    world.deliver(&[sent]).await;
    assert_eq!(world.suppressions("demo", ANNA).await, ["all/stop"]);
}

#[tokio::test]
async fn a_stop_from_an_invalid_number_is_kept_and_not_dead_lettered() {
    let world = World::start().await;
    for (place, from) in ["5678", "972987654321", "IT.a1"].into_iter().enumerate() {
        for again in [0, 1] {
            assert_eq!(world.deliver(&[word("stop", from, later(world.now(), again))]).await, NONE, "{from}");
        }
        assert_eq!(world.dead(Some("demo")).await, NONE, "{from}");
        // A status links the id to one of our numbers.
        let (event, number) = (format!("e{place}"), format!("39340123456{place}"));
        let id = world.send(&event, &number).await;
        let mut sent = status(&event, Some(&id), "sent", world.now());
        sent["wa_id"] = json!(from);
        world.deliver(&[sent]).await;
        assert_eq!(world.suppressions("demo", &number).await, ["all/stop"], "{from}");
    }
}

/// Adds a site to the number 111 and reads what a number chose there, as each of its messages does.
async fn comes_later(world: &World, name: &str, number: &str) -> Vec<String> {
    assert!(world.webhooks.add_sender(&site(name), "111", "222").await.unwrap(), "another site had it first");
    let phone = Phone::parse(&format!("+{number}"), Country::ITALY).unwrap();
    let at_sender = secret().sender_contact_key("111", &phone);
    world.contacts.take_over(&at_sender, &site(name), &contact(name, number)).await.unwrap();
    world.suppressions(name, number).await
}

#[tokio::test]
async fn a_stop_applies_at_a_site_that_joins_the_number_later() {
    let world = World::start().await;
    world.deliver(&[word("stop", ANNA, world.now())]).await;
    assert_eq!(comes_later(&world, "late", ANNA).await, ["all/stop"]);
    // A STOP that an operator of the site lifted remains lifted.
    assert!(world.lift_stop(&contact("late", ANNA)).await);
    assert_eq!(comes_later(&world, "late", ANNA).await, NONE);
    world.deliver(&[word("start", ANNA, later(world.now(), 1))]).await;
    assert_eq!(comes_later(&world, "later", ANNA).await, NONE);
    let changed = json!({"notice": "number.1", "site": "demo", "phone_number_id": "111", "from": ANNA,
        "to": "393409999999"});
    world.deliver(&[word("stop", ANNA, later(world.now(), 2)), changed]).await;
    assert_eq!(comes_later(&world, "latest", "393409999999").await, ["all/stop"]);
}

#[tokio::test]
async fn a_stop_under_an_alias_applies_at_a_site_that_joins_the_number_later() {
    let world = World::start().await;
    let id = world.send("e1", ANNA).await;
    let mut sent = status("e1", Some(&id), "sent", world.now());
    sent["user_id"] = json!("IT.a1");
    world.deliver(&[sent]).await;
    world.deliver(&[word("stop", "IT.a1", world.now())]).await;
    assert_eq!(comes_later(&world, "late", ANNA).await, ["all/stop"]);
}

#[tokio::test]
async fn a_site_counts_as_later_even_after_the_first_site_of_the_number_is_removed() {
    let world = World::start().await;
    let came_later = async |name| world.webhooks.add_sender(&site(name), "111", "222").await.unwrap();
    assert_eq!([came_later("demo").await, came_later("outlet").await], [false, true]);
    let webhook = serde_json::from_value(json!({
        "site": "demo", "mode": "signature", "phone_number_ids": ["111"], "waba_ids": ["222"]
    }));
    world.webhooks.put("h1", &webhook.unwrap()).await.unwrap();
    world.webhooks.remove(&site("demo")).await.unwrap();
    assert_eq!([came_later("outlet").await, came_later("demo").await], [true, true]);
}

#[tokio::test]
async fn a_stop_survives_a_change_of_number() {
    let world = World::start().await;
    world.deliver(&[word("stop", ANNA, world.now())]).await;
    let changed = json!({"notice": "number.1", "site": "demo", "phone_number_id": "111", "from": ANNA,
        "to": "393409999999"});
    world.deliver(std::slice::from_ref(&changed)).await;
    assert_eq!(world.suppressions("demo", "393409999999").await, ["all/stop"]);
    assert_eq!(world.suppressions("outlet", "393409999999").await, ["all/stop"]);
    world.deliver(&[word("start", "393409999999", later(world.now(), 1))]).await;
    world.deliver(&[changed]).await;
    assert_eq!(world.suppressions("demo", "393409999999").await, NONE, "a repeated change brings nothing back");
    assert_eq!(world.suppressions("demo", ANNA).await, ["all/stop"]);
}
