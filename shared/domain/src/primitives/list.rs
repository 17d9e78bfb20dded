//! Lists of names, written as one line: `a.pdf, b.pdf (+12)`.

use std::fmt;

/// A list of names. It may count more names than it contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    items: Vec<String>,
    total: u64,
}

/// Separates the names.
const SEPARATOR: &str = ", ";

impl List {
    /// Returns a list of `total` names that starts with `items`.
    #[must_use]
    pub fn new(items: Vec<String>, total: u64) -> Self {
        let total = total.max(count(items.len()));
        Self { items, total }
    }

    /// Returns the list of the distinct names, in their order; `None` if there are none.
    pub fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut items: Vec<String> = Vec::new();
        for name in names {
            if !items.iter().any(|known| known == name) {
                items.push(name.to_owned());
            }
        }
        if items.is_empty() { None } else { Some(Self::new(items, 0)) }
    }

    /// Returns the number of names, including those that the list does not contain.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Returns the first name; `None` if the list contains none.
    #[must_use]
    pub fn first(&self) -> Option<&str> {
        self.items.first().map(String::as_str)
    }

    /// Returns the list with `change` applied to each name. Names that become empty are only counted.
    #[must_use]
    pub fn map(&self, change: impl Fn(&str) -> String) -> Self {
        let items = self.items.iter().map(|item| change(item)).filter(|item| !item.is_empty());
        Self { items: items.collect(), total: self.total }
    }

    /// Returns as many whole names as fit into `max`, and the number of the others. `None` if the first name does not
    /// fit. `length` measures a text; the length of a text is the sum of its parts.
    pub fn within(&self, max: usize, length: impl Fn(&str) -> usize) -> Option<String> {
        let (mut used, mut shown) = (0, None);
        for (index, item) in self.items.iter().enumerate() {
            used += length(item) + if index == 0 { 0 } else { length(SEPARATOR) };
            if used > max {
                break;
            }
            if used + length(&self.rest(index + 1)) <= max {
                shown = Some(index + 1);
            }
        }
        shown.map(|shown| self.line(shown))
    }

    /// Returns the number of the names after the first `shown`, as ` (+12)`; empty if there are none.
    #[must_use]
    pub fn rest(&self, shown: usize) -> String {
        match self.total.saturating_sub(count(shown)) {
            0 => String::new(),
            left => format!(" (+{left})"),
        }
    }

    fn line(&self, shown: usize) -> String {
        let items: Vec<&str> = self.items.iter().take(shown).map(String::as_str).collect();
        items.join(SEPARATOR) + &self.rest(shown)
    }
}

/// Writes every name that the list contains, and the number of the others. Empty if it contains none.
impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.items.len() {
            0 => Ok(()),
            all => f.write_str(&self.line(all)),
        }
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(items: &[&str], total: u64) -> List {
        List::new(items.iter().map(|item| (*item).to_owned()).collect(), total)
    }

    #[test]
    fn names_that_do_not_fit_are_counted() {
        let names = list(&["uno.pdf", "due.pdf", "tre.pdf"], 0);
        let within = |max| names.within(max, str::len);
        assert_eq!(names.to_string(), "uno.pdf, due.pdf, tre.pdf");
        assert_eq!(within(25).as_deref(), Some("uno.pdf, due.pdf, tre.pdf"));
        assert_eq!(within(24).as_deref(), Some("uno.pdf, due.pdf (+1)"));
        assert_eq!(within(20).as_deref(), Some("uno.pdf (+2)"));
        assert_eq!(within(11), None);
        assert_eq!(list(&["uno.pdf"], 13).to_string(), "uno.pdf (+12)");
        assert_eq!(list(&[], 3).to_string(), "");
    }

    #[test]
    fn distinct_names_keep_their_order() {
        let names = List::distinct(["b", "a", "b"].into_iter()).unwrap();
        assert_eq!((names.to_string().as_str(), names.total()), ("b, a", 2));
        assert_eq!(List::distinct(std::iter::empty()), None);
    }

    proptest! {
        #[test]
        fn a_list_fits_and_its_numbers_add_up(
            items in proptest::collection::vec("[a-z😀]{1,12}", 0..40), others in 0u64..200, max in 0usize..200,
        ) {
            let names = List::new(items.clone(), count(items.len()) + others);
            let units = |text: &str| text.encode_utf16().count();
            let Some(line) = names.within(max, units) else {
                prop_assert!(items.first().is_none_or(|first| units(first) + units(&names.rest(1)) > max));
                return Ok(());
            };
            prop_assert!(units(&line) <= max);
            let (shown, left) = line.strip_suffix(')').and_then(|line| line.rsplit_once(" (+")).unwrap_or((&line, "0"));
            let shown: Vec<&str> = shown.split(SEPARATOR).collect();
            prop_assert_eq!(count(shown.len()) + left.parse::<u64>().unwrap(), names.total());
            prop_assert_eq!(&shown[..], &items[..shown.len()]);
        }
    }
}
