//! Stored records of earlier versions: this version continues their work, and writes what they can read.
//!
//! `tests/stories/records` has a snapshot of each version, taken in the middle of [`yesterday`]. A new version adds its
//! own file: `BRIDGE_WRITE_RECORDS=0.2.0 cargo test --workspace --test stories records::`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use domain::message::reason::Reason;
use domain::message::state::{State, WaitReason};
use domain::queue::CONTRACT;
use kit::{Snapshot, World};
use serde_json::{Value, json};

use crate::waiting::{HOUR, fault, order, state, waits_for};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/records");

/// The id of a message that the ledger does not know.
const UNKNOWN: &str = "wamid.unknown";

/// A day in which something of each kind is under way: a message sent and reported, one that waits, a reminder and a cart
/// notice to come, an opt-out, contact data, a dead letter, a status without a message, and records in both queues.
async fn yesterday() -> World {
    let world = World::start().await.unwrap();
    world.accept(&order(1)).await.unwrap();
    world.deliver().await.unwrap();
    let id = world.messages_of("e-1").await.unwrap().remove(0).to_string();
    let now = world.clock.now();
    world.report(&World::status("wamid.1", Some(&id), "delivered", now)).await.unwrap();
    world.deliver_reports().await.unwrap();

    fault(&world, 1, 400, 131_016).await;
    world.accept(&order(2)).await.unwrap();
    for event in [activity(), cart(), customer()] {
        world.accept(&event).await.unwrap();
    }
    world.enqueue("{\"job\":\"of another system\"}").await.unwrap();
    world.deliver().await.unwrap();
    world.write_back("+393401000004", "STOP").await.unwrap();
    world.deliver_reports().await.unwrap();
    world.report(&World::status(UNKNOWN, None, "sent", now)).await.unwrap();
    world.deliver_reports().await.unwrap();

    // These stay in the queues.
    world.accept(&order(3)).await.unwrap();
    world.report(&World::status("wamid.1", Some(&id), "read", now)).await.unwrap();
    world
}

fn activity() -> Value {
    json!({
        "id": "a-1", "type": "activity.saved", "occurred_at": "2026-11-22T09:01:00Z",
        "data": {
            "activity": {"id": "A1", "version": 1, "subject": "Visita in azienda", "all_day": false,
                         "starts_at": "2026-11-22T17:00:00+01:00", "time_zone": "Europe/Rome", "state": "PIANIFICATA"},
            "creator": {"id": "C9", "first_name": "Marco"},
            "assignees": [{"id": "P1", "first_name": "Anna", "phone": "340 1234567", "language": "it"}],
            "reminders": [{"id": "r1", "minutes_before": 60, "notify": ["whatsapp"]}],
            "sender_may_notify": true
        }
    })
}

fn cart() -> Value {
    json!({
        "id": "k-1", "type": "cart.abandoned", "occurred_at": "2026-11-22T09:50:00Z", "language": "it",
        "data": {
            "cart": {"id": "K1", "abandoned_at": "2026-11-22T09:20:00Z", "item_count": 2,
                     "total": {"amount": "45.50", "currency": "EUR"}, "url": "https://www.example.com/carrello"},
            "customer": {"id": "C8", "first_name": "Carla", "last_name": "Verdi", "phone": "340 7654321",
                         "marketing_consent": true}
        }
    })
}

fn customer() -> Value {
    json!({
        "id": "c-1", "type": "customer.updated", "occurred_at": "2026-11-22T09:55:00Z",
        "data": {"customer": {"id": "C2", "first_name": "Bruno", "phone": "+393401000002", "language": "it"}}
    })
}

/// Returns the snapshots of the folder, by version.
fn snapshots() -> BTreeMap<String, Snapshot> {
    let read = |path: PathBuf| {
        let snapshot = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        (path.file_stem().unwrap().to_str().unwrap().to_owned(), snapshot)
    };
    fs::read_dir(FOLDER).unwrap().map(|file| read(file.unwrap().path())).collect()
}

/// Continues a day, and checks that nothing is lost and nothing is sent twice.
async fn today(version: &str, snapshot: &Snapshot) {
    let world = World::start().await.unwrap();
    world.load(snapshot).await.unwrap();
    assert_eq!(state(&world, 1).await, State::Delivered, "{version}");
    assert_eq!(waits_for(&state(&world, 2).await), Some(WaitReason::Retry), "{version}");
    // The records of the queues, and Passweb's repetitions.
    world.accept(&order(1)).await.unwrap();
    world.deliver().await.unwrap();
    world.deliver_reports().await.unwrap();
    assert_eq!((state(&world, 1).await, state(&world, 3).await), (State::Read, State::Sent), "{version}");
    // The same state under another id, and a customer who opted out.
    let mut repeated = order(1);
    repeated["id"] = json!("e-1-again");
    for event in [repeated, order(4)] {
        world.accept(&event).await.unwrap();
        world.deliver().await.unwrap();
    }
    let again = world.state("e-1-again", "stato-ordine", "C1").await.unwrap();
    let skipped = |state: State| match state {
        State::Skipped(skip) => skip.reason,
        other => panic!("{version}: {other:?}"),
    };
    assert_eq!(skipped(again), Reason::AlreadyNotified, "{version}");
    assert_eq!(skipped(state(&world, 4).await), Reason::Suppressed, "{version}");
    // What waits, the reminder at 16:00 and the cart notice of the evening.
    for _ in 0..8 {
        world.clock.advance(HOUR);
        world.sweep().await.unwrap();
        world.deliver().await.unwrap();
    }
    assert_eq!(state(&world, 2).await, State::Sent, "{version}");
    let texts = world.texts().await.unwrap();
    let found = |part: &str| texts.iter().filter(|text| text.contains(part)).count();
    assert_eq!((found("Visita in azienda"), found("carrello")), (1, 1), "{version}: {texts:?}");
    // The orders 2 and 3, the reminder and the notice. Order 1 was sent by the earlier version.
    assert_eq!(texts.len(), 4, "{version}: {texts:?}");
    let day = snapshot.at;
    let site = world.site().unwrap();
    let letters = [world.ledger.dead_letters(Some(&site), day).await, world.ledger.dead_letters(None, day).await];
    assert_eq!(letters.into_iter().flatten().flatten().count(), 1, "{version}");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn the_work_of_every_earlier_version_is_continued() {
    if let Some(version) = std::env::var_os("BRIDGE_WRITE_RECORDS") {
        let snapshot = yesterday().await.snapshot().await.unwrap();
        let path = Path::new(FOLDER).join(format!("{}.json", version.display()));
        fs::write(path, serde_json::to_string_pretty(&snapshot).unwrap() + "\n").unwrap();
    }
    let snapshots = snapshots();
    assert!(!snapshots.is_empty());
    for (version, snapshot) in &snapshots {
        today(version, snapshot).await;
    }
}

/// Returns the fields of a queue record with its kind, such as `event.1 received_at`.
fn fields(body: &str) -> BTreeSet<String> {
    let body: Value = serde_json::from_str(body).unwrap();
    let kind = body.get("job").or(body.get("notice")).and_then(Value::as_str).unwrap_or_default().to_owned();
    body.as_object().unwrap().keys().map(|name| format!("{kind} {name}")).collect()
}

/// Readers refuse unknown fields. So a rollback needs records without new fields, or another number of the contract.
#[tokio::test]
async fn the_queue_records_have_the_fields_that_the_last_version_reads() {
    let snapshots = snapshots();
    let (version, last) = snapshots.last_key_value().unwrap();
    let today = yesterday().await.snapshot().await.unwrap();
    let all = |snapshot: &Snapshot| -> BTreeSet<String> {
        snapshot.events.iter().chain(&snapshot.statuses).flat_map(|body| fields(body)).collect()
    };
    assert!(all(&today).len() > 8, "{:?}", all(&today));
    let added: Vec<_> = all(&today).difference(&all(last)).cloned().collect();
    assert!(added.is_empty(), "{version} (contract {CONTRACT}) does not know {added:?}");
    // The items of the tables keep their attributes; new ones are ignored by earlier versions.
    let attributes = |snapshot: &Snapshot| -> BTreeSet<String> {
        let tables = snapshot.tables.iter();
        let names = |(table, items): (&String, &Vec<Value>)| -> Vec<String> {
            items
                .iter()
                .flat_map(|item| item.as_object().unwrap().keys())
                .map(|name| format!("{table} {name}"))
                .collect()
        };
        tables.flat_map(names).collect()
    };
    let lost: Vec<_> = attributes(last).difference(&attributes(&today)).cloned().collect();
    assert!(lost.is_empty(), "{version} reads {lost:?}");
}
