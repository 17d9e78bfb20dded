//! Other ids of WhatsApp's that stand for a number: a `wa_id` that is written another way, a business-scoped user id.
//!
//! An opt-out may come under such an id before anybody knows whose it is. It is kept with the alias and passed on to
//! the number as soon as one is known.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use domain::primitives::id::SiteId;

use super::Contacts;
use super::choice::choices;
use crate::error::StoreError;
use crate::item::{Item, text};
use crate::transaction::again;

impl Contacts {
    /// Remembers that an id stands for a number, both by their pseudonyms, and passes on to the number what was chosen
    /// under the id. Repeating it changes nothing.
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

    /// The numbers that an id stands for, by their pseudonyms. There may be several: WhatsApp takes some numbers written
    /// in two ways for one.
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
