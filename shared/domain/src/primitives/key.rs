//! Keys of the ledger, derived from what they identify. A changed key would send everything again, so a test fixes each
//! one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::primitives::id::{EventId, MappingId, ObjectId, SiteId};
use crate::primitives::phone::Phone;

/// Characters kept of a hash: 128 bits, enough that no two events of a site collide by chance.
const HASH_HEX_CHARS: usize = 32;

fn hash(parts: &[&str]) -> String {
    // Identifiers contain no control characters, so NUL distinguishes ("ab","c") from ("a","bc").
    let mut digits = hex::encode(Sha256::digest(parts.join("\0")));
    digits.truncate(HASH_HEX_CHARS);
    digits
}

/// Returns the ledger's partition key of an event.
#[must_use]
pub fn event_key(site: &SiteId, event: &EventId) -> String {
    hash(&[site.as_str(), event.as_str()])
}

/// Returns the key of a message within its event: one template for one recipient through one mapping. `dedup_key` is the
/// send number: 1 for the first send, plus 1 for each resend that an operator requests.
#[must_use]
pub fn message_key(mapping: &MappingId, recipient: &ObjectId, send_number: u32) -> String {
    hash(&[mapping.as_str(), recipient.as_str(), &send_number.to_string()])
}

/// Returns the key of the latest-event item of a subject, for one mapping and recipient.
#[must_use]
pub fn latest_event_key(site: &SiteId, [mapping, subject, recipient]: [&str; 3]) -> String {
    format!("SUBJECT#{}", hash(&[site.as_str(), mapping, subject, recipient]))
}

/// Returns the key of the item with the latest pending state of a subject, from the key of its latest-event item.
#[must_use]
pub fn pending_state_key(latest: &str) -> String {
    format!("HELD#{}", hash(&[latest]))
}

/// Returns the dedup key. `what` is its kind (`state`, `actor`, `reminder`) and `value` the state, actor or
/// fingerprint.
#[must_use]
pub fn dedup_key(site: &SiteId, [mapping, subject, recipient]: [&str; 3], what: &str, value: &str) -> String {
    format!("TOLD#{}", hash(&[site.as_str(), mapping, subject, recipient, what, value]))
}

/// Returns the key of the item that collects the files for one digest message.
#[must_use]
pub fn collection_key(site: &SiteId, [mapping, folder, actor, recipient]: [&str; 4]) -> String {
    format!("FILES#{}", hash(&[site.as_str(), mapping, folder, actor, recipient]))
}

/// Returns the index key of the events about a document, by the code that customers see. Surrounding whitespace and
/// letter case do not matter.
#[must_use]
pub fn code_key(site: &SiteId, code: &str) -> String {
    format!("{site}#code:{}", hash(&[&code.trim().to_uppercase()]))
}

/// Returns the key of the item with the activity status, which its reminders need.
#[must_use]
pub fn activity_key(site: &SiteId, activity: &ObjectId) -> String {
    format!("ACTIVITY#{}", hash(&[site.as_str(), activity.as_str()]))
}

/// Returns the key of the item for all carts of a customer.
#[must_use]
pub fn cart_key(site: &SiteId, customer: &ObjectId) -> String {
    format!("CART#{}", hash(&[site.as_str(), customer.as_str()]))
}

/// Returns the key of the item for the carts that a customer abandoned with one number. `contact` is the pseudonym of
/// the number, empty for none.
#[must_use]
pub fn carts_of_number_key(site: &SiteId, customer: &ObjectId, contact: &str) -> String {
    format!("CART#{}", hash(&[site.as_str(), customer.as_str(), contact]))
}

/// Returns the key of the item with the number with which a cart was abandoned.
#[must_use]
pub fn left_cart_key(site: &SiteId, customer: &ObjectId, cart: &ObjectId) -> String {
    format!("CARTLEFT#{}", hash(&[site.as_str(), customer.as_str(), cart.as_str()]))
}

/// The items that decide whether a cart notice is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CartKeys {
    /// The customer's carts, for every number: [`cart_key`].
    pub all: String,
    /// The carts abandoned with the number of this one: [`carts_of_number_key`].
    pub of_number: String,
    /// Whether only the carts of the number count: guests may share the customer id.
    pub by_number: bool,
    /// The end of this cart: [`ended_cart_key`].
    pub ended: String,
}

impl CartKeys {
    /// Returns the keys of a cart, abandoned with a number (by its pseudonym) or without one. All carts of the customer
    /// count.
    #[must_use]
    pub fn new(site: &SiteId, [customer, cart]: [&ObjectId; 2], contact: Option<&str>) -> Self {
        Self {
            all: cart_key(site, customer),
            of_number: carts_of_number_key(site, customer, contact.unwrap_or_default()),
            by_number: false,
            ended: ended_cart_key(site, customer, cart),
        }
    }
}

/// Returns the key of the item that records when a cart was emptied or resumed.
#[must_use]
pub fn ended_cart_key(site: &SiteId, customer: &ObjectId, cart: &ObjectId) -> String {
    format!("CARTEND#{}", hash(&[site.as_str(), customer.as_str(), cart.as_str()]))
}

/// Returns the key of a reminder in the schedule.
#[must_use]
pub fn reminder_key(site: &SiteId, activity: &ObjectId, reminder: &ObjectId) -> String {
    format!("R#{}", hash(&[site.as_str(), activity.as_str(), reminder.as_str()]))
}

/// Returns the id of the event that a reminder raises. It is the same each time the reminder fires for the same
/// `due_at` and the same `saved_by` event. After an edit it differs, because the content differs.
#[must_use]
pub fn reminder_event_id(item: &str, due_at: jiff::Timestamp, saved_by: &EventId) -> String {
    format!("bridge:rem.{}", hash(&[item, &due_at.to_string(), saved_by.as_str()]))
}

/// A message's id: both keys joined. It is sent as `biz_opaque_callback_data`, so that a status leads to its message
/// without an index.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MessageId {
    /// The [`event_key`] of the event.
    pub event: String,
    /// The [`message_key`] of the message.
    pub message: String,
}

impl MessageId {
    /// Parses a serialised id; `None` if the text is not one of the bridge's ids.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_hash = |part: &str| {
            part.len() == HASH_HEX_CHARS && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let (event, message) = text.split_once('.')?;
        let both = is_hash(event) && is_hash(message);
        both.then(|| Self { event: event.to_owned(), message: message.to_owned() })
    }
}

impl std::fmt::Display for MessageId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.event, self.message)
    }
}

/// The error for a text that is not a message's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no message's id")]
pub struct MessageIdError;

impl TryFrom<String> for MessageId {
    type Error = MessageIdError;

    fn try_from(text: String) -> Result<Self, MessageIdError> {
        Self::parse(&text).ok_or(MessageIdError)
    }
}

impl From<MessageId> for String {
    fn from(id: MessageId) -> String {
        id.to_string()
    }
}

/// Returns the hash that detects an event id reused with different content. It covers the canonical JSON (sorted keys,
/// no whitespace) of `type`, `occurred_at`, `language` and `data`.
#[must_use]
pub fn content_hash(document: &Value) -> String {
    let part = |name: &str| document.get(name).cloned().unwrap_or(Value::Null);
    // serde_json's map is a `BTreeMap`, so keys are sorted.
    let canonical = json!([part("type"), part("occurred_at"), part("language"), part("data")]);
    hex::encode(Sha256::digest(canonical.to_string()))
}

/// The stack's secret for pseudonyms. A pseudonym identifies a contact without revealing it.
#[derive(Clone)]
pub struct ContactSecret(Vec<u8>);

/// The error for a secret that is too short to protect phone numbers. All phone numbers can be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secret for contacts must have at least {CONTACT_SECRET_BYTES_MIN} bytes")]
pub struct WeakSecret;

const CONTACT_SECRET_BYTES_MIN: usize = 32;

impl ContactSecret {
    /// Parses the secret's text. Base64 is decoded; any other text is used as it is.
    ///
    /// # Errors
    /// [`WeakSecret`] if it is too short.
    pub fn parse(text: &str) -> Result<Self, WeakSecret> {
        let bytes = STANDARD.decode(text).unwrap_or_else(|_| text.as_bytes().to_vec());
        if bytes.len() < CONTACT_SECRET_BYTES_MIN { Err(WeakSecret) } else { Ok(Self(bytes)) }
    }

    /// Returns the pseudonym of a number at a site.
    #[must_use]
    pub fn contact_key(&self, site: &SiteId, phone: &Phone) -> String {
        self.pseudonym(&[site.as_str(), phone.as_e164()])
    }

    /// Returns the key of the item that maps another WhatsApp id to a number, for example a `wa_id` in a different
    /// notation.
    #[must_use]
    pub fn alias_key(&self, site: &SiteId, id: &str) -> String {
        format!("ALIAS#{site}#{}", self.pseudonym(&[site.as_str(), "alias", id]))
    }

    /// Returns the key of the item with the stop words and preferences that a number sent to a sender number. It
    /// applies to every site that sends from that sender number.
    #[must_use]
    pub fn sender_contact_key(&self, phone_number_id: &str, phone: &Phone) -> String {
        let pseudonym = self.pseudonym(&["sender", phone_number_id, phone.as_e164()]);
        format!("SENDER#{phone_number_id}#{pseudonym}")
    }

    /// The same as [`sender_contact_key`](Self::sender_contact_key), for the WhatsApp id that sent them.
    #[must_use]
    pub fn sender_alias_key(&self, phone_number_id: &str, id: &str) -> String {
        let pseudonym = self.pseudonym(&["sender", phone_number_id, "alias", id]);
        format!("SENDER#{phone_number_id}#{pseudonym}")
    }

    /// Returns the key of the item with the last known contact data of a person.
    #[must_use]
    pub fn person_key(&self, site: &SiteId, person: &ObjectId) -> String {
        format!("PERSON#{site}#{}", self.pseudonym(&[site.as_str(), "person", person.as_str()]))
    }

    fn pseudonym(&self, parts: &[&str]) -> String {
        // HMAC accepts keys of any length, so this error cannot occur.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return String::new() };
        mac.update(parts.join("\0").as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }
}

impl std::fmt::Debug for ContactSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ContactSecret(…)")
    }
}

#[cfg(test)]
mod tests;
