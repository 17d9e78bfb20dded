//! The record of a person: what `customer.updated` said of them.
//!
//! Phone, country and language are those of the newest event, whose moment is `occurred_at`. Opt-out, consent and groups
//! are those of the newest event that gave them, each with a moment of its own (`whatsapp_opt_out_at`): an event that does
//! not give one knows nothing of it. Items of older versions have no such moments; a `false` of theirs may mean "unknown".

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::language::Language;
use domain::person::{Person, PersonRecord, Said};
use jiff::Timestamp;

use super::{Contacts, flag};
use crate::error::StoreError;
use crate::item::{Item, Reading, text, time};
use crate::many::Each;
use crate::transaction::again;

impl Contacts {
    /// Keeps a person's record as it was at `occurred_at`. Of a record that is older than the known one, only those of
    /// opt-out, consent and groups are kept that nothing newer was said of.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_person(&self, key: &str, person: &Person, occurred_at: Timestamp) -> Result<(), StoreError> {
        let said = said_of(person);
        let texts = [
            ("phone", person.phone.as_deref()),
            ("country", person.country.as_deref()),
            ("language", person.language.as_ref().map(Language::as_str)),
        ];
        let mut sets = vec!["occurred_at = :at".to_owned()];
        let mut gone = Vec::new();
        let mut request = self.update_person(key, occurred_at);
        for (name, value) in texts {
            request = request.expression_attribute_names(format!("#{name}"), name);
            match value {
                Some(value) => {
                    sets.push(format!("#{name} = :{name}"));
                    request = request.expression_attribute_values(format!(":{name}"), text(value));
                }
                None => gone.push(format!("#{name}")),
            }
        }
        for (name, value) in &said {
            sets.push(set(name));
            request = with(request, name, value);
        }
        let gone = if gone.is_empty() { String::new() } else { format!(" REMOVE {}", gone.join(", ")) };
        let request = request
            .update_expression(format!("SET {}{gone}", sets.join(", ")))
            .condition_expression("attribute_not_exists(pk) OR occurred_at <= :at");
        if unless_refused(request).await? {
            return Ok(());
        }
        for (name, value) in &said {
            let request = with(self.update_person(key, occurred_at), name, value)
                .update_expression(format!("SET {}", set(name)))
                .condition_expression(format!(
                    "attribute_exists(pk) AND (#{name}_at < :at OR (attribute_not_exists(#{name}_at) \
                     AND (attribute_not_exists(#{name}) OR occurred_at < :at)))"
                ));
            unless_refused(request).await?;
        }
        Ok(())
    }

    fn update_person(&self, key: &str, at: Timestamp) -> UpdateItemFluentBuilder {
        let request = self.client.update_item().table_name(&self.table).key("pk", text(key));
        request.expression_attribute_values(":at", time(at))
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
}

/// What a record gives of opt-out, consent and groups.
fn said_of(person: &Person) -> Vec<(&'static str, AttributeValue)> {
    let groups = person.groups.as_ref().map(|groups| AttributeValue::L(groups.iter().map(text).collect()));
    let said = [
        ("whatsapp_opt_out", person.whatsapp_opt_out.map(AttributeValue::Bool)),
        ("marketing_consent", person.marketing_consent.map(AttributeValue::Bool)),
        ("groups", groups),
    ];
    said.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn set(name: &str) -> String {
    format!("#{name} = :{name}, #{name}_at = :at")
}

fn with(request: UpdateItemFluentBuilder, name: &str, value: &AttributeValue) -> UpdateItemFluentBuilder {
    request
        .expression_attribute_names(format!("#{name}"), name)
        .expression_attribute_names(format!("#{name}_at"), format!("{name}_at"))
        .expression_attribute_values(format!(":{name}"), value.clone())
}

/// Writes on a condition; answers whether it held.
async fn unless_refused(request: UpdateItemFluentBuilder) -> Result<bool, StoreError> {
    match again(|| request.clone().send()).await {
        Ok(_) => Ok(true),
        Err(error) if is_refused(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn is_refused<R>(error: &SdkError<UpdateItemError, R>) -> bool {
    matches!(error.as_service_error(), Some(UpdateItemError::ConditionalCheckFailedException(_)))
}

fn person_record(item: &Item) -> Result<PersonRecord, StoreError> {
    let reading = Reading::of(item);
    let occurred_at = reading.time("occurred_at")?.ok_or_else(|| reading.fault("occurred_at", "is missing"))?;
    // A `false` of an older version may stand for an absent field.
    let opt_out = said_at(&reading, "whatsapp_opt_out")?.or(opted_out(&reading)?);
    let opt_out = opt_out.and_then(|at| Some(Said { value: flag(item, "whatsapp_opt_out")?, at }));
    let consent_at = said_at(&reading, "marketing_consent")?.unwrap_or(occurred_at);
    let groups_at = said_at(&reading, "groups")?.unwrap_or(occurred_at);
    Ok(PersonRecord {
        occurred_at,
        phone: reading.text("phone")?.map(str::to_owned),
        country: reading.text("country")?.map(str::to_owned),
        language: reading.text("language")?.map(str::to_owned),
        whatsapp_opt_out: opt_out,
        marketing_consent: flag(item, "marketing_consent").map(|value| Said { value, at: consent_at }),
        groups: groups(item).map(|value| Said { value, at: groups_at }),
    })
}

/// When a person opted out of WhatsApp; `None` if they did not.
pub(crate) fn opted_out(reading: &Reading<'_>) -> Result<Option<Timestamp>, StoreError> {
    if flag(reading.item, "whatsapp_opt_out") != Some(true) {
        return Ok(None);
    }
    let at = said_at(reading, "whatsapp_opt_out")?;
    Ok(Some(at.or(reading.time("occurred_at")?).unwrap_or_default()))
}

fn said_at(reading: &Reading<'_>, name: &str) -> Result<Option<Timestamp>, StoreError> {
    reading.time(&format!("{name}_at"))
}

fn groups(item: &Item) -> Option<Vec<String>> {
    let groups = item.get("groups")?.as_l().ok()?;
    Some(groups.iter().filter_map(|group| group.as_s().ok().cloned()).collect())
}
