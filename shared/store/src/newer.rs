//! The order of the events of one subject, as a condition.
//!
//! An event is newer if its version is higher, or else if it occurred later, or else if it was received later.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::event::EventVersion;

use crate::item::{number, time};

/// The condition that an item is not newer than an event version.
pub(crate) struct Newer {
    /// The condition. The placeholder of each value is `:` and the attribute's name.
    pub(crate) condition: &'static str,
    /// The attributes that store the event version in the item.
    pub(crate) attributes: Vec<(&'static str, AttributeValue)>,
}

impl Newer {
    pub(crate) fn than(version: EventVersion) -> Self {
        let EventVersion { version, occurred_at, received_at } = version;
        let mut attributes = vec![("occurred_at", time(occurred_at)), ("received_at", time(received_at))];
        let Some(version) = version else {
            let condition =
                "occurred_at < :occurred_at OR (occurred_at = :occurred_at AND received_at <= :received_at)";
            return Self { condition, attributes };
        };
        attributes.push(("doc_version", number(version)));
        let condition = "doc_version < :doc_version OR \
             ((attribute_not_exists(doc_version) OR doc_version = :doc_version) AND \
             (occurred_at < :occurred_at OR (occurred_at = :occurred_at AND received_at <= :received_at)))";
        Self { condition, attributes }
    }
}
