//! Suppression, unreachability and consent of a number.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::message::suppression::{ContactData, Lift, Lifted, Scope, Source, Suppression};
use domain::primitives::id::SiteId;
use jiff::Timestamp;

use super::{Contacts, flag};
use crate::error::StoreError;
use crate::item::{Reading, json, text, time};
use crate::transact::again;

/// Adds a lift to the list of an operator's lifts.
const KEEP_LIFT: &str = "SET lifts = list_append(if_not_exists(lifts, :none), :lift)";

/// A number by its pseudonym, with its contact data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuppressedContact {
    /// The pseudonym.
    pub contact: String,
    /// The number's contact data.
    pub known: ContactData,
}

impl Contacts {
    /// Suppresses a number. An existing suppression of the same scope and source stays as it is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn suppress(&self, site: &SiteId, contact: &str, suppression: &Suppression) -> Result<(), StoreError> {
        let Suppression { scope, source, .. } = suppression;
        let request = self.client.update_item().table_name(&self.table).key("pk", text(contact));
        let request = request
            .update_expression("ADD #scope :source SET #detail = if_not_exists(#detail, :detail), site = :site")
            .expression_attribute_names("#scope", scope.to_string())
            .expression_attribute_names("#detail", detail_attribute(*scope, *source))
            .expression_attribute_values(":source", AttributeValue::Ss(vec![source.to_string()]))
            .expression_attribute_values(":detail", json(suppression)?)
            .expression_attribute_values(":site", text(site.as_str()));
        again(|| request.clone().send()).await?;
        Ok(())
    }

    /// Lifts the suppression of one scope by one source, or the unreachability; others stay. Records who lifted it,
    /// when and why. Returns whether there was anything to lift.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lift(&self, contact: &str, lift: &Lift) -> Result<bool, StoreError> {
        let request = self.client.update_item().table_name(&self.table).key("pk", text(contact));
        let request = match lift.lifted {
            Lifted::Suppression { scope, source } => request
                .update_expression(format!("{KEEP_LIFT} DELETE #scope :source REMOVE #detail"))
                .condition_expression("attribute_exists(#detail)")
                .expression_attribute_names("#scope", scope.to_string())
                .expression_attribute_names("#detail", detail_attribute(scope, source))
                .expression_attribute_values(":source", AttributeValue::Ss(vec![source.to_string()])),
            Lifted::Unreachable => request
                .update_expression(format!("{KEEP_LIFT} REMOVE unreachable_until"))
                .condition_expression("attribute_exists(unreachable_until)"),
        };
        let request = request
            .expression_attribute_values(":none", AttributeValue::L(Vec::new()))
            .expression_attribute_values(":lift", AttributeValue::L(vec![json(lift)?]));
        updated(request).await
    }

    /// Marks a number as unreachable until a time, because WhatsApp could not deliver to it. A delivered message ends
    /// this with [`Contacts::reachable`], an operator with [`Contacts::lift`].
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn unreachable(&self, site: &SiteId, contact: &str, until: Timestamp) -> Result<(), StoreError> {
        let request = self.client.update_item().table_name(&self.table).key("pk", text(contact));
        let request = request
            .update_expression("SET unreachable_until = :until, site = :site")
            .expression_attribute_values(":until", time(until))
            .expression_attribute_values(":site", text(site.as_str()));
        again(|| request.clone().send()).await?;
        Ok(())
    }

    /// Ends the effect of [`Contacts::unreachable`]. Returns whether the number was marked as unreachable.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn reachable(&self, contact: &str) -> Result<bool, StoreError> {
        let request = self.client.update_item().table_name(&self.table).key("pk", text(contact));
        let request = request.update_expression("REMOVE unreachable_until");
        updated(request.condition_expression("attribute_exists(unreachable_until)")).await
    }

    /// Records a number's consent to marketing or its refusal, from an import or an operator.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_consent(&self, site: &SiteId, contact: &str, consent: bool) -> Result<(), StoreError> {
        let request = self.client.update_item().table_name(&self.table).key("pk", text(contact));
        let request = request
            .update_expression("SET marketing_consent = :consent, site = :site")
            .expression_attribute_values(":consent", AttributeValue::Bool(consent))
            .expression_attribute_values(":site", text(site.as_str()));
        again(|| request.clone().send()).await?;
        Ok(())
    }

    /// Returns the contact data of a number, by its pseudonym.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn of_contact(&self, contact: &str) -> Result<ContactData, StoreError> {
        let items = self.items(&[contact]).await?;
        items.get(contact).map_or_else(|| Ok(ContactData::default()), |item| of_number(&Reading::of(item)))
    }

    /// Returns the sites of numbers, by their pseudonyms. An unknown number is left out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sites(&self, contacts: &[String]) -> Result<BTreeMap<String, SiteId>, StoreError> {
        let mut sites = BTreeMap::new();
        for (contact, item) in self.items(contacts).await? {
            let reading = Reading::of(&item);
            if let Some(site) = reading.text("site")? {
                let site = SiteId::parse(site).map_err(|error| reading.fault("site", error))?;
                sites.insert(contact, site);
            }
        }
        Ok(sites)
    }

    /// Returns every known number of a site. Scans the whole table: for the command line only.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn all(&self, site: &SiteId) -> Result<Vec<SuppressedContact>, StoreError> {
        let request = self.client.scan().table_name(&self.table).filter_expression("site = :site");
        let request = request.expression_attribute_values(":site", text(site.as_str()));
        let mut pages = request.into_paginator().send();
        let mut contacts = Vec::new();
        while let Some(page) = pages.next().await {
            for item in page?.items() {
                let reading = Reading::of(item);
                let contact = reading.required("pk")?.to_owned();
                contacts.push(SuppressedContact { contact, known: of_number(&reading)? });
            }
        }
        contacts.sort_by(|one, other| one.contact.cmp(&other.contact));
        Ok(contacts)
    }
}

/// Sends a conditional update. Returns whether its condition held.
pub(super) async fn updated(request: UpdateItemFluentBuilder) -> Result<bool, StoreError> {
    match again(|| request.clone().send()).await {
        Ok(_) => Ok(true),
        Err(error) => match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
            _ => Err(error.into()),
        },
    }
}

pub(super) fn detail_attribute(scope: Scope, source: Source) -> String {
    format!("{scope}_{source}")
}

/// Reads the contact data of a number.
pub(crate) fn of_number(reading: &Reading<'_>) -> Result<ContactData, StoreError> {
    let mut suppressions = Vec::new();
    for scope in Scope::ALL {
        for source in Source::ALL {
            suppressions.extend(reading.json::<Suppression>(&detail_attribute(scope, source))?);
        }
    }
    Ok(ContactData {
        suppressions,
        lifts: lifts(reading)?,
        unreachable_until: reading.time("unreachable_until")?,
        opted_out_at: None,
        marketing_consent: flag(reading.item, "marketing_consent"),
    })
}

fn lifts(reading: &Reading<'_>) -> Result<Vec<Lift>, StoreError> {
    let listed = reading.item.get("lifts").and_then(|value| value.as_l().ok());
    let read = |value: &AttributeValue| {
        let text = value.as_s().map_or("", String::as_str);
        serde_json::from_str(text).map_err(|error| reading.fault("lifts", error))
    };
    listed.into_iter().flatten().map(read).collect()
}
