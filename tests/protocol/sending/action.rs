//! The actions of the model.

use domain::message::state::Status;

use super::table::SendId;

/// An action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// An execution begins with a record of the queue.
    Take(usize),
    /// Like [`Take`](Self::Take), and the queue delivers the record once more.
    Double(usize),
    /// An execution takes its next step.
    Go(usize, Choice),
    /// An execution dies. Its record is delivered again.
    Crash(usize),
    /// A write whose response was lost is applied now.
    Land(usize),
    /// A pending write of the sweep is never applied, because the sweep died.
    Forget(usize),
    /// The useful time of the messages ends.
    Late,
    /// The recipient writes STOP, and it is recorded.
    Stop,
    /// The sweep sees a message in the index of messages that are `sending`.
    Sweep(SendId),
    /// The sweep puts a due item into the queue.
    Fire(SendId),
    /// The provider reports a status of a message that it accepted.
    Report(SendId, Status),
    /// An operator resends a message.
    Resend(SendId),
}

/// The outcome of an execution's step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Its write is applied and answered, or the provider accepts the message.
    Done,
    /// The table rejects its write: a transaction conflict or throttling.
    Refused,
    /// Its write is applied and the response is lost.
    Lost,
    /// Its write has no response and is not applied yet.
    LostForNow,
    /// It has no time left to retry.
    GiveUp,
    /// The recipient opted out since the claim, or cannot be read. The provider is not called.
    Uncalled,
    /// The provider's response is lost. The value states whether the provider accepted the message.
    Unanswered(bool),
    /// The provider returns a code of the list. If the code proves nothing, the second value states whether it accepted
    /// the message.
    Code(usize, bool),
}
