//! The key schema of the tables as data.
//!
//! The local run and the tests create the tables from it. A test checks that `infra/template.yaml` declares the same
//! schema.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType,
};

use crate::error::StoreError;

/// The keys of a table or an index: the partition key and, if there is one, the sort key. All are strings.
type Keys = (&'static str, Option<&'static str>);

/// A table with its keys and indexes.
#[derive(Debug)]
pub struct Schema {
    /// The table's logical name. The name of the deployed table has the stack's name as its prefix.
    pub name: &'static str,
    keys: Keys,
    indexes: &'static [(&'static str, Keys, Projected)],
}

/// The attributes that an index projects in addition to the keys.
#[derive(Clone, Copy, Debug)]
enum Projected {
    Nothing,
    Everything,
}

/// The four tables.
pub const SCHEMAS: [Schema; 4] = [
    Schema { name: "Config", keys: ("pk", Some("sk")), indexes: &[] },
    Schema { name: "Contacts", keys: ("pk", None), indexes: &[] },
    Schema {
        name: "Ledger",
        keys: ("pk", Some("sk")),
        indexes: &[
            ("by_day", ("day", Some("at")), Projected::Nothing),
            ("by_contact", ("contact", Some("at")), Projected::Nothing),
            ("by_subject", ("subject", Some("at")), Projected::Nothing),
            ("by_provider_id", ("provider", None), Projected::Nothing),
            ("open", ("open_shard", Some("open_since")), Projected::Nothing),
        ],
    },
    Schema {
        name: "Schedule",
        keys: ("pk", None),
        indexes: &[("due", ("shard", Some("due_at")), Projected::Everything)],
    },
];

/// The TTL attribute, in epoch seconds. TTL is enabled on `Contacts` and `Ledger`.
pub const TTL_ATTRIBUTE: &str = "expires_at";

/// Creates the tables that do not exist yet, named `<prefix>-<name in lower case>`.
///
/// # Errors
/// [`StoreError`] for the first table that could not be created.
pub async fn create_all(client: &Client, prefix: &str) -> Result<(), StoreError> {
    let existing = client.list_tables().send().await?;
    for schema in &SCHEMAS {
        let name = table_name(prefix, schema.name);
        if !existing.table_names().contains(&name) {
            create(client, schema, name).await?;
        }
    }
    Ok(())
}

/// Returns the name of a table: `<prefix>-<name in lower case>`.
#[must_use]
pub fn table_name(prefix: &str, name: &str) -> String {
    format!("{prefix}-{}", name.to_lowercase())
}

async fn create(client: &Client, schema: &Schema, name: String) -> Result<(), StoreError> {
    let mut request = client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    let mut attributes = attribute_names(schema.keys);
    for (index, keys, projected) in schema.indexes {
        attributes.extend(attribute_names(*keys));
        let projection = match projected {
            Projected::Nothing => ProjectionType::KeysOnly,
            Projected::Everything => ProjectionType::All,
        };
        let index = GlobalSecondaryIndex::builder()
            .index_name(*index)
            .set_key_schema(Some(key_schema(*keys)?))
            .projection(Projection::builder().projection_type(projection).build())
            .build();
        request = request.global_secondary_indexes(index?);
    }
    attributes.sort_unstable();
    attributes.dedup();
    for attribute in attributes {
        let definition =
            AttributeDefinition::builder().attribute_name(attribute).attribute_type(ScalarAttributeType::S).build();
        request = request.attribute_definitions(definition?);
    }
    request.set_key_schema(Some(key_schema(schema.keys)?)).send().await?;
    Ok(())
}

fn attribute_names((partition, sort): Keys) -> Vec<&'static str> {
    [Some(partition), sort].into_iter().flatten().collect()
}

fn key_schema((partition, sort): Keys) -> Result<Vec<KeySchemaElement>, StoreError> {
    let element = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    let mut schema = vec![element(partition, KeyType::Hash)?];
    if let Some(sort) = sort {
        schema.push(element(sort, KeyType::Range)?);
    }
    Ok(schema)
}
