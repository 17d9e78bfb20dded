//! The lifecycle of a mapping on the command line: listing, review, confirmation, enabling, deletion and history.

mod bridge;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use bridge::Bridge;

/// Returns the entry of the message mapping in `mapping list`.
async fn listed(bridge: &Bridge) -> Result<Value> {
    let mappings = bridge.ok(&["mapping", "list"]).await?;
    let mut all = mappings.get("mappings").and_then(Value::as_array).into_iter().flatten();
    let id = json!("nuovo-messaggio");
    all.find(|one| one.get("mapping") == Some(&id)).cloned().context("no such mapping")
}

/// Returns the outcome of a message that is sent now.
async fn outcome(bridge: &Bridge, id: &str) -> Result<Value> {
    // The function caches a site's configuration for up to 15 s.
    bridge.world.clock.advance(jiff::SignedDuration::from_secs(15));
    bridge.world.accept(&bridge.event("message.sent", id)?).await?;
    bridge.world.deliver().await?;
    let explained = bridge.ok(&["explain", "--event", id]).await?;
    explained.pointer("/outcomes/0").cloned().context("no outcome")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_template_is_listed_for_review_until_confirmed() -> Result<()> {
    let bridge = Bridge::new().await?;
    let synced = bridge.ok(&["template", "sync"]).await?;
    assert_eq!((&synced["needs_review"], &synced["cannot_send"]), (&json!([]), &json!([])));
    let before = listed(&bridge).await?;
    assert_eq!((&before["state"], &before["needs_review"]), (&json!("enabled"), &Value::Null));

    bridge.world.set_template("nuovo_messaggio", "it", &json!({"category": "MARKETING"})).await?;
    assert_eq!(bridge.ok(&["template", "sync"]).await?["needs_review"], json!(["nuovo-messaggio"]));
    let words = bridge.run(&["template", "sync"], "").await?;
    assert!(words.out.contains("Da rivedere: nuovo-messaggio, nuovo_messaggio (it): altra categoria;"), "{words:?}");
    let marked = listed(&bridge).await?;
    assert_eq!((&marked["state"], &marked["version"]), (&json!("needs_review"), &before["version"]));
    let template = &marked["needs_review"]["templates"][0];
    assert_eq!(*template, json!({"name": "nuovo_messaggio", "language": "it", "change": "category"}));
    let words = bridge.run(&["mapping", "list"], "").await?;
    assert!(words.out.contains("da rivedere") && words.out.contains("bridge mapping confirm nuovo-messaggio"));
    assert!(words.out.lines().all(|line| line.chars().count() <= 80), "{words:?}");
    assert_eq!(outcome(&bridge, "m1").await?["reason"], "template_changed");
    let exported = bridge.run(&["mapping", "export", "nuovo-messaggio"], "").await?;
    assert!(!exported.out.contains("review"), "{exported:?}");

    let confirmed = bridge.ok(&["mapping", "confirm", "nuovo-messaggio"]).await?;
    assert_eq!((&confirmed["changed"], &confirmed["warnings"][0]["code"]), (&json!(true), &json!("marketing")));
    assert_eq!(listed(&bridge).await?["state"], "enabled");
    assert_eq!(outcome(&bridge, "m2").await?["outcome"], "sent");
    assert_eq!(bridge.ok(&["mapping", "confirm", "nuovo-messaggio"]).await?["changed"], false);
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_that_no_longer_fits_the_mapping_cannot_be_confirmed() -> Result<()> {
    let bridge = Bridge::new().await?;
    let body = json!([{"type": "BODY", "text": "Ciao {{1}}, {{2}} ti ha scritto {{3}} alle {{4}}, leggilo."}]);
    bridge.world.set_template("nuovo_messaggio", "it", &json!({ "components": body })).await?;
    bridge.ok(&["template", "sync"]).await?;
    let refused = bridge.run(&["mapping", "confirm", "nuovo-messaggio", "--json"], "").await?;
    let finding = &refused.json()?["findings"][0];
    assert_eq!((refused.code, &finding["path"]), (1, &json!("/templates/it/body/4")), "{refused:?}");
    assert_eq!(listed(&bridge).await?["state"], "needs_review");

    // Applying the file without the old fingerprints, adapted to the template, is equivalent to a confirmation.
    let exported = bridge.run(&["mapping", "export", "nuovo-messaggio", "--json"], "").await?;
    let mut mapping = exported.json()?;
    for used in mapping["templates"].as_object_mut().context("no templates")?.values_mut() {
        used.as_object_mut().context("no object")?.remove("fingerprint");
    }
    mapping["templates"]["it"]["body"]["4"] = json!({"text": "10:15"});
    let applied = bridge.run(&["mapping", "apply", "-"], &mapping.to_string()).await?;
    assert_eq!(applied.code, 0, "{applied:?}");
    assert_eq!(listed(&bridge).await?["state"], "enabled");
    assert_eq!(outcome(&bridge, "m1").await?["outcome"], "sent");
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_are_listed_without_a_stack() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let all = bridge::run(folder.path(), &["variable", "list", "--json"], "").await?.json()?;
    let of_carts =
        bridge::run(folder.path(), &["variable", "list", "--event", "cart.abandoned", "--json"], "").await?.json()?;
    let ids = |document: &Value| -> Vec<String> {
        let listed = document["variables"].as_array().into_iter().flatten();
        listed.filter_map(|one| one["id"].as_str().map(str::to_owned)).collect()
    };
    assert!(ids(&all).len() > 40 && ids(&all).contains(&"order.code".to_owned()), "{all}");
    let of_carts = ids(&of_carts);
    assert!(of_carts.contains(&"cart.total".to_owned()) && !of_carts.contains(&"order.total".to_owned()));
    let words = bridge::run(folder.path(), &["variable", "list", "--event", "order.status_changed"], "").await?;
    assert!(words.out.contains("order.code  Sigla Documento  [testo]\n"), "{words:?}");
    assert!(words.out.lines().all(|line| line.chars().count() <= 80), "{words:?}");
    assert_eq!(bridge::run(folder.path(), &["variable", "list", "--event", "cart.closed"], "").await?.code, 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_shown_with_its_parts_and_users() -> Result<()> {
    let bridge = Bridge::new().await?;
    let shown = bridge.ok(&["template", "show", "ordine_spedito", "--language", "it"]).await?;
    let template = &shown["templates"][0];
    assert_eq!(template["placeholders"], json!(["header", "body/nome", "body/codice", "buttons/0", "buttons/1"]));
    assert_eq!(template["examples"]["body/codice"], "OC1/1320");
    assert_eq!((&template["used_by"], &template["problems"]), (&json!([]), &json!([])));
    let words = bridge.run(&["template", "show", "ordine_spedito"], "").await?;
    for part in ["Intestazione: immagine", "{{nome}}", "0: Segui la spedizione", "Nessuna azione", "(en)"] {
        assert!(words.out.contains(part), "{part}: {words:?}");
    }
    assert!(words.out.lines().all(|line| line.chars().count() <= 80), "{words:?}");

    bridge.world.set_template("nuovo_messaggio", "it", &json!({"status": "PAUSED"})).await?;
    bridge.ok(&["template", "sync"]).await?;
    let paused = bridge.ok(&["template", "show", "nuovo_messaggio", "--language", "it"]).await?;
    assert_eq!(paused["templates"][0]["problems"][0]["code"], "template_not_approved");
    assert_eq!(paused["templates"][0]["used_by"], json!(["nuovo-messaggio"]));
    assert_eq!(bridge.run(&["template", "show", "manca"], "").await?.code, 1);
    assert_eq!(bridge.run(&["template", "show", "ordine_spedito", "--language", "de"], "").await?.code, 1);
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_mapping_lacks_only_what_a_person_must_fill() -> Result<()> {
    let bridge = Bridge::new().await?;
    let file = bridge.folder.path().join("nuova.yaml").display().to_string();
    let of_order = ["mapping", "new", "--event", "order.status_changed", "--template"];
    let created = bridge.ok(&[&of_order as &[&str], &["ordine_spedito", "--output", &file]].concat()).await?;
    assert_eq!((&created["mapping"], &created["file"]), (&json!("ordine-spedito"), &json!(file)));
    let checked = bridge.run(&["mapping", "check", &file, "--json"], "").await?;
    let findings = checked.json()?["findings"].clone();
    let found: Vec<Value> =
        findings.as_array().into_iter().flatten().map(|one| json!([one["path"], one["code"]])).collect();
    let links = ["en", "it"].map(|key| json!([format!("/templates/{key}/header/image/link/text"), "empty_text"]));
    assert_eq!(json!(found), json!(links));

    let yaml = std::fs::read_to_string(&file)?.replace("{ text: \"\" }", "{ text: \"https://www.example.com/a.jpg\" }");
    let applied = bridge.run(&["mapping", "apply", "-", "--json"], &yaml).await?;
    assert_eq!(applied.code, 0, "{applied:?}");
    let event = bridge.event("order.status_changed", "n1")?;
    let path = bridge.file("event.json", &event.to_string())?;
    let words = bridge.run(&["preview", "--mapping", "ordine-spedito", "--event", &path], "").await?;
    for part in ["Intestazione: https://www.example.com/a.jpg", "Anna Rossi", "0: https://track.example.com/0845"] {
        assert!(words.out.contains(part), "{part}: {words:?}");
    }

    // A file is never overwritten, and an id never taken twice.
    assert_eq!(bridge.run(&[&of_order as &[&str], &["ordine_spedito", "--output", &file]].concat(), "").await?.code, 2);
    let again = bridge.ok(&[&of_order as &[&str], &["ordine_spedito"]].concat()).await?;
    assert_eq!(again["mapping"], "ordine-spedito-2");
    assert_eq!(bridge.run(&[&of_order as &[&str], &["manca"]].concat(), "").await?.code, 1);
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_with_another_event_type_says_so() -> Result<()> {
    let bridge = Bridge::new().await?;
    let event = bridge.file("event.json", &bridge.event("order.status_changed", "o1")?.to_string())?;
    let refused = bridge.run(&["preview", "--mapping", "nuovo-messaggio", "--event", &event], "").await?;
    assert!(
        refused.code == 2
            && refused.err.contains("nuovo-messaggio riguarda message.sent, l'evento è order.status_changed"),
        "{refused:?}"
    );
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_template_needs_no_confirmation() -> Result<()> {
    let bridge = Bridge::new().await?;
    bridge.world.set_template("nuovo_messaggio", "it", &json!({"status": "PAUSED"})).await?;
    let synced = bridge.ok(&["template", "sync"]).await?;
    assert_eq!((&synced["needs_review"], &synced["cannot_send"]), (&json!([]), &json!(["nuovo-messaggio"])));
    assert_eq!(listed(&bridge).await?["state"], "enabled");
    let templates = bridge.ok(&["template", "list"]).await?;
    let paused = |one: &&Value| one["name"] == "nuovo_messaggio" && one["status"] == "PAUSED";
    let paused: Vec<&Value> = templates["templates"].as_array().into_iter().flatten().filter(paused).collect();
    assert_eq!(paused.len(), 1);
    assert_eq!(paused[0]["used_by"], json!(["nuovo-messaggio"]));
    let words = bridge.run(&["template", "list"], "").await?;
    assert!(words.out.lines().all(|line| line.chars().count() <= 80), "{words:?}");
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mapping_can_be_disabled_enabled_deleted_and_restored() -> Result<()> {
    let bridge = Bridge::new().await?;
    let id = "nuovo-messaggio";
    assert_eq!(bridge.run(&["mapping", "history", id], "").await?.code, 1, "nobody saved it yet");
    assert_eq!(bridge.ok(&["mapping", "disable", id]).await?["changed"], true);
    assert_eq!(bridge.ok(&["mapping", "disable", id]).await?["changed"], false);
    assert_eq!(listed(&bridge).await?["state"], "disabled");
    assert_eq!(outcome(&bridge, "m1").await?["reason"], "no_mapping");
    let off = bridge.run(&["mapping", "export", id], "").await?;
    assert!(off.out.contains("enabled: false"), "{off:?}");

    // A disabled mapping is checked before it is enabled.
    bridge.world.set_template("nuovo_messaggio", "it", &json!({"status": "PAUSED"})).await?;
    bridge.ok(&["template", "sync"]).await?;
    let refused = bridge.run(&["mapping", "enable", id, "--json"], "").await?;
    assert_eq!(
        (refused.code, &refused.json()?["findings"][0]["code"]),
        (1, &json!("template_not_approved")),
        "{refused:?}"
    );
    bridge.world.set_template("nuovo_messaggio", "it", &json!({"status": "APPROVED"})).await?;
    bridge.ok(&["template", "sync"]).await?;
    assert_eq!(bridge.ok(&["mapping", "enable", id]).await?["changed"], true);
    assert_eq!(outcome(&bridge, "m2").await?["outcome"], "sent");

    assert_eq!(bridge.run(&["mapping", "delete", id], "").await?.code, 2);
    let deleted = bridge.ok(&["mapping", "delete", id, "--yes"]).await?;
    assert_eq!(deleted["deleted"], true);
    assert_eq!(bridge.run(&["mapping", "export", id], "").await?.code, 1);
    assert!(listed(&bridge).await.is_err());
    let enabled = bridge.run(&["mapping", "export", id, "--version", "2"], "").await?;
    let back = bridge.run(&["mapping", "apply", "-", "--json"], &enabled.out).await?;
    assert_eq!((back.code, &back.json()?["version"]), (0, &json!(4)), "{back:?}");
    assert_eq!(outcome(&bridge, "m3").await?["outcome"], "sent");

    let history = bridge.ok(&["mapping", "history", id]).await?;
    let versions = history["versions"].as_array().context("no list")?;
    let actions: Vec<Value> = versions.iter().map(|one| json!([one["version"], one["action"], one["by"]])).collect();
    let expected = [(1, "disabled"), (2, "enabled"), (3, "deleted"), (4, "saved")];
    assert_eq!(actions, expected.map(|(version, action)| json!([version, action, "cli"])));
    assert!(versions.iter().all(|one| one["document"]["id"] == id && one["document"].get("version").is_none()));
    let words = bridge.run(&["mapping", "history", id], "").await?;
    assert!(words.out.contains("eliminata") && words.out.lines().all(|line| line.chars().count() <= 80), "{words:?}");
    assert_eq!(bridge.run(&["mapping", "export", id, "--version", "9"], "").await?.code, 1);
    bridge.world.finish().await
}
