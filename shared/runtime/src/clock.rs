//! The clock: handed to whoever needs the time or waits for it, so that stories can move it.

use std::fmt;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;

/// Tells the time and waits for it. Shipped binaries have [`Clock::system`] only.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    wait: Arc<dyn Fn(Timestamp) -> BoxFuture<'static, ()> + Send + Sync>,
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    pub fn system() -> Self {
        let wait = |until: Timestamp| {
            let pause = until.duration_since(Timestamp::now());
            tokio::time::sleep(pause.try_into().unwrap_or_default()).boxed()
        };
        Self { now: Arc::new(Timestamp::now), wait: Arc::new(wait) }
    }

    /// A clock that says what `now` says and waits for nothing.
    pub fn from_fn(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { now: Arc::new(now), wait: Arc::new(|_| std::future::ready(()).boxed()) }
    }

    /// A clock that says what `now` says and is told by `wait` that somebody waits for a moment: it may move there.
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

    /// The present time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// Waits until a moment; not at all if it is over.
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
