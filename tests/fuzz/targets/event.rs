//! An event as `receive-event` parses it, puts it into a queue record, and `send-message` parses it again.
#![no_main]

use std::collections::BTreeMap;

use domain::event::person::{Dated, PersonRecord, bring_up_to_date, people_of};
use domain::event::{Event, EventError};
use domain::primitives::id::SiteId;
use domain::primitives::json::Fault;
use domain::queue::job::Job;
use jiff::{SignedDuration, Timestamp};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use serde_json::Value;

/// Largest event that the intake accepts, and largest record that SQS accepts, in bytes.
const EVENT_BYTES_MAX: usize = 64 * 1024;
const RECORD_BYTES_MAX: usize = 256 * 1024;
/// Most faults reported for a document.
const FAULTS_MAX: usize = 20;

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| { fuzz::mutate(data, size, max_size, seed) });

fuzz_target!(|input: &[u8]| {
    let Some(document) = fuzz::json(input) else { return };
    match Event::parse(document.clone(), fuzz::now()) {
        Ok(event) => accepted(&event, &document, input.len()),
        Err(EventError::Invalid(faults)) => refused(&faults, &document),
        Err(EventError::UnknownType) => assert!(document["type"].is_string()),
    }
});

fn accepted(event: &Event, document: &Value, bytes: usize) {
    assert_eq!(event.document, *document);
    let site = SiteId::parse("demo").expect("a site's id");
    let record = fuzz::round_trip(&Job::event(site, fuzz::now(), document.clone()));
    assert!(bytes > EVENT_BYTES_MAX || record.len() <= RECORD_BYTES_MAX, "a record of {} bytes", record.len());
    // Up to fourteen days later, the record still holds the same event.
    let later = fuzz::now() + SignedDuration::from_hours(14 * 24);
    for at in [fuzz::now(), later] {
        assert_eq!(Event::parse_any(document.clone(), at).as_ref(), Ok(event));
    }
    assert!(event.occurred_at <= fuzz::now() + SignedDuration::from_mins(5));
    assert!(event.subject().contains(':') && !event.id.is_reserved());
    let _ = (event.code(), event.actor(), event.notify(), event.activity().map(|activity| activity.begun_at()));
    for person in event.recipients() {
        assert!(event.recipient(&person.id).is_some_and(|found| found.id == person.id));
    }
    up_to_date(event);
}

/// Newer contact data leaves the event valid, and reaches every person.
fn up_to_date(event: &Event) {
    let newer = event.occurred_at + SignedDuration::from_secs(1);
    let mut document = event.document.clone();
    let ids: Vec<_> = people_of(&mut document).map(|(id, _)| id).collect();
    let latest: BTreeMap<_, _> = ids.iter().map(|id| (id.clone(), record(newer))).collect();
    bring_up_to_date(&mut document, newer, &latest);
    assert_eq!(document, event.document, "data of the same time is not newer");
    bring_up_to_date(&mut document, event.occurred_at, &latest);
    let updated = Event::parse_any(document, fuzz::now()).expect("newer contact data fits");
    assert_eq!(updated.recipients().len(), event.recipients().len());
    for person in updated.recipients().iter().chain(updated.actor()) {
        assert_eq!((person.phone.as_deref(), person.whatsapp_opt_out), (Some("+393401234567"), Some(true)));
    }
}

fn record(at: Timestamp) -> PersonRecord {
    PersonRecord {
        occurred_at: at,
        phone: Some("+393401234567".to_owned()),
        country: Some("IT".to_owned()),
        language: Some("it".to_owned()),
        whatsapp_opt_out: Some(Dated { value: true, at }),
        marketing_consent: None,
        groups: Some(Dated { value: vec!["Clienti".to_owned()], at }),
    }
}

/// Every fault names a place whose parent exists.
fn refused(faults: &[Fault], document: &Value) {
    assert!((1..=FAULTS_MAX).contains(&faults.len()));
    for fault in faults {
        let parent = fault.pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
        assert!(document.pointer(parent).is_some(), "{fault:?}");
        assert!(!fault.detail.is_empty());
    }
}
