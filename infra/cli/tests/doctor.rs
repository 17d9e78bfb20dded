//! `bridge doctor` names each part that is broken, and only that part.

mod bridge;
mod front;

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result};
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sqs::types::QueueAttributeName;
use domain::mapping::Mapping;
use domain::primitives::id::AccountId;
use domain::site::credential::StoredKey;
use domain::site::health::Cause;
use domain::site::signing::Signing;
use jiff::SignedDuration;
use serde_json::{Value, json};
use store::ledger::{DeadLetter, DeadQueue};
use store::schedule::Lane;
use store::sweeps::Sweep;

use bridge::{Bridge, Ended, run_with};
use front::Front;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// A stack in which everything works, and clients for breaking it.
struct Patient {
    bridge: Bridge,
    front: Front,
    dynamodb: aws_sdk_dynamodb::Client,
    sqs: aws_sdk_sqs::Client,
    secrets: aws_sdk_secretsmanager::Client,
}

impl Patient {
    async fn new() -> Result<Self> {
        let bridge = Bridge::new().await?;
        let endpoint = |name| bridge.variable(name);
        let credentials = Credentials::new("local", "local", None, None, "test");
        let dynamodb_url = endpoint("AWS_ENDPOINT_URL_DYNAMODB")?;
        let at = |url: &str| {
            let config = aws_config::SdkConfig::builder().behavior_version(BehaviorVersion::latest());
            let config = config.region(Region::new("eu-south-1")).endpoint_url(url);
            let provider = aws_sdk_dynamodb::config::SharedCredentialsProvider::new(credentials.clone());
            config.credentials_provider(provider).build()
        };
        let dynamodb = aws_sdk_dynamodb::Client::new(&at(&dynamodb_url));
        let sqs = aws_sdk_sqs::Client::new(&at(&endpoint("AWS_ENDPOINT_URL_SQS")?));
        let secrets = aws_sdk_secretsmanager::Client::new(&at(&endpoint("AWS_ENDPOINT_URL_SECRETS_MANAGER")?));
        let front = Front::start(&bridge, dynamodb_url).await?;
        let patient = Self { bridge, front, dynamodb, sqs, secrets };
        patient.heal().await?;
        Ok(patient)
    }

    /// Completes what a deployment and the first day of a stack provide.
    async fn heal(&self) -> Result<()> {
        let world = &self.bridge.world;
        let mut demo: Value = serde_json::from_str(&fs::read_to_string(self.bridge.folder.path().join("demo.json"))?)?;
        *demo.pointer_mut("/base_url").context("no base_url")? = self.front.url().into();
        fs::write(self.bridge.folder.path().join("demo.json"), demo.to_string())?;
        for name in ["dead", "statuses-dead", "missed", "failed"] {
            self.sqs.create_queue().queue_name(name).send().await?;
        }
        let redrive = json!({"deadLetterTargetArn": "arn:aws:sqs:eu-south-1:000000000000:dead", "maxReceiveCount": 10});
        for queue in ["BRIDGE_EVENTS_QUEUE_URL", "BRIDGE_STATUSES_QUEUE_URL"] {
            let set = self.sqs.set_queue_attributes().queue_url(self.bridge.variable(queue)?);
            set.attributes(QueueAttributeName::RedrivePolicy, redrive.to_string()).send().await?;
        }
        for table in ["bridge-contacts", "bridge-ledger"] {
            let expiry = aws_sdk_dynamodb::types::TimeToLiveSpecification::builder();
            let expiry = expiry.attribute_name("expires_at").enabled(true).build()?;
            let request = self.dynamodb.update_time_to_live().table_name(self.table(table)?);
            request.time_to_live_specification(expiry).send().await?;
        }
        world.report_statuses("normal").await?;
        world.accept(&self.bridge.event("order.status_changed", "first")?).await?;
        world.deliver().await?;
        world.deliver_reports().await?;
        sync_templates::handle(&world.sync, world.clock.deadline_ms()).await?;
        world.sweep().await?;
        Ok(())
    }

    /// Returns the name of a table of the world, whose names begin with its own stack.
    fn table(&self, name: &str) -> Result<String> {
        let ledger = self.bridge.variable("BRIDGE_LEDGER_TABLE")?;
        Ok(ledger.replace("-ledger", name.trim_start_matches("bridge")))
    }

    async fn on_local_run(&self) -> Result<Ended> {
        self.bridge.run(&["doctor", "--json"], "").await
    }

    async fn on_aws(&self) -> Result<Ended> {
        let args = ["--stack", front::STACK, "--region", "eu-south-1", "doctor", "--json"];
        let variables = self.front.variables(&self.bridge)?;
        run_with(self.bridge.folder.path(), &args, &variables).await
    }
}

/// Returns the findings as `check subject`.
fn findings(ended: &Ended) -> Result<BTreeSet<String>> {
    let document = ended.json()?;
    let checks = document.get("checks").and_then(Value::as_array).context("no checks")?;
    let text = |check: &Value, name: &str| check.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let found = checks.iter().filter(|check| text(check, "result") == "finding");
    let found: BTreeSet<String> =
        found.map(|check| format!("{} {}", text(check, "check"), text(check, "subject"))).collect();
    anyhow::ensure!(ended.code == i32::from(!found.is_empty()), "{ended:?}");
    anyhow::ensure!(document.get("ok") == Some(&found.is_empty().into()), "{ended:?}");
    Ok(found)
}

/// Returns the findings beside that of the account: the simulator has no TLS, which a stack on AWS requires.
fn findings_on_aws(ended: &Ended) -> Result<BTreeSet<String>> {
    let mut found = findings(ended)?;
    anyhow::ensure!(found.remove("account demo/main"), "{ended:?}");
    Ok(found)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_in_order_has_no_findings() -> Result<()> {
    let patient = Patient::new().await?;
    let local = patient.on_local_run().await?;
    assert_eq!(findings(&local)?, BTreeSet::new(), "{local:?}");
    let aws = patient.on_aws().await?;
    assert_eq!(findings_on_aws(&aws)?, BTreeSet::new(), "{aws:?}");
    let document = aws.json()?;
    let checks = document["checks"].as_array().context("no checks")?;
    let names: BTreeSet<&str> = checks.iter().filter_map(|check| check["check"].as_str()).collect();
    let expected = [
        "account",
        "api",
        "clock",
        "concurrency",
        "credentials",
        "dead_letters",
        "function",
        "key",
        "mapping",
        "queue",
        "secret",
        "site",
        "stack",
        "sweep",
        "table",
        "template_sync",
        "versions",
        "webhook",
    ];
    assert_eq!(names, BTreeSet::from(expected));
    // Without a site, it checks each of them.
    patient.bridge.ok(&["site", "add", "negozio"]).await?;
    let found = findings_on_aws(&patient.on_aws().await?)?;
    let missing = ["account negozio", "mapping negozio", "webhook negozio"].map(str::to_owned);
    assert_eq!(found, BTreeSet::from(missing));
    patient.bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_part_of_the_data_is_named() -> Result<()> {
    let patient = Patient::new().await?;
    let (world, site) = (&patient.bridge.world, patient.bridge.world.site()?);
    let now = world.clock.now();
    let lane = Lane { site: site.clone(), account: AccountId::parse("main")? };

    patient.bridge.ok(&["site", "rotate-key"]).await?;
    let keys = world.config.keys(&site).await?;
    let first = keys.first().context("no key")?;
    world.config.put_key(&StoredKey { signing: Signing::Required, ..first.clone() }).await?;
    found(&patient, "key demo").await?;

    for key in keys {
        world.config.put_key(&StoredKey { revoked: true, signing: Signing::Required, ..key }).await?;
    }
    found(&patient, "key demo").await?;
    found(&patient, "secret demo").await?;

    patient.bridge.ok(&["site", "set", "paused=true"]).await?;
    found(&patient, "site demo").await?;

    let cause = Cause { code: "131042", by_report: false, at: now, probe_after: MINUTE };
    world.schedule.stop_account(&lane, cause, now).await?;
    found(&patient, "account demo/main").await?;

    world.config.note_sync(&site, &lane.account, now - MINUTE * 300).await?;
    found(&patient, "template_sync demo/main").await?;

    let letter = DeadLetter {
        queue: DeadQueue::Events,
        site: Some(&site),
        record_id: "r-1",
        cause: "x",
        body: "{}",
        retention_days: 30,
    };
    world.ledger.put_dead_letter(letter, now).await?;
    found(&patient, "dead_letters demo").await?;

    let mapping = world.live().await?.mappings.first().context("no mapping")?.clone();
    let other = mapping.templates.into_iter().map(|(language, mut used)| {
        used.name = "unknown".to_owned();
        (language, used)
    });
    let mapping = Mapping { templates: other.collect(), ..mapping };
    world.config.put_mapping(&site, &mapping).await?;
    found(&patient, &format!("mapping demo/{}", mapping.id)).await?;

    let sent = patient.sqs.send_message().queue_url(queue(&patient, "dead").await?);
    sent.message_body("{}").send().await?;
    found(&patient, "queue dead").await?;

    for (at, late_s, failed) in [(now - MINUTE * 10, 0, false), (now, 400, false), (now, 0, true)] {
        world.schedule.note_sweep(Sweep { at, late_s, failed }).await?;
        found(&patient, "sweep ").await?;
    }

    patient
        .secrets
        .delete_secret()
        .secret_id(secret("demo/inbound"))
        .force_delete_without_recovery(true)
        .send()
        .await?;
    found(&patient, "webhook demo").await?;

    patient
        .secrets
        .delete_secret()
        .secret_id(secret("demo/provider"))
        .force_delete_without_recovery(true)
        .send()
        .await?;
    found(&patient, "secret demo/provider").await?;

    patient.secrets.delete_secret().secret_id(secret("keys")).force_delete_without_recovery(true).send().await?;
    found(&patient, "secret keys").await?;

    patient.sqs.delete_queue().queue_url(queue(&patient, "story-statuses").await?).send().await?;
    found(&patient, "queue statuses").await?;

    for name in ["Contacts", "Ledger", "Schedule", "Config"] {
        let table = patient.table(&format!("bridge-{}", name.to_lowercase()))?;
        patient.dynamodb.delete_table().table_name(table).send().await?;
        found(&patient, &format!("table {name}")).await?;
    }
    Ok(())
}

/// Asserts that a part is named in both modes.
async fn found(patient: &Patient, part: &str) -> Result<()> {
    for ended in [patient.on_local_run().await?, patient.on_aws().await?] {
        anyhow::ensure!(findings(&ended)?.contains(part), "{part}: {ended:?}");
    }
    Ok(())
}

/// Returns the full name of a secret.
fn secret(name: &str) -> String {
    format!("{}/{name}", front::STACK)
}

async fn queue(patient: &Patient, name: &str) -> Result<String> {
    patient.sqs.get_queue_url().queue_name(name).send().await?.queue_url.context("no URL")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_part_of_aws_is_named_alone() -> Result<()> {
    let patient = Patient::new().await?;
    let healthy = |patient: &Patient| {
        patient.front.change(|answers| {
            answers.stack_status = "UPDATE_COMPLETE";
            answers.quota = 10;
            answers.sender = front::own_version();
            answers.functions = 5;
            answers.recovery = "ENABLED";
            answers.is_known = true;
            answers.ahead = SignedDuration::ZERO;
        });
    };
    type Break = fn(&mut front::Answers);
    let cases: [(Break, &[&str]); 8] = [
        (|answers| answers.is_known = false, &["credentials "]),
        (|answers| answers.stack_status = "UPDATE_ROLLBACK_COMPLETE", &["stack story"]),
        (|answers| answers.quota = 9, &["concurrency "]),
        (|answers| answers.sender = format!("0.0.9, queue contract {}", domain::queue::CONTRACT), &["versions "]),
        (|answers| answers.sender = front::own_version().replace("contract ", "contract 9"), &["versions "]),
        (|answers| answers.functions = 4, &["function sync-templates"]),
        (
            |answers| answers.recovery = "DISABLED",
            &["table Config", "table Contacts", "table Ledger", "table Schedule"],
        ),
        (|answers| answers.ahead = SignedDuration::from_secs(-90), &["clock "]),
    ];
    for (change, expected) in cases {
        healthy(&patient);
        patient.front.change(change);
        let expected: BTreeSet<String> = expected.iter().map(|part| (*part).to_owned()).collect();
        assert_eq!(findings_on_aws(&patient.on_aws().await?)?, expected);
    }
    healthy(&patient);
    for name in ["missed", "failed", "statuses-dead"] {
        patient.sqs.send_message().queue_url(queue(&patient, name).await?).message_body("{}").send().await?;
    }
    let expected = ["queue FailedInvocations", "queue MissedTicks", "queue StatusesDeadLetters"].map(str::to_owned);
    assert_eq!(findings_on_aws(&patient.on_aws().await?)?, BTreeSet::from(expected));
    patient.bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_stack_the_first_obstacle_is_named() -> Result<()> {
    let patient = Patient::new().await?;
    fs::remove_file(patient.bridge.folder.path().join("demo.json"))?;
    assert_eq!(findings(&patient.on_local_run().await?)?, BTreeSet::from(["local_run ".to_owned()]));
    let args = ["--stack", front::STACK, "--region", "eu-south-1", "doctor", "--json"];
    let ended =
        run_with(patient.bridge.folder.path(), &args, &[("AWS_EC2_METADATA_DISABLED", "true".to_owned())]).await?;
    assert_eq!(findings(&ended)?, BTreeSet::from(["credentials ".to_owned()]));
    let unreachable = [
        ("AWS_ACCESS_KEY_ID", "A".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "s".to_owned()),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9".to_owned()),
    ];
    let ended = run_with(patient.bridge.folder.path(), &args, &unreachable).await?;
    assert_eq!(findings(&ended)?, BTreeSet::from(["credentials ".to_owned(), "stack story".to_owned()]));
    patient.bridge.world.finish().await
}
