//! Events as Passweb sends them. The story gives each event its id.

use anyhow::{Context, Result};
use domain::event::EventType;
use domain::event::example::filled;
use serde_json::{Value, json};

/// When the examples are used in the stories.
const EXAMPLES_AT: &str = "2026-11-22T10:15:00+01:00";

/// Returns the example of an event type that is published for the developers of the callbacks.
///
/// # Errors
/// If there is no example, or if it is not valid JSON.
pub fn example(kind: EventType) -> Result<Value> {
    let file = format!("{}/../../docs/events/examples/{kind}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&file).with_context(|| file.clone())?;
    serde_json::from_str(&filled(&text, EXAMPLES_AT.parse()?)).context(file)
}

/// Anna's order changes its status.
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

/// Marco sends a message to `recipients`.
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

/// Anna uploads a file. `administrators` are notified about it.
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
