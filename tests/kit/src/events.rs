//! Events as Passweb sends them, with a fresh id each where a story gives one.

use anyhow::{Context, Result};
use domain::event::EventType;
use serde_json::{Value, json};

/// The example of a type of event that is published for whoever makes the callbacks.
///
/// # Errors
/// When there is none.
pub fn example(kind: EventType) -> Result<Value> {
    let file = format!("{}/../../docs/events/examples/{kind}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&file).with_context(|| file.clone())?;
    serde_json::from_str(&text).context(file)
}

/// Anna's order enters a state.
#[must_use]
pub fn order_status_changed(id: &str) -> Value {
    json!({
        "id": id, "type": "order.status_changed", "occurred_at": "2026-11-22T10:15:00+01:00", "language": "it",
        "data": {
            "order": {
                "id": "1320", "code": "OC1/1320", "kind": "order", "status": "MEMORIZZATO", "previous_status": "NUOVO",
                "version": 3, "total": {"amount": "129.90", "currency": "EUR"}, "item_count": 3, "quantity": 5,
                "url": "https://www.example.com/ordini/1320", "date": "2026-11-20"
            },
            "customer": {
                "id": "C7", "first_name": "Anna", "last_name": "Rossi", "phone": "340 1234567", "language": "it",
                "country": "IT", "groups": ["Clienti web"]
            }
        }
    })
}

/// Marco writes to some people.
#[must_use]
pub fn message_sent(id: &str, recipients: &Value) -> Value {
    json!({
        "id": id, "type": "message.sent", "occurred_at": "2026-11-22T10:15:00+01:00",
        "data": {
            "message": {"id": "M1", "subject": "Consegna di giovedì", "body": "Buongiorno,\n\narriviamo alle 10."},
            "sender": {"id": "S1", "first_name": "Marco", "last_name": "Bianchi"},
            "recipients": recipients, "notify": ["email", "whatsapp"], "sender_may_notify": true
        }
    })
}

/// Anna uploads a file that some people administer.
#[must_use]
pub fn file_uploaded(id: &str, administrators: &Value) -> Value {
    json!({
        "id": id, "type": "file.uploaded", "occurred_at": "2026-11-22T10:15:00+01:00",
        "data": {
            "file": {"id": "F1", "name": "Listino 2027.pdf", "folder": "Listini"},
            "actor": {"id": "C7", "first_name": "Anna", "last_name": "Rossi"},
            "administrators": administrators, "notify": ["whatsapp"]
        }
    })
}
