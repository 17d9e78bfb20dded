//! Reminders of activities. Each is sent once, when it is due, with the current data of the activity.

mod meanwhile;
mod passweb;

use domain::mapping::UsefulFor;
use domain::message::reason::Reason;
use domain::message::state::State;
use domain::primitives::id::MappingId;
use jiff::{SignedDuration, Timestamp};
use kit::World;
use serde_json::{Value, json};
use store::ledger::StoredEvent;

const MAPPING: &str = "promemoria-attivita";
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// An activity of the coming hours with a reminder an hour before. Stories begin on 22 November 2026 at 11:00 in Rome.
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

fn cancelled(id: &str, version: u64, occurred_at: &str) -> Value {
    let mut event = kit::example(domain::event::EventType::ActivityStatusChanged).unwrap();
    event["id"] = json!(id);
    event["occurred_at"] = json!(occurred_at);
    event["data"]["activity"] = saved("a-1", version, "2026-11-22T15:00:00+01:00")["data"]["activity"].clone();
    event["data"]["new_state"] = json!("Annullata");
    event["data"]["notify"] = json!(["email"]);
    event
}

async fn raise(world: &World, events: &[Value]) {
    for event in events {
        world.accept(event).await.unwrap();
        world.deliver().await.unwrap();
    }
}

/// Returns the time and the text of each message on the phone.
async fn received(world: &World) -> Vec<(Timestamp, String)> {
    let received = |message: &Value| {
        let at = message["received_at"].as_str().unwrap().parse().unwrap();
        (at, message["text"].as_str().unwrap().to_owned())
    };
    world.phone().await.unwrap().iter().map(received).collect()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Advances the clock to `moment`, runs the schedule and delivers its records. Nothing runs before.
async fn sweep_at(world: &World, moment: &str) {
    world.clock.advance_to(at(moment));
    world.sweep().await.unwrap();
    world.deliver().await.unwrap();
}

/// Returns the events that reminders of the activity raised or would have raised, oldest first.
async fn raised(world: &World) -> Vec<StoredEvent> {
    let mut events = world.ledger.events_of_subject(&world.site().unwrap(), "activity:A1").await.unwrap();
    events.retain(|event| event.id.starts_with("bridge:rem."));
    events
}

/// Returns the people skipped by the plans of these events, with the reason and the deciding event. Asserts that there
/// are no messages.
fn left_out(raised: &[StoredEvent]) -> Vec<(String, Reason, String)> {
    assert!(raised.iter().all(|event| event.messages.is_empty()), "{raised:?}");
    let skips = raised.iter().flat_map(|event| &event.plan.skips);
    let person =
        |id: &Option<domain::primitives::id::ObjectId>| id.as_ref().map(ToString::to_string).unwrap_or_default();
    skips.map(|planned| (person(&planned.recipient), planned.skip.reason, planned.skip.detail.clone())).collect()
}

/// Returns today's recorded conflicts.
async fn conflicts(world: &World) -> Vec<String> {
    world.ledger.conflicts(&world.site().unwrap(), world.clock.now()).await.unwrap()
}

/// A save that changes only the subject.
fn edited(id: &str, version: u64, starts_at: &str, occurred_at: &str) -> Value {
    let mut event = saved(id, version, starts_at);
    event["occurred_at"] = json!(occurred_at);
    event["data"]["activity"]["subject"] = json!("Riunione in sede");
    event
}

#[track_caller]
fn within_a_minute(moment: Timestamp, due_at: &str) {
    let late = moment.duration_since(at(due_at));
    assert!(late >= SignedDuration::ZERO && late <= SignedDuration::from_secs(70), "{moment} for {due_at}");
}

/// Passweb's own reminder of an activity, with the data of `saved`.
fn raised_by_passweb(id: &str, saved: &Value, occurred_at: &str) -> Value {
    let mut own = json!({
        "id": id, "type": "activity.reminder", "occurred_at": occurred_at,
        "data": {"reminder": {"id": "r1", "minutes_before": 60}, "notify": ["whatsapp"]}
    });
    for part in ["activity", "assignees"] {
        own["data"][part] = saved["data"][part].clone();
    }
    own
}

#[tokio::test]
async fn a_reminder_is_sent_when_it_is_due() {
    let world = World::start().await.unwrap();
    raise(&world, &[saved("a-1", 1, "2026-11-22T15:00:00+01:00")]).await;
    world.pass(MINUTE * 60 * 2 + MINUTE * 59).await.unwrap();
    assert!(received(&world).await.is_empty(), "an hour before 15:00 is 14:00");
    world.pass(MINUTE * 5).await.unwrap();
    let [(moment, text)] = received(&world).await.try_into().unwrap();
    within_a_minute(moment, "2026-11-22T14:00:00+01:00");
    assert!(text.contains("Visita in azienda") && text.contains("15:00"), "{text}");
    world.pass(MINUTE * 180).await.unwrap();
    assert_eq!(received(&world).await.len(), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_moved_activity_is_reminded_once_at_its_new_time_in_any_order() {
    let events = [saved("a-1", 1, "2026-11-22T15:00:00+01:00"), saved("a-2", 2, "2026-11-22T16:00:00+01:00")];
    for order in [[0, 1], [1, 0]] {
        let world = World::start().await.unwrap();
        for place in order {
            raise(&world, &events[place..=place]).await;
        }
        sweep_at(&world, "2026-11-22T14:00:30+01:00").await;
        assert_eq!(received(&world).await, [], "{order:?}");
        sweep_at(&world, "2026-11-22T15:00:30+01:00").await;
        sweep_at(&world, "2026-11-22T15:30:00+01:00").await;
        let [(moment, text)] = received(&world).await.try_into().unwrap();
        within_a_minute(moment, "2026-11-22T15:00:00+01:00");
        assert!(text.contains("16:00"), "{text}");
        world.finish().await.unwrap();
    }
}

#[tokio::test]
async fn a_deleted_or_cancelled_activity_is_not_reminded_in_any_order() {
    let first = saved("a-1", 1, "2026-11-22T15:00:00+01:00");
    for last in [deleted("d-1", "2026-11-22T09:30:00Z"), cancelled("s-1", 2, "2026-11-22T09:30:00Z")] {
        for turned in [false, true] {
            let world = World::start().await.unwrap();
            let mut events = vec![first.clone(), last.clone()];
            if turned {
                events.reverse();
            }
            raise(&world, &events).await;
            sweep_at(&world, "2026-11-22T14:00:30+01:00").await;
            sweep_at(&world, "2026-11-22T14:01:30+01:00").await;
            assert_eq!(received(&world).await, [], "{last} turned: {turned}");
            world.finish().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_removed_reminder_is_not_sent() {
    let world = World::start().await.unwrap();
    let mut without = saved("a-2", 2, "2026-11-22T15:00:00+01:00");
    without["data"]["reminders"] = json!([]);
    raise(&world, &[saved("a-1", 1, "2026-11-22T15:00:00+01:00"), without]).await;
    sweep_at(&world, "2026-11-22T14:00:30+01:00").await;
    sweep_at(&world, "2026-11-22T14:01:30+01:00").await;
    assert_eq!(received(&world).await, []);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn contact_data_at_the_due_time_applies_to_a_reminder() {
    let world = World::start().await.unwrap();
    raise(&world, &[saved("a-1", 1, "2026-11-22T15:00:00+01:00")]).await;
    let updated = |id: &str, minute: u32, person: Value| {
        json!({"id": id, "type": "customer.updated", "occurred_at": format!("2026-11-22T09:{minute}:00Z"),
               "data": {"customer": person}})
    };
    raise(&world, &[updated("c-1", 40, json!({"id": "P1", "phone": "333 7654321", "language": "en"}))]).await;
    sweep_at(&world, "2026-11-22T14:00:30+01:00").await;
    let [message] = world.phone().await.unwrap().try_into().unwrap();
    assert_eq!((message["to"].as_str(), message["template"]["language"].as_str()), (Some("+393337654321"), Some("en")));

    let mut second = saved("a-2", 2, "2026-11-22T20:00:00+01:00");
    second["data"]["activity"]["id"] = json!("A2");
    raise(&world, &[second, updated("c-2", 50, json!({"id": "P1", "phone": "333 7654321", "whatsapp_opt_out": true}))])
        .await;
    sweep_at(&world, "2026-11-22T19:00:30+01:00").await;
    sweep_at(&world, "2026-11-22T19:01:30+01:00").await;
    assert_eq!(received(&world).await.len(), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_reminder_swept_after_its_activity_began_expires() {
    let world = World::start().await.unwrap();
    let mapping = world.live().await.unwrap().mapping(&MappingId::parse(MAPPING).unwrap()).unwrap().clone();
    assert_eq!(mapping.useful_for, UsefulFor::parse("7d").ok(), "even of use for days it is not told afterwards");
    raise(&world, &[saved("a-1", 1, "2026-11-22T15:00:00+01:00")]).await;
    // Nothing ran for six hours.
    sweep_at(&world, "2026-11-22T17:00:00+01:00").await;
    assert_eq!(received(&world).await, []);
    let [raised] = raised(&world).await.try_into().unwrap();
    let [message] = raised.messages.as_slice() else { panic!("{raised:?}") };
    let State::Skipped(skip) = message.facts.state() else { panic!("{message:?}") };
    assert_eq!(skip.reason, Reason::Expired);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_reminder_due_long_after_its_activity_was_saved_is_sent() {
    let world = World::start().await.unwrap();
    world.configure("promemoria-attivita", |site, _| site.retention_days = 30).await.unwrap();
    raise(&world, &[saved("a-1", 1, "2027-03-22T15:00:00+01:00")]).await;
    let event = domain::primitives::id::EventId::parse("a-1").unwrap();
    let expires_at = world.ledger.expires_at(&world.site().unwrap(), &event).await.unwrap().unwrap();
    assert!(expires_at > at("2027-04-20T00:00:00Z"), "{expires_at}");
    // The embedded table never expires items. The test is that the reminder reads its event four months later.
    sweep_at(&world, "2027-03-22T13:59:00+01:00").await;
    assert_eq!(received(&world).await, []);
    sweep_at(&world, "2027-03-22T14:00:30+01:00").await;
    let [(_, text)] = received(&world).await.try_into().unwrap();
    assert!(text.contains("Visita in azienda") && text.contains("22/03/2027"), "{text}");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_reminder_invalid_when_due_is_recorded_as_cancelled() {
    let mut without = saved("a-2", 2, "2026-11-22T15:00:00+01:00");
    without["data"]["reminders"] = json!([]);
    for last in [deleted("d-1", "2026-11-22T09:30:00Z"), without] {
        let world = World::start().await.unwrap();
        raise(&world, &[saved("a-1", 1, "2026-11-22T15:00:00+01:00"), last.clone()]).await;
        sweep_at(&world, "2026-11-22T14:00:05+01:00").await;
        let by = last["id"].as_str().unwrap().to_owned();
        assert_eq!(left_out(&raised(&world).await), [("P1".to_owned(), Reason::Cancelled, by)]);
        assert_eq!(received(&world).await, []);
        // It was removed from the schedule, so the next sweep fires nothing.
        world.clock.advance(MINUTE);
        assert_eq!(world.sweep().await.unwrap().fired, 0);
        world.finish().await.unwrap();
    }
}

#[tokio::test]
async fn a_reminder_at_the_start_is_sent_by_the_next_sweep() {
    let world = World::start().await.unwrap();
    let mut event = saved("a-1", 1, "2026-11-22T15:00:00+01:00");
    event["data"]["reminders"][0]["minutes_before"] = json!(0);
    raise(&world, &[event]).await;
    sweep_at(&world, "2026-11-22T15:00:50+01:00").await;
    assert_eq!(received(&world).await.len(), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_deletion_or_cancellation_beats_a_save_of_the_same_time_in_any_order() {
    let at_once = "2026-11-22T09:30:00Z";
    let versioned = |version: u64, occurred_at: &str| {
        let mut event = saved("a-1", version, "2026-11-22T15:00:00+01:00");
        event["occurred_at"] = json!(occurred_at);
        event
    };
    let unversioned = |occurred_at: &str| {
        let mut event = versioned(1, occurred_at);
        event["data"]["activity"].as_object_mut().unwrap().remove("version");
        event
    };
    let (deletion, cancellation) = (deleted("d-1", at_once), cancelled("s-1", 2, at_once));
    for turned in [false, true] {
        for (save, end, is_received) in [
            (unversioned(at_once), &deletion, false),
            (unversioned("2026-11-22T09:30:01Z"), &deletion, true),
            (versioned(2, at_once), &cancellation, false),
            (versioned(3, "2026-11-22T09:29:00Z"), &cancellation, true),
        ] {
            let world = World::start().await.unwrap();
            let mut events = vec![save.clone(), end.clone()];
            if turned {
                events.reverse();
            }
            for event in &events {
                raise(&world, std::slice::from_ref(event)).await;
                world.clock.advance(MINUTE);
            }
            sweep_at(&world, "2026-11-22T14:00:05+01:00").await;
            assert_eq!(!received(&world).await.is_empty(), is_received, "{save} {end} turned: {turned}");
            world.finish().await.unwrap();
        }
    }
}

#[tokio::test]
async fn the_later_of_two_saves_of_one_second_in_one_batch_applies_in_any_order() {
    for turned in [false, true] {
        let world = World::start().await.unwrap();
        let unversioned = |id: &str, starts_at: &str| {
            let mut event = saved(id, 1, starts_at);
            event["data"]["activity"].as_object_mut().unwrap().remove("version");
            event
        };
        let events = [unversioned("a-1", "2026-11-22T15:00:00+01:00"), unversioned("a-2", "2026-11-22T16:00:00+01:00")];
        assert_eq!(world.post_batch(&json!({"events": events})).await.unwrap().status, 202);
        let mut batch = world.take().await.unwrap();
        if turned {
            batch.reverse();
        }
        for message in &batch {
            assert!(world.handle(std::slice::from_ref(message)).await.is_empty());
            world.delete(message).await.unwrap();
        }
        world.pass(MINUTE * 60 * 6).await.unwrap();
        let [(_, text)] = received(&world).await.try_into().unwrap();
        assert!(text.contains("16:00"), "turned: {turned}, {text}");
        world.finish().await.unwrap();
    }
}

#[tokio::test]
async fn saving_a_cancelled_activity_again_restores_its_reminders() {
    let world = World::start().await.unwrap();
    let mut again = saved("a-3", 3, "2026-11-22T15:00:00+01:00");
    again["occurred_at"] = json!("2026-11-22T09:40:00Z");
    for event in [saved("a-1", 1, "2026-11-22T15:00:00+01:00"), cancelled("s-1", 2, "2026-11-22T09:30:00Z"), again] {
        raise(&world, &[event]).await;
    }
    sweep_at(&world, "2026-11-22T14:00:05+01:00").await;
    assert_eq!(received(&world).await.len(), 1);
    world.finish().await.unwrap();
}
