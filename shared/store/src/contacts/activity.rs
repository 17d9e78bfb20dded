//! The status of an activity, which decides about its reminders. The newest event counts, in whatever order the events
//! arrive.
//!
//! The item of an activity that is over stays as a tombstone, so that a deletion wins even if it is processed before
//! the creation.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use domain::decision::reminder::{ActivityStatus, fingerprints, starts};
use domain::event::{Event, EventVersion};
use domain::primitives::id::EventId;
use jiff::{SignedDuration, Timestamp};

use super::{Contacts, flag};
use crate::batch_get::BatchGet;
use crate::error::StoreError;
use crate::item::{Item, Reading, number, text};
use crate::newer::Newer;
use crate::transact::again;

/// How long an item is kept after the last reminder is due.
const REMEMBERED_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The status of an activity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LatestActivity {
    /// The event that determined the status.
    pub event: EventId,
    /// Whether the activity is over and has no reminders.
    pub over: bool,
    /// The fingerprints of its reminders ([`domain::decision::reminder::reminder_fingerprint`]), including those due before the event.
    pub fingerprints: BTreeSet<String>,
}

impl LatestActivity {
    /// Returns whether a reminder is still valid: the activity is not over and has a reminder with this fingerprint.
    #[must_use]
    pub fn has(&self, version: &str) -> bool {
        !self.over && self.fingerprints.contains(version)
    }
}

impl Contacts {
    /// Records the status of an activity from an event, unless a newer event is recorded. In that case, the recorded
    /// status is returned.
    ///
    /// An activity that is over stays over for any event that did not occur later and has no higher version, however
    /// late it was received. Recording the same event again succeeds. `until` is when the last reminder is due.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_activity(
        &self,
        key: &str,
        event: &Event,
        (version, activity_status): (EventVersion, ActivityStatus),
        until: Timestamp,
    ) -> Result<Option<LatestActivity>, StoreError> {
        let newer = Newer::than(version);
        let remembered = until.saturating_add(REMEMBERED_FOR).unwrap_or(until).as_second();
        let fingerprints = fingerprints(event);
        let mut request = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", text(key))
            .item("event_id", text(event.id.as_str()))
            .item("is_over", AttributeValue::Bool(activity_status == ActivityStatus::Over))
            .item("expires_at", number(remembered))
            .condition_expression(format!(
                "attribute_not_exists(pk) OR {}",
                condition(&newer, version, activity_status)
            ))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        if let Some(activity) = event.activity() {
            request = request.item("starts", text(starts(activity)));
        }
        if activity_status == ActivityStatus::Saved {
            request = request.expression_attribute_values(":no", AttributeValue::Bool(false));
        }
        // A DynamoDB set must not be empty.
        if !fingerprints.is_empty() {
            request = request.item("moments", AttributeValue::Ss(fingerprints.into_iter().collect()));
        }
        for (name, value) in newer.attributes {
            request = request.expression_attribute_values(format!(":{name}"), value.clone()).item(name, value);
        }
        let Err(error) = again(|| request.clone().send()).await else { return Ok(None) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) if failed.item().is_some() => {
                failed.item().map(latest_activity).transpose()
            }
            _ => Err(error.into()),
        }
    }

    /// Returns the statuses of activities by their keys. An unknown activity is left out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn activities(&self, keys: &[String]) -> Result<BatchGet<LatestActivity>, StoreError> {
        let items = self.items(keys).await?;
        Ok(items.into_iter().map(|(key, item)| (key, latest_activity(&item))).collect())
    }
}

/// The condition under which an event replaces the recorded one. Of two events at the same time, the end of the
/// activity wins.
fn condition(newer: &Newer, version: EventVersion, activity_status: ActivityStatus) -> String {
    let newer = newer.condition;
    match (activity_status, version.version) {
        (ActivityStatus::Over, None) => format!("({newer}) OR occurred_at = :occurred_at"),
        (ActivityStatus::Over, Some(_)) => format!(
            "({newer}) OR ((attribute_not_exists(doc_version) OR doc_version = :doc_version) \
             AND occurred_at = :occurred_at)"
        ),
        (ActivityStatus::Saved, None) => format!("({newer}) AND (is_over = :no OR occurred_at < :occurred_at)"),
        (ActivityStatus::Saved, Some(_)) => {
            format!("({newer}) AND (is_over = :no OR occurred_at < :occurred_at OR doc_version < :doc_version)")
        }
    }
}

fn latest_activity(item: &Item) -> Result<LatestActivity, StoreError> {
    let reading = Reading::of(item);
    let event = EventId::parse(reading.required("event_id")?).map_err(|error| reading.fault("event_id", error))?;
    let fingerprints =
        item.get("moments").and_then(|fingerprints| fingerprints.as_ss().ok()).into_iter().flatten().cloned().collect();
    Ok(LatestActivity { event, over: flag(item, "is_over") == Some(true), fingerprints })
}
