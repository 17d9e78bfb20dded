use domain::primitives::id::SiteId;
use domain::primitives::phone::Country;
use serde_json::json;

use super::*;

fn site() -> Site {
    Site::new(SiteId::parse("demo").unwrap())
}

#[test]
fn a_number_identifies_its_person_in_every_document() {
    let site = site();
    let mut anna = Target::with_phone(&site, Phone::parse("3401234567", Country::ITALY).unwrap());
    let notified = json!({"data": {"customer": {"id": "C7", "first_name": "Anna", "phone": "+39 340 123.4567"}}});
    anna.learn(&notified);
    anna.learn(&json!({"data": {"customer": {"id": "C8", "first_name": "Ugo", "phone": "3407654321"}}}));
    anna.end_learning();
    assert_eq!(anna.ids().map(ObjectId::as_str).collect::<Vec<_>>(), ["C7"]);
    assert!(anna.is_in(&notified) && anna.has_phone("+393401234567"));
    assert!(anna.is_in(&json!({"sender": {"id": "C7", "first_name": "Anna"}})));
    assert!(anna.is_in(&json!({"message": {"body": "chiami il 340-12 34 567"}})));
    assert!(!anna.is_in(&json!({"sender": {"id": "C9", "phone": "340 7654321"}, "order": {"id": "C7"}})));
    assert!(anna.is_in_text(r#"{"notice":"word.1","from":"393401234567"}"#));
    assert!(anna.is_in_text("no json: 0039 340 1234567"));
    assert!(!anna.is_in_text("340123456"));
}

#[test]
fn an_erased_persons_activity_is_kept_for_the_recipients_it_still_reminds() {
    let site = site();
    let mut anna = Target::with_id(&site, ObjectId::parse("C7").unwrap());
    let person = |id: &str, name: &str, phone: Option<&str>| json!({"id": id, "first_name": name, "phone": phone});
    // Another record has her surname.
    let mut named = person("C7", "Anna ", Some("3401234567"));
    named["last_name"] = json!("Rossi");
    anna.learn(&json!({"data": {"customer": named}}));
    anna.end_learning();
    let both = json!([person("C7", "Anna", Some("3401234567")), person("C8", "Giovanna", None)]);
    let reminder = |owner: Value| json!([{"id": "r1", "minutes_before": 60, "notify": ["whatsapp"], "owner": owner}]);
    let saved = json!({
        "id": "a-1", "type": "activity.saved", "occurred_at": "2026-11-22T09:00:00Z",
        "data": {
            "activity": {"id": "A1", "subject": "Sopralluogo", "starts_at": "2026-11-24T15:00:00+01:00",
                         "all_day": false, "time_zone": "Europe/Rome", "state": "PIANIFICATA"},
            "creator": {"id": "C7", "first_name": "Anna"}, "assignees": both, "reminders": reminder(Value::Null),
        }
    });
    let now = |day: u8| format!("2026-11-{day}T10:00:00Z").parse().unwrap();
    let with = |pointer: &str, value: Value| {
        let mut document = saved.clone();
        *document.pointer_mut(pointer).unwrap() = value;
        document
    };
    let rest = anna.rest(&saved, now(22)).unwrap();
    assert_eq!(rest["data"]["assignees"], json!([{"id": "C7"}, both[1]]));
    assert_eq!(rest["data"]["creator"], json!({"id": "C7"}));
    assert!(!anna.is_in(&rest), "the next call has nothing to do");
    let owned = with("/data/reminders", reminder(person("C8", "Giovanna", Some("3407654321"))));
    assert_eq!(anna.rest(&owned, now(22)).unwrap()["data"]["reminders"], owned["data"]["reminders"]);
    for (gone, day) in [
        (with("/data/activity/subject", json!("Sopralluogo da ANNA")), 22),
        (with("/data/activity/subject", json!("Casa Rossi")), 22),
        (with("/data/activity/subject", json!({"tel": 3_401_234_567_u64})), 22),
        (with("/data/assignees", json!([both[0]])), 22),
        (with("/data/reminders", json!([])), 22),
        (with("/data/reminders", reminder(person("C7", "Anna", None))), 22),
        (with("/data/activity/state", json!("Annullata")), 22),
        (with("/type", json!("activity.acknowledged")), 22),
        (saved.clone(), 25),
    ] {
        assert_eq!(anna.rest(&gone, now(day)), None, "{gone}");
    }
    // A number in the activity itself cannot be removed as a person.
    let mut beside = saved.clone();
    beside["data"]["activity"]["phone"] = json!("3401234567");
    assert_eq!(anna.rest(&beside, now(22)), None);
}

#[test]
fn another_person_with_the_same_number_is_not_included() {
    let site = site();
    let mut anna = Target::with_id(&site, ObjectId::parse("C7").unwrap());
    let shared = "06 69812345";
    anna.learn(&json!([{"id": "C7", "phone": shared}, {"id": "C8", "phone": shared}]));
    anna.end_learning();
    assert_eq!(anna.ids().count(), 1);
    assert!(anna.has_phone("+390669812345"));
}
