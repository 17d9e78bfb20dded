//! Reads external JSON field by field and reports every fault with its JSON pointer (RFC 6901).
//!
//! A [`Reader`] points to one value of the document. For a fault, its methods record the fault and return `None`. The
//! caller continues to read, so the sender receives all faults at once. `null` is equal to an absent value. Unknown
//! fields are ignored.

use std::cell::RefCell;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A fault in a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// JSON pointer to the missing or wrong value.
    pub pointer: String,
    /// Description of the fault in English, without the value itself.
    pub detail: String,
}

/// Maximum number of faults reported for one document. More would add nothing.
const FAULTS_MAX: usize = 20;

/// Collects the faults of one document.
#[derive(Debug, Default)]
pub struct Faults {
    noted: RefCell<Vec<Fault>>,
    stored: bool,
    /// Every place that a reader visited, so that a test can compare a contract with the fields that are read.
    #[cfg(test)]
    pub(crate) visited: RefCell<std::collections::BTreeSet<String>>,
}

impl Faults {
    /// Returns a collector for a document that was accepted before; see [`Reader::is_stored`].
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

    /// Returns the faults in the order in which they were found.
    #[must_use]
    pub fn into_vec(self) -> Vec<Fault> {
        self.noted.into_inner()
    }
}

/// Nesting depth at which a document is refused. A queue record nests the document one level deeper, and `serde_json`
/// reads 127 levels.
pub const DEPTH_MAX: usize = 64;

/// Returns the fault of a document that is nested too deeply.
#[must_use]
pub fn too_deep() -> Fault {
    let detail = format!("must have fewer than {DEPTH_MAX} levels of lists and objects");
    Fault { pointer: String::new(), detail }
}

/// Returns the nesting depth of lists and objects; 0 for a value that is neither.
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
    /// Returns a reader at the document's root.
    #[must_use]
    pub fn root(value: &'a Value, faults: &'a Faults) -> Self {
        Self { value: Some(value), pointer: String::new(), faults }
    }

    /// Returns a reader at a field of this object.
    ///
    /// A field that is absent or null also has a reader. Reading a required value from it records a fault; reading an
    /// optional value does not.
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

    /// Whether the document was accepted before.
    ///
    /// Checks that are not needed to understand the document are then skipped. A newer version of the bridge or of the
    /// time zone database could otherwise refuse it.
    #[must_use]
    pub fn is_stored(&self) -> bool {
        self.faults.stored
    }

    /// Records a fault at this place.
    pub fn fault(&self, detail: impl Into<String>) {
        self.faults.note(self.pointer.clone(), detail.into());
    }

    /// Reads a required object.
    #[must_use]
    pub fn object(&self) -> Option<&'a Map<String, Value>> {
        self.expect("an object", Value::as_object)
    }

    /// Reads a required object. The fault describes it as `what`.
    #[must_use]
    pub fn object_like(&self, what: &str) -> Option<&'a Map<String, Value>> {
        self.expect(what, Value::as_object)
    }

    /// Reads a required text, which may be empty.
    #[must_use]
    pub fn text(&self) -> Option<&'a str> {
        self.expect("a string", Value::as_str)
    }

    /// Reads a required non-negative integer.
    #[must_use]
    pub fn count(&self) -> Option<u64> {
        self.expect("a whole number, not negative", Value::as_u64)
    }

    /// Reads a required boolean.
    #[must_use]
    pub fn boolean(&self) -> Option<bool> {
        self.expect("true or false", Value::as_bool)
    }

    /// Reads a required text and converts it with `parse`. The parser's error becomes the fault's detail.
    pub fn parsed<T, E: std::fmt::Display>(&self, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        self.parsed_like("a string", parse)
    }

    /// Reads a required text and converts it with `parse`. The fault of another type describes the text as `what`.
    pub fn parsed_like<T, E: std::fmt::Display>(
        &self,
        what: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        match parse(self.expect(what, Value::as_str)?) {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(error.to_string());
                None
            }
        }
    }

    /// Applies `read` to the value if there is one. The outer `None` is a fault, the inner one an absent value.
    pub fn optional<T>(&self, read: impl FnOnce(&Self) -> Option<T>) -> Option<Option<T>> {
        if self.is_present() { read(self).map(Some) } else { Some(None) }
    }

    /// Applies `read` to the value, or returns `default` if there is none.
    pub fn or<T>(&self, default: T, read: impl FnOnce(&Self) -> Option<T>) -> Option<T> {
        if self.is_present() { read(self) } else { Some(default) }
    }

    /// Reads a required list of at most `max` items.
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
        // Read every item even after a fault, so that all faults are recorded.
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
    fn a_field_of_a_non_object_is_absent() {
        let faults = faults_of(&json!("text"), |root| assert_eq!(root.field("x").count(), None));
        assert_eq!(faults.len(), 1);
    }
}
