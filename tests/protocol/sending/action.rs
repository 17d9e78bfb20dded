//! What happens.

use domain::message::state::Status;

use super::table::SendId;

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// An execution begins with a record of the queue.
    Take(usize),
    /// As [`Take`](Self::Take), and the queue delivers the record once more.
    Double(usize),
    /// An execution goes on.
    Go(usize, Choice),
    /// An execution dies; its record is delivered again.
    Crash(usize),
    /// A write whose answer was lost is applied now.
    Land(usize),
    /// What the sweep was about to write is never written: it died.
    Forget(usize),
    /// What was to be told is too late from now on.
    Late,
    /// A person writes STOP, and it is recorded.
    Stop,
    /// The sweep sees a message in the index of what is `sending`.
    Sweep(SendId),
    /// The sweep puts what is due into the queue.
    Fire(SendId),
    /// The provider reports a status of a message that it accepted.
    Report(SendId, Status),
    /// A person has a message sent again.
    Resend(SendId),
}

/// How an execution goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Its write is applied and answered; or the provider accepts the message.
    Done,
    /// The table refuses its write: a conflict of transactions, or throttling.
    Refused,
    /// Its write is applied and the answer is lost.
    Lost,
    /// Its write is neither answered nor applied yet.
    LostForNow,
    /// It has no time left to ask again.
    GiveUp,
    /// The provider's answer is lost; whether it accepted the message.
    Unanswered(bool),
    /// The provider answers with a code of the list; whether it accepted the message, where the code proves nothing.
    Code(usize, bool),
}
