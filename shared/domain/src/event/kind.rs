//! The kinds of events, with their names in the callback.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kind of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum EventType {
    /// A document entered a state.
    OrderStatusChanged,
    /// A cart was abandoned.
    CartAbandoned,
    /// An abandoned cart was closed, so no notice is sent about it.
    CartClosed,
    /// A message was sent in the customer area.
    MessageSent,
    /// An addressee read a message.
    MessageRead,
    /// An activity of the agenda was created or changed.
    ActivitySaved,
    /// An activity was deleted.
    ActivityDeleted,
    /// An activity entered a state.
    ActivityStatusChanged,
    /// An addressee opened an activity.
    ActivityAcknowledged,
    /// An activity's reminder is due.
    ActivityReminder,
    /// A file was uploaded.
    FileUploaded,
    /// A file was downloaded.
    FileDownloaded,
    /// A file's preview was opened.
    FilePreviewed,
    /// Docuvision published documents of a company.
    DocumentsPublished,
    /// A person's record changed.
    CustomerUpdated,
}

/// When messages about an event of a kind are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notification {
    /// As soon as the event is received. Its plan contains the messages.
    AtOnce,
    /// At a later time, unless another event prevents it first. Its plan contains the messages, which wait.
    Later,
    /// Never. The event changes what is sent about other events, and its plan contains no message.
    Never,
}

/// The error for a text that is not the name of a kind of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no known event type")]
pub struct EventTypeError;

impl EventType {
    /// Every kind, in the order of the contract.
    pub const ALL: [Self; 15] = [
        Self::OrderStatusChanged,
        Self::CartAbandoned,
        Self::CartClosed,
        Self::MessageSent,
        Self::MessageRead,
        Self::ActivitySaved,
        Self::ActivityDeleted,
        Self::ActivityStatusChanged,
        Self::ActivityAcknowledged,
        Self::ActivityReminder,
        Self::FileUploaded,
        Self::FileDownloaded,
        Self::FilePreviewed,
        Self::DocumentsPublished,
        Self::CustomerUpdated,
    ];

    /// Returns the name in the callback and the Italian name, which is Passweb's type of action if there is one.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::OrderStatusChanged => ("order.status_changed", "Notifica Stato Ordine"),
            Self::CartAbandoned => ("cart.abandoned", "Notifica carrello abbandonato"),
            Self::CartClosed => ("cart.closed", "Carrello chiuso"),
            Self::MessageSent => ("message.sent", "Notifica invio messaggio"),
            Self::MessageRead => ("message.read", "Notifica lettura messaggio"),
            Self::ActivitySaved => ("activity.saved", "Attività salvata"),
            Self::ActivityDeleted => ("activity.deleted", "Attività eliminata"),
            Self::ActivityStatusChanged => ("activity.status_changed", "Notifica cambio stato attività"),
            Self::ActivityAcknowledged => ("activity.acknowledged", "Notifica presa visione attività"),
            Self::ActivityReminder => ("activity.reminder", "Promemoria attività"),
            Self::FileUploaded => ("file.uploaded", "Notifica Upload File"),
            Self::FileDownloaded => ("file.downloaded", "Notifica Download File"),
            Self::FilePreviewed => ("file.previewed", "Notifica presa visione File"),
            Self::DocumentsPublished => ("documents.published", "Documenti Docuvision"),
            Self::CustomerUpdated => ("customer.updated", "Anagrafica modificata"),
        }
    }

    /// Returns the name in the callback.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.names().0
    }

    /// Returns the Italian name that Passweb's users see.
    #[must_use]
    pub fn italian(self) -> &'static str {
        self.names().1
    }

    /// Returns the kind with a name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether the event comes from the shop (orders, carts) rather than the customer area. This determines whose
    /// language applies.
    #[must_use]
    pub fn is_ecommerce(self) -> bool {
        matches!(self, Self::OrderStatusChanged | Self::CartAbandoned | Self::CartClosed)
    }

    /// Returns when messages about an event of this kind are sent.
    #[must_use]
    pub fn notification(self) -> Notification {
        match self {
            Self::OrderStatusChanged
            | Self::MessageSent
            | Self::MessageRead
            | Self::ActivityStatusChanged
            | Self::ActivityAcknowledged
            | Self::ActivityReminder
            | Self::FileUploaded
            | Self::FileDownloaded
            | Self::FilePreviewed
            | Self::DocumentsPublished => Notification::AtOnce,
            Self::CartAbandoned => Notification::Later,
            Self::CartClosed | Self::ActivitySaved | Self::ActivityDeleted | Self::CustomerUpdated => {
                Notification::Never
            }
        }
    }
}

impl TryFrom<String> for EventType {
    type Error = EventTypeError;

    fn try_from(name: String) -> Result<Self, EventTypeError> {
        Self::of(&name).ok_or(EventTypeError)
    }
}

impl From<EventType> for String {
    fn from(kind: EventType) -> String {
        kind.name().to_owned()
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
