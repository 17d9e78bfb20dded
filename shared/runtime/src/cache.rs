//! Values by key, kept for a while and loaded once.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// The keys that a cache holds. Guessed keys, such as those of unauthorized requests, must not fill the memory.
const KEYS_MAX: usize = 1_000;

/// A cache with single flight: callers that ask for a key while it is being loaded wait for that load and share its
/// result, the error included. An error is not kept.
///
/// It holds about 1,000 keys. When it is full, all keys that nobody is loading are dropped.
pub struct Cache<K, V, E> {
    slots: Mutex<HashMap<K, Arc<Slot<V, E>>>>,
}

/// A loaded value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loaded<V> {
    /// The value.
    pub value: V,
    /// How long it is kept, from the time of the request. Zero keeps it for nobody.
    pub keep_for: SignedDuration,
}

struct Slot<V, E> {
    /// The number of finished loads. A waiting caller learns from it whether a load ended while it waited.
    loads: AtomicU64,
    state: tokio::sync::Mutex<State<V, E>>,
}

enum State<V, E> {
    Empty,
    Kept { value: V, until: Timestamp },
    Failed { error: E, load: u64 },
}

impl<K, V, E> Cache<K, V, E>
where
    K: Clone + Eq + Hash,
    V: Clone,
    E: Clone,
{
    /// Returns the value of a key. If there is none or it is expired, `load` runs; otherwise it is not even started.
    ///
    /// # Errors
    /// The error of the load.
    pub async fn get<F>(&self, key: &K, now: Timestamp, load: F) -> Result<V, E>
    where
        F: Future<Output = Result<Loaded<V>, E>>,
    {
        let slot = self.slot(key);
        let loads_before = slot.loads.load(Ordering::Acquire);
        let mut state = slot.state.lock().await;
        match &*state {
            State::Kept { value, until } if *until > now => return Ok(value.clone()),
            State::Failed { error, load } if *load > loads_before => return Err(error.clone()),
            State::Empty | State::Kept { .. } | State::Failed { .. } => {}
        }
        let result = load.await;
        let load = slot.loads.fetch_add(1, Ordering::AcqRel) + 1;
        match result {
            Ok(Loaded { value, keep_for }) => {
                let until = now.saturating_add(keep_for).unwrap_or(Timestamp::MAX);
                *state = State::Kept { value: value.clone(), until };
                Ok(value)
            }
            Err(error) => {
                *state = State::Failed { error: error.clone(), load };
                Err(error)
            }
        }
    }

    /// Drops the value of a key that has changed. A load that is running keeps nothing.
    pub fn forget(&self, key: &K) {
        self.lock().remove(key);
    }

    fn slot(&self, key: &K) -> Arc<Slot<V, E>> {
        let mut slots = self.lock();
        if let Some(slot) = slots.get(key) {
            return Arc::clone(slot);
        }
        if slots.len() >= KEYS_MAX {
            slots.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        let slot = Arc::new(Slot { loads: AtomicU64::new(0), state: tokio::sync::Mutex::new(State::Empty) });
        slots.insert(key.clone(), Arc::clone(&slot));
        slot
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<K, Arc<Slot<V, E>>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Omits keys and values, which may be secrets.
impl<K, V, E> fmt::Debug for Cache<K, V, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").finish_non_exhaustive()
    }
}

impl<K, V, E> Default for Cache<K, V, E> {
    fn default() -> Self {
        Self { slots: Mutex::default() }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::future::join_all;
    use tokio::task::yield_now;

    use super::*;

    const MINUTE: SignedDuration = SignedDuration::from_mins(1);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Counts its runs, and ends after other callers had their turn.
    async fn load(runs: &Cell<u32>, result: Result<SignedDuration, &'static str>) -> Result<Loaded<u32>, &'static str> {
        runs.set(runs.get() + 1);
        let value = runs.get();
        for _ in 0..5 {
            yield_now().await;
        }
        result.map(|keep_for| Loaded { value, keep_for })
    }

    #[tokio::test]
    async fn a_value_is_kept_for_its_time() {
        let cache = Cache::default();
        let runs = Cell::new(0);
        for (second, value) in [(0, 1), (59, 1), (60, 2), (100, 2), (121, 3)] {
            assert_eq!(cache.get(&"a", at(second), load(&runs, Ok(MINUTE))).await, Ok(value), "{second}");
        }
        cache.forget(&"a");
        assert_eq!(cache.get(&"a", at(122), load(&runs, Ok(SignedDuration::ZERO))).await, Ok(4));
        assert_eq!(cache.get(&"a", at(122), load(&runs, Ok(MINUTE))).await, Ok(5), "zero keeps nothing");
    }

    #[tokio::test]
    async fn callers_at_once_share_one_load_and_other_keys_do_not_wait() {
        let cache = Cache::default();
        let runs = Cell::new(0);
        let results = join_all((0..10).map(|_| cache.get(&"a", at(0), load(&runs, Ok(MINUTE))))).await;
        assert_eq!((results, runs.get()), (vec![Ok(1); 10], 1));
        let others = ["b", "c"];
        let others = join_all(others.iter().map(|key| cache.get(key, at(0), load(&runs, Ok(MINUTE)))));
        assert_eq!(others.await, [Ok(2), Ok(3)]);
    }

    #[tokio::test]
    async fn callers_at_once_share_a_failure_and_the_next_caller_loads_again() {
        let cache = Cache::default();
        let runs = Cell::new(0);
        let results = join_all((0..10).map(|_| cache.get(&"a", at(0), load(&runs, Err("busy"))))).await;
        assert_eq!((results, runs.get()), (vec![Err("busy"); 10], 1));
        assert_eq!(cache.get(&"a", at(0), load(&runs, Ok(MINUTE))).await, Ok(2));
    }

    #[tokio::test]
    async fn a_load_that_is_dropped_leaves_the_key_to_the_next_caller() {
        let cache = Cache::default();
        let runs = Cell::new(0);
        let dropped = tokio::time::timeout(std::time::Duration::ZERO, cache.get(&"a", at(0), std::future::pending()));
        assert!(dropped.await.is_err());
        assert_eq!(cache.get(&"a", at(0), load(&runs, Ok(MINUTE))).await, Ok(1));
    }

    #[tokio::test]
    async fn many_keys_do_not_fill_the_memory() {
        let cache = Cache::default();
        let runs = Cell::new(0);
        for key in 0..KEYS_MAX + 100 {
            cache.get(&key, at(0), load(&runs, Ok(MINUTE))).await.unwrap();
        }
        assert!(cache.lock().len() <= KEYS_MAX);
    }
}
