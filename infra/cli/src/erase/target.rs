//! The people to erase, and where they are named.

use std::collections::BTreeSet;

use domain::decision::reminder::{ActivityStatus, activity_status, to_keep};
use domain::event::person::people_of;
use domain::event::{Event, EventData};
use domain::primitives::id::ObjectId;
use domain::primitives::phone::Phone;
use domain::site::config::Site;
use jiff::Timestamp;
use serde_json::{Map, Value};

/// Fields of a person. An object with one of them is a person.
const PERSONAL: [&str; 4] = ["phone", "first_name", "last_name", "company"];
/// Number of final digits that identify a number in texts: an Italian mobile number without its country code and
/// first digit. Fewer digits could match other numbers.
const TAIL_DIGITS: usize = 9;
const TAIL_DIGITS_MIN: usize = 8;
/// Maximum length of a country code.
const CODE_DIGITS_MAX: usize = 3;

/// The people to erase: their numbers and ids.
pub(super) struct Target<'a> {
    site: &'a Site,
    phones: BTreeSet<Phone>,
    ids: BTreeSet<ObjectId>,
    by_phone: bool,
    learned_phones: BTreeSet<Phone>,
    learned_ids: BTreeSet<ObjectId>,
    /// Words of their names, from every record that names them by the requested number or id.
    names: BTreeSet<String>,
}

impl<'a> Target<'a> {
    /// Everyone who has a number.
    pub(super) fn with_phone(site: &'a Site, phone: Phone) -> Self {
        Self { phones: BTreeSet::from([phone]), by_phone: true, ..Self::nobody(site) }
    }

    /// The person with an id.
    pub(super) fn with_id(site: &'a Site, id: ObjectId) -> Self {
        Self { ids: BTreeSet::from([id]), ..Self::nobody(site) }
    }

    fn nobody(site: &'a Site) -> Self {
        Self {
            site,
            phones: BTreeSet::new(),
            ids: BTreeSet::new(),
            by_phone: false,
            learned_phones: BTreeSet::new(),
            learned_ids: BTreeSet::new(),
            names: BTreeSet::new(),
        }
    }

    /// Returns their ids.
    pub(super) fn ids(&self) -> impl Iterator<Item = &ObjectId> {
        self.ids.iter()
    }

    /// Returns their numbers.
    pub(super) fn phones(&self) -> impl Iterator<Item = &Phone> {
        self.phones.iter()
    }

    /// Collects from a document the ids that use the requested number, or the numbers of the requested person. Goes one
    /// step only, because another person may share the number.
    pub(super) fn learn(&mut self, document: &Value) {
        let (site, mut learned, mut names) = (self.site, Vec::new(), Vec::new());
        each_person(document, &mut |person| {
            learned.push((id_of(person), phone_of(person, site)));
            if self.is(person) {
                names.extend(words_of_names(person));
            }
        });
        self.names.extend(names);
        for (id, phone) in learned {
            match (id, phone) {
                (Some(id), Some(phone)) if self.by_phone && self.phones.contains(&phone) => {
                    self.learned_ids.insert(id);
                }
                (Some(id), Some(phone)) if !self.by_phone && self.ids.contains(&id) => {
                    self.learned_phones.insert(phone);
                }
                _ => {}
            }
        }
    }

    /// Adds the collected ids and numbers to those to erase.
    pub(super) fn end_learning(&mut self) {
        self.ids.append(&mut self.learned_ids);
        self.phones.append(&mut self.learned_phones);
    }

    /// Whether a number in E.164 format is theirs.
    pub(super) fn has_phone(&self, e164: &str) -> bool {
        self.phones.iter().any(|phone| phone.as_e164() == e164)
    }

    /// Whether a document names them, as a person or by their number in any of its texts.
    pub(super) fn is_in(&self, document: &Value) -> bool {
        let mut named = false;
        each_person(document, &mut |person| named |= self.is(person));
        named || any_text(document, &|text| self.is_quoted(text))
    }

    /// Returns the part of an event that may stay. Only an `activity.saved` may stay, without them: it must still
    /// remind others, and nothing else in it may name them. `None` for every other event.
    pub(super) fn rest(&self, document: &Value, now: Timestamp) -> Option<Value> {
        let (mut rest, mut names) = (document.clone(), self.names.clone());
        let owners = |rest: &mut Value| -> Vec<Value> {
            let reminders = rest.pointer_mut("/data/reminders").and_then(Value::as_array_mut);
            reminders.into_iter().flatten().filter_map(|reminder| reminder.get_mut("owner")).map(Value::take).collect()
        };
        let mut owned = owners(&mut rest);
        let of_data = people_of(&mut rest).map(|(_, person)| person);
        for person in of_data.chain(owned.iter_mut().filter_map(Value::as_object_mut)) {
            if self.is(person) {
                names.extend(words_of_names(person));
                person.retain(|name, _| name == "id");
            }
        }
        let reminders = rest.pointer_mut("/data/reminders").and_then(Value::as_array_mut);
        let with_owner = reminders.into_iter().flatten().filter_map(|reminder| reminder.get_mut("owner"));
        for (place, owner) in with_owner.zip(owned) {
            *place = owner;
        }
        let event = Event::parse_any(rest.clone(), now).ok()?;
        let is_named = |text: &str| words(text).any(|word| names.contains(&word));
        let free = !self.is_in(&rest) && !free_text(&rest, &is_named);
        (free && self.reminds_others(&event, now)).then_some(rest)
    }

    /// Whether an activity still has a future reminder for somebody else.
    fn reminds_others(&self, event: &Event, now: Timestamp) -> bool {
        let EventData::ActivitySaved { reminders, assignees, .. } = &event.data else { return false };
        let activity_status = matches!(activity_status(event), Some((_, ActivityStatus::Saved)));
        let to_come =
            to_keep(event, self.site.morning).into_iter().filter(|kept| activity_status && kept.due_at >= now);
        to_come.filter_map(|kept| reminders.iter().find(|reminder| reminder.id == kept.id)).any(|reminder| {
            let recipients = reminder.owner.as_ref().map_or(assignees.as_slice(), std::slice::from_ref);
            recipients.iter().any(|person| !self.ids.contains(&person.id))
        })
    }

    /// Whether a person is one of them.
    fn is(&self, person: &Map<String, Value>) -> bool {
        id_of(person).is_some_and(|id| self.ids.contains(&id))
            || phone_of(person, self.site).is_some_and(|phone| self.phones.contains(&phone))
    }

    /// Whether the body of a record names them.
    pub(super) fn is_in_text(&self, body: &str) -> bool {
        serde_json::from_str(body).is_ok_and(|document| self.is_in(&document)) || self.is_quoted(body)
    }

    /// Whether a text contains one of their numbers, in any notation.
    fn is_quoted(&self, text: &str) -> bool {
        let bare: String = text.chars().filter(|letter| !" .-/()\u{a0}".contains(*letter)).collect();
        self.phones.iter().filter_map(tail).any(|tail| bare.contains(tail))
    }
}

/// Returns the final digits of a number, if there are enough to distinguish it from others.
fn tail(phone: &Phone) -> Option<&str> {
    let digits = phone.as_e164().trim_start_matches('+');
    let length = digits.len().saturating_sub(CODE_DIGITS_MAX).min(TAIL_DIGITS);
    digits.get(digits.len().saturating_sub(length)..).filter(|tail| tail.len() >= TAIL_DIGITS_MIN)
}

fn each_person(value: &Value, seen: &mut impl FnMut(&Map<String, Value>)) {
    match value {
        Value::Object(fields) => {
            if PERSONAL.iter().any(|name| fields.contains_key(*name)) {
                seen(fields);
            }
            for field in fields.values() {
                each_person(field, seen);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| each_person(item, seen)),
        _ => {}
    }
}

/// Fields whose values are not free text.
const FIXED: [&str; 9] =
    ["id", "type", "occurred_at", "series_id", "starts_at", "ends_at", "time_zone", "state", "notify"];

/// Whether any free text matches. Skips the fields of persons.
fn free_text(value: &Value, fits: &impl Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => fits(text),
        Value::Object(fields) if PERSONAL.iter().any(|name| fields.contains_key(*name)) => false,
        Value::Object(fields) => {
            fields.iter().any(|(name, field)| !FIXED.contains(&name.as_str()) && free_text(field, fits))
        }
        Value::Array(items) => items.iter().any(|item| free_text(item, fits)),
        _ => false,
    }
}

/// Returns the lowercase words of a person's names.
fn words_of_names(person: &Map<String, Value>) -> Vec<String> {
    let names = ["first_name", "last_name", "company"].into_iter().filter_map(|name| person.get(name)?.as_str());
    names.flat_map(words).collect()
}

/// Splits a text into lowercase words and drops those shorter than three characters.
fn words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric()).map(str::to_lowercase);
    words.filter(|word| word.chars().count() > 2).collect::<Vec<_>>().into_iter()
}

fn any_text(value: &Value, fits: &impl Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => fits(text),
        Value::Number(number) => fits(&number.to_string()),
        Value::Object(fields) => fields.values().any(|field| any_text(field, fits)),
        Value::Array(items) => items.iter().any(|item| any_text(item, fits)),
        _ => false,
    }
}

fn id_of(person: &Map<String, Value>) -> Option<ObjectId> {
    ObjectId::parse(person.get("id")?.as_str()?).ok()
}

fn phone_of(person: &Map<String, Value>, site: &Site) -> Option<Phone> {
    let country = site.country(person.get("country").and_then(Value::as_str));
    Phone::parse(person.get("phone")?.as_str()?, country).ok()
}

#[cfg(test)]
mod tests;
