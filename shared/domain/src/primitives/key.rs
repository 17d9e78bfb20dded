//! The names things have in the ledger, derived from what they are. Changing one would send everything again, so each
//! is held by a test.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::event::person::Person;
use crate::primitives::id::{EventId, MappingId, ObjectId, SiteId};
use crate::primitives::phone::Phone;
use crate::site::config::Site;

/// Characters of a hash we keep: 128 bits, enough that no two events of a site ever meet by chance.
const HASH_HEX_CHARS: usize = 32;

fn hash(parts: &[&str]) -> String {
    // Identifiers hold no control characters, so NUL keeps ("ab","c") and ("a","bc") apart.
    let mut hex = to_hex(&Sha256::digest(parts.join("\0")));
    hex.truncate(HASH_HEX_CHARS);
    hex
}

/// Lower-case hexadecimal.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The ledger's partition of an event.
#[must_use]
pub fn event_key(site: &SiteId, event: &EventId) -> String {
    hash(&[site.as_str(), event.as_str()])
}

/// The name of a message within its event: one template for one recipient through one mapping, `dedup_key` counting from
/// 1 the times a person chose to send it again.
#[must_use]
pub fn message_key(mapping: &MappingId, recipient: &ObjectId, send_number: u32) -> String {
    hash(&[mapping.as_str(), recipient.as_str(), &send_number.to_string()])
}

/// The item that remembers the newest event told of a subject, for one mapping and recipient.
#[must_use]
pub fn latest_event_key(site: &SiteId, [mapping, subject, recipient]: [&str; 3]) -> String {
    format!("SUBJECT#{}", hash(&[site.as_str(), mapping, subject, recipient]))
}

/// The item that remembers the newest event held of a subject, by its head's key.
#[must_use]
pub fn pending_state_key(latest: &str) -> String {
    format!("HELD#{}", hash(&[latest]))
}

/// The item that remembers that an occasion was told: `what` says of which kind, `value` which one.
#[must_use]
pub fn dedup_key(site: &SiteId, [mapping, subject, recipient]: [&str; 3], what: &str, value: &str) -> String {
    format!("TOLD#{}", hash(&[site.as_str(), mapping, subject, recipient, what, value]))
}

/// The item that collects the files which one message is to tell.
#[must_use]
pub fn collection_key(site: &SiteId, [mapping, folder, actor, recipient]: [&str; 4]) -> String {
    format!("FILES#{}", hash(&[site.as_str(), mapping, folder, actor, recipient]))
}

/// By what events are found that tell of a document, by the code that customers know. Blanks around it and the case of
/// its letters make no difference.
#[must_use]
pub fn code_key(site: &SiteId, code: &str) -> String {
    format!("{site}#code:{}", hash(&[&code.trim().to_uppercase()]))
}

/// The item that remembers how an activity stands, for its reminders.
#[must_use]
pub fn activity_key(site: &SiteId, activity: &ObjectId) -> String {
    format!("ACTIVITY#{}", hash(&[site.as_str(), activity.as_str()]))
}

/// The item that remembers the carts of a customer.
#[must_use]
pub fn cart_key(site: &SiteId, customer: &ObjectId) -> String {
    format!("CART#{}", hash(&[site.as_str(), customer.as_str()]))
}

/// The item that remembers the carts that a customer left with one number, by its pseudonym; an empty one stands for none.
#[must_use]
pub fn carts_of_number_key(site: &SiteId, customer: &ObjectId, contact: &str) -> String {
    format!("CART#{}", hash(&[site.as_str(), customer.as_str(), contact]))
}

/// The item that remembers with which number a cart was left.
#[must_use]
pub fn left_cart_key(site: &SiteId, customer: &ObjectId, cart: &ObjectId) -> String {
    format!("CARTLEFT#{}", hash(&[site.as_str(), customer.as_str(), cart.as_str()]))
}

/// The items that say whether somebody is to be told of a cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CartKeys {
    /// The customer's carts, with whatever number they were left: [`cart_key`].
    pub all: String,
    /// Those that were left with the number of this one: [`carts_of_number_key`].
    pub of_number: String,
    /// Whether only those of the number count: guests may share the id.
    pub by_number: bool,
    /// The end of this one: [`ended_cart_key`].
    pub ended: String,
}

impl CartKeys {
    /// The items of a cart that was left with a number, by its pseudonym, or without one. All of the customer's count.
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

/// The item that remembers when one cart of a customer was emptied or taken up again.
#[must_use]
pub fn ended_cart_key(site: &SiteId, customer: &ObjectId, cart: &ObjectId) -> String {
    format!("CARTEND#{}", hash(&[site.as_str(), customer.as_str(), cart.as_str()]))
}

/// The schedule's item of a reminder.
#[must_use]
pub fn reminder_key(site: &SiteId, activity: &ObjectId, reminder: &ObjectId) -> String {
    format!("R#{}", hash(&[site.as_str(), activity.as_str(), reminder.as_str()]))
}

/// The id of the event that a reminder raises: the same however often it fires for the same moment from the same event
/// that saved its activity, and another after an edit, since its content is.
#[must_use]
pub fn reminder_event_id(item: &str, due_at: jiff::Timestamp, saved_by: &EventId) -> String {
    format!("bridge:rem.{}", hash(&[item, &due_at.to_string(), saved_by.as_str()]))
}

/// A name for a DynamoDB transaction, which takes at most 36 characters: the same for the same owner.
#[must_use]
pub fn request_token(owner: &str) -> String {
    hash(&[owner])
}

/// A message's id: both keys joined. It is the `biz_opaque_callback_data` of the send, so that a status finds its
/// message without an index.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MessageId {
    /// [`event_key`] of the event.
    pub event: String,
    /// [`message_key`] of the message.
    pub message: String,
}

impl MessageId {
    /// Reads an id as it is written; `None` for what is none of ours.
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

/// A text that is no message's id.
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

/// The hash by which the same event id with another content is told apart: canonical JSON (sorted keys, no blanks) of
/// `type`, `occurred_at`, `language` and `data`.
#[must_use]
pub fn content_hash(document: &Value) -> String {
    let part = |name: &str| document.get(name).cloned().unwrap_or(Value::Null);
    // serde_json's map is a BTreeMap: keys come out sorted.
    let canonical = json!([part("type"), part("occurred_at"), part("language"), part("data")]);
    to_hex(&Sha256::digest(canonical.to_string()))
}

/// The stack's secret for pseudonyms: it lets a contact be recognised and not be read.
#[derive(Clone)]
pub struct ContactSecret(Vec<u8>);

/// A secret too short to protect phone numbers, of which there are only some billions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secret for contacts must have at least {CONTACT_SECRET_BYTES_MIN} bytes")]
pub struct WeakSecret;

const CONTACT_SECRET_BYTES_MIN: usize = 32;

impl ContactSecret {
    /// Takes the secret's text: base64 is decoded, any other text is taken as it is.
    ///
    /// # Errors
    /// [`WeakSecret`] if it is too short.
    pub fn parse(text: &str) -> Result<Self, WeakSecret> {
        let bytes = STANDARD.decode(text).unwrap_or_else(|_| text.as_bytes().to_vec());
        if bytes.len() < CONTACT_SECRET_BYTES_MIN { Err(WeakSecret) } else { Ok(Self(bytes)) }
    }

    /// The pseudonym of a number at a site.
    #[must_use]
    pub fn contact_key(&self, site: &SiteId, phone: &Phone) -> String {
        self.pseudonym(&[site.as_str(), phone.as_e164()])
    }

    /// The pseudonym of a person's number at a site; `None` where they have none.
    #[must_use]
    pub fn contact_of(&self, site: &Site, person: &Person) -> Option<String> {
        let country = site.country(person.country.as_deref());
        let phone = Phone::parse(person.phone.as_deref()?, country).ok()?;
        Some(self.contact_key(&site.id, &phone))
    }

    /// The item that says which number another id of WhatsApp's stands for, such as a `wa_id` that is written another way.
    #[must_use]
    pub fn alias_key(&self, site: &SiteId, id: &str) -> String {
        format!("ALIAS#{site}#{}", self.pseudonym(&[site.as_str(), "alias", id]))
    }

    /// The item that holds what the owner of a number said to a sender number, whichever site sent from it.
    #[must_use]
    pub fn sender_contact_key(&self, phone_number_id: &str, phone: &Phone) -> String {
        let pseudonym = self.pseudonym(&["sender", phone_number_id, phone.as_e164()]);
        format!("SENDER#{phone_number_id}#{pseudonym}")
    }

    /// As [`sender_contact_key`](Self::sender_contact_key), under the id of WhatsApp's by which it was said.
    #[must_use]
    pub fn sender_alias_key(&self, phone_number_id: &str, id: &str) -> String {
        let pseudonym = self.pseudonym(&["sender", phone_number_id, "alias", id]);
        format!("SENDER#{phone_number_id}#{pseudonym}")
    }

    /// The item that holds what is known of a person.
    #[must_use]
    pub fn person_key(&self, site: &SiteId, person: &ObjectId) -> String {
        format!("PERSON#{site}#{}", self.pseudonym(&[site.as_str(), "person", person.as_str()]))
    }

    fn pseudonym(&self, parts: &[&str]) -> String {
        // HMAC takes keys of any length: there is no error to have.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return String::new() };
        mac.update(parts.join("\0").as_bytes());
        to_hex(&mac.finalize().into_bytes())
    }
}

impl std::fmt::Debug for ContactSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ContactSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::primitives::phone::Country;

    #[test]
    fn keys_never_change() {
        let (site, event) = (SiteId::parse("demo").unwrap(), EventId::parse("c4a1b7e2-77").unwrap());
        let (mapping, person) = (MappingId::parse("orders").unwrap(), ObjectId::parse("C7").unwrap());
        let id = MessageId { event: event_key(&site, &event), message: message_key(&mapping, &person, 1) };
        insta::assert_snapshot!(id, @"c8cf173c3af07f69d097e3183acd5a7e.b5bfc94316d4dca05b32295f5a731aec");
        assert_ne!(message_key(&mapping, &person, 2), id.message);
        assert_eq!(MessageId::parse(&id.to_string()), Some(id.clone()));
        let raised = reminder_event_id("R#1", "2026-11-22T13:00:00Z".parse().unwrap(), &event);
        insta::assert_snapshot!(raised, @"bridge:rem.d47b2a146991f9a3b16ef94c931e4904");
        for other in ["", "x.y", &id.event, &format!("{id}0"), &id.to_string().to_uppercase()] {
            assert_eq!(MessageId::parse(other), None, "{other}");
        }
        let latest = latest_event_key(&site, ["orders", "order:1320", "C7"]);
        let item = reminder_key(&site, &person, &person);
        let due_at = "2026-11-24T14:00:00Z".parse().unwrap();
        insta::assert_snapshot!(code_key(&site, "OC1/1320"), @"demo#code:f63f87f8e07552b016d7048f5e1916dd");
        assert_eq!(code_key(&site, " oc1/1320"), code_key(&site, "OC1/1320"));
        let keys = [
            pending_state_key(&latest),
            dedup_key(&site, ["orders", "order:1320", "C7"], "state", "Evaso"),
            collection_key(&site, ["files", "Listini", "C9", "C7"]),
            activity_key(&site, &person),
            cart_key(&site, &person),
            ended_cart_key(&site, &person, &person),
            left_cart_key(&site, &person, &person),
            carts_of_number_key(&site, &person, "c0ffee"),
            reminder_event_id(&item, due_at, &event),
            latest,
            item,
        ];
        insta::assert_snapshot!(keys.join("\n"), @r"
        HELD#587370522ae06daca9ffcef94c6f7764
        TOLD#ef6349e846c9de00d2c27bfd7ff427b5
        FILES#3f0c367e861fb0c231ac11c308f960b9
        ACTIVITY#1359d87898d4a6ea66a4525d669f1f8c
        CART#1359d87898d4a6ea66a4525d669f1f8c
        CARTEND#1764a0254807f43215b0215178507153
        CARTLEFT#1764a0254807f43215b0215178507153
        CART#e5975da3bbdb8e3d31950d4e599a0f7e
        bridge:rem.61c646787245c2b14ff673a9b5cf5e21
        SUBJECT#b39159e0ead97f102ff34d9b1ba7ebae
        R#1764a0254807f43215b0215178507153
        ");
    }

    #[test]
    fn the_content_hash_ignores_order_and_other_fields() {
        let one = json!({"id": "1", "type": "t", "data": {"a": 1, "b": [2]}, "received": 1});
        let same = json!({"data": {"b": [2], "a": 1}, "type": "t", "language": null, "id": "2"});
        assert_eq!(content_hash(&one), content_hash(&same));
        assert_ne!(content_hash(&one), content_hash(&json!({"type": "t", "data": {"a": 1, "b": [3]}})));
    }

    #[test]
    fn a_contact_is_a_pseudonym_of_site_and_number() {
        let secret = ContactSecret::parse(&STANDARD.encode([7; 32])).unwrap();
        let phone = Phone::parse("340 1234567", Country::ITALY).unwrap();
        let (demo, other) = (SiteId::parse("demo").unwrap(), SiteId::parse("other").unwrap());
        assert_eq!(secret.contact_key(&demo, &phone).len(), 64);
        assert_ne!(secret.contact_key(&demo, &phone), secret.contact_key(&other, &phone));
        let at_sender = [secret.sender_contact_key("111", &phone), secret.sender_alias_key("111", "IT.a1")];
        insta::assert_snapshot!(at_sender.join("\n"), @r"
        SENDER#111#b17024d98d3a47b6b3a2e67ca2e55ec065afe0f379ee62ee84888ad5af563437
        SENDER#111#c6c5424cd69f001972c0c97de2ad652d70f6718f9911e13e36debd579a12cc92
        ");
        let person = ObjectId::parse("C7").unwrap();
        assert!(secret.person_key(&demo, &person).starts_with("PERSON#demo#"));
        assert_eq!(ContactSecret::parse("short").unwrap_err(), WeakSecret);
        assert!(ContactSecret::parse(&"x".repeat(43)).is_ok());
        assert_eq!(format!("{secret:?}"), "ContactSecret(…)");
    }
}
