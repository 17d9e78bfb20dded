//! Changes of one template between two syncs, from a webhook.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use domain::primitives::id::{AccountId, SiteId};
use domain::primitives::language::Language;
use domain::template::Template;

use super::{ConfigTable, HOLD, TEMPLATE, live_key, templates_key, value};
use crate::error::StoreError;
use crate::item::{Reading, json, text};

/// Attempts at a change while a sync or another webhook writes the same template.
const CHANGE_TRIES: u32 = 4;

/// The key of a template.
#[derive(Clone, Copy, Debug)]
pub struct TemplateKey<'a> {
    /// The account.
    pub account: &'a AccountId,
    /// The template's name.
    pub name: &'a str,
    /// The template's language.
    pub language: &'a Language,
}

impl TemplateKey<'_> {
    fn sort(&self) -> String {
        let Self { account, name, language } = self;
        format!("{account}#{name}#{language}")
    }
}

impl ConfigTable {
    /// Changes a template in the full list and, if an enabled mapping uses it, in the live partition. Returns the
    /// template before and after the change in the full list; `None` if it is not in the list.
    ///
    /// # Errors
    /// [`StoreError`]; the items written so far stay, and the next call completes the change.
    pub async fn change_template(
        &self,
        site: &SiteId,
        key: TemplateKey<'_>,
        change: impl Fn(&Template) -> Template,
    ) -> Result<Option<(Template, Template)>, StoreError> {
        // The full list first: enabling a mapping copies its templates from there.
        let changed = self.change_item(templates_key(site), key.sort(), &change).await?;
        self.change_item(live_key(site), format!("{TEMPLATE}{}", key.sort()), &change).await?;
        Ok(changed)
    }

    /// Ends the hold of a template that Meta accepts again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lift_hold(&self, site: &SiteId, key: TemplateKey<'_>) -> Result<(), StoreError> {
        self.delete(live_key(site), format!("{HOLD}{}", key.sort())).await
    }

    async fn change_item(
        &self,
        pk: String,
        sk: String,
        change: &impl Fn(&Template) -> Template,
    ) -> Result<Option<(Template, Template)>, StoreError> {
        for _ in 0..CHANGE_TRIES {
            let request = self.client.get_item().table_name(&self.table).consistent_read(true);
            let answer = request.key("pk", text(&pk)).key("sk", text(&sk)).send().await?;
            let Some(item) = answer.item else { return Ok(None) };
            let reading = Reading::of(&item);
            let before: Template = value(&reading)?;
            let after = change(&before);
            if after == before {
                return Ok(Some((before, after)));
            }
            let request = self.client.update_item().table_name(&self.table);
            let request = request
                .key("pk", text(&pk))
                .key("sk", text(&sk))
                .update_expression("SET json = :changed")
                .condition_expression("json = :read")
                .expression_attribute_values(":changed", json(&after)?)
                .expression_attribute_values(":read", text(reading.required("json")?));
            match request.send().await {
                Ok(_) => return Ok(Some((before, after))),
                // The value changed in the meantime and is read again.
                Err(error)
                    if matches!(
                        error.as_service_error(),
                        Some(UpdateItemError::ConditionalCheckFailedException(_))
                    ) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::contended(format!("{pk}/{sk} is written too often")))
    }
}
