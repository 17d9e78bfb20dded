//! Variables: what Passweb knows and a mapping can put into a placeholder. The list is data, shared by whoever renders,
//! checks or shows it.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::event::{Event, EventData, EventType, File, Order, SiteMessage};
use crate::money::Money;
use crate::person::Person;

/// What the value of a variable is taken from.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The event.
    pub event: &'a Event,
    /// Who is to be told.
    pub recipient: &'a Person,
    /// The site's home page.
    pub site_url: Option<&'a str>,
}

/// A value before it is written in a language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Raw<'a> {
    /// A text as it is.
    Text(&'a str),
    /// A text put together.
    Owned(String),
    /// An amount.
    Money(&'a Money),
    /// A number of things.
    Count(u64),
    /// A day.
    Date(Date),
    /// A state of an order, as received.
    OrderState(&'a str),
}

/// A variable, one of [`ALL`].
#[derive(Clone, Copy)]
pub struct Variable(&'static Definition);

/// What a variable is.
#[derive(Debug)]
pub struct Definition {
    /// Its id in mappings, `order.code`.
    pub id: &'static str,
    /// What Passweb calls it (R-111 to R-128), or what we do where Passweb has no such variable.
    pub italian_label: &'static str,
    /// The events that have it.
    pub events: &'static [EventType],
    value: for<'a> fn(&Context<'a>) -> Option<Raw<'a>>,
}

const ANY: &[EventType] = &EventType::ALL;
const ORDER: &[EventType] = &[EventType::OrderStatusChanged];
const MESSAGE: &[EventType] = &[EventType::MessageSent];
const FILE: &[EventType] = &[EventType::FileUploaded];
const WITH_ACTOR: &[EventType] = &[EventType::MessageSent, EventType::FileUploaded];

macro_rules! variables {
    ($($id:literal, $label:literal, $events:ident, $value:expr;)*) => {
        /// Every variable.
        pub static ALL: &[Definition] = &[$(Definition {
            id: $id,
            italian_label: $label,
            events: $events,
            value: $value,
        }),*];
    };
}

variables! {
    "first_name", "Nome", ANY, |from| text(named(from).first_name.as_deref());
    "last_name", "Cognome", ANY, |from| text(named(from).surname_or_company());
    "full_name", "Nominativo", ANY, |from| named(from).full_name().map(Raw::Owned);
    "recipient.first_name", "Nome del destinatario", ANY, |from| text(from.recipient.first_name.as_deref());
    "recipient.last_name", "Cognome del destinatario", ANY, |from| text(from.recipient.surname_or_company());
    "recipient.full_name", "Nominativo del destinatario", ANY, |from| from.recipient.full_name().map(Raw::Owned);
    "actor.first_name", "Nome dell'autore", WITH_ACTOR, |from| text(from.event.actor()?.first_name.as_deref());
    "actor.last_name", "Cognome dell'autore", WITH_ACTOR, |from| text(from.event.actor()?.surname_or_company());
    "actor.full_name", "Nominativo dell'autore", WITH_ACTOR, |from| from.event.actor()?.full_name().map(Raw::Owned);
    "order.code", "Sigla Documento", ORDER, |from| order(from).map(|order| {
        // Until the ERP has the order there is no mark; Passweb's number stands in (R-115).
        Raw::Text(order.code.as_deref().unwrap_or(order.id.as_str()))
    });
    "order.id", "Numero ordine", ORDER, |from| order(from).map(|order| Raw::Text(order.id.as_str()));
    "order.status", "Stato Documento", ORDER, |from| order(from).map(|order| Raw::OrderState(&order.status));
    "order.previous_status", "Stato precedente", ORDER, |from| {
        order(from)?.previous_status.as_deref().map(Raw::OrderState)
    };
    "order.total", "Totale Ordine", ORDER, |from| order(from).map(|order| Raw::Money(&order.total));
    "order.item_count", "Numero articoli", ORDER, |from| order(from).map(|order| Raw::Count(order.item_count));
    "order.quantity", "Quantità articoli", ORDER, |from| order(from)?.quantity.map(Raw::Count);
    "order.date", "Data Documento", ORDER, |from| order(from)?.date.map(Raw::Date);
    "order.delivery_date", "Data Consegna", ORDER, |from| order(from)?.delivery_date.map(Raw::Date);
    "order.payment", "Pagamento", ORDER, |from| text(order(from)?.payment.as_deref());
    "order.carrier", "Vettore", ORDER, |from| text(order(from)?.carrier.as_deref());
    "order.tracking_number", "Numero di spedizione", ORDER, |from| text(order(from)?.tracking_number.as_deref());
    "order.tracking_url", "URL di spedizione", ORDER, |from| text(order(from)?.tracking_url.as_deref());
    "order.origin_code", "Ordine di Origine", ORDER, |from| text(order(from)?.origin_code.as_deref());
    "message.subject", "Oggetto Messaggio", MESSAGE, |from| message(from).map(|message| Raw::Text(&message.subject));
    "message.body", "Testo Messaggio", MESSAGE, |from| message(from).map(|message| Raw::Text(&message.body));
    "message.url", "URL del messaggio", MESSAGE, |from| text(message(from)?.url.as_deref());
    "file.folder", "Nome Cartella", FILE, |from| file(from).map(|file| Raw::Text(&file.folder));
    "file.name", "Nome File", FILE, |from| file(from).map(|file| Raw::Text(&file.name));
    "file.url", "URL del file", FILE, |from| text(file(from)?.url.as_deref());
    "site.url", "URL Sito", ANY, |from| match order(from) {
        Some(order) => text(order.url.as_deref()),
        None => text(from.site_url),
    };
}

fn text(text: Option<&str>) -> Option<Raw<'_>> {
    text.map(Raw::Text)
}

/// Whose name the manual's own three variables show: on an upload the uploader's (R-96), else the recipient's.
fn named<'a>(from: &Context<'a>) -> &'a Person {
    match &from.event.data {
        EventData::FileUploaded { actor, .. } => actor,
        EventData::OrderStatusChanged { .. } | EventData::MessageSent { .. } => from.recipient,
    }
}

fn order<'a>(from: &Context<'a>) -> Option<&'a Order> {
    if let EventData::OrderStatusChanged { order, .. } = &from.event.data { Some(order) } else { None }
}

fn message<'a>(from: &Context<'a>) -> Option<&'a SiteMessage> {
    if let EventData::MessageSent { message, .. } = &from.event.data { Some(message) } else { None }
}

fn file<'a>(from: &Context<'a>) -> Option<&'a File> {
    if let EventData::FileUploaded { file, .. } = &from.event.data { Some(file) } else { None }
}

impl Variable {
    /// The variable of an id.
    #[must_use]
    pub fn of(id: &str) -> Option<Self> {
        ALL.iter().find(|definition| definition.id == id).map(Self)
    }

    /// What the variable is.
    #[must_use]
    pub fn definition(self) -> &'static Definition {
        self.0
    }

    /// Its value; `None` where the event has none.
    #[must_use]
    pub fn value<'a>(self, context: &Context<'a>) -> Option<Raw<'a>> {
        (self.0.value)(context)
    }
}

impl PartialEq for Variable {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for Variable {}

impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Variable({})", self.0.id)
    }
}

impl Serialize for Variable {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.id)
    }
}

impl<'de> Deserialize<'de> for Variable {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        Self::of(&id).ok_or_else(|| serde::de::Error::custom(format!("no such variable: {id}")))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_and_labels_are_unique() {
        let ids: BTreeSet<&str> = ALL.iter().map(|definition| definition.id).collect();
        let labels: BTreeSet<&str> = ALL.iter().map(|definition| definition.italian_label).collect();
        assert_eq!((ids.len(), labels.len()), (ALL.len(), ALL.len()));
    }

    #[test]
    fn a_variable_is_written_by_its_id() {
        let variable: Variable = serde_json::from_str(r#""order.code""#).unwrap();
        assert_eq!(variable.definition().italian_label, "Sigla Documento");
        assert_eq!(serde_json::to_string(&variable).unwrap(), r#""order.code""#);
        assert!(serde_json::from_str::<Variable>(r#""order.colour""#).is_err());
    }
}
