//! Expiry of latest-event items and dedup keys.

use aws_sdk_dynamodb::Client;
use jiff::{SignedDuration, Timestamp};

use crate::error::StoreError;
use crate::item::{number, text};
use crate::transact::conditional;

/// Extends the expiry of a latest-event item or dedup key that still exists and is past half of its lifetime.
pub(crate) async fn renew(
    client: &Client,
    table: &str,
    key: &str,
    (now, remember_for): (Timestamp, SignedDuration),
) -> Result<(), StoreError> {
    let in_half = now.saturating_add(remember_for / 2).unwrap_or(now).as_second();
    let request = client.update_item().table_name(table).key("pk", text(key));
    let request = request
        .update_expression("SET expires_at = :expires_at")
        .condition_expression("expires_at < :in_half")
        .expression_attribute_values(":in_half", number(in_half))
        .expression_attribute_values(
            ":expires_at",
            number(now.saturating_add(remember_for).unwrap_or(now).as_second()),
        );
    conditional(request).await?;
    Ok(())
}
