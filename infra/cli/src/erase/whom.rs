//! Who is to be erased, and where they are named.

use std::collections::BTreeSet;

use domain::config::Site;
use domain::event::EventType;
use domain::id::ObjectId;
use domain::phone::Phone;
use serde_json::{Map, Value};

/// The fields of a person; an object with an id and one of these is one.
const PERSONAL: [&str; 4] = ["phone", "first_name", "last_name", "company"];
/// Digits at a number's end by which it is found in a text: the whole of an Italian number but its prefix. Fewer could be
/// part of any other number.
const TAIL_DIGITS: usize = 9;
const TAIL_DIGITS_MIN: usize = 8;
/// Longest country code.
const CODE_DIGITS_MAX: usize = 3;

/// Who is to be erased: numbers and persons' ids.
pub(super) struct Whom<'a> {
    site: &'a Site,
    phones: BTreeSet<Phone>,
    ids: BTreeSet<ObjectId>,
    by_phone: bool,
    learned_phones: BTreeSet<Phone>,
    learned_ids: BTreeSet<ObjectId>,
}

impl<'a> Whom<'a> {
    /// Whoever has a number.
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
        }
    }

    /// The ids of the persons.
    pub(super) fn ids(&self) -> impl Iterator<Item = &ObjectId> {
        self.ids.iter()
    }

    /// Learns from a document who has the number, or which numbers the person has. One step only: whoever shares a
    /// number with them is not them.
    pub(super) fn learn(&mut self, document: &Value) {
        let (site, mut learned) = (self.site, Vec::new());
        each_person(document, &mut |person| learned.push((id_of(person), phone_of(person, site))));
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

    /// What was learned counts from now on.
    pub(super) fn end_learning(&mut self) {
        self.ids.append(&mut self.learned_ids);
        self.phones.append(&mut self.learned_phones);
    }

    /// Whether a number in E.164 is theirs.
    pub(super) fn has_phone(&self, e164: &str) -> bool {
        self.phones.iter().any(|phone| phone.as_e164() == e164)
    }

    /// Whether a document names them: as a person, or their number in any of its texts.
    pub(super) fn is_in(&self, document: &Value) -> bool {
        let mut named = false;
        each_person(document, &mut |person| {
            let by_id = id_of(person).is_some_and(|id| self.ids.contains(&id));
            named |= by_id || phone_of(person, self.site).is_some_and(|phone| self.phones.contains(&phone));
        });
        named || any_text(document, &|text| self.is_quoted(text))
    }

    /// What may stay of an event that names them: of the saving of an activity everything but them, if others are to be
    /// reminded by it and none of its texts names them. `None` of every other event.
    pub(super) fn rest(&self, document: &Value) -> Option<Value> {
        if document.get("type")?.as_str()? != EventType::ActivitySaved.name() {
            return None;
        }
        let (mut rest, mut names) = (document.clone(), Vec::new());
        each_person_mut(&mut rest, &mut |person| {
            let by_id = id_of(person).is_some_and(|id| self.ids.contains(&id));
            if by_id || phone_of(person, self.site).is_some_and(|phone| self.phones.contains(&phone)) {
                let texts = PERSONAL.iter().filter_map(|name| person.get(*name)?.as_str());
                names.extend(texts.map(str::to_lowercase).filter(|name| !name.is_empty()));
                person.retain(|name, _| name == "id");
            }
        });
        let names_them =
            |text: &str| self.is_quoted(text) || names.iter().any(|name| text.to_lowercase().contains(name));
        let mut others = false;
        each_person(&rest, &mut |person| others |= person.contains_key("phone"));
        (others && !any_text(&rest, &names_them)).then_some(rest)
    }

    /// Whether the body of a record names them.
    pub(super) fn is_in_text(&self, body: &str) -> bool {
        serde_json::from_str(body).is_ok_and(|document| self.is_in(&document)) || self.is_quoted(body)
    }

    /// Whether a text has one of the numbers in it, however it is written.
    fn is_quoted(&self, text: &str) -> bool {
        let bare: String = text.chars().filter(|letter| !" .-/()\u{a0}".contains(*letter)).collect();
        self.phones.iter().filter_map(tail).any(|tail| bare.contains(tail))
    }
}

/// The end of a number, if it is long enough to tell it from others.
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

fn each_person_mut(value: &mut Value, seen: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(fields) => {
            if PERSONAL.iter().any(|name| fields.contains_key(*name)) {
                seen(fields);
            }
            fields.values_mut().for_each(|field| each_person_mut(field, seen));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| each_person_mut(item, seen)),
        _ => {}
    }
}

fn any_text(value: &Value, fits: &impl Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => fits(text),
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
mod tests {
    use domain::id::SiteId;
    use domain::phone::Country;
    use serde_json::json;

    use super::*;

    fn site() -> Site {
        Site::new(SiteId::parse("demo").unwrap())
    }

    #[test]
    fn a_number_tells_the_person_wherever_they_are_named() {
        let site = site();
        let mut anna = Whom::with_phone(&site, Phone::parse("3401234567", Country::ITALY).unwrap());
        let told = json!({"data": {"customer": {"id": "C7", "first_name": "Anna", "phone": "+39 340 123.4567"}}});
        anna.learn(&told);
        anna.learn(&json!({"data": {"customer": {"id": "C8", "first_name": "Ugo", "phone": "3407654321"}}}));
        anna.end_learning();
        assert_eq!(anna.ids().map(ObjectId::as_str).collect::<Vec<_>>(), ["C7"]);
        assert!(anna.is_in(&told) && anna.has_phone("+393401234567"));
        assert!(anna.is_in(&json!({"sender": {"id": "C7", "first_name": "Anna"}})));
        assert!(anna.is_in(&json!({"message": {"body": "chiami il 340-12 34 567"}})));
        assert!(!anna.is_in(&json!({"sender": {"id": "C9", "phone": "340 7654321"}, "order": {"id": "C7"}})));
        assert!(anna.is_in_text(r#"{"notice":"word.1","from":"393401234567"}"#));
        assert!(anna.is_in_text("no json: 0039 340 1234567"));
        assert!(!anna.is_in_text("340123456"));
    }

    #[test]
    fn an_activity_stays_for_those_who_are_not_erased() {
        let site = site();
        let anna = Whom::with_id(&site, ObjectId::parse("C7").unwrap());
        let person = |id: &str, name: &str, phone: &str| json!({"id": id, "first_name": name, "phone": phone});
        let saved = |subject: &str, assignees: Value| {
            json!({"id": "a-1", "type": "activity.saved", "data": {
                "activity": {"id": "A1", "subject": subject}, "assignees": assignees,
                "reminders": [{"id": "r1", "owner": person("C7", "Anna", "3401234567")}],
            }})
        };
        let both = json!([person("C7", "Anna", "3401234567"), person("C8", "Ugo", "3407654321")]);
        let rest = anna.rest(&saved("Sopralluogo", both.clone())).unwrap();
        assert_eq!(rest["data"]["assignees"], json!([{"id": "C7"}, both[1]]));
        assert_eq!(rest["data"]["reminders"][0]["owner"], json!({"id": "C7"}));
        assert!(!anna.is_in(&rest), "the next call has nothing to do");
        assert_eq!(anna.rest(&saved("Sopralluogo da ANNA", both.clone())), None);
        assert_eq!(anna.rest(&saved("Sopralluogo", json!([both[0]]))), None, "nobody else is reminded");
        let mut told = saved("Sopralluogo", both);
        told["type"] = json!("activity.acknowledged");
        assert_eq!(anna.rest(&told), None);
    }

    #[test]
    fn whoever_shares_a_number_is_somebody_else() {
        let site = site();
        let mut anna = Whom::with_id(&site, ObjectId::parse("C7").unwrap());
        let shared = "06 69812345";
        anna.learn(&json!([{"id": "C7", "phone": shared}, {"id": "C8", "phone": shared}]));
        anna.end_learning();
        assert_eq!(anna.ids().count(), 1);
        assert!(anna.has_phone("+390669812345"));
    }
}
