//! Erasing a person's contact data.

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use domain::message::suppression::{Lift, Scope, Source, Suppression};

use super::Contacts;
use super::person::record_key;
use super::suppression::{detail_attribute, updated};
use crate::error::StoreError;
use crate::item::{Item, Reading, json, text};
use crate::transact::again;

impl Contacts {
    /// Deletes a person's record: phone, country, language, groups, and a marketing consent that was given.
    ///
    /// An opt-out and a refusal of marketing stay under the person's pseudonym, as suppressions do under the number's.
    /// Erasing therefore never allows a message. Returns whether there was anything to delete.
    ///
    /// # Errors
    /// [`StoreError`]; the next call completes it.
    pub async fn forget_person(&self, key: &str) -> Result<bool, StoreError> {
        let request = self.client.delete_item().table_name(&self.table).key("pk", text(record_key(key)));
        let request = request.return_values(ReturnValue::AllOld);
        let answer = again(|| request.clone().send()).await?;
        let had_record = answer.attributes.is_some_and(|item| !item.is_empty());
        Ok(self.forget_choices(key).await? || had_record)
    }

    /// Deletes a person's permanent item, except for an opt-out and a refusal of marketing. Returns whether there was
    /// anything to delete.
    async fn forget_choices(&self, key: &str) -> Result<bool, StoreError> {
        let request = self.client.delete_item().table_name(&self.table).key("pk", text(key));
        let request = request
            .condition_expression(
                "attribute_exists(pk) AND (attribute_not_exists(whatsapp_opt_out) OR whatsapp_opt_out = :no) \
                 AND (attribute_not_exists(marketing_consent) OR marketing_consent = :yes)",
            )
            .expression_attribute_values(":no", AttributeValue::Bool(false))
            .expression_attribute_values(":yes", AttributeValue::Bool(true));
        match again(|| request.clone().send()).await {
            Ok(_) => return Ok(true),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => {}
                _ => return Err(error.into()),
            },
        }
        let update = |expression: &str, condition: &str| {
            let request = self.client.update_item().table_name(&self.table).key("pk", text(key));
            request.update_expression(expression).condition_expression(condition)
        };
        let older = update(
            "REMOVE phone, country, #language",
            "attribute_exists(phone) OR attribute_exists(country) OR attribute_exists(#language)",
        );
        let had_texts = updated(older.expression_attribute_names("#language", "language")).await?;
        let given = update("REMOVE marketing_consent, marketing_consent_at", "marketing_consent = :yes");
        let had_consent = updated(given.expression_attribute_values(":yes", AttributeValue::Bool(true))).await?;
        Ok(had_texts || had_consent)
    }

    /// Removes the free text from a number's item: the reasons of suppressions and lifts. Returns how many were
    /// removed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn blank_reasons(&self, contact: &str) -> Result<usize, StoreError> {
        let items = self.items(&[contact]).await?;
        let Some(item) = items.get(contact) else { return Ok(0) };
        let mut blanked = 0;
        for Words { path, old, new } in words_of(item)? {
            let (attribute, place) = path;
            let request = self.client.update_item().table_name(&self.table).key("pk", text(contact));
            let request = request
                .update_expression(format!("SET #words{place} = :new"))
                .condition_expression(format!("#words{place} = :old"))
                .expression_attribute_names("#words", attribute)
                .expression_attribute_values(":new", new)
                .expression_attribute_values(":old", old);
            blanked += usize::from(updated(request).await?);
        }
        Ok(blanked)
    }
}

/// A value with free text, and the same value without it.
struct Words {
    /// The attribute, and the index in its list.
    path: (String, String),
    old: AttributeValue,
    new: AttributeValue,
}

fn words_of(item: &Item) -> Result<Vec<Words>, StoreError> {
    let reading = Reading::of(item);
    let mut words = Vec::new();
    for (scope, source) in Scope::ALL.into_iter().flat_map(|scope| Source::ALL.map(|source| (scope, source))) {
        let name = detail_attribute(scope, source);
        let Some(suppression) = reading.json::<Suppression>(&name)? else { continue };
        if let (false, Some(old)) = (suppression.reason.is_empty(), item.get(&name)) {
            let new = json(&Suppression { reason: String::new(), ..suppression })?;
            words.push(Words { path: (name, String::new()), old: old.clone(), new });
        }
    }
    let lifts = item.get("lifts").and_then(|value| value.as_l().ok()).map(Vec::as_slice).unwrap_or_default();
    for (place, old) in lifts.iter().enumerate() {
        let lift: Lift = serde_json::from_str(old.as_s().map_or("", String::as_str))
            .map_err(|error| reading.fault("lifts", error))?;
        if !lift.reason.is_empty() {
            let new = json(&Lift { reason: String::new(), ..lift })?;
            words.push(Words { path: ("lifts".to_owned(), format!("[{place}]")), old: old.clone(), new });
        }
    }
    Ok(words)
}
