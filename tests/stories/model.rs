//! The schedule compared with a model.
//!
//! A test raises random events about activities, carts and people, in any order and some of them twice. The clock
//! advances, sweeps die, and for hours none runs. A few plain rules (`rules`) determine which messages reach the phone,
//! at which time, and the reason for each skipped one. Holds, quiet hours, files and lanes are not part of the model.
//! They have their own stories.
//!
//! The test prints its seed. `BRIDGE_MODEL_SEED` replays the same draws, and `BRIDGE_MODEL_STEPS` sets the total number
//! of steps.

mod passweb;
mod rules;

use std::collections::{BTreeMap, VecDeque};

use domain::message::reason::Reason;
use domain::message::state::State;
use jiff::{SignedDuration, Timestamp};
use kit::World;
use serde_json::Value;

use passweb::{ACTIVITIES, PEOPLE, Passweb};
use rules::{Activity, CART_INTERVAL_MINUTES, CART_POSTPONED_MINUTES_MAX, Dated, Model, Outcome, Reminder, What};

/// The total number of steps.
const STEPS: u64 = 10_000;
/// The number of tests in this file that share the steps.
const TESTS: u64 = 5;
/// The number of steps in one world. They cover some weeks, which begin just before the tested date.
const STEPS_OF_WORLD: u64 = 250;
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const SECOND: SignedDuration = SignedDuration::from_secs(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// The outcomes that must occur in the worlds of each test.
const OUTCOMES: [&str; 7] =
    ["told", "already_notified", "cancelled", "expired", "not_latest_cart", "opted_out", "phone_missing"];
/// The possible reasons for a raised reminder that is no longer valid when it is handled. It is invalid, or an earlier
/// rule about the person applies.
const NOT_TOLD: [Reason; 5] =
    [Reason::Cancelled, Reason::AlreadyNotified, Reason::Expired, Reason::OptedOut, Reason::PhoneMissing];
const REMINDERS: &str = "promemoria-attivita";
const CARTS: &str = "carrello-abbandonato";

/// The last steps, which a failure prints.
struct Trace {
    seed: u64,
    step: u64,
    steps: VecDeque<String>,
}

impl Trace {
    fn raise(&mut self, what: String) {
        self.steps.push_back(format!("{:>5} {what}", self.step));
        if self.steps.len() > 24 {
            self.steps.pop_front();
        }
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!(
                "BRIDGE_MODEL_SEED={}, this world's is {}; it failed in step {} of:",
                main_seed(),
                self.seed,
                self.step
            );
            self.steps.iter().for_each(|step| println!("{step}"));
        }
    }
}

/// A world with its model and Passweb.
struct Play {
    world: World,
    model: Model,
    passweb: Passweb,
    trace: Trace,
    /// Events that are sent later, in another order.
    held: Vec<Dated>,
    past: Vec<Dated>,
    /// The number of messages on the phone that were compared.
    seen: usize,
    swept: Timestamp,
}

impl Play {
    async fn begin(seed: u64, beginning: Timestamp) -> Self {
        let world = World::start().await.unwrap();
        let reminders = |site: &mut domain::site::config::Site, mapping: &mut domain::mapping::Mapping| {
            mapping.useful_for = None;
            site.cart_interval = CART_INTERVAL_MINUTES;
            site.cart_max_postponement = CART_POSTPONED_MINUTES_MAX;
        };
        world.configure(REMINDERS, reminders).await.unwrap();
        world.configure(CARTS, |_, mapping| mapping.useful_for = None).await.unwrap();
        // Orders close carts in this model. They send no message.
        world.configure("stato-ordine", |_, mapping| mapping.enabled = false).await.unwrap();
        world.clock.advance_to(beginning);
        Self {
            model: Model::default(),
            passweb: Passweb::new(seed),
            trace: Trace { seed, step: 0, steps: VecDeque::new() },
            held: Vec::new(),
            past: Vec::new(),
            seen: 0,
            swept: world.clock.now(),
            world,
        }
    }

    fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    async fn hear(&mut self, stated: &Dated) {
        self.trace.raise(format!("{} {}: {} of {}", self.now(), stated.id, brief(&stated.what), stated.at));
        self.world.accept(&stated.document).await.unwrap();
        self.model.hear(stated, self.now());
        self.world.deliver().await.unwrap();
    }

    /// Sends an event now, or later in another order.
    async fn say(&mut self, stated: Dated) {
        if self.passweb.draw(6) == 0 {
            self.held.push(stated);
            return;
        }
        self.hear(&stated).await;
        self.past.push(stated);
    }

    async fn say_held(&mut self, count: usize) {
        for _ in 0..count.min(self.held.len()) {
            let place = self.passweb.index(self.held.len());
            let stated = self.held.swap_remove(place);
            self.hear(&stated).await;
            self.past.push(stated);
        }
    }

    async fn step(&mut self) {
        // No two events happen at the same time. Their precedence is not part of this test.
        let seconds = i32::try_from(1 + self.passweb.draw(20)).unwrap();
        self.world.clock.advance(SECOND * seconds);
        let now = self.now();
        let (place, person) = (self.passweb.index(ACTIVITIES), self.passweb.index(PEOPLE));
        let stated = match self.passweb.draw(100) {
            0..22 => {
                let what = self.passweb.draw(5);
                Some(self.passweb.save(place, what, now))
            }
            22..29 => self.passweb.end(place, now),
            29..31 => self.passweb.raise(place, now),
            31..43 => {
                // Some customers come back more often than others.
                let customer = if self.passweb.draw(2) == 0 { person % 3 } else { person };
                Some(self.passweb.leave(customer, now))
            }
            43 => {
                // A cart that is due about a day after a cart notice.
                let received = self.model.notified_about_carts(now - DAY + MINUTE * 150);
                if let Some((customer, received)) = received {
                    let minutes = i32::try_from(self.passweb.draw(120)).unwrap();
                    let until = received + DAY - MINUTE * (150 - minutes);
                    self.pass(until.duration_since(now)).await;
                    let stated = self.passweb.leave(customer, self.now());
                    self.say(stated).await;
                }
                None
            }
            44..51 => {
                let waits = self.model.left(|_| true).filter(|_| self.passweb.draw(2) == 0);
                Some(self.passweb.close(waits.unwrap_or(person), now))
            }
            51..55 => Some(self.passweb.update(person, now)),
            55..58 if !self.past.is_empty() => {
                let first = self.past.len().saturating_sub(20);
                let place = first + self.passweb.index(self.past.len() - first);
                Some(self.past[place].clone())
            }
            58..62 => {
                let count = 1 + self.passweb.index(4);
                self.say_held(count).await;
                None
            }
            62..98 => {
                // Slow at first, because many reminders are planned before the tested date.
                let slowly = self.trace.step < 50;
                let time = match self.passweb.draw(if slowly { 7 } else { 12 }) {
                    0..7 => SECOND * (60 + i32::try_from(self.passweb.draw(1_800)).unwrap()),
                    7..11 => MINUTE * (30 + i32::try_from(self.passweb.draw(330)).unwrap()),
                    _ => MINUTE * (720 + i32::try_from(self.passweb.draw(1_000)).unwrap()),
                };
                // A random fraction of a second avoids coincident times.
                let split = SignedDuration::from_millis(i64::try_from(self.passweb.draw(1_000)).unwrap());
                self.pass(time + split).await;
                None
            }
            _ => {
                // Nothing runs for some hours.
                let time = MINUTE * (60 + i32::try_from(self.passweb.draw(1_800)).unwrap());
                self.world.clock.advance(time);
                self.swept = self.now();
                self.sweep().await;
                None
            }
        };
        if let Some(stated) = stated {
            self.say(stated).await;
        }
    }

    /// Lets time pass. Of the sweeps of every minute, only these run:
    ///
    /// - the last one before something is due in the model
    /// - the first one after it
    /// - the last one of the period
    async fn pass(&mut self, time: SignedDuration) {
        let until = self.now() + time;
        loop {
            let due = self.model.next().filter(|due| *due <= until).unwrap_or(until).max(self.swept);
            let minutes = i32::try_from(due.duration_since(self.swept).as_mins()).unwrap();
            let before = self.swept + MINUTE * minutes;
            let at_end = due == until;
            if before > self.swept && before <= until && (at_end || self.passweb.draw(3) == 0) {
                self.world.clock.advance_to(before);
                self.swept = before;
                self.sweep().await;
            }
            let after = before + MINUTE;
            if at_end || after > until {
                break;
            }
            self.world.clock.advance_to(after);
            self.swept = after;
            if self.passweb.draw(4) == 0 { self.meet().await } else { self.sweep().await }
        }
        self.world.clock.advance_to(until);
    }

    /// Runs a sweep, sometimes after one that was killed. Then compares the phone.
    async fn sweep(&mut self) {
        if self.passweb.draw(6) == 0 {
            let polls = self.passweb.index(300);
            self.trace.raise(format!("{} a sweep is killed after {polls} polls", self.now()));
            self.world.sweep_killed(polls).await;
            if self.passweb.draw(2) == 0 {
                self.world.deliver().await.unwrap();
            }
        }
        self.model.sweep(self.now());
        self.world.sweep().await.unwrap();
        self.world.deliver().await.unwrap();
        self.compare().await;
    }

    /// Runs a sweep. While its records are in flight, an event changes a due item.
    async fn meet(&mut self) {
        let now = self.now();
        let Some((stated, stands)) = self.happens(now) else { return self.sweep().await };
        self.world.sweep().await.unwrap();
        let mut taken = Vec::new();
        loop {
            let batch = self.world.take().await.unwrap();
            if batch.is_empty() {
                break;
            }
            taken.push(batch);
        }
        self.trace.raise(format!("{now} a sweep, and before what it fired is handled:"));
        // A reminder that is still valid is sent as it was raised.
        if stands {
            self.model.sweep(now);
        }
        self.hear(&stated).await;
        for batch in taken {
            assert!(self.world.handle(&batch).await.is_empty());
            for message in &batch {
                self.world.delete(message).await.unwrap();
            }
        }
        self.sweep().await;
    }

    /// Returns an event about a due item, and whether the item remains valid. Returns `None` if nothing is due, or if
    /// only some of the due reminders would remain valid.
    fn happens(&mut self, now: Timestamp) -> Option<(Dated, bool)> {
        let due = |(_, (_, reminder)): &(_, &(_, Reminder))| reminder.due <= now;
        let Some(id) = self.model.items.iter().find(due).map(|((id, _), _)| id.clone()) else {
            let customer = self.model.left(|due| due <= now)?;
            let again = self.passweb.draw(2) == 0;
            let stated = if again { self.passweb.leave(customer, now) } else { self.passweb.close(customer, now) };
            return Some((stated, false));
        };
        let of_activity = self.model.items.iter().filter(|item| due(item) && item.0.0 == id);
        let due: Vec<Reminder> = of_activity.map(|(_, (_, reminder))| reminder.clone()).collect();
        let known = |agenda: &Option<Activity>| agenda.as_ref().is_some_and(|activity| activity.id == id);
        let place = self.passweb.agenda.iter().position(known)?;
        // The event may have happened before the reminder was due.
        let earlier = (due[0].due - SECOND * 20).max(self.model.activities[&id].rank.at + SECOND).min(now);
        let at = if self.passweb.draw(2) == 0 { now } else { earlier };
        let stated = match self.passweb.draw(3) {
            0 => self.passweb.end(place, at)?,
            1 => self.passweb.save(place, 0, at),
            _ => self.passweb.save(place, 4, at),
        };
        let kept = match &stated.what {
            What::Saved(saved) => due.iter().filter(|reminder| saved.reminder(reminder).is_some()).count(),
            _ => 0,
        };
        let stand = due.iter().all(|reminder| self.model.standing(&id, reminder).is_some());
        if stand && (kept == 0 || kept == due.len()) {
            return Some((stated, kept > 0));
        }
        self.held.push(stated);
        None
    }

    async fn compare(&mut self) {
        let phone = self.world.phone().await.unwrap();
        let about = |text: &str| match text.split_once('[') {
            Some((_, rest)) => format!("[{}]", rest.split_once(']').unwrap().0),
            None => text.split_once(" articoli").unwrap().0.rsplit(' ').next().unwrap().replace('.', ""),
        };
        let arrived = |message: &Value| {
            let at: Timestamp = message["received_at"].as_str().unwrap().parse().unwrap();
            (message["to"].as_str().unwrap().to_owned(), about(message["text"].as_str().unwrap()), at)
        };
        let mut arrived: Vec<_> = phone[self.seen..].iter().map(arrived).collect();
        let mut expected = std::mem::take(&mut self.model.expected);
        arrived.sort();
        expected.sort();
        self.trace.raise(format!("{} a sweep, arrived: {arrived:?}", self.now()));
        let what = |(to, about, _): &(String, String, Timestamp)| (to.clone(), about.clone());
        let (ours, theirs): (Vec<_>, Vec<_>) =
            (arrived.iter().map(what).collect(), expected.iter().map(what).collect());
        assert_eq!(ours, theirs, "arrived and expected at {}", self.now());
        for (ours, theirs) in arrived.iter().zip(&expected) {
            // A message waits some milliseconds for its account's slot.
            assert!(ours.2.duration_since(theirs.2).abs() <= SECOND * 5, "arrived {ours:?}, expected {theirs:?}");
        }
        self.seen = phone.len();
        if self.seen > 40 {
            self.world.reset_simulator().await.unwrap();
            self.seen = 0;
        }
    }

    /// Compares the ledger with the model. Each message that did not arrive must have its reason.
    async fn end_of_world(mut self) -> BTreeMap<String, usize> {
        self.say_held(usize::MAX).await;
        self.pass(DAY * 7).await;
        let mut counted: BTreeMap<String, usize> = BTreeMap::new();
        let mut check = |what: String, state: &State, expected: Outcome| {
            let outcome = match state {
                State::Sent => Ok(()),
                State::Skipped(skip) => Err(skip.reason),
                other => panic!("{what}: {other:?}"),
            };
            assert_eq!(outcome, expected, "ledger and model of {what}");
            *counted.entry(expected.map_or_else(|reason| reason.to_string(), |()| "told".to_owned())).or_default() += 1;
        };
        for (number, customer) in &self.model.customers {
            for cart in &customer.carts {
                let state = self.world.state(&cart.id, CARTS, &format!("P{number}")).await.unwrap();
                check(cart.id.clone(), &state, cart.state.unwrap_err());
            }
        }
        for ((id, person), expected) in &self.model.given {
            let state = self.world.state(id, REMINDERS, &format!("P{person}")).await.unwrap();
            check(id.clone(), &state, *expected);
        }
        let site = self.world.site().unwrap();
        let (mut raised, mut dropped) = (self.model.raised.clone(), self.model.dropped.clone());
        for id in self.model.activities.keys() {
            let events = self.world.ledger.events_of_subject(&site, &format!("activity:{id}")).await.unwrap();
            for event in events.iter().filter(|event| event.id.starts_with("bridge:rem.")) {
                let text = |pointer: &str| event.document.pointer(pointer).unwrap().as_str().unwrap().to_owned();
                let (reminder, saved_by) = (text("/data/reminder/id"), text("/data/saved_by"));
                let states =
                    || event.messages.iter().map(|message| (message.recipient.as_str(), message.facts.state()));
                dropped.remove(&(id.clone(), reminder.clone(), event.occurred_at));
                let key = (id.clone(), reminder, event.occurred_at, saved_by);
                let Some(outcomes) = raised.remove(&key) else {
                    // The reminder was no longer valid when it was due or when it was to be sent. Or a killed sweep
                    // raised it before a newer event was handled, and the newer reminder was sent instead.
                    let reasons: Vec<Reason> = event.plan.skips.iter().map(|planned| planned.skip.reason).collect();
                    let of_messages = states().map(|(_, state)| match state {
                        State::Skipped(skip) => skip.reason,
                        other => panic!("the model does not know {key:?}: {other:?}"),
                    });
                    let reasons: Vec<Reason> = reasons.into_iter().chain(of_messages).collect();
                    let known = |reason: &Reason| NOT_TOLD.contains(reason);
                    assert!(!reasons.is_empty() && reasons.iter().all(known), "{key:?}: {reasons:?}, {event:?}");
                    continue;
                };
                assert_eq!(event.messages.len(), outcomes.len(), "{event:?}");
                for (recipient, state) in states() {
                    let person: usize = recipient.strip_prefix('P').unwrap().parse().unwrap();
                    check(format!("{key:?} to {recipient}"), &state, outcomes[&person]);
                }
            }
        }
        assert!(dropped.is_empty(), "the ledger does not say why nobody was told of {dropped:?}");
        assert!(raised.is_empty(), "the ledger does not know {raised:?}");
        for shard in 0..store::schedule::SHARDS {
            let left = self.world.schedule.soonest(&site, shard, 10).await.unwrap();
            assert!(left.items.is_empty() && left.unreadable.is_empty(), "left in the schedule: {left:?}");
        }
        let letters = self.world.ledger.dead_letters(Some(&site), self.now()).await.unwrap();
        assert!(letters.is_empty(), "{letters:?}");
        self.world.finish().await.unwrap();
        counted
    }
}

fn brief(what: &What) -> String {
    match what {
        What::Saved(activity) => {
            let reminders: Vec<String> = activity
                .reminders
                .iter()
                .map(|Reminder { id, due, ticked, owner, .. }| format!("{id} {due} {ticked} {owner:?}"))
                .collect();
            let Activity { subject, version, begins, assignees, .. } = activity;
            format!("{subject} {version:?} begins {} for {assignees:?}, {reminders:?}", begins.0)
        }
        other => format!("{other:?}").chars().take(160).collect(),
    }
}

#[expect(clippy::disallowed_methods, reason = "whoever runs the model sets its size and seed; no function reads this")]
fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn main_seed() -> u64 {
    setting("BRIDGE_MODEL_SEED", 20_261_124)
}

/// Runs a share of the steps in as many worlds as necessary. The worlds begin at the given times in turn. Every outcome
/// in `OUTCOMES` must occur; otherwise the test proves nothing.
async fn play(share: u64, beginnings: &[&str]) {
    let (mut left, mut seed) = (setting("BRIDGE_MODEL_STEPS", STEPS).div_ceil(TESTS), main_seed() ^ (share << 32));
    println!("BRIDGE_MODEL_SEED={} BRIDGE_MODEL_STEPS={}", main_seed(), left * TESTS);
    let (steps_of_all, mut counted) = (left, BTreeMap::<String, usize>::new());
    for beginning in beginnings.iter().cycle() {
        let steps = left.min(STEPS_OF_WORLD);
        let own = World::draw(&mut seed, u64::MAX);
        let mut play = Play::begin(own, beginning.parse().unwrap()).await;
        for step in 0..steps {
            play.trace.step = step;
            play.step().await;
        }
        let of_world = play.end_of_world().await;
        println!("{beginning}, {steps} steps: {of_world:?}");
        for (outcome, count) in of_world {
            *counted.entry(outcome).or_default() += count;
        }
        left -= steps;
        if left == 0 {
            break;
        }
    }
    if steps_of_all >= STEPS / TESTS {
        let missing: Vec<_> = OUTCOMES.iter().filter(|outcome| !counted.contains_key(**outcome)).collect();
        assert!(missing.is_empty(), "never came up: {missing:?}, {counted:?}");
    }
}

#[tokio::test]
async fn the_bridge_matches_the_model_on_ordinary_days() {
    play(0, &["2026-11-23T08:00:17Z"]).await;
}

#[tokio::test]
async fn the_bridge_matches_the_model_at_the_turn_of_the_year() {
    play(1, &["2026-12-29T08:00:17Z", "2027-12-30T16:00:17Z"]).await;
}

/// In Rome on 28 March 2027, in New York on 14 March, on Lord Howe Island by half an hour on 3 October.
#[tokio::test]
async fn the_bridge_matches_the_model_when_clocks_go_forward() {
    play(2, &["2027-03-26T22:00:17Z", "2027-03-13T03:00:17Z", "2027-10-01T12:00:17Z"]).await;
}

/// In Rome on 31 October 2027, in New York on 7 November, on Lord Howe Island on 4 April.
#[tokio::test]
async fn the_bridge_matches_the_model_when_clocks_go_back() {
    play(3, &["2027-10-29T22:00:17Z", "2027-11-06T03:00:17Z", "2027-04-02T12:00:17Z"]).await;
}

#[tokio::test]
async fn the_bridge_matches_the_model_around_the_29th_of_february() {
    play(4, &["2028-02-26T08:00:17Z", "2028-02-28T20:00:17Z"]).await;
}
