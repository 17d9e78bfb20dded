//! What each kind of event tells.

use crate::event::person::Person;
use crate::event::{Activity, Cart, CartEnd, DueReminder, File, Order, PublishedDocument, Reminder, SiteMessage};
use crate::primitives::id::ObjectId;

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
    /// A cart was left.
    CartAbandoned {
        /// The cart.
        cart: Cart,
        /// Whose it is, the recipient.
        customer: Box<Person>,
    },
    /// A cart that was left is no longer to be reminded of.
    CartClosed {
        /// The cart.
        cart: ObjectId,
        /// Whose it was.
        customer: ObjectId,
        /// Why.
        reason: CartEnd,
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
    /// A message was read by an addressee.
    MessageRead {
        /// The message.
        message: SiteMessage,
        /// Who read it.
        reader: Box<Person>,
        /// Who wrote it, the recipient.
        sender: Box<Person>,
        /// The channels the sender ticked.
        notify: Notify,
    },
    /// An activity was created or changed: its reminders are these from now on.
    ActivitySaved {
        /// The activity.
        activity: Box<Activity>,
        /// Who created it.
        creator: Box<Person>,
        /// Whom it is assigned to.
        assignees: Vec<Person>,
        /// All its reminders.
        reminders: Vec<Reminder>,
        /// Whether the creator's group has "Gestione Whatsapp".
        sender_may_notify: bool,
    },
    /// An activity was deleted, its reminders with it.
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
        /// Who opened it.
        actor: Box<Person>,
        /// Who created it, the recipient.
        creator: Box<Person>,
        /// The channels the creator ticked.
        notify: Notify,
    },
    /// A reminder of an activity is due.
    ActivityReminder {
        /// The activity.
        activity: Box<Activity>,
        /// The reminder.
        reminder: DueReminder,
        /// Whose reminder it is, the recipient (C-2).
        owner: Option<Box<Person>>,
        /// Whom the activity is assigned to: the recipients where the reminder is nobody's own.
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
    /// Docuvision published documents of a company: one notice, however many.
    DocumentsPublished {
        /// The company, the recipient.
        company: Box<Person>,
        /// The documents, at least one.
        documents: Vec<PublishedDocument>,
        /// The channels switched on for documents.
        notify: Notify,
    },
    /// A person's record changed.
    CustomerUpdated {
        /// The record as it is now.
        customer: Box<Person>,
    },
}

/// An activity that entered a state.
#[derive(Clone, Debug, PartialEq)]
pub struct StatusChange {
    /// The activity.
    pub activity: Activity,
    /// The state left, as text.
    pub old_state: String,
    /// The state entered, as text.
    pub new_state: String,
    /// Who changed it.
    pub actor: Person,
    /// Who created the activity, the recipient unless the mapping says otherwise (C-1).
    pub creator: Person,
    /// Whom the activity is assigned to.
    pub assignees: Vec<Person>,
    /// The channels the creator ticked.
    pub notify: Notify,
}

/// Somebody did something with a file.
#[derive(Clone, Debug, PartialEq)]
pub struct FileAction {
    /// The file.
    pub file: File,
    /// Who did it.
    pub actor: Person,
    /// The folder's administrators, the recipients.
    pub administrators: Vec<Person>,
    /// The channels chosen in the folder.
    pub notify: Notify,
}

/// The permissions of a customer-area event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notify {
    /// Whether the user ticked WhatsApp on the object.
    pub whatsapp: bool,
    /// Whether the sender's group has "Gestione Whatsapp".
    pub sender_may_notify: bool,
}
