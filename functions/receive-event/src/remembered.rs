//! A cache of table reads.

use std::collections::HashMap;
use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};

/// Lifetime of a found value. A revocation must take effect within 60 s.
const KNOWN_FOR: SignedDuration = SignedDuration::from_secs(50);
/// Lifetime of an absence. It is short, so that a new key works soon. It is long enough that a repeated guess costs no
/// further read.
const UNKNOWN_FOR: SignedDuration = SignedDuration::from_secs(10);
/// Maximum number of names in the cache, so that guessed names cannot fill the memory.
const REMEMBERED_MAX: usize = 1000;

type Kept<T> = HashMap<String, (Timestamp, Option<T>)>;

/// Values by name, including absences.
#[derive(Debug)]
pub(crate) struct Remembered<T>(Mutex<Kept<T>>);

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Remembered<T> {
    /// Returns the cached result for a name. The outer `None` means no result; the inner one means an absence.
    pub(crate) fn get(&self, name: &str, now: Timestamp) -> Option<Option<T>> {
        let kept = self.0.lock().ok()?;
        let (since, value) = kept.get(name)?;
        let believed = if value.is_some() { KNOWN_FOR } else { UNKNOWN_FOR };
        (now.duration_since(*since) < believed).then(|| value.clone())
    }

    /// Stores the result for a name.
    pub(crate) fn put(&self, name: &str, value: Option<T>, now: Timestamp) {
        if let Ok(mut kept) = self.0.lock() {
            if kept.len() >= REMEMBERED_MAX {
                kept.clear();
            }
            kept.insert(name.to_owned(), (now, value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absence_is_believed_for_a_shorter_time() {
        let remembered = Remembered::default();
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        assert_eq!(remembered.get("a", at(0)), None);
        remembered.put("a", Some(1), at(0));
        remembered.put("b", None, at(0));
        assert_eq!((remembered.get("a", at(9)), remembered.get("b", at(9))), (Some(Some(1)), Some(None)));
        assert_eq!((remembered.get("a", at(49)), remembered.get("b", at(10))), (Some(Some(1)), None));
        assert_eq!(remembered.get("a", at(50)), None);
    }

    #[test]
    fn guesses_do_not_fill_the_memory() {
        let remembered = Remembered::<()>::default();
        let now = Timestamp::UNIX_EPOCH;
        for guess in 0..=REMEMBERED_MAX {
            remembered.put(&guess.to_string(), None, now);
        }
        assert!(remembered.0.lock().unwrap().len() <= REMEMBERED_MAX);
    }
}
