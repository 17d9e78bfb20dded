//! Passweb: random changes drawn from a seed, and the events that report them.

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime, time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};
use kit::World;
use serde_json::{Value, json};

use super::rules::{Activity, Dated, Person, Reminder, What, due, valid};

/// The number of concurrent activities.
pub(super) const ACTIVITIES: usize = 10;
/// The number of people. They are customers too.
pub(super) const PEOPLE: usize = 7;
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// Mostly Rome. The others have different clock changes, one of them by half an hour, and one has none.
const ZONES: [&str; 6] =
    ["Europe/Rome", "Europe/Rome", "Europe/Rome", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"];
const LEADS: [u64; 12] = [0, 5, 15, 30, 60, 90, 300, 1_440, 1_440, 1_440, 2_880, 1_441];

/// The data of Passweb.
pub(super) struct Passweb {
    seed: u64,
    serial: u64,
    people: Vec<Person>,
    /// The activities that are not over.
    pub(super) agenda: Vec<Option<Activity>>,
    versions: Vec<u64>,
    /// The last cart of each person.
    carts: Vec<String>,
}

impl Passweb {
    pub(super) fn new(seed: u64) -> Self {
        let mut passweb = Self {
            seed,
            serial: 0,
            people: Vec::new(),
            agenda: vec![None; ACTIVITIES],
            versions: vec![0; ACTIVITIES],
            carts: vec!["K0".to_owned(); PEOPLE],
        };
        for _ in 0..PEOPLE {
            let phone = passweb.phone();
            passweb.people.push(Person { phone, out: false });
        }
        passweb
    }

    /// Returns a random number below `below`.
    pub(super) fn draw(&mut self, below: u64) -> u64 {
        World::draw(&mut self.seed, below)
    }

    /// Like [`Passweb::draw`], but returns an index.
    pub(super) fn index(&mut self, below: usize) -> usize {
        usize::try_from(self.draw(u64::try_from(below).unwrap())).unwrap()
    }

    fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    fn phone(&mut self) -> Option<String> {
        let number = 1_000_000 + self.next_serial();
        (self.draw(10) > 0).then(|| format!("+39340{number}"))
    }

    fn stated(&mut self, kind: &str, at: Timestamp, data: Value, what: What) -> Dated {
        let id = format!("{}-{}", kind.replace('.', "-"), self.next_serial());
        let document = json!({"id": id, "type": kind, "occurred_at": at.to_string(), "data": data});
        Dated { id, at, what, document }
    }

    fn person(&self, number: usize) -> Value {
        let Person { phone, out } = &self.people[number];
        json!({"id": format!("P{number}"), "first_name": "Anna", "phone": phone, "language": "it", "whatsapp_opt_out": out})
    }

    fn activity(&self, activity: &Activity, state: &str) -> Value {
        json!({"id": activity.id, "version": activity.version, "subject": activity.subject, "starts_at": activity.begins.0,
               "all_day": activity.all_day, "time_zone": activity.zone, "state": state})
    }

    fn assignees(&self, activity: &Activity) -> Value {
        activity.assignees.iter().map(|number| self.person(*number)).collect()
    }

    /// Saves a new activity or changes an existing one. `what` selects the change: moved (0), other reminders (2, 3),
    /// both (1), or another text.
    pub(super) fn save(&mut self, place: usize, what: u64, at: Timestamp) -> Dated {
        let known = self.agenda[place].clone();
        let serial = self.next_serial();
        let mut activity = known.clone().unwrap_or_else(|| {
            let zone = ZONES[self.index(ZONES.len())];
            self.versions[place] = 0;
            let numbered = self.draw(3) > 0;
            let assignees = (0..=self.draw(2)).map(|_| self.index(PEOPLE)).collect::<BTreeSet<_>>();
            Activity {
                id: format!("A{serial}"),
                version: numbered.then_some(0),
                subject: String::new(),
                begins: (String::new(), at),
                all_day: false,
                zone,
                reminders: Vec::new(),
                assignees: assignees.into_iter().collect(),
                people: Vec::new(),
            }
        });
        activity.subject = format!("[{}/{serial}]", activity.id);
        self.versions[place] += 1;
        activity.version = activity.version.map(|_| self.versions[place]);
        activity.people.clone_from(&self.people);
        let zone = TimeZone::get(activity.zone).unwrap();
        if known.is_none() || what < 2 {
            self.place(&mut activity, &zone, at);
        }
        let starts = start(&activity, &zone);
        if known.is_none() || (1..4).contains(&what) {
            let reminders = 0..self.draw(4);
            activity.reminders = reminders
                .map(|number| Reminder {
                    id: format!("r{number}"),
                    minutes: LEADS[self.index(LEADS.len())],
                    due: at,
                    starts: String::new(),
                    ticked: self.draw(8) > 0,
                    owner: (self.draw(3) == 0).then(|| self.index(PEOPLE)),
                })
                .collect();
        }
        for reminder in &mut activity.reminders {
            reminder.due = due(starts, reminder.minutes, &zone);
            reminder.starts.clone_from(&activity.begins.0);
        }
        self.agenda[place] = Some(activity.clone());
        let reminders: Vec<Value> = activity.reminders.iter().map(|reminder| self.reminder(reminder)).collect();
        let over = known.is_some() && self.draw(16) == 0;
        let data = json!({
            "activity": self.activity(&activity, if over { "Completata" } else { "Pianificata" }), "creator": {"id": "C"},
            "assignees": self.assignees(&activity), "reminders": reminders, "sender_may_notify": true,
        });
        if over {
            self.agenda[place] = None;
            let what = What::Over { activity: activity.id, version: activity.version };
            return self.stated("activity.saved", at, data, what);
        }
        self.stated("activity.saved", at, data, What::Saved(activity))
    }

    fn reminder(&self, reminder: &Reminder) -> Value {
        json!({"id": reminder.id, "minutes_before": reminder.minutes,
               "notify": [if reminder.ticked { "whatsapp" } else { "email" }],
               "owner": reminder.owner.map(|owner| self.person(owner))})
    }

    /// Sets the start of an activity: soon, in some hours or in some days, often at a clock change, or a whole day.
    fn place(&mut self, activity: &mut Activity, zone: &TimeZone, at: Timestamp) {
        let local = at.to_zoned(zone.clone()).datetime();
        let days = 1 + i64::try_from(self.draw(4)).unwrap();
        activity.all_day = self.draw(6) == 0;
        if activity.all_day {
            let day: Date = (local + (days - 1).days()).date();
            activity.begins = (day.to_string(), valid(day.tomorrow().unwrap().at(0, 0, 0, 0), zone));
            return;
        }
        let quarters = |count: u64| i64::try_from(count * 15).unwrap().minutes();
        // If the clocks change within four days: around the hour of the change, on that day or up to two days after it.
        let change = zone.following(at).next().map(|change| change.timestamp());
        let change = change.filter(|change| change.duration_since(at) < SignedDuration::from_hours(96));
        let starts = match (change, self.draw(4)) {
            (Some(change), 0 | 1) => {
                let day = change.to_zoned(zone.clone()).date() + i64::try_from(self.draw(3)).unwrap().days();
                day.at(1 + i8::try_from(self.draw(2)).unwrap(), 0, 0, 0) + quarters(self.draw(4))
            }
            (_, 0) => local + (10 + i64::try_from(self.draw(300)).unwrap()).minutes(),
            (_, 1) => local + (1 + i64::try_from(self.draw(30)).unwrap()).hours(),
            (_, 2) => (local + days.days()).date().at(2, 0, 0, 0) + quarters(self.draw(4)),
            _ => (local + days.days()).date().at(8, 0, 0, 0) + quarters(self.draw(40)),
        };
        let starts = starts.with().second(0).subsec_nanosecond(0).build().unwrap();
        // If the local time occurs twice, either instant may be meant.
        let twice = zone.to_ambiguous_zoned(starts);
        let instant = match twice.offset() {
            AmbiguousOffset::Fold { .. } if self.draw(2) == 0 => twice.later().unwrap().timestamp(),
            _ => valid(starts, zone),
        };
        let text = instant.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
        activity.begins = (text, instant);
    }

    /// Ends an activity: it is deleted, or its new state ends it.
    pub(super) fn end(&mut self, place: usize, at: Timestamp) -> Option<Dated> {
        let mut activity = self.agenda[place].take()?;
        if self.draw(2) == 0 {
            let data = json!({"activity": {"id": activity.id}});
            return Some(self.stated(
                "activity.deleted",
                at,
                data,
                What::Over { activity: activity.id, version: None },
            ));
        }
        activity.version = activity.version.map(|version| version + 1);
        let state = if self.draw(2) == 0 { "ANNULLATA" } else { "Completata" };
        let data = json!({
            "activity": self.activity(&activity, state), "old_state": "Pianificata", "new_state": state,
            "actor": {"id": "C"}, "creator": {"id": "C"}, "assignees": self.assignees(&activity), "notify": ["email"],
        });
        let what = What::Over { activity: activity.id, version: activity.version };
        Some(self.stated("activity.status_changed", at, data, what))
    }

    /// Passweb raises a reminder itself, possibly before its due time.
    pub(super) fn raise(&mut self, place: usize, at: Timestamp) -> Option<Dated> {
        let mut activity = self.agenda[place].clone()?;
        let reminder = activity.reminders.iter().find(|reminder| reminder.ticked)?.clone();
        activity.people.clone_from(&self.people);
        let data = json!({
            "activity": self.activity(&activity, "Pianificata"), "assignees": self.assignees(&activity),
            "reminder": {"id": reminder.id, "minutes_before": reminder.minutes}, "notify": ["whatsapp"],
            "owner": reminder.owner.map(|owner| self.person(owner)),
        });
        Some(self.stated("activity.reminder", at, data, What::Raised { activity, reminder }))
    }

    /// A customer abandons a cart, possibly the previous one. Sometimes an agent created it.
    pub(super) fn leave(&mut self, customer: usize, at: Timestamp) -> Dated {
        let left = at - MINUTE * [0, 0, 5, 30][self.index(4)];
        let items = self.next_serial();
        if self.draw(3) > 0 {
            self.carts[customer] = format!("K{items}");
        }
        let (cart, by_agent) = (self.carts[customer].clone(), self.draw(10) == 0);
        let data = json!({
            "cart": {"id": cart, "abandoned_at": left.to_string(), "item_count": items, "created_by_agent": by_agent,
                     "total": {"amount": "45.50", "currency": "EUR"}},
            "customer": self.person(customer),
        });
        let person = self.people[customer].clone();
        let what = if by_agent { What::Nothing } else { What::Left { customer, cart, left, items, person } };
        self.stated("cart.abandoned", at, data, what)
    }

    /// A cart is ordered, emptied or recovered, or an order changes its status. A new order closes all earlier carts.
    pub(super) fn close(&mut self, customer: usize, at: Timestamp) -> Dated {
        let (cart, order) = (self.carts[customer].clone(), self.next_serial());
        if self.draw(2) == 0 {
            let reason = ["ordered", "emptied", "recovered"][self.index(3)];
            let data = json!({"cart": {"id": cart}, "customer": self.person(customer), "reason": reason});
            let cart = (reason != "ordered").then_some(cart);
            return self.stated("cart.closed", at, data, What::Closed { customer, cart, until: at });
        }
        let status = ["NUOVO", "Memorizzato", "PAGAMENTO_NON_CONFERMATO", "DA_VERIFICARE", "SOSPESO"][self.index(5)];
        let previous = (self.draw(4) == 0).then_some("NUOVO");
        let rome = TimeZone::get("Europe/Rome").unwrap();
        let today = at.to_zoned(rome.clone()).date();
        let date = [None, Some(today), Some(today - 1.day())][self.index(3)];
        let data = json!({
            "order": {"id": format!("O{order}"), "kind": "order", "status": status, "previous_status": previous,
                      "date": date.map(|date| date.to_string()), "item_count": 1,
                      "total": {"amount": "45.50", "currency": "EUR"}},
            "customer": self.person(customer),
        });
        let end = |date: Date| valid(date.tomorrow().unwrap().at(0, 0, 0, 0), &rome);
        let until = date.map_or(at, |date| at.min(end(date)));
        let is_new = previous.is_none() && status != "SOSPESO";
        let what = if is_new { What::Closed { customer, cart: None, until } } else { What::Nothing };
        self.stated("order.status_changed", at, data, what)
    }

    /// Changes a person: another number or none, an opt-out, or a withdrawn opt-out.
    pub(super) fn update(&mut self, person: usize, at: Timestamp) -> Dated {
        if self.draw(2) == 0 {
            self.people[person].phone = self.phone();
        } else {
            // Most people want to be notified.
            self.people[person].out = !self.people[person].out && self.draw(3) == 0;
        }
        let record = self.people[person].clone();
        let data = json!({"customer": self.person(person)});
        self.stated("customer.updated", at, data, What::Updated { person, record })
    }
}

/// Returns a start as local time and as instant. A whole-day activity starts at the site's morning.
fn start(activity: &Activity, zone: &TimeZone) -> (DateTime, Timestamp) {
    if activity.all_day {
        let morning = activity.begins.0.parse::<Date>().unwrap().to_datetime(time(9, 0, 0, 0));
        return (morning, valid(morning, zone));
    }
    (activity.begins.1.to_zoned(zone.clone()).datetime(), activity.begins.1)
}
