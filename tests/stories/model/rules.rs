//! The rules of the design (parts 4, 6 and 9) over a few plain values. They determine which messages must have arrived.

use std::collections::{BTreeMap, BTreeSet};

use domain::message::reason::Reason;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::Value;

/// Shorter than the site's default, so that carts postpone one another more often.
pub(super) const CART_INTERVAL_MINUTES: u16 = 90;
/// Shorter than the default too. Two carts are enough to reach it.
pub(super) const CART_POSTPONED_MINUTES_MAX: u16 = 130;
/// A reminder that is due shortly before the start of its activity is of use for this long after it is due.
const ON_ITS_WAY: SignedDuration = SignedDuration::from_mins(5);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// The outcome of a message: it was sent, or it was skipped for a reason.
pub(super) type Outcome = Result<(), Reason>;

/// Passweb's record of a person.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) phone: Option<String>,
    pub(super) out: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Reminder {
    pub(super) id: String,
    pub(super) minutes: u64,
    /// The start of its activity. A combination of id, lead and start is notified once.
    pub(super) starts: String,
    pub(super) due: Timestamp,
    pub(super) ticked: bool,
    pub(super) owner: Option<usize>,
}

/// An activity as an event contains it.
#[derive(Clone, Debug)]
pub(super) struct Activity {
    pub(super) id: String,
    pub(super) version: Option<u64>,
    pub(super) subject: String,
    /// The start, and the end of the useful time of its reminders: the start, or the end of a whole day.
    pub(super) begins: (String, Timestamp),
    pub(super) all_day: bool,
    pub(super) zone: &'static str,
    pub(super) reminders: Vec<Reminder>,
    pub(super) assignees: Vec<usize>,
    /// The people as Passweb's records were at that time.
    pub(super) people: Vec<Person>,
}

impl Activity {
    /// Returns the same reminder of this activity: the same id, lead and start.
    pub(super) fn reminder(&self, item: &Reminder) -> Option<&Reminder> {
        let same =
            |known: &&Reminder| (&known.id, &known.starts, known.minutes) == (&item.id, &item.starts, item.minutes);
        self.reminders.iter().find(same).filter(|known| known.ticked)
    }
}

/// The content of an event.
#[derive(Clone, Debug)]
pub(super) enum What {
    Saved(Activity),
    Over {
        activity: String,
        version: Option<u64>,
    },
    Raised {
        activity: Activity,
        reminder: Reminder,
    },
    Left {
        customer: usize,
        cart: String,
        left: Timestamp,
        items: u64,
        person: Person,
    },
    /// Closes a cart that was abandoned until then, or all carts of the customer if none is named.
    Closed {
        customer: usize,
        cart: Option<String>,
        until: Timestamp,
    },
    Updated {
        person: usize,
        record: Person,
    },
    Nothing,
}

/// An event from Passweb, and when it happened.
#[derive(Clone, Debug)]
pub(super) struct Dated {
    pub(super) id: String,
    pub(super) at: Timestamp,
    pub(super) what: What,
    pub(super) document: Value,
}

/// Returns the instant of a local time. In a gap it is the first valid minute after it, and in a fold the earlier
/// instant.
pub(super) fn valid(mut local: DateTime, zone: &TimeZone) -> Timestamp {
    loop {
        let instant = zone.to_ambiguous_zoned(local);
        if !matches!(instant.offset(), AmbiguousOffset::Gap { .. }) {
            return instant.earlier().unwrap().timestamp();
        }
        local += 1.minute();
    }
}

/// Returns the due time. A lead of whole days keeps the local time of the start; other leads count from the instant.
pub(super) fn due((wall, instant): (DateTime, Timestamp), minutes: u64, zone: &TimeZone) -> Timestamp {
    let minutes = i64::try_from(minutes).unwrap();
    if minutes > 0 && minutes % 1_440 == 0 {
        return valid(wall - (minutes / 1_440).days(), zone);
    }
    instant - SignedDuration::from_mins(minutes)
}

fn minutes(minutes: u16) -> SignedDuration {
    SignedDuration::from_mins(i64::from(minutes))
}

/// The rules over a few plain values.
#[derive(Default)]
pub(super) struct Model {
    /// The newest event of each activity, ordered by version, then by occurrence, then by receipt.
    pub(super) activities: BTreeMap<String, LatestSave>,
    pub(super) customers: BTreeMap<usize, Customer>,
    /// The last known contact data of each person, and its time.
    pub(super) people: BTreeMap<usize, (Timestamp, Person)>,
    /// The pending items: one per activity and reminder, from the newest save in which the reminder is still ahead.
    pub(super) items: BTreeMap<(String, String), (Rank, Reminder)>,
    /// The raised reminders by activity, reminder, due time and the event that saved them, with an outcome per
    /// recipient.
    pub(super) raised: BTreeMap<Raised, BTreeMap<usize, Outcome>>,
    /// Reminders that were no longer valid when they were due.
    pub(super) dropped: BTreeSet<(String, String, Timestamp)>,
    /// Reminders that Passweb raised itself, by event id and recipient.
    pub(super) given: BTreeMap<(String, usize), Outcome>,
    /// The sent reminders of each activity: id, lead, start and person.
    pub(super) received: BTreeSet<(String, String, u64, String, usize)>,
    /// The messages that must reach the phone: recipient, subject and time.
    pub(super) expected: Vec<(String, String, Timestamp)>,
}

/// A raised reminder: activity, reminder, due time, and the event that saved it.
pub(super) type Raised = (String, String, Timestamp, String);

/// The order of events: the higher version, then the later occurrence, then the later receipt.
#[derive(Clone, Copy)]
pub(super) struct Rank {
    pub(super) version: Option<u64>,
    pub(super) at: Timestamp,
    pub(super) received: Timestamp,
}

impl Rank {
    fn is_newer(&self, known: &Self) -> bool {
        match (self.version, known.version) {
            (Some(ours), Some(theirs)) if ours != theirs => ours > theirs,
            _ => (self.at, self.received) >= (known.at, known.received),
        }
    }
}

/// The status of an activity: its latest event, and its data. `None` if it is over.
pub(super) struct LatestSave {
    pub(super) rank: Rank,
    pub(super) event: String,
    pub(super) saved: Option<Activity>,
}

#[derive(Default)]
pub(super) struct Customer {
    pub(super) carts: Vec<Cart>,
    pub(super) newest: Option<Timestamp>,
    /// When the first cart of a series was abandoned. In a series, each cart is abandoned before the previous one is
    /// due.
    pub(super) first: Option<Timestamp>,
    pub(super) closed: Option<Timestamp>,
    pub(super) closed_carts: BTreeMap<String, Timestamp>,
    /// When the customer last got a cart notice.
    pub(super) received: Option<Timestamp>,
}

pub(super) struct Cart {
    pub(super) id: String,
    pub(super) cart: String,
    pub(super) at: Timestamp,
    pub(super) left: Timestamp,
    pub(super) items: u64,
    pub(super) person: Person,
    /// The time of the next check, or the outcome.
    pub(super) state: Result<Timestamp, Outcome>,
}

impl Customer {
    fn leaves(&mut self, left: Timestamp) {
        let open = self.closed.is_none_or(|closed| left > closed);
        if self.newest.is_none_or(|newest| left > newest) {
            let continues = self.newest.zip(self.first).is_some_and(|(newest, first)| left < cart_due(newest, first));
            if open && !continues {
                self.first = Some(left);
            }
            self.newest = Some(left);
        } else if let Some(first) = self.first.filter(|first| open && left < *first) {
            // The event comes late, and the first cart of the series so far postponed it.
            self.first = Some(if first < left + minutes(CART_INTERVAL_MINUTES) { left } else { first });
        }
    }
}

/// The due time of a cart: the interval after it was abandoned, limited by the maximum postponement of the series.
fn cart_due(left: Timestamp, first: Timestamp) -> Timestamp {
    (left + minutes(CART_INTERVAL_MINUTES)).min(first + minutes(CART_POSTPONED_MINUTES_MAX))
}

impl Model {
    /// Handles an event.
    pub(super) fn hear(&mut self, stated: &Dated, now: Timestamp) {
        match &stated.what {
            What::Saved(activity) => {
                let rank = Rank { version: activity.version, at: stated.at, received: now };
                self.save(&activity.id, LatestSave { rank, event: stated.id.clone(), saved: Some(activity.clone()) });
                let to_come = |reminder: &&Reminder| reminder.ticked && reminder.due >= stated.at;
                for reminder in activity.reminders.iter().filter(to_come) {
                    let key = (activity.id.clone(), reminder.id.clone());
                    // An older save adds a reminder only if the newest one left it unchanged.
                    let is_valid = self.standing(&activity.id, reminder).is_some();
                    if is_valid && self.items.get(&key).is_none_or(|(known, _)| rank.is_newer(known)) {
                        self.items.insert(key, (rank, reminder.clone()));
                    }
                }
            }
            What::Over { activity, version } => {
                let rank = Rank { version: *version, at: stated.at, received: now };
                self.save(activity, LatestSave { rank, event: stated.id.clone(), saved: None });
            }
            What::Raised { activity, reminder } => {
                for person in recipients(activity, reminder) {
                    let key = (stated.id.clone(), person);
                    if !self.given.contains_key(&key) {
                        // Handled at once, with the event's own data. A newer recorded opt-out applies.
                        let mut own = activity.clone();
                        let since = self.people.get(&person).filter(|(since, _)| *since > stated.at);
                        own.people[person].out |= since.is_some_and(|(_, record)| record.out);
                        let is_valid = self.is_valid_as_reported(activity, stated.at, now);
                        let outcome = self.remind((&own, reminder), person, (Timestamp::MAX, stated.at, now), is_valid);
                        self.given.insert(key, outcome);
                    }
                }
            }
            What::Left { customer, cart, left, items, person } => {
                let known = self.customers.entry(*customer).or_default();
                known.leaves(*left);
                let carts = &mut known.carts;
                if !carts.iter().any(|cart| cart.id == stated.id) {
                    let (id, cart, person) = (stated.id.clone(), cart.clone(), person.clone());
                    carts.push(Cart { id, cart, at: stated.at, left: *left, items: *items, person, state: Ok(now) });
                }
                let place = carts.iter().position(|cart| cart.id == stated.id).unwrap();
                self.judge(*customer, place, (now, false));
            }
            What::Closed { customer, cart: Some(cart), until } => {
                let closed = &mut self.customers.entry(*customer).or_default().closed_carts;
                closed.entry(cart.clone()).and_modify(|known| *known = (*known).max(*until)).or_insert(*until);
            }
            What::Closed { customer, cart: None, until } => {
                let customer = self.customers.entry(*customer).or_default();
                customer.closed = customer.closed.max(Some(*until));
                customer.first = customer.first.filter(|first| first > until);
            }
            What::Nothing => {}
            What::Updated { person, record } => {
                if self.people.get(person).is_none_or(|(at, _)| *at <= stated.at) {
                    self.people.insert(*person, (stated.at, record.clone()));
                }
            }
        }
    }

    /// Whether there is no newer event about the activity, or only one that left its start unchanged.
    fn is_valid_as_reported(&self, activity: &Activity, at: Timestamp, now: Timestamp) -> bool {
        let Some(known) = self.activities.get(&activity.id) else { return true };
        let stated = Rank { version: activity.version, at, received: now };
        stated.is_newer(&known.rank) || known.saved.as_ref().is_some_and(|saved| saved.begins == activity.begins)
    }

    /// Keeps the newest event of an activity.
    fn save(&mut self, activity: &str, saved: LatestSave) {
        if self.activities.get(activity).is_none_or(|known| saved.rank.is_newer(&known.rank)) {
            self.activities.insert(activity.to_owned(), saved);
        }
    }

    /// Runs a sweep: every due reminder is sent or skipped.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        let due =
            |(key, (_, reminder)): (&(String, String), &(Rank, Reminder))| (reminder.due <= now).then(|| key.clone());
        for key in self.items.iter().filter_map(due).collect::<Vec<_>>() {
            let (_, reminder) = self.items.remove(&key).unwrap();
            let Some((activity, standing)) = self.standing(&key.0, &reminder) else {
                self.dropped.insert((key.0, key.1, reminder.due));
                continue;
            };
            let raised = (key.0, key.1, reminder.due, standing.1);
            if self.raised.contains_key(&raised) {
                continue;
            }
            let mut outcomes = BTreeMap::new();
            for person in recipients(&activity.0, &activity.1) {
                outcomes.insert(
                    person,
                    self.remind((&activity.0, &activity.1), person, (standing.0, reminder.due, now), true),
                );
            }
            self.raised.insert(raised, outcomes);
        }
        let customers: Vec<usize> = self.customers.keys().copied().collect();
        for customer in customers {
            for place in 0..self.customers[&customer].carts.len() {
                if self.customers[&customer].carts[place].state.is_ok_and(|due| due <= now) {
                    self.judge(customer, place, (now, true));
                }
            }
        }
    }

    /// Returns the activity and the reminder from the latest event, with its time and id. Returns `None` if the
    /// activity is over or no longer has this reminder.
    pub(super) fn standing(&self, id: &str, item: &Reminder) -> Option<((Activity, Reminder), (Timestamp, String))> {
        let LatestSave { rank, event, saved } = &self.activities[id];
        let saved = saved.clone()?;
        let reminder = saved.reminder(item)?.clone();
        Some(((saved, reminder), (rank.at, event.clone())))
    }

    /// Returns a customer with a cart that waits until a time that satisfies `such`.
    pub(super) fn left(&self, such: impl Fn(Timestamp) -> bool) -> Option<usize> {
        let waits = |customer: &Customer| customer.carts.iter().any(|cart| cart.state.is_ok_and(&such));
        self.customers.iter().find(|(_, customer)| waits(customer)).map(|(number, _)| *number)
    }

    /// Returns the customer with the latest cart notice after `since`, and its time.
    pub(super) fn notified_about_carts(&self, since: Timestamp) -> Option<(usize, Timestamp)> {
        let received = self.customers.iter().filter_map(|(number, customer)| Some((*number, customer.received?)));
        received.filter(|(_, received)| *received > since).max_by_key(|(_, received)| *received)
    }

    /// Returns the next due time.
    pub(super) fn next(&self) -> Option<Timestamp> {
        let carts = self.customers.values().flat_map(|customer| &customer.carts).filter_map(|cart| cart.state.ok());
        self.items.values().map(|(_, reminder)| reminder.due).chain(carts).min()
    }

    /// Decides a due reminder, with contact data newer than `since`.
    fn remind(
        &mut self,
        (activity, reminder): (&Activity, &Reminder),
        person: usize,
        (since, due, now): (Timestamp, Timestamp, Timestamp),
        is_valid: bool,
    ) -> Outcome {
        let record = self.people.get(&person).filter(|(at, _)| *at > since).map(|(_, record)| record);
        let Person { phone, out } = record.unwrap_or(&activity.people[person]).clone();
        let phone = phone.ok_or(Reason::PhoneMissing)?;
        if out {
            return Err(Reason::OptedOut);
        }
        // A reminder that is due at the start of its activity still needs some minutes.
        let ends = activity.begins.1;
        if now > ends.max(due.min(ends) + ON_ITS_WAY) {
            return Err(Reason::Expired);
        }
        let (id, starts) = (reminder.id.clone(), reminder.starts.clone());
        let received = (activity.id.clone(), id, reminder.minutes, starts, person);
        if self.received.contains(&received) {
            return Err(Reason::AlreadyNotified);
        }
        if !is_valid {
            return Err(Reason::Cancelled);
        }
        self.received.insert(received);
        self.expected.push((phone, activity.subject.clone(), now));
        Ok(())
    }

    /// Checks a cart. At its event the check uses the event's contact data; when the cart is due it uses newer data. A
    /// newer opt-out applies at once.
    fn judge(&mut self, customer: usize, place: usize, (now, is_due): (Timestamp, bool)) {
        let record = self.people.get(&customer).cloned();
        let customer = self.customers.get_mut(&customer).unwrap();
        let Cart { cart, at, left, items, person, state, .. } = &customer.carts[place];
        if state.is_err() {
            return;
        }
        let since = record.filter(|(since, _)| since > at).map(|(_, record)| record);
        let Person { phone, out } = match since {
            Some(record) if is_due => record,
            Some(record) => Person { out: record.out || person.out, ..person.clone() },
            None => person.clone(),
        };
        let due = cart_due(*left, customer.first.unwrap_or(*left)).max(*left);
        let notified_recently = |received: Timestamp| due.max(now).duration_since(received) < DAY || *left <= received;
        let state = if phone.is_none() {
            Err(Err(Reason::PhoneMissing))
        } else if out {
            Err(Err(Reason::OptedOut))
        } else if customer.closed.max(customer.closed_carts.get(cart).copied()) >= Some(*left) {
            Err(Err(Reason::Cancelled))
        } else if customer.newest > Some(*left) || customer.received.is_some_and(notified_recently) {
            Err(Err(Reason::NotLatestCart))
        } else if now > due + DAY {
            Err(Err(Reason::Expired))
        } else if now < due {
            Ok(due)
        } else {
            self.expected.push((phone.unwrap_or_default(), items.to_string(), now));
            (customer.received, customer.first) = (Some(now), None);
            Err(Ok(()))
        };
        customer.carts[place].state = state;
    }
}

/// Returns the recipients of a reminder: its owner, or else the assignees.
fn recipients(activity: &Activity, reminder: &Reminder) -> BTreeSet<usize> {
    reminder.owner.map_or_else(|| activity.assignees.iter().copied().collect(), |owner| BTreeSet::from([owner]))
}
