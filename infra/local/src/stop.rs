//! The word to stop, given once and heard by every part that has something to finish first.

use tokio::sync::watch;

/// Hears the word. Dropping every [`Stopper`] gives it too.
#[derive(Clone, Debug)]
pub struct Stopped(watch::Receiver<bool>);

/// Gives the word.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

/// Both ends.
#[must_use]
pub fn word() -> (Stopper, Stopped) {
    let (sender, receiver) = watch::channel(false);
    (Stopper(sender), Stopped(receiver))
}

impl Stopper {
    /// Gives the word; a second time changes nothing.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stopped {
    /// Waits for the word.
    pub async fn wait(&mut self) {
        // An error means that nobody is left to give it.
        drop(self.0.wait_for(|stop| *stop).await);
    }
}
