//! The clock. It is passed to all code that needs the time or waits, so that stories can move it.

use std::fmt;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;

/// Returns the time and waits. Shipped binaries use only [`Clock::system`].
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    wait: Arc<dyn Fn(Timestamp) -> BoxFuture<'static, ()> + Send + Sync>,
}

impl Clock {
    /// Returns the machine's clock.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    pub fn system() -> Self {
        let wait = |until: Timestamp| {
            let pause = until.duration_since(Timestamp::now());
            tokio::time::sleep(pause.try_into().unwrap_or_default()).boxed()
        };
        Self { now: Arc::new(Timestamp::now), wait: Arc::new(wait) }
    }

    /// Creates a clock that returns the result of `now` and never waits.
    pub fn from_fn(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { now: Arc::new(now), wait: Arc::new(|_| std::future::ready(()).boxed()) }
    }

    /// Creates a clock that returns the result of `now`. It calls `wait` with each time to wait for, and `wait` may
    /// move the clock there.
    pub fn moved_by(
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
        wait: impl Fn(Timestamp) + Send + Sync + 'static,
    ) -> Self {
        let wait = move |until| {
            wait(until);
            std::future::ready(()).boxed()
        };
        Self { now: Arc::new(now), wait: Arc::new(wait) }
    }

    /// Returns the current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// Waits until `moment`. Returns immediately if it has passed.
    pub async fn wait_until(&self, moment: Timestamp) {
        if moment > self.now() {
            (self.wait)(moment).await;
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
