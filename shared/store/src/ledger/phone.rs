//! The number behind a pseudonym, for a STOP that arrives under another WhatsApp id.

use domain::primitives::id::SiteId;
use domain::primitives::phone::{Country, Phone};

use super::Ledger;
use super::message::contact_of;
use crate::error::StoreError;
use crate::item::{Reading, text};

/// Messages that are read for their number. A message of an erased person no longer contains it.
const PHONES_READ: i32 = 10;

impl Ledger {
    /// Returns the number of a pseudonym at a site, from the newest message that contains it; `None` if no message
    /// does.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn phone_of_contact(&self, site: &SiteId, contact: &str) -> Result<Option<Phone>, StoreError> {
        let request = self.client.query().table_name(&self.table).index_name("by_contact");
        let request = request
            .key_condition_expression("contact = :contact")
            .expression_attribute_values(":contact", text(contact_of(site, contact)))
            .scan_index_forward(false)
            .limit(PHONES_READ);
        for found in request.send().await?.items() {
            let reading = Reading::of(found);
            let (pk, sk) = (reading.required("pk")?, reading.required("sk")?);
            let request = self.client.get_item().table_name(&self.table).key("pk", text(pk)).key("sk", text(sk));
            let Some(item) = request.send().await?.item else { continue };
            let phone = Reading::of(&item).text("phone")?.and_then(|phone| Phone::parse(phone, Country::ITALY).ok());
            if phone.is_some() {
                return Ok(phone);
            }
        }
        Ok(None)
    }
}
