//! The contact data of a person from `customer.updated`.
//!
//! A person has two items:
//!
//! - `PERSON#…`: opt-out and marketing consent. It is kept for good.
//! - `RECORD#…`: phone, country, language and groups. It expires with the site's retention.
//!
//! Phone, country and language are those of the newest event, which occurred at `occurred_at`. Opt-out, consent and
//! groups are those of the newest event that contains them. Each has its own time, such as `whatsapp_opt_out_at`,
//! because an event without the field states nothing about it.
//!
//! Items of older versions have everything under `PERSON#…` and no such times. Their `false` may mean "unknown".

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::event::person::{Dated, Person, PersonRecord};
use domain::primitives::language::Language;
use jiff::Timestamp;

use super::{Contacts, flag};
use crate::batch_get::BatchGet;
use crate::error::StoreError;
use crate::item::{Item, Reading, number, text, time};
use crate::tables::TTL_ATTRIBUTE;
use crate::transact::again;

impl Contacts {
    /// Writes a person's contact data as of `occurred_at`. Everything except opt-out and consent expires at
    /// `kept_until`.
    ///
    /// If the stored data is newer, only opt-out, consent and groups are written, and each only if its stored value is
    /// older.
    ///
    /// # Errors
    /// [`StoreError`]; the next call completes it.
    pub async fn put_person(
        &self,
        key: &str,
        person: &Person,
        occurred_at: Timestamp,
        kept_until: Timestamp,
    ) -> Result<(), StoreError> {
        let choices = dated([
            ("whatsapp_opt_out", person.whatsapp_opt_out.map(AttributeValue::Bool)),
            ("marketing_consent", person.marketing_consent.map(AttributeValue::Bool)),
        ]);
        if !choices.is_empty() {
            // Removes the attributes that an older version stored in this item.
            let texts = TEXTS.map(|name| (name, None));
            self.put_newest(key, New { texts, dated: choices, kept_until: None }, occurred_at).await?;
        }
        let groups = person.groups.as_ref().map(|groups| AttributeValue::L(groups.iter().map(text).collect()));
        let language = person.language.as_ref().map(Language::as_str);
        let [phone_name, country_name, language_name] = TEXTS;
        let new = New {
            texts: [
                (phone_name, person.phone.as_deref()),
                (country_name, person.country.as_deref()),
                (language_name, language),
            ],
            dated: dated([("groups", groups)]),
            kept_until: Some(kept_until),
        };
        self.put_newest(&record_key(key), new, occurred_at).await
    }

    /// Writes an item as of `occurred_at`. If the stored item is newer, only the values of `dated` are written, and each
    /// only if its stored value is older.
    async fn put_newest(&self, key: &str, new: New<'_>, occurred_at: Timestamp) -> Result<(), StoreError> {
        let New { texts, dated, kept_until } = new;
        let mut sets = vec!["occurred_at = :at".to_owned()];
        let mut gone = Vec::new();
        let mut request = self.update_person(key, occurred_at);
        if let Some(until) = kept_until {
            sets.push(format!("{TTL_ATTRIBUTE} = :until"));
            request = request.expression_attribute_values(":until", number(until.as_second()));
        }
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
        for (name, value) in &dated {
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
        for (name, value) in &dated {
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

    /// Returns the last known contact data of persons, by their keys. A person without data is left out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn people(&self, keys: &[String]) -> Result<BatchGet<PersonRecord>, StoreError> {
        let both: Vec<String> = keys.iter().flat_map(|key| [key.clone(), record_key(key)]).collect();
        let items = self.items(&both).await?;
        let record = |key: &String| {
            let (choices, record) = (items.get(key), items.get(&record_key(key)));
            (choices.is_some() || record.is_some()).then(|| (key.clone(), person_record(choices, record)))
        };
        Ok(keys.iter().filter_map(record).collect())
    }
}

/// The attributes without a time of their own.
const TEXTS: [&str; 3] = ["phone", "country", "language"];

/// The values that one event has for one item.
struct New<'a> {
    /// The attributes of `TEXTS`. A `None` removes the attribute.
    texts: [(&'static str, Option<&'a str>); 3],
    /// The attributes with a time of their own, if the event contains them.
    dated: Vec<(&'static str, AttributeValue)>,
    /// When the item expires; `None` if it is kept for good.
    kept_until: Option<Timestamp>,
}

/// The key of the item with phone, country, language and groups, from the person's key.
pub(super) fn record_key(person: &str) -> String {
    person.replacen("PERSON#", "RECORD#", 1)
}

/// The fields that the event contains.
fn dated<const N: usize>(fields: [(&'static str, Option<AttributeValue>); N]) -> Vec<(&'static str, AttributeValue)> {
    fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
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

/// Sends a conditional update. Returns whether its condition held.
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

/// The contact data of a person, from the permanent item and the one that expires.
fn person_record(choices: Option<&Item>, record: Option<&Item>) -> Result<PersonRecord, StoreError> {
    let nothing = Item::new();
    let choices = choices.unwrap_or(&nothing);
    // An older version stored everything in one item.
    let in_one = Some(choices).filter(|item| TEXTS.iter().any(|name| item.contains_key(*name)));
    let record = record.or(in_one).unwrap_or(&nothing);
    let (of_choices, of_record) = (Reading::of(choices), Reading::of(record));
    // Missing data must not be newer than any event.
    let moment = |reading: &Reading<'_>| Ok::<_, StoreError>(reading.time("occurred_at")?.unwrap_or(Timestamp::MIN));
    let occurred_at = moment(&of_record)?;
    // In an item of an older version, `false` may mean that the field was absent.
    let opt_out = stated_at(&of_choices, "whatsapp_opt_out")?.or(opted_out(&of_choices)?);
    let opt_out = opt_out.and_then(|at| Some(Dated { value: flag(choices, "whatsapp_opt_out")?, at }));
    let consent_at = stated_at(&of_choices, "marketing_consent")?.map_or_else(|| moment(&of_choices), Ok)?;
    let groups_at = stated_at(&of_record, "groups")?.unwrap_or(occurred_at);
    let text = |name: &str| Ok::<_, StoreError>(of_record.text(name)?.map(str::to_owned));
    Ok(PersonRecord {
        occurred_at,
        phone: text("phone")?,
        country: text("country")?,
        language: text("language")?,
        whatsapp_opt_out: opt_out,
        marketing_consent: flag(choices, "marketing_consent").map(|value| Dated { value, at: consent_at }),
        groups: groups(record).map(|value| Dated { value, at: groups_at }),
    })
}

/// When a person opted out of WhatsApp; `None` if they did not.
pub(crate) fn opted_out(reading: &Reading<'_>) -> Result<Option<Timestamp>, StoreError> {
    if flag(reading.item, "whatsapp_opt_out") != Some(true) {
        return Ok(None);
    }
    let at = stated_at(reading, "whatsapp_opt_out")?;
    Ok(Some(at.or(reading.time("occurred_at")?).unwrap_or_default()))
}

fn stated_at(reading: &Reading<'_>, name: &str) -> Result<Option<Timestamp>, StoreError> {
    reading.time(&format!("{name}_at"))
}

fn groups(item: &Item) -> Option<Vec<String>> {
    let groups = item.get("groups")?.as_l().ok()?;
    Some(groups.iter().filter_map(|group| group.as_s().ok().cloned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_key_of_a_person_never_changes() {
        assert_eq!(record_key("PERSON#demo#1f"), "RECORD#demo#1f");
    }

    #[test]
    fn a_person_record_in_one_item_of_an_older_version_is_still_read() {
        let at: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let item = Item::from([
            ("pk".to_owned(), text("PERSON#demo#1f")),
            ("occurred_at".to_owned(), time(at)),
            ("phone".to_owned(), text("340 1234567")),
            ("marketing_consent".to_owned(), AttributeValue::Bool(true)),
        ]);
        let record = person_record(Some(&item), None).unwrap();
        assert_eq!((record.occurred_at, record.phone.as_deref()), (at, Some("340 1234567")));
        assert_eq!(record.marketing_consent, Some(Dated { value: true, at }));
    }

    #[test]
    fn only_the_preferences_of_an_expired_record_remain() {
        let at: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let item = Item::from([
            ("pk".to_owned(), text("PERSON#demo#1f")),
            ("occurred_at".to_owned(), time(at)),
            ("whatsapp_opt_out".to_owned(), AttributeValue::Bool(true)),
            ("whatsapp_opt_out_at".to_owned(), time(at)),
        ]);
        let record = person_record(Some(&item), None).unwrap();
        assert_eq!((record.occurred_at, &record.phone), (Timestamp::MIN, &None));
        assert_eq!(record.whatsapp_opt_out, Some(Dated { value: true, at }));
    }
}
