//! Tests of the `bridge` binary against the emulators of a story: output, changes and exit codes.

mod bridge;

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};
use domain::event::{EventType, Notification};
use serde_json::{Value, json};

use bridge::{Bridge, DOCS, run};

/// Interval at which a queue is polled.
const POLL: Duration = Duration::from_millis(50);

#[tokio::test(flavor = "multi_thread")]
async fn the_error_without_a_stack_explains_how_to_get_one() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let ended = run(folder.path(), &["audit"], "").await?;
    assert_eq!(ended.code, 3);
    assert!(ended.err.contains("cargo run"), "{ended:?}");
    assert_eq!(run(folder.path(), &["audit", "--days", "x"], "").await?.code, 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn completions_need_no_stack() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for shell in ["bash", "zsh", "fish"] {
        let ended = run(folder.path(), &["completions", shell], "").await?;
        assert!(ended.code == 0 && ended.err.is_empty(), "{ended:?}");
        assert!(ended.out.contains("fire-now") && ended.out.contains("show-phones"), "{shell}: {}", ended.out);
    }
    let document = run(folder.path(), &["completions", "fish", "--json"], "").await?.json()?;
    assert_eq!(document["shell"], "fish");
    assert!(document["script"].as_str().is_some_and(|script| script.contains("complete -c bridge")), "{document}");
    assert_eq!(run(folder.path(), &["completions", "basic"], "").await?.code, 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_mapping_passes_its_check_and_round_trips() -> Result<()> {
    let bridge = Bridge::new().await?;
    let mut count = 0;
    for file in fs::read_dir(format!("{DOCS}/mappings"))? {
        let file = file?.path().display().to_string();
        let checked = bridge.ok(&["mapping", "check", &file]).await?;
        assert_eq!(checked["findings"], json!([]), "{file}");
        let warned = checked["warnings"].as_array().context("no warnings")?;
        let warned: Vec<&str> = warned.iter().filter_map(|warning| warning["code"].as_str()).collect();
        // Meta approves a code to copy as marketing only. Both languages have it.
        let expected: &[&str] = if file.contains("header-and-code") { &["marketing", "marketing"] } else { &[] };
        assert_eq!(warned, expected, "{file}");
        count += 1;
        let applied = bridge.ok(&["mapping", "apply", &file]).await?;
        let id = applied["mapping"].as_str().context("no id")?;
        let exported = bridge.run(&["mapping", "export", id], "").await?;
        let again = bridge.run(&["mapping", "apply", "-", "--json"], &exported.out).await?;
        assert_eq!(
            (&again.json()?["changed"], &again.json()?["version"]),
            (&json!(false), &applied["version"]),
            "{again:?}"
        );
    }
    // Three more show headers and buttons.
    count -= 3;
    let received = EventType::ALL.into_iter().filter(|kind| kind.notification() != Notification::Never);
    assert_eq!(count, received.count());
    let folder = bridge.folder.path().join("azioni").display().to_string();
    let files = bridge.ok(&["mapping", "export", "--dir", &folder]).await?;
    let mappings = bridge.world.config.mappings(&bridge.world.site()?).await?;
    assert_eq!(files["files"].as_array().map(Vec::len), Some(mappings.len()));
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mistake_in_a_mapping_is_a_finding() -> Result<()> {
    let bridge = Bridge::new().await?;
    let yaml = "id: sei\nname: Sei\nevent_type: message.sent\nenabled: forse\nactive_since: 2026-01-01T00:00:00Z\n\
        useful_for: 3w\ntemplates:\n  it:\n    name: nuovo_messaggio\n    language: it\n    body:\n      \
        1: {variable: recipient.ful_name}\n      2: {variable: order.code}\n      4: {text: x}\n  en:\n    name: manca\n    \
        language: en\n";
    let file = bridge.file("sei.yaml", yaml)?;
    let ended = bridge.run(&["mapping", "check", &file, "--json"], "").await?;
    let found: Vec<Value> = ended.json()?["findings"]
        .as_array()
        .context("no list")?
        .iter()
        .map(|finding| json!([finding["path"], finding["code"]]))
        .collect();
    assert_eq!(ended.code, 1);
    assert_eq!(
        json!(found),
        json!([
            ["/enabled", "wrong_value"],
            ["/templates/en/name", "unknown_template"],
            ["/templates/it/body/1/variable", "unknown_variable"],
            ["/templates/it/body/2/variable", "variable_not_in_event"],
            ["/templates/it/body/3", "unfilled"],
            ["/templates/it/body/4", "superfluous"],
            ["/useful_for", "wrong_value"],
        ])
    );
    let words = bridge.run(&["mapping", "apply", &file], "").await?;
    assert_eq!(words.code, 1);
    assert!(
        words.out.contains("forse recipient.full_name?") && words.out.lines().all(|line| line.chars().count() <= 80)
    );
    assert!(!bridge.world.live().await?.mappings.iter().any(|mapping| mapping.id.as_str() == "sei"));
    let no_yaml = bridge.run(&["mapping", "check", "-", "--json"], "a: [").await?;
    assert_eq!((no_yaml.code, &no_yaml.json()?["findings"][0]["code"]), (1, &json!("not_yaml")));
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn preview_shows_what_would_be_sent_and_sends_nothing() -> Result<()> {
    let bridge = Bridge::new().await?;
    let event = bridge.event("message.sent", "p1")?;
    let file = bridge.file("event.json", &event.to_string())?;
    let shown = bridge.ok(&["preview", "--mapping", "nuovo-messaggio", "--event", &file]).await?;
    assert_eq!(shown["event"], "p1");
    assert!(bridge.world.phone().await?.is_empty());
    bridge.world.accept(&event).await?;
    bridge.world.deliver().await?;
    let sent = bridge.world.phone().await?;
    let decisions = shown["decisions"].as_array().context("no list")?;
    let would: Vec<(&Value, &Value)> = decisions
        .iter()
        .filter(|decision| decision["decision"] == "send")
        .map(|one| (&one["text"], &one["request"]))
        .collect();
    let did: Vec<(&Value, &Value)> = sent.iter().map(|message| (&message["text"], &message["body"])).collect();
    assert!(!did.is_empty() && would.len() == did.len(), "{shown}");
    assert!(did.iter().all(|message| would.contains(message)), "{shown}");
    let by_id = bridge.ok(&["preview", "--mapping", "nuovo-messaggio", "--event", "p1"]).await?;
    assert_eq!(by_id, shown);
    assert_eq!(bridge.run(&["preview", "--mapping", "manca", "--event", "p1"], "").await?.code, 1);
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn preview_works_on_three_files_without_a_stack() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let template = folder.path().join("template.json");
    let row = json!({"name": "nuovo_messaggio", "language": "it", "status": "PAUSED", "category": "UTILITY",
        "components": [{"type": "BODY", "text": "Ciao {{1}}, {{2}} ti ha scritto: {{3}}. Saluti"}]});
    let files = [format!("{DOCS}/mappings/message.sent.yaml"), format!("{DOCS}/events/examples/message.sent.json")];
    let [mapping, event] = files.each_ref().map(String::as_str);
    let path = template.display().to_string();
    let args = ["preview", "--json", "--mapping", mapping, "--event", event, "--template", &path];
    for (status, expected) in [("REJECTED", "skip"), ("PAUSED", "wait"), ("APPROVED", "send")] {
        let mut row = row.clone();
        row["status"] = status.into();
        fs::write(&template, row.to_string())?;
        let ended = run(folder.path(), &args, "").await?;
        let decisions = ended.json()?["decisions"].clone();
        assert!(decisions.as_array().is_some_and(|all| all.iter().any(|one| one["decision"] == expected)), "{ended:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_and_audit_account_for_everything() -> Result<()> {
    let bridge = Bridge::new().await?;
    let mut order = bridge.event("order.status_changed", "e1")?;
    order["data"]["customer"]["phone"] = "340 1234567".into();
    bridge.world.accept(&order).await?;
    let mut silent = bridge.event("order.status_changed", "e2")?;
    silent["data"]["order"]["id"] = "other".into();
    silent["data"]["customer"]["phone"] = "+39 340 1234567".into();
    silent["data"]["customer"]["whatsapp_opt_out"] = true.into();
    bridge.world.accept(&silent).await?;
    bridge.world.deliver().await?;

    let explained = bridge.ok(&["explain", "--event", "e1"]).await?;
    let outcome = &explained["outcomes"][0];
    assert_eq!((&explained["event"]["id"], &explained["unaccounted"]), (&json!("e1"), &json!(0)));
    assert_eq!((&outcome["mapping"], &outcome["outcome"]), (&json!("stato-ordine"), &json!("sent")), "{explained}");
    assert!(outcome["provider_id"].is_string() && outcome["message_id"].is_string(), "{explained}");
    assert_eq!(outcome["phone"], "+39…4567");

    let words = bridge.run(&["explain", "--event", "e2"], "").await?;
    assert!(words.out.contains("ha scelto di non ricevere messaggi WhatsApp"), "{words:?}");
    assert!(words.out.lines().all(|line| line.chars().count() <= 80), "{words:?}");
    let english = bridge.run(&["explain", "--event", "e2", "--lang", "en"], "").await?;
    assert!(english.out.contains("opted out") && english.code == 0, "{english:?}");

    let ids = |document: &Value| -> Vec<Value> {
        document["events"].as_array().into_iter().flatten().map(|event| event["event"]["id"].clone()).collect()
    };
    let by_phone = bridge.ok(&["explain", "--phone", "3401234567", "--show-phones"]).await?;
    assert_eq!(ids(&by_phone), ["e1", "e2"]);
    assert_eq!(by_phone["events"][0]["outcomes"][0]["phone"], "+393401234567");
    assert_eq!(ids(&bridge.ok(&["explain", "--order", "other"]).await?), ["e2"]);
    assert_eq!(bridge.run(&["explain", "--event", "e9"], "").await?.code, 1);

    let audit = bridge.ok(&["audit", "--days", "1"]).await?;
    assert_eq!((&audit["events"], &audit["messages"], &audit["unaccounted"]), (&json!(2), &json!(2), &json!(0)));
    assert_eq!(audit["by_outcome"], json!({"sent": 1, "skipped": 1}));
    // Progress appears on terminals only.
    let words = bridge.run(&["audit"], "").await?;
    assert!(words.code == 0 && words.err.is_empty(), "{words:?}");
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_to_a_landline_is_explained_with_a_warning() -> Result<()> {
    let bridge = Bridge::new().await?;
    for (id, phone) in [("e1", "06 69812345"), ("e2", "06 69812346 / 340 1234567")] {
        let mut order = bridge.event("order.status_changed", id)?;
        order["data"]["order"]["id"] = id.into();
        order["data"]["customer"]["id"] = id.into();
        order["data"]["customer"]["phone"] = phone.into();
        bridge.world.accept(&order).await?;
    }
    bridge.world.deliver().await?;
    let explained = bridge.ok(&["explain", "--event", "e1", "--show-phones"]).await?;
    let outcome = &explained["outcomes"][0];
    assert_eq!((&outcome["outcome"], &outcome["phone"]), (&json!("sent"), &json!("+390669812345")), "{explained}");
    assert_eq!(outcome["warning"], "landline");
    let words = bridge.run(&["explain", "--event", "e1"], "").await?;
    assert!(words.out.contains("numero fisso"), "{words:?}");
    let mobile = bridge.ok(&["explain", "--event", "e2", "--show-phones"]).await?;
    assert_eq!(mobile["outcomes"][0]["phone"], "+393401234567");
    assert_eq!(mobile["outcomes"][0].get("warning"), None, "{mobile}");
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_language_is_explained_with_a_warning() -> Result<()> {
    let bridge = Bridge::new().await?;
    let mut order = bridge.event("order.status_changed", "e1")?;
    order["language"] = "ita".into();
    bridge.world.accept(&order).await?;
    bridge.world.deliver().await?;
    let explained = bridge.ok(&["explain", "--event", "e1"]).await?;
    assert_eq!(explained["unknown_languages"], json!(["ita"]), "{explained}");
    assert_eq!(explained["outcomes"][0]["outcome"], "sent", "{explained}");
    let words = bridge.run(&["explain", "--event", "e1"], "").await?;
    assert!(words.out.contains("nella lingua ita"), "{words:?}");
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_found_by_its_id_and_by_its_customer_facing_code() -> Result<()> {
    let bridge = Bridge::new().await?;
    let events = [("e1", "77", Value::Null), ("e2", "77", json!("OC9/77")), ("e3", "78", json!("OC9/78"))];
    for (id, order, code) in &events {
        let mut event = bridge.event("order.status_changed", id)?;
        event["data"]["order"]["id"] = (*order).into();
        event["data"]["order"]["code"] = code.clone();
        bridge.world.accept(&event).await?;
        bridge.world.deliver().await?;
        bridge.world.clock.advance(Duration::from_secs(1).try_into()?);
    }
    let ids = |document: &Value| -> Vec<Value> {
        document["events"].as_array().into_iter().flatten().map(|event| event["event"]["id"].clone()).collect()
    };
    // The first event has no code yet: the second links its order to the code.
    for order in ["77", "OC9/77", " oc9/77 "] {
        assert_eq!(ids(&bridge.ok(&["explain", "--order", order]).await?), ["e1", "e2"], "{order}");
    }
    assert_eq!(ids(&bridge.ok(&["explain", "--order", "OC9/78"]).await?), ["e3"]);
    assert_eq!(bridge.run(&["explain", "--order", "OC9"], "").await?.code, 1);
    bridge.world.finish().await
}

/// Sends a message and waits until its status has come through the webhook.
async fn report_a_status(bridge: &Bridge, id: &str) -> Result<()> {
    bridge.world.report_statuses("normal").await?;
    bridge.world.accept(&bridge.event("order.status_changed", id)?).await?;
    bridge.world.deliver().await?;
    bridge.world.deliver_reports().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sites_keys_and_accounts_are_set_up_and_tested() -> Result<()> {
    let bridge = Bridge::new().await?;
    let added = bridge.ok(&["site", "add", "negozio", "retention_days=60"]).await?;
    let key = added["api_key"].as_str().context("no key")?;
    assert_eq!(added["site"], "negozio");
    assert!(bridge.world.request("/v1/events", &[("x-api-key", key)], b"{}").await?.status == 422);
    assert_eq!(bridge.run(&["site", "add", "negozio"], "").await?.code, 1);
    assert_eq!(bridge.run(&["site", "set", "retention_days=1"], "").await?.code, 2);
    bridge.ok(&["site", "set", "time_zone=Europe/Zurich"]).await?;
    assert_eq!(bridge.ok(&["site", "show"]).await?["site"]["time_zone"], "Europe/Zurich");

    let second = bridge.ok(&["site", "rotate-key", "--site", "negozio"]).await?;
    assert_ne!(second["api_key"], key);
    assert_eq!(bridge.run(&["site", "rotate-key", "--site", "negozio"], "").await?.code, 1);
    let first = key.split('_').nth(1).context("no key id")?;
    bridge.ok(&["site", "rotate-key", "--site", "negozio", "--revoke", first]).await?;
    let shown = bridge.ok(&["site", "show", "--site", "negozio"]).await?;
    assert_eq!(shown["keys"].as_array().map(Vec::len), Some(3));

    // The other settings are right, but nothing has proven the webhook.
    let tested = bridge.run(&["account", "test", "--json"], "").await?;
    let steps = tested.json()?["steps"].clone();
    assert_eq!(
        (tested.code, &steps[5]["step"], &steps[5]["result"]),
        (1, &json!("webhook"), &json!("wrong")),
        "{steps}"
    );
    report_a_status(&bridge, "first").await?;
    let steps = bridge.ok(&["account", "test"]).await?;
    assert_eq!((&steps["ok"], steps["steps"].as_array().map(Vec::len)), (&json!(true), Some(6)), "{steps}");
    // Another secret must be proven anew.
    let secret = bridge.file("secret.txt", "another-secret")?;
    bridge.ok(&["site", "set-webhook", "--app-secret-file", &secret]).await?;
    let tested = bridge.run(&["account", "test"], "").await?;
    assert!(tested.code == 1 && tested.out.contains("webhook: SBAGLIATO"), "{tested:?}");
    for (setting, step) in [("waba_id=9", "waba_id"), ("phone_number_id=9", "phone_number_id")] {
        let before = bridge.ok(&["account", "show", "main"]).await?;
        bridge.ok(&["account", "set", "main", setting]).await?;
        let ended = bridge.run(&["account", "test", "--json"], "").await?;
        let steps = ended.json()?["steps"].clone();
        let last = steps.as_array().and_then(|steps| steps.last()).context("no steps")?;
        assert_eq!((ended.code, &last["step"], &last["result"]), (1, &json!(step), &json!("wrong")), "{ended:?}");
        let old = format!("{step}={}", before["account"][step].as_str().context("no value")?);
        bridge.ok(&["account", "set", "main", &old]).await?;
    }
    let other_host = ["account", "set", "main", "base_url=http://127.0.0.1:9/v1"];
    assert_eq!(bridge.run(&other_host, "").await?.code, 2);
    let moved = bridge.run(&[&other_host as &[&str], &["--token-file", "-"]].concat(), "a-new-token\n").await?;
    assert_eq!(moved.code, 0, "{moved:?}");
    let ended = bridge.run(&["account", "test", "main"], "").await?;
    assert!(ended.code == 1 && ended.out.contains("connection: SBAGLIATO"), "{ended:?}");
    assert!(!ended.out.contains("a-new-token") && !ended.err.contains("a-new-token"));
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_gets_a_signing_secret_and_then_requires_signatures() -> Result<()> {
    let bridge = Bridge::new().await?;
    let cached = jiff::SignedDuration::from_secs(61);
    let key = bridge.world.api_key().to_owned();
    let body = bridge.event("order.status_changed", "e-1")?.to_string();
    let post = async |key: &str, secret: Option<&str>| -> Result<u16> {
        let signed = secret.map(|secret| kit::signed(secret, "e-1", bridge.world.clock.now(), body.as_bytes()));
        let signed = signed.transpose()?;
        let mut headers = vec![("x-api-key", key)];
        headers.extend(signed.iter().flatten().map(|(name, value)| (*name, value.as_str())));
        Ok(bridge.world.request("/v1/events", &headers, body.as_bytes()).await?.status)
    };
    for refused in [&["site", "set-signing", "--mode", "required"] as &[&str], &["site", "set-signing", "--revoke-old"]]
    {
        assert_eq!(bridge.run(refused, "").await?.code, 1, "there is no secret: {refused:?}");
    }
    let set = bridge.ok(&["site", "set-signing"]).await?;
    let first = set["signing_secret"].as_str().context("no secret")?.to_owned();
    assert_eq!((&set["signing"], first.starts_with("whsec_")), (&json!("optional"), true), "{set}");
    bridge.world.clock.advance(cached);
    assert_eq!((post(&key, None).await?, post(&key, Some(&first)).await?), (202, 202));
    let required = bridge.run(&["site", "set-signing", "--mode", "required"], "").await?;
    assert!(required.code == 0 && !required.out.contains("whsec_"), "{required:?}");
    assert_eq!(bridge.ok(&["site", "show"]).await?["signing"], "required");
    let next = bridge.ok(&["site", "rotate-key"]).await?;
    let next = next["api_key"].as_str().context("no key")?;
    bridge.world.clock.advance(cached);
    assert_eq!((post(&key, None).await?, post(&key, Some(&first)).await?), (401, 202));
    assert_eq!((post(next, None).await?, post(next, Some(&first)).await?), (401, 202), "a new key requires it too");
    let second = bridge.ok(&["site", "set-signing"]).await?;
    let second = second["signing_secret"].as_str().context("no secret")?.to_owned();
    assert_eq!(bridge.run(&["site", "set-signing"], "").await?.code, 1, "two are valid");
    bridge.world.clock.advance(cached);
    assert_eq!((post(&key, Some(&first)).await?, post(&key, Some(&second)).await?), (202, 202));
    bridge.ok(&["site", "set-signing", "--revoke-old"]).await?;
    bridge.world.clock.advance(cached);
    assert_eq!((post(&key, Some(&first)).await?, post(&key, Some(&second)).await?), (401, 202));
    // The webhook's secret is kept beside.
    report_a_status(&bridge, "e-2").await.expect_err("an unsigned event is refused");
    bridge.ok(&["site", "set-signing", "--mode", "off"]).await?;
    bridge.world.clock.advance(cached);
    assert_eq!(post(&key, None).await?, 202);
    report_a_status(&bridge, "e-2").await?;
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_message_goes_only_to_the_given_number() -> Result<()> {
    let bridge = Bridge::new().await?;
    let file = bridge.file("event.json", &bridge.event("message.sent", "real")?.to_string())?;
    let args = ["send-test", "--mapping", "nuovo-messaggio", "--event", &file, "--phone", "347 7654321", "--json"];
    // The command ends by itself after its own wait.
    let ended = {
        let mut command = std::pin::pin!(bridge.run(&args, ""));
        loop {
            tokio::select! {
                ended = &mut command => break ended?,
                () = tokio::time::sleep(POLL) => drop(bridge.world.deliver().await?),
            }
        }
    };
    assert_eq!(ended.code, 0, "{ended:?}");
    let phone = bridge.world.phone().await?;
    assert_eq!((phone.len(), &phone[0]["to"]), (1, &json!("+393477654321")));
    assert_eq!(ended.json()?["outcomes"][0]["outcome"], "sent");
    bridge.world.finish().await
}
