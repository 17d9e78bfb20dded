//! The rehearsal of `docs/runbooks/restore.md`: tables go back to a time *T*, and nobody is notified twice.

mod bridge;
mod front;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use kit::{Export, World};
use runtime::Clock;
use serde_json::{Value, json};

use bridge::{Bridge, run_with};
use front::Front;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// The audit uses the system clock and reports a message only after its useful life, a week.
const AGO: SignedDuration = SignedDuration::from_hours(9 * 24);
/// The log lines of messages that may be on a phone.
const SENT: [&str; 2] = ["sent a message", "it is unknown whether a message was sent"];

const UGO: &str = "+393337654321";
const NINA: &str = "+393485550001";
const VERA: &str = "+393485550002";
/// A number to which the site never sent anything.
const STRANGER: &str = "+393485550003";

/// A stack whose tables are restored.
struct Night {
    bridge: Bridge,
    /// Distinguishes the events, because both tests write to one log.
    case: &'static str,
    /// The tables at *T*.
    exports: Vec<Export>,
    /// The number of log lines at *T*.
    logged: usize,
    /// The events since *T*, as Passweb can repeat them.
    since: Vec<Value>,
}

type Ids = BTreeSet<String>;

/// Changes a field of an event.
fn set(event: &mut Value, pointer: &str, value: impl Into<Value>) -> Result<()> {
    *event.pointer_mut(pointer).with_context(|| format!("no {pointer}"))? = value.into();
    Ok(())
}

fn person(id: &str, phone: &str) -> Value {
    json!({"id": id, "first_name": id, "phone": phone})
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str> {
    value.get(name).and_then(Value::as_str).with_context(|| format!("no {name}: {value}"))
}

fn list<'a>(value: &'a Value, name: &str) -> Result<&'a Vec<Value>> {
    value.get(name).and_then(Value::as_array).with_context(|| format!("no {name}: {value}"))
}

impl Night {
    async fn new(case: &'static str) -> Result<Self> {
        let world = World::start_at(Clock::system().now() - AGO).await?;
        Ok(Self { bridge: Bridge::of(world)?, case, exports: Vec::new(), logged: 0, since: Vec::new() })
    }

    fn world(&self) -> &World {
        &self.bridge.world
    }

    fn id(&self, name: &str) -> String {
        format!("{}-{name}", self.case)
    }

    fn order(&self, name: &str) -> Result<Value> {
        let mut event = self.bridge.event("order.status_changed", &self.id(name))?;
        set(&mut event, "/data/order/id", self.id(name))?;
        set(&mut event, "/data/order/code", name)?;
        Ok(event)
    }

    fn message(&self, name: &str, recipients: Vec<Value>) -> Result<Value> {
        let mut event = self.bridge.event("message.sent", &self.id(name))?;
        set(&mut event, "/data/message/id", self.id(name))?;
        set(&mut event, "/data/message/subject", name)?;
        set(&mut event, "/data/recipients", recipients)?;
        Ok(event)
    }

    fn cart(&self, name: &str, phone: &str) -> Result<Value> {
        let mut event = self.bridge.event("cart.abandoned", &self.id(name))?;
        set(&mut event, "/data/cart/id", self.id(name))?;
        set(&mut event, "/data/cart/abandoned_at", self.world().clock.now().to_string())?;
        set(&mut event, "/data/customer/id", name)?;
        set(&mut event, "/data/customer/phone", phone)?;
        Ok(event)
    }

    /// Creates an activity with one reminder, of Ugo.
    fn activity(&self, name: &str, starts_in: SignedDuration, minutes_before: i64) -> Result<Value> {
        let mut event = self.bridge.event("activity.saved", &self.id(name))?;
        let starts_at: Timestamp = self.world().clock.now() + starts_in;
        let activity = json!({"id": name, "version": 1, "subject": name, "starts_at": starts_at.to_string(),
                              "all_day": false, "time_zone": "Europe/Rome", "state": "Pianificata"});
        set(&mut event, "/data/activity", activity)?;
        set(&mut event, "/data/assignees", vec![person("P2", UGO)])?;
        let reminder = json!({"id": "R1", "minutes_before": minutes_before, "notify": ["whatsapp"],
                              "owner": person("P2", UGO)});
        set(&mut event, "/data/reminders", vec![reminder])?;
        Ok(event)
    }

    /// Passweb raises an event after *T*. It stays in the queue.
    async fn accept(&mut self, event: Value) -> Result<()> {
        self.world().accept(&event).await?;
        self.since.push(event);
        Ok(())
    }

    async fn raise(&mut self, event: Value) -> Result<()> {
        self.accept(event).await?;
        self.world().deliver().await?;
        Ok(())
    }

    async fn pause(&self, paused: bool) -> Result<()> {
        self.bridge.ok(&["site", "set", &format!("paused={paused}")]).await?;
        // The functions use the old configuration for up to 15 s.
        self.world().clock.advance(SignedDuration::from_secs(16));
        Ok(())
    }

    /// The ids of an event's messages, by recipient.
    async fn ids(&self, event: &str) -> Result<BTreeMap<String, String>> {
        let explained = self.bridge.ok(&["explain", "--event", event]).await?;
        let of = |one: &Value| Ok((text(one, "recipient")?.to_owned(), text(one, "message_id")?.to_owned()));
        list(&explained, "outcomes")?.iter().map(of).collect()
    }

    /// The messages on the phones: id, number and text.
    async fn phones(&self) -> Result<Vec<[String; 3]>> {
        let of = |one: &Value| -> Result<[String; 3]> {
            let [id, to, words] = ["biz_opaque_callback_data", "to", "text"].map(|name| text(one, name));
            Ok([id?.to_owned(), to?.to_owned(), words?.to_owned()])
        };
        self.world().phone().await?.iter().map(of).collect()
    }

    /// The list `sent.txt` of the runbook, from the log since *T*.
    fn sent(&self) -> Result<Ids> {
        let mut sent = Ids::new();
        for line in kit::lines_with("")?.iter().skip(self.logged) {
            if line.get("message").and_then(Value::as_str).is_some_and(|message| SENT.contains(&message)) {
                sent.insert(text(line, "message.id")?.to_owned());
            }
        }
        Ok(sent)
    }

    async fn before(&mut self, tables: &[&'static str]) -> Result<()> {
        let ugo = person("P2", UGO);
        self.raise(self.order("o-1")?).await?;
        self.raise(self.message("m-1", vec![ugo, person("P8", VERA), person("P9", NINA)])?).await?;
        self.raise(self.cart("k-1", "347 1112223")?).await?;
        self.raise(self.activity("A-1", HOUR * 20, 18 * 60)?).await?;
        self.raise(self.activity("A-2", HOUR * 12, 60)?).await?;
        self.since.clear();
        for table in tables {
            self.exports.push(self.world().export(table).await?);
        }
        self.logged = kit::lines_with("")?.len();
        Ok(())
    }

    /// The hours between *T* and the stop. The cart notice `k-1` and the reminder of `A-1` are sent.
    async fn after(&mut self) -> Result<()> {
        let ugo = || person("P2", UGO);
        self.raise(self.order("o-2")?).await?;
        self.raise(self.message("m-2", vec![ugo()])?).await?;
        self.world().fault(&json!({"count": 1, "effect": {"accept_then_cut": true}})).await?;
        self.raise(self.message("m-3", vec![ugo()])?).await?;
        self.world().write_back(NINA, "STOP").await?;
        self.world().write_back(STRANGER, "STOP").await?;
        self.world().pass(HOUR * 3 + MINUTE * 10).await?;
        self.raise(self.cart("k-2", "347 1112224")?).await?;
        // A large message: one batch of its records is sent, the others are in flight.
        let many = (0..14).map(|number| person(&format!("N{number}"), &format!("+3934955501{number:02}")));
        self.accept(self.message("m-4", many.collect())?).await?;
        for _ in 0..2 {
            let batch = self.world().take().await?;
            ensure!(self.world().handle(&batch).await.is_empty(), "a record failed");
            for record in &batch {
                self.world().delete(record).await?;
            }
        }
        ensure!(self.world().hold_back(HOUR).await? > 0, "no record is in flight");
        Ok(())
    }

    /// The section *Stop* of the runbook. A few events and a STOP are accepted and not processed.
    async fn stop(&mut self) -> Result<()> {
        self.pause(true).await?;
        self.raise(self.order("o-3")?).await?;
        let all = vec![person("P2", UGO), person("P8", VERA), person("P9", NINA)];
        self.accept(self.message("m-5", all)?).await?;
        let file = self.bridge.folder.path().join("contacts.csv").display().to_string();
        self.bridge.ok(&["contacts", "export", "--output", &file]).await?;
        self.world().write_back(VERA, "STOP").await
    }

    /// The sections *Restore* and *Deploy*. `doctor` finds the tables that do not remove expired items.
    async fn restore(&mut self) -> Result<()> {
        let names = self.world().restore(&self.exports, &format!("restored-{}", self.case)).await?;
        self.bridge.world.restart_with(names.clone())?;
        self.bridge.connect()?;
        let front = Front::start(&self.bridge, self.bridge.variable("AWS_ENDPOINT_URL_DYNAMODB")?).await?;
        // The first tables of the emulator have no time to live either.
        ensure!(self.without_expiry(&front).await? == ["Contacts", "Ledger"], "not found");
        for name in [&names.ledger, &names.contacts] {
            self.world().set_expiry(name).await?;
        }
        ensure!(self.without_expiry(&front).await?.is_empty(), "still found");
        Ok(())
    }

    async fn without_expiry(&self, front: &Front) -> Result<Vec<String>> {
        let args = ["--stack", front::STACK, "--region", "eu-south-1", "--site", "demo", "doctor", "--json"];
        let ended = run_with(self.bridge.folder.path(), &args, &front.variables(&self.bridge)?).await?;
        let document = ended.json()?;
        let found =
            list(&document, "checks")?.iter().filter(|one| one["check"] == "table" && one["result"] == "finding");
        let mut found = found.map(|one| Ok(text(one, "subject")?.to_owned())).collect::<Result<Vec<_>>>()?;
        found.sort();
        Ok(found)
    }

    /// The section *Resume* up to the comparison. Nothing is sent.
    async fn resume(&self) -> Result<()> {
        let before = self.phones().await?;
        self.pause(true).await?;
        let file = self.bridge.folder.path().join("contacts.csv").display().to_string();
        self.bridge.ok(&["contacts", "import", &file, "--own-export"]).await?;
        self.world().deliver_reports().await?;
        self.world().pass(HOUR * 2).await?;
        // The records in flight name an event that the ledger has forgotten. Its repetition brings its messages back.
        let dead = self.bridge.ok(&["dead", "list"]).await?;
        let letters = list(&dead, "dead_letters")?;
        let of_forgotten = letters.iter().filter(|one| one["cause"] == "the event is not in the ledger");
        ensure!(of_forgotten.count() > 0, "{dead}");
        for event in &self.since {
            self.world().accept(event).await?;
        }
        self.world().pass(HOUR * 3).await?;
        assert_eq!(self.phones().await?, before, "something was sent while the site was paused");
        Ok(())
    }

    /// Returns the ids of the list of what waits, and those of its reminders.
    async fn waiting(&self) -> Result<(Ids, Ids)> {
        let listed = self.bridge.ok(&["schedule", "list", "--limit", "10000"]).await?;
        ensure!(listed.get("more") == Some(&json!(false)) && listed.get("unreadable") == Some(&json!(0)), "{listed}");
        let ids = |name: &str, id: &str| -> Result<Ids> {
            list(&listed, name)?.iter().map(|one| Ok(text(one, id)?.to_owned())).collect()
        };
        Ok((ids("waiting", "message_id")?, ids("reminders", "id")?))
    }

    /// Cancels every message that was sent. Returns those that waited.
    async fn cancel(&self, sent: &Ids) -> Result<Ids> {
        let mut cancelled = Ids::new();
        for id in sent {
            if self.bridge.run(&["schedule", "cancel", id], "").await?.code == 0 {
                cancelled.insert(id.clone());
            }
        }
        Ok(cancelled)
    }
}

/// Rehearses the restore of some tables.
async fn rehearse(case: &'static str, tables: &[&'static str]) -> Result<()> {
    let mut night = Night::new(case).await?;
    night.before(tables).await?;
    night.after().await?;
    night.stop().await?;
    let sent = night.sent()?;
    let on_phones = night.phones().await?;
    let reminded = on_phones.iter().find(|[_, _, words]| words.contains("A-1")).context("no reminder")?[0].clone();
    let cart = night.ids(&night.id("k-1")).await?.into_values().collect::<Ids>();
    assert!(sent.contains(&reminded) && cart.is_subset(&sent), "{sent:?}");
    night.restore().await?;
    night.resume().await?;

    let (waiting, reminders) = night.waiting().await?;
    let mut expected = Ids::new();
    for name in ["o-2", "o-3", "m-2", "m-3", "m-4", "m-5", "k-2"] {
        expected.extend(night.ids(&night.id(name)).await?.into_values());
    }
    let schedule_too = tables.contains(&"Schedule");
    if schedule_too {
        expected.insert(reminded.clone());
        expected.extend(cart.iter().cloned());
    }
    assert_eq!(waiting, expected);
    assert_eq!(reminders.len(), 1, "the reminder of A-2: {reminders:?}");
    let cancelled = night.cancel(&sent).await?;
    assert!(waiting.intersection(&sent).all(|id| cancelled.contains(id)), "{cancelled:?}");
    // An intact schedule no longer has the cart notice, which waits in the restored ledger for ever.
    assert!(cart.is_subset(&cancelled), "{cancelled:?}");

    // A person decides about the rest: the customer of k-2 has ordered by telephone.
    let by_person: Ids = night.ids(&night.id("k-2")).await?.into_values().collect();
    assert_eq!(night.cancel(&by_person).await?, by_person);
    let of_stopped = night.ids(&night.id("m-5")).await?;
    let stopped: Ids = ["P8", "P9"].iter().filter_map(|id| of_stopped.get(*id).cloned()).collect();
    night.pause(false).await?;
    night.world().pass(HOUR * 5).await?;

    let mut arrived: Ids = waiting.iter().filter(|id| !sent.contains(*id)).cloned().collect();
    arrived.retain(|id| !by_person.contains(id) && !stopped.contains(id));
    let reminder = reminders.first().context("no reminder")?;
    arrived.extend(night.ids(reminder).await?.into_values());
    let at_last = night.phones().await?;
    let new: Ids = at_last.iter().skip(on_phones.len()).map(|[id, ..]| id.clone()).collect();
    assert_eq!(new, arrived);
    let different: BTreeSet<_> = at_last.iter().map(|[_, to, words]| (to, words)).collect();
    assert_eq!(different.len(), at_last.len(), "somebody got a message twice: {at_last:?}");
    assert_eq!(night.bridge.ok(&["audit", "--days", "10"]).await?.get("unaccounted"), Some(&json!(0)));
    let stranger = night.bridge.ok(&["explain", "--phone", STRANGER]).await?;
    assert_eq!(stranger.pointer("/number/suppressions/0/source"), Some(&json!("stop")), "{stranger}");
    night.bridge.world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_notified_twice_after_the_ledger_went_back() -> Result<()> {
    rehearse("ledger", &["Ledger"]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_notified_twice_after_every_table_of_messages_went_back() -> Result<()> {
    rehearse("all", &["Ledger", "Contacts", "Schedule"]).await
}
