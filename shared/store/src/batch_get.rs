//! Many items read at once.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::KeysAndAttributes;

use crate::error::StoreError;
use crate::item::Item;

/// Keys DynamoDB takes in one call.
const KEYS_AT_ONCE: usize = 100;

/// What was read, by its key: what is malformed is found only by who asked for it, and what is not there is left out.
pub type BatchGet<T> = HashMap<String, Result<T, StoreError>>;

/// The items of these keys, in as few consistent reads as DynamoDB allows. A key is read once however often it is given,
/// which DynamoDB would refuse; `keys` are by a name that tells them apart.
pub(crate) async fn items(client: &Client, table: &str, keys: BTreeMap<String, Item>) -> Result<Vec<Item>, StoreError> {
    let keys: Vec<Item> = keys.into_values().collect();
    let mut items = Vec::with_capacity(keys.len());
    for some in keys.chunks(KEYS_AT_ONCE) {
        let wanted = KeysAndAttributes::builder().set_keys(Some(some.to_vec())).consistent_read(true).build();
        let mut wanted = Some(wanted.map_err(|error| StoreError::Refused(error.to_string()))?);
        // DynamoDB may leave some keys to the next call.
        while let Some(keys) = wanted.take() {
            let answer = client.batch_get_item().request_items(table, keys).send().await?;
            items.extend(answer.responses.into_iter().flatten().flat_map(|(_, items)| items));
            wanted = answer.unprocessed_keys.and_then(|mut left| left.remove(table));
        }
    }
    Ok(items)
}
