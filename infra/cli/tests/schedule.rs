//! `bridge schedule` on waiting items: carts, pending states, quiet hours and reminders.

mod bridge;

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
fn says(ended: &Ended, expected: &str) {
    assert_eq!((ended.code, ended.out.as_str()), (0, expected), "{}", ended.out);
    assert!(ended.out.lines().all(|line| line.chars().count() <= 80), "{}", ended.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn schedule_list_shows_why_each_message_waits() -> Result<()> {
    let bridge = at_eleven().await?;
    three_waits(&bridge).await?;
    says(
        &bridge.run(&["schedule", "list"], "").await?,
        r"d1eb97f870008bff2e8a7d0a01f88bdf.650913044711b2533a157f388bcd8a6c
    stato-ordine → C7, evento o-1: il 22/11/2026 alle 11:15, utile fino al
    29/11/2026 alle 11:00 (Europe/Rome).
    L'azione attende eventuali stati più recenti o altri file, da riunire in un
    solo messaggio. Attesa dell'azione (hold_for): 15m.
27359e81072e9505cc2406cc6012bced.f54a6d679f8871729c59c186d382daf8
    nuovo-messaggio → P2, evento m-1: il 22/11/2026 alle 12:30, utile fino al
    29/11/2026 alle 11:00 (Europe/Rome).
    È orario di silenzio. Dalle 21:00 alle 12:30 e nei giorni di festa: finisce
    il 22/11/2026 alle 12:30.
cb0f4e686d78d66c9ed5bc9bc5b6bb42.1f5b9a7a0c91ef81c6f17d9dbbdafa73
    carrello-abbandonato → C8, evento k-1: il 22/11/2026 alle 13:45, utile fino
    al 29/11/2026 alle 13:45 (Europe/Rome).
    Il carrello è stato lasciato da poco: il cliente potrebbe tornare. Lasciato
    il 22/11/2026 alle 10:45, l'avviso è 180 minuti dopo, l'intervallo del sito.
",
    );
    says(
        &bridge.run(&["schedule", "list", "--lang", "en"], "").await?,
        r"d1eb97f870008bff2e8a7d0a01f88bdf.650913044711b2533a157f388bcd8a6c
    stato-ordine → C7, event o-1: on 22 Nov 2026 at 11:15, of use until 29 Nov
    2026 at 11:00 (Europe/Rome).
    The mapping waits for newer states or more files, to cover them in one
    message. The mapping's hold_for is 15m.
27359e81072e9505cc2406cc6012bced.f54a6d679f8871729c59c186d382daf8
    nuovo-messaggio → P2, event m-1: on 22 Nov 2026 at 12:30, of use until 29
    Nov 2026 at 11:00 (Europe/Rome).
    Quiet hours are in effect. From 21:00 to 12:30 and on the holidays: they end
    on 22 Nov 2026 at 12:30.
cb0f4e686d78d66c9ed5bc9bc5b6bb42.1f5b9a7a0c91ef81c6f17d9dbbdafa73
    carrello-abbandonato → C8, event k-1: on 22 Nov 2026 at 13:45, of use until
    29 Nov 2026 at 13:45 (Europe/Rome).
    The cart was abandoned recently: the customer may come back. Left on 22 Nov
    2026 at 10:45, told 180 minutes after it, the site's interval.
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
    says(
        &bridge.run(&["schedule", "list", "--event", "k-2"], "").await?,
        r"c7d9a9a5790b655dea4e54a03b27813d.1f5b9a7a0c91ef81c6f17d9dbbdafa73
    carrello-abbandonato → C8, evento k-2: il 22/11/2026 alle 14:05, utile fino
    al 29/11/2026 alle 14:05 (Europe/Rome).
    Il carrello è stato lasciato da poco: il cliente potrebbe tornare. Lasciato
    il 22/11/2026 alle 11:30, l'avviso è 155 minuti dopo: al massimo 200 minuti
    dal primo carrello.
",
    );
    // The older notice still waits. The list shows that it will not be sent, and its due time by the former setting.
    bridge.ok(&["site", "set", "cart_interval=240"]).await?;
    says(
        &bridge.run(&["schedule", "list", "--event", "k-1"], "").await?,
        r"cb0f4e686d78d66c9ed5bc9bc5b6bb42.1f5b9a7a0c91ef81c6f17d9dbbdafa73
    carrello-abbandonato → C8, evento k-1: il 22/11/2026 alle 13:45, utile fino
    al 29/11/2026 alle 13:45 (Europe/Rome).
    Il carrello è stato lasciato da poco: il cliente potrebbe tornare. Lasciato
    il 22/11/2026 alle 10:45, l'avviso è 180 minuti dopo. Non verrà inviato. Il
    cliente ha un carrello più recente o è già stato avvisato di un carrello
    nelle ultime 24 ore.
",
    );
    // The messages of a paused site wait in a lane.
    bridge.ok(&["site", "set", "paused=true"]).await?;
    bridge.world.clock.advance(MINUTE);
    raise(&bridge, &bridge.event("documents.published", "d-1")?).await?;
    says(
        &bridge.run(&["schedule", "list", "--event", "d-1", "--lang", "en"], "").await?,
        r"1a655deaf52c2e43fc1102b97e2ffb92.df642eae6807f59c6df7bd8a49553610
    nuovi-documenti → AZ12, event d-1: in the lane of main, of use until 29 Nov
    2026 at 12:01 (Europe/Rome).
    The site is paused. At the latest on 29 Nov 2026 at 12:01.
",
    );

    for event in ["o-1", "m-1", "k-1", "k-2", "d-1"] {
        bridge.ok(&["schedule", "cancel", &id_of(&bridge, event).await?]).await?;
        assert_eq!(outcome(&bridge, event).await?, ["skipped", "cancelled"], "{event}");
    }
    says(&bridge.run(&["schedule", "list"], "").await?, "Niente in programma.\n");
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
        assert_eq!(bridge.run(&["schedule", "fire-now", &id], "").await?.code, 1, "it does not wait any more");
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
async fn schedule_list_explains_each_reminder_and_its_recipients() -> Result<()> {
    let bridge = at_eleven().await?;
    let now = bridge.world.clock.now();
    raise(&bridge, &saved("a-1", 1, "2026-11-24T15:00:00+01:00", now)).await?;
    says(
        &bridge.run(&["schedule", "list"], "").await?,
        r"bridge:rem.05a3d6ef9e20c3411608b4c51f035bff
    Promemoria R2 dell'attività A1, evento a-1: il 23/11/2026 alle 15:00, 1
    giorno prima dell'inizio, il 24/11/2026 alle 15:00 (Europe/Rome).
    Destinatari: Anna Rossi (C7), P2.
bridge:rem.daae3e85f266df6193c483545a245b3f
    Promemoria R1 dell'attività A1, evento a-1: il 24/11/2026 alle 14:00, 60
    minuti prima dell'inizio, il 24/11/2026 alle 15:00 (Europe/Rome).
    Destinatari: Anna Rossi (C7).
",
    );
    says(
        &bridge.run(&["schedule", "list", "--lang", "en"], "").await?,
        r"bridge:rem.05a3d6ef9e20c3411608b4c51f035bff
    Reminder R2 of the activity A1, event a-1: on 23 Nov 2026 at 15:00, 1 day
    before the start on 24 Nov 2026 at 15:00 (Europe/Rome).
    To Anna Rossi (C7), P2.
bridge:rem.daae3e85f266df6193c483545a245b3f
    Reminder R1 of the activity A1, event a-1: on 24 Nov 2026 at 14:00, 60
    minutes before the start on 24 Nov 2026 at 15:00 (Europe/Rome).
    To Anna Rossi (C7).
",
    );
    let [_, of_an_hour] = reminders(&bridge).await?.try_into().map_err(|all| anyhow::anyhow!("{all:?}"))?;
    let expected = json!({
        "id": of_an_hour["id"], "event": "a-1", "activity": "A1", "reminder": "R1", "due_at": "2026-11-24T13:00:00Z",
        "minutes_before": 60, "starts_at": "2026-11-24T15:00:00+01:00", "time_zone": "Europe/Rome",
        "recipients": ["C7"], "stands": true, "why": null,
    });
    assert_eq!(of_an_hour, expected);

    // Changed to a whole day without the one-hour reminder, and then deleted.
    let mut whole_day = saved("a-2", 2, "2026-11-24", now);
    whole_day["data"]["reminders"].as_array_mut().context("no list")?.remove(0);
    raise(&bridge, &whole_day).await?;
    says(
        &bridge.run(&["schedule", "list"], "").await?,
        r"bridge:rem.8de52344119457f7bc768fdc530ea820
    Promemoria R2 dell'attività A1, evento a-2: il 23/11/2026 alle 09:00, 1
    giorno prima dell'inizio, il 24/11/2026, giorno intero che conta dalle
    09:00, la mattina del sito (Europe/Rome).
    Destinatari: Anna Rossi (C7), P2.
bridge:rem.daae3e85f266df6193c483545a245b3f
    Promemoria R1 dell'attività A1, evento a-1: il 24/11/2026 alle 14:00, 60
    minuti prima dell'inizio, il 24/11/2026 alle 15:00 (Europe/Rome).
    Destinatari: Anna Rossi (C7).
    Non verrà inviato: l'attività è cambiata in seguito.
",
    );
    says(
        &bridge.run(&["schedule", "list", "--lang", "en"], "").await?,
        r"bridge:rem.8de52344119457f7bc768fdc530ea820
    Reminder R2 of the activity A1, event a-2: on 23 Nov 2026 at 09:00, 1 day
    before the start on 24 Nov 2026, a whole day, which counts from 09:00, the
    site's morning (Europe/Rome).
    To Anna Rossi (C7), P2.
bridge:rem.daae3e85f266df6193c483545a245b3f
    Reminder R1 of the activity A1, event a-1: on 24 Nov 2026 at 14:00, 60
    minutes before the start on 24 Nov 2026 at 15:00 (Europe/Rome).
    To Anna Rossi (C7).
    It will not be told: the activity was changed since.
",
    );
    let gone = json!({"id": "a-3", "type": "activity.deleted", "occurred_at": (now + MINUTE).to_string(),
                      "data": {"activity": {"id": "A1"}}});
    raise(&bridge, &gone).await?;
    says(
        &bridge.run(&["schedule", "list", "--event", "a-2"], "").await?,
        r"bridge:rem.8de52344119457f7bc768fdc530ea820
    Promemoria R2 dell'attività A1, evento a-2: il 23/11/2026 alle 09:00, 1
    giorno prima dell'inizio, il 24/11/2026, giorno intero che conta dalle
    09:00, la mattina del sito (Europe/Rome).
    Destinatari: Anna Rossi (C7), P2.
    Non verrà inviato: l'attività è conclusa, annullata o eliminata.
",
    );
    for reminder in reminders(&bridge).await? {
        assert_eq!(reminder["stands"], false, "{reminder}");
        for command in ["cancel", "fire-now"] {
            let refused = bridge.run(&["schedule", command, id(&reminder)?], "").await?;
            assert!(refused.code == 1 && refused.err.contains("the activity is over"), "{refused:?}");
        }
    }
    later(&bridge, HOUR * 80).await?;
    assert_eq!((received(&bridge).await?, reminders(&bridge).await?), (0, Vec::new()));
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_reminder_stays_cancelled_when_its_activity_is_received_again() -> Result<()> {
    let bridge = at_eleven().await?;
    let activity = saved("a-1", 1, "2026-11-24T15:00:00+01:00", bridge.world.clock.now());
    raise(&bridge, &activity).await?;
    let [of_a_day, of_an_hour] = reminders(&bridge).await?.try_into().map_err(|all| anyhow::anyhow!("{all:?}"))?;
    let cancelled = bridge.ok(&["schedule", "cancel", id(&of_a_day)?]).await?;
    let expected = json!({
        "event": of_a_day["id"], "activity": "A1", "reminder": "R2", "due_at": "2026-11-23T14:00:00Z",
        "outcome": "skipped", "reason": "cancelled",
    });
    assert_eq!(cancelled, expected);
    let words = bridge.run(&["schedule", "cancel", id(&of_an_hour)?], "").await?;
    let expected = format!("Annullato. L'esito: bridge explain --event {}\n", id(&of_an_hour)?);
    assert_eq!((words.code, words.out), (0, expected));
    assert_eq!(reminders(&bridge).await?, Vec::<Value>::new());
    let explained = bridge.ok(&["explain", "--event", id(&of_a_day)?]).await?;
    let outcomes: Vec<[&Value; 4]> = explained["outcomes"]
        .as_array()
        .context("no outcomes")?
        .iter()
        .map(|one| [&one["recipient"], &one["outcome"], &one["reason"], &one["detail"]])
        .collect();
    let everybody = ["C7", "P2"].map(|person| [json!(person), json!("skipped"), json!("cancelled"), json!("operator")]);
    assert_eq!(outcomes, everybody.each_ref().map(|one| one.each_ref()));
    assert_eq!(explained["event"]["occurred_at"], "2026-11-23T14:00:00Z");
    // It is found by its recipient's number too, and counts on the day of its cancellation.
    let by_number = bridge.ok(&["explain", "--phone", "340 1234567"]).await?;
    assert_eq!(by_number["events"].as_array().map(Vec::len), Some(2), "{by_number}");
    for command in ["cancel", "fire-now"] {
        let again = bridge.run(&["schedule", command, id(&of_a_day)?], "").await?;
        assert!(again.code == 1 && again.err.contains("does not wait any more"), "{again:?}");
    }

    // A repeated event of the activity schedules its reminders again.
    raise(&bridge, &activity).await?;
    let put_again = reminders(&bridge).await?;
    assert_eq!(put_again.iter().map(|one| &one["stands"]).collect::<Vec<_>>(), [false, false]);
    let words = bridge.run(&["schedule", "list"], "").await?;
    assert!(words.out.contains("Non verrà inviato: è stato annullato."), "{words:?}");
    assert_eq!(bridge.run(&["schedule", "fire-now", id(&of_an_hour)?], "").await?.code, 1);
    bridge.ok(&["schedule", "cancel", id(&of_an_hour)?]).await?;
    assert_eq!(reminders(&bridge).await?.len(), 1);
    later(&bridge, HOUR * 60).await?;
    assert_eq!((received(&bridge).await?, reminders(&bridge).await?), (0, Vec::new()));
    assert_eq!(outcome(&bridge, id(&of_a_day)?).await?, ["skipped", "cancelled"]);
    // A moved activity has other due times.
    raise(&bridge, &saved("a-2", 2, "2026-11-27T15:00:00+01:00", bridge.world.clock.now())).await?;
    assert!(reminders(&bridge).await?.iter().all(|one| one["stands"] == true));
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fired_reminder_is_sent_within_a_minute_and_not_again_when_due() -> Result<()> {
    let bridge = Bridge::new().await?;
    let now = bridge.world.clock.now();
    let starts_at = (now + HOUR * 5).to_zoned(jiff::tz::TimeZone::get("Europe/Rome")?);
    let mut activity = saved("a-1", 1, &starts_at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(), now);
    activity["data"]["reminders"].as_array_mut().context("no list")?.truncate(1);
    raise(&bridge, &activity).await?;
    let [kept] = reminders(&bridge).await?.try_into().map_err(|all| anyhow::anyhow!("{all:?}"))?;
    let fired = bridge.run(&["schedule", "fire-now", id(&kept)?, "--lang", "en"], "").await?;
    assert!(fired.out.starts_with("Within a minute it is the event bridge:rem."), "{fired:?}");
    let [moved] = reminders(&bridge).await?.try_into().map_err(|all| anyhow::anyhow!("{all:?}"))?;
    assert!(fired.out.contains(id(&moved)?) && moved["id"] != kept["id"] && moved["stands"] == true, "{moved}");
    let words = bridge.run(&["schedule", "list", "--lang", "en"], "").await?;
    assert!(words.out.split_whitespace().collect::<Vec<_>>().join(" ").contains("fired by hand"), "{words:?}");
    // The binary's clock has advanced meanwhile: two sweeps cover a minute and that difference.
    bridge.world.pass(MINUTE * 2).await?;
    assert_eq!((received(&bridge).await?, outcome(&bridge, id(&moved)?).await?[0].clone()), (1, json!("sent")));
    let again = bridge.run(&["schedule", "fire-now", id(&moved)?], "").await?;
    assert!(again.code == 1 && again.err.contains("does not wait any more"), "{again:?}");

    // A repeated event of the activity schedules its reminder again. At its due time it was already sent.
    raise(&bridge, &activity).await?;
    let [put_again] = reminders(&bridge).await?.try_into().map_err(|all| anyhow::anyhow!("{all:?}"))?;
    assert_eq!((&put_again["id"], &put_again["stands"]), (&kept["id"], &json!(true)));
    later(&bridge, HOUR * 4).await?;
    assert_eq!(received(&bridge).await?, 1);
    assert_eq!(outcome(&bridge, id(&kept)?).await?, ["skipped", "already_notified"]);
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
    assert!(words.out.ends_with("There is more, later on: --limit.\n"), "{words:?}");
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
    let mut stand: Vec<[&Value; 2]> =
        listed["reminders"].as_array().context("no list")?.iter().map(|one| [&one["activity"], &one["why"]]).collect();
    stand.sort_by_key(|one| one[0].to_string());
    let (unreadable, stands) = ([&json!("A1"), &json!("unreadable")], [&json!("A2"), &Value::Null]);
    assert_eq!(stand, [unreadable, unreadable, stands, stands]);
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
    says(&bridge.run(&["schedule", "list", "--lang", "en"], "").await?, "Nothing waits.\n");
    let no_message = format!("{0}.{0}", "0".repeat(32));
    let no_reminder = format!("bridge:rem.{}", "0".repeat(32));
    for command in ["cancel", "fire-now"] {
        for (id, code, says) in [
            ("x", 2, "neither a message's id"),
            ("rem.0", 2, "nor a reminder's"),
            (no_message.as_str(), 1, "knows no message"),
            (no_reminder.as_str(), 1, "waits"),
        ] {
            let refused = bridge.run(&["schedule", command, id], "").await?;
            assert!(refused.code == code && refused.err.contains(says), "{command} {id}: {refused:?}");
        }
    }
    assert_eq!(bridge.run(&["schedule", "list", "--event", "però"], "").await?.code, 2);
    bridge.world.finish().await
}
