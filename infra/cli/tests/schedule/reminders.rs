//! The reminders in `bridge schedule`.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn schedule_list_explains_each_reminder_and_its_recipients() -> Result<()> {
    let bridge = at_eleven().await?;
    let now = bridge.world.clock.now();
    raise(&bridge, &saved("a-1", 1, "2026-11-24T15:00:00+01:00", now)).await?;
    prints(
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
    prints(
        &bridge.run(&["schedule", "list", "--lang", "en"], "").await?,
        r"bridge:rem.05a3d6ef9e20c3411608b4c51f035bff
    Reminder R2 of the activity A1, event a-1: on 23 Nov 2026 at 15:00, 1 day
    before the start on 24 Nov 2026 at 15:00 (Europe/Rome).
    Recipients: Anna Rossi (C7), P2.
bridge:rem.daae3e85f266df6193c483545a245b3f
    Reminder R1 of the activity A1, event a-1: on 24 Nov 2026 at 14:00, 60
    minutes before the start on 24 Nov 2026 at 15:00 (Europe/Rome).
    Recipients: Anna Rossi (C7).
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
    prints(
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
    Non verrà inviato: l'attività è stata modificata in seguito.
",
    );
    prints(
        &bridge.run(&["schedule", "list", "--lang", "en"], "").await?,
        r"bridge:rem.8de52344119457f7bc768fdc530ea820
    Reminder R2 of the activity A1, event a-2: on 23 Nov 2026 at 09:00, 1 day
    before the start on 24 Nov 2026, an all-day activity, which counts from
    09:00, the site's morning (Europe/Rome).
    Recipients: Anna Rossi (C7), P2.
bridge:rem.daae3e85f266df6193c483545a245b3f
    Reminder R1 of the activity A1, event a-1: on 24 Nov 2026 at 14:00, 60
    minutes before the start on 24 Nov 2026 at 15:00 (Europe/Rome).
    Recipients: Anna Rossi (C7).
    It will not be sent: the activity was changed since.
",
    );
    let gone = json!({"id": "a-3", "type": "activity.deleted", "occurred_at": (now + MINUTE).to_string(),
                      "data": {"activity": {"id": "A1"}}});
    raise(&bridge, &gone).await?;
    prints(
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
            assert!(refused.code == 1 && refused.err.contains("l'attività è conclusa"), "{refused:?}");
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
    let expected = format!("Annullato. Esito: bridge explain --event {}\n", id(&of_an_hour)?);
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
        assert!(again.code == 1 && again.err.contains("non attende più"), "{again:?}");
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
    assert!(fired.out.starts_with("Within a minute it is raised as the event bridge:rem."), "{fired:?}");
    let [moved] = reminders(&bridge).await?.try_into().map_err(|all| anyhow::anyhow!("{all:?}"))?;
    assert!(fired.out.contains(id(&moved)?) && moved["id"] != kept["id"] && moved["stands"] == true, "{moved}");
    let words = bridge.run(&["schedule", "list", "--lang", "en"], "").await?;
    assert!(words.out.split_whitespace().collect::<Vec<_>>().join(" ").contains("raised by hand"), "{words:?}");
    // The binary's clock has advanced meanwhile: two sweeps cover a minute and that difference.
    bridge.world.pass(MINUTE * 2).await?;
    assert_eq!((received(&bridge).await?, outcome(&bridge, id(&moved)?).await?[0].clone()), (1, json!("sent")));
    let again = bridge.run(&["schedule", "fire-now", id(&moved)?], "").await?;
    assert!(again.code == 1 && again.err.contains("non attende più"), "{again:?}");

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
async fn explain_shows_what_becomes_of_each_reminder_of_a_saved_activity() -> Result<()> {
    let bridge = at_eleven().await?;
    let now = bridge.world.clock.now();
    let mut event = saved("a-1", 1, "2026-11-24T15:00:00+01:00", now);
    let list = event["data"]["reminders"].as_array_mut().context("no list")?;
    list.push(json!({"id": "R3", "minutes_before": 30, "notify": ["email"]}));
    list.push(json!({"id": "R4", "minutes_before": 10080, "notify": ["whatsapp"]}));
    raise(&bridge, &event).await?;
    prints(
        &bridge.run(&["explain", "--event", "a-1"], "").await?,
        r"Evento a-1  activity.saved  22/11/2026 alle 11:00
  Nessuna notifica immediata.
  Promemoria R1: 60 minuti prima dell'inizio, il 24/11/2026 alle 14:00
  (Europe/Rome).
      È in programma.
  Promemoria R2: 1 giorno prima dell'inizio, il 23/11/2026 alle 15:00
  (Europe/Rome).
      È in programma.
  Promemoria R3: 30 minuti prima dell'inizio, il 24/11/2026 alle 14:30
  (Europe/Rome).
      Non viene inviato: nel promemoria WhatsApp non è selezionato.
  Promemoria R4: 7 giorni prima dell'inizio, il 17/11/2026 alle 15:00
  (Europe/Rome).
      Non viene inviato: quando l'attività è stata salvata, l'ora del promemoria
      era già passata.
",
    );
    // The reminder of a day is raised. Then the activity changes to a whole day, and loses the reminder of an hour.
    later(&bridge, HOUR * 29).await?;
    let mut whole_day = saved("a-2", 2, "2026-11-24", bridge.world.clock.now());
    whole_day["data"]["reminders"] = json!([]);
    raise(&bridge, &whole_day).await?;
    let explained = bridge.ok(&["explain", "--event", "a-1"]).await?;
    let states: Vec<&Value> = list_of(&explained)?.iter().map(|reminder| &reminder["state"]).collect();
    assert_eq!(states, ["gone", "raised", "not_requested", "past"]);
    let raised = list_of(&explained)?[1]["event"].as_str().context("no event")?;
    let outcome = bridge.ok(&["explain", "--event", raised]).await?;
    assert_eq!(outcome["event"]["type"], "activity.reminder", "{outcome}");
    let english = bridge.run(&["explain", "--event", "a-2", "--lang", "en"], "").await?;
    assert!(english.out.ends_with("The activity has no reminders.\n"), "{english:?}");
    bridge.world.finish().await
}

fn list_of(explained: &Value) -> Result<&Vec<Value>> {
    explained["reminders"].as_array().context("no reminders")
}
