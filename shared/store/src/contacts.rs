//! The `Contacts` table: what is known of people and numbers, under pseudonyms.
//!
//! | pk | what |
//! |---|---|
//! | pseudonym of site and number | suppressions, unreachability, consent, the next free slot of the pair limit |
//! | `PERSON#site#pseudonym` | the latest phone, country, language, consent and opt-out of a person, with when they were true |
//! | `ALIAS#site#pseudonym` | the number that another id of WhatsApp's stands for, by its pseudonym |
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
mod held;
mod suppression;
mod volume;

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::contact::Known;
use domain::person::{Person, PersonRecord};
use jiff::Timestamp;

use crate::error::StoreError;
use crate::item::{Item, Reading, millis, text, time};
use crate::ledger::PAIR_AHEAD;
use crate::many::{self, Each};

pub use activity::ActivityHead;
pub use cart::Following;
pub(crate) use cart::cart_head;
pub use choice::Choice;
pub use held::Held;
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

    /// Keeps a person's record as it was at `occurred_at`, unless a later one is known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_person(&self, key: &str, person: &Person, occurred_at: Timestamp) -> Result<(), StoreError> {
        let mut request = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", text(key))
            .item("occurred_at", time(occurred_at))
            .item("whatsapp_opt_out", AttributeValue::Bool(person.whatsapp_opt_out));
        if let Some(phone) = &person.phone {
            request = request.item("phone", text(phone));
        }
        if let Some(country) = &person.country {
            request = request.item("country", text(country));
        }
        if let Some(language) = &person.language {
            request = request.item("language", text(language.as_str()));
        }
        if let Some(consent) = person.marketing_consent {
            request = request.item("marketing_consent", AttributeValue::Bool(consent));
        }
        let request = request
            .condition_expression("attribute_not_exists(pk) OR occurred_at <= :occurred_at")
            .expression_attribute_values(":occurred_at", time(occurred_at));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if is_older(&error) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// What is known of a number and a person, in one read. What the person's record said before `people_as_of` does not
    /// count: the event knows better.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn known(&self, contact: &str, person: &str, people_as_of: Timestamp) -> Result<Known, StoreError> {
        let items = self.items(&[contact, person]).await?;
        let mut known = match items.get(contact) {
            Some(item) => of_number(&Reading::of(item))?,
            None => Known::default(),
        };
        if let Some(item) = items.get(person) {
            let reading = Reading::of(item);
            let at = reading.time("occurred_at")?.filter(|at| *at >= people_as_of);
            known.opted_out_at = at.filter(|_| flag(item, "whatsapp_opt_out") == Some(true));
            known.marketing_consent = flag(item, "marketing_consent").or(known.marketing_consent);
        }
        Ok(known)
    }

    /// The latest records of people, as the fields of the contract, by their keys; whoever nothing was said of is left
    /// out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn people(&self, keys: &[String]) -> Result<Each<PersonRecord>, StoreError> {
        let items = self.items(keys).await?;
        Ok(items.into_iter().map(|(key, item)| (key, person_record(&item))).collect())
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
        request.expression_attribute_values(":next", millis(next)).send().await?;
        Ok(())
    }

    async fn items(&self, keys: &[impl AsRef<str>]) -> Result<HashMap<String, Item>, StoreError> {
        let key = |key: &str| (key.to_owned(), Item::from([("pk".to_owned(), text(key))]));
        let wanted: BTreeMap<String, Item> = keys.iter().map(|wanted| key(wanted.as_ref())).collect();
        let items = many::items(&self.client, &self.table, wanted).await?;
        items.into_iter().map(|item| Ok((Reading::of(&item).required("pk")?.to_owned(), item))).collect()
    }
}

fn person_record(item: &Item) -> Result<PersonRecord, StoreError> {
    let reading = Reading::of(item);
    Ok(PersonRecord {
        occurred_at: reading.time("occurred_at")?.ok_or_else(|| reading.fault("occurred_at", "is missing"))?,
        phone: reading.text("phone")?.map(str::to_owned),
        country: reading.text("country")?.map(str::to_owned),
        language: reading.text("language")?.map(str::to_owned),
        whatsapp_opt_out: flag(item, "whatsapp_opt_out").unwrap_or_default(),
        marketing_consent: flag(item, "marketing_consent"),
    })
}

pub(crate) fn flag(item: &Item, name: &str) -> Option<bool> {
    item.get(name).and_then(|value| value.as_bool().ok()).copied()
}

/// Whether a later record is known: then there is nothing to keep.
fn is_older<R>(error: &SdkError<PutItemError, R>) -> bool {
    matches!(error.as_service_error(), Some(PutItemError::ConditionalCheckFailedException(_)))
}
