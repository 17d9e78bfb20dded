//! The `Contacts` table: what is known of people and numbers, under pseudonyms.
//!
//! | pk | what |
//! |---|---|
//! | pseudonym of site and number | suppressions, unreachability, consent, the next free slot of the pair limit |
//! | `PERSON#site#pseudonym` | opt-out and consent of a person, with when they were true; kept for good |
//! | `RECORD#site#pseudonym` | the latest phone, country, language and groups of a person, likewise; expires with the site's retention |
//! | `ALIAS#site#pseudonym` | the number that another id of WhatsApp's stands for, by its pseudonym |
//! | `SENDER#phone number id#pseudonym` | what somebody said to a sender number, whichever site sent from it |
//! | `ACTIVITY#…` | how an activity stands, for its reminders |
//! | `CART#…` | the newest cart of a customer, when the last order closed them, when the customer was told |
//! | `CARTEND#…` | when one cart of a customer was emptied or taken up again |
//! | `VOLUME#site#mapping` | what a mapping sent on each of its last days |
//! | `HELD#…` | the newest state held of a subject, for one mapping and recipient |
//! | `SUBJECT#…`, `TOLD#…` | what a claim must not overtake or repeat (see [`crate::ledger`]) |
//!
//! Of a number each scope has a set of the sources that suppress it. A set that loses its last member is gone, so that
//! a claim asks for nothing but the absence of the attribute; and no source can clear another's.

mod activity;
mod alias;
mod cart;
mod choice;
mod erase;
mod pending;
mod person;
mod suppression;
mod volume;

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use domain::message::suppression::DecisionContext;
use jiff::Timestamp;

use crate::batch_get;
use crate::error::StoreError;
use crate::item::{Item, Reading, millis, text};
use crate::ledger::PAIR_AHEAD;
use crate::transaction::again;

pub use activity::LatestActivity;
pub use cart::CartScope;
pub(crate) use cart::{CARTS_REMEMBERED_FOR, CartItems, Notice};
pub use choice::Choice;
pub use pending::PendingState;
pub(crate) use person::opted_out;
pub use suppression::SuppressedContact;
pub(crate) use suppression::of_number;

/// The `Contacts` table.
#[derive(Clone, Debug)]
pub struct Contacts {
    client: Client,
    table: String,
}

impl Contacts {
    /// The table of that name.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// What is known of a number and a person, in one read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn known(&self, contact: &str, person: &str) -> Result<DecisionContext, StoreError> {
        let items = self.items(&[contact, person]).await?;
        let mut known = match items.get(contact) {
            Some(item) => of_number(&Reading::of(item))?,
            None => DecisionContext::default(),
        };
        if let Some(item) = items.get(person) {
            known.opted_out_at = opted_out(&Reading::of(item))?;
            known.marketing_consent = flag(item, "marketing_consent").or(known.marketing_consent);
        }
        Ok(known)
    }

    /// Leaves a number alone until `until`, after WhatsApp said that it was written to too fast: until then no message
    /// to it is claimed.
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

/// Whether a later record is known: then there is nothing to keep.
fn is_older<R>(error: &SdkError<PutItemError, R>) -> bool {
    matches!(error.as_service_error(), Some(PutItemError::ConditionalCheckFailedException(_)))
}
