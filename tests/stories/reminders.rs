//! Reminders of activities: due at their moment, once, as the activity then stands.

use domain::message::State;
use domain::reason::Reason;
use jiff::{SignedDuration, Timestamp};
use kit::World;
use serde_json::{Value, json};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// An activity of the coming hours with a reminder an hour before; stories begin on 22 November 2026 at 11:00 in Rome.
fn saved(id: &str, version: u64, starts_at: &str) -> Value {
    json!({
        "id": id, "type": "activity.saved", "occurred_at": format!("2026-11-22T09:{version:02}:00Z"),
        "data": {
            "activity": {"id": "A1", "version": version, "subject": "Visita in azienda", "starts_at": starts_at,
                         "all_day": false, "time_zone": "Europe/Rome", "state": "PIANIFICATA"},
            "creator": {"id": "C9", "first_name": "Marco"},
            "assignees": [{"id": "P1", "first_name": "Anna", "phone": "340 1234567", "language": "it"}],
            "reminders": [{"id": "r1", "minutes_before": 60, "notify": ["whatsapp"]}],
            "sender_may_notify": true
        }
    })
}

fn deleted(id: &str, occurred_at: &str) -> Value {
    json!({"id": id, "type": "activity.deleted", "occurred_at": occurred_at, "data": {"activity": {"id": "A1"}}})
}

async fn tell(world: &World, events: &[Value]) {
    for event in events {
        world.accept(event).await.unwrap();
        world.deliver().await.unwrap();
    }
}

/// The moments at which something reached the phone, and its texts.
async fn told(world: &World) -> Vec<(Timestamp, String)> {
    let told = |message: &Value| {
        let at = message["received_at"].as_str().unwrap().parse().unwrap();
        (at, message["text"].as_str().unwrap().to_owned())
    };
    world.phone().await.unwrap().iter().map(told).collect()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[track_caller]
fn within_a_minute(moment: Timestamp, due_at: &str) {
    let late = moment.duration_since(at(due_at));
    assert!(late >= SignedDuration::ZERO && late <= SignedDuration::from_secs(70), "{moment} for {due_at}");
}

#[tokio::test]
async fn a_reminder_reaches_the_phone_at_its_moment() {
    let world = World::start().await.unwrap();
    tell(&world, &[saved("a-1", 1, "2026-11-22T15:00:00+01:00")]).await;
    world.pass(MINUTE * 60 * 2 + MINUTE * 59).await.unwrap();
    assert!(told(&world).await.is_empty(), "an hour before 15:00 is 14:00");
    world.pass(MINUTE * 5).await.unwrap();
    let [(moment, text)] = told(&world).await.try_into().unwrap();
    within_a_minute(moment, "2026-11-22T14:00:00+01:00");
    assert!(text.contains("Visita in azienda") && text.contains("15:00"), "{text}");
    world.pass(MINUTE * 180).await.unwrap();
    assert_eq!(told(&world).await.len(), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_activity_that_was_moved_is_told_once_with_its_new_time_whatever_came_first() {
    let events = [saved("a-1", 1, "2026-11-22T15:00:00+01:00"), saved("a-2", 2, "2026-11-22T16:00:00+01:00")];
    for order in [[0, 1], [1, 0]] {
        let world = World::start().await.unwrap();
        for place in order {
            tell(&world, &events[place..=place]).await;
        }
        world.pass(MINUTE * 60 * 6).await.unwrap();
        let [(moment, text)] = told(&world).await.try_into().unwrap();
        within_a_minute(moment, "2026-11-22T15:00:00+01:00");
        assert!(text.contains("16:00"), "{text}");
        world.finish().await.unwrap();
    }
}

#[tokio::test]
async fn an_activity_that_is_over_is_not_told_whatever_came_first() {
    let first = saved("a-1", 1, "2026-11-22T15:00:00+01:00");
    let mut cancelled = kit::example(domain::event::EventType::ActivityStatusChanged).unwrap();
    cancelled["id"] = json!("s-1");
    cancelled["occurred_at"] = json!("2026-11-22T09:30:00Z");
    cancelled["data"]["activity"] = first["data"]["activity"].clone();
    cancelled["data"]["activity"]["version"] = json!(2);
    cancelled["data"]["new_state"] = json!("Annullata");
    cancelled["data"]["notify"] = json!(["email"]);
    for last in [deleted("d-1", "2026-11-22T09:30:00Z"), cancelled] {
        for turned in [false, true] {
            let world = World::start().await.unwrap();
            let mut events = vec![first.clone(), last.clone()];
            if turned {
                events.reverse();
            }
            tell(&world, &events).await;
            world.pass(MINUTE * 60 * 6).await.unwrap();
            assert_eq!(told(&world).await, [], "{last} turned: {turned}");
            world.finish().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_reminder_that_was_taken_away_is_not_told() {
    let world = World::start().await.unwrap();
    let mut without = saved("a-2", 2, "2026-11-22T15:00:00+01:00");
    without["data"]["reminders"] = json!([]);
    tell(&world, &[saved("a-1", 1, "2026-11-22T15:00:00+01:00"), without]).await;
    world.pass(MINUTE * 60 * 6).await.unwrap();
    assert_eq!(told(&world).await, []);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn what_is_known_of_a_person_when_it_is_due_counts() {
    let world = World::start().await.unwrap();
    tell(&world, &[saved("a-1", 1, "2026-11-22T15:00:00+01:00")]).await;
    let updated = |id: &str, minute: u32, person: Value| {
        json!({"id": id, "type": "customer.updated", "occurred_at": format!("2026-11-22T09:{minute}:00Z"),
               "data": {"customer": person}})
    };
    tell(&world, &[updated("c-1", 40, json!({"id": "P1", "phone": "333 7654321", "language": "en"}))]).await;
    world.pass(MINUTE * 60 * 4).await.unwrap();
    let [message] = world.phone().await.unwrap().try_into().unwrap();
    assert_eq!((message["to"].as_str(), message["template"]["language"].as_str()), (Some("+393337654321"), Some("en")));

    let mut second = saved("a-2", 2, "2026-11-22T20:00:00+01:00");
    second["data"]["activity"]["id"] = json!("A2");
    tell(&world, &[second, updated("c-2", 50, json!({"id": "P1", "phone": "333 7654321", "whatsapp_opt_out": true}))])
        .await;
    world.pass(MINUTE * 60 * 6).await.unwrap();
    assert_eq!(told(&world).await.len(), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn ours_and_passwebs_reminder_are_one() {
    let world = World::start().await.unwrap();
    let event = saved("a-1", 1, "2026-11-22T15:00:00+01:00");
    let mut own = json!({
        "id": "p-1", "type": "activity.reminder", "occurred_at": "2026-11-22T10:04:00Z",
        "data": {"reminder": {"id": "r1", "minutes_before": 60}, "notify": ["whatsapp"]}
    });
    for part in ["activity", "assignees"] {
        own["data"][part] = event["data"][part].clone();
    }
    tell(&world, &[event, own]).await;
    assert_eq!(told(&world).await.len(), 1, "Passweb raised it before its time");
    world.pass(MINUTE * 60 * 6).await.unwrap();
    assert_eq!(told(&world).await.len(), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_sweep_that_dies_between_the_queue_and_the_schedule_fires_once() {
    let world = World::start().await.unwrap();
    tell(&world, &[saved("a-1", 1, "2026-11-22T15:00:00+01:00")]).await;
    world.clock.advance(MINUTE * 60 * 4);
    for polls in (1..400).step_by(9) {
        world.sweep_killed(polls).await;
    }
    world.pass(MINUTE * 5).await.unwrap();
    assert_eq!(told(&world).await.len(), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_reminder_that_comes_after_its_activity_began_is_expired() {
    let world = World::start().await.unwrap();
    // As by default: of use until the activity begins.
    world.configure("promemoria-attivita", |_, mapping| mapping.useful_for = None).await.unwrap();
    tell(&world, &[saved("a-1", 1, "2026-11-22T15:00:00+01:00")]).await;
    // Nothing ran for six hours.
    world.clock.advance(MINUTE * 60 * 6);
    world.pass(MINUTE * 2).await.unwrap();
    assert_eq!(told(&world).await, []);
    let site = world.site().unwrap();
    let events = world.ledger.events_of_subject(&site, "activity:A1").await.unwrap();
    let raised = events.iter().find(|event| event.id.starts_with("bridge:rem.")).unwrap();
    let [message] = raised.messages.as_slice() else { panic!("{raised:?}") };
    let State::Skipped(skip) = message.facts.state() else { panic!("{message:?}") };
    assert_eq!(skip.reason, Reason::Expired);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_sweep_costs_what_is_due_and_not_what_is_pending() {
    let world = World::start().await.unwrap();
    let mut costs = Vec::new();
    for pending in [10, 500] {
        for number in 0..pending {
            let mut event = saved(&format!("a-{pending}-{number}"), 1, "2026-12-24T15:00:00+01:00");
            event["data"]["activity"]["id"] = json!(format!("A-{pending}-{number}"));
            world.accept(&event).await.unwrap();
        }
        world.deliver().await.unwrap();
        let _before = world.wire.take_calls();
        world.sweep().await.unwrap();
        costs.push(world.wire.take_calls());
    }
    assert_eq!(costs[0], costs[1]);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_thousand_reminders_of_one_minute_all_arrive() {
    let world = World::start().await.unwrap();
    for number in 0..1_000 {
        let mut event = saved(&format!("a-{number}"), 1, "2026-11-22T15:00:00+01:00");
        event["data"]["activity"]["id"] = json!(format!("A{number}"));
        event["data"]["assignees"][0]["phone"] = json!(format!("+39340{:07}", 1_000_000 + number));
        world.accept(&event).await.unwrap();
    }
    world.deliver().await.unwrap();
    world.pass(MINUTE * 60 * 3 + MINUTE * 10).await.unwrap();
    assert_eq!(told(&world).await.len(), 1_000);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_activity_that_is_deleted_while_its_reminder_waits_is_not_told() {
    let world = World::start().await.unwrap();
    let other = {
        let mut event = saved("a-2", 1, "2026-11-22T15:00:00+01:00");
        event["data"]["activity"]["id"] = json!("A2");
        event["data"]["assignees"][0]["id"] = json!("P2");
        event["data"]["assignees"][0]["phone"] = json!("333 1234567");
        event
    };
    tell(&world, &[saved("a-1", 1, "2026-11-22T15:00:00+01:00"), other]).await;
    world.configure("promemoria-attivita", |site, _| site.paused = true).await.unwrap();
    world.pass(MINUTE * 60 * 3 + MINUTE * 5).await.unwrap();
    tell(&world, &[deleted("d-1", "2026-11-22T10:30:00Z")]).await;
    world.configure("promemoria-attivita", |site, _| site.paused = false).await.unwrap();
    world.pass(MINUTE * 5).await.unwrap();
    let phone = world.phone().await.unwrap();
    let [message] = phone.as_slice() else { panic!("{phone:?}") };
    assert_eq!(message["to"], "+393331234567");
    let events = world.ledger.events_of_subject(&world.site().unwrap(), "activity:A1").await.unwrap();
    let raised = events.iter().find(|event| event.id.starts_with("bridge:rem.")).unwrap();
    let State::Skipped(skip) = raised.messages.first().unwrap().facts.state() else { panic!("{raised:?}") };
    assert_eq!(skip.reason, Reason::Cancelled);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_reminder_that_is_due_long_after_its_activity_was_saved_is_told() {
    let world = World::start().await.unwrap();
    world.configure("promemoria-attivita", |site, _| site.retention_days = 30).await.unwrap();
    tell(&world, &[saved("a-1", 1, "2027-03-22T15:00:00+01:00")]).await;
    let event = domain::id::EventId::parse("a-1").unwrap();
    let expires_at = world.ledger.expires_at(&world.site().unwrap(), &event).await.unwrap().unwrap();
    assert!(expires_at > at("2027-04-20T00:00:00Z"), "{expires_at}");
    world.finish().await.unwrap();
}
