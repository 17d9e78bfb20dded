//! Access to a request's JSON. Every value carries its path, so that a refusal can name the location.

use serde_json::{Map, Value};

use crate::graph_error::GraphError;

/// A value of the request and its path in the platform's notation: `template['name']`.
#[derive(Clone)]
pub(super) struct Node<'a> {
    value: &'a Value,
    path: String,
}

impl<'a> Node<'a> {
    pub(super) fn root(value: &'a Value) -> Self {
        Self { value, path: String::new() }
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Returns the fields of an object that may contain only `known` keys. Unknown keys are refused, so misspelt keys
    /// are noticed.
    pub(super) fn object(&self, known: &[&str]) -> Result<Fields<'a>, GraphError> {
        let map = self.value.as_object().ok_or_else(|| self.must_be("a JSON object"))?;
        if let Some(key) = map.keys().find(|key| !known.contains(&key.as_str())) {
            let place = if self.path.is_empty() { "the request" } else { &self.path };
            return Err(GraphError::new(100, format!("Unexpected key {key:?} on param {place:?}")));
        }
        Ok(Fields { map, path: self.path.clone() })
    }

    pub(super) fn string(&self) -> Result<&'a str, GraphError> {
        self.value.as_str().ok_or_else(|| self.must_be("a string"))
    }

    pub(super) fn integer(&self) -> Result<i64, GraphError> {
        self.value.as_i64().ok_or_else(|| self.must_be("an integer"))
    }

    pub(super) fn array(&self) -> Result<Vec<Node<'a>>, GraphError> {
        let items = self.value.as_array().ok_or_else(|| self.must_be("an array"))?;
        Ok(items.iter().enumerate().map(|(n, value)| Node { value, path: format!("{}[{n}]", self.path) }).collect())
    }

    /// Returns a string that must be one of a fixed list.
    pub(super) fn one_of(&self, allowed: &[&'static str]) -> Result<&'static str, GraphError> {
        let text = self.string()?;
        allowed.iter().copied().find(|candidate| *candidate == text).ok_or_else(|| {
            let list = allowed.join(", ").to_uppercase();
            GraphError::new(100, format!("Param {} must be one of {{{list}}}, got {text:?}", self.path))
        })
    }

    /// Returns a string or a number as text. Some fields accept both.
    pub(super) fn text_or_number(&self) -> Result<String, GraphError> {
        match self.value {
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            _ => Err(self.must_be("a string or a number")),
        }
    }

    fn must_be(&self, what: &str) -> GraphError {
        let place = if self.path.is_empty() { "of the request" } else { &self.path };
        GraphError::new(100, format!("Param {place} must be {what}"))
    }
}

/// The fields of one object.
pub(super) struct Fields<'a> {
    map: &'a Map<String, Value>,
    path: String,
}

impl<'a> Fields<'a> {
    pub(super) fn optional(&self, key: &str) -> Option<Node<'a>> {
        self.map.get(key).map(|value| Node { value, path: self.child(key) })
    }

    pub(super) fn required(&self, key: &str) -> Result<Node<'a>, GraphError> {
        self.optional(key).ok_or_else(|| GraphError::new(131008, format!("Parameter {} is missing", self.child(key))))
    }

    fn child(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}['{key}']", self.path) }
    }
}
