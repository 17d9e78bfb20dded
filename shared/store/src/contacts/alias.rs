//! Other WhatsApp ids of a number: a `wa_id` in another spelling, or a business-scoped user id.
//!
//! An opt-out may arrive under such an id before its number is known. It is stored with the alias, and applied to the
//! number as soon as the number is known.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use domain::primitives::id::SiteId;

use super::Contacts;
use super::choice::choices;
use crate::error::StoreError;
use crate::item::{Item, text};
use crate::transact::again;

impl Contacts {
    /// Records that an id belongs to a number, both by their pseudonyms. Applies the choices stored under the id to the
    /// number. The call is idempotent.
    ///
    /// # Errors
    /// [`StoreError`]; the next call completes it.
    pub async fn put_alias(&self, site: &SiteId, alias: &str, contact: &str) -> Result<(), StoreError> {
        let request = self.client.update_item().table_name(&self.table).key("pk", text(alias));
        let request = request
            .update_expression("ADD contacts :contact")
            .expression_attribute_values(":contact", AttributeValue::Ss(vec![contact.to_owned()]))
            .return_values(ReturnValue::AllNew);
        let item = again(|| request.clone().send()).await?.attributes.unwrap_or_default();
        for choice in choices(&item)? {
            self.choose(Some(site), contact, &choice).await?;
        }
        Ok(())
    }

    /// Returns the numbers of an id, by their pseudonyms. There may be several, because WhatsApp treats two spellings
    /// of some numbers as one number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn alias(&self, alias: &str) -> Result<Vec<String>, StoreError> {
        Ok(self.items(&[alias]).await?.get(alias).map(contacts).unwrap_or_default())
    }
}

fn contacts(item: &Item) -> Vec<String> {
    item.get("contacts").and_then(|value| value.as_ss().ok()).cloned().unwrap_or_default()
}
