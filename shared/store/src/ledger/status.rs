//! Statuses that the provider reports, and status reports whose message is not known yet.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValue;
use domain::message::state::{Status, StatusFact};
use domain::primitives::cause::chain;
use domain::primitives::id::SiteId;
use domain::primitives::key::MessageId;
use jiff::{SignedDuration, Timestamp};

use super::Ledger;
use super::facts::{Reported, provider_key, reported, sort_key, status_attribute};
use crate::batch_get;
use crate::error::StoreError;
use crate::item::{Item, ORPHAN, Reading, json, number, text, time};
use crate::transact::{again, conditional};

/// How long a status report waits for its message.
const ORPHAN_KEPT_FOR: SignedDuration = SignedDuration::from_hours(48);
/// The shard of these reports in the index `open`. Their `open_since` is the next time to look for the message.
const ORPHANS: &str = "orphans";

/// A status report without a message.
#[derive(Clone, PartialEq, Eq)]
pub struct Orphan {
    /// The site.
    pub site: SiteId,
    /// The provider's id of the message.
    pub provider_id: String,
    /// The report, as it was in the queue.
    pub platform_event: String,
    pk: String,
    sk: String,
    since: Timestamp,
}

/// The end of a page of status reports without a message.
#[derive(Clone)]
pub struct OrphansAfter(Item);

/// Omits the provider's id, which contains the number.
impl std::fmt::Debug for Orphan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Orphan").field("site", &self.site).field("since", &self.since).finish_non_exhaustive()
    }
}

/// Omits the key, as for [`Orphan`].
impl std::fmt::Debug for OrphansAfter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OrphansAfter")
    }
}

impl Ledger {
    /// Records a status of a message. Only the first report of each status counts. Returns `None` if the site has no
    /// such message.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn record_status(
        &self,
        site: &SiteId,
        id: &MessageId,
        provider_id: &str,
        (status, fact): (Status, &StatusFact),
    ) -> Result<Option<Reported>, StoreError> {
        let mut set = "SET #status = if_not_exists(#status, :fact)".to_owned();
        let mut request = self.client.update_item().table_name(&self.table);
        if let Some(provider) = provider_key(site, provider_id) {
            set.push_str(", provider = if_not_exists(provider, :provider)");
            request = request.expression_attribute_values(":provider", text(provider));
        }
        let request = request
            .key("pk", text(&id.event))
            .key("sk", text(sort_key(id)))
            .update_expression(set)
            .condition_expression("site = :site")
            .expression_attribute_names("#status", status_attribute(status))
            .expression_attribute_values(":fact", json(fact)?)
            .expression_attribute_values(":site", text(site.as_str()))
            .return_values(ReturnValue::AllNew);
        match again(|| request.clone().send()).await {
            Ok(answer) => reported(&answer.attributes.unwrap_or_default()).map(Some),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(None),
                _ => Err(error.into()),
            },
        }
    }

    /// Returns the message with a provider's id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn message_of_provider(&self, site: &SiteId, provider_id: &str) -> Result<Option<MessageId>, StoreError> {
        let request = self.client.query().table_name(&self.table).index_name("by_provider_id");
        let request = request.key_condition_expression("provider = :provider").limit(1);
        let request = request.expression_attribute_values(":provider", text(format!("{site}#{provider_id}")));
        let answer = request.send().await?;
        let Some(item) = answer.items().first() else { return Ok(None) };
        let reading = Reading::of(item);
        let message = reading.required("sk")?.strip_prefix("M#").map(str::to_owned);
        Ok(message.map(|message| MessageId { event: item_key(item), message }))
    }

    /// Keeps a status report whose message is not known yet. The next sweep looks for the message.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_orphan(
        &self,
        site: &SiteId,
        provider_id: &str,
        status: Status,
        platform_event: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let request = self.client.put_item().table_name(&self.table);
        let request = request
            .item("pk", text(format!("{ORPHAN}{site}#{provider_id}")))
            .item("sk", text(status_attribute(status)))
            .item("site", text(site.as_str()))
            .item("provider_id", text(provider_id))
            .item("notice", text(platform_event))
            .item("orphaned_at", time(now))
            .item("open_shard", text(ORPHANS))
            .item("open_since", time(now))
            .item("expires_at", number(now.saturating_add(ORPHAN_KEPT_FOR).unwrap_or(now).as_second()));
        request.send().await?;
        Ok(())
    }

    /// Returns the status reports whose message should be looked for now, oldest first, and the position of the next
    /// page, if there is one. The page has at most `limit` reports and starts after `after`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn orphans(
        &self,
        now: Timestamp,
        limit: i32,
        after: Option<OrphansAfter>,
    ) -> Result<(Vec<Orphan>, Option<OrphansAfter>), StoreError> {
        let request = self.client.query().table_name(&self.table).index_name("open");
        let request = request
            .key_condition_expression("open_shard = :shard AND open_since <= :now")
            .expression_attribute_values(":shard", text(ORPHANS))
            .expression_attribute_values(":now", time(now))
            .set_exclusive_start_key(after.map(|OrphansAfter(key)| key))
            .limit(limit);
        let answer = request.send().await?;
        let mut keys = BTreeMap::new();
        for item in answer.items() {
            let reading = Reading::of(item);
            let (pk, sk) = (reading.required("pk")?, reading.required("sk")?);
            let key = Item::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))]);
            keys.insert(format!("{pk}/{sk}"), key);
        }
        let items = batch_get::items(&self.client, &self.table, keys).await?;
        // A report that cannot be read must not block the others.
        let read = |item: &Item| {
            orphan(item)
                .inspect_err(|error| tracing::error!(error = chain(error), "a report without a message cannot be read"))
                .ok()
        };
        let next = answer.last_evaluated_key.filter(|key| !key.is_empty()).map(OrphansAfter);
        Ok((items.iter().filter_map(read).collect(), next))
    }

    /// Postpones the next search for a report's message by the time it has already waited, and at least by one minute.
    ///
    /// Most of these reports belong to messages that the shop sends by other means from the same number. Their message
    /// is never found.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn postpone_orphan(&self, orphan: &Orphan, now: Timestamp) -> Result<(), StoreError> {
        let waited = now.duration_since(orphan.since);
        if waited >= ORPHAN_KEPT_FOR {
            return self.drop_orphan(orphan).await;
        }
        let pause = waited.max(SignedDuration::from_mins(1));
        let request = self.client.update_item().table_name(&self.table);
        let request = request
            .key("pk", text(&orphan.pk))
            .key("sk", text(&orphan.sk))
            .update_expression("SET open_since = :next")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":next", time(now.saturating_add(pause).unwrap_or(now)));
        conditional(request).await?;
        Ok(())
    }

    /// Deletes a status report whose message was found or will not be found. A report that was kept again in the
    /// meantime stays, because its message was still missing then.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn drop_orphan(&self, orphan: &Orphan) -> Result<(), StoreError> {
        let request = self.client.delete_item().table_name(&self.table);
        let request = request
            .key("pk", text(&orphan.pk))
            .key("sk", text(&orphan.sk))
            .condition_expression("orphaned_at = :since")
            .expression_attribute_values(":since", time(orphan.since));
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(error.into()),
            },
        }
    }
}

fn item_key(item: &Item) -> String {
    item.get("pk").and_then(|pk| pk.as_s().ok()).cloned().unwrap_or_default()
}

fn orphan(item: &Item) -> Result<Orphan, StoreError> {
    let reading = Reading::of(item);
    Ok(Orphan {
        site: SiteId::parse(reading.required("site")?).map_err(|error| reading.fault("site", error))?,
        provider_id: reading.required("provider_id")?.to_owned(),
        platform_event: reading.required("notice")?.to_owned(),
        pk: reading.required("pk")?.to_owned(),
        sk: reading.required("sk")?.to_owned(),
        since: reading.time("orphaned_at")?.ok_or_else(|| reading.fault("orphaned_at", "is missing"))?,
    })
}
