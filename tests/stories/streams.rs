//! Random streams of events, in any order and with duplicates. Plans and outcomes must always add up.

use std::collections::BTreeSet;

use domain::audit::{Audit, Audited};
use domain::event::EventType;
use domain::message::state::State;
use domain::primitives::id::EventId;
use jiff::SignedDuration;
use kit::World;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

/// One event of a stream: a published example with changed people and permissions.
#[derive(Clone, Debug)]
struct Raised {
    kind: EventType,
    /// There are few ids, so that some repeat.
    id: u8,
    phone: Option<&'static str>,
    opted_out: bool,
    ticked: bool,
    /// Some events are too old to be of use.
    day: u8,
}

fn raised() -> impl Strategy<Value = Raised> {
    let kind = prop::sample::select(EventType::ALL.as_slice());
    let phone = prop::option::of(prop::sample::select(vec!["340 1234567", "06 69812345", "n.d.", "+41 79 123 45 67"]));
    let rest = (any::<bool>(), prop::bool::weighted(0.8), 1u8..=22);
    (kind, 0u8..12, phone, rest).prop_map(|(kind, id, phone, (opted_out, ticked, day))| Raised {
        kind,
        id,
        phone,
        opted_out,
        ticked,
        day,
    })
}

/// Changes every person in a document.
fn change_people(value: &mut Value, one: &Raised) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| change_people(item, one)),
        Value::Object(fields) => {
            if fields.contains_key("phone") {
                fields.insert("phone".to_owned(), json!(one.phone));
                fields.insert("whatsapp_opt_out".to_owned(), json!(one.opted_out));
            }
            fields.values_mut().for_each(|field| change_people(field, one));
        }
        _ => {}
    }
}

fn document(one: &Raised) -> Value {
    let mut document = kit::example(one.kind).unwrap();
    document["id"] = json!(format!("e-{}-{}", one.kind, one.id));
    document["occurred_at"] = json!(format!("2026-11-{:02}T08:00:00Z", one.day));
    change_people(&mut document["data"], one);
    if document["data"].get("notify").is_some() && !one.ticked {
        document["data"]["notify"] = json!(["email"]);
    }
    document
}

/// Audits as `bridge audit` does, a week after the useful time of the last message.
async fn audit(world: &World) -> Audit {
    let (live, now) = (world.live().await.unwrap(), world.clock.now());
    let (from, until) = (now - SignedDuration::from_hours(24), now + SignedDuration::from_hours(24));
    let later = now + SignedDuration::from_hours(15 * 24);
    let mut audit = Audit::default();
    for event in world.ledger.events_between(&live.site.id, from, until).await.unwrap() {
        let messages = event.messages.iter();
        let messages =
            messages.map(|message| Audited { id: &message.id, mapping: &message.mapping, facts: &message.facts });
        audit.add(event.occurred_at, &event.plan, messages, &live, later);
    }
    audit
}

async fn every_outcome_is_accounted_for(stream: &[Raised]) {
    let world = World::start().await.unwrap();
    let mut accepted = BTreeSet::new();
    for one in stream {
        let document = document(one);
        let answer = world.post(&document).await.unwrap();
        // Only an inconsistent event is rejected: the times of an activity are compared with each other.
        assert!([202, 422].contains(&answer.status), "{answer:?}");
        if answer.status == 202 {
            accepted.insert(document["id"].as_str().unwrap().to_owned());
        }
    }
    world.deliver().await.unwrap();
    // Cart notices are sent hours later.
    world.clock.advance(SignedDuration::from_hours(4));
    world.sweep().await.unwrap();
    world.deliver().await.unwrap();
    let site = world.site().unwrap();
    let (mut sent, mut messages, mut skips) = (0, 0, 0);
    for id in &accepted {
        let event = world.ledger.event(&site, &EventId::parse(id).unwrap()).await.unwrap().unwrap();
        assert_eq!(event.messages.len(), event.plan.messages.len(), "{id}");
        messages += event.plan.messages.len();
        skips += event.plan.skips.len();
        for message in &event.messages {
            let state = message.facts.state();
            assert!(state.is_final(), "{id}: {state}");
            sent += usize::from(state == State::Sent);
        }
        let notifies = !event.plan.messages.is_empty() || !event.plan.skips.is_empty();
        let kind = EventType::of(&event.event_type).unwrap();
        assert_eq!(notifies, kind.notification() != domain::event::Notification::Never, "{id}");
    }
    assert_eq!(world.phone().await.unwrap().len(), sent);
    let audit = audit(&world).await;
    assert_eq!((audit.events, audit.messages), (accepted.len(), messages));
    assert_eq!(audit.by_outcome.values().sum::<usize>(), messages);
    assert_eq!(audit.by_outcome.get("sent").copied().unwrap_or_default(), sent);
    assert_eq!(audit.left_out.values().sum::<usize>(), skips);
    assert_eq!(audit.unaccounted, []);
    world.finish().await.unwrap();
}

#[test]
fn plans_and_outcomes_always_add_up() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases: 12, failure_persistence: None, ..Config::default() });
    let streams = prop::collection::vec(raised(), 1..30);
    let run = runner.run(&streams, |stream| {
        runtime.block_on(every_outcome_is_accounted_for(&stream));
        Ok(())
    });
    run.unwrap();
}
