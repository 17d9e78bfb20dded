//! Commands about people: suppressions, lists of them, and erasure.

mod bridge;

use std::collections::HashMap;

use anyhow::{Context, Result};
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use serde_json::{Value, json};

use bridge::Bridge;

const PHONE: &str = "340 1234567";

/// Creates an order with its own subject, for a customer with [`PHONE`].
fn order(bridge: &Bridge, id: &str) -> Result<Value> {
    let mut event = bridge.event("order.status_changed", id)?;
    *event.pointer_mut("/data/order/id").context("no order")? = id.into();
    Ok(event)
}

/// Returns the outcome of an event's first message.
async fn outcome(bridge: &Bridge, event: &Value) -> Result<Value> {
    bridge.world.accept(event).await?;
    bridge.world.deliver().await?;
    explained(bridge, event.get("id").and_then(Value::as_str).context("no id")?).await
}

async fn explained(bridge: &Bridge, id: &str) -> Result<Value> {
    let explained = bridge.ok(&["explain", "--event", id]).await?;
    explained.pointer("/outcomes/0").cloned().context("no outcome")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suppression_is_lifted_only_for_its_own_source() -> Result<()> {
    let bridge = Bridge::new().await?;
    let suppressed = bridge.ok(&["suppress", "--phone", PHONE, "--reason", "richiesta telefonica"]).await?;
    let one = &suppressed["suppressions"][0];
    assert_eq!((&one["scope"], &one["source"]), (&json!("all"), &json!("operator")), "{suppressed}");
    assert_eq!((&one["reason"], &suppressed["phone"]), (&json!("richiesta telefonica"), &json!("+39…4567")));
    let skipped = outcome(&bridge, &order(&bridge, "o1")?).await?;
    assert_eq!((&skipped["outcome"], &skipped["reason"]), (&json!("skipped"), &json!("suppressed")));

    let lift = ["unsuppress", "--phone", PHONE, "--reason", "ha richiamato", "--by", "giulia"];
    assert_eq!(bridge.run(&lift[..3], "").await?.code, 2, "a reason is needed");
    bridge.world.write_back("+393401234567", "STOP").await?;
    bridge.world.deliver_reports().await?;
    // The operator's own suppression is lifted; the person's stays.
    let left = bridge.ok(&lift).await?;
    assert_eq!(left["suppressions"].as_array().map(Vec::len), Some(1), "{left}");
    assert_eq!(left["suppressions"][0]["source"], "stop");
    let lifted = &left["lifted"][0];
    assert_eq!((&lifted["what"], &lifted["source"]), (&json!("suppression"), &json!("operator")), "{left}");
    assert_eq!((&lifted["by"], &lifted["reason"]), (&json!("giulia"), &json!("ha richiamato")), "{left}");
    assert!(lifted["at"].is_string(), "{left}");
    let again = bridge.run(&lift, "").await?;
    assert!(again.code == 1 && again.out.contains("la persona ha scritto STOP"), "{again:?}");
    assert_eq!(outcome(&bridge, &order(&bridge, "o2")?).await?["reason"], "suppressed");
    let free = bridge.ok(&[&lift as &[&str], &["--source", "stop"]].concat()).await?;
    assert_eq!(free["suppressions"], json!([]));
    assert_eq!(outcome(&bridge, &order(&bridge, "o3")?).await?["outcome"], "sent");

    let (site, contact) = (bridge.world.site()?, bridge.world.contact(PHONE).await?);
    let until = bridge.world.clock.now() + SignedDuration::from_hours(48);
    bridge.world.contacts.unreachable(&site, &contact, until).await?;
    let by_phone = bridge.ok(&["explain", "--phone", PHONE]).await?;
    assert!(by_phone["number"]["unreachable_until"].is_string(), "{by_phone}");
    let reachable = bridge.ok(&["unsuppress", "--phone", PHONE, "--unreachable"]).await?;
    assert_eq!(reachable["unreachable_until"], Value::Null);
    assert_eq!(bridge.run(&["unsuppress", "--phone", PHONE, "--unreachable"], "").await?.code, 1);
    let whats = |document: &Value| -> Vec<Value> {
        document["lifted"].as_array().into_iter().flatten().map(|lift| lift["what"].clone()).collect()
    };
    let by_phone = bridge.ok(&["explain", "--phone", PHONE]).await?;
    assert_eq!(whats(&by_phone["number"]), ["suppression", "suppression", "unreachable"], "{by_phone}");
    let words = bridge.run(&["explain", "--phone", PHONE], "").await?;
    assert!(words.out.contains("da giulia") && words.out.contains("ha richiamato"), "{words:?}");
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_list_is_imported_whole_or_not_at_all_and_exported_unchanged() -> Result<()> {
    let bridge = Bridge::new().await?;
    assert_eq!(outcome(&bridge, &order(&bridge, "o1")?).await?["outcome"], "sent");
    let wrong = bridge.file("wrong.csv", "phone,scope\n3401234567,all\n12,all\n3407654321,tutto\n")?;
    let refused = bridge.run(&["contacts", "import", &wrong, "--json"], "").await?;
    let findings = refused.json()?["findings"].clone();
    let lines: Vec<&Value> = findings.as_array().into_iter().flatten().map(|finding| &finding["line"]).collect();
    assert_eq!((refused.code, lines), (1, vec![&json!(3), &json!(4)]), "{refused:?}");
    assert_eq!(bridge.ok(&["contacts", "export"]).await?["contacts"], json!([]));

    let right = "phone;scope;reason;consent\n340 1234567;all;\"no; grazie\";\n340 7654321;;;sì\n";
    let dry = bridge.run(&["contacts", "import", "-", "--dry-run", "--json"], right).await?;
    assert_eq!((dry.code, &dry.json()?["right"], &dry.json()?["written"]), (0, &json!(2), &json!(0)), "{dry:?}");
    assert_eq!(bridge.ok(&["contacts", "export"]).await?["contacts"], json!([]));
    assert_eq!(bridge.run(&["contacts", "import", "-"], right).await?.code, 0);

    let exported = bridge.run(&["contacts", "export"], "").await?.out;
    let listed = bridge.ok(&["contacts", "export"]).await?["contacts"].clone();
    let listed = listed.as_array().context("no list")?;
    let contact = bridge.world.contact(PHONE).await?;
    let own = listed.iter().find(|one| one["contact"] == contact.as_str()).context("not listed")?;
    assert_eq!(
        (&own["phone"], &own["source"], &own["reason"]),
        (&json!("+393401234567"), &json!("import"), &json!("no; grazie"))
    );
    let other = listed.iter().find(|one| one["contact"] != contact.as_str()).context("not listed")?;
    // No message went to that number, so the ledger does not contain it.
    assert_eq!((&other["phone"], &other["consent"]), (&json!(""), &json!("yes")));

    bridge.ok(&["unsuppress", "--phone", PHONE, "--source", "import", "--reason", "prova"]).await?;
    let file = bridge.file("back.csv", &exported)?;
    assert_eq!(bridge.ok(&["contacts", "import", &file]).await?["written"], 2);
    assert_eq!(bridge.run(&["contacts", "export"], "").await?.out, exported);
    let partly = bridge.ok(&["contacts", "import", &wrong, "--skip-wrong"]).await?;
    assert_eq!((&partly["written"], partly["findings"].as_array().map(Vec::len)), (&json!(1), Some(2)));
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_changes_only_contacts_of_its_own_site() -> Result<()> {
    let bridge = Bridge::new().await?;
    bridge.ok(&["suppress", "--phone", PHONE, "--reason", "richiesta telefonica"]).await?;
    let own = bridge.run(&["contacts", "export"], "").await?.out;
    bridge.ok(&["site", "add", "negozio"]).await?;
    let other = ["contacts", "import", "-", "--site", "negozio", "--json"];
    let refused = bridge.run(&other, &own).await?;
    let findings = refused.json()?["findings"].clone();
    assert_eq!((refused.code, &findings[0]["line"]), (1, &json!(2)), "{refused:?}");
    assert!(findings[0]["message"].as_str().is_some_and(|words| words.contains("another site")), "{findings}");
    // An unrecorded pseudonym may belong to any site; a number is always this site's own.
    let mixed = format!("contact,phone,scope\n{},,all\n,3401234567,all\n", "0".repeat(64));
    let partly = bridge.run(&[&other as &[&str], &["--skip-wrong"]].concat(), &mixed).await?;
    let partly = partly.json()?;
    assert_eq!((&partly["written"], &partly["findings"][0]["line"]), (&json!(1), &json!(2)), "{partly}");
    assert_eq!(bridge.run(&["contacts", "export"], "").await?.out, own, "the first site's list is as it was");
    // A message of the site makes the pseudonym its own, even if nothing else is recorded for the number.
    let contact = bridge.world.contact("333 7654321").await?;
    let mut order = order(&bridge, "o1")?;
    *order.pointer_mut("/data/customer/phone").context("no phone")? = "333 7654321".into();
    assert_eq!(outcome(&bridge, &order).await?["outcome"], "sent");
    let known = bridge.run(&["contacts", "import", "-"], &format!("contact,scope\n{contact},all\n")).await?;
    assert_eq!(known.code, 0, "{known:?}");
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_to_a_shared_number_is_shown_and_lifted_at_a_site_that_joined_later() -> Result<()> {
    let bridge = Bridge::new().await?;
    bridge.world.write_back("+393401234567", "STOP").await?;
    bridge.world.deliver_reports().await?;
    bridge.world.add_site("late").await?;
    let shown = bridge.ok(&["--site", "late", "explain", "--phone", PHONE]).await?;
    let one = &shown["number"]["suppressions"][0];
    assert_eq!((&one["scope"], &one["source"]), (&json!("all"), &json!("stop")), "{shown}");
    let lift = ["unsuppress", "--phone", PHONE, "--scope", "all", "--source", "stop", "--reason", "Anna ha richiamato"];
    let lifted = bridge.ok(&[&["--site", "late"] as &[&str], &lift].concat()).await?;
    assert_eq!(lifted["suppressions"], json!([]), "{lifted}");
    let again = bridge.run(&["--site", "late", "explain", "--phone", PHONE, "--json"], "").await?;
    assert_eq!(again.json()?["number"]["suppressions"], json!([]), "{again:?}");
    let first = bridge.ok(&["explain", "--phone", PHONE]).await?;
    assert_eq!(first["number"]["suppressions"][0]["source"], json!("stop"), "the first site keeps its own: {first}");
    bridge.world.finish().await
}

/// Returns every item of a table, as text.
async fn scanned(bridge: &Bridge, table: &str) -> Result<String> {
    Ok(items(bridge, table).await?.iter().map(|item| format!("{item:?}\n")).collect())
}

/// Returns every item of a table.
async fn items(bridge: &Bridge, table: &str) -> Result<Vec<HashMap<String, AttributeValue>>> {
    Ok(dynamodb(bridge)?.scan().table_name(table).send().await?.items().to_vec())
}

fn dynamodb(bridge: &Bridge) -> Result<aws_sdk_dynamodb::Client> {
    let variables = bridge.world.variables();
    let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-south-1"))
        .endpoint_url(variable("AWS_ENDPOINT_URL_DYNAMODB").context("no endpoint")?)
        .credentials_provider(Credentials::new(
            variable("AWS_ACCESS_KEY_ID").context("no key")?,
            variable("AWS_SECRET_ACCESS_KEY").context("no secret")?,
            None,
            None,
            "test",
        ))
        .build();
    Ok(aws_sdk_dynamodb::Client::from_conf(config))
}

/// Creates an order for the person of the examples, without the opt-out field.
fn silent_order(bridge: &Bridge, id: &str) -> Result<Value> {
    let mut event = order(bridge, id)?;
    let customer = event.pointer_mut("/data/customer").and_then(Value::as_object_mut).context("no customer")?;
    customer.remove("whatsapp_opt_out");
    Ok(event)
}

/// Opts out the person of the examples.
async fn opt_out(bridge: &Bridge) -> Result<()> {
    let mut updated = bridge.event("customer.updated", "opted-out")?;
    *updated.pointer_mut("/data/customer/whatsapp_opt_out").context("no field")? = true.into();
    bridge.world.accept(&updated).await?;
    bridge.world.deliver().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persons_record_expires_and_their_opt_out_stays() -> Result<()> {
    let bridge = Bridge::new().await?;
    opt_out(&bridge).await?;
    let known = items(&bridge, "story-contacts").await?;
    let of = |prefix: &str| {
        let found = known.iter().find(|item| item["pk"].as_s().is_ok_and(|pk| pk.starts_with(prefix)));
        found.cloned().with_context(|| format!("no {prefix}: {known:?}"))
    };
    let (choices, record) = (of("PERSON#demo#")?, of("RECORD#demo#")?);
    assert_eq!(choices["whatsapp_opt_out"], AttributeValue::Bool(true));
    assert!(!choices.contains_key("phone") && !choices.contains_key("expires_at"), "{choices:?}");
    let expires_at: i64 = record["expires_at"].as_n().map_err(|_| anyhow::anyhow!("no number"))?.parse()?;
    let ninety_days = bridge.world.clock.now() + SignedDuration::from_hours(90 * 24);
    assert!((ninety_days.as_second() - expires_at).abs() < 60, "{record:?}");
    // Deletes the item as DynamoDB does on expiry.
    let delete = dynamodb(&bridge)?.delete_item().table_name("story-contacts").key("pk", record["pk"].clone());
    delete.send().await?;
    assert_eq!(outcome(&bridge, &silent_order(&bridge, "o1")?).await?["reason"], "opted_out");
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_person_stays_opted_out() -> Result<()> {
    let bridge = Bridge::new().await?;
    opt_out(&bridge).await?;
    assert_eq!(bridge.ok(&["erase", "--phone", PHONE, "--yes"]).await?["persons"], 1);
    let contacts = items(&bridge, "story-contacts").await?;
    assert!(!contacts.iter().any(|item| item.contains_key("phone") || item.contains_key("language")), "{contacts:?}");
    assert_eq!(outcome(&bridge, &silent_order(&bridge, "o1")?).await?["reason"], "opted_out");
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_person_is_removed_everywhere_and_stays_suppressed() -> Result<()> {
    let bridge = Bridge::new().await?;
    bridge.world.report_statuses("normal").await?;
    // A message that was sent and read, a conflicting copy of its event, the person's record, and a message to somebody
    // else.
    bridge.world.accept(&order(&bridge, "sent")?).await?;
    let mut conflict = order(&bridge, "sent")?;
    conflict["data"]["order"]["payment"] = "Contanti".into();
    bridge.world.accept(&conflict).await?;
    bridge.world.accept(&bridge.event("customer.updated", "record")?).await?;
    let mut others = order(&bridge, "others")?;
    others["data"]["customer"] =
        json!({"id": "C9", "first_name": "Ugo", "last_name": "Foscolo", "phone": "3337654321"});
    bridge.world.accept(&others).await?;
    bridge.world.deliver().await?;
    bridge.world.deliver_reports().await?;
    // An invalid number is kept as the detail of a skip.
    let mut typed = order(&bridge, "typed")?;
    typed["data"]["customer"]["phone"] = "340 1234567 int. 12".into();
    bridge.world.accept(&typed).await?;
    // A waiting message, an unreadable record, and a report of an unknown message.
    bridge.ok(&["site", "set", "paused=true"]).await?;
    bridge.world.clock.advance(SignedDuration::from_secs(16));
    bridge.world.accept(&order(&bridge, "waits")?).await?;
    bridge.world.enqueue(r#"{"what":"is this","phone":"0039 340 123 4567"}"#).await?;
    bridge.world.deliver().await?;
    assert_eq!(explained(&bridge, "waits").await?["outcome"], "waiting");
    let report = kit::World::status("wamid.393401234567", None, "delivered", bridge.world.clock.now());
    assert_eq!(bridge.world.report(&report).await?.status, 200);
    bridge.world.deliver_reports().await?;
    bridge.ok(&["suppress", "--phone", PHONE, "--reason", "Rossi ha detto basta"]).await?;
    bridge.ok(&["suppress", "--phone", PHONE, "--scope", "marketing", "--reason", "prova"]).await?;
    let lift = ["unsuppress", "--phone", PHONE, "--scope", "marketing", "--reason", "Anna ha richiamato"];
    bridge.ok(&lift).await?;
    let before = scanned(&bridge, "story-ledger").await?;
    assert!(before.contains("3401234567") && before.contains("340 123 4567") && before.contains("Rossi"));

    let provider_id = explained(&bridge, "sent").await?["provider_id"].as_str().context("not sent")?.to_owned();
    assert!(before.contains(&provider_id), "Meta's id has the number in it");

    let no = bridge.run(&["erase", "--phone", PHONE], "n\n").await?;
    assert_eq!((no.code, scanned(&bridge, "story-ledger").await?.contains("Rossi")), (1, true), "{no:?}");
    let erased = bridge.ok(&["erase", "--phone", PHONE, "--yes"]).await?;
    assert_eq!((&erased["conflicts"], &erased["dead_letters"], &erased["orphans"]), (&json!(1), &json!(1), &json!(1)));
    assert_eq!(
        (&erased["cancelled"], &erased["sending"], &erased["persons"], &erased["reasons"]),
        (&json!(1), &json!(0), &json!(1), &json!(2)),
        "{erased}"
    );

    for table in ["story-ledger", "story-contacts", "story-schedule"] {
        let text = scanned(&bridge, table).await?;
        let bare: String = text.chars().filter(|letter| !" .-/".contains(*letter)).collect();
        assert!(!bare.contains("3401234567"), "{table}: {text}");
        assert!(!text.contains("Anna") && !text.contains("Rossi") && !text.contains(&provider_id), "{table}: {text}");
    }
    assert!(scanned(&bridge, "story-ledger").await?.contains("Foscolo"), "others keep theirs");
    assert_eq!(explained(&bridge, "sent").await?["outcome"], "read");
    let cancelled = explained(&bridge, "waits").await?;
    assert_eq!((&cancelled["outcome"], &cancelled["reason"]), (&json!("skipped"), &json!("cancelled")));
    assert_eq!(bridge.ok(&["schedule", "list"]).await?["waiting"], json!([]));
    let again = bridge.run(&["erase", "--phone", PHONE, "--yes"], "").await?;
    assert_eq!(again.code, 1, "nothing is left: {again:?}");
    assert_eq!(bridge.ok(&["dead", "list"]).await?["dead_letters"][0]["body"], "erased");

    bridge.ok(&["site", "set", "paused=false"]).await?;
    bridge.world.clock.advance(SignedDuration::from_secs(16));
    assert_eq!(outcome(&bridge, &order(&bridge, "later")?).await?["reason"], "suppressed");
    let by_person = bridge.ok(&["erase", "--person", "C9", "--yes"]).await?;
    assert_eq!(by_person["events"], 1, "{by_person}");
    assert!(!scanned(&bridge, "story-ledger").await?.contains("Foscolo"));
    bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn other_recipients_are_still_reminded_after_an_erasure() -> Result<()> {
    let bridge = Bridge::new().await?;
    let now = bridge.world.clock.now();
    let mut saved = bridge.event("activity.saved", "a-1")?;
    saved["occurred_at"] = json!(now.to_string());
    saved["data"]["activity"]["time_zone"] = "UTC".into();
    saved["data"]["activity"]["starts_at"] = json!((now + SignedDuration::from_hours(2)).to_string());
    saved["data"]["creator"] = json!({"id": "G1"});
    saved["data"]["assignees"] = json!([
        {"id": "C7", "first_name": "Anna", "phone": PHONE}, {"id": "G3", "first_name": "Giulia", "phone": "3351234567"}, {"id": "G4", "first_name": "Giovanna"},
    ]);
    saved["data"]["reminders"] = json!([{"id": "R1", "minutes_before": 60, "notify": ["whatsapp"]}]);
    bridge.world.accept(&saved).await?;
    bridge.world.deliver().await?;
    assert_eq!(bridge.ok(&["erase", "--person", "C7", "--yes"]).await?["events"], 1);
    assert!(!scanned(&bridge, "story-ledger").await?.contains("Anna"));
    bridge.world.pass(SignedDuration::from_mins(65)).await?;
    let phone = bridge.world.phone().await?;
    assert!(matches!(phone.as_slice(), [message] if message["to"] == "+393351234567"), "{phone:?}");
    bridge.world.finish().await
}
