//! The data of each kind of event.

use crate::event::person::Person;
use crate::event::{
    Activity, Cart, CartEnd, DueReminder, File, Notify, Order, PublishedDocument, Reminder, SiteMessage,
};
use crate::primitives::id::ObjectId;

/// An event's data, by kind.
#[derive(Clone, Debug, PartialEq)]
pub enum EventData {
    /// A document entered a state.
    OrderStatusChanged {
        /// The document.
        order: Box<Order>,
        /// The document's holder: the recipient.
        customer: Box<Person>,
    },
    /// A cart was abandoned.
    CartAbandoned {
        /// The cart.
        cart: Cart,
        /// The cart's owner: the recipient.
        customer: Box<Person>,
    },
    /// An abandoned cart was closed, so no notice is sent about it.
    CartClosed {
        /// The cart.
        cart: ObjectId,
        /// The cart's owner.
        customer: ObjectId,
        /// Why the cart was closed.
        reason: CartEnd,
    },
    /// A message was sent in the customer area.
    MessageSent {
        /// The message.
        message: SiteMessage,
        /// The sender.
        sender: Box<Person>,
        /// The addressees: the recipients.
        recipients: Vec<Person>,
        /// The channels that the sender ticked.
        notify: Notify,
    },
    /// An addressee read a message.
    MessageRead {
        /// The message.
        message: SiteMessage,
        /// The reader.
        reader: Box<Person>,
        /// The sender: the recipient.
        sender: Box<Person>,
        /// The channels that the sender ticked.
        notify: Notify,
    },
    /// An activity was created or changed. Its reminders replace all earlier ones.
    ActivitySaved {
        /// The activity.
        activity: Box<Activity>,
        /// The creator.
        creator: Box<Person>,
        /// The assignees.
        assignees: Vec<Person>,
        /// All reminders of the activity.
        reminders: Vec<Reminder>,
        /// Whether the creator's group has "Gestione Whatsapp".
        sender_may_notify: bool,
    },
    /// An activity was deleted, together with its reminders.
    ActivityDeleted {
        /// The activity.
        activity: ObjectId,
    },
    /// An activity entered a state.
    ActivityStatusChanged(Box<StatusChange>),
    /// An addressee opened an activity.
    ActivityAcknowledged {
        /// The activity.
        activity: Box<Activity>,
        /// The person who opened it.
        actor: Box<Person>,
        /// The creator: the recipient.
        creator: Box<Person>,
        /// The channels that the creator ticked.
        notify: Notify,
    },
    /// A reminder of an activity is due.
    ActivityReminder {
        /// The activity.
        activity: Box<Activity>,
        /// The reminder.
        reminder: DueReminder,
        /// The reminder's owner: the recipient (C-2).
        owner: Option<Box<Person>>,
        /// The assignees: the recipients if the reminder has no owner.
        assignees: Vec<Person>,
        /// The channels ticked on the reminder.
        notify: Notify,
    },
    /// A file was uploaded to a folder of the customer area.
    FileUploaded(Box<FileAction>),
    /// A file was downloaded.
    FileDownloaded(Box<FileAction>),
    /// A file's preview was opened.
    FilePreviewed(Box<FileAction>),
    /// Docuvision published documents of a company: one event for any number of documents.
    DocumentsPublished {
        /// The company: the recipient.
        company: Box<Person>,
        /// The documents, at least one.
        documents: Vec<PublishedDocument>,
        /// The channels enabled for documents.
        notify: Notify,
    },
    /// A person's record changed.
    CustomerUpdated {
        /// The current record.
        customer: Box<Person>,
    },
}

/// A change of an activity's state.
#[derive(Clone, Debug, PartialEq)]
pub struct StatusChange {
    /// The activity.
    pub activity: Activity,
    /// The previous state, as text.
    pub old_state: String,
    /// The new state, as text.
    pub new_state: String,
    /// The person who changed it.
    pub actor: Person,
    /// The activity's creator: the recipient, unless the mapping has another rule (C-1).
    pub creator: Person,
    /// The assignees.
    pub assignees: Vec<Person>,
    /// The channels that the creator ticked.
    pub notify: Notify,
}

/// An action on a file.
#[derive(Clone, Debug, PartialEq)]
pub struct FileAction {
    /// The file.
    pub file: File,
    /// The person who performed the action.
    pub actor: Person,
    /// The folder's administrators: the recipients.
    pub administrators: Vec<Person>,
    /// The channels chosen for the folder.
    pub notify: Notify,
}
