//! The webhook documents that WA Smart Business forwards from Meta. A document contains any number of changes, which
//! become platform events.
//!
//! Parsing is tolerant: ids are numbers or text, and fields may be missing, empty or null. An unreadable item never
//! affects its neighbours. A change is accepted only if the number or account it names belongs to the site.

mod account;
mod change;
mod messages;
pub mod signature;
mod template;
#[cfg(test)]
mod tests;
mod values;
mod word;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::primitives::id::SiteId;
use crate::queue::platform_event::PlatformEvent;
use crate::site::credential::SECRET_KEPT_FOR;
use change::Change;
use values::{items, moment, text};

/// Maximum number of unreadable items described per document; more do not help.
const ODD_MAX: usize = 20;

/// A site's webhook: how it authenticates requests, and the numbers and accounts whose changes it accepts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// The site.
    pub site: SiteId,
    /// How a request is authenticated.
    pub mode: Mode,
    /// Meta's ids of the site's sender numbers.
    pub phone_number_ids: Vec<String>,
    /// Meta's ids of the site's WhatsApp Business Accounts.
    pub waba_ids: Vec<String>,
    /// When its authentication was last set. `None` in webhooks of versions that did not record it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_at: Option<Timestamp>,
}

impl Webhook {
    /// Returns the time from which an authenticated request proves the present authentication. Until then, a function may
    /// still accept the secret that it replaced. `None` if any request proves it.
    #[must_use]
    pub fn proves_from(&self) -> Option<Timestamp> {
        self.set_at.map(|set_at| set_at.saturating_add(SECRET_KEPT_FOR).unwrap_or(set_at))
    }
}

/// How a request is authenticated. The secrets themselves are in the secret store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// `X-Hub-Signature-256` over the body, as Meta signs.
    Signature,
    /// A constant token, for a provider that forwards without a signature.
    Token {
        /// The header that contains the token.
        header: String,
    },
}

/// The contents of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The platform events to process, in the document's order.
    pub platform_events: Vec<PlatformEvent>,
    /// The number of changes that name another account's number or account, or none at all.
    pub foreign: usize,
    /// The number of items that the bridge does not use, mostly inbound texts. Their content is dropped.
    pub ignored: usize,
    /// The unreadable items: position and problem, without personal data.
    pub odd: Vec<String>,
}

impl Parsed {
    /// Records an unreadable item.
    fn odd(&mut self, pointer: &str, detail: &str) {
        if self.odd.len() < ODD_MAX {
            self.odd.push(format!("{pointer} {detail}"));
        }
    }
}

/// Parses a document of a site's webhook. `received_at` replaces a time that Meta omitted.
#[must_use]
pub fn parse(document: &Value, belongs: &Webhook, received_at: Timestamp) -> Parsed {
    let mut parsed = Parsed::default();
    for (entry_index, entry) in items(document.get("entry")).iter().enumerate() {
        for (index, change) in items(entry.get("changes")).iter().enumerate() {
            let pointer = format!("/entry/{entry_index}/changes/{index}");
            let Some(value) = change.get("value").filter(|value| value.is_object()) else {
                parsed.odd(&pointer, "has no value");
                continue;
            };
            let field = change.get("field").and_then(Value::as_str).unwrap_or_default();
            let change = Change {
                webhook: belongs,
                field,
                value,
                entry_id: text(entry.get("id")),
                entry_at: moment(entry.get("time")),
                pointer: &pointer,
                received_at,
            };
            read(&change, &mut parsed);
        }
    }
    parsed
}

fn read(change: &Change<'_>, parsed: &mut Parsed) {
    match change.field {
        "messages" => messages::read(change, parsed),
        "user_preferences" => messages::read_preferences(change, parsed),
        "message_template_status_update"
        | "message_template_quality_update"
        | "message_template_components_update"
        | "template_category_update" => template::read(change, parsed),
        "account_update"
        | "account_alerts"
        | "account_review_update"
        | "business_capability_update"
        | "phone_number_name_update"
        | "phone_number_quality_update" => account::read(change, parsed),
        _ => parsed.ignored += 1,
    }
}
