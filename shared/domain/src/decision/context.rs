//! The data that a decision needs in addition to the event and the configuration.

use jiff::Timestamp;

use crate::decision::cart::CartHistory;
use crate::message::file_list::Files;
use crate::message::suppression::ContactData;

/// The decision context: the data read before deciding, in addition to the event. The default is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecisionContext {
    /// The recorded data about the recipient's number and person.
    pub contact: ContactData,
    /// When a newer pending state of the same subject was entered, for the same mapping and recipient.
    pub newer_at: Option<Timestamp>,
    /// The state of the customer's carts, on cart events.
    pub cart: CartHistory,
    /// The id of this message. It identifies a cart notice that this message itself sent.
    pub message: String,
    /// When an operator asked for a resend. The message's usefulness counts from this time.
    pub resend_requested_at: Option<Timestamp>,
    /// Whether an operator skips the waiting.
    pub send_now: bool,
    /// The files that the message covers, if the mapping collects files.
    pub files: Option<Files>,
    /// When the message stops collecting files.
    pub collects_until: Option<Timestamp>,
}
