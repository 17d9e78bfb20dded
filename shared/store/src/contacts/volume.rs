//! The number of messages a mapping sent on each of the last days: one item, updated once per batch.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::ReturnValue;
use domain::mapping::volume::DAYS;
use domain::primitives::id::{MappingId, SiteId};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::Contacts;
use crate::error::StoreError;
use crate::item::{Reading, number, text};

/// The prefix of a day's attribute.
const DAY: &str = "day_";
/// How long the item is kept after the last message.
const REMEMBERED_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

impl Contacts {
    /// Counts messages that a mapping sent. Returns the counts of the last days, by UTC day.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_sent(
        &self,
        site: &SiteId,
        mapping: &MappingId,
        sent: u32,
        now: Timestamp,
    ) -> Result<BTreeMap<Date, u32>, StoreError> {
        let today = now.to_zoned(TimeZone::UTC).date();
        let old = today.checked_sub((DAYS + 1).days()).unwrap_or(today);
        let remembered = now.saturating_add(REMEMBERED_FOR).unwrap_or(now).as_second();
        let request = self.client.update_item().table_name(&self.table);
        let request = request
            .key("pk", text(format!("VOLUME#{site}#{mapping}")))
            .update_expression("SET expires_at = :expires_at ADD #today :sent REMOVE #old")
            .expression_attribute_names("#today", format!("{DAY}{today}"))
            .expression_attribute_names("#old", format!("{DAY}{old}"))
            .expression_attribute_values(":sent", number(sent))
            .expression_attribute_values(":expires_at", number(remembered))
            .return_values(ReturnValue::AllNew);
        let item = request.send().await?.attributes.unwrap_or_default();
        let reading = Reading::of(&item);
        let mut days = BTreeMap::new();
        for name in item.keys() {
            if let Some(day) = name.strip_prefix(DAY).and_then(|day| day.parse().ok()) {
                days.insert(day, reading.number(name)?.unwrap_or_default());
            }
        }
        Ok(days)
    }
}
