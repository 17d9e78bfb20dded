//! How long credentials are cached, absences included.

use jiff::SignedDuration;
use runtime::cache::Loaded;

/// Lifetime of a credential in the cache. A revocation must take effect within 60 s.
const FOUND_FOR: SignedDuration = SignedDuration::from_secs(50);
/// Lifetime of an absence: short, so that a new credential works soon. It keeps guessing from costing a read each.
const ABSENT_FOR: SignedDuration = SignedDuration::from_secs(10);

/// A credential as the cache keeps it.
pub(crate) fn cached<T>(found: Option<T>) -> Loaded<Option<T>> {
    let keep_for = if found.is_some() { FOUND_FOR } else { ABSENT_FOR };
    Loaded { value: found, keep_for }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absence_is_kept_for_a_shorter_time() {
        let seconds = |loaded: Loaded<Option<()>>| loaded.keep_for.as_secs();
        assert_eq!((seconds(cached(Some(()))), seconds(cached(None))), (50, 10));
    }
}
