//! The task of a message: its job, its event, and the clients and settings that processing needs.

use std::sync::atomic::{AtomicBool, Ordering};

use domain::event::Event;
use domain::primitives::key::{CartKeys, MessageId};
use domain::queue::job::MessageJob;
use domain::site::config::LiveConfig;
use jiff::Timestamp;
use runtime::batch::Deadline;
use store::ledger::MessageRecord;
use store::schedule::Lane;

use crate::App;
use crate::pacer::Pacer;
use crate::volume::Volume;

/// Data that a record needs about its invocation.
#[derive(Clone, Copy)]
pub(crate) struct Invocation<'a> {
    pub(crate) id: &'a str,
    pub(crate) deadline: &'a Deadline,
    pub(crate) pacer: &'a Pacer<'a>,
    pub(crate) volume: &'a Volume,
}

/// One message to process.
#[derive(Clone, Copy)]
pub(crate) struct Task<'a> {
    pub(crate) app: &'a App,
    pub(crate) live: &'a LiveConfig,
    /// The event with the newest data: a refreshed reminder, or last known contact data.
    pub(crate) event: &'a Event,
    /// Set on cart events only.
    pub(crate) carts: Option<&'a CartKeys>,
    pub(crate) received_at: Timestamp,
    pub(crate) invocation: Invocation<'a>,
    pub(crate) job: &'a MessageJob,
    pub(crate) probe: &'a Probe,
}

impl Task<'_> {
    /// Returns the message's id.
    pub(crate) fn id(&self) -> MessageId {
        self.job.id()
    }

    /// Returns the message as the ledger records it.
    pub(crate) fn record(&self) -> MessageRecord<'_> {
        MessageRecord { job: self.job, event: self.event, retention_days: self.live.site.retention_days }
    }

    /// Returns the lane of the account that sends the message.
    pub(crate) fn lane(&self) -> Option<Lane> {
        let account = self.live.account(self.live.mapping(&self.job.mapping)?)?;
        Some(Lane { site: self.live.site.id.clone(), account: account.id.clone() })
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.app.clock.now()
    }
}

/// Tracks whether the message that probes a stopped account has used up the right to probe.
#[derive(Debug, Default)]
pub(crate) struct Probe(AtomicBool);

impl Probe {
    /// Marks the right as used up: the message gave evidence about the account.
    pub(crate) fn answered(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_answered(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
