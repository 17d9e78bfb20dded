//! The latest pending state of a subject, for one mapping and recipient. An older pending state gives way to it.

use domain::decision::guards::renewal;
use domain::event::EventVersion;
use jiff::{SignedDuration, Timestamp};

use super::renewal::renew;
use super::{Contacts, is_older};
use crate::error::StoreError;
use crate::item::{Reading, number, text};
use crate::newer::Newer;
use crate::transact::again;

/// How long an item is kept. A mapping holds a state for a week at most.
const REMEMBERED_FOR: SignedDuration = SignedDuration::from_hours(15 * 24);

/// A pending state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingState {
    /// When the state was entered.
    pub entered_at: Timestamp,
    /// The name of the state, if it was stored.
    pub state: Option<String>,
}

impl Contacts {
    /// Returns the message that claimed a dedup key; `None` if none did. Extends the key's expiry if it is past half of
    /// its lifetime.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn notified_by(
        &self,
        dedup_key: &str,
        remember_for: SignedDuration,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        let items = self.items(&[dedup_key]).await?;
        let Some(reading) = items.get(dedup_key).map(Reading::of) else { return Ok(None) };
        let expires_at = reading.number("expires_at")?.and_then(|second| Timestamp::from_second(second.into()).ok());
        if expires_at.and_then(|expires_at| renewal(expires_at, now, remember_for)).is_some() {
            renew(&self.client, &self.table, dedup_key, (now, remember_for)).await?;
        }
        Ok(reading.text("message")?.map(str::to_owned))
    }

    /// Records this state as the latest pending one. Returns the recorded state instead, if a newer event of the
    /// subject set it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn put_pending(
        &self,
        key: &str,
        (version, state): (EventVersion, &str),
        now: Timestamp,
    ) -> Result<Option<PendingState>, StoreError> {
        let newer = Newer::than(version);
        let remembered = now.saturating_add(REMEMBERED_FOR).unwrap_or(now).as_second();
        let mut request = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", text(key))
            .item("held_state", text(state))
            .item("expires_at", number(remembered))
            .condition_expression(format!("attribute_not_exists(pk) OR {}", newer.condition));
        for (name, value) in newer.attributes {
            request = request.expression_attribute_values(format!(":{name}"), value.clone()).item(name, value);
        }
        match again(|| request.clone().send()).await {
            Ok(_) => Ok(None),
            Err(error) if is_older(&error) => {
                let items = self.items(&[key]).await?;
                let Some(reading) = items.get(key).map(Reading::of) else { return Ok(None) };
                let state = reading.text("held_state")?.map(str::to_owned);
                Ok(reading.time("occurred_at")?.map(|entered_at| PendingState { entered_at, state }))
            }
            Err(error) => Err(error.into()),
        }
    }
}
