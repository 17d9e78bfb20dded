//! What WA Smart Business forwards from Meta: one document with any number of changes, turned into notices.
//!
//! Meta's documents are read with tolerance: ids come as numbers or text, fields may be missing, empty or null, and what
//! cannot be read never takes its neighbours with it. Nothing is believed of another account: a change counts only if
//! the number or the account it names is the site's.

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
use change::Change;
use values::{items, moment, text};

/// Oddities described for one document; more add nothing.
const ODD_MAX: usize = 20;

/// A site's webhook: what it accepts and whose changes it believes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    /// The site.
    pub site: SiteId,
    /// How a request shows that it may speak.
    pub mode: Mode,
    /// Meta's ids of the site's sender numbers.
    pub phone_number_ids: Vec<String>,
    /// Meta's ids of the site's WhatsApp Business Accounts.
    pub waba_ids: Vec<String>,
}

/// How a request shows that it may speak. The secrets themselves are in the secret store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// `X-Hub-Signature-256` over the body, as Meta signs.
    Signature,
    /// A token that never changes, as a provider that forwards without signing sends it.
    Token {
        /// The header it comes in.
        header: String,
    },
}

/// What a document holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// What is to be dealt with, in the document's order.
    pub platform_events: Vec<PlatformEvent>,
    /// Changes that name a number or an account that is not the site's, or none at all.
    pub foreign: usize,
    /// What the bridge has no use for: inbound texts above all, which go nowhere.
    pub ignored: usize,
    /// What should have been a notice and cannot be read: where, and what is wrong with it. Holds no personal data.
    pub odd: Vec<String>,
}

impl Parsed {
    /// Notes what cannot be read.
    fn odd(&mut self, pointer: &str, detail: &str) {
        if self.odd.len() < ODD_MAX {
            self.odd.push(format!("{pointer} {detail}"));
        }
    }
}

/// Reads a document that came through a site's webhook. `received_at` stands in for a time that Meta left out.
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
