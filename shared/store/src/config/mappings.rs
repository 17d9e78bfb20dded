//! The mappings of a site. Enabled mappings are in the live partition, disabled ones in a partition of their own. Every
//! saved version is kept for good.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use domain::mapping::volume::VolumeSpike;
use domain::mapping::{Action, Mapping, SavedMapping};
use domain::primitives::id::{AccountId, MappingId, SiteId};
use domain::template::Template;
use jiff::Timestamp;

use super::{ConfigTable, MAPPING, TEMPLATE, live_key, live_of, readable, templates_key, uses, value};
use crate::error::StoreError;
use crate::item::{Item, Reading, json, text};

/// The attribute that contains the changed templates.
const NEEDS_REVIEW: &str = "needs_review";
/// The attribute that contains the volume spike of a mapping. Saving the mapping removes it.
const VOLUME_SPIKE: &str = "flood";

/// The result of saving a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The version is the current one.
    Yes,
    /// Another version with the same number was saved in the meantime, and nothing changed.
    Overtaken,
}

impl ConfigTable {
    /// Returns every mapping of a site by id, including disabled ones.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mappings(&self, site: &SiteId) -> Result<Vec<Mapping>, StoreError> {
        let mut items = self.query(&live_key(site)).await?;
        items.extend(self.query(&mappings_key(site)).await?);
        let mut mappings: Vec<Mapping> = items.iter().filter_map(|item| readable(mapping_in(item)).flatten()).collect();
        mappings.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(mappings)
    }

    /// Writes a mapping without an entry in its history, for setup by programs.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_mapping(&self, site: &SiteId, mapping: &Mapping) -> Result<(), StoreError> {
        self.make_templates_live(site, mapping).await?;
        let writes = self.in_place(site, mapping, false)?;
        self.client.transact_write_items().set_transact_items(Some(writes)).send().await?;
        Ok(())
    }

    /// Saves a version of a mapping and its history entry in one transaction. A deleted mapping stays in the history
    /// only.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn save_mapping(&self, site: &SiteId, saved: &SavedMapping) -> Result<Kept, StoreError> {
        let SavedMapping { action, mapping, .. } = saved;
        let deleted = *action == Action::Deleted;
        if !deleted {
            self.make_templates_live(site, mapping).await?;
        }
        let mut writes = self.in_place(site, mapping, deleted)?;
        let history = Put::builder()
            .table_name(&self.table)
            .item("pk", text(history_key(site, &mapping.id)))
            .item("sk", text(format!("{:010}", mapping.version)))
            .item("json", json(saved)?)
            .condition_expression("attribute_not_exists(pk)");
        writes.push(TransactWriteItem::builder().put(history.build()?).build());
        let Err(error) = self.client.transact_write_items().set_transact_items(Some(writes)).send().await else {
            return Ok(Kept::Yes);
        };
        match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                let met = |code: &str| matches!(code, "ConditionalCheckFailed" | "TransactionConflict");
                let overtaken = cancelled.cancellation_reasons().iter().any(|one| one.code().is_some_and(met));
                if overtaken { Ok(Kept::Overtaken) } else { Err(error.into()) }
            }
            _ => Err(error.into()),
        }
    }

    /// The writes that put a mapping into its partition and delete it from the other one; with `deleted`, from both.
    fn in_place(&self, site: &SiteId, mapping: &Mapping, deleted: bool) -> Result<Vec<TransactWriteItem>, StoreError> {
        let (live, apart) = (live_key(site), mappings_key(site));
        let (own, other) = if mapping.enabled { (live, apart) } else { (apart, live) };
        let delete = |place: String| {
            let delete = Delete::builder().table_name(&self.table).key("pk", text(place));
            let delete = delete.key("sk", text(sort_key(&mapping.id))).build()?;
            Ok::<_, StoreError>(TransactWriteItem::builder().delete(delete).build())
        };
        if deleted {
            return Ok(vec![delete(own)?, delete(other)?]);
        }
        let put = Put::builder().table_name(&self.table);
        let put = put.item("pk", text(own)).item("sk", text(sort_key(&mapping.id))).item("json", json(mapping)?);
        let review = mapping.needs_review.as_ref().map(json).transpose()?;
        let put = review.into_iter().fold(put, |put, review| put.item(NEEDS_REVIEW, review));
        let put = TransactWriteItem::builder().put(put.build()?).build();
        Ok(vec![put, delete(other)?])
    }

    /// Pauses an enabled mapping because of a volume spike. Its messages wait until the mapping is saved again. Returns
    /// `false` if it was already paused.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn pause_mapping(
        &self,
        site: &SiteId,
        mapping: &MappingId,
        volume_spike: &VolumeSpike,
    ) -> Result<bool, StoreError> {
        let request = self.client.update_item().table_name(&self.table);
        let request = request
            .key("pk", text(live_key(site)))
            .key("sk", text(sort_key(mapping)))
            .update_expression("SET flood = :flood")
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(flood)")
            .expression_attribute_values(":flood", json(volume_spike)?);
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(false),
                _ => Err(error.into()),
            },
        }
    }

    /// Returns every saved version of a mapping, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn history(&self, site: &SiteId, mapping: &MappingId) -> Result<Vec<SavedMapping>, StoreError> {
        let items = self.query(&history_key(site, mapping)).await?;
        items.iter().map(|item| value(&Reading::of(item))).collect()
    }

    /// Marks the enabled mappings of an account that use a changed template. They send nothing until an operator
    /// confirms them.
    ///
    /// `known` are the account's templates as of the last sync, `listed` are the current ones. Returns the marked
    /// mappings.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn mark_for_review(
        &self,
        site: &SiteId,
        account: &AccountId,
        (known, listed): (&[Template], &[Template]),
        now: Timestamp,
    ) -> Result<Vec<MappingId>, StoreError> {
        let items = self.query(&live_key(site)).await?;
        let Some(live) = live_of(&items)? else { return Ok(Vec::new()) };
        let mut marked = Vec::new();
        for item in &items {
            let Some(mapping) = readable(mapping_in(item)).flatten() else { continue };
            if live.account(&mapping).is_none_or(|of_mapping| of_mapping.id != *account) {
                continue;
            }
            let Some(review) = mapping.review(known, listed, now) else { continue };
            let request = self.client.update_item().table_name(&self.table);
            let request = request.key("pk", text(live_key(site))).key("sk", text(sort_key(&mapping.id)));
            let request = request.update_expression("SET needs_review = :review").condition_expression("json = :read");
            let request = request.expression_attribute_values(":review", json(&review)?);
            let request = request.expression_attribute_values(":read", text(Reading::of(item).required("json")?));
            match request.send().await {
                Ok(_) => marked.push(mapping.id),
                // The mapping was saved in the meantime. If the saved version is based on the old templates, the next
                // sync marks it.
                Err(error)
                    if matches!(
                        error.as_service_error(),
                        Some(UpdateItemError::ConditionalCheckFailedException(_))
                    ) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(marked)
    }

    /// Copies the templates of an enabled mapping into the live partition.
    async fn make_templates_live(&self, site: &SiteId, mapping: &Mapping) -> Result<(), StoreError> {
        if !mapping.enabled {
            return Ok(());
        }
        for item in self.query(&templates_key(site)).await? {
            let reading = Reading::of(&item);
            let template: Template = value(&reading)?;
            if uses(mapping, &template) {
                self.put(live_key(site), format!("{TEMPLATE}{}", reading.required("sk")?), &template).await?;
            }
        }
        Ok(())
    }
}

/// Reads a mapping with its review mark and its volume spike.
pub(super) fn read(reading: &Reading<'_>) -> Result<Mapping, StoreError> {
    let mapping: Mapping = value(reading)?;
    Ok(Mapping { needs_review: reading.json(NEEDS_REVIEW)?, volume_spike: reading.json(VOLUME_SPIKE)?, ..mapping })
}

/// Reads the mapping of an item; `None` for an item of another kind.
fn mapping_in(item: &Item) -> Result<Option<Mapping>, StoreError> {
    let reading = Reading::of(item);
    let is_mapping = reading.required("sk")?.starts_with(MAPPING);
    is_mapping.then(|| read(&reading)).transpose()
}

fn mappings_key(site: &SiteId) -> String {
    format!("MAPPINGS#{site}")
}

fn history_key(site: &SiteId, mapping: &MappingId) -> String {
    format!("HISTORY#{site}#{mapping}")
}

fn sort_key(mapping: &MappingId) -> String {
    format!("{MAPPING}{mapping}")
}
