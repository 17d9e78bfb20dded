//! People: the recipients and the actors of events.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::primitives::id::ObjectId;
use crate::primitives::json::Reader;
use crate::primitives::language::Language;

/// A person as Passweb describes them. Only the id is reliable. ERP records contain arbitrary text, so the phone is
/// parsed only when a message is decided.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The id in Passweb.
    pub id: ObjectId,
    /// First name; absent for companies.
    pub first_name: Option<String>,
    /// Surname.
    pub last_name: Option<String>,
    /// Company name (Ragione Sociale).
    pub company: Option<String>,
    /// The phone field as typed.
    pub phone: Option<String>,
    /// The language that the person chose.
    pub language: Option<Language>,
    /// ISO 3166 country of the record.
    pub country: Option<String>,
    /// The user groups of the person; absent if unknown.
    pub groups: Option<Vec<String>>,
    /// Whether the record belongs to an agent.
    #[serde(default)]
    pub is_agent: bool,
    /// Whether the person opted out of WhatsApp, which blocks every message; absent if unknown.
    pub whatsapp_opt_out: Option<bool>,
    /// Consent to marketing; absent if unknown, which counts as no consent.
    pub marketing_consent: Option<bool>,
}

/// Maximum number of groups of a person; a site has some tens of them.
pub(crate) const GROUPS_MAX: usize = 200;

impl Person {
    /// Parses a person. A text of only whitespace counts as absent.
    pub fn read(reader: &Reader<'_>) -> Option<Self> {
        reader.object()?;
        let text = |name: &str| reader.field(name).optional(|field| field.text().map(str::to_owned));
        let id = reader.field("id").parsed(ObjectId::parse);
        let (first_name, last_name, company) = (text("first_name"), text("last_name"), text("company"));
        let (phone, country) = (text("phone"), text("country"));
        let language = reader.field("language").optional(|field| field.parsed(Language::parse));
        let groups =
            reader.field("groups").optional(|groups| groups.list(GROUPS_MAX, |group| group.text().map(str::to_owned)));
        let is_agent = reader.field("is_agent").or(false, Reader::boolean);
        let opt_out = reader.field("whatsapp_opt_out").optional(Reader::boolean);
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

    /// Returns the surname, or the company's name if there is none.
    #[must_use]
    pub fn surname_or_company(&self) -> Option<&str> {
        self.last_name.as_deref().or(self.company.as_deref())
    }

    /// Returns the first name followed by the surname or company name.
    #[must_use]
    pub fn full_name(&self) -> Option<String> {
        let parts: Vec<&str> = [self.first_name.as_deref(), self.surname_or_company()].into_iter().flatten().collect();
        if parts.is_empty() { None } else { Some(parts.join(" ")) }
    }
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

/// A value from an event, and the time of that event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dated<T> {
    /// The value.
    pub value: T,
    /// When the value was true.
    pub at: Timestamp,
}

/// The last known contact data of a person (`customer.updated`). Opt-out, consent and groups have times of their own:
/// an event without one of them leaves it unchanged.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonRecord {
    /// When phone, country and language were true.
    pub occurred_at: Timestamp,
    /// The phone field as typed.
    pub phone: Option<String>,
    /// ISO 3166 country, which determines how a national number is read.
    pub country: Option<String>,
    /// The language that the person chose.
    pub language: Option<String>,
    /// Whether the person opted out of WhatsApp.
    pub whatsapp_opt_out: Option<Dated<bool>>,
    /// Consent to marketing.
    pub marketing_consent: Option<Dated<bool>>,
    /// The user groups of the person.
    pub groups: Option<Dated<Vec<String>>>,
}

impl PersonRecord {
    /// Returns the contract fields that are newer than `as_of`. A removed phone is `null`; other fields without newer
    /// data are omitted.
    fn since(&self, as_of: Timestamp) -> impl Iterator<Item = (&'static str, Value)> {
        let is_newer = self.occurred_at > as_of;
        let text = |text: &Option<String>| text.as_ref().filter(|_| is_newer).map(|text| json!(text));
        let flag = |dated: &Option<Dated<bool>>| {
            dated.as_ref().filter(|dated| dated.at > as_of).map(|dated| json!(dated.value))
        };
        let groups = self.groups.as_ref().filter(|dated| dated.at > as_of).map(|dated| json!(dated.value));
        let fields = [
            ("phone", is_newer.then(|| json!(self.phone))),
            ("country", text(&self.country)),
            ("language", text(&self.language)),
            ("whatsapp_opt_out", flag(&self.whatsapp_opt_out)),
            ("marketing_consent", flag(&self.marketing_consent)),
            ("groups", groups),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name, value?)))
    }
}

/// The fields of `data` that contain a person or a list of people.
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

/// Returns the people in an event's document, with their ids.
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

/// Updates the people in an event's document with contact data newer than `as_of`: phone, country, language, opt-out,
/// consent and groups. A removed phone is removed; other fields without newer data are unchanged.
pub fn bring_up_to_date(document: &mut Value, as_of: Timestamp, latest: &BTreeMap<ObjectId, PersonRecord>) {
    for (id, person) in people_of(document) {
        let Some(latest) = latest.get(&id) else { continue };
        person.extend(latest.since(as_of).map(|(name, value)| (name.to_owned(), value)));
    }
}

/// Keeps phone numbers out of logs.
impl std::fmt::Debug for PersonRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PersonRecord").field("occurred_at", &self.occurred_at).finish_non_exhaustive()
    }
}

/// Keeps names and numbers out of logs: shows only the id.
impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
