//! From a callback's JSON to an [`Event`].

use jiff::{SignedDuration, Timestamp, civil::Date};
use serde_json::Value;

use super::{Event, EventData, EventType, File, Notify, Order, OrderKind, SiteMessage};
use crate::id::{EventId, ObjectId};
use crate::json::{Fault, Faults, Reader};
use crate::language::Language;
use crate::money::Money;
use crate::person::Person;

/// How far ahead of our clock an event may claim to have happened: clocks differ by minutes, not more.
pub const OCCURRED_AHEAD_MAX: SignedDuration = SignedDuration::from_mins(5);
/// People an event may name, all roles together.
pub const PERSONS_MAX: usize = 100;
/// People in a list beside the one who wrote or uploaded.
const LIST_PERSONS_MAX: usize = PERSONS_MAX - 1;
/// Channels a user can tick; Passweb has four.
const CHANNELS_MAX: usize = 20;

/// Why a document is no event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// Its `type` is none the bridge knows.
    #[error("unknown event type")]
    UnknownType,
    /// Fields are missing or wrong; at least one.
    #[error("{} field(s) missing or wrong", .0.len())]
    Invalid(Vec<Fault>),
}

impl Event {
    /// Reads a callback's document. `now` bounds `occurred_at`.
    ///
    /// # Errors
    /// [`EventError::UnknownType`], or every fault found.
    pub fn parse(document: Value, now: Timestamp) -> Result<Self, EventError> {
        let faults = Faults::default();
        let root = Reader::root(&document, &faults);
        if root.object().is_none() {
            return Err(EventError::Invalid(faults.into_vec()));
        }
        let id = root.field("id").parsed(EventId::parse);
        let kind = root.field("type").text().map(EventType::of);
        if kind == Some(None) {
            return Err(EventError::UnknownType);
        }
        let occurred_at = root.field("occurred_at").parsed(|text| instant(text, now));
        let language = root.field("language").optional(|field| field.parsed(Language::parse));
        let data_field = root.field("data");
        let data = data_field.object().and_then(|_| kind.flatten().and_then(|kind| data(kind, &data_field)));
        match (id, occurred_at, language, data) {
            (Some(id), Some(occurred_at), Some(language), Some(data)) => {
                Ok(Self { id, occurred_at, language, data, document })
            }
            _ => Err(EventError::Invalid(faults.into_vec())),
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum InstantError {
    #[error("must be a time with an offset such as 2026-11-22T10:15:00+01:00 (RFC 3339)")]
    Format,
    #[error("lies more than 5 minutes in the future")]
    Ahead,
    #[error("lies before the year 2000")]
    Ancient,
}

/// Reads an RFC 3339 time; the offset is required, a local time is never guessed at.
fn instant(text: &str, now: Timestamp) -> Result<Timestamp, InstantError> {
    // jiff reads more than RFC 3339: times without seconds or separators, and zones in brackets.
    let has_separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')]
        .into_iter()
        .all(|(at, separator)| text.as_bytes().get(at) == Some(&separator));
    if !has_separators || text.contains('[') {
        return Err(InstantError::Format);
    }
    let instant: Timestamp = text.parse().map_err(|_| InstantError::Format)?;
    if instant.duration_since(now) > OCCURRED_AHEAD_MAX {
        return Err(InstantError::Ahead);
    }
    if instant.as_second() < YEAR_2000_SECONDS {
        return Err(InstantError::Ancient);
    }
    Ok(instant)
}

/// 2000-01-01T00:00:00Z in Unix seconds: no Passweb site is older, and times that sort as text need four digits a year.
const YEAR_2000_SECONDS: i64 = 946_684_800;

fn data(kind: EventType, data: &Reader<'_>) -> Option<EventData> {
    match kind {
        EventType::OrderStatusChanged => {
            let order = order(&data.field("order"));
            let customer = Person::read(&data.field("customer"));
            Some(EventData::OrderStatusChanged { order: Box::new(order?), customer: Box::new(customer?) })
        }
        EventType::MessageSent => {
            let message = site_message(&data.field("message"));
            let sender = Person::read(&data.field("sender"));
            let recipients = data.field("recipients").list(LIST_PERSONS_MAX, Person::read);
            let notify = notify(data);
            Some(EventData::MessageSent {
                message: message?,
                sender: Box::new(sender?),
                recipients: recipients?,
                notify: notify?,
            })
        }
        EventType::FileUploaded => {
            let file = file(&data.field("file"));
            let actor = Person::read(&data.field("actor"));
            let administrators = data.field("administrators").list(LIST_PERSONS_MAX, Person::read);
            let notify = notify(data);
            Some(EventData::FileUploaded {
                file: file?,
                actor: Box::new(actor?),
                administrators: administrators?,
                notify: notify?,
            })
        }
    }
}

fn notify(data: &Reader<'_>) -> Option<Notify> {
    let channels = data.field("notify").list(CHANNELS_MAX, |channel| channel.text().map(str::to_ascii_lowercase));
    let sender_may_notify = data.field("sender_may_notify").or(true, Reader::boolean);
    let whatsapp = channels?.iter().any(|channel| channel == "whatsapp");
    Some(Notify { whatsapp, sender_may_notify: sender_may_notify? })
}

fn order(order: &Reader<'_>) -> Option<Order> {
    order.object()?;
    let text = |name: &str| optional_text(order, name);
    let date = |name: &str| order.field(name).optional(|field| field.parsed(civil_date));
    let count = |name: &str| order.field(name).optional(Reader::count);
    let (id, code) = (order.field("id").parsed(ObjectId::parse), text("code"));
    let kind = order.field("kind").or(OrderKind::Order, |field| field.parsed(order_kind));
    let (status, previous_status) = (required_text(order, "status"), text("previous_status"));
    let (version, quantity) = (count("version"), count("quantity"));
    let (total, item_count) = (Money::read(&order.field("total")), order.field("item_count").count());
    let (url, tracking_url) = (text("url"), text("tracking_url"));
    let (order_date, delivery_date) = (date("date"), date("delivery_date"));
    let (payment, carrier, tracking_number) = (text("payment"), text("carrier"), text("tracking_number"));
    let (origin_code, marketplace) = (text("origin_code"), text("marketplace"));
    Some(Order {
        id: id?,
        code: code?,
        kind: kind?,
        status: status?,
        previous_status: previous_status?,
        version: version?,
        total: total?,
        item_count: item_count?,
        quantity: quantity?,
        url: url?,
        date: order_date?,
        delivery_date: delivery_date?,
        payment: payment?,
        carrier: carrier?,
        tracking_number: tracking_number?,
        tracking_url: tracking_url?,
        origin_code: origin_code?,
        marketplace: marketplace?,
    })
}

fn site_message(message: &Reader<'_>) -> Option<SiteMessage> {
    message.object()?;
    let id = message.field("id").parsed(ObjectId::parse);
    // Either may be empty: people send messages without a subject.
    let (subject, body) = (message.field("subject").text(), message.field("body").text());
    let url = optional_text(message, "url");
    Some(SiteMessage { id: id?, subject: subject?.to_owned(), body: body?.to_owned(), url: url? })
}

fn file(file: &Reader<'_>) -> Option<File> {
    file.object()?;
    let id = file.field("id").parsed(ObjectId::parse);
    let (name, folder) = (required_text(file, "name"), required_text(file, "folder"));
    let url = optional_text(file, "url");
    Some(File { id: id?, name: name?, folder: folder?, url: url? })
}

fn order_kind(text: &str) -> Result<OrderKind, &'static str> {
    let named = OrderKind::NAMES.into_iter().find(|(name, _)| *name == text);
    named.map(|(_, kind)| kind).ok_or("must be one of order, delivery_note, invoice, quote, return")
}

fn civil_date(text: &str) -> Result<Date, &'static str> {
    // jiff would also take a time behind the date and drop it.
    if text.len() != "2026-11-22".len() {
        return Err("must be a date such as 2026-11-22");
    }
    text.parse().map_err(|_| "must be a date such as 2026-11-22")
}

/// A text that says something.
fn required_text(reader: &Reader<'_>, name: &str) -> Option<String> {
    reader.field(name).parsed(
        |text| {
            if text.trim().is_empty() { Err("must not be empty") } else { Ok(text.to_owned()) }
        },
    )
}

/// A text, or nothing where it is absent or blank.
fn optional_text(reader: &Reader<'_>, name: &str) -> Option<Option<String>> {
    let text = reader.field(name).optional(Reader::text)?;
    Some(text.filter(|text| !text.trim().is_empty()).map(str::to_owned))
}
