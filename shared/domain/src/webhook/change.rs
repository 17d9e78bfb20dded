//! One change of a document, with what decides whether it is believed.

use jiff::Timestamp;
use serde_json::Value;

use super::Webhook;
use super::values::{id, moment};

/// A change being read.
pub(super) struct Change<'a> {
    /// The webhook it came through.
    pub(super) webhook: &'a Webhook,
    /// What it is about.
    pub(super) field: &'a str,
    /// What it says.
    pub(super) value: &'a Value,
    /// The id of its entry: that of the WhatsApp Business Account.
    pub(super) entry_id: Option<String>,
    /// When Meta raised its entry.
    pub(super) entry_at: Option<Timestamp>,
    /// Where it stands in the document.
    pub(super) pointer: &'a str,
    /// When the document came.
    pub(super) received_at: Timestamp,
}

impl Change<'_> {
    /// A field of what it says.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.value.get(name)
    }

    /// The sender number it is about, if that is the site's.
    pub(super) fn phone_number_id(&self) -> Option<String> {
        let named = id(self.get("metadata").and_then(|metadata| metadata.get("phone_number_id")));
        named.or_else(|| id(self.get("phone_number_id"))).filter(|id| self.webhook.phone_number_ids.contains(id))
    }

    /// The account it is about, if that is the site's. Where a provider's own account hears of its customers', the
    /// customer's stands inside.
    pub(super) fn waba_id(&self) -> Option<String> {
        let inside = id(self.get("waba_info").and_then(|info| info.get("waba_id")));
        inside.or_else(|| self.entry_id.clone()).filter(|id| self.webhook.waba_ids.contains(id))
    }

    /// When Meta raised it; a moment that is still to come counts as that of the document's arrival.
    pub(super) fn raised_at(&self) -> Timestamp {
        self.entry_at.map_or(self.received_at, |at| at.min(self.received_at))
    }

    /// The moment a value gives, or else that of the document's arrival: a status or an opt-out without its time is
    /// still one.
    pub(super) fn moment(&self, value: Option<&Value>) -> Timestamp {
        moment(value).unwrap_or(self.received_at)
    }
}
