//! The JSON shapes of the platform's webhooks.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Update;
use crate::{course::Status, graph_error, settings::Settings};

const OBJECT: &str = "whatsapp_business_account";
/// Changes of these fields contain their own timestamps. Entries about the account or a template have a `time` instead.
const FIELDS_WITHOUT_TIME: [&str; 2] = ["messages", "user_preferences"];

/// The account whose webhooks are sent.
pub(crate) struct Account {
    waba_id: String,
    phone_number_id: String,
    /// The digits of the sending number, as webhooks contain it.
    digits: String,
}

impl Account {
    /// Creates the simulated account from the settings.
    pub(crate) fn of(settings: &Settings) -> Self {
        Self {
            waba_id: settings.waba_id.clone(),
            phone_number_id: settings.phone_number_id.clone(),
            digits: settings.display_phone_number.chars().filter(char::is_ascii_digit).collect(),
        }
    }

    /// Returns the body of one POST: statuses, or one change.
    pub(crate) fn envelope(&self, batch: Vec<Update>) -> Value {
        let (mut contacts, mut statuses) = (Vec::new(), Vec::new());
        for update in batch {
            match update {
                Update::Status { contact, status, .. } => {
                    contacts.extend(contact);
                    statuses.push(status);
                }
                Update::Change { field, value, at } => return self.entry(&field, value, at),
            }
        }
        let mut value = json!({ "statuses": statuses });
        if let (Some(fields), false) = (value.as_object_mut(), contacts.is_empty()) {
            fields.insert("contacts".into(), contacts.into());
        }
        let change = json!({"field": "messages", "value": self.identified(value)});
        json!({"object": OBJECT, "entry": [{"id": self.waba_id, "changes": [change]}]})
    }

    /// Adds product and number to the value of a change that concerns the number.
    pub(crate) fn identified(&self, mut value: Value) -> Value {
        if let Some(fields) = value.as_object_mut() {
            fields.insert("messaging_product".into(), "whatsapp".into());
            let metadata = json!({"display_phone_number": self.digits, "phone_number_id": self.phone_number_id});
            fields.insert("metadata".into(), metadata);
        }
        value
    }

    /// Returns the digits of the sending number.
    pub(crate) fn digits(&self) -> &str {
        &self.digits
    }

    fn entry(&self, field: &str, value: Value, at: Timestamp) -> Value {
        let mut entry = json!({"id": self.waba_id, "changes": [{"field": field, "value": value}]});
        if let (Some(fields), false) = (entry.as_object_mut(), FIELDS_WITHOUT_TIME.contains(&field)) {
            fields.insert("time".into(), at.as_second().into());
        }
        json!({"object": OBJECT, "entry": [entry]})
    }
}

/// The message data that a status contains.
#[derive(Clone)]
pub(crate) struct Subject {
    pub(crate) id: String,
    pub(crate) wa_id: String,
    pub(crate) category: String,
    pub(crate) callback_data: Option<String>,
}

/// Returns the contact behind a number. The name is deliberately not ASCII, because the signature covers its escaped
/// form.
pub(crate) fn contact(wa_id: &str) -> Value {
    json!({"profile": {"name": "Niccolò"}, "wa_id": wa_id})
}

/// Returns a status of a message. A failed status has neither contact nor pricing, which also happens on the platform.
pub(crate) fn status(subject: &Subject, status: Status, at: Timestamp) -> Update {
    let mut notified = json!({
        "id": subject.id,
        "status": status.word(),
        "timestamp": at.as_second().to_string(),
        "recipient_id": subject.wa_id,
    });
    if let Some(fields) = notified.as_object_mut() {
        if let Some(data) = &subject.callback_data {
            fields.insert("biz_opaque_callback_data".into(), data.as_str().into());
        }
        match status {
            Status::Sent | Status::Delivered => {
                let category = subject.category.to_lowercase();
                let pricing =
                    json!({"billable": true, "pricing_model": "PMP", "type": "regular", "category": category});
                fields.insert("pricing".into(), pricing);
            }
            Status::Read => {}
            Status::Failed(code) => drop(fields.insert("errors".into(), json!([error(code)]))),
        }
    }
    let contact = status.code().is_none().then(|| contact(&subject.wa_id));
    Update::Status { message: subject.id.clone(), contact, status: notified }
}

fn error(code: i64) -> Value {
    let title = graph_error::title(code);
    json!({
        "code": code,
        "title": title,
        "message": title,
        "error_data": {"details": "A fault of the simulator makes this message fail"},
        "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Account {
        Account { waba_id: "2002".into(), phone_number_id: "1001".into(), digits: "390212345678".into() }
    }

    fn subject() -> Subject {
        Subject {
            id: "wamid.1".into(),
            wa_id: "393401234567".into(),
            category: "MARKETING".into(),
            callback_data: Some("m-1".into()),
        }
    }

    fn now() -> Timestamp {
        Timestamp::from_second(1_795_338_900).unwrap()
    }

    #[test]
    fn a_status_has_the_shape_of_the_platform() {
        let body = account().envelope(vec![status(&subject(), Status::Sent, now())]);
        assert_eq!(
            body,
            json!({"object": "whatsapp_business_account", "entry": [{"id": "2002", "changes": [{
                "field": "messages",
                "value": {
                    "messaging_product": "whatsapp",
                    "metadata": {"display_phone_number": "390212345678", "phone_number_id": "1001"},
                    "contacts": [{"profile": {"name": "Niccolò"}, "wa_id": "393401234567"}],
                    "statuses": [{
                        "id": "wamid.1",
                        "status": "sent",
                        "timestamp": "1795338900",
                        "recipient_id": "393401234567",
                        "biz_opaque_callback_data": "m-1",
                        "pricing": {
                            "billable": true, "pricing_model": "PMP", "type": "regular", "category": "marketing",
                        },
                    }],
                },
            }]}]})
        );
    }

    #[test]
    fn a_failed_status_has_its_error_and_no_contact_or_price() {
        let subject = Subject { callback_data: None, ..subject() };
        let body = account().envelope(vec![status(&subject, Status::Failed(131026), now())]);
        let value = &body["entry"][0]["changes"][0]["value"];
        assert!(value.get("contacts").is_none());
        assert_eq!(
            value["statuses"],
            json!([{
                "id": "wamid.1",
                "status": "failed",
                "timestamp": "1795338900",
                "recipient_id": "393401234567",
                "errors": [{
                    "code": 131026,
                    "title": "Message undeliverable",
                    "message": "Message undeliverable",
                    "error_data": {"details": "A fault of the simulator makes this message fail"},
                    "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
                }],
            }])
        );
    }

    #[test]
    fn only_sent_and_delivered_statuses_have_a_price() {
        for (step, priced) in [(Status::Sent, true), (Status::Delivered, true), (Status::Read, false)] {
            let Update::Status { status, .. } = status(&subject(), step, now()) else { panic!("no status") };
            assert_eq!(status.get("pricing").is_some(), priced, "{step:?}");
        }
    }

    #[test]
    fn an_account_change_has_a_time_in_its_entry() {
        let update = Update::Change { field: "account_update".into(), value: json!({"event": "X"}), at: now() };
        assert_eq!(
            account().envelope(vec![update]),
            json!({"object": "whatsapp_business_account", "entry": [{
                "id": "2002",
                "time": 1_795_338_900,
                "changes": [{"field": "account_update", "value": {"event": "X"}}],
            }]})
        );
    }
}
