//! A webhook document as `receive-event` splits it into the records of the statuses queue.
#![no_main]

use domain::message::state::Status;
use domain::queue::platform_event::{PlatformEvent, Queued};
use domain::webhook::parse;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use serde_json::{Value, json};

/// No record is larger, whatever the document holds, in bytes.
const RECORD_BYTES_MAX: usize = 16 * 1024;
/// Most unreadable items described for a document.
const ODD_MAX: usize = 20;

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| { fuzz::mutate(data, size, max_size, seed) });

fuzz_target!(|input: &[u8]| {
    let Some(document) = fuzz::json(input) else { return };
    let parsed = parse(&document, &fuzz::WEBHOOK, fuzz::now());
    assert!(parsed.odd.len() <= ODD_MAX);
    assert!(parsed.odd.iter().all(|odd| odd.starts_with("/entry/")));
    for platform_event in &parsed.platform_events {
        belongs(platform_event);
        let record = fuzz::round_trip(platform_event);
        assert!(record.len() <= RECORD_BYTES_MAX, "a record of {} bytes", record.len());
        let queued: Queued = serde_json::from_str(&record).expect("an event alone is a record");
        assert_eq!(queued.platform_event, *platform_event);
        fuzz::round_trip(&queued.put_back(fuzz::now()));
    }
    a_status_survives(document, &parsed.platform_events);
});

/// Every platform event is of the site's webhook, number or account.
fn belongs(platform_event: &PlatformEvent) {
    assert_eq!(*platform_event.site(), fuzz::WEBHOOK.site);
    let is_number = |id: &String| fuzz::WEBHOOK.phone_number_ids.contains(id);
    let is_account = |id: &String| fuzz::WEBHOOK.waba_ids.contains(id);
    match platform_event {
        PlatformEvent::Status { phone_number_id, status, failure, provider_id, .. } => {
            assert!(is_number(phone_number_id) && !provider_id.is_empty());
            assert_eq!(failure.is_some(), *status == Status::Failed);
        }
        PlatformEvent::Word { phone_number_id, from, .. } | PlatformEvent::Preference { phone_number_id, from, .. } => {
            assert!(is_number(phone_number_id) && !from.is_empty());
        }
        PlatformEvent::NumberChanged { phone_number_id, from, to, .. } => {
            assert!(is_number(phone_number_id) && from != to);
        }
        PlatformEvent::Template { waba_id, name, language, .. } => {
            assert!(is_account(waba_id) && !name.is_empty() && !language.is_empty());
        }
        PlatformEvent::Account { waba_id, phone_number_id, stops, lifts, .. } => {
            assert!(waba_id.is_some() || phone_number_id.is_some());
            assert!(waba_id.as_ref().is_none_or(is_account) && phone_number_id.as_ref().is_none_or(is_number));
            assert!(!(*stops && *lifts));
        }
    }
}

/// A valid status beside any other entries is read, and the other entries are read as without it.
fn a_status_survives(mut document: Value, others: &[PlatformEvent]) {
    let Some(entries) = document.get_mut("entry").and_then(Value::as_array_mut) else { return };
    entries.push(json!({"id": "222", "changes": [{"field": "messages", "value": {
        "metadata": {"phone_number_id": "111"},
        "statuses": [{"id": "wamid.kept", "status": "read", "timestamp": "1795341600", "recipient_id": "393401234567"}],
    }}]}));
    let parsed = parse(&document, &fuzz::WEBHOOK, fuzz::now()).platform_events;
    let (kept, before) = parsed.split_last().expect("the status is read");
    assert!(matches!(kept, PlatformEvent::Status { provider_id, .. } if provider_id == "wamid.kept"));
    assert_eq!(before, others);
}
