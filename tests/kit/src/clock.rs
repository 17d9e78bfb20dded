//! The clock of a story.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use runtime::Clock;

/// The usual start of a story: 2026-11-22T10:00:00Z, a Sunday morning.
pub(crate) const BEGINNING: Timestamp = Timestamp::constant(1_795_341_600, 0);

/// A clock that moves only when the story advances it or when a function sleeps until a given time.
#[derive(Clone, Debug)]
pub struct SharedClock {
    now_ms: Arc<AtomicI64>,
    ticks: Arc<AtomicU64>,
}

impl SharedClock {
    pub(crate) fn new(beginning: Timestamp) -> Self {
        Self { now_ms: Arc::new(AtomicI64::new(beginning.as_millisecond())), ticks: Arc::default() }
    }

    /// Returns the current time of the story.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.now_ms.load(Ordering::SeqCst)).unwrap_or_default()
    }

    /// Advances the clock by a duration.
    pub fn advance(&self, by: SignedDuration) {
        let by = i64::try_from(by.as_millis()).unwrap_or_default();
        self.now_ms.fetch_add(by, Ordering::SeqCst);
    }

    /// Advances the clock to `moment`. Does nothing if `moment` is in the past.
    pub fn advance_to(&self, moment: Timestamp) {
        // A time between two milliseconds is over only at the later one, so round up.
        let ms = moment.as_microsecond().div_euclid(1_000) + i64::from(moment.as_microsecond() % 1_000 != 0);
        self.now_ms.fetch_max(ms, Ordering::SeqCst);
    }

    /// Returns the clock in the form that the functions take.
    #[must_use]
    pub fn clock(&self) -> Clock {
        let (clock, moved) = (self.clone(), self.clone());
        Clock::moved_by(move || clock.now(), move |moment| moved.advance_to(moment))
    }

    /// Returns the deadline of an invocation: one minute from now.
    #[must_use]
    pub fn deadline_ms(&self) -> u64 {
        u64::try_from(self.now_ms.load(Ordering::SeqCst)).unwrap_or_default() + 60_000
    }

    /// Returns a number that was not returned before.
    pub(crate) fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::SeqCst)
    }
}
