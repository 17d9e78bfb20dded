//! The records of the events queue. The format is versioned and only grows; readers are deployed before writers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::decision::plan::PlannedMessage;
use crate::message::backoff::PUT_BACK_FOR;
use crate::primitives::id::{EventId, MappingId, ObjectId, SiteId};
use crate::primitives::key::{MessageId, event_key, message_key};
use crate::primitives::trace::TraceParent;

/// A record of the events queue.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "job", deny_unknown_fields)]
pub enum Job {
    /// An event raised by Passweb and accepted by `receive-event`.
    #[serde(rename = "event.1")]
    Event {
        /// The site of the request's credential.
        site: SiteId,
        /// When the event was accepted.
        received_at: Timestamp,
        /// The callback's document, as received.
        event: Value,
        /// How often the record was put back.
        #[serde(default, skip_serializing_if = "is_zero")]
        attempt: u32,
        /// When an operator redrove the record from the dead-letter queue.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        redriven_at: Option<Timestamp>,
        /// The trace of the caller. It is an attribute of the record, so that readers before it ignore it.
        #[serde(skip)]
        trace: Option<TraceParent>,
    },
    /// One message of an event whose plan is in the ledger.
    #[serde(rename = "message.1")]
    Message(MessageJob),
}

/// One message to process. The event is in the ledger, so the record contains no personal data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageJob {
    /// The site.
    pub site: SiteId,
    /// The event.
    pub event: EventId,
    /// The mapping that sends the message.
    pub mapping: MappingId,
    /// The recipient's id.
    pub recipient: ObjectId,
    /// The send number: 1 for the first sending, one more for each resend.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    #[serde(rename = "occasion")]
    pub send_number: u32,
    /// When an operator asked for a resend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(rename = "asked_at")]
    pub resend_requested_at: Option<Timestamp>,
    /// How often the record was put back. Of two records of one message, the lower number is out of date.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempt: u32,
    /// The last error code and its consecutive failures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(rename = "met")]
    pub last_error: Option<LastError>,
    /// A grant of the schedule, so that the message need not request it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(rename = "pass")]
    pub permit: Option<SendPermit>,
    /// Whether an operator skips the waiting: the interval, the hold and the quiet hours.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[serde(rename = "at_once")]
    pub send_now: bool,
    /// The digest message that also covers this message's file; it may be this message itself.
    ///
    /// `None` if the message covers only its own file so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(rename = "with")]
    pub digest: Option<MessageId>,
    /// The owner of a claim that was certainly not followed by a call to the provider.
    ///
    /// That owner put this record back: the response to its claim was lost, or it did not call after the claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncalled: Option<String>,
}

/// An error code that kept a message from being accepted, with its consecutive failures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastError {
    /// The error code.
    pub code: String,
    /// The number of consecutive failures with this code.
    pub times: u32,
    /// Refusals of the account that no Meta code explains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unexplained: Option<Unexplained>,
}

/// Refusals of a whole account without a Meta code. The single message may be the cause, for example if a firewall
/// blocks its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unexplained {
    /// The number of refusals. Between each two of them, the account's other messages were accepted.
    pub times: u32,
    /// When the last refusal happened.
    pub at: Timestamp,
}

/// Unexplained refusals after which the message itself is the cause.
const UNEXPLAINED_MAX: u32 = 3;

impl LastError {
    /// Returns the failures of a message after one more failure with `code`.
    #[must_use]
    pub fn again(before: Option<&Self>, code: &str) -> Self {
        let times = before.filter(|last_error| last_error.code == code).map_or(0, |last_error| last_error.times);
        let unexplained = before.and_then(|last_error| last_error.unexplained);
        Self { code: code.to_owned(), times: times.saturating_add(1), unexplained }
    }

    /// Adds an unexplained refusal of the account.
    ///
    /// It counts only if another message was accepted since the previous refusal. Until then, the account may be the
    /// cause. `proved_at` is when that other message was claimed.
    #[must_use]
    pub fn unexplained(self, at: Timestamp, proved_at: Option<Timestamp>) -> Self {
        let times = match self.unexplained {
            Some(before) if proved_at.is_some_and(|proved_at| proved_at > before.at) => before.times.saturating_add(1),
            Some(before) => before.times,
            None => 1,
        };
        Self { unexplained: Some(Unexplained { times, at }), ..self }
    }

    /// Whether the message itself is refused, not its account.
    #[must_use]
    pub fn is_refused_alone(&self) -> bool {
        self.unexplained.is_some_and(|unexplained| unexplained.times >= UNEXPLAINED_MAX)
    }
}

/// A grant that the schedule gives to a message when releasing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SendPermit {
    /// A sending slot of its account, with its start. SQS delays by whole seconds; the sender waits for the remainder.
    Slot(Timestamp),
    /// Permission to try although the account is stopped. The outcome shows whether the account can send again.
    Probe,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_one(number: &u32) -> bool {
    *number == 1
}

fn one() -> u32 {
    1
}

impl MessageJob {
    /// Creates the job of a planned message.
    #[must_use]
    pub fn first(site: &SiteId, event: &EventId, planned: &PlannedMessage) -> Self {
        Self {
            site: site.clone(),
            event: event.clone(),
            mapping: planned.mapping.clone(),
            recipient: planned.recipient.clone(),
            send_number: one(),
            resend_requested_at: None,
            attempt: 0,
            last_error: None,
            permit: None,
            send_now: false,
            digest: None,
            uncalled: None,
        }
    }

    /// Returns the message's id.
    #[must_use]
    pub fn id(&self) -> MessageId {
        MessageId {
            event: event_key(&self.site, &self.event),
            message: message_key(&self.mapping, &self.recipient, self.send_number),
        }
    }

    /// Returns the mapping and the recipient, as the event's plan names them.
    #[must_use]
    pub fn planned(&self) -> PlannedMessage {
        PlannedMessage { mapping: self.mapping.clone(), recipient: self.recipient.clone() }
    }

    /// Returns the job that brings the message back. It has no permit: a leased slot or a probe may be over by then.
    #[must_use]
    pub fn put_back(&self) -> Self {
        Self { attempt: self.attempt.saturating_add(1), permit: None, ..self.clone() }
    }
}

impl Job {
    /// Returns the site of the event or message.
    #[must_use]
    pub fn site(&self) -> &SiteId {
        match self {
            Self::Event { site, .. } | Self::Message(MessageJob { site, .. }) => site,
        }
    }

    /// Returns a job for an event that was just accepted.
    #[must_use]
    pub fn event(site: SiteId, received_at: Timestamp, event: Value) -> Self {
        Self::Event { site, received_at, event, attempt: 0, redriven_at: None, trace: None }
    }

    /// Returns the job with the trace of the caller. A message has none: its event in the ledger has it.
    #[must_use]
    pub fn traced(mut self, caller: Option<TraceParent>) -> Self {
        if let Self::Event { trace, .. } = &mut self {
            *trace = caller;
        }
        self
    }

    /// Returns the trace of the caller.
    #[must_use]
    pub fn trace(&self) -> Option<&TraceParent> {
        match self {
            Self::Event { trace, .. } => trace.as_ref(),
            Self::Message(_) => None,
        }
    }

    /// Returns the job as an operator redrives it. The time limit for putting an event back starts again.
    #[must_use]
    pub fn redriven(self, now: Timestamp) -> Self {
        match self {
            Self::Event { site, received_at, event, trace, .. } => {
                Self::Event { site, received_at, event, attempt: 0, redriven_at: Some(now), trace }
            }
            Self::Message(job) => Self::Message(job),
        }
    }

    /// Returns when the retries of an event began, if that was too long ago: an operator must then look at it.
    ///
    /// A message has no such limit, because its usefulness ends.
    #[must_use]
    pub fn over_since(&self, now: Timestamp) -> Option<Timestamp> {
        let Self::Event { received_at, redriven_at, .. } = self else { return None };
        let since = redriven_at.unwrap_or(*received_at);
        (now.duration_since(since) > PUT_BACK_FOR).then_some(since)
    }

    /// Returns the job, put back once more.
    #[must_use]
    pub fn put_back(self) -> Self {
        match self {
            Self::Event { site, received_at, event, attempt, redriven_at, trace } => {
                let attempt = attempt.saturating_add(1);
                Self::Event { site, received_at, event, attempt, redriven_at, trace }
            }
            // A slot or a probe permission may no longer be valid by then.
            Self::Message(job) => Self::Message(job.put_back()),
        }
    }
}

/// Omits the document, so that no personal data is shown.
impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Event { site, received_at, attempt, .. } => f
                .debug_struct("Event")
                .field("site", site)
                .field("received_at", received_at)
                .field("attempt", attempt)
                .finish_non_exhaustive(),
            Self::Message(job) => job.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
