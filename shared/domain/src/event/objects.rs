//! What events tell about: documents, carts, messages, files.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::primitives::id::ObjectId;
use crate::primitives::money::Money;

/// A document: order, delivery note, invoice, quote or return.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Passweb's number.
    pub id: ObjectId,
    /// The ERP's mark such as `OC1/1320`; absent until the ERP has the order.
    pub code: Option<String>,
    /// What kind of document it is.
    pub kind: OrderKind,
    /// The state entered, as text.
    pub status: String,
    /// The state left.
    pub previous_status: Option<String>,
    /// Grows with every change of the document.
    pub version: Option<u64>,
    /// The document's total.
    pub total: Money,
    /// Articles, expense articles excluded.
    pub item_count: u64,
    /// Sum of the articles' quantities.
    pub quantity: Option<u64>,
    /// The document's page on the site.
    pub url: Option<String>,
    /// The document's date.
    pub date: Option<Date>,
    /// When it is to be delivered.
    pub delivery_date: Option<Date>,
    /// How it is paid.
    pub payment: Option<String>,
    /// Who delivers it.
    pub carrier: Option<String>,
    /// The carrier's number of the shipment.
    pub tracking_number: Option<String>,
    /// The carrier's page of the shipment.
    pub tracking_url: Option<String>,
    /// The code of the order a delivery note or invoice came from.
    pub origin_code: Option<String>,
    /// The marketplace it was placed on, if any.
    pub marketplace: Option<String>,
}

/// Kinds of documents that share the order's events.
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
    /// Every kind, by its name in the callback.
    pub(super) const NAMES: [(&'static str, Self); 5] = [
        ("order", Self::Order),
        ("delivery_note", Self::DeliveryNote),
        ("invoice", Self::Invoice),
        ("quote", Self::Quote),
        ("return", Self::Return),
    ];

    /// The name in recorded reasons. They are kept: it never changes.
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
    /// Its subject.
    pub subject: String,
    /// Its text; may have many lines.
    pub body: String,
    /// Its page on the site.
    pub url: Option<String>,
}

/// What people write stays out of logs.
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
    /// Its name.
    pub name: String,
    /// The folder's name.
    pub folder: String,
    /// Its page on the site.
    pub url: Option<String>,
}

/// A cart that was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cart {
    /// Passweb's id.
    pub id: ObjectId,
    /// When it was left: the site's interval counts from here.
    pub abandoned_at: Timestamp,
    /// The cart's total.
    pub total: Money,
    /// Articles, expense articles excluded.
    pub item_count: u64,
    /// The page that shows the cart.
    pub url: Option<String>,
    /// Whether an agent filled it: such a cart is never told of.
    pub created_by_agent: bool,
}

/// Why a cart is no longer to be reminded of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CartEnd {
    /// It became an order.
    Ordered,
    /// Nothing is left in it.
    Emptied,
    /// The customer came back to it.
    Recovered,
}

impl CartEnd {
    /// Every end, by its name in the callback.
    pub(super) const NAMES: [(&'static str, Self); 3] =
        [("ordered", Self::Ordered), ("emptied", Self::Emptied), ("recovered", Self::Recovered)];
}

/// A document Docuvision published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedDocument {
    /// Its name.
    pub name: String,
    /// Docuvision's class of it.
    pub class: Option<String>,
    /// The name of the folder it is in.
    pub folder: Option<String>,
}
