//! One change of a document, with the data that decides whether it is accepted.

use jiff::Timestamp;
use serde_json::Value;

use super::Webhook;
use super::values::{id, moment};

/// A change that is being parsed.
pub(super) struct Change<'a> {
    /// The webhook that received it.
    pub(super) webhook: &'a Webhook,
    /// The subject of the change.
    pub(super) field: &'a str,
    /// The content of the change.
    pub(super) value: &'a Value,
    /// The id of its entry: the id of the WhatsApp Business Account.
    pub(super) entry_id: Option<String>,
    /// When Meta raised its entry.
    pub(super) entry_at: Option<Timestamp>,
    /// Its position in the document, as a JSON pointer.
    pub(super) pointer: &'a str,
    /// When the document was received.
    pub(super) received_at: Timestamp,
}

impl Change<'_> {
    /// Returns a field of the content.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.value.get(name)
    }

    /// Returns the sender number of the change, if it belongs to the site.
    pub(super) fn phone_number_id(&self) -> Option<String> {
        let named = id(self.get("metadata").and_then(|metadata| metadata.get("phone_number_id")));
        named.or_else(|| id(self.get("phone_number_id"))).filter(|id| self.webhook.phone_number_ids.contains(id))
    }

    /// Returns the account of the change, if it belongs to the site. If a provider's own account receives the changes
    /// of its customers, the customer's account is in `waba_info`.
    pub(super) fn waba_id(&self) -> Option<String> {
        let inside = id(self.get("waba_info").and_then(|info| info.get("waba_id")));
        inside.or_else(|| self.entry_id.clone()).filter(|id| self.webhook.waba_ids.contains(id))
    }

    /// Returns when Meta raised the change, or the document's arrival if that time is missing or in the future.
    pub(super) fn raised_at(&self) -> Timestamp {
        self.entry_at.map_or(self.received_at, |at| at.min(self.received_at))
    }

    /// Returns the time in a value, or the document's arrival. A status or an opt-out without a time is still valid.
    pub(super) fn moment(&self, value: Option<&Value>) -> Timestamp {
        moment(value).unwrap_or(self.received_at)
    }
}
