//! The internal stop signal. It is sent once and received by every part that must finish work first.

use tokio::sync::watch;

/// Receives the stop signal. Dropping every [`Stopper`] also sends it.
#[derive(Clone, Debug)]
pub struct Stopped(watch::Receiver<bool>);

/// Sends the stop signal.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

/// Creates both ends.
#[must_use]
pub fn word() -> (Stopper, Stopped) {
    let (sender, receiver) = watch::channel(false);
    (Stopper(sender), Stopped(receiver))
}

impl Stopper {
    /// Sends the stop signal. Repeated calls have no effect.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stopped {
    /// Waits for the stop signal.
    pub async fn wait(&mut self) {
        // An error means that no sender is left, which also means stop.
        drop(self.0.wait_for(|stop| *stop).await);
    }
}
