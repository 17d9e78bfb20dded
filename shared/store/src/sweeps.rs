//! The record of the last sweep: one item of the `Schedule` table.

use jiff::Timestamp;

use crate::error::StoreError;
use crate::item::{Reading, number, text, time};
use crate::schedule::Schedule;

/// The key of the item.
const SWEEP: &str = "SWEEP";

/// A sweep that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sweep {
    /// When it ended.
    pub at: Timestamp,
    /// Greatest delay, in seconds, of an item that was due.
    pub late_s: i64,
    /// Whether a part of it failed.
    pub failed: bool,
}

impl Schedule {
    /// Records a sweep. It replaces the record of the sweep before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn note_sweep(&self, sweep: Sweep) -> Result<(), StoreError> {
        let request = self.client.update_item().table_name(&self.table).key("pk", text(SWEEP));
        let request = request
            .update_expression("SET #at = :at, late_s = :late_s, failed = :failed")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":at", time(sweep.at))
            .expression_attribute_values(":late_s", number(sweep.late_s))
            .expression_attribute_values(":failed", number(u8::from(sweep.failed)));
        request.send().await?;
        Ok(())
    }

    /// Returns the last sweep.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn last_sweep(&self) -> Result<Option<Sweep>, StoreError> {
        let request = self.client.get_item().table_name(&self.table).key("pk", text(SWEEP)).consistent_read(true);
        let Some(item) = request.send().await?.item else { return Ok(None) };
        let reading = Reading::of(&item);
        Ok(Some(Sweep {
            at: reading.time("at")?.ok_or_else(|| reading.fault("at", "is missing"))?,
            late_s: reading.count("late_s")?.unwrap_or_default(),
            failed: reading.number("failed")? == Some(1),
        }))
    }
}
