//! Changes to an activity or a person between a reminder's due time and its message.

use super::*;

#[tokio::test]
async fn an_activity_deleted_while_its_reminder_waits_is_not_reminded() {
    let world = World::start().await.unwrap();
    let other = {
        let mut event = saved("a-2", 1, "2026-11-22T15:00:00+01:00");
        event["data"]["activity"]["id"] = json!("A2");
        event["data"]["assignees"][0]["id"] = json!("P2");
        event["data"]["assignees"][0]["phone"] = json!("333 1234567");
        event
    };
    raise(&world, &[saved("a-1", 1, "2026-11-22T15:00:00+01:00"), other]).await;
    world.configure("promemoria-attivita", |site, _| site.paused = true).await.unwrap();
    world.pass(MINUTE * 60 * 3 + MINUTE * 5).await.unwrap();
    raise(&world, &[deleted("d-1", "2026-11-22T10:30:00Z")]).await;
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
async fn an_edit_between_the_due_time_and_the_sweep_does_not_lose_the_reminder() {
    let world = World::start().await.unwrap();
    raise(&world, &[saved("a-1", 1, "2026-11-22T15:00:00+01:00")]).await;
    world.clock.advance_to(at("2026-11-22T14:00:20+01:00"));
    raise(&world, &[edited("a-2", 2, "2026-11-22T15:00:00+01:00", "2026-11-22T14:00:20+01:00")]).await;
    sweep_at(&world, "2026-11-22T14:00:40+01:00").await;
    sweep_at(&world, "2026-11-22T14:01:40+01:00").await;
    let [(_, text)] = received(&world).await.try_into().unwrap();
    assert!(text.contains("Riunione in sede"), "the newest text counts: {text}");
    assert_eq!(conflicts(&world).await, [""; 0]);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_edit_during_the_wait_keeps_the_reminder_and_a_move_replaces_it() {
    for starts_at in ["2026-11-23T09:00:00+01:00", "2026-11-23T10:00:00+01:00"] {
        let world = World::start().await.unwrap();
        let quiet = serde_json::from_value(json!({"from": "21:00", "to": "08:00", "holidays": []})).unwrap();
        world.configure(MAPPING, |_, mapping| mapping.quiet_hours = Some(quiet)).await.unwrap();
        let mut first = saved("a-1", 1, "2026-11-23T09:00:00+01:00");
        first["data"]["reminders"][0]["minutes_before"] = json!(120);
        raise(&world, std::slice::from_ref(&first)).await;
        sweep_at(&world, "2026-11-23T07:00:10+01:00").await;
        let mut second = edited("a-2", 2, starts_at, "2026-11-23T07:30:00+01:00");
        second["data"]["reminders"] = first["data"]["reminders"].clone();
        world.clock.advance_to(at("2026-11-23T07:30:00+01:00"));
        raise(&world, &[second]).await;
        assert_eq!(received(&world).await, [], "it is quiet until 08:00");
        sweep_at(&world, "2026-11-23T08:00:10+01:00").await;
        sweep_at(&world, "2026-11-23T08:01:10+01:00").await;
        let [(moment, text)] = received(&world).await.try_into().unwrap();
        within_a_minute(moment, "2026-11-23T08:00:00+01:00");
        let hour = if starts_at.contains("T09") { "09:00" } else { "10:00" };
        assert!(text.contains(hour), "{starts_at}: {text}");
        let skipped = raised(&world).await.into_iter().flat_map(|event| event.messages).filter_map(|message| {
            match message.facts.state() {
                State::Skipped(skip) => Some(skip.reason),
                _ => None,
            }
        });
        let expected: &[Reason] = if hour == "09:00" { &[] } else { &[Reason::Cancelled] };
        assert_eq!(skipped.collect::<Vec<_>>(), expected);
        world.finish().await.unwrap();
    }
}

#[tokio::test]
async fn an_edit_between_raise_and_claim_sends_one_reminder_without_a_conflict() {
    let world = World::start().await.unwrap();
    raise(&world, &[saved("a-1", 1, "2026-11-22T15:00:00+01:00")]).await;
    world.clock.advance_to(at("2026-11-22T14:00:05+01:00"));
    world.sweep().await.unwrap();
    let raised_before = world.take().await.unwrap();
    assert_eq!(raised_before.len(), 1);
    // The edit happened before the due time, so its own schedule item is due at once.
    let edit = edited("a-2", 2, "2026-11-22T15:00:00+01:00", "2026-11-22T13:59:50+01:00");
    world.clock.advance_to(at("2026-11-22T14:00:20+01:00"));
    raise(&world, &[edit]).await;
    world.redeliver(&raised_before).await.unwrap();
    world.deliver().await.unwrap();
    assert_eq!(received(&world).await.len(), 1, "the first one was not refused");
    sweep_at(&world, "2026-11-22T14:01:05+01:00").await;
    assert_eq!(received(&world).await.len(), 1);
    let events = raised(&world).await;
    let states: Vec<State> = events.iter().flat_map(|event| &event.messages).map(|one| one.facts.state()).collect();
    let again = |state: &State| matches!(state, State::Skipped(skip) if skip.reason == Reason::AlreadyNotified);
    assert_eq!((events.len(), states.len(), states.iter().filter(|state| again(state)).count()), (2, 2, 1));
    assert_eq!(conflicts(&world).await, [""; 0]);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn edits_during_a_six_hour_outage_leave_a_useful_reminder() {
    let events = [
        saved("a-1", 1, "2026-11-22T20:00:00+01:00"),
        edited("a-2", 2, "2026-11-22T20:00:00+01:00", "2026-11-22T16:30:00+01:00"),
    ];
    for order in [[0, 1], [1, 0]] {
        let world = World::start().await.unwrap();
        // Due at 16:00. Nothing ran from 11:00 to 17:00, and the queue keeps no order.
        world.clock.advance_to(at("2026-11-22T17:00:00+01:00"));
        for place in order {
            let mut event = events[place].clone();
            event["data"]["reminders"][0]["minutes_before"] = json!(240);
            raise(&world, &[event]).await;
        }
        sweep_at(&world, "2026-11-22T17:00:30+01:00").await;
        sweep_at(&world, "2026-11-22T17:01:30+01:00").await;
        let [(_, text)] = received(&world).await.try_into().unwrap();
        assert!(text.contains("Riunione in sede"), "{order:?}: {text}");
        world.finish().await.unwrap();
    }
}

#[tokio::test]
async fn an_opt_out_before_the_due_time_applies_even_if_stored_after_the_raise() {
    let world = World::start().await.unwrap();
    raise(&world, &[saved("a-1", 1, "2026-11-22T15:00:00+01:00")]).await;
    world.clock.advance_to(at("2026-11-22T14:00:05+01:00"));
    world.sweep().await.unwrap();
    let raised_before = world.take().await.unwrap();
    let opted_out = json!({
        "id": "c-1", "type": "customer.updated", "occurred_at": "2026-11-22T13:59:00+01:00",
        "data": {"customer": {"id": "P1", "phone": "340 1234567", "whatsapp_opt_out": true}}
    });
    raise(&world, &[opted_out]).await;
    world.redeliver(&raised_before).await.unwrap();
    world.deliver().await.unwrap();
    assert_eq!(received(&world).await, []);
    let [raised] = raised(&world).await.try_into().unwrap();
    let State::Skipped(skip) = raised.messages.first().unwrap().facts.state() else { panic!("{raised:?}") };
    assert_eq!(skip.reason, Reason::OptedOut);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn contact_data_received_while_a_message_waits_applies() {
    let world = World::start().await.unwrap();
    world.configure("stato-ordine", |site, _| site.paused = true).await.unwrap();
    let mut order = kit::order_status_changed("o-1");
    order["occurred_at"] = json!("2026-11-22T09:59:00Z");
    order["data"]["customer"] = json!({"id": "C7", "first_name": "Anna", "phone": "340 1234567", "country": "IT"});
    order.as_object_mut().unwrap().remove("language");
    let updated = |id: &str, occurred_at: &str, phone: &str, country: &str| {
        json!({"id": id, "type": "customer.updated", "occurred_at": occurred_at,
               "data": {"customer": {"id": "C7", "phone": phone, "country": country, "language": "en"}}})
    };
    raise(&world, &[order]).await;
    // Contact data older than the event is ignored. A national number is parsed with the country of its own record.
    raise(&world, &[updated("c-1", "2026-11-22T09:58:00Z", "333 1111111", "IT")]).await;
    raise(&world, &[updated("c-2", "2026-11-22T10:00:00Z", "0151 23456789", "DE")]).await;
    world.configure("stato-ordine", |site, _| site.paused = false).await.unwrap();
    world.pass(MINUTE * 3).await.unwrap();
    let [message] = world.phone().await.unwrap().try_into().unwrap();
    assert_eq!(
        (message["to"].as_str(), message["template"]["language"].as_str()),
        (Some("+4915123456789"), Some("en"))
    );
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_delayed_reminder_uses_the_current_activity_and_its_recipients() {
    let world = World::start().await.unwrap();
    let person = |number: usize| json!({"id": format!("P{number}"), "first_name": "Anna", "phone": format!("340 123456{number}"), "language": "it"});
    let mut first = saved("a-1", 1, "2026-11-22T15:00:00+01:00");
    first["data"]["assignees"] = json!([person(1), person(2)]);
    raise(&world, &[first.clone()]).await;
    world.configure(MAPPING, |site, _| site.paused = true).await.unwrap();
    sweep_at(&world, "2026-11-22T14:00:05+01:00").await;
    // The reminder waits because its site is paused. In the meantime P1 is removed, P3 is added, and the text changes.
    let mut second = edited("a-2", 2, "2026-11-22T15:00:00+01:00", "2026-11-22T14:10:00+01:00");
    second["data"]["assignees"] = json!([person(2), person(3)]);
    world.clock.advance_to(at("2026-11-22T14:10:00+01:00"));
    raise(&world, &[second]).await;
    world.configure(MAPPING, |site, _| site.paused = false).await.unwrap();
    world.pass(MINUTE * 5).await.unwrap();
    let phone = world.phone().await.unwrap();
    let mut to: Vec<&str> = phone.iter().map(|message| message["to"].as_str().unwrap()).collect();
    to.sort_unstable();
    assert_eq!(to, ["+393401234562", "+393401234563"]);
    assert!(phone.iter().all(|message| message["text"].as_str().unwrap().contains("Riunione in sede")), "{phone:?}");
    let [first, second] = raised(&world).await.try_into().unwrap();
    let skipped = |event: &StoredEvent| {
        let states = event.messages.iter().map(|message| (message.recipient.to_string(), message.facts.state()));
        let skipped = states.filter_map(|(recipient, state)| match state {
            State::Skipped(skip) => Some((recipient, skip.reason)),
            _ => None,
        });
        skipped.collect::<Vec<_>>()
    };
    let mut all = [skipped(&first), skipped(&second)].concat();
    all.sort();
    // P2 is in both plans and is notified by one of them.
    assert_eq!(all, [("P1".to_owned(), Reason::Cancelled), ("P2".to_owned(), Reason::AlreadyNotified)]);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_reminder_from_a_late_record_goes_to_the_current_recipients() {
    let world = World::start().await.unwrap();
    raise(&world, &[saved("a-1", 1, "2026-11-22T15:00:00+01:00")]).await;
    world.clock.advance_to(at("2026-11-22T14:00:05+01:00"));
    world.sweep().await.unwrap();
    let on_its_way = world.take().await.unwrap();
    let mut second = edited("a-2", 2, "2026-11-22T15:00:00+01:00", "2026-11-22T14:10:00+01:00");
    second["data"]["assignees"][0] =
        json!({"id": "P2", "first_name": "Bruno", "phone": "333 7654321", "language": "it"});
    world.clock.advance_to(at("2026-11-22T14:10:00+01:00"));
    raise(&world, &[second]).await;
    world.redeliver(&on_its_way).await.unwrap();
    world.deliver().await.unwrap();
    let phone = world.phone().await.unwrap();
    assert!(matches!(phone.as_slice(), [message] if message["to"] == "+393337654321"), "{phone:?}");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_refreshed_reminder_goes_to_the_latest_number() {
    let world = World::start().await.unwrap();
    raise(&world, &[saved("a-1", 1, "2026-11-22T15:00:00+01:00")]).await;
    world.clock.advance_to(at("2026-11-22T14:00:02+01:00"));
    let updated = json!({
        "id": "c-1", "type": "customer.updated", "occurred_at": "2026-11-22T13:59:55+01:00",
        "data": {"customer": {"id": "P1", "phone": "333 7654321"}}
    });
    raise(&world, &[updated]).await;
    world.clock.advance_to(at("2026-11-22T14:00:05+01:00"));
    world.sweep().await.unwrap();
    let on_its_way = world.take().await.unwrap();
    // The edit happened before the number changed and is handled late, and so is the reminder.
    let edit = edited("a-2", 2, "2026-11-22T15:00:00+01:00", "2026-11-22T13:59:50+01:00");
    world.clock.advance_to(at("2026-11-22T14:10:00+01:00"));
    raise(&world, &[edit]).await;
    world.redeliver(&on_its_way).await.unwrap();
    world.deliver().await.unwrap();
    let phone = world.phone().await.unwrap();
    let [message] = phone.as_slice() else { panic!("{phone:?}") };
    assert_eq!(message["to"], "+393337654321");
    assert!(message["text"].as_str().unwrap().contains("Riunione in sede"), "{message}");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn resending_one_reminder_notifies_nobody_else() {
    let world = World::start().await.unwrap();
    raise(&world, &[saved("a-1", 1, "2026-11-22T15:00:00+01:00")]).await;
    sweep_at(&world, "2026-11-22T14:00:05+01:00").await;
    assert_eq!(received(&world).await.len(), 1);
    // An assignee is added after everybody was reminded.
    let mut second = edited("a-2", 2, "2026-11-22T15:00:00+01:00", "2026-11-22T14:10:00+01:00");
    let joined = json!({"id": "P2", "first_name": "Bruno", "phone": "333 7654321", "language": "it"});
    second["data"]["assignees"].as_array_mut().unwrap().push(joined);
    world.clock.advance_to(at("2026-11-22T14:10:00+01:00"));
    raise(&world, &[second]).await;
    let [raised] = raised(&world).await.try_into().unwrap();
    let again = json!({"job": "message.1", "site": "demo", "event": raised.id, "mapping": MAPPING, "recipient": "P1",
                       "occasion": 2, "asked_at": world.clock.now().to_string()});
    world.enqueue(&again.to_string()).await.unwrap();
    world.pass(MINUTE * 3).await.unwrap();
    let phone = world.phone().await.unwrap();
    assert!(matches!(phone.as_slice(), [_, again] if again["to"] == "+393401234567"), "{phone:?}");
    world.finish().await.unwrap();
}
