//! Parses a callback's JSON into an [`Event`].

use jiff::Timestamp;
use serde_json::Value;

use super::notify::sender_may_notify;
use super::read;
use super::{Activity, Event, EventData, EventType, FileAction, Notify, StatusChange, activity as agenda};
use crate::event::person::Person;
use crate::primitives::id::{EventId, ObjectId};
use crate::primitives::json::{DEPTH_MAX, Fault, Faults, Reader, depth, too_deep};
use crate::primitives::language::Language;

/// Why a document is not a valid event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// The bridge does not support the event's `type`.
    #[error("unknown event type")]
    UnknownType,
    /// At least one field is missing or wrong.
    #[error("{} field(s) missing or wrong", .0.len())]
    Invalid(Vec<Fault>),
}

impl Event {
    /// Parses a callback's document. `now` limits `occurred_at`.
    ///
    /// # Errors
    /// [`EventError::UnknownType`], or every fault found.
    pub fn parse(document: Value, now: Timestamp) -> Result<Self, EventError> {
        if depth(&document) >= DEPTH_MAX {
            return Err(EventError::Invalid(vec![too_deep()]));
        }
        Self::read(document, now, Faults::default(), |text| match EventId::parse(text) {
            Ok(id) if id.is_reserved() => Err("must not begin with bridge:, which is reserved".to_owned()),
            Ok(id) => Ok(id),
            Err(error) => Err(error.to_string()),
        })
    }

    /// Parses an event that was accepted before, or that the bridge raised itself. Otherwise like [`Event::parse`].
    ///
    /// # Errors
    /// The same as for [`Event::parse`].
    pub fn parse_any(document: Value, now: Timestamp) -> Result<Self, EventError> {
        let id = |text: &str| EventId::parse(text).map_err(|error| error.to_string());
        Self::read(document, now, Faults::of_stored(), id)
    }

    fn read(
        document: Value,
        now: Timestamp,
        faults: Faults,
        id: impl FnOnce(&str) -> Result<EventId, String>,
    ) -> Result<Self, EventError> {
        let root = Reader::root(&document, &faults);
        if root.object().is_none() {
            return Err(EventError::Invalid(faults.into_vec()));
        }
        let id = root.field("id").parsed(id);
        let kind = root.field("type").text().map(EventType::of);
        if kind == Some(None) {
            return Err(EventError::UnknownType);
        }
        let occurred_at = root.field("occurred_at").parsed(|text| read::instant(text, now));
        let language = root.field("language").optional(|field| field.parsed(Language::parse));
        let data_field = root.field("data");
        let data = data_field.object().and_then(|_| kind.flatten().and_then(|kind| data(kind, &data_field, now)));
        match (id, occurred_at, language, data) {
            (Some(id), Some(occurred_at), Some(language), Some(data)) => {
                Ok(Self { id, occurred_at, language, data, document })
            }
            _ => Err(EventError::Invalid(faults.into_vec())),
        }
    }
}

/// Reads `data`. Reads every field before it returns, so that all faults are recorded.
pub(super) fn data(kind: EventType, data: &Reader<'_>, now: Timestamp) -> Option<EventData> {
    match kind {
        EventType::OrderStatusChanged => {
            let (order, customer) = (read::order(&data.field("order")), person(data, "customer"));
            Some(EventData::OrderStatusChanged { order: Box::new(order?), customer: customer? })
        }
        EventType::CartAbandoned => {
            let (cart, customer) = (read::cart(&data.field("cart"), now), person(data, "customer"));
            Some(EventData::CartAbandoned { cart: cart?, customer: customer? })
        }
        EventType::CartClosed => {
            let (cart, customer) = (id_of(data, "cart"), id_of(data, "customer"));
            let reason = data.field("reason").parsed(read::cart_end);
            Some(EventData::CartClosed { cart: cart?, customer: customer?, reason: reason? })
        }
        EventType::MessageSent => message_sent(data),
        EventType::MessageRead => message_read(data),
        EventType::ActivitySaved => activity_saved(data),
        EventType::ActivityDeleted => Some(EventData::ActivityDeleted { activity: id_of(data, "activity")? }),
        EventType::ActivityStatusChanged => {
            status_change(data).map(|change| EventData::ActivityStatusChanged(Box::new(change)))
        }
        EventType::ActivityAcknowledged => activity_acknowledged(data),
        EventType::ActivityReminder => activity_reminder(data),
        EventType::FileUploaded => file_action(data).map(EventData::FileUploaded),
        EventType::FileDownloaded => file_action(data).map(EventData::FileDownloaded),
        EventType::FilePreviewed => file_action(data).map(EventData::FilePreviewed),
        EventType::DocumentsPublished => {
            let (company, documents) = (person(data, "company"), read::documents(&data.field("documents")));
            let notify = Notify::read(data);
            Some(EventData::DocumentsPublished { company: company?, documents: documents?, notify: notify? })
        }
        EventType::CustomerUpdated => Some(EventData::CustomerUpdated { customer: person(data, "customer")? }),
    }
}

fn message_sent(data: &Reader<'_>) -> Option<EventData> {
    let (message, sender) = (read::site_message(&data.field("message")), person(data, "sender"));
    let (recipients, notify) = (read::people(&data.field("recipients")), Notify::read(data));
    Some(EventData::MessageSent { message: message?, sender: sender?, recipients: recipients?, notify: notify? })
}

fn message_read(data: &Reader<'_>) -> Option<EventData> {
    let (message, reader) = (read::site_message(&data.field("message")), person(data, "reader"));
    let (sender, notify) = (person(data, "sender"), Notify::read(data));
    Some(EventData::MessageRead { message: message?, reader: reader?, sender: sender?, notify: notify? })
}

fn activity_saved(data: &Reader<'_>) -> Option<EventData> {
    let (activity, creator) = (whole_activity(data), person(data, "creator"));
    let assignees = read::people(&data.field("assignees"));
    let (reminders, permitted) = (agenda::reminders(&data.field("reminders")), sender_may_notify(data));
    Some(EventData::ActivitySaved {
        activity: activity?,
        creator: creator?,
        assignees: assignees?,
        reminders: reminders?,
        sender_may_notify: permitted?,
    })
}

fn status_change(data: &Reader<'_>) -> Option<StatusChange> {
    let (activity, assignees) = (Activity::read(&data.field("activity")), read::people(&data.field("assignees")));
    let (old, new) = (read::required_text(data, "old_state"), read::required_text(data, "new_state"));
    let (actor, creator) = (Person::read(&data.field("actor")), Person::read(&data.field("creator")));
    let notify = Notify::read(data);
    Some(StatusChange {
        activity: activity?,
        old_state: old?,
        new_state: new?,
        actor: actor?,
        creator: creator?,
        assignees: assignees?,
        notify: notify?,
    })
}

fn activity_acknowledged(data: &Reader<'_>) -> Option<EventData> {
    let (activity, actor, creator) = (whole_activity(data), person(data, "actor"), person(data, "creator"));
    let notify = Notify::read(data);
    Some(EventData::ActivityAcknowledged { activity: activity?, actor: actor?, creator: creator?, notify: notify? })
}

fn activity_reminder(data: &Reader<'_>) -> Option<EventData> {
    let (activity, reminder) = (whole_activity(data), agenda::due_reminder(&data.field("reminder")));
    let owner = data.field("owner").optional(|owner| Person::read(owner).map(Box::new));
    let (assignees, notify) = (read::people(&data.field("assignees")), Notify::read(data));
    Some(EventData::ActivityReminder {
        activity: activity?,
        reminder: reminder?,
        owner: owner?,
        assignees: assignees?,
        notify: notify?,
    })
}

fn whole_activity(data: &Reader<'_>) -> Option<Box<Activity>> {
    Activity::read(&data.field("activity")).map(Box::new)
}

fn file_action(data: &Reader<'_>) -> Option<Box<FileAction>> {
    let (file, actor) = (read::file(&data.field("file")), Person::read(&data.field("actor")));
    let (administrators, notify) = (read::people(&data.field("administrators")), Notify::read(data));
    Some(Box::new(FileAction { file: file?, actor: actor?, administrators: administrators?, notify: notify? }))
}

fn person(data: &Reader<'_>, name: &str) -> Option<Box<Person>> {
    Person::read(&data.field(name)).map(Box::new)
}

/// Reads the id of an object whose other fields are not needed.
fn id_of(data: &Reader<'_>, name: &str) -> Option<ObjectId> {
    let object = data.field(name);
    object.object()?;
    object.field("id").parsed(ObjectId::parse)
}
