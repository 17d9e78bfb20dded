//! People: who is to be told, and who did what the event tells.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::id::ObjectId;
use crate::json::Reader;
use crate::language::Language;

/// A person as Passweb describes them. Only the id is sure: records from the ERP hold anything, so the phone stays the
/// text it was until a message is decided.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Passweb's id.
    pub id: ObjectId,
    /// First name; absent for companies.
    pub first_name: Option<String>,
    /// Surname.
    pub last_name: Option<String>,
    /// Company name (Ragione Sociale).
    pub company: Option<String>,
    /// The phone field as typed (R-153, R-155).
    pub phone: Option<String>,
    /// The language the person asked for.
    pub language: Option<Language>,
    /// ISO 3166 country of the record.
    pub country: Option<String>,
    /// The user groups the person is in (R-160).
    #[serde(default)]
    pub groups: Vec<String>,
    /// Whether the record is an agent's.
    #[serde(default)]
    pub is_agent: bool,
    /// Whether the person opted out of WhatsApp (R-157): blocks every message.
    #[serde(default)]
    pub whatsapp_opt_out: bool,
    /// Consent to marketing; absent is unknown, and unknown is no (R-164).
    pub marketing_consent: Option<bool>,
}

/// Groups a person may be in; a site has tens of them.
pub(crate) const GROUPS_MAX: usize = 200;

impl Person {
    /// Reads a person. Texts that are only blanks count as absent.
    pub fn read(reader: &Reader<'_>) -> Option<Self> {
        reader.object()?;
        let text = |name: &str| reader.field(name).optional(|field| field.text().map(str::to_owned));
        let flag = |name: &str| reader.field(name).or(false, Reader::boolean);
        let id = reader.field("id").parsed(ObjectId::parse);
        let (first_name, last_name, company) = (text("first_name"), text("last_name"), text("company"));
        let (phone, country) = (text("phone"), text("country"));
        let language = reader.field("language").optional(|field| field.parsed(Language::parse));
        let groups = reader
            .field("groups")
            .or(Vec::new(), |groups| groups.list(GROUPS_MAX, |group| group.text().map(str::to_owned)));
        let (is_agent, opt_out) = (flag("is_agent"), flag("whatsapp_opt_out"));
        let consent = reader.field("marketing_consent").optional(Reader::boolean);
        Some(Self {
            id: id?,
            first_name: filled(first_name?),
            last_name: filled(last_name?),
            company: filled(company?),
            phone: filled(phone?),
            language: language?,
            country: filled(country?),
            groups: groups?,
            is_agent: is_agent?,
            whatsapp_opt_out: opt_out?,
            marketing_consent: consent?,
        })
    }

    /// Surname, or the company's name where there is none (R-111).
    #[must_use]
    pub fn surname_or_company(&self) -> Option<&str> {
        self.last_name.as_deref().or(self.company.as_deref())
    }

    /// First name and surname or company name (R-113).
    #[must_use]
    pub fn full_name(&self) -> Option<String> {
        let parts: Vec<&str> = [self.first_name.as_deref(), self.surname_or_company()].into_iter().flatten().collect();
        if parts.is_empty() { None } else { Some(parts.join(" ")) }
    }
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

/// What was last said of a person (`customer.updated`).
#[derive(Clone, PartialEq, Eq)]
pub struct PersonRecord {
    /// When it was true.
    pub occurred_at: Timestamp,
    /// The phone field as typed.
    pub phone: Option<String>,
    /// ISO 3166 country, by which a national number is read.
    pub country: Option<String>,
    /// The language the person asked for.
    pub language: Option<String>,
    /// Whether they opted out of WhatsApp.
    pub whatsapp_opt_out: bool,
    /// Consent to marketing.
    pub marketing_consent: Option<bool>,
}

/// The fields of `data` that hold a person or a list of them.
const PEOPLE: [&str; 10] = [
    "customer",
    "sender",
    "recipients",
    "reader",
    "creator",
    "assignees",
    "actor",
    "owner",
    "administrators",
    "company",
];

/// The people an event's document names.
pub fn people_of(document: &mut Value) -> impl Iterator<Item = (ObjectId, &mut Map<String, Value>)> {
    let data = document.get_mut("data").and_then(Value::as_object_mut);
    let fields = data.into_iter().flatten().filter(|(name, _)| PEOPLE.contains(&name.as_str()));
    let people = fields.flat_map(|(_, part)| match part {
        Value::Array(people) => people.iter_mut(),
        person => std::slice::from_mut(person).iter_mut(),
    });
    people.filter_map(|person| {
        let fields = person.as_object_mut()?;
        Some((ObjectId::parse(fields.get("id")?.as_str()?).ok()?, fields))
    })
}

/// Brings the people of an event's document up to date with what was said of them after a moment: phone, country,
/// language, opt-out, consent. A phone that was taken away is gone; of the others what is not said stays.
pub fn bring_up_to_date(document: &mut Value, as_of: Timestamp, latest: &BTreeMap<ObjectId, PersonRecord>) {
    for (id, person) in people_of(document) {
        let Some(latest) = latest.get(&id).filter(|latest| latest.occurred_at > as_of) else { continue };
        person.insert("phone".to_owned(), json!(latest.phone));
        person.insert("whatsapp_opt_out".to_owned(), json!(latest.whatsapp_opt_out));
        let said = [
            ("country", latest.country.as_ref().map(|country| json!(country))),
            ("language", latest.language.as_ref().map(|language| json!(language))),
            ("marketing_consent", latest.marketing_consent.map(|consent| json!(consent))),
        ];
        for (name, value) in said {
            if let Some(value) = value {
                person.insert(name.to_owned(), value);
            }
        }
    }
}

/// Numbers stay out of logs.
impl std::fmt::Debug for PersonRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PersonRecord").field("occurred_at", &self.occurred_at).finish_non_exhaustive()
    }
}

/// Names and numbers stay out of logs: a person is shown by id.
impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::event::{Event, EventType};
    use crate::json::{Fault, Faults};

    fn read(value: &Value) -> Result<Person, Vec<Fault>> {
        let faults = Faults::default();
        let person = Person::read(&Reader::root(value, &faults));
        person.ok_or_else(|| faults.into_vec())
    }

    #[test]
    fn only_the_id_is_required_and_null_equals_absent() {
        let person = read(&json!({"id": "7", "phone": null, "first_name": "  ", "unknown": {"x": 1}})).unwrap();
        assert_eq!(person.id.as_str(), "7");
        assert_eq!((person.phone, person.first_name, person.marketing_consent), (None, None, None));
    }

    #[test]
    fn every_wrong_field_is_named() {
        let value = json!({"phone": 340, "groups": "a", "whatsapp_opt_out": "no", "language": "italiano"});
        let pointers: Vec<String> = read(&value).unwrap_err().into_iter().map(|fault| fault.pointer).collect();
        assert_eq!(pointers, ["/id", "/phone", "/language", "/groups", "/whatsapp_opt_out"]);
    }

    #[test]
    fn a_company_is_called_by_its_name() {
        let company = read(&json!({"id": "1", "company": "Rossi S.r.l."})).unwrap();
        assert_eq!(company.full_name().as_deref(), Some("Rossi S.r.l."));
        let contact = read(&json!({"id": "1", "first_name": "Anna", "company": "Rossi S.r.l."})).unwrap();
        assert_eq!(contact.full_name().as_deref(), Some("Anna Rossi S.r.l."));
        assert_eq!(read(&json!({"id": "1"})).unwrap().full_name(), None);
    }

    #[test]
    fn whoever_is_told_is_found_in_every_document() {
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        for kind in EventType::ALL {
            let file = format!("{}/../../docs/events/examples/{kind}.json", env!("CARGO_MANIFEST_DIR"));
            let mut document: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
            let event = Event::parse(document.clone(), now).unwrap();
            let found: Vec<ObjectId> = people_of(&mut document).map(|(id, _)| id).collect();
            for person in event.recipients().iter().chain(event.actor()) {
                assert!(found.contains(&person.id), "{kind}: {found:?}");
            }
        }
    }

    #[test]
    fn what_was_said_of_a_person_since_counts() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let latest = PersonRecord {
            occurred_at: at("2026-11-22T10:00:00Z"),
            phone: None,
            country: Some("DE".to_owned()),
            language: None,
            whatsapp_opt_out: true,
            marketing_consent: Some(false),
        };
        let latest = BTreeMap::from([(ObjectId::parse("7").unwrap(), latest)]);
        let anna = json!({"id": "7", "first_name": "Anna", "phone": "340", "country": "IT", "language": "it"});
        let document = json!({"data": {
            "order": {"id": "7"}, "owner": null, "customer": anna, "recipients": [{"id": "8"}, anna],
        }});
        let mut since = document.clone();
        bring_up_to_date(&mut since, at("2026-11-22T09:59:59Z"), &latest);
        let then = json!({
            "id": "7", "first_name": "Anna", "phone": null, "country": "DE", "language": "it",
            "whatsapp_opt_out": true, "marketing_consent": false,
        });
        let expected = json!({"data": {
            "order": {"id": "7"}, "owner": null, "customer": then, "recipients": [{"id": "8"}, then],
        }});
        assert_eq!(since, expected);
        let mut before = document.clone();
        bring_up_to_date(&mut before, at("2026-11-22T10:00:00Z"), &latest);
        assert_eq!(before, document);
    }

    #[test]
    fn debug_shows_no_name() {
        let anna = read(&json!({"id": "1", "first_name": "Anna", "phone": "3401234567"})).unwrap();
        assert_eq!(format!("{anna:?}"), r#"Person { id: ObjectId("1"), .. }"#);
    }
}
