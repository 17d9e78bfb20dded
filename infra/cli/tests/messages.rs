//! Message commands of an operator: waiting and unknown messages, resends, dead letters and platform reports.

mod bridge;

use anyhow::{Context, Result};
use domain::event::EventVersion;
use domain::site::health::Cause;
use jiff::SignedDuration;
use serde_json::{Value, json};
use store::ledger::{DeadLetter, DeadQueue};
use store::schedule::{Lane, ReminderItem};

use bridge::Bridge;

async fn outcomes(bridge: &Bridge, id: &str) -> Result<Vec<Value>> {
    let explained = bridge.ok(&["explain", "--event", id]).await?;
    explained.get("outcomes").and_then(Value::as_array).cloned().context("no outcomes")
}

fn message_id(outcome: &Value) -> Result<&str> {
    outcome.get("message_id").and_then(Value::as_str).context("no message")
}

async fn paused(bridge: &Bridge, paused: bool) -> Result<()> {
    bridge.ok(&["site", "set", &format!("paused={paused}")]).await?;
    // The function caches a site's configuration for up to 15 s.
    bridge.world.clock.advance(SignedDuration::from_secs(16));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_message_can_be_listed_fired_and_cancelled() -> Result<()> {
    let bridge = Bridge::new().await?;
    paused(&bridge, true).await?;
    bridge.world.accept(&bridge.event("order.status_changed", "o1")?).await?;
    bridge.world.deliver().await?;
    let waiting = outcomes(&bridge, "o1").await?.remove(0);
    assert_eq!(
        (&waiting["outcome"], &waiting["waiting"]["why"]),
        (&json!("waiting"), &json!("site_paused")),
        "{waiting}"
    );
    let words = bridge.run(&["explain", "--event", "o1"], "").await?;
    assert!(words.out.contains("Il sito è in pausa. Al più tardi il "), "{words:?}");
    let audit = bridge.ok(&["audit", "--days", "1"]).await?;
    assert_eq!((&audit["by_outcome"], &audit["unaccounted"]), (&json!({"waiting": 1}), &json!(0)));
    let by_phone = bridge.ok(&["explain", "--phone", "3401234567"]).await?;
    assert_eq!(by_phone["events"].as_array().map(Vec::len), Some(1), "{by_phone}");
    let preview = bridge.ok(&["preview", "--mapping", "stato-ordine", "--event", "o1"]).await?;
    assert_eq!(
        (&preview["decisions"][0]["decision"], &preview["decisions"][0]["reason"]),
        (&json!("wait"), &json!("site_paused"))
    );

    let id = message_id(&waiting)?;
    let listed = bridge.ok(&["schedule", "list"]).await?;
    assert_eq!(
        (&listed["waiting"][0]["message_id"], &listed["waiting"][0]["lane"]),
        (&json!(id), &json!("main")),
        "{listed}"
    );
    let words = bridge.run(&["schedule", "list"], "").await?;
    assert!(words.out.contains(id) && words.out.lines().all(|line| line.chars().count() <= 80), "{words:?}");
    assert_eq!(bridge.run(&["resend", id, "--yes"], "").await?.code, 1, "it waits");

    // The site is still paused, so the message waits again.
    bridge.ok(&["schedule", "fire-now", id]).await?;
    assert_eq!(bridge.ok(&["schedule", "list"]).await?["waiting"], json!([]));
    assert_eq!(bridge.world.deliver().await?, 1);
    assert_eq!(outcomes(&bridge, "o1").await?[0]["outcome"], "waiting");

    bridge.ok(&["schedule", "cancel", id]).await?;
    assert_eq!(bridge.run(&["schedule", "cancel", id], "").await?.code, 1);
    assert_eq!(bridge.run(&["schedule", "fire-now", id], "").await?.code, 1);
    let cancelled = outcomes(&bridge, "o1").await?.remove(0);
    assert_eq!((&cancelled["outcome"], &cancelled["reason"]), (&json!("skipped"), &json!("cancelled")));
    assert_eq!(bridge.ok(&["schedule", "list"]).await?["waiting"], json!([]));
    let at = bridge.world.clock.now();
    let reminder = ReminderItem {
        site: bridge.world.site()?,
        event: domain::primitives::id::EventId::parse("saved")?,
        activity: domain::primitives::id::ObjectId::parse("A1")?,
        reminder: domain::primitives::id::ObjectId::parse("R1")?,
        due_at: at + SignedDuration::from_hours(24),
    };
    bridge
        .world
        .schedule
        .put_reminder(&reminder, EventVersion { version: None, occurred_at: at, received_at: at })
        .await?;
    let listed = bridge.ok(&["schedule", "list"]).await?;
    assert_eq!((&listed["reminders"][0]["activity"], &listed["waiting"]), (&json!("A1"), &json!([])), "{listed}");
    assert_eq!(bridge.run(&["schedule", "cancel", "x"], "").await?.code, 2);
    paused(&bridge, false).await?;
    bridge.world.pass(SignedDuration::from_mins(5)).await?;
    assert!(bridge.world.phone().await?.is_empty());
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_resolves_an_unknown_outcome_and_resends_the_message() -> Result<()> {
    let bridge = Bridge::new().await?;
    assert_eq!(bridge.ok(&["unknown", "list"]).await?["unknown"], json!([]));
    bridge.world.fault(&json!({"count": 1, "effect": {"cut_before": true}})).await?;
    bridge.world.accept(&bridge.event("order.status_changed", "o1")?).await?;
    bridge.world.deliver().await?;
    let listed = bridge.ok(&["unknown", "list"]).await?;
    let one = &listed["unknown"][0];
    assert_eq!(
        (&one["event"], &one["mapping"], &one["phone"]),
        (&json!("o1"), &json!("stato-ordine"), &json!("+39…4567")),
        "{listed}"
    );
    assert!(one["cause"].as_str().is_some_and(|cause| !cause.is_empty()) && one["at"].is_string(), "{listed}");
    let id = message_id(one)?;

    // The demo's mappings never resend a message that may have arrived.
    let refused = bridge.run(&["resend", id, "--yes"], "").await?;
    assert!(refused.code == 1 && refused.err.contains("non reinvia mai un messaggio simile"), "{refused:?}");
    assert_eq!(bridge.run(&["unknown", "resolve", id, "--note", "x"], "").await?.code, 2, "it must say which");
    let resolve = ["unknown", "resolve", id, "--not-arrived", "--note", "il cliente non ha niente"];
    let resolved = bridge.ok(&resolve).await?;
    let outcome = &resolved["outcomes"][0];
    assert_eq!((&outcome["outcome"], &outcome["resolved"]["arrived"]), (&json!("failed"), &json!(false)), "{resolved}");
    assert_eq!(bridge.run(&resolve, "").await?.code, 1);
    assert_eq!(bridge.ok(&["unknown", "list"]).await?["unknown"], json!([]));

    let no = bridge.run(&["resend", id], "n\n").await?;
    assert!(no.code == 1 && no.err.contains("Non è arrivato"), "{no:?}");
    assert_eq!(bridge.world.deliver().await?, 0);
    let yes = bridge.run(&["resend", id, "--json"], "s\n").await?;
    assert_eq!((yes.code, &yes.json()?["occasion"]), (0, &json!(2)), "{yes:?}");
    bridge.world.deliver().await?;
    let both = outcomes(&bridge, "o1").await?;
    assert_eq!((both.len(), &both[1]["outcome"], &both[1]["occasion"]), (2, &json!("sent"), &json!(2)), "{both:?}");
    assert_eq!(both[1]["message_id"], yes.json()?["message_id"]);
    assert_eq!(bridge.world.phone().await?.len(), 1);
    for (lang, send_number) in [("it", "inviato (2º invio)"), ("en", "sent (send 2)")] {
        let words = bridge.run(&["explain", "--event", "o1", "--lang", lang], "").await?;
        assert!(words.out.contains(send_number), "{words:?}");
    }
    // An operator may resend a message that was sent, after confirming.
    let sent = bridge.run(&["resend", id], "").await?;
    assert_eq!(sent.code, 1, "{sent:?}");
    let again = bridge.run(&["resend", message_id(&both[1])?, "--lang", "en"], "").await?;
    assert!(again.err.contains("the recipient would get it twice"), "{again:?}");
    assert_eq!(bridge.run(&["resend", &format!("{}.{}", "0".repeat(32), "0".repeat(32))], "").await?.code, 1);
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_redriven_once_and_never_if_truncated() -> Result<()> {
    let bridge = Bridge::new().await?;
    assert_eq!(bridge.ok(&["dead", "list"]).await?["dead_letters"], json!([]));
    bridge.world.enqueue("no job").await?;
    bridge.world.deliver().await?;
    let listed = bridge.ok(&["dead", "list"]).await?;
    let letter = &listed["dead_letters"][0];
    assert_eq!(
        (&letter["queue"], &letter["body"], &letter["redriven_at"]),
        (&json!("events"), &json!("whole"), &Value::Null),
        "{listed}"
    );
    let id = letter["id"].as_str().context("no id")?;
    assert_eq!(bridge.ok(&["dead", "redrive", id]).await?["redriven"], json!([id]));
    assert_eq!(bridge.run(&["dead", "redrive", id], "").await?.code, 1);
    assert_eq!(bridge.world.deliver().await?, 1, "it is in its queue again");
    let listed = bridge.ok(&["dead", "list"]).await?;
    let letters = listed["dead_letters"].as_array().context("no list")?;
    assert_eq!(letters.iter().filter(|letter| letter["redriven_at"].is_string()).count(), 1, "{listed}");
    assert_eq!(letters.len(), 2, "what failed again is another letter: {listed}");

    let day = 24 * 3_600;
    let received_at = bridge.world.clock.now() - jiff::SignedDuration::from_secs(60 * day);
    let document = kit::order_status_changed("old");
    let job = json!({"job": "event.1", "site": "demo", "received_at": received_at, "event": document, "attempt": 9});
    let (site, body) = (bridge.world.site()?, job.to_string());
    let letter = DeadLetter {
        queue: DeadQueue::Events,
        site: Some(&site),
        record_id: "old",
        cause: "a story says so",
        body: &body,
        retention_days: 90,
    };
    bridge.world.ledger.put_dead_letter(letter, bridge.world.clock.now()).await?;
    assert_eq!(bridge.ok(&["dead", "redrive", "old"]).await?["redriven"], json!(["old"]));
    let [record] = bridge.world.take().await?.try_into().ok().context("not one record")?;
    let sent: Value = serde_json::from_str(record.body().context("no body")?)?;
    assert_eq!((&sent["received_at"], &sent["attempt"]), (&json!(received_at), &Value::Null), "{sent}");
    assert!(sent["redriven_at"].is_string(), "its fourteen days begin anew: {sent}");
    bridge.world.delete(&record).await?;

    let site = bridge.world.site()?;
    let long = "x".repeat(400 * 1024);
    for (record_id, body) in [("cut", long.as_str()), ("report", "no notice")] {
        let cause = "a story says so";
        let letter =
            DeadLetter { queue: DeadQueue::Statuses, site: Some(&site), record_id, cause, body, retention_days: 90 };
        bridge.world.ledger.put_dead_letter(letter, bridge.world.clock.now()).await?;
    }
    let all = bridge.run(&["dead", "redrive", "--all", "--json"], "").await?;
    assert_eq!((all.code, &all.json()?["cannot"]), (1, &json!(["cut"])), "{all:?}");
    assert!(all.json()?["redriven"].as_array().is_some_and(|ids| ids.contains(&json!("report"))), "{all:?}");
    assert_eq!(bridge.world.deliver_reports().await?, 1, "each goes back into its queue");
    // A version with two dead-letter queues recorded this letter: it did not know that they became one.
    let stop = json!({"notice": "word.1", "site": site, "phone_number_id": "1", "from": "393401234567",
                      "at": bridge.world.clock.now(), "word": "stop"});
    let (cause, body) = ("a story says so", stop.to_string());
    let letter =
        DeadLetter { queue: DeadQueue::Events, site: None, record_id: "stop", cause, body: &body, retention_days: 90 };
    bridge.world.ledger.put_dead_letter(letter, bridge.world.clock.now()).await?;
    assert_eq!(bridge.ok(&["dead", "redrive", "stop"]).await?["redriven"], json!(["stop"]));
    assert_eq!(bridge.world.deliver_reports().await?, 1, "its form shows its queue");

    let words = bridge.run(&["dead", "redrive", "cut"], "").await?;
    assert!(words.code == 1 && words.out.contains("Era troppo lungo"), "{words:?}");
    assert_eq!(bridge.run(&["dead", "redrive"], "").await?.code, 2);
    bridge.world.deliver().await?;
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_and_a_stopped_account_are_shown() -> Result<()> {
    let bridge = Bridge::new().await?;
    bridge.world.report_statuses("normal").await?;
    bridge.world.accept(&bridge.event("order.status_changed", "o1")?).await?;
    bridge.world.deliver().await?;
    bridge.world.deliver_reports().await?;
    let read = outcomes(&bridge, "o1").await?.remove(0);
    let statuses: Vec<&Value> = read["statuses"].as_array().into_iter().flatten().map(|one| &one["status"]).collect();
    assert_eq!(
        (&read["outcome"], statuses),
        (&json!("read"), vec![&json!("sent"), &json!("delivered"), &json!("read")]),
        "{read}"
    );
    assert_eq!(read["statuses"][0]["category"], "utility", "{read}");
    let words = bridge.run(&["explain", "--event", "o1"], "").await?;
    assert!(words.out.contains("consegnato ") && words.out.contains("(utility)"), "{words:?}");

    let lane = Lane { site: bridge.world.site()?, account: domain::primitives::id::AccountId::parse("main")? };
    let minute = SignedDuration::from_mins(1);
    let cause = Cause { code: "190", by_report: false, at: bridge.world.clock.now(), probe_after: minute };
    bridge.world.schedule.stop_account(&lane, cause, cause.at).await?;
    let shown = bridge.ok(&["account", "show"]).await?;
    assert_eq!(shown["stopped"]["code"], "190", "{shown}");
    let words = bridge.run(&["account", "show"], "").await?;
    assert!(words.out.contains("FERMO dal") && words.out.contains("codice 190"), "{words:?}");
    assert_eq!(bridge.ok(&["account", "start", "main"]).await?["was_stopped"], true);
    assert_eq!(bridge.ok(&["account", "show"]).await?["stopped"], Value::Null);
    assert_eq!(bridge.run(&["account", "start", "main"], "").await?.code, 1);
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_site_gets_a_webhook_that_accepts_only_callbacks_with_its_secret() -> Result<()> {
    let bridge = Bridge::new().await?;
    let added = bridge.ok(&["site", "add", "negozio"]).await?;
    let url = added["webhook_url"].as_str().context("no address")?;
    let path = url.strip_prefix("http://127.0.0.1:8080").context("another address")?;
    assert!(added["verify_token"].as_str().is_some_and(|token| token.len() == 43), "{added}");
    let body = br#"{"object":"whatsapp_business_account","entry":[]}"#;
    assert_eq!(
        bridge.world.request(path, &[("x-hub-signature-256", "sha256=00")], body).await?.status,
        503,
        "no secret yet"
    );

    let token = [
        "site",
        "set-webhook",
        "--site",
        "negozio",
        "--token-header",
        "X-Webhook-Token",
        "--token-file",
        "-",
        "--json",
    ];
    let set = bridge.run(&token, "hush-hush\n").await?;
    assert_eq!((set.code, &set.json()?["webhook_url"]), (0, &json!(url)), "{set:?}");
    assert_eq!(set.json()?["verify_token"], added["verify_token"]);
    assert!(!set.out.contains("hush-hush"));
    // The function caches webhooks for up to a minute.
    bridge.world.clock.advance(SignedDuration::from_secs(61));
    assert_eq!(bridge.world.request(path, &[("x-webhook-token", "hush-hush")], body).await?.status, 200);
    assert_eq!(bridge.world.request(path, &[("x-webhook-token", "hush")], body).await?.status, 401);
    let shown = bridge.ok(&["site", "show", "--site", "negozio"]).await?;
    assert_eq!(shown["webhook"], json!({"url": url, "mode": {"token": {"header": "X-Webhook-Token"}}}));

    let account = [
        "account",
        "add",
        "main",
        "--site",
        "negozio",
        "--token-file",
        "-",
        "--json",
        "base_url=https://api.example.com/v23.0",
        "phone_number_id=777",
        "waba_id=888",
    ];
    let ended = bridge.run(&account, "EAA1\n").await?;
    assert_eq!((ended.code, &ended.json()?["webhook"]["webhook_url"]), (0, &json!(url)), "{ended:?}");
    let at = bridge.world.clock.now();
    let mut report = kit::World::status("wamid.x", None, "delivered", at);
    report["value"]["metadata"]["phone_number_id"] = "777".into();
    let entry = json!([{"id": "888", "changes": [report]}]);
    let body = json!({"object": "whatsapp_business_account", "entry": entry}).to_string();
    let taken = bridge.world.request(path, &[("x-webhook-token", "hush-hush")], body.as_bytes()).await?;
    assert_eq!((taken.status, &taken.body["received"]), (200, &json!(1)), "the account's number is the site's");
    assert_eq!(bridge.run(&["site", "set-webhook", "--token-header", "a b", "--token-file", "-"], "x").await?.code, 2);
    bridge.world.deliver_reports().await?;
    bridge.world.finish().await
}
