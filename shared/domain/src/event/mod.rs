//! What happened in Passweb: one type per kind of event, as the site's callback tells it.

mod parse;

use std::fmt;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::{EventId, ObjectId};
use crate::language::Language;
use crate::money::Money;
use crate::person::Person;

pub use parse::{EventError, OCCURRED_AHEAD_MAX, PERSONS_MAX};

/// An event of a site. Made by [`Event::parse`] only, so that what exists is valid.
#[derive(Clone, PartialEq)]
pub struct Event {
    /// The site's idempotency key.
    pub id: EventId,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The language of the browsing session, on e-commerce events.
    pub language: Option<Language>,
    /// What happened.
    pub data: EventData,
    /// The document as received, unknown fields included.
    pub document: Value,
}

/// Kinds of events, by the name they have in the callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventType {
    /// Notifica Stato Ordine.
    #[serde(rename = "order.status_changed")]
    OrderStatusChanged,
    /// Notifica invio messaggio.
    #[serde(rename = "message.sent")]
    MessageSent,
    /// Notifica Upload File.
    #[serde(rename = "file.uploaded")]
    FileUploaded,
}

impl EventType {
    /// Every kind, in the order of the contract.
    pub const ALL: [Self; 3] = [Self::OrderStatusChanged, Self::MessageSent, Self::FileUploaded];

    /// The name in the callback.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OrderStatusChanged => "order.status_changed",
            Self::MessageSent => "message.sent",
            Self::FileUploaded => "file.uploaded",
        }
    }

    /// The kind of a name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether the event comes from the shop (orders, carts), not from the customer area. Decides whose language counts
    ///
    #[must_use]
    pub fn is_ecommerce(self) -> bool {
        matches!(self, Self::OrderStatusChanged)
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What an event tells, by its kind.
#[derive(Clone, Debug, PartialEq)]
pub enum EventData {
    /// A document entered a state.
    OrderStatusChanged {
        /// The document.
        order: Box<Order>,
        /// Its holder, the recipient.
        customer: Box<Person>,
    },
    /// A message was sent in the customer area.
    MessageSent {
        /// The message.
        message: SiteMessage,
        /// Who wrote it.
        sender: Box<Person>,
        /// Its addressees, the recipients.
        recipients: Vec<Person>,
        /// The channels the sender ticked.
        notify: Notify,
    },
    /// A file was uploaded to a folder of the customer area.
    FileUploaded {
        /// The file.
        file: File,
        /// The uploader.
        actor: Box<Person>,
        /// The folder's administrators, the recipients.
        administrators: Vec<Person>,
        /// The channels chosen in the folder.
        notify: Notify,
    },
}

/// The permissions of a customer-area event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notify {
    /// Whether the user ticked WhatsApp on the object.
    pub whatsapp: bool,
    /// Whether the sender's group has "Gestione Whatsapp".
    pub sender_may_notify: bool,
}

/// A document: order, delivery note, invoice, quote or return.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Passweb's number.
    pub id: ObjectId,
    /// The ERP's mark such as `OC1/1320`; absent until the ERP has the order.
    pub code: Option<String>,
    /// What kind of document it is.
    pub kind: OrderKind,
    /// The state entered, as text.
    pub status: String,
    /// The state left.
    pub previous_status: Option<String>,
    /// Grows with every change of the document.
    pub version: Option<u64>,
    /// The document's total.
    pub total: Money,
    /// Articles, expense articles excluded.
    pub item_count: u64,
    /// Sum of the articles' quantities.
    pub quantity: Option<u64>,
    /// The document's page on the site.
    pub url: Option<String>,
    /// The document's date.
    pub date: Option<Date>,
    /// When it is to be delivered.
    pub delivery_date: Option<Date>,
    /// How it is paid.
    pub payment: Option<String>,
    /// Who delivers it.
    pub carrier: Option<String>,
    /// The carrier's number of the shipment.
    pub tracking_number: Option<String>,
    /// The carrier's page of the shipment.
    pub tracking_url: Option<String>,
    /// The code of the order a delivery note or invoice came from.
    pub origin_code: Option<String>,
    /// The marketplace it was placed on, if any.
    pub marketplace: Option<String>,
}

/// Kinds of documents that share the order's events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderKind {
    /// An order (ordine).
    Order,
    /// A delivery note (bolla).
    DeliveryNote,
    /// An invoice (fattura).
    Invoice,
    /// A quote (preventivo).
    Quote,
    /// A return (reso).
    Return,
}

impl OrderKind {
    /// Every kind, by its name in the callback.
    const NAMES: [(&'static str, Self); 5] = [
        ("order", Self::Order),
        ("delivery_note", Self::DeliveryNote),
        ("invoice", Self::Invoice),
        ("quote", Self::Quote),
        ("return", Self::Return),
    ];
}

/// A message of the customer area.
#[derive(Clone, PartialEq, Eq)]
pub struct SiteMessage {
    /// Passweb's id.
    pub id: ObjectId,
    /// Its subject.
    pub subject: String,
    /// Its text; may have many lines.
    pub body: String,
    /// Its page on the site.
    pub url: Option<String>,
}

/// What people write stays out of logs.
impl fmt::Debug for SiteMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SiteMessage").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A file in a folder of the customer area.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Passweb's id.
    pub id: ObjectId,
    /// Its name.
    pub name: String,
    /// The folder's name.
    pub folder: String,
    /// Its page on the site.
    pub url: Option<String>,
}

impl Event {
    /// The event's kind.
    #[must_use]
    pub fn kind(&self) -> EventType {
        match self.data {
            EventData::OrderStatusChanged { .. } => EventType::OrderStatusChanged,
            EventData::MessageSent { .. } => EventType::MessageSent,
            EventData::FileUploaded { .. } => EventType::FileUploaded,
        }
    }

    /// What the event is about, as a name that is unique within the site.
    #[must_use]
    pub fn subject(&self) -> String {
        match &self.data {
            EventData::OrderStatusChanged { order, .. } => format!("order:{}", order.id),
            EventData::MessageSent { message, .. } => format!("message:{}", message.id),
            EventData::FileUploaded { file, .. } => format!("file:{}", file.id),
        }
    }

    /// The people the event's own rule names as recipients, as the event lists them.
    #[must_use]
    pub fn recipients(&self) -> &[Person] {
        match &self.data {
            EventData::OrderStatusChanged { customer, .. } => std::slice::from_ref(customer),
            EventData::MessageSent { recipients, .. } => recipients,
            EventData::FileUploaded { administrators, .. } => administrators,
        }
    }

    /// Who did what the event tells, where it says so.
    #[must_use]
    pub fn actor(&self) -> Option<&Person> {
        match &self.data {
            EventData::OrderStatusChanged { .. } => None,
            EventData::MessageSent { sender, .. } => Some(sender),
            EventData::FileUploaded { actor, .. } => Some(actor),
        }
    }

    /// The permissions of a customer-area event; `None` for events of the shop.
    #[must_use]
    pub fn notify(&self) -> Option<Notify> {
        match &self.data {
            EventData::OrderStatusChanged { .. } => None,
            EventData::MessageSent { notify, .. } | EventData::FileUploaded { notify, .. } => Some(*notify),
        }
    }
}

/// Shows no personal data: the document stays out.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Event");
        debug.field("id", &self.id).field("type", &self.kind()).field("occurred_at", &self.occurred_at);
        debug.finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
