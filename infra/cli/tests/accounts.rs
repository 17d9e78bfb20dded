//! Accounts of a site, and which of them a mapping sends through.

mod bridge;

use anyhow::{Context, Result};
use domain::site::config::{Account, Site};
use jiff::SignedDuration;
use serde_json::{Value, json};

use bridge::Bridge;

/// Adds an account that cannot send.
async fn add(bridge: &Bridge, id: &str) -> Result<Value> {
    let args = ["account", "add", id, "--token-file", "-", "base_url=http://127.0.0.1:9/v1", "phone_number_id=9"];
    let ended = bridge.run(&[&args as &[&str], &["waba_id=9", "--json"]].concat(), "a-token\n").await?;
    anyhow::ensure!(ended.code == 0, "{ended:?}");
    ended.json()
}

/// Returns the outcome of an order whose mapping names no account.
async fn outcome(bridge: &Bridge, id: &str) -> Result<Value> {
    // A change of the configuration takes effect within 15 s.
    bridge.world.clock.advance(SignedDuration::from_secs(16));
    let mut event = bridge.event("order.status_changed", id)?;
    *event.pointer_mut("/data/order/id").context("no order")? = id.into();
    bridge.world.accept(&event).await?;
    bridge.world.deliver().await?;
    let explained = bridge.ok(&["explain", "--event", id]).await?;
    explained.pointer("/outcomes/0").cloned().context("no outcome")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_added_account_does_not_become_the_default() -> Result<()> {
    let bridge = Bridge::new().await?;
    // A site of a version that stored no default account.
    let site = bridge.world.live().await?.site;
    bridge.world.config.put_site(&Site { default_account: None, ..site }).await?;
    assert_eq!(bridge.ok(&["site", "show"]).await?["site"]["default_account"], "main");
    add(&bridge, "aaa").await?;
    assert_eq!(outcome(&bridge, "o1").await?["outcome"], "sent");
    assert_eq!(bridge.ok(&["site", "show"]).await?["site"]["default_account"], "main");
    assert_eq!(bridge.ok(&["account", "show"]).await?["account"]["id"], "main");
    assert_eq!(bridge.ok(&["account", "show", "aaa"]).await?["default"], false);
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_default_account_is_changed_by_name_only() -> Result<()> {
    let bridge = Bridge::new().await?;
    add(&bridge, "zweite").await?;
    for (wrong, code) in [("default_account=nirgends", 1), ("default_account=", 2), ("default_account=a b", 2)] {
        assert_eq!(bridge.run(&["site", "set", wrong], "").await?.code, code, "{wrong}");
    }
    bridge.ok(&["account", "set", "zweite", "active=false"]).await?;
    let set = bridge.run(&["site", "set", "default_account=zweite"], "").await?;
    assert!(set.code == 0 && set.out.contains("non è attivo"), "{set:?}");
    let skipped = outcome(&bridge, "o1").await?;
    assert_eq!((&skipped["reason"], &skipped["detail"]), (&json!("account_inactive"), &json!("zweite")), "{skipped}");
    let shown = bridge.ok(&["account", "show"]).await?;
    assert_eq!((&shown["account"]["id"], &shown["default"]), (&json!("zweite"), &json!(true)), "{shown}");
    bridge.ok(&["site", "set", "default_account=main"]).await?;
    assert_eq!(outcome(&bridge, "o2").await?["outcome"], "sent");
    let set = bridge.run(&["account", "set", "main", "active=false"], "").await?;
    assert!(set.out.contains("predefinito"), "{set:?}");
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_account_does_not_block_the_template_sync_of_the_others() -> Result<()> {
    let bridge = Bridge::new().await?;
    // Its id sorts before the account that responds.
    add(&bridge, "aaa").await?;
    let synced = bridge.run(&["template", "sync", "--json"], "").await?;
    assert_eq!(synced.code, 3, "{synced:?}");
    assert!(synced.err.contains("aaa"), "{synced:?}");
    let document = synced.json()?;
    assert_eq!(document["failed"][0]["account"], "aaa", "{document}");
    assert_eq!(document["accounts"][0]["account"], "main", "{document}");
    let words = bridge.run(&["template", "sync"], "").await?;
    assert!(words.code == 3 && words.out.contains("NON SINCRONIZZATO"), "{words:?}");
    bridge.ok(&["account", "set", "aaa", "active=false"]).await?;
    assert_eq!(bridge.ok(&["template", "sync"]).await?["failed"], json!([]));
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_cannot_be_read_is_reported_as_unread() -> Result<()> {
    let bridge = Bridge::new().await?;
    let file = bridge.folder.path().join("functions.env");
    let variables = std::fs::read_to_string(&file)?;
    let unreachable = |line: &str| match line.split_once('=') {
        // Nothing listens at this port.
        Some((name @ "AWS_ENDPOINT_URL_SECRETS_MANAGER", _)) => format!("{name}=http://127.0.0.1:9\n"),
        _ => format!("{line}\n"),
    };
    std::fs::write(&file, variables.lines().map(unreachable).collect::<String>())?;
    let ended = bridge.run(&["site", "set-webhook", "--app-secret-file", "-"], "a-secret\n").await?;
    assert!(ended.code == 3 && ended.err.contains("non si può leggere"), "{ended:?}");
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_account_of_a_site_is_its_default() -> Result<()> {
    let bridge = Bridge::new().await?;
    bridge.ok(&["site", "add", "negozio"]).await?;
    let shown = bridge.ok(&["site", "show", "--site", "negozio"]).await?;
    assert_eq!(shown["site"]["default_account"], Value::Null);
    // The setting always names an account, even if there is none to remove.
    for args in [["site", "set", "default_account="].as_slice(), &["site", "add", "altro", "default_account="]] {
        let refused = bridge.run(&[args, &["--site", "negozio"]].concat(), "").await?;
        assert!(refused.code == 2 && refused.err.contains("default_account deve essere"), "{refused:?}");
    }
    for id in ["zeta", "alfa"] {
        let args = ["--site", "negozio", "account", "add", id, "--token-file", "-", "base_url=http://127.0.0.1:9/v1"];
        let ended = bridge.run(&[&args as &[&str], &["phone_number_id=9", "waba_id=9"]].concat(), "a-token\n").await?;
        assert_eq!(ended.code, 0, "{ended:?}");
    }
    let shown = bridge.ok(&["site", "show", "--site", "negozio"]).await?;
    assert_eq!(shown["site"]["default_account"], "zeta", "{shown}");
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_stored_for_the_host_of_its_base_url() -> Result<()> {
    let bridge = Bridge::new().await?;
    let account = bridge.ok(&["account", "show"]).await?["account"].clone();
    let here = account["base_url"].as_str().context("no base_url")?.to_owned();
    // The same server under another name. The token moves with the host that the operator states.
    for base_url in [here.replace("127.0.0.1", "localhost"), here.clone()] {
        let set = ["account", "set", "main", "--token-file", "-", &format!("base_url={base_url}")];
        let set = bridge.run(&set, bridge.world.access_token()).await?;
        assert_eq!(set.code, 0, "{base_url}: {set:?}");
        let tested = bridge.run(&["account", "test", "main", "--json"], "").await?;
        let last = tested.json()?["steps"][4].clone();
        assert_eq!(
            (&last["step"], &last["result"]),
            (&json!("phone_number_id"), &json!("right")),
            "{base_url}: {tested:?}"
        );
    }
    let site = bridge.world.site()?;
    let live = bridge.world.live().await?;
    let redirected = Account { base_url: here.replace("127.0.0.1", "localhost"), ..live.accounts[0].clone() };
    bridge.world.config.put_account(&site, &redirected).await?;
    let tested = bridge.run(&["account", "test", "main", "--json"], "").await?;
    assert_eq!((tested.code, &tested.json()?["steps"][0]["step"]), (1, &json!("base_url")), "{tested:?}");
    Ok(())
}
