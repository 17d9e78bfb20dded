//! The events of Passweb: one type per kind of event, as reported by the site's callback.
//!
//! [`kind`](EventType) lists the kinds, [`EventData`] holds the data of each kind, and [`Event::parse`] parses the
//! callback.

mod activity;
pub mod activity_state;
mod contract;
mod data;
pub mod example;
mod kind;
mod notify;
mod objects;
pub mod order_state;
mod parse;
pub mod person;
mod read;
mod schema;
mod unknown;
mod version;

use std::collections::BTreeSet;
use std::fmt;
use std::slice::from_ref;

use jiff::Timestamp;
use serde_json::Value;

use crate::event::person::Person;
use crate::primitives::id::{EventId, ObjectId};
use crate::primitives::language::Language;

pub use activity::{Activity, ActivityTime, DueReminder, MINUTES_BEFORE_MAX, REMINDERS_MAX, Reminder};
#[cfg(test)]
pub(crate) use contract::reduce;
pub use data::{EventData, FileAction, StatusChange};
pub use kind::{EventType, EventTypeError, Notification};
pub use notify::Notify;
pub use objects::{Cart, CartEnd, File, Order, OrderKind, PublishedDocument, SiteMessage};
pub use parse::EventError;
pub use read::{DOCUMENTS_MAX, OCCURRED_AHEAD_MAX, PERSONS_MAX};
pub use schema::schema;
pub use unknown::unknown_fields;
pub use version::EventVersion;

/// An event of a site. Only [`Event::parse`] and `Event::parse_any` create it, so that every event is valid.
#[derive(Clone, PartialEq)]
pub struct Event {
    /// The site's idempotency key.
    pub id: EventId,
    /// When the event happened.
    pub occurred_at: Timestamp,
    /// The language of the browsing session, on e-commerce events.
    pub language: Option<Language>,
    /// The data of the event.
    pub data: EventData,
    /// The document as received, including unknown fields.
    pub document: Value,
}

impl Event {
    /// Returns the event's kind.
    #[must_use]
    pub fn kind(&self) -> EventType {
        match self.data {
            EventData::OrderStatusChanged { .. } => EventType::OrderStatusChanged,
            EventData::CartAbandoned { .. } => EventType::CartAbandoned,
            EventData::CartClosed { .. } => EventType::CartClosed,
            EventData::MessageSent { .. } => EventType::MessageSent,
            EventData::MessageRead { .. } => EventType::MessageRead,
            EventData::ActivitySaved { .. } => EventType::ActivitySaved,
            EventData::ActivityDeleted { .. } => EventType::ActivityDeleted,
            EventData::ActivityStatusChanged(_) => EventType::ActivityStatusChanged,
            EventData::ActivityAcknowledged { .. } => EventType::ActivityAcknowledged,
            EventData::ActivityReminder { .. } => EventType::ActivityReminder,
            EventData::FileUploaded(_) => EventType::FileUploaded,
            EventData::FileDownloaded(_) => EventType::FileDownloaded,
            EventData::FilePreviewed(_) => EventType::FilePreviewed,
            EventData::DocumentsPublished { .. } => EventType::DocumentsPublished,
            EventData::CustomerUpdated { .. } => EventType::CustomerUpdated,
        }
    }

    /// Returns the event's subject as a name that is unique within the site.
    #[must_use]
    pub fn subject(&self) -> String {
        let (what, id) = match &self.data {
            EventData::OrderStatusChanged { order, .. } => ("order", &order.id),
            EventData::CartAbandoned { cart, .. } => ("cart", &cart.id),
            EventData::CartClosed { cart, .. } => ("cart", cart),
            EventData::MessageSent { message, .. } | EventData::MessageRead { message, .. } => ("message", &message.id),
            EventData::ActivitySaved { activity, .. }
            | EventData::ActivityAcknowledged { activity, .. }
            | EventData::ActivityReminder { activity, .. } => ("activity", &activity.id),
            EventData::ActivityStatusChanged(change) => ("activity", &change.activity.id),
            EventData::ActivityDeleted { activity } => ("activity", activity),
            EventData::FileUploaded(action) | EventData::FileDownloaded(action) | EventData::FilePreviewed(action) => {
                ("file", &action.file.id)
            }
            EventData::DocumentsPublished { company: person, .. } | EventData::CustomerUpdated { customer: person } => {
                ("person", &person.id)
            }
        };
        format!("{what}:{id}")
    }

    /// Returns the subject's code as customers see it, `OC1/1320`; `None` if it has none.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match &self.data {
            EventData::OrderStatusChanged { order, .. } => order.code.as_deref(),
            _ => None,
        }
    }

    /// Returns the recipients by the event's own rule, in the order of the event. A mapping may use another rule.
    #[must_use]
    pub fn recipients(&self) -> &[Person] {
        match &self.data {
            EventData::OrderStatusChanged { customer, .. } | EventData::CartAbandoned { customer, .. } => {
                from_ref(customer)
            }
            EventData::MessageSent { recipients, .. } => recipients,
            EventData::MessageRead { sender, .. } => from_ref(sender),
            EventData::ActivityStatusChanged(change) => from_ref(&change.creator),
            EventData::ActivityAcknowledged { creator, .. } => from_ref(creator),
            EventData::ActivityReminder { owner: Some(owner), .. } => from_ref(owner),
            EventData::ActivityReminder { owner: None, assignees, .. } => assignees,
            EventData::FileUploaded(action) | EventData::FileDownloaded(action) | EventData::FilePreviewed(action) => {
                &action.administrators
            }
            EventData::DocumentsPublished { company, .. } => from_ref(company),
            EventData::CartClosed { .. }
            | EventData::ActivitySaved { .. }
            | EventData::ActivityDeleted { .. }
            | EventData::CustomerUpdated { .. } => &[],
        }
    }

    /// Returns a person with an id among the possible recipients under any rule.
    #[must_use]
    pub fn recipient(&self, id: &ObjectId) -> Option<&Person> {
        let assignees: &[Person] = match &self.data {
            EventData::ActivityStatusChanged(change) => &change.assignees,
            _ => &[],
        };
        self.recipients().iter().chain(assignees).find(|person| person.id == *id)
    }

    /// Returns the languages of the session and the recipients in which WhatsApp has no templates, each once.
    #[must_use]
    pub fn unknown_languages(&self) -> BTreeSet<&Language> {
        let own = self.recipients().iter().filter_map(|person| person.language.as_ref());
        self.language.iter().chain(own).filter(|language| !language.is_offered()).collect()
    }

    /// Returns the person who performed the action; `None` if the event names nobody.
    #[must_use]
    pub fn actor(&self) -> Option<&Person> {
        match &self.data {
            EventData::MessageSent { sender, .. } => Some(sender),
            EventData::MessageRead { reader, .. } => Some(reader),
            EventData::ActivityStatusChanged(change) => Some(&change.actor),
            EventData::ActivityAcknowledged { actor, .. } => Some(actor),
            EventData::FileUploaded(action) | EventData::FileDownloaded(action) | EventData::FilePreviewed(action) => {
                Some(&action.actor)
            }
            _ => None,
        }
    }

    /// Returns the activity, on events of an activity that was not deleted.
    #[must_use]
    pub fn activity(&self) -> Option<&Activity> {
        match &self.data {
            EventData::ActivitySaved { activity, .. }
            | EventData::ActivityAcknowledged { activity, .. }
            | EventData::ActivityReminder { activity, .. } => Some(activity),
            EventData::ActivityStatusChanged(change) => Some(&change.activity),
            _ => None,
        }
    }

    /// Returns the action on a file; `None` on other events.
    #[must_use]
    pub fn file_action(&self) -> Option<&FileAction> {
        match &self.data {
            EventData::FileUploaded(action) | EventData::FileDownloaded(action) | EventData::FilePreviewed(action) => {
                Some(action)
            }
            _ => None,
        }
    }

    /// Returns the permissions of a customer-area event that messages can be sent about; `None` for other events.
    #[must_use]
    pub fn notify(&self) -> Option<Notify> {
        match &self.data {
            EventData::MessageSent { notify, .. }
            | EventData::MessageRead { notify, .. }
            | EventData::ActivityAcknowledged { notify, .. }
            | EventData::ActivityReminder { notify, .. }
            | EventData::DocumentsPublished { notify, .. } => Some(*notify),
            EventData::ActivityStatusChanged(change) => Some(change.notify),
            EventData::FileUploaded(action) | EventData::FileDownloaded(action) | EventData::FilePreviewed(action) => {
                Some(action.notify)
            }
            _ => None,
        }
    }
}

/// Omits the document, so that no personal data is shown.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Event");
        debug.field("id", &self.id).field("type", &self.kind()).field("occurred_at", &self.occurred_at);
        debug.finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
