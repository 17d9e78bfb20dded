//! `bridge schedule` on waiting items: carts, pending states, quiet hours and reminders.

mod bridge;
#[path = "schedule/reminders.rs"]
mod reminders;

use anyhow::{Context, Result};
use domain::mapping::UsefulFor;
use domain::message::reason::Reason;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use bridge::{Bridge, Ended};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// Starts a world on 22 November 2026 at 11:00 in Rome, when stories begin. The lists do not depend on the binary's
/// clock, which is the system clock.
async fn at_eleven() -> Result<Bridge> {
    let bridge = Bridge::new().await?;
    let eleven: Timestamp = "2026-11-22T11:00:00+01:00".parse()?;
    bridge.world.clock.advance(eleven.duration_since(bridge.world.clock.now()));
    Ok(bridge)
}

/// Creates a version of an activity with two reminders: one hour before for its owner, and one day before for all
/// assignees.
fn saved(id: &str, version: u64, starts_at: &str, occurred_at: Timestamp) -> Value {
    let anna = json!({"id": "C7", "first_name": "Anna", "last_name": "Rossi", "phone": "340 1234567"});
    json!({
        "id": id, "type": "activity.saved", "occurred_at": occurred_at.to_string(),
        "data": {
            "activity": {"id": "A1", "version": version, "subject": "Visita", "starts_at": starts_at,
                         "all_day": !starts_at.contains('T'), "time_zone": "Europe/Rome", "state": "Pianificata"},
            "creator": {"id": "S1"}, "assignees": [anna, {"id": "P2"}],
            "reminders": [{"id": "R1", "minutes_before": 60, "notify": ["whatsapp"], "owner": anna},
                          {"id": "R2", "minutes_before": 1440, "notify": ["whatsapp"]}],
            "sender_may_notify": true
        }
    })
}

async fn raise(bridge: &Bridge, event: &Value) -> Result<()> {
    bridge.world.accept(event).await?;
    bridge.world.deliver().await?;
    Ok(())
}

/// Changes a field of an event.
fn set(event: &mut Value, pointer: &str, value: Value) -> Result<()> {
    *event.pointer_mut(pointer).context("no such field")? = value;
    Ok(())
}

/// Creates an abandoned cart, a pending state and a message in quiet hours.
async fn three_waits(bridge: &Bridge) -> Result<()> {
    let world = &bridge.world;
    let hold_for = UsefulFor::parse("15m")?;
    world.configure("stato-ordine", |_, mapping| mapping.hold_for = Some(hold_for)).await?;
    let quiet = serde_json::from_value(json!({"from": "21:00", "to": "12:30", "holidays": ["2026-12-25"]}))?;
    world.configure("nuovo-messaggio", |_, mapping| mapping.quiet_hours = Some(quiet)).await?;
    let mut cart = bridge.event("cart.abandoned", "k-1")?;
    set(&mut cart, "/data/cart/abandoned_at", json!("2026-11-22T10:45:00+01:00"))?;
    // Another customer than that of the order, because an order closes the customer's cart.
    set(&mut cart, "/data/customer/id", json!("C8"))?;
    set(&mut cart, "/data/customer/phone", json!("347 1112223"))?;
    raise(bridge, &cart).await?;
    raise(bridge, &bridge.event("order.status_changed", "o-1")?).await?;
    let mut message = bridge.event("message.sent", "m-1")?;
    set(&mut message, "/data/recipients", json!([{"id": "P2", "first_name": "Ugo", "phone": "333 7654321"}]))?;
    raise(bridge, &message).await
}

async fn id_of(bridge: &Bridge, event: &str) -> Result<String> {
    let listed = bridge.ok(&["schedule", "list", "--event", event]).await?;
    let one = listed.pointer("/waiting/0/message_id").and_then(Value::as_str);
    one.map(str::to_owned).with_context(|| listed.to_string())
}

/// Returns the waiting reminders.
async fn reminders(bridge: &Bridge) -> Result<Vec<Value>> {
    let listed = bridge.ok(&["schedule", "list"]).await?;
    listed.get("reminders").and_then(Value::as_array).cloned().context("no list")
}

fn id(reminder: &Value) -> Result<&str> {
    reminder.get("id").and_then(Value::as_str).context("no id")
}

/// Advances the clock, and then runs everything that became due.
async fn later(bridge: &Bridge, time: SignedDuration) -> Result<()> {
    bridge.world.clock.advance(time);
    bridge.world.pass(MINUTE * 2).await
}

/// Returns the number of messages that reached the phone.
async fn received(bridge: &Bridge) -> Result<usize> {
    Ok(bridge.world.phone().await?.len())
}

async fn outcome(bridge: &Bridge, event: &str) -> Result<[Value; 2]> {
    let explained = bridge.ok(&["explain", "--event", event]).await?;
    let first = explained.pointer("/outcomes/0").context("no outcome")?;
    Ok(["outcome", "reason"].map(|name| first.get(name).cloned().unwrap_or_default()))
}

#[track_caller]
fn prints(ended: &Ended, expected: &str) {
    assert_eq!((ended.code, ended.out.as_str()), (0, expected), "{}", ended.out);
    assert!(ended.out.lines().all(|line| line.chars().count() <= 80), "{}", ended.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn schedule_list_shows_why_each_message_waits() -> Result<()> {
    let bridge = at_eleven().await?;
    three_waits(&bridge).await?;
    prints(
        &bridge.run(&["schedule", "list"], "").await?,
        r"d1eb97f870008bff2e8a7d0a01f88bdf.650913044711b2533a157f388bcd8a6c
    stato-ordine → C7, evento o-1: il 22/11/2026 alle 11:15, utile fino al
    29/11/2026 alle 11:00 (Europe/Rome).
    L'azione attende eventuali stati più recenti o altri file, da raccogliere in
    un solo messaggio. Attesa prevista dall'azione (hold_for): 15m.
27359e81072e9505cc2406cc6012bced.f54a6d679f8871729c59c186d382daf8
    nuovo-messaggio → P2, evento m-1: il 22/11/2026 alle 12:30, utile fino al
    29/11/2026 alle 11:00 (Europe/Rome).
    Sono in corso le ore di silenzio. Dalle 21:00 alle 12:30 e nei giorni
    festivi; fino al 22/11/2026 alle 12:30.
cb0f4e686d78d66c9ed5bc9bc5b6bb42.1f5b9a7a0c91ef81c6f17d9dbbdafa73
    carrello-abbandonato → C8, evento k-1: il 22/11/2026 alle 13:45, utile fino
    al 29/11/2026 alle 13:45 (Europe/Rome).
    Il carrello è stato abbandonato da poco: il cliente potrebbe tornare.
    Abbandonato il 22/11/2026 alle 10:45; notifica dopo 180 minuti (intervallo
    del sito).
",
    );
    prints(
        &bridge.run(&["schedule", "list", "--lang", "en"], "").await?,
        r"d1eb97f870008bff2e8a7d0a01f88bdf.650913044711b2533a157f388bcd8a6c
    stato-ordine → C7, event o-1: on 22 Nov 2026 at 11:15, useful until 29 Nov
    2026 at 11:00 (Europe/Rome).
    The mapping waits for newer states or more files, to cover them in one
    message. Hold of the mapping (hold_for): 15m.
27359e81072e9505cc2406cc6012bced.f54a6d679f8871729c59c186d382daf8
    nuovo-messaggio → P2, event m-1: on 22 Nov 2026 at 12:30, useful until 29
    Nov 2026 at 11:00 (Europe/Rome).
    Quiet hours are in effect. From 21:00 to 12:30 and on holidays; until 22 Nov
    2026 at 12:30.
cb0f4e686d78d66c9ed5bc9bc5b6bb42.1f5b9a7a0c91ef81c6f17d9dbbdafa73
    carrello-abbandonato → C8, event k-1: on 22 Nov 2026 at 13:45, useful until
    29 Nov 2026 at 13:45 (Europe/Rome).
    The cart was abandoned recently: the customer may come back. Abandoned on 22
    Nov 2026 at 10:45; the notice is due 180 minutes later (the site's
    interval).
",
    );
    let listed = bridge.ok(&["schedule", "list"]).await?;
    let whys: Vec<[&Value; 4]> = listed["waiting"]
        .as_array()
        .context("no list")?
        .iter()
        .map(|one| [&one["event"], &one["due_at"], &one["why"], &one["detail"]])
        .collect();
    let expected = [
        ["o-1", "2026-11-22T10:15:32Z", "hold"],
        ["m-1", "2026-11-22T11:30:00Z", "quiet_hours"],
        ["k-1", "2026-11-22T12:45:00Z", "cart_interval"],
    ]
    .map(|[event, due_at, why]| [json!(event), json!(due_at), json!(why), Value::Null]);
    assert_eq!(whys, expected.each_ref().map(|one| one.each_ref()));

    // The notice of a changed cart is sent at the latest `cart_max_postponement` after the first cart.
    bridge.ok(&["site", "set", "cart_max_postponement=200"]).await?;
    bridge.world.clock.advance(HOUR);
    let mut cart = bridge.event("cart.abandoned", "k-2")?;
    cart["data"]["cart"]["abandoned_at"] = json!("2026-11-22T11:30:00+01:00");
    cart["data"]["customer"]["id"] = json!("C8");
    cart["data"]["customer"]["phone"] = json!("347 1112223");
    raise(&bridge, &cart).await?;
    prints(
        &bridge.run(&["schedule", "list", "--event", "k-2"], "").await?,
        r"c7d9a9a5790b655dea4e54a03b27813d.1f5b9a7a0c91ef81c6f17d9dbbdafa73
    carrello-abbandonato → C8, evento k-2: il 22/11/2026 alle 14:05, utile fino
    al 29/11/2026 alle 14:05 (Europe/Rome).
    Il carrello è stato abbandonato da poco: il cliente potrebbe tornare.
    Abbandonato il 22/11/2026 alle 11:30; notifica dopo 155 minuti (al massimo
    200 minuti dal primo carrello).
",
    );
    // The older notice still waits. The list shows that it will not be sent, and its due time by the former setting.
    bridge.ok(&["site", "set", "cart_interval=240"]).await?;
    prints(
        &bridge.run(&["schedule", "list", "--event", "k-1"], "").await?,
        r"cb0f4e686d78d66c9ed5bc9bc5b6bb42.1f5b9a7a0c91ef81c6f17d9dbbdafa73
    carrello-abbandonato → C8, evento k-1: il 22/11/2026 alle 13:45, utile fino
    al 29/11/2026 alle 13:45 (Europe/Rome).
    Il carrello è stato abbandonato da poco: il cliente potrebbe tornare.
    Abbandonato il 22/11/2026 alle 10:45; notifica dopo 180 minuti. Non verrà
    inviato. Il cliente ha un carrello più recente o è già stato avvisato di un
    carrello nelle ultime 24 ore.
",
    );
    // The messages of a paused site wait in a lane.
    bridge.ok(&["site", "set", "paused=true"]).await?;
    bridge.world.clock.advance(MINUTE);
    raise(&bridge, &bridge.event("documents.published", "d-1")?).await?;
    prints(
        &bridge.run(&["schedule", "list", "--event", "d-1", "--lang", "en"], "").await?,
        r"1a655deaf52c2e43fc1102b97e2ffb92.df642eae6807f59c6df7bd8a49553610
    nuovi-documenti → AZ12, event d-1: in the lane of the account main, useful
    until 29 Nov 2026 at 12:01 (Europe/Rome).
    The site is paused. At the latest on 29 Nov 2026 at 12:01.
",
    );

    for event in ["o-1", "m-1", "k-1", "k-2", "d-1"] {
        bridge.ok(&["schedule", "cancel", &id_of(&bridge, event).await?]).await?;
        assert_eq!(outcome(&bridge, event).await?, ["skipped", "cancelled"], "{event}");
    }
    prints(&bridge.run(&["schedule", "list"], "").await?, "Nulla in programma.\n");
    bridge.ok(&["site", "set", "paused=false"]).await?;
    later(&bridge, HOUR * 12).await?;
    assert_eq!(received(&bridge).await?, 0);
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fired_message_skips_its_interval_its_hold_and_quiet_hours() -> Result<()> {
    let bridge = at_eleven().await?;
    three_waits(&bridge).await?;
    for (count, event) in ["k-1", "o-1", "m-1"].into_iter().enumerate() {
        assert_eq!((received(&bridge).await?, outcome(&bridge, event).await?[0].clone()), (count, json!("waiting")));
        let id = id_of(&bridge, event).await?;
        assert_eq!(bridge.ok(&["schedule", "fire-now", &id]).await?, json!({"message_id": id, "event": event}));
        bridge.world.deliver().await?;
        assert_eq!(outcome(&bridge, event).await?[0], "sent", "{event}");
        assert_eq!(bridge.run(&["schedule", "fire-now", &id], "").await?.code, 1, "it no longer waits");
    }
    later(&bridge, HOUR * 12).await?;
    assert_eq!(received(&bridge).await?, 3);
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fired_message_waits_for_a_paused_site_and_is_then_sent_immediately() -> Result<()> {
    let bridge = at_eleven().await?;
    three_waits(&bridge).await?;
    bridge.ok(&["site", "set", "paused=true"]).await?;
    bridge.world.clock.advance(MINUTE);
    bridge.ok(&["schedule", "fire-now", &id_of(&bridge, "m-1").await?]).await?;
    bridge.world.deliver().await?;
    assert_eq!(
        (received(&bridge).await?, outcome(&bridge, "m-1").await?),
        (0, [json!("waiting"), json!("site_paused")])
    );
    bridge.ok(&["site", "set", "paused=false"]).await?;
    // It is before 12:30, when the quiet hours end.
    bridge.world.pass(MINUTE * 5).await?;
    assert_eq!((received(&bridge).await?, outcome(&bridge, "m-1").await?[0].clone()), (1, json!("sent")));
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn schedule_list_shows_only_the_soonest_up_to_its_limit() -> Result<()> {
    let bridge = at_eleven().await?;
    three_waits(&bridge).await?;
    let first = bridge.ok(&["schedule", "list", "--limit", "1"]).await?;
    assert_eq!((&first["waiting"][0]["event"], &first["more"]), (&json!("o-1"), &json!(true)));
    assert_eq!((first["waiting"].as_array().map(Vec::len), &first["reminders"]), (Some(1), &json!([])));
    let words = bridge.run(&["schedule", "list", "--limit", "2", "--lang", "en"], "").await?;
    assert!(words.out.ends_with("There are more items: use --limit.\n"), "{words:?}");
    assert_eq!(bridge.ok(&["schedule", "list", "--limit", "3"]).await?["more"], false);
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_item_does_not_hide_the_others_in_the_schedule() -> Result<()> {
    let bridge = at_eleven().await?;
    let now = bridge.world.clock.now();
    let mut other = saved("a-2", 1, "2026-11-24T15:00:00+01:00", now);
    other["data"]["activity"]["id"] = json!("A2");
    for event in [saved("a-1", 1, "2026-11-24T15:00:00+01:00", now), other] {
        raise(&bridge, &event).await?;
    }
    let broken =
        domain::primitives::key::activity_key(&bridge.world.site()?, &domain::primitives::id::ObjectId::parse("A1")?);
    bridge.world.put_item("Contacts", &[("pk", &broken), ("event_id", "")]).await?;
    let item = [("pk", "R#unreadable"), ("shard", "3"), ("due_at", "2026-11-22T09:00:00.000000000Z"), ("site", "demo")];
    bridge.world.put_item("Schedule", &item).await?;
    let listed = bridge.ok(&["schedule", "list"]).await?;
    assert_eq!(listed["unreadable"], 1);
    let mut validity: Vec<[&Value; 2]> =
        listed["reminders"].as_array().context("no list")?.iter().map(|one| [&one["activity"], &one["why"]]).collect();
    validity.sort_by_key(|one| one[0].to_string());
    let (unreadable, valid) = ([&json!("A1"), &json!("unreadable")], [&json!("A2"), &Value::Null]);
    assert_eq!(validity, [unreadable, unreadable, valid, valid]);
    // It can be cancelled; otherwise it would stay for ever.
    let of_broken = |one: &&Value| one["activity"] == "A1";
    let broken = listed["reminders"].as_array().context("no list")?.iter().find(of_broken).context("none")?;
    let gone = bridge.ok(&["schedule", "cancel", id(broken)?]).await?;
    assert_eq!((&gone["event"], &gone["outcome"]), (&broken["id"], &Value::Null));
    assert_eq!(reminders(&bridge).await?.len(), 3);
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_members_of_a_digest_are_cancelled_together() -> Result<()> {
    let bridge = at_eleven().await?;
    let hold_for = UsefulFor::parse("15m")?;
    bridge.world.configure("nuovo-file", |_, mapping| mapping.hold_for = Some(hold_for)).await?;
    for number in 1..=2 {
        let mut event = bridge.event("file.uploaded", &format!("f-{number}"))?;
        set(&mut event, "/data/file/id", json!(format!("F{number}")))?;
        raise(&bridge, &event).await?;
    }
    let (digest, joined) = (id_of(&bridge, "f-1").await?, id_of(&bridge, "f-2").await?);
    for command in ["cancel", "fire-now"] {
        let refused = bridge.run(&["schedule", command, &joined], "").await?;
        assert!(refused.code == 1 && refused.err.contains(&digest), "{refused:?}");
    }
    bridge.ok(&["schedule", "cancel", &digest]).await?;
    later(&bridge, HOUR).await?;
    for event in ["f-1", "f-2"] {
        assert_eq!(outcome(&bridge, event).await?, ["skipped", "cancelled"], "{event}");
    }
    // A message whose digest message was skipped is cancelled alone.
    for number in 3..=4 {
        let mut event = bridge.event("file.uploaded", &format!("f-{number}"))?;
        set(&mut event, "/data/file/id", json!(format!("F{number}")))?;
        raise(&bridge, &event).await?;
    }
    let (digest, joined) = (id_of(&bridge, "f-3").await?, id_of(&bridge, "f-4").await?);
    let (digest, skip) = (domain::primitives::key::MessageId::parse(&digest).context("no id")?, Reason::Expired.into());
    bridge.world.parking().cancel(&digest, &skip).await?;
    bridge.ok(&["schedule", "cancel", &joined]).await?;
    later(&bridge, HOUR).await?;
    assert_eq!(received(&bridge).await?, 0);
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_id_and_one_that_does_not_wait_get_different_errors() -> Result<()> {
    let bridge = at_eleven().await?;
    prints(&bridge.run(&["schedule", "list", "--lang", "en"], "").await?, "Nothing waits.\n");
    let no_message = format!("{0}.{0}", "0".repeat(32));
    let no_reminder = format!("bridge:rem.{}", "0".repeat(32));
    for command in ["cancel", "fire-now"] {
        for (id, code, prints) in [
            ("x", 2, "non è né l'id di un messaggio"),
            ("rem.0", 2, "né l'id di un promemoria"),
            (no_message.as_str(), 1, "non ha il messaggio"),
            (no_reminder.as_str(), 1, "è in attesa"),
        ] {
            let refused = bridge.run(&["schedule", command, id], "").await?;
            assert!(refused.code == code && refused.err.contains(prints), "{command} {id}: {refused:?}");
        }
    }
    assert_eq!(bridge.run(&["schedule", "list", "--event", "però"], "").await?.code, 2);
    bridge.world.finish().await
}
