//! The schedule under load and faults. The cost of a sweep depends on the due items. Everything due in a minute is sent
//! in it. Nothing is lost or sent twice, whatever happens to sweeps.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;

use domain::audit::{Audit, Audited};
use domain::mapping::UsefulFor;
use domain::message::reason::Reason;
use domain::message::state::State;
use domain::primitives::cause::chain;
use domain::primitives::id::{AccountId, EventId, ObjectId, SiteId};
use domain::primitives::key::{activity_key, event_key};
use fire_reminders::{Failed, Swept};
use jiff::{SignedDuration, Timestamp};
use kit::{World, file_uploaded, message_sent, order_status_changed};
use serde_json::{Value, json};
use store::schedule::{Lane, SHARDS};

use crate::waiting::{HOUR, MINUTE};

/// The number of events in one call.
const BATCH: usize = 100;
/// The time that a sweep reserves to complete what it has begun (`STEP_MARGIN`).
const MARGIN: SignedDuration = SignedDuration::from_secs(10);

fn phone(number: usize) -> String {
    format!("+39340{:07}", 1_000_000 + number)
}

/// An activity in an hour and a minute, with its own assignee and a reminder due in a minute.
fn activity(number: usize, now: Timestamp) -> Value {
    json!({
        "id": format!("a-{number}"), "type": "activity.saved", "occurred_at": now.to_string(),
        "data": {
            "activity": {"id": format!("A{number}"), "version": 1, "subject": "Visita in azienda", "all_day": false,
                         "starts_at": (now + HOUR + MINUTE).to_string(), "time_zone": "UTC", "state": "PIANIFICATA"},
            "creator": {"id": "C9", "first_name": "Marco"},
            "assignees": [{"id": format!("P{number}"), "first_name": "Anna", "phone": phone(number), "language": "it"}],
            "reminders": [{"id": "r1", "minutes_before": 60, "notify": ["whatsapp"]}],
            "sender_may_notify": true
        }
    })
}

async fn raise(world: &World, events: &[Value]) {
    for batch in events.chunks(BATCH) {
        assert_eq!(world.post_batch(&json!({"events": batch})).await.unwrap().status, 202);
        world.deliver().await.unwrap();
    }
}

/// Saves activities for `count` people. Their reminders are due when this function returns.
async fn due(world: &World, count: usize) {
    let now = world.clock.now();
    raise(world, &(0..count).map(|number| activity(number, now)).collect::<Vec<_>>()).await;
    world.clock.advance(MINUTE);
}

/// Returns the number of messages to each phone number.
async fn received(world: &World) -> BTreeMap<String, usize> {
    let mut received = BTreeMap::new();
    for message in world.phone().await.unwrap() {
        *received.entry(message["to"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    received
}

/// Asserts that everybody was notified exactly once.
async fn each_was_notified_once(world: &World, count: usize) {
    let expected: BTreeMap<String, usize> = (0..count).map(|number| (phone(number), 1)).collect();
    let received = received(world).await;
    let wrong: Vec<_> = expected.keys().filter(|to| received.get(*to) != Some(&1)).collect();
    assert!(wrong.is_empty() && received.len() == count, "missing or told twice: {wrong:?}");
}

#[tokio::test]
async fn a_sweep_needs_as_many_queries_for_five_thousand_pending_items_as_for_ten() {
    let world = World::start().await.unwrap();
    let mut requests = Vec::new();
    for pending in [10, 5_000] {
        world.fill_schedule(pending, world.clock.now() + HOUR).await.unwrap();
        let _before = world.wire.take_calls();
        assert_eq!(world.sweep().await.unwrap(), Swept::default());
        requests.push(world.wire.take_calls());
    }
    assert_eq!(requests[0], requests[1]);
    // The update records the sweep itself.
    assert_eq!(requests[0].get("UpdateItem"), Some(&1), "{requests:?}");
    assert!(requests[0].keys().eq(["Query", "UpdateItem"]), "{requests:?}");
    // The items exist: once due, they are fired. They belong to no activity.
    world.clock.advance(HOUR);
    assert_eq!(world.sweep().await.unwrap().fired, 5_000);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn one_sweep_fires_two_thousand_due_reminders_and_each_is_sent_once() {
    let world = World::start().await.unwrap();
    due(&world, 2_000).await;
    let _before = world.wire.take_calls();
    let swept = world.sweep().await.unwrap();
    assert_eq!((swept.fired, swept.late_s), (2_000, 0));
    // A page of reminders is read in one batch. The remaining calls are one removal each.
    let calls = world.wire.take_calls();
    assert_eq!(calls["DeleteItem"], 2_000);
    assert!(calls.values().sum::<usize>() < 2_400, "{calls:?}");
    assert_eq!(world.sweep().await.unwrap().fired, 0);
    world.pass(MINUTE * 3).await.unwrap();
    each_was_notified_once(&world, 2_000).await;
    world.finish().await.unwrap();
}

#[tokio::test]
async fn two_concurrent_sweeps_send_each_reminder_once() {
    let world = World::start().await.unwrap();
    due(&world, 200).await;
    let (one, other) = tokio::join!(world.sweep(), world.sweep());
    let fired = one.unwrap().fired + other.unwrap().fired;
    assert!(fired > 200, "they met nowhere: {fired}");
    world.pass(MINUTE * 5).await.unwrap();
    each_was_notified_once(&world, 200).await;
    world.finish().await.unwrap();
}

/// Sweeps until a deadline, while each poll takes `poll_takes`.
async fn sweep_slowly(world: &World, deadline: Timestamp, poll_takes: SignedDuration) -> Swept {
    let deadline_ms = u64::try_from(deadline.as_millisecond()).unwrap();
    let mut sweeping = pin!(fire_reminders::handle(&world.sweep, deadline_ms));
    let swept = poll_fn(|context| {
        world.clock.advance(poll_takes);
        sweeping.as_mut().poll(context)
    });
    swept.await.unwrap()
}

#[tokio::test]
async fn a_sweep_stops_in_time_and_the_next_one_goes_on() {
    let world = World::start().await.unwrap();
    due(&world, 400).await;
    let _before = world.wire.take_calls();
    let nothing = sweep_slowly(&world, world.clock.now() + MARGIN, SignedDuration::ZERO).await;
    let only_its_record = BTreeMap::from([("UpdateItem".to_owned(), 1)]);
    assert_eq!((nothing, world.wire.take_calls()), (Swept::default(), only_its_record), "no time to begin anything");

    let deadline = world.clock.now() + MARGIN + SignedDuration::from_secs(1);
    let begun = sweep_slowly(&world, deadline, SignedDuration::from_millis(10)).await;
    assert!((1..400).contains(&begun.fired), "{begun:?}");
    assert!(world.clock.now() < deadline, "{} after {deadline}", world.clock.now());

    world.clock.advance(MINUTE);
    let rest = world.sweep().await.unwrap();
    assert_eq!(rest.fired, 400 - begun.fired);
    assert!((60..75).contains(&rest.late_s), "{rest:?}");
    world.pass(MINUTE * 2).await.unwrap();
    each_was_notified_once(&world, 400).await;
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_unreadable_reminder_does_not_delay_the_others() {
    let world = World::start().await.unwrap();
    let site = world.site().unwrap();
    let due_at = "2026-11-22T09:00:00.000000000Z";
    let broken = ObjectId::parse("broken").unwrap();
    world.put_item("Contacts", &[("pk", &activity_key(&site, &broken)), ("event_id", "")]).await.unwrap();
    let reminder = json!({"site": site, "event": "a-0", "activity": broken, "reminder": "r1", "due_at": due_at});
    // Each shard has more than one page of them and an unreadable one, all older than the others.
    for shard in 0..SHARDS {
        let shard = shard.to_string();
        for number in 0..60 {
            let (key, reminder) = (format!("R#{shard}-{number}"), reminder.to_string());
            let item = [("pk", key.as_str()), ("shard", &shard), ("due_at", due_at), ("reminder", &reminder)];
            world.put_item("Schedule", &item).await.unwrap();
        }
        let item = [("pk", &format!("R#{shard}-unreadable")[..]), ("shard", &shard), ("due_at", due_at)];
        world.put_item("Schedule", &item).await.unwrap();
    }
    due(&world, 50).await;
    let (swept, why) = failed(&world).await;
    assert!(why.contains("event_id"), "{why}");
    assert_eq!(swept.fired, 50);
    assert!(swept.late_s >= 60 * 60, "what cannot be fired is late all the same: {swept:?}");
    world.deliver().await.unwrap();
    each_was_notified_once(&world, 50).await;
    world.finish().await.unwrap();
}

/// Runs a sweep that fails in part. Returns its result and the cause.
async fn failed(world: &World) -> (Swept, String) {
    let error = world.sweep().await.unwrap_err();
    let Failed { swept, cause } = error.downcast().unwrap();
    (swept, chain(&cause))
}

#[tokio::test]
async fn an_unreadable_item_fails_the_sweep() {
    let world = World::start().await.unwrap();
    let item = [("pk", "R#unreadable"), ("shard", "3"), ("due_at", "2026-11-22T09:00:00.000000000Z")];
    world.put_item("Schedule", &item).await.unwrap();
    let (swept, why) = failed(&world).await;
    assert!(why.contains("R#unreadable") && swept.fired == 0, "{why}");
    world.finish().await.unwrap();
}

/// Writes an event into the ledger.
async fn put_event(world: &World, site: &SiteId, event: &Value) {
    let id = EventId::parse(event["id"].as_str().unwrap()).unwrap();
    let (key, event) = (event_key(site, &id), event.to_string());
    let plan = json!({"messages": [], "skips": []}).to_string();
    let received_at = world.clock.now().to_string();
    let item =
        [("pk", key.as_str()), ("sk", "EVENT"), ("event", &event), ("plan", &plan), ("received_at", &received_at)];
    world.put_item("Ledger", &item).await.unwrap();
}

#[tokio::test]
async fn a_reminder_with_an_unreadable_event_stays_and_one_with_an_erased_event_goes() {
    let world = World::start().await.unwrap();
    let (site, saved) = (world.site().unwrap(), activity(0, world.clock.now()));
    due(&world, 1).await;
    let mut broken = saved.clone();
    broken["data"]["activity"]["starts_at"] = json!("tomorrow");
    put_event(&world, &site, &broken).await;
    let (swept, why) = failed(&world).await;
    assert!(why.contains("a-0"), "{why}");
    assert_eq!(swept.fired, 0);
    // The reminder is still in the schedule after the repair.
    put_event(&world, &site, &saved).await;
    assert_eq!(world.sweep().await.unwrap().fired, 1);
    world.deliver().await.unwrap();
    each_was_notified_once(&world, 1).await;
    world.finish().await.unwrap();

    let world = World::start().await.unwrap();
    due(&world, 1).await;
    put_event(&world, &site, &json!({"id": "a-0", "type": "activity.saved", "erased": true})).await;
    assert_eq!(world.sweep().await.unwrap().fired, 1, "nobody is left to be told");
    assert_eq!(received(&world).await.len(), 0);
    world.finish().await.unwrap();

    // A reminder of an activity that is over does not wait for the repair.
    let world = World::start().await.unwrap();
    due(&world, 1).await;
    let deletion = json!({"id": "d-0", "type": "activity.deleted", "occurred_at": world.clock.now().to_string(),
                          "data": {"activity": {"id": "A0"}}});
    raise(&world, &[deletion]).await;
    put_event(&world, &site, &broken).await;
    assert_eq!(world.sweep().await.unwrap().fired, 1);
    assert_eq!(received(&world).await.len(), 0);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_site_with_unreadable_settings_does_not_delay_the_others() {
    let world = World::start().await.unwrap();
    let other = SiteId::parse("other").unwrap();
    world.put_item("Config", &[("pk", "LIVE#other"), ("sk", "SITE"), ("json", "{}")]).await.unwrap();
    // The other site has a reminder in each shard. It is no longer valid and is older than the others.
    let gone = activity(0, world.clock.now());
    put_event(&world, &other, &gone).await;
    let latest = activity_key(&other, &ObjectId::parse("A0").unwrap());
    world.put_item("Contacts", &[("pk", &latest), ("event_id", "a-0")]).await.unwrap();
    let due_at = "2026-11-22T09:00:00.000000000Z";
    let reminder = json!({"site": other, "event": "a-0", "activity": "A0", "reminder": "r1", "due_at": due_at});
    for shard in 0..SHARDS {
        let (key, shard, reminder) = (format!("R#{shard}"), shard.to_string(), reminder.to_string());
        let item = [("pk", key.as_str()), ("shard", &shard), ("due_at", due_at), ("reminder", &reminder)];
        world.put_item("Schedule", &item).await.unwrap();
    }
    due(&world, 40).await;
    let (swept, why) = failed(&world).await;
    assert!(why.contains("LIVE#other"), "{why}");
    assert_eq!(swept.fired, 40);
    world.deliver().await.unwrap();
    each_was_notified_once(&world, 40).await;
    world.finish().await.unwrap();
}

async fn skipped_for(world: &World, event: &str, mapping: &str, recipient: &str) -> Option<Reason> {
    match world.state(event, mapping, recipient).await.unwrap() {
        State::Skipped(skip) => Some(skip.reason),
        _ => None,
    }
}

/// Audits all events in the ledger, as `bridge audit` does.
async fn audit(world: &World) -> Audit {
    let (site, live, now) = (world.site().unwrap(), world.live().await.unwrap(), world.clock.now());
    let mut audit = Audit::default();
    for event in world.ledger.events_between(&site, now - HOUR * 24, now).await.unwrap() {
        let messages = event.messages.iter();
        let audited =
            messages.map(|message| Audited { id: &message.id, mapping: &message.mapping, facts: &message.facts });
        audit.add(event.occurred_at, &event.plan, audited, &live, now);
    }
    audit
}

/// Sets quiet hours until noon on a mapping. Stories begin at 11:00 in Rome.
async fn quiet_until_noon(world: &World, mapping: &str, useful_for: &str) {
    let quiet = json!({"from": "10:30", "to": "12:00", "holidays": []});
    let quiet = serde_json::from_value(quiet).unwrap();
    let useful_for = UsefulFor::parse(useful_for).unwrap();
    let change = |_: &mut _, mapping: &mut domain::mapping::Mapping| {
        (mapping.quiet_hours, mapping.useful_for) = (Some(quiet), Some(useful_for));
    };
    world.configure(mapping, change).await.unwrap();
}

#[tokio::test]
async fn after_six_hours_without_a_sweep_useful_messages_are_sent_and_the_rest_expire() {
    let world = World::start().await.unwrap();
    // The default: of use until the activity begins.
    world.configure("promemoria-attivita", |_, mapping| mapping.useful_for = None).await.unwrap();
    let hold_for = Some(UsefulFor::parse("30m").unwrap());
    world.configure("stato-ordine", |_, mapping| mapping.hold_for = hold_for).await.unwrap();
    quiet_until_noon(&world, "nuovo-messaggio", "24h").await;
    quiet_until_noon(&world, "nuovo-file", "2h").await;
    let now = world.clock.now();
    let begins_in = |number: usize, lead: SignedDuration| {
        let mut event = activity(number, now);
        event["data"]["activity"]["starts_at"] = json!((now + lead).to_string());
        event
    };
    let mut order = order_status_changed("o-1");
    order["occurred_at"] = json!(now.to_string());
    let cart = json!({
        "id": "k-1", "type": "cart.abandoned", "occurred_at": now.to_string(), "language": "it",
        "data": {
            "cart": {"id": "K1", "abandoned_at": now.to_string(), "item_count": 2,
                     "total": {"amount": "45.50", "currency": "EUR"}, "url": "https://www.example.com/carrello"},
            "customer": {"id": "C8", "first_name": "Bruno", "phone": "340 7654321"}
        }
    });
    let somebody = |id: &str, phone: &str| json!([{"id": id, "first_name": "Carla", "phone": phone}]);
    raise(
        &world,
        &[
            begins_in(1, HOUR * 4),
            begins_in(2, HOUR * 6 + MINUTE * 30),
            order,
            cart,
            message_sent("m-1", &somebody("D1", "333 1111111")),
            file_uploaded("f-1", &somebody("D2", "333 2222222")),
        ],
    )
    .await;
    assert_eq!(received(&world).await.len(), 0, "all of them wait");
    // Nothing ran.
    world.clock.advance(HOUR * 6);
    world.pass(MINUTE * 3).await.unwrap();

    let expected = [&phone(2), "+393401234567", "+393407654321", "+393331111111"].map(|to| (to.to_owned(), 1));
    assert_eq!(received(&world).await, BTreeMap::from(expected));
    assert_eq!(skipped_for(&world, "f-1", "nuovo-file", "D2").await, Some(Reason::Expired));
    let site = world.site().unwrap();
    let events = world.ledger.events_of_subject(&site, "activity:A1").await.unwrap();
    let raised = events.iter().find(|event| event.id.starts_with("bridge:rem.")).unwrap();
    let [message] = raised.messages.as_slice() else { panic!("{raised:?}") };
    assert!(matches!(message.facts.state(), State::Skipped(skip) if skip.reason == Reason::Expired), "{message:?}");
    let audit = audit(&world).await;
    assert_eq!((audit.messages, audit.unaccounted), (6, Vec::new()), "{:?}", audit.by_outcome);
    assert_eq!(audit.by_outcome, BTreeMap::from([("sent".to_owned(), 4), ("skipped".to_owned(), 2)]));
    world.finish().await.unwrap();
}

/// Creates two reminders, two pending states and two messages in the account's lane. One sweep a minute later finds all
/// of them due. The recipients have the six numbers from `first`.
async fn something_of_each_kind(world: &World, first: usize) {
    let now = world.clock.now();
    let lane = Lane { site: world.site().unwrap(), account: AccountId::parse("main").unwrap() };
    // The account has no slots for half a minute, so messages are parked.
    world.schedule.pause_account(&lane, now + SignedDuration::from_secs(30)).await.unwrap();
    let mut events = Vec::new();
    for number in [first, first + 1] {
        events.push(activity(number, now));
        let mut order = order_status_changed(&format!("o-{number}"));
        order["occurred_at"] = json!(now.to_string());
        order["data"]["order"]["id"] = json!(format!("O{number}"));
        order["data"]["customer"]["id"] = json!(format!("P{number}"));
        order["data"]["customer"]["phone"] = json!(phone(number + 2));
        events.push(order);
        let reader = json!([{"id": format!("P{number}"), "first_name": "Carla", "phone": phone(number + 4)}]);
        let mut message = message_sent(&format!("m-{number}"), &reader);
        message["data"]["message"]["id"] = json!(format!("M{number}"));
        events.push(message);
    }
    raise(world, &events).await;
    assert_eq!(world.schedule.parked(&lane, 10).await.unwrap().len(), 2);
    world.clock.advance(MINUTE);
}

#[tokio::test]
async fn two_concurrent_sweeps_handle_items_of_each_kind_once() {
    let world = World::start().await.unwrap();
    let hold_for = Some(UsefulFor::parse("1m").unwrap());
    world.configure("stato-ordine", |_, mapping| mapping.hold_for = hold_for).await.unwrap();
    for round in 0..10 {
        something_of_each_kind(&world, round * 6).await;
        let (one, other) = tokio::join!(world.sweep(), world.sweep());
        one.unwrap();
        other.unwrap();
        world.pass(MINUTE * 2).await.unwrap();
    }
    each_was_notified_once(&world, 60).await;
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_sweep_killed_at_any_poll_loses_nothing_and_sends_each_once() {
    let world = World::start().await.unwrap();
    let hold_for = Some(UsefulFor::parse("1m").unwrap());
    world.configure("stato-ordine", |_, mapping| mapping.hold_for = hold_for).await.unwrap();
    let mut killed = 0;
    loop {
        something_of_each_kind(&world, killed * 6).await;
        let done = world.sweep_killed(killed).await;
        killed += 1;
        // The records that it enqueued are handled before the next sweep. The next sweep fires the remaining items.
        world.deliver().await.unwrap();
        world.pass(MINUTE * 2).await.unwrap();
        if done {
            break;
        }
    }
    assert!(killed > 20, "only {killed} polls");
    each_was_notified_once(&world, killed * 6).await;
    world.finish().await.unwrap();
}
