//! The objects of events: documents, carts, messages and files.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::primitives::id::ObjectId;
use crate::primitives::money::Money;

/// A document: order, delivery note, invoice, quote or return.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Passweb's id.
    pub id: ObjectId,
    /// The ERP's code, such as `OC1/1320`; absent until the ERP has the order.
    pub code: Option<String>,
    /// The kind of document.
    pub kind: OrderKind,
    /// The new state, as text.
    pub status: String,
    /// The previous state.
    pub previous_status: Option<String>,
    /// The version, which grows with every change of the document.
    pub version: Option<u64>,
    /// The document's total.
    pub total: Money,
    /// The number of articles, without expense articles.
    pub item_count: u64,
    /// The sum of the articles' quantities.
    pub quantity: Option<u64>,
    /// The document's page on the site.
    pub url: Option<String>,
    /// The document's date.
    pub date: Option<Date>,
    /// The delivery date.
    pub delivery_date: Option<Date>,
    /// The payment method.
    pub payment: Option<String>,
    /// The carrier.
    pub carrier: Option<String>,
    /// The carrier's tracking number.
    pub tracking_number: Option<String>,
    /// The carrier's tracking page.
    pub tracking_url: Option<String>,
    /// The code of the order that a delivery note or invoice comes from.
    pub origin_code: Option<String>,
    /// The marketplace on which the order was placed, if any.
    pub marketplace: Option<String>,
}

/// Kinds of documents that use the order's events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderKind {
    /// An order (ordine).
    Order,
    /// A delivery note (bolla).
    DeliveryNote,
    /// An invoice (fattura).
    Invoice,
    /// A quote (preventivo).
    Quote,
    /// A return (reso).
    Return,
}

impl OrderKind {
    /// Every kind with its name in the callback.
    pub(crate) const NAMES: [(&'static str, Self); 5] = [
        ("order", Self::Order),
        ("delivery_note", Self::DeliveryNote),
        ("invoice", Self::Invoice),
        ("quote", Self::Quote),
        ("return", Self::Return),
    ];

    /// Returns the name used in recorded reasons. They are persisted, so it never changes.
    #[must_use]
    pub fn recorded(self) -> &'static str {
        match self {
            Self::Order => "Order",
            Self::DeliveryNote => "DeliveryNote",
            Self::Invoice => "Invoice",
            Self::Quote => "Quote",
            Self::Return => "Return",
        }
    }
}

/// A message of the customer area.
#[derive(Clone, PartialEq, Eq)]
pub struct SiteMessage {
    /// Passweb's id.
    pub id: ObjectId,
    /// The subject.
    pub subject: String,
    /// The text, which may have several lines.
    pub body: String,
    /// The message's page on the site.
    pub url: Option<String>,
}

/// Omits subject and text, so that logs contain nothing that people write.
impl std::fmt::Debug for SiteMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SiteMessage").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A file in a folder of the customer area.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Passweb's id.
    pub id: ObjectId,
    /// The file's name.
    pub name: String,
    /// The folder's name.
    pub folder: String,
    /// The file's page on the site.
    pub url: Option<String>,
}

/// An abandoned cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cart {
    /// Passweb's id.
    pub id: ObjectId,
    /// When the cart was left. The site's interval counts from this time.
    pub abandoned_at: Timestamp,
    /// The cart's total.
    pub total: Money,
    /// The number of articles, without expense articles.
    pub item_count: u64,
    /// The page that shows the cart.
    pub url: Option<String>,
    /// Whether an agent filled the cart. No notice is sent about such a cart.
    pub created_by_agent: bool,
}

/// Why a cart is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CartEnd {
    /// The cart became an order.
    Ordered,
    /// The cart is empty.
    Emptied,
    /// The customer returned to the cart.
    Recovered,
}

impl CartEnd {
    /// Every reason with its name in the callback.
    pub(super) const NAMES: [(&'static str, Self); 3] =
        [("ordered", Self::Ordered), ("emptied", Self::Emptied), ("recovered", Self::Recovered)];
}

/// A document published by Docuvision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedDocument {
    /// The document's name.
    pub name: String,
    /// Docuvision's class of the document.
    pub class: Option<String>,
    /// The name of the folder that contains it.
    pub folder: Option<String>,
}
