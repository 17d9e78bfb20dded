//! Reading many items at once.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::KeysAndAttributes;

use crate::error::StoreError;
use crate::item::Item;

/// The most keys that DynamoDB accepts in one call.
const KEYS_AT_ONCE: usize = 100;

/// The values read, by key. A malformed item is an error of its own key only, and a missing item is left out.
pub type BatchGet<T> = HashMap<String, Result<T, StoreError>>;

/// Returns the items of the given keys, in as few consistent reads as DynamoDB allows. The map has one entry per key,
/// because DynamoDB rejects a key that is given twice.
pub(crate) async fn items(client: &Client, table: &str, keys: BTreeMap<String, Item>) -> Result<Vec<Item>, StoreError> {
    let keys: Vec<Item> = keys.into_values().collect();
    let mut items = Vec::with_capacity(keys.len());
    for some in keys.chunks(KEYS_AT_ONCE) {
        let wanted = KeysAndAttributes::builder().set_keys(Some(some.to_vec())).consistent_read(true).build();
        let mut wanted = Some(wanted?);
        // DynamoDB may leave some keys to the next call.
        while let Some(keys) = wanted.take() {
            let answer = client.batch_get_item().request_items(table, keys).send().await?;
            items.extend(answer.responses.into_iter().flatten().flat_map(|(_, items)| items));
            wanted = answer.unprocessed_keys.and_then(|mut left| left.remove(table));
        }
    }
    Ok(items)
}
