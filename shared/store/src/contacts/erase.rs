//! Forgetting a person.

use aws_sdk_dynamodb::types::ReturnValue;

use super::Contacts;
use crate::error::StoreError;
use crate::item::text;

impl Contacts {
    /// Forgets a person's record: phone, language, consent and opt-out. What is suppressed stays suppressed: that is kept
    /// with the number's pseudonym. Answers whether there was a record.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget_person(&self, key: &str) -> Result<bool, StoreError> {
        let request = self.client.delete_item().table_name(&self.table).key("pk", text(key));
        let answer = request.return_values(ReturnValue::AllOld).send().await?;
        Ok(answer.attributes.is_some_and(|item| !item.is_empty()))
    }
}
