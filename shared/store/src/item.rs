//! Items and their attributes.

use std::collections::HashMap;
use std::error::Error;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::primitives::cause::Cause;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::StoreError;

/// The prefix of the partition of a status report without a message. The site and the provider's id follow.
pub(crate) const ORPHAN: &str = "ORPHAN#";

/// An item as the SDK represents it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// A string attribute.
pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number attribute.
pub(crate) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A time as sortable text: always UTC, always nine decimals.
pub(crate) fn time(value: Timestamp) -> AttributeValue {
    text(format!("{value:.9}"))
}

/// A time as a number for arithmetic: milliseconds since 1970.
pub(crate) fn millis(value: Timestamp) -> AttributeValue {
    number(value.as_millisecond())
}

/// Like [`millis`], in microseconds.
pub(crate) fn micros(value: Timestamp) -> AttributeValue {
    number(value.as_microsecond())
}

/// A value as JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<AttributeValue, StoreError> {
    serde_json::to_string(value).map(AttributeValue::S).map_err(|error| StoreError::malformed("(being written)", error))
}

/// The fault of an attribute.
#[derive(Debug, thiserror::Error)]
#[error("{name}")]
struct Fault {
    name: String,
    #[source]
    cause: Cause,
}

/// Reads the attributes of an item. An error contains the item's key.
pub(crate) struct Reading<'a> {
    pub(crate) item: &'a Item,
    key: String,
}

impl<'a> Reading<'a> {
    pub(crate) fn of(item: &'a Item) -> Self {
        let part = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str);
        Self { item, key: format!("{}/{}", shown(part("pk")), part("sk")) }
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<&'a str>, StoreError> {
        match self.item.get(name) {
            None => Ok(None),
            Some(AttributeValue::S(text)) => Ok(Some(text)),
            Some(_) => Err(self.fault(name, "is not a string")),
        }
    }

    pub(crate) fn required(&self, name: &str) -> Result<&'a str, StoreError> {
        self.text(name)?.ok_or_else(|| self.fault(name, "is missing"))
    }

    pub(crate) fn time(&self, name: &str) -> Result<Option<Timestamp>, StoreError> {
        let parse = |text: &str| text.parse().map_err(|error| self.fault(name, error));
        self.text(name)?.map(parse).transpose()
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<u32>, StoreError> {
        match self.item.get(name) {
            None => Ok(None),
            Some(AttributeValue::N(digits)) => digits.parse().map(Some).map_err(|error| self.fault(name, error)),
            Some(_) => Err(self.fault(name, "is not a number")),
        }
    }

    /// Reads a time written by [`millis`].
    pub(crate) fn millis(&self, name: &str) -> Result<Option<Timestamp>, StoreError> {
        self.count(name)?.map(|ms| self.moment(name, Timestamp::from_millisecond(ms))).transpose()
    }

    /// Reads a time written by [`micros`].
    pub(crate) fn micros(&self, name: &str) -> Result<Option<Timestamp>, StoreError> {
        self.count(name)?.map(|micros| self.moment(name, Timestamp::from_microsecond(micros))).transpose()
    }

    /// Reads a whole number.
    pub(crate) fn count(&self, name: &str) -> Result<Option<i64>, StoreError> {
        match self.item.get(name) {
            None => Ok(None),
            Some(AttributeValue::N(digits)) => digits.parse().map(Some).map_err(|error| self.fault(name, error)),
            Some(_) => Err(self.fault(name, "is not a number")),
        }
    }

    fn moment(&self, name: &str, moment: Result<Timestamp, jiff::Error>) -> Result<Timestamp, StoreError> {
        moment.map_err(|error| self.fault(name, error))
    }

    pub(crate) fn json<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StoreError> {
        let parse = |text: &str| serde_json::from_str(text).map_err(|error| self.fault(name, error));
        self.text(name)?.map(parse).transpose()
    }

    pub(crate) fn fault(&self, name: &str, cause: impl Into<Box<dyn Error + Send + Sync>>) -> StoreError {
        StoreError::malformed(&self.key, Fault { name: name.to_owned(), cause: Cause::new(cause) })
    }
}

/// A partition key that an error may show: without the provider's id, which contains the number.
fn shown(pk: &str) -> &str {
    match pk.strip_prefix(ORPHAN) {
        Some(rest) => rest.find('#').and_then(|end| pk.get(..ORPHAN.len() + end)).unwrap_or(ORPHAN),
        None => pk,
    }
}

#[cfg(test)]
mod tests {
    use domain::primitives::cause::chain;

    use super::*;

    #[test]
    fn times_sort_as_text() {
        let of = |text: &str| time(text.parse().unwrap()).as_s().unwrap().clone();
        assert_eq!(of("2026-11-22T10:00:00+01:00"), "2026-11-22T09:00:00.000000000Z");
        assert!(of("2026-11-22T09:00:00Z") < of("2026-11-22T09:00:00.5Z"));
        assert!(of("2026-11-22T09:00:00.5Z") < of("2026-11-22T09:00:01Z"));
    }

    #[test]
    fn a_malformed_item_is_named() {
        let item =
            Item::from([("pk".to_owned(), text("a")), ("sk".to_owned(), text("b")), ("n".to_owned(), text("x"))]);
        let error = Reading::of(&item).number("n").unwrap_err();
        assert_eq!(chain(&error), "item a/b is malformed: n: is not a number");
        assert!(Reading::of(&item).required("m").is_err());
    }

    #[test]
    fn an_error_about_an_orphan_hides_the_provider_id() {
        let pk = text("ORPHAN#demo#wamid.HBgMMzkzNDAxMjM0NTY3FQIAERgS");
        let item = Item::from([("pk".to_owned(), pk), ("sk".to_owned(), text("delivered"))]);
        let error = Reading::of(&item).required("notice").unwrap_err();
        assert_eq!(chain(&error), "item ORPHAN#demo/delivered is malformed: notice: is missing");
    }
}
