//! Measures the cost of a sweep of the schedule, against the embedded emulators.
//!
//! - `--pending N`: N reminders are pending and none is due.
//! - `--due N`: N reminders of N activities are due in one minute. They are saved as Passweb saves them, swept, and
//!   counted on the phone.
//! - `--large N`: like `--due`, but each activity is saved twice, by events of 64 KB with a hundred people. These are
//!   the largest events that are accepted. The reminders are only swept.
//!
//! The memory of the process includes the emulators, whose tables are in memory. The processor time is that of the
//! sweep's thread only. The emulators run on other threads.

use std::collections::BTreeMap;
use std::fs::read_to_string;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use jiff::{SignedDuration, Timestamp};
use kit::World;
use serde_json::{Value, json};

/// The number of events in one call.
const BATCH: usize = 100;
/// The size of the largest accepted event, and the maximum number of people in a list.
const EVENT_BYTES: usize = 64 * 1024;
const PEOPLE: usize = 100;
/// The maximum number of sweeps in the due minute.
const SWEEPS_MAX: usize = 20;
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    // Cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => pending(1_000).await,
        ["--pending", count] => pending(count.parse()?).await,
        ["--due", count] => due(count.parse()?).await,
        ["--large", count] => large(count.parse()?).await,
        other => bail!("--pending N, --due N or --large N, not {other:?}"),
    }
}

async fn pending(count: usize) -> Result<()> {
    let world = World::start().await?;
    // The first sweep opens connections, so it is not measured.
    world.sweep().await?;
    world.fill_schedule(count, world.clock.now() + MINUTE * 60 * 24 * 30).await?;
    println!("{count} reminders pending, none due");
    let fired = measured_sweep(&world).await?;
    ensure!(fired == 0, "{fired} were fired");
    world.finish().await
}

async fn due(count: usize) -> Result<()> {
    let world = World::start().await?;
    world.sweep().await?;
    for first in (0..count).step_by(BATCH) {
        let events: Vec<Value> = (first..count.min(first + BATCH)).map(activity).collect();
        let answer = world.post_batch(&json!({"events": events})).await?;
        ensure!(answer.status == 202, "not accepted: {answer:?}");
        world.deliver().await?;
    }
    world.clock.advance_to("2026-11-22T14:00:00+01:00".parse()?);
    println!("{count} reminders due in one minute");
    let mut fired = 0;
    for _ in 0..SWEEPS_MAX {
        fired += measured_sweep(&world).await?;
        if fired >= count {
            break;
        }
    }
    ensure!(fired == count, "{fired} were fired");
    for _ in 0..60 {
        world.pass(MINUTE).await?;
        if world.phone().await?.len() >= count {
            break;
        }
    }
    // Any duplicate has time to arrive.
    world.pass(MINUTE * 30).await?;
    let mut received: BTreeMap<String, usize> = BTreeMap::new();
    for message in world.phone().await? {
        *received
            .entry(message.get("to").and_then(Value::as_str).context("a message to nobody")?.to_owned())
            .or_default() += 1;
    }
    let twice = received.values().filter(|times| **times > 1).count();
    println!("  on the phone: {} of {count}, twice: {twice}", received.len());
    ensure!(received.len() == count && twice == 0, "missing or sent twice");
    world.finish().await
}

async fn large(count: usize) -> Result<()> {
    let world = World::start().await?;
    world.sweep().await?;
    // The second save comes after the due time. The reminder is read from the first event, and the message is created
    // from the second.
    for (version, occurred_at) in [(1, "2026-11-22T09:00:00Z"), (2, "2026-11-22T13:00:01Z")] {
        world.clock.advance_to(occurred_at.parse::<Timestamp>()?.max(world.clock.now()));
        for number in 0..count {
            let mut event = activity(number);
            let people: Vec<Value> = (0..PEOPLE).map(|place| person(number * PEOPLE + place)).collect();
            let data = event.get_mut("data").context("no data")?;
            *data.pointer_mut("/assignees").context("no assignees")? = json!(people);
            *data.pointer_mut("/activity/version").context("no version")? = json!(version);
            let padding = EVENT_BYTES.saturating_sub(event.to_string().len() + 200);
            let fields: serde_json::Map<String, Value> =
                (0..padding / 14).map(|field| (format!("f{field:05}"), json!(field % 10))).collect();
            let event_fields = event.as_object_mut().context("no object")?;
            event_fields.insert("padding".to_owned(), Value::Object(fields));
            event_fields.insert("id".to_owned(), json!(format!("a-{number}-{version}")));
            event_fields.insert("occurred_at".to_owned(), json!(occurred_at));
            let answer = world.post(&event).await?;
            ensure!(answer.status == 202, "not accepted: {answer:?}");
            world.deliver().await?;
        }
    }
    println!("{count} reminders due in one minute, of events of 64 KB");
    let fired = measured_sweep(&world).await?;
    ensure!(fired == count, "{fired} were fired");
    Ok(())
}

fn person(number: usize) -> Value {
    json!({"id": format!("P{number}"), "first_name": "Anna", "language": "it",
           "phone": format!("+39340{:07}", 1_000_000 + number)})
}

/// Returns an activity of this afternoon with its own assignee and a reminder at 14:00 in Rome.
fn activity(number: usize) -> Value {
    json!({
        "id": format!("a-{number}"), "type": "activity.saved", "occurred_at": "2026-11-22T09:00:00Z",
        "data": {
            "activity": {"id": format!("A{number}"), "version": 1, "subject": "Visita in azienda", "all_day": false,
                         "starts_at": "2026-11-22T15:00:00+01:00", "time_zone": "Europe/Rome", "state": "PIANIFICATA"},
            "creator": {"id": "C9", "first_name": "Marco"},
            "assignees": [person(number)],
            "reminders": [{"id": "r1", "minutes_before": 60, "notify": ["whatsapp"]}],
            "sender_may_notify": true
        }
    })
}

/// Sweeps once and prints the cost. Returns the number of fired items.
async fn measured_sweep(world: &World) -> Result<usize> {
    let _before = world.wire.take_calls();
    let (resident, processor, clock) = (memory("VmRSS")?, processor()?, Instant::now());
    let swept = world.sweep().await?;
    let (wall, processor) = (clock.elapsed(), processor_since(processor)?);
    let calls = world.wire.take_calls();
    println!("  {swept:?}");
    println!("  requests to DynamoDB: {} {calls:?}", calls.values().sum::<usize>());
    println!("  wall {wall:.2?}, processor of the sweep's thread {processor:.2?}");
    println!(
        "  resident with the emulators: {resident} kB before, {} kB after, {} kB at most ever",
        memory("VmRSS")?,
        memory("VmHWM")?
    );
    Ok(swept.fired)
}

/// Returns a figure of this process's memory, in kB.
fn memory(name: &str) -> Result<u64> {
    let status = read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no such figure")?;
    Ok(line.trim_start_matches(':').trim().trim_end_matches(" kB").parse()?)
}

/// Returns the processor time of this thread.
fn processor() -> Result<Duration> {
    let figures = read_to_string("/proc/thread-self/schedstat")?;
    Ok(Duration::from_nanos(figures.split_whitespace().next().context("no figures")?.parse()?))
}

fn processor_since(before: Duration) -> Result<Duration> {
    Ok(processor()?.saturating_sub(before))
}
