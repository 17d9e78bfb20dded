use serde_json::{Value, json};

use super::*;
use crate::event::example::published;
use crate::event::{Event, EventType};
use crate::primitives::json::{Fault, Faults};

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
    assert_eq!((person.whatsapp_opt_out, person.groups), (None, None));
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
fn every_recipient_and_actor_is_found_in_its_document() {
    let now = "2026-11-22T10:00:00Z".parse().unwrap();
    for kind in EventType::ALL {
        let mut document = published(kind);
        let event = Event::parse(document.clone(), now).unwrap();
        let found: Vec<ObjectId> = people_of(&mut document).map(|(id, _)| id).collect();
        for person in event.recipients().iter().chain(event.actor()) {
            assert!(found.contains(&person.id), "{kind}: {found:?}");
        }
    }
}

#[test]
fn every_person_in_an_example_has_an_explicit_opt_out_value() {
    fn check(value: &Value, path: &str) -> usize {
        match value {
            Value::Array(items) => items.iter().map(|item| check(item, path)).sum(),
            Value::Object(fields) => {
                let is_person = ["first_name", "last_name", "company", "phone"]
                    .iter()
                    .any(|name| fields.get(*name).is_some_and(Value::is_string));
                let says = fields.get("whatsapp_opt_out").is_some_and(Value::is_boolean);
                assert_eq!(is_person, says, "{path}: {value}");
                usize::from(is_person) + fields.values().map(|field| check(field, path)).sum::<usize>()
            }
            _ => 0,
        }
    }
    let found = EventType::ALL.map(|kind| check(&published(kind), kind.name()));
    assert_eq!(found.into_iter().filter(|people| *people > 0).count(), 13);
}

#[test]
fn newer_contact_data_overrides_the_event() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let latest = PersonRecord {
        occurred_at: at("2026-11-22T10:00:00Z"),
        phone: None,
        country: Some("DE".to_owned()),
        language: None,
        whatsapp_opt_out: Some(Dated { value: true, at: at("2026-11-22T10:00:00Z") }),
        marketing_consent: Some(Dated { value: false, at: at("2026-11-22T10:00:00Z") }),
        groups: Some(Dated { value: vec!["Agenti".to_owned()], at: at("2026-11-22T10:00:00Z") }),
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
        "whatsapp_opt_out": true, "marketing_consent": false, "groups": ["Agenti"],
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
fn each_preference_overrides_the_event_only_if_it_was_stated_after_it() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let latest = PersonRecord {
        occurred_at: at("2026-11-22T10:00:00Z"),
        phone: Some("333".to_owned()),
        country: None,
        language: None,
        whatsapp_opt_out: Some(Dated { value: true, at: at("2026-11-22T08:00:00Z") }),
        marketing_consent: None,
        groups: Some(Dated { value: Vec::new(), at: at("2026-11-22T09:30:00Z") }),
    };
    let latest = BTreeMap::from([(ObjectId::parse("7").unwrap(), latest)]);
    let document = |anna: Value| json!({"data": {"customer": anna}});
    let anna = json!({"id": "7", "phone": "340", "whatsapp_opt_out": false, "groups": ["Agenti"]});
    let mut since = document(anna.clone());
    bring_up_to_date(&mut since, at("2026-11-22T09:00:00Z"), &latest);
    // The opt-out is older than the event, whose `false` is newer.
    assert_eq!(since, document(json!({"id": "7", "phone": "333", "whatsapp_opt_out": false, "groups": []})));
    let mut since = document(anna);
    bring_up_to_date(&mut since, at("2026-11-22T07:00:00Z"), &latest);
    assert_eq!(since, document(json!({"id": "7", "phone": "333", "whatsapp_opt_out": true, "groups": []})));
}

#[test]
fn debug_shows_no_name() {
    let anna = read(&json!({"id": "1", "first_name": "Anna", "phone": "3401234567"})).unwrap();
    assert_eq!(format!("{anna:?}"), r#"Person { id: ObjectId("1"), .. }"#);
}
