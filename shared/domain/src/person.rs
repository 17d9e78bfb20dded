//! People: who is to be told, and who did what the event tells.

use serde::{Deserialize, Serialize};

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
    fn debug_shows_no_name() {
        let anna = read(&json!({"id": "1", "first_name": "Anna", "phone": "3401234567"})).unwrap();
        assert_eq!(format!("{anna:?}"), r#"Person { id: ObjectId("1"), .. }"#);
    }
}
