//! The `Contacts` table: data about persons and numbers, under pseudonyms.
//!
//! | pk | content | expires |
//! |---|---|---|
//! | pseudonym of site and number | suppressions, unreachability, consent and next slot of a number | never |
//! | `PERSON#site#pseudonym` | opt-out and consent of a person, each with its time | never |
//! | `RECORD#site#pseudonym` | last known phone, country, language and groups of a person | site's retention |
//! | `ALIAS#site#pseudonym` | the numbers of another WhatsApp id, and the choices under it | never |
//! | `SENDER#phone number id#pseudonym` | the choices a person sent to a sender number, for all its sites | never |
//! | `ACTIVITY#hash` | the status of an activity, for its reminders | 90 days after the last reminder |
//! | `CART#hash` | carts, orders and cart notices of a customer, or of a customer's number | 90 days |
//! | `CARTEND#hash` | when one cart of a customer was emptied or resumed | 90 days |
//! | `CARTLEFT#hash` | the item of the number that a cart was left with | 90 days |
//! | `VOLUME#site#mapping` | messages that a mapping sent on each of the last days | 30 days |
//! | `HELD#hash` | the latest pending state of a subject, mapping and recipient | 15 days |
//! | `SUBJECT#hash` | the latest-event item of a subject, mapping and recipient | the claim's `remember_for` |
//! | `TOLD#hash` | a dedup key | the claim's `remember_for` |
//!
//! Periods count from the last write. The claim writes `SUBJECT#…` and `TOLD#…` (see [`crate::ledger`]).
//!
//! For each scope, a number has a set of the sources that suppress it. DynamoDB removes a set with its last member. A
//! claim therefore checks only that the attribute does not exist, and no source can clear the suppression of another.

mod activity;
mod alias;
mod cart;
mod choice;
mod erase;
mod pending;
mod person;
pub(crate) mod renewal;
mod suppression;
mod volume;

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use domain::message::suppression::ContactData;
use jiff::{SignedDuration, Timestamp};

use crate::batch_get;
use crate::error::StoreError;
use crate::item::{Item, Reading, millis, text};
use crate::transact::again;

pub use activity::LatestActivity;
pub use cart::CartScope;
pub(crate) use cart::{CARTS_REMEMBERED_FOR, CartItems, Notice};
pub use choice::Choice;
pub use pending::PendingState;
pub(crate) use person::opted_out;
pub use suppression::SuppressedContact;
pub(crate) use suppression::of_number;

/// WhatsApp accepts one message every 6 s for a number.
pub(crate) const PAIR_INTERVAL: SignedDuration = SignedDuration::from_secs(6);
/// How far ahead the slots of a number may be used at once: 40 messages. WhatsApp allows 45, but counts from the
/// arrival of a call, which is later than its claim.
pub(crate) const PAIR_AHEAD: SignedDuration = SignedDuration::from_secs(39 * 6);

/// The `Contacts` table.
#[derive(Clone, Debug)]
pub struct Contacts {
    client: Client,
    table: String,
}

impl Contacts {
    /// Creates a client for the table `table`.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Returns the contact data of a number and a person, in one read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn known(&self, contact: &str, person: &str) -> Result<ContactData, StoreError> {
        let items = self.items(&[contact, person]).await?;
        let mut known = match items.get(contact) {
            Some(item) => of_number(&Reading::of(item))?,
            None => ContactData::default(),
        };
        if let Some(item) = items.get(person) {
            known.opted_out_at = opted_out(&Reading::of(item))?;
            known.marketing_consent = flag(item, "marketing_consent").or(known.marketing_consent);
        }
        Ok(known)
    }

    /// Pauses a number until `until`, after WhatsApp reported too many messages to it. No message to the number is
    /// claimed before that time.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn pause_pair(&self, contact: &str, until: Timestamp) -> Result<(), StoreError> {
        let next = until.saturating_add(PAIR_AHEAD).unwrap_or(until);
        let request = self.client.update_item().table_name(&self.table).key("pk", text(contact));
        let request = request.update_expression("SET next_slot = :next");
        let request = request.expression_attribute_values(":next", millis(next));
        again(|| request.clone().send()).await?;
        Ok(())
    }

    async fn items(&self, keys: &[impl AsRef<str>]) -> Result<HashMap<String, Item>, StoreError> {
        let key = |key: &str| (key.to_owned(), Item::from([("pk".to_owned(), text(key))]));
        let wanted: BTreeMap<String, Item> = keys.iter().map(|wanted| key(wanted.as_ref())).collect();
        let items = batch_get::items(&self.client, &self.table, wanted).await?;
        items.into_iter().map(|item| Ok((Reading::of(&item).required("pk")?.to_owned(), item))).collect()
    }
}

pub(crate) fn flag(item: &Item, name: &str) -> Option<bool> {
    item.get(name).and_then(|value| value.as_bool().ok()).copied()
}

/// Whether a write was refused because a newer record exists.
fn is_older<R>(error: &SdkError<PutItemError, R>) -> bool {
    matches!(error.as_service_error(), Some(PutItemError::ConditionalCheckFailedException(_)))
}
