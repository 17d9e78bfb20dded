//! The clock of a story.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use runtime::Clock;

/// 2026-11-22T10:00:00Z: stories begin on a Sunday morning.
const BEGINNING_MS: i64 = 1_795_341_600_000;

/// A clock that stands still until the story moves it, or until a function waits for a moment: then it moves there.
#[derive(Clone, Debug)]
pub struct SharedClock {
    now_ms: Arc<AtomicI64>,
    ticks: Arc<AtomicU64>,
}

impl SharedClock {
    pub(crate) fn new() -> Self {
        Self { now_ms: Arc::new(AtomicI64::new(BEGINNING_MS)), ticks: Arc::default() }
    }

    /// The present time of the story.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.now_ms.load(Ordering::SeqCst)).unwrap_or_default()
    }

    /// Moves the time on.
    pub fn advance(&self, by: SignedDuration) {
        let by = i64::try_from(by.as_millis()).unwrap_or_default();
        self.now_ms.fetch_add(by, Ordering::SeqCst);
    }

    /// Moves the time on to a moment, unless it is over.
    pub fn advance_to(&self, moment: Timestamp) {
        // A moment between two milliseconds is over at the second of them.
        let ms = moment.as_microsecond().div_euclid(1_000) + i64::from(moment.as_microsecond() % 1_000 != 0);
        self.now_ms.fetch_max(ms, Ordering::SeqCst);
    }

    /// The clock as the functions take it.
    #[must_use]
    pub fn clock(&self) -> Clock {
        let (clock, moved) = (self.clone(), self.clone());
        Clock::moved_by(move || clock.now(), move |moment| moved.advance_to(moment))
    }

    /// A deadline a minute from now, as an invocation has it.
    #[must_use]
    pub fn deadline_ms(&self) -> u64 {
        u64::try_from(self.now_ms.load(Ordering::SeqCst)).unwrap_or_default() + 60_000
    }

    /// A number never given before.
    pub(crate) fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::SeqCst)
    }
}
