//! Reading foreign JSON field by field: every fault is reported, each with its JSON pointer (RFC 6901).
//!
//! A [`Reader`] stands on one value of the document. Its methods return `None` for a fault and note it, so that a
//! caller reads on and the sender learns of all faults at once. `null` equals absent, unknown fields are left alone.

use std::cell::RefCell;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One fault of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// JSON pointer of the value that is missing or wrong.
    pub pointer: String,
    /// What is wrong with it, in English, without repeating the value.
    pub detail: String,
}

/// Faults noted for one document; more than this many are not listed, they add nothing.
const FAULTS_MAX: usize = 20;

/// Where the readers of one document note what they find.
#[derive(Debug, Default)]
pub struct Faults {
    noted: RefCell<Vec<Fault>>,
    stored: bool,
    /// Every place a reader stepped to, so that a test can hold a contract against what is really read.
    #[cfg(test)]
    pub(crate) visited: RefCell<std::collections::BTreeSet<String>>,
}

impl Faults {
    /// Of a document that was accepted before, see [`Reader::is_stored`].
    #[must_use]
    pub fn of_stored() -> Self {
        Self { stored: true, ..Self::default() }
    }

    fn note(&self, pointer: String, detail: String) {
        let mut faults = self.noted.borrow_mut();
        if faults.len() < FAULTS_MAX {
            faults.push(Fault { pointer, detail });
        }
    }

    /// The faults, in the order they were found.
    #[must_use]
    pub fn into_vec(self) -> Vec<Fault> {
        self.noted.into_inner()
    }
}

/// Levels of lists and objects at which a document is refused. A record holds a document one level deeper, and
/// `serde_json` reads 127 levels.
pub const DEPTH_MAX: usize = 64;

/// The fault of a document that is refused for its depth.
#[must_use]
pub fn too_deep() -> Fault {
    let detail = format!("must have fewer than {DEPTH_MAX} levels of lists and objects");
    Fault { pointer: String::new(), detail }
}

/// How many lists and objects stand inside one another; 0 for a value that is neither.
#[must_use]
pub fn depth(value: &Value) -> usize {
    let mut deepest = 0;
    let mut left = vec![(value, 1)];
    while let Some((value, level)) = left.pop() {
        let below: Box<dyn Iterator<Item = &Value>> = match value {
            Value::Array(items) => Box::new(items.iter()),
            Value::Object(fields) => Box::new(fields.values()),
            _ => continue,
        };
        deepest = deepest.max(level);
        left.extend(below.map(|value| (value, level + 1)));
    }
    deepest
}

/// A place in a document.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    value: Option<&'a Value>,
    pointer: String,
    faults: &'a Faults,
}

impl<'a> Reader<'a> {
    /// Stands on the document's root.
    #[must_use]
    pub fn root(value: &'a Value, faults: &'a Faults) -> Self {
        Self { value: Some(value), pointer: String::new(), faults }
    }

    /// Steps to a field of the object this stands on. A field that is absent or null is a reader too: asking it for a
    /// value notes the fault, asking it for an optional value does not.
    #[must_use]
    pub fn field(&self, name: &str) -> Reader<'a> {
        let value = self.value.and_then(|value| value.get(name)).filter(|value| !value.is_null());
        let escaped = name.replace('~', "~0").replace('/', "~1");
        let pointer = format!("{}/{escaped}", self.pointer);
        #[cfg(test)]
        self.faults.visited.borrow_mut().insert(pointer.clone());
        Reader { value, pointer, faults: self.faults }
    }

    /// Whether there is a value here.
    #[must_use]
    pub fn is_present(&self) -> bool {
        self.value.is_some()
    }

    /// Whether the document was accepted before. What was checked then and does not have to be right to be understood is
    /// not checked again: by a newer version, or a newer edition of the world's time zones, it may be wrong by now.
    #[must_use]
    pub fn is_stored(&self) -> bool {
        self.faults.stored
    }

    /// Notes a fault at this place.
    pub fn fault(&self, detail: impl Into<String>) {
        self.faults.note(self.pointer.clone(), detail.into());
    }

    /// An object, required.
    #[must_use]
    pub fn object(&self) -> Option<&'a Map<String, Value>> {
        self.expect("an object", Value::as_object)
    }

    /// A text, required. It may be empty.
    #[must_use]
    pub fn text(&self) -> Option<&'a str> {
        self.expect("a string", Value::as_str)
    }

    /// A whole number that is not negative, required.
    #[must_use]
    pub fn count(&self) -> Option<u64> {
        self.expect("a whole number, not negative", Value::as_u64)
    }

    /// A truth value, required.
    #[must_use]
    pub fn boolean(&self) -> Option<bool> {
        self.expect("true or false", Value::as_bool)
    }

    /// A text that `parse` turns into something stricter, required. The fault's detail is the parser's error.
    pub fn parsed<T, E: std::fmt::Display>(&self, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        match parse(self.text()?) {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(error.to_string());
                None
            }
        }
    }

    /// What `read` makes of the value if there is one. The outer `None` is a fault, the inner one an absence.
    pub fn optional<T>(&self, read: impl FnOnce(&Self) -> Option<T>) -> Option<Option<T>> {
        if self.is_present() { read(self).map(Some) } else { Some(None) }
    }

    /// What `read` makes of the value, or `default` where there is none.
    pub fn or<T>(&self, default: T, read: impl FnOnce(&Self) -> Option<T>) -> Option<T> {
        if self.is_present() { read(self) } else { Some(default) }
    }

    /// Every item of a list of at most `max`, required.
    pub fn list<T>(&self, max: usize, read: impl Fn(&Self) -> Option<T>) -> Option<Vec<T>> {
        let items = self.expect("a list", Value::as_array)?;
        if items.len() > max {
            self.fault(format!("must have at most {max} items"));
            return None;
        }
        let read_item = |(index, value)| {
            let pointer = format!("{}/{index}", self.pointer);
            read(&Reader { value: Some(value), pointer, faults: self.faults })
        };
        // Every item is read even after a fault, so that all faults are noted.
        let read_items: Vec<Option<T>> = items.iter().enumerate().map(read_item).collect();
        read_items.into_iter().collect()
    }

    fn expect<T>(&self, what: &str, read: impl FnOnce(&'a Value) -> Option<T>) -> Option<T> {
        let Some(value) = self.value else {
            self.fault(format!("is required: {what}"));
            return None;
        };
        let read = read(value);
        if read.is_none() {
            self.fault(format!("must be {what}"));
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults_of(value: &Value, read: impl FnOnce(&Reader<'_>)) -> Vec<(String, String)> {
        let faults = Faults::default();
        read(&Reader::root(value, &faults));
        faults.into_vec().into_iter().map(|fault| (fault.pointer, fault.detail)).collect()
    }

    #[test]
    fn the_depth_counts_lists_and_objects() {
        let documents = [json!(1), json!([]), json!({"a": 1}), json!([1, {"a": [2]}, []]), json!({"a": {}, "b": [[]]})];
        assert_eq!(documents.each_ref().map(depth), [0, 1, 1, 3, 3]);
    }

    #[test]
    fn every_fault_has_its_pointer() {
        let value = json!({"a": {"b/c": 1}, "list": ["x", 2, null], "none": null});
        let faults = faults_of(&value, |root| {
            assert_eq!(root.field("a").field("b/c").text(), None);
            assert_eq!(root.field("list").list(9, |item| item.text().map(str::to_owned)), None);
            assert_eq!(root.field("none").text(), None);
            assert_eq!(root.field("none").optional(|none| none.text().map(str::to_owned)), Some(None));
        });
        let expected = [
            ("/a/b~1c", "must be a string"),
            ("/list/1", "must be a string"),
            ("/list/2", "must be a string"),
            ("/none", "is required: a string"),
        ];
        assert_eq!(faults, expected.map(|(pointer, detail)| (pointer.to_owned(), detail.to_owned())));
    }

    #[test]
    fn a_list_has_a_bound() {
        let faults = faults_of(&json!([1, 2, 3]), |root| assert_eq!(root.list(2, Reader::count), None));
        assert_eq!(faults, [(String::new(), "must have at most 2 items".to_owned())]);
    }

    #[test]
    fn a_field_of_something_that_is_no_object_is_absent() {
        let faults = faults_of(&json!("text"), |root| assert_eq!(root.field("x").count(), None));
        assert_eq!(faults.len(), 1);
    }
}
