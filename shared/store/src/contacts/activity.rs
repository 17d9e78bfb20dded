//! How an activity stands, for its reminders: the newest of its events counts, in whatever order they come. What is over
//! stays as a tombstone, so that a deletion handled before its creation still wins.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::id::EventId;
use domain::occasion::Moment;
use domain::reminder::Standing;
use jiff::{SignedDuration, Timestamp};

use super::{Contacts, flag, is_older};
use crate::error::StoreError;
use crate::item::{Item, Reading, number, text};
use crate::many::Each;
use crate::newer::Newer;

/// How long it is remembered after the last event, besides the time until the last reminder.
const REMEMBERED_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);

/// How an activity stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityHead {
    /// The event that said so last.
    pub event: EventId,
    /// Whether it is over: then it has no reminders.
    pub over: bool,
}

impl Contacts {
    /// Records how an activity stands by an event, unless a newer one is known. `until` is its last reminder's moment.
    /// Answers whether the event is the newest, which it is again when it is handled again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_activity(
        &self,
        key: &str,
        event: &EventId,
        (moment, standing): (Moment, Standing),
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let newer = Newer::than(moment);
        let remembered = until.saturating_add(REMEMBERED_FOR).unwrap_or(until).as_second();
        let mut request = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", text(key))
            .item("event_id", text(event.as_str()))
            .item("is_over", AttributeValue::Bool(standing == Standing::Over))
            .item("expires_at", number(remembered))
            .condition_expression(format!("attribute_not_exists(pk) OR {}", newer.condition));
        for (name, value) in newer.attributes {
            request = request.expression_attribute_values(format!(":{name}"), value.clone()).item(name, value);
        }
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error) if is_older(&error) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// How activities stand, by their keys; those of which nothing is known are left out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn activities(&self, keys: &[String]) -> Result<Each<ActivityHead>, StoreError> {
        let items = self.items(keys).await?;
        Ok(items.into_iter().map(|(key, item)| (key, activity_head(&item))).collect())
    }
}

fn activity_head(item: &Item) -> Result<ActivityHead, StoreError> {
    let reading = Reading::of(item);
    let event = EventId::parse(reading.required("event_id")?).map_err(|error| reading.fault("event_id", error))?;
    Ok(ActivityHead { event, over: flag(item, "is_over") == Some(true) })
}
