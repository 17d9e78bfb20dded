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
        EventType::CartAbandoned => const { &[required("cart", CART, "The cart that was left."), HOLDER] },
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
        EventType::CustomerUpdated => const { &[required("customer", PERSON, "The record as it is now.")] },
    }
}

const HOLDER: Field = required("customer", PERSON, "The holder of the document or cart, who is told.");
const NOTIFY: Field = required("notify", CHANNELS, "The channels the user ticked; whatsapp must be among them.");
const MAY_NOTIFY: Field =
    optional("sender_may_notify", Shape::Flag, "Whether the sender's group has \"Gestione Whatsapp\"; absent is true.");

const CART_CLOSED: &[Field] = &[
    required("cart", REFERENCE, "The cart."),
    required("customer", REFERENCE, "Whose cart it was."),
    required("reason", Shape::Choice(&["ordered", "emptied", "recovered"]), "Why it is not to be told of."),
];
const MESSAGE_SENT: &[Field] = &[
    required("message", MESSAGE, "The message."),
    required("sender", PERSON, "Who wrote it."),
    required("recipients", PEOPLE, "Its addressees, who are told; groups are resolved to their members."),
    NOTIFY,
    MAY_NOTIFY,
];
const MESSAGE_READ: &[Field] = &[
    required("message", MESSAGE, "The message."),
    required("sender", PERSON, "Who wrote it, and is told."),
    required("reader", PERSON, "Who read it."),
    NOTIFY,
    MAY_NOTIFY,
];
const ACTIVITY_SAVED: &[Field] = &[
    required("activity", ACTIVITY, "The activity as it is now."),
    required("creator", PERSON, "Who created it."),
    required("assignees", PEOPLE, "Whom it is assigned to."),
    required(
        "reminders",
        Shape::List { of: &REMINDER, min: 0, max: REMINDERS_MAX },
        "All its reminders: those known before are replaced.",
    ),
    MAY_NOTIFY,
];
const ACTIVITY_STATUS_CHANGED: &[Field] = &[
    required("activity", ACTIVITY, "The activity."),
    required("assignees", PEOPLE, "Whom it is assigned to; told if the mapping says so."),
    required("old_state", Shape::Filled, "The state it left."),
    required("new_state", Shape::Filled, "The state it entered."),
    required("actor", PERSON, "Who changed it."),
    required("creator", PERSON, "Who created it, and is told unless the mapping says otherwise."),
    NOTIFY,
    MAY_NOTIFY,
];
const ACTIVITY_ACKNOWLEDGED: &[Field] = &[
    required("activity", ACTIVITY, "The activity."),
    required("actor", PERSON, "Who opened it."),
    required("creator", PERSON, "Who created it, and is told."),
    NOTIFY,
    MAY_NOTIFY,
];
const ACTIVITY_REMINDER: &[Field] = &[
    required("activity", ACTIVITY, "The activity."),
    required("reminder", DUE_REMINDER, "The reminder that is due."),
    optional("owner", PERSON, "Whose reminder it is, who is told."),
    required("assignees", PEOPLE, "Whom the activity is assigned to, told where there is no owner."),
    NOTIFY,
    MAY_NOTIFY,
];
const FILE_ACTION: &[Field] = &[
    required("file", FILE, "The file."),
    required("actor", PERSON, "Who did it, and is never told."),
    required("administrators", PEOPLE, "The administrators of the folder and of those above it, who are told."),
    NOTIFY,
    MAY_NOTIFY,
];
const DOCUMENTS_PUBLISHED: &[Field] = &[
    required("company", PERSON, "The company, which is told."),
    required(
        "documents",
        Shape::List { of: &DOCUMENT, min: 1, max: DOCUMENTS_MAX },
        "Every new document since the last notice.",
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
        optional("phone", Shape::Text, "The phone field as it is; +39 340 1234567 is best."),
        optional("language", Shape::Language, "The language the person chose."),
        optional(
            "country",
            Shape::Text,
            "ISO 3166 code, IT, or a name in Italian, English, German, French or Spanish; absent is the site's.",
        ),
        optional("groups", GROUPS, "The user groups the person is in, by name; absent is unknown."),
        optional("is_agent", Shape::Flag, "Whether the record is an agent's; absent is false."),
        optional(
            "whatsapp_opt_out",
            Shape::Flag,
            "The field \"Opt Out Whatsapp\"; absent is unknown: what was recorded before stays.",
        ),
        optional("marketing_consent", Shape::Flag, "Consent to marketing; absent is unknown, which counts as no."),
    ],
);
const MONEY: Shape = Shape::Object(
    "money",
    &[
        required("amount", Shape::Amount, "The amount as a decimal string, 129.90."),
        required("currency", Shape::Currency, "ISO 4217 code, EUR."),
    ],
);
const ORDER: Shape = Shape::Object(
    "order",
    &[
        required("id", Shape::Id, "Passweb's number of the document."),
        optional("code", Shape::Text, "The ERP's mark, OC1/1320; absent until there is one."),
        optional(
            "kind",
            Shape::Choice(&["order", "delivery_note", "invoice", "quote", "return"]),
            "What kind of document it is; absent is order.",
        ),
        required("status", Shape::Filled, "The state entered; any text, best as Passweb writes it."),
        optional("previous_status", Shape::Text, "The state left."),
        optional("version", Shape::Count(u64::MAX), "Grows with every change of the document."),
        required("total", MONEY, "The document's total."),
        required("item_count", Shape::Count(u64::MAX), "Articles, expense articles excluded."),
        optional("quantity", Shape::Count(u64::MAX), "Sum of the articles' quantities."),
        optional("url", Shape::Text, "The document's page on the site."),
        optional("date", Shape::Day, "The document's date."),
        optional("delivery_date", Shape::Day, "When it is to be delivered."),
        optional("payment", Shape::Text, "How it is paid."),
        optional("carrier", Shape::Text, "Who delivers it."),
        optional("tracking_number", Shape::Text, "The carrier's number of the shipment."),
        optional("tracking_url", Shape::Text, "The carrier's page of the shipment."),
        optional("origin_code", Shape::Text, "Mark of the order a delivery note or invoice came from."),
        optional("marketplace", Shape::Text, "The marketplace it was placed on; such orders are not told by default."),
    ],
);
const CART: Shape = Shape::Object(
    "cart",
    &[
        required("id", Shape::Id, "Passweb's id."),
        required("abandoned_at", Shape::Time, "When it was left."),
        required("total", MONEY, "The cart's total."),
        required("item_count", Shape::Count(u64::MAX), "Articles, expense articles excluded."),
        optional("url", Shape::Text, "The page that shows the cart."),
        optional("created_by_agent", Shape::Flag, "Whether an agent filled it: such a cart is never told of."),
    ],
);
const MESSAGE: Shape = Shape::Object(
    "message",
    &[
        required("id", Shape::Id, "Passweb's id."),
        required("subject", Shape::Text, "Its subject; may be empty."),
        required("body", Shape::Text, "Its text without markup; may have many lines."),
        optional("url", Shape::Text, "Its page on the site."),
    ],
);
const ACTIVITY: Shape = Shape::Object(
    "activity",
    &[
        required("id", Shape::Id, "Passweb's id of the occurrence."),
        optional("series_id", Shape::Id, "The series of a repeated activity."),
        optional("version", Shape::Count(u64::MAX), "Grows with every change of the activity."),
        required("subject", Shape::Text, "Its subject; may be empty."),
        optional("description", Shape::Text, "Its description."),
        required(
            "starts_at",
            Shape::DayOrTime,
            "When it begins; an offset in figures must be the one time_zone has then, Z is any zone's.",
        ),
        optional("ends_at", Shape::DayOrTime, "When it ends."),
        required("all_day", Shape::Flag, "Whether it takes whole days: then starts_at and ends_at are dates."),
        required("time_zone", Shape::Zone, "IANA time zone the times are meant in, Europe/Rome."),
        required("state", Shape::Filled, "Pianificata, Annullata, Completata, Scaduta or any other text."),
        optional("url", Shape::Text, "Its page on the site."),
    ],
);
const MINUTES_BEFORE: Field =
    required("minutes_before", Shape::Count(MINUTES_BEFORE_MAX), "Minutes before the activity's start.");
const DUE_REMINDER: Shape =
    Shape::Object("due_reminder", &[required("id", Shape::Id, "Passweb's id."), MINUTES_BEFORE]);
const REMINDER: Shape = Shape::Object(
    "reminder",
    &[
        required("id", Shape::Id, "Passweb's id."),
        MINUTES_BEFORE,
        required("notify", CHANNELS, "The channels ticked on the reminder."),
        optional("owner", PERSON, "Whose reminder it is; absent: every assignee's."),
    ],
);
const FILE: Shape = Shape::Object(
    "file",
    &[
        required("id", Shape::Id, "Passweb's id."),
        required("name", Shape::Filled, "Its name."),
        required("folder", Shape::Filled, "The folder's name, to be shown."),
        optional("url", Shape::Text, "Its page on the site."),
    ],
);
const DOCUMENT: Shape = Shape::Object(
    "document",
    &[
        required("name", Shape::Filled, "Its name."),
        optional("class", Shape::Text, "Docuvision's class of it."),
        optional("folder", Shape::Text, "The folder's name, to be shown."),
    ],
);
