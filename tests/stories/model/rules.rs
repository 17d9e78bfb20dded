//! The rules, as the design has them (parts 4, 6 and 9), over a few plain values: what must reach the phone by now.

use std::collections::{BTreeMap, BTreeSet};

use domain::message::reason::Reason;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::Value;

/// Shorter than the site's default, so that carts meet one another more often.
pub(super) const CART_INTERVAL_MINUTES: u16 = 90;
/// As above; two carts suffice to reach it.
pub(super) const CART_POSTPONED_MINUTES_MAX: u16 = 130;
/// A reminder is of use some minutes longer than until its activity begins if it is due that shortly before.
const ON_ITS_WAY: SignedDuration = SignedDuration::from_mins(5);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// What happens to a message: it is told, or it is not, for a reason.
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
    /// The start it is counted from; with id and lead it is the moment that is told once.
    pub(super) starts: String,
    pub(super) due: Timestamp,
    pub(super) ticked: bool,
    pub(super) owner: Option<usize>,
}

/// An activity as an event has it.
#[derive(Clone, Debug)]
pub(super) struct Activity {
    pub(super) id: String,
    pub(super) version: Option<u64>,
    pub(super) subject: String,
    /// Its start, and until when a reminder of it is of use: the start, or the end of a whole day.
    pub(super) begins: (String, Timestamp),
    pub(super) all_day: bool,
    pub(super) zone: &'static str,
    pub(super) reminders: Vec<Reminder>,
    pub(super) assignees: Vec<usize>,
    /// The people as Passweb knew them then.
    pub(super) people: Vec<Person>,
}

impl Activity {
    /// Its reminder of the same moment: the same id, lead and start.
    pub(super) fn reminder(&self, item: &Reminder) -> Option<&Reminder> {
        let same =
            |known: &&Reminder| (&known.id, &known.starts, known.minutes) == (&item.id, &item.starts, item.minutes);
        self.reminders.iter().find(same).filter(|known| known.ticked)
    }
}

/// What an event says.
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
    /// What was in a cart until then is no longer; in all of the customer's where none is named.
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

/// An event as Passweb says it, and when it happened.
#[derive(Clone, Debug)]
pub(super) struct Dated {
    pub(super) id: String,
    pub(super) at: Timestamp,
    pub(super) what: What,
    pub(super) document: Value,
}

/// A local time, or the first valid minute after it where the clocks leave it out, or the first of two.
pub(super) fn valid(mut local: DateTime, zone: &TimeZone) -> Timestamp {
    loop {
        let instant = zone.to_ambiguous_zoned(local);
        if !matches!(instant.offset(), AmbiguousOffset::Gap { .. }) {
            return instant.earlier().unwrap().timestamp();
        }
        local += 1.minute();
    }
}

/// Whole days keep the time on the wall of a start, anything else is counted from its instant.
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

/// The rules, over a few plain values.
#[derive(Default)]
pub(super) struct Model {
    /// The newest event of each activity, by version, else by when it happened, else by when it was received.
    pub(super) activities: BTreeMap<String, Standing>,
    pub(super) customers: BTreeMap<usize, Customer>,
    /// What was last said of a person, and as of when.
    pub(super) people: BTreeMap<usize, (Timestamp, Person)>,
    /// What waits: one item per activity and reminder, as the newest save with it still to come has it.
    pub(super) items: BTreeMap<(String, String), (Rank, Reminder)>,
    /// The reminders that were raised, by activity, reminder, moment and the event that saved it: an outcome per recipient.
    pub(super) raised: BTreeMap<Raised, BTreeMap<usize, Outcome>>,
    /// Those that did not stand any more when they were due.
    pub(super) dropped: BTreeSet<(String, String, Timestamp)>,
    /// The reminders that Passweb raised itself, by the event's id and recipient.
    pub(super) given: BTreeMap<(String, usize), Outcome>,
    /// Of each activity the reminders told: their ids, leads and people, and for which start.
    pub(super) received: BTreeSet<(String, String, u64, String, usize)>,
    /// What must reach the phone: to whom, about what, when.
    pub(super) expected: Vec<(String, String, Timestamp)>,
}

/// A reminder that was raised: activity, reminder, when it was due, and the event that had saved it.
pub(super) type Raised = (String, String, Timestamp, String);

/// Newer is the higher version, else the later to happen, else the later to be received.
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

/// How an activity stands: by which event, and as what; `None` if it is over.
pub(super) struct Standing {
    pub(super) rank: Rank,
    pub(super) event: String,
    pub(super) saved: Option<Activity>,
}

#[derive(Default)]
pub(super) struct Customer {
    pub(super) carts: Vec<Cart>,
    pub(super) newest: Option<Timestamp>,
    /// When the first of the carts was left that postpone one another: each was left before its predecessor was due.
    pub(super) first: Option<Timestamp>,
    pub(super) closed: Option<Timestamp>,
    pub(super) closed_carts: BTreeMap<String, Timestamp>,
    /// When the customer was last told of a cart.
    pub(super) received: Option<Timestamp>,
}

pub(super) struct Cart {
    pub(super) id: String,
    pub(super) cart: String,
    pub(super) at: Timestamp,
    pub(super) left: Timestamp,
    pub(super) items: u64,
    pub(super) person: Person,
    /// When it is looked at again, or what became of it.
    pub(super) state: Result<Timestamp, Outcome>,
}

impl Customer {
    fn leaves(&mut self, left: Timestamp) {
        let open = self.closed.is_none_or(|closed| left > closed);
        if self.newest.is_none_or(|newest| left > newest) {
            let row = self.newest.zip(self.first).is_some_and(|(newest, first)| left < cart_due(newest, first));
            if open && !row {
                self.first = Some(left);
            }
            self.newest = Some(left);
        } else if let Some(first) = self.first.filter(|first| open && left < *first) {
            // It comes late, and was postponed by the one that was the first so far.
            self.first = Some(if first < left + minutes(CART_INTERVAL_MINUTES) { left } else { first });
        }
    }
}

/// The interval after a cart was left, at most the longest postponement after the first that was postponed.
fn cart_due(left: Timestamp, first: Timestamp) -> Timestamp {
    (left + minutes(CART_INTERVAL_MINUTES)).min(first + minutes(CART_POSTPONED_MINUTES_MAX))
}

impl Model {
    /// An event is handled.
    pub(super) fn hear(&mut self, said: &Dated, now: Timestamp) {
        match &said.what {
            What::Saved(activity) => {
                let rank = Rank { version: activity.version, at: said.at, received: now };
                self.stands(&activity.id, Standing { rank, event: said.id.clone(), saved: Some(activity.clone()) });
                let to_come = |reminder: &&Reminder| reminder.ticked && reminder.due >= said.at;
                for reminder in activity.reminders.iter().filter(to_come) {
                    let key = (activity.id.clone(), reminder.id.clone());
                    // An older save has something to keep only where the newest one left it as it was.
                    let stands = self.standing(&activity.id, reminder).is_some();
                    if stands && self.items.get(&key).is_none_or(|(known, _)| rank.is_newer(known)) {
                        self.items.insert(key, (rank, reminder.clone()));
                    }
                }
            }
            What::Over { activity, version } => {
                let rank = Rank { version: *version, at: said.at, received: now };
                self.stands(activity, Standing { rank, event: said.id.clone(), saved: None });
            }
            What::Raised { activity, reminder } => {
                for person in recipients(activity, reminder) {
                    let key = (said.id.clone(), person);
                    if !self.given.contains_key(&key) {
                        // It is dealt with at once, by what it says itself; an opt-out said since counts.
                        let mut own = activity.clone();
                        let since = self.people.get(&person).filter(|(since, _)| *since > said.at);
                        own.people[person].out |= since.is_some_and(|(_, record)| record.out);
                        let stands = self.stands_as_said(activity, said.at, now);
                        let outcome = self.remind((&own, reminder), person, (Timestamp::MAX, said.at, now), stands);
                        self.given.insert(key, outcome);
                    }
                }
            }
            What::Left { customer, cart, left, items, person } => {
                let known = self.customers.entry(*customer).or_default();
                known.leaves(*left);
                let carts = &mut known.carts;
                if !carts.iter().any(|cart| cart.id == said.id) {
                    let (id, cart, person) = (said.id.clone(), cart.clone(), person.clone());
                    carts.push(Cart { id, cart, at: said.at, left: *left, items: *items, person, state: Ok(now) });
                }
                let place = carts.iter().position(|cart| cart.id == said.id).unwrap();
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
                if self.people.get(person).is_none_or(|(at, _)| *at <= said.at) {
                    self.people.insert(*person, (said.at, record.clone()));
                }
            }
        }
    }

    /// Whether nothing newer is known than what Passweb said of an activity, or only what leaves its start as it was.
    fn stands_as_said(&self, activity: &Activity, at: Timestamp, now: Timestamp) -> bool {
        let Some(known) = self.activities.get(&activity.id) else { return true };
        let said = Rank { version: activity.version, at, received: now };
        said.is_newer(&known.rank) || known.saved.as_ref().is_some_and(|saved| saved.begins == activity.begins)
    }

    fn stands(&mut self, activity: &str, standing: Standing) {
        if self.activities.get(activity).is_none_or(|known| standing.rank.is_newer(&known.rank)) {
            self.activities.insert(activity.to_owned(), standing);
        }
    }

    /// The schedule fires: whatever is due by now is told, or is not.
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

    /// The activity and the reminder as they stand by the newest event, and when that happened and its id; `None` if the
    /// activity is over or has no reminder of that moment any more.
    pub(super) fn standing(&self, id: &str, item: &Reminder) -> Option<((Activity, Reminder), (Timestamp, String))> {
        let Standing { rank, event, saved } = &self.activities[id];
        let saved = saved.clone()?;
        let reminder = saved.reminder(item)?.clone();
        Some(((saved, reminder), (rank.at, event.clone())))
    }

    /// A customer whose cart waits for such a moment.
    pub(super) fn left(&self, such: impl Fn(Timestamp) -> bool) -> Option<usize> {
        let waits = |customer: &Customer| customer.carts.iter().any(|cart| cart.state.is_ok_and(&such));
        self.customers.iter().find(|(_, customer)| waits(customer)).map(|(number, _)| *number)
    }

    /// A customer who was told of a cart since, and when.
    pub(super) fn told_of_carts(&self, since: Timestamp) -> Option<(usize, Timestamp)> {
        let received = self.customers.iter().filter_map(|(number, customer)| Some((*number, customer.received?)));
        received.filter(|(_, received)| *received > since).max_by_key(|(_, received)| *received)
    }

    /// When something is due next.
    pub(super) fn next(&self) -> Option<Timestamp> {
        let carts = self.customers.values().flat_map(|customer| &customer.carts).filter_map(|cart| cart.state.ok());
        self.items.values().map(|(_, reminder)| reminder.due).chain(carts).min()
    }

    /// A reminder that was due, by what was said of the person since.
    fn remind(
        &mut self,
        (activity, reminder): (&Activity, &Reminder),
        person: usize,
        (since, due, now): (Timestamp, Timestamp, Timestamp),
        stands: bool,
    ) -> Outcome {
        let record = self.people.get(&person).filter(|(at, _)| *at > since).map(|(_, record)| record);
        let Person { phone, out } = record.unwrap_or(&activity.people[person]).clone();
        let phone = phone.ok_or(Reason::PhoneMissing)?;
        if out {
            return Err(Reason::OptedOut);
        }
        // One that is due as its activity begins needs its minutes.
        let ends = activity.begins.1;
        if now > ends.max(due.min(ends) + ON_ITS_WAY) {
            return Err(Reason::Expired);
        }
        let (id, starts) = (reminder.id.clone(), reminder.starts.clone());
        let received = (activity.id.clone(), id, reminder.minutes, starts, person);
        if self.received.contains(&received) {
            return Err(Reason::AlreadyNotified);
        }
        if !stands {
            return Err(Reason::Cancelled);
        }
        self.received.insert(received);
        self.expected.push((phone, activity.subject.clone(), now));
        Ok(())
    }

    /// A cart is looked at when it is heard of, by what the event says of the customer, and when it is due, by what was
    /// said since. An opt-out said since counts at once.
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
        let told_lately = |received: Timestamp| due.max(now).duration_since(received) < DAY || *left <= received;
        let state = if phone.is_none() {
            Err(Err(Reason::PhoneMissing))
        } else if out {
            Err(Err(Reason::OptedOut))
        } else if customer.closed.max(customer.closed_carts.get(cart).copied()) >= Some(*left) {
            Err(Err(Reason::Cancelled))
        } else if customer.newest > Some(*left) || customer.received.is_some_and(told_lately) {
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

/// Whom a reminder is for: its owner, else everybody who has to do with the activity.
fn recipients(activity: &Activity, reminder: &Reminder) -> BTreeSet<usize> {
    reminder.owner.map_or_else(|| activity.assignees.iter().copied().collect(), |owner| BTreeSet::from([owner]))
}
