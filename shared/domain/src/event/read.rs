//! Reads the objects of a callback from JSON.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::{Cart, CartEnd, File, Order, OrderKind, PublishedDocument, SiteMessage};
use crate::event::person::Person;
use crate::primitives::id::ObjectId;
use crate::primitives::json::Reader;
use crate::primitives::money::Money;

/// How far `occurred_at` may be ahead of our clock. Clocks differ by a few minutes at most.
pub const OCCURRED_AHEAD_MAX: SignedDuration = SignedDuration::from_mins(5);
/// Maximum number of people in one list of an event.
pub const PERSONS_MAX: usize = 100;
/// Maximum number of documents in one event. More would not fit.
pub const DOCUMENTS_MAX: usize = 1000;

#[derive(Debug, thiserror::Error)]
pub(super) enum InstantError {
    #[error("must be a time with an offset such as 2026-11-22T10:15:00+01:00 (RFC 3339)")]
    Format,
    #[error("lies more than 5 minutes in the future")]
    Ahead,
    #[error("lies before the year 2000")]
    Ancient,
}

/// Whether a text has RFC 3339 format. jiff also accepts times without seconds or separators, and zones in brackets.
pub(super) fn is_rfc3339(text: &str) -> bool {
    let has_separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')]
        .into_iter()
        .all(|(at, separator)| text.as_bytes().get(at) == Some(&separator));
    has_separators && !text.contains('[')
}

/// Reads an RFC 3339 time. The offset is required; the zone of a local time is never guessed.
pub(super) fn instant(text: &str, now: Timestamp) -> Result<Timestamp, InstantError> {
    if !is_rfc3339(text) {
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

/// 2000-01-01T00:00:00Z in Unix seconds. No Passweb site is older, and times that sort as text need four-digit years.
const YEAR_2000_SECONDS: i64 = 946_684_800;

pub(super) fn people(list: &Reader<'_>) -> Option<Vec<Person>> {
    list.list(PERSONS_MAX, Person::read)
}

pub(super) fn order(order: &Reader<'_>) -> Option<Order> {
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

pub(super) fn site_message(message: &Reader<'_>) -> Option<SiteMessage> {
    message.object()?;
    let id = message.field("id").parsed(ObjectId::parse);
    // Either may be empty: people send messages without a subject.
    let (subject, body) = (message.field("subject").text(), message.field("body").text());
    let url = optional_text(message, "url");
    Some(SiteMessage { id: id?, subject: subject?.to_owned(), body: body?.to_owned(), url: url? })
}

pub(super) fn file(file: &Reader<'_>) -> Option<File> {
    file.object()?;
    let id = file.field("id").parsed(ObjectId::parse);
    let (name, folder) = (required_text(file, "name"), required_text(file, "folder"));
    let url = optional_text(file, "url");
    Some(File { id: id?, name: name?, folder: folder?, url: url? })
}

pub(super) fn cart(cart: &Reader<'_>, now: Timestamp) -> Option<Cart> {
    cart.object()?;
    let id = cart.field("id").parsed(ObjectId::parse);
    let abandoned_at = cart.field("abandoned_at").parsed(|text| instant(text, now));
    let (total, item_count) = (Money::read(&cart.field("total")), cart.field("item_count").count());
    let url = optional_text(cart, "url");
    let created_by_agent = cart.field("created_by_agent").or(false, Reader::boolean);
    Some(Cart {
        id: id?,
        abandoned_at: abandoned_at?,
        total: total?,
        item_count: item_count?,
        url: url?,
        created_by_agent: created_by_agent?,
    })
}

pub(super) fn documents(list: &Reader<'_>) -> Option<Vec<PublishedDocument>> {
    let documents = list.list(DOCUMENTS_MAX, |document| {
        document.object()?;
        let (name, class) = (required_text(document, "name"), optional_text(document, "class"));
        let folder = optional_text(document, "folder");
        Some(PublishedDocument { name: name?, class: class?, folder: folder? })
    })?;
    if documents.is_empty() {
        list.fault("must have at least one item");
        return None;
    }
    Some(documents)
}

pub(super) fn cart_end(text: &str) -> Result<CartEnd, &'static str> {
    let named = CartEnd::NAMES.into_iter().find(|(name, _)| *name == text);
    named.map(|(_, end)| end).ok_or("must be one of ordered, emptied, recovered")
}

fn order_kind(text: &str) -> Result<OrderKind, &'static str> {
    let named = OrderKind::NAMES.into_iter().find(|(name, _)| *name == text);
    named.map(|(_, kind)| kind).ok_or("must be one of order, delivery_note, invoice, quote, return")
}

pub(super) fn civil_date(text: &str) -> Result<Date, &'static str> {
    // jiff would also accept a time after the date, and drop it.
    if text.len() != "2026-11-22".len() {
        return Err("must be a date such as 2026-11-22");
    }
    text.parse().map_err(|_| "must be a date such as 2026-11-22")
}

/// Reads a required text that is not blank.
pub(super) fn required_text(reader: &Reader<'_>, name: &str) -> Option<String> {
    reader.field(name).parsed(
        |text| {
            if text.trim().is_empty() { Err("must not be empty") } else { Ok(text.to_owned()) }
        },
    )
}

/// Reads an optional text. A blank text counts as absent.
pub(super) fn optional_text(reader: &Reader<'_>, name: &str) -> Option<Option<String>> {
    let text = reader.field(name).optional(Reader::text)?;
    Some(text.filter(|text| !text.trim().is_empty()).map(str::to_owned))
}
