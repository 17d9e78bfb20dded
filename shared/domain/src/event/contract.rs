//! The fields of each kind of event, as data.
//!
//! They describe what [`Event::parse`](super::Event::parse) reads, for developers of the callbacks. The tests compare
//! both.

use super::EventType;
use super::activity::{MINUTES_BEFORE_MAX, REMINDERS_MAX};
use super::notify::CHANNELS_MAX;
use super::read::{DOCUMENTS_MAX, PERSONS_MAX};

/// A field of an object.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) required: bool,
    pub(super) shape: Shape,
    /// The field's meaning, in English.
    pub(super) meaning: &'static str,
}

/// The valid values of a field.
pub(super) enum Shape {
    /// Passweb's id of an object.
    Id,
    /// A text, which may be empty.
    Text,
    /// A text that is not blank.
    Filled,
    /// An integer from 0 to this maximum.
    Count(u64),
    /// True or false.
    Flag,
    /// A decimal number as text.
    Amount,
    /// An ISO 4217 currency code.
    Currency,
    /// A language code.
    Language,
    /// A date.
    Day,
    /// An RFC 3339 time with an offset.
    Time,
    /// A date for whole-day activities, otherwise a time.
    DayOrTime,
    /// A name in the IANA time zone database.
    Zone,
    /// One of a set of words.
    Choice(&'static [&'static str]),
    /// A list of `min` to `max` items.
    List { of: &'static Shape, min: usize, max: usize },
    /// An object, with its name among the schema's definitions.
    Object(&'static str, &'static [Field]),
}

const fn required(name: &'static str, shape: Shape, meaning: &'static str) -> Field {
    Field { name, required: true, shape, meaning }
}

const fn optional(name: &'static str, shape: Shape, meaning: &'static str) -> Field {
    Field { name, required: false, shape, meaning }
}

/// Returns the fields of `data`.
pub(super) fn data_of(kind: EventType) -> &'static [Field] {
    match kind {
        EventType::OrderStatusChanged => const { &[required("order", ORDER, "The document."), HOLDER] },
        EventType::CartAbandoned => const { &[required("cart", CART, "The abandoned cart."), HOLDER] },
        EventType::CartClosed => CART_CLOSED,
        EventType::MessageSent => MESSAGE_SENT,
        EventType::MessageRead => MESSAGE_READ,
        EventType::ActivitySaved => ACTIVITY_SAVED,
        EventType::ActivityDeleted => const { &[required("activity", REFERENCE, "The activity.")] },
        EventType::ActivityStatusChanged => ACTIVITY_STATUS_CHANGED,
        EventType::ActivityAcknowledged => ACTIVITY_ACKNOWLEDGED,
        EventType::ActivityReminder => ACTIVITY_REMINDER,
        EventType::FileUploaded | EventType::FileDownloaded | EventType::FilePreviewed => FILE_ACTION,
        EventType::DocumentsPublished => DOCUMENTS_PUBLISHED,
        EventType::CustomerUpdated => const { &[required("customer", PERSON, "The current record.")] },
    }
}

const HOLDER: Field = required("customer", PERSON, "The holder of the document or cart: the recipient.");
const NOTIFY: Field = required(
    "notify",
    CHANNELS,
    "The channels that the user ticked. A message is sent only if whatsapp is among them.",
);
const MAY_NOTIFY: Field = optional(
    "sender_may_notify",
    Shape::Flag,
    "Whether the sender's group has \"Gestione Whatsapp\"; if absent, true.",
);

const CART_CLOSED: &[Field] = &[
    required("cart", REFERENCE, "The cart."),
    required("customer", REFERENCE, "The cart's owner."),
    required("reason", Shape::Choice(&["ordered", "emptied", "recovered"]), "Why the cart was closed."),
];
const MESSAGE_SENT: &[Field] = &[
    required("message", MESSAGE, "The message."),
    required("sender", PERSON, "The sender."),
    required("recipients", PEOPLE, "The addressees: the recipients. Groups are resolved to their members."),
    NOTIFY,
    MAY_NOTIFY,
];
const MESSAGE_READ: &[Field] = &[
    required("message", MESSAGE, "The message."),
    required("sender", PERSON, "The sender: the recipient."),
    required("reader", PERSON, "The reader."),
    NOTIFY,
    MAY_NOTIFY,
];
const ACTIVITY_SAVED: &[Field] = &[
    required("activity", ACTIVITY, "The activity in its current state."),
    required("creator", PERSON, "The creator."),
    required("assignees", PEOPLE, "The assignees."),
    required(
        "reminders",
        Shape::List { of: &REMINDER, min: 0, max: REMINDERS_MAX },
        "All reminders of the activity. They replace all earlier ones.",
    ),
    MAY_NOTIFY,
];
const ACTIVITY_STATUS_CHANGED: &[Field] = &[
    required("activity", ACTIVITY, "The activity."),
    required("assignees", PEOPLE, "The assignees. They are recipients only if the mapping selects them."),
    required("old_state", Shape::Filled, "The previous state."),
    required("new_state", Shape::Filled, "The new state."),
    required("actor", PERSON, "The person who changed the state."),
    required("creator", PERSON, "The creator: the recipient, unless the mapping has another rule."),
    NOTIFY,
    MAY_NOTIFY,
];
const ACTIVITY_ACKNOWLEDGED: &[Field] = &[
    required("activity", ACTIVITY, "The activity."),
    required("actor", PERSON, "The person who opened the activity."),
    required("creator", PERSON, "The creator: the recipient."),
    NOTIFY,
    MAY_NOTIFY,
];
const ACTIVITY_REMINDER: &[Field] = &[
    required("activity", ACTIVITY, "The activity."),
    required("reminder", DUE_REMINDER, "The reminder that is due."),
    optional("owner", PERSON, "The reminder's owner: the recipient."),
    required("assignees", PEOPLE, "The assignees: the recipients if the reminder has no owner."),
    NOTIFY,
    MAY_NOTIFY,
];
const FILE_ACTION: &[Field] = &[
    required("file", FILE, "The file."),
    required("actor", PERSON, "The person who performed the action, who is not notified by default."),
    required("administrators", PEOPLE, "The administrators of the folder and of its parent folders: the recipients."),
    NOTIFY,
    MAY_NOTIFY,
];
const DOCUMENTS_PUBLISHED: &[Field] = &[
    required("company", PERSON, "The company: the recipient."),
    required(
        "documents",
        Shape::List { of: &DOCUMENT, min: 1, max: DOCUMENTS_MAX },
        "All documents published since the last event.",
    ),
    NOTIFY,
    MAY_NOTIFY,
];

const CHANNELS: Shape = Shape::List { of: &Shape::Text, min: 0, max: CHANNELS_MAX };
const PEOPLE: Shape = Shape::List { of: &PERSON, min: 0, max: PERSONS_MAX };
const GROUPS: Shape = Shape::List { of: &Shape::Text, min: 0, max: crate::event::person::GROUPS_MAX };

const REFERENCE: Shape = Shape::Object("reference", &[required("id", Shape::Id, "Passweb's id.")]);
const PERSON: Shape = Shape::Object(
    "person",
    &[
        required("id", Shape::Id, "Passweb's id."),
        optional("first_name", Shape::Text, "First name; absent for companies."),
        optional("last_name", Shape::Text, "Surname."),
        optional("company", Shape::Text, "Company name (Ragione Sociale)."),
        optional("phone", Shape::Text, "The phone field as typed, preferably with a country code: +39 340 1234567."),
        optional("language", Shape::Language, "The language that the person chose."),
        optional(
            "country",
            Shape::Text,
            "ISO 3166 code, such as IT, or a name in Italian, English, German, French or Spanish; if absent, the site's.",
        ),
        optional("groups", GROUPS, "The names of the person's user groups; absent if unknown."),
        optional("is_agent", Shape::Flag, "Whether the record belongs to an agent; if absent, false."),
        optional(
            "whatsapp_opt_out",
            Shape::Flag,
            "The field \"Opt Out Whatsapp\"; absent if unknown. The last recorded value then applies.",
        ),
        optional(
            "marketing_consent",
            Shape::Flag,
            "Consent to marketing; absent if unknown, which counts as no consent.",
        ),
    ],
);
const MONEY: Shape = Shape::Object(
    "money",
    &[
        required("amount", Shape::Amount, "The amount as a decimal string, such as 129.90."),
        required("currency", Shape::Currency, "ISO 4217 code, such as EUR."),
    ],
);
const ORDER: Shape = Shape::Object(
    "order",
    &[
        required("id", Shape::Id, "The document's number in Passweb."),
        optional("code", Shape::Text, "The ERP's code, such as OC1/1320; absent until the ERP has the document."),
        optional(
            "kind",
            Shape::Choice(&["order", "delivery_note", "invoice", "quote", "return"]),
            "The kind of document; if absent, order.",
        ),
        required("status", Shape::Filled, "The new state: any text, preferably as Passweb writes it."),
        optional("previous_status", Shape::Text, "The previous state."),
        optional("version", Shape::Count(u64::MAX), "Grows with every change of the document."),
        required("total", MONEY, "The document's total."),
        required("item_count", Shape::Count(u64::MAX), "The number of articles, without expense articles."),
        optional("quantity", Shape::Count(u64::MAX), "The sum of the articles' quantities."),
        optional("url", Shape::Text, "The document's page on the site."),
        optional("date", Shape::Day, "The document's date."),
        optional("delivery_date", Shape::Day, "The expected delivery date."),
        optional("payment", Shape::Text, "The payment method."),
        optional("carrier", Shape::Text, "The carrier."),
        optional("tracking_number", Shape::Text, "The carrier's tracking number."),
        optional("tracking_url", Shape::Text, "The carrier's tracking page."),
        optional("origin_code", Shape::Text, "The code of the order that a delivery note or invoice comes from."),
        optional(
            "marketplace",
            Shape::Text,
            "The marketplace on which the order was placed. By default, such orders are not notified.",
        ),
    ],
);
const CART: Shape = Shape::Object(
    "cart",
    &[
        required("id", Shape::Id, "Passweb's id."),
        required("abandoned_at", Shape::Time, "When the cart was abandoned."),
        required("total", MONEY, "The cart's total."),
        required("item_count", Shape::Count(u64::MAX), "The number of articles, without expense articles."),
        optional("url", Shape::Text, "The page that shows the cart."),
        optional(
            "created_by_agent",
            Shape::Flag,
            "Whether an agent filled the cart. No notice is sent about such a cart.",
        ),
    ],
);
const MESSAGE: Shape = Shape::Object(
    "message",
    &[
        required("id", Shape::Id, "Passweb's id."),
        required("subject", Shape::Text, "The subject, which may be empty."),
        required("body", Shape::Text, "The text without markup, which may have several lines."),
        optional("url", Shape::Text, "The message's page on the site."),
    ],
);
const ACTIVITY: Shape = Shape::Object(
    "activity",
    &[
        required("id", Shape::Id, "Passweb's id of the occurrence."),
        optional("series_id", Shape::Id, "The series that a repeated activity belongs to."),
        optional("version", Shape::Count(u64::MAX), "Grows with every change of the activity."),
        required("subject", Shape::Text, "The subject, which may be empty."),
        optional("description", Shape::Text, "The description."),
        required(
            "starts_at",
            Shape::DayOrTime,
            "When the activity begins. A numeric offset must be the offset of time_zone at that time; Z is always valid.",
        ),
        optional("ends_at", Shape::DayOrTime, "When the activity ends."),
        required(
            "all_day",
            Shape::Flag,
            "Whether the activity takes whole days. starts_at and ends_at are then dates.",
        ),
        required("time_zone", Shape::Zone, "The IANA time zone of the activity's times, such as Europe/Rome."),
        required(
            "state",
            Shape::Filled,
            "The current state: Pianificata, Annullata, Completata, Scaduta or any other text.",
        ),
        optional("url", Shape::Text, "The activity's page on the site."),
    ],
);
const MINUTES_BEFORE: Field =
    required("minutes_before", Shape::Count(MINUTES_BEFORE_MAX), "Minutes from the reminder to the activity's start.");
const DUE_REMINDER: Shape =
    Shape::Object("due_reminder", &[required("id", Shape::Id, "Passweb's id."), MINUTES_BEFORE]);
const REMINDER: Shape = Shape::Object(
    "reminder",
    &[
        required("id", Shape::Id, "Passweb's id."),
        MINUTES_BEFORE,
        required("notify", CHANNELS, "The channels ticked on the reminder."),
        optional("owner", PERSON, "The reminder's owner; if absent, it belongs to every assignee."),
    ],
);
const FILE: Shape = Shape::Object(
    "file",
    &[
        required("id", Shape::Id, "Passweb's id."),
        required("name", Shape::Filled, "The name."),
        required("folder", Shape::Filled, "The folder's displayed name."),
        optional("url", Shape::Text, "The file's page on the site."),
    ],
);
const DOCUMENT: Shape = Shape::Object(
    "document",
    &[
        required("name", Shape::Filled, "The name."),
        optional("class", Shape::Text, "The document's class in Docuvision."),
        optional("folder", Shape::Text, "The folder's displayed name."),
    ],
);

/// Reduces the data of an event to what the contract requires. A text that may be empty becomes empty.
#[cfg(test)]
pub(crate) fn reduce(kind: EventType, data: &mut serde_json::Value) {
    reduce_object(data_of(kind), data);
}

#[cfg(test)]
fn reduce_object(fields: &[Field], value: &mut serde_json::Value) {
    let Some(object) = value.as_object_mut() else { return };
    object.retain(|name, _| fields.iter().any(|field| field.name == name && field.required));
    for field in fields.iter().filter(|field| field.required) {
        if let Some(value) = object.get_mut(field.name) {
            reduce_value(&field.shape, value);
        }
    }
}

#[cfg(test)]
fn reduce_value(shape: &Shape, value: &mut serde_json::Value) {
    match shape {
        Shape::Text if value.is_string() => *value = "".into(),
        Shape::Object(_, fields) => reduce_object(fields, value),
        Shape::List { of: Shape::Object(_, fields), .. } => {
            value.as_array_mut().into_iter().flatten().for_each(|item| reduce_object(fields, item));
        }
        _ => {}
    }
}
