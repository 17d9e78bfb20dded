//! The `Schedule` table: what waits for its moment.
//!
//! Items are found through the index `due`: a shard (`0` to `15`) and the moment, so that a sweep costs what is due and
//! not what is pending.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::Select;
use jiff::Timestamp;

use crate::error::StoreError;
use crate::item::{text, time};

/// Shards of the index `due`: one partition takes 1,000 writes a second, sixteen are room for a whole site's morning.
pub const SHARDS: u8 = 16;

/// The `Schedule` table.
#[derive(Clone, Debug)]
pub struct Schedule {
    client: Client,
    table: String,
}

impl Schedule {
    /// The table of that name.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// How many items of a shard are due, counted up to one page of the index.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn count_due(&self, shard: u8, now: Timestamp) -> Result<usize, StoreError> {
        let request = self.client.query().table_name(&self.table).index_name("due").select(Select::Count);
        let request = request.key_condition_expression("#shard = :shard AND due_at <= :now");
        let request = request.expression_attribute_names("#shard", "shard");
        let request = request.expression_attribute_values(":shard", text(shard.to_string()));
        let answer = request.expression_attribute_values(":now", time(now)).send().await?;
        Ok(usize::try_from(answer.count).unwrap_or_default())
    }
}
