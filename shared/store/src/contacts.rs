//! The `Contacts` table: what is known of people and numbers, under pseudonyms.
//!
//! | pk | what |
//! |---|---|
//! | `PERSON#site#pseudonym` | the latest phone, language, consent and opt-out of a person, with when they were true |
//! | `SUBJECT#…`, `TOLD#…` | what a claim must not overtake or repeat (see [`crate::ledger`]) |

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::person::Person;
use jiff::Timestamp;

use crate::error::StoreError;
use crate::item::{text, time};

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
}

/// Whether a later record is known: then there is nothing to keep.
fn is_older<R>(error: &SdkError<PutItemError, R>) -> bool {
    matches!(error.as_service_error(), Some(PutItemError::ConditionalCheckFailedException(_)))
}
