//! The webhooks. Updates are queued, batched, signed and posted until the receiver accepts them.
//!
//! First attempts are made one after the other, in the order of the updates. A failed batch is retried separately, and
//! later batches may overtake it. No lock here is held across an await.

pub(crate) mod envelope;
pub(crate) mod inbound;
mod post;
pub(crate) mod template;
#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::body::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio::{
    sync::{oneshot, watch},
    task::JoinSet,
};

use crate::settings::Settings;
use envelope::Account;
use post::Receiver;

/// The maximum number of statuses in one POST.
const BATCH_MAX: usize = 10;

/// One update to report.
pub(crate) enum Update {
    /// A status of the message with this id.
    Status { message: String, contact: Option<Value>, status: Value },
    /// Any other update: a change of this field.
    Change { field: String, value: Value, at: Timestamp },
}

/// The counts of updates by outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(crate) struct Tally {
    /// Increases with every reset. Updates of an earlier epoch are not counted.
    #[serde(skip)]
    epoch: u64,
    /// Raised, but neither delivered nor dropped yet.
    pub(crate) pending: usize,
    /// Answered with 200.
    pub(crate) delivered: usize,
    /// Given up after the last attempt.
    pub(crate) dropped: usize,
}

/// A reservation for updates that already count as pending. A reset invalidates it.
#[derive(Clone, Copy)]
pub(crate) struct Ticket(u64);

/// The final outcome of updates.
enum Fate {
    Delivered,
    Dropped,
}

/// All webhooks of a simulator.
#[derive(Clone)]
pub(crate) struct Outbox(Arc<Inner>);

struct Inner {
    account: Account,
    receiver: Option<Receiver>,
    line: Mutex<Line>,
    tally: watch::Sender<Tally>,
}

#[derive(Default)]
struct Line {
    waiting: VecDeque<Update>,
    /// Whether a task is posting the waiting updates.
    posting: bool,
    tasks: JoinSet<()>,
}

impl Line {
    fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        // Removes finished tasks, so that the set does not grow without limit.
        while self.tasks.try_join_next().is_some() {}
        self.tasks.spawn(task);
    }
}

impl Outbox {
    /// Creates an empty outbox for the webhook of the settings.
    pub(crate) fn new(settings: &Settings) -> Self {
        Self(Arc::new(Inner {
            account: Account::of(settings),
            receiver: settings.webhook.clone().map(Receiver::new),
            line: Mutex::default(),
            tally: watch::Sender::default(),
        }))
    }

    /// Returns the account whose webhooks are sent.
    pub(crate) fn account(&self) -> &Account {
        &self.0.account
    }

    /// Returns whether a receiver is configured.
    pub(crate) fn has_receiver(&self) -> bool {
        self.0.receiver.is_some()
    }

    /// Returns a watch on the counts.
    pub(crate) fn watch(&self) -> watch::Receiver<Tally> {
        self.0.tally.subscribe()
    }

    /// Reserves this many updates, which count as pending immediately. Without a receiver nothing is counted.
    pub(crate) fn expect(&self, count: usize) -> Ticket {
        let mut epoch = 0;
        self.0.tally.send_modify(|tally| {
            epoch = tally.epoch;
            if self.has_receiver() {
                tally.pending += count;
            }
        });
        Ticket(epoch)
    }

    /// Returns whether no reset has happened since the reservation.
    pub(crate) fn holds(&self, ticket: Ticket) -> bool {
        self.0.tally.borrow().epoch == ticket.0
    }

    /// Queues the reserved updates for posting.
    pub(crate) fn push(&self, ticket: Ticket, updates: Vec<Update>) {
        let mut line = self.line();
        if !self.has_receiver() || !self.holds(ticket) {
            return;
        }
        line.waiting.extend(updates);
        if !line.posting {
            line.posting = true;
            let outbox = self.clone();
            line.spawn(async move {
                while let Some(batch) = outbox.next(ticket) {
                    outbox.try_first(ticket, batch).await;
                }
            });
        }
    }

    /// Reserves and queues one update.
    pub(crate) fn raise(&self, update: Update) {
        self.push(self.expect(1), vec![update]);
    }

    /// Posts the reserved updates immediately, ahead of the queue. The result resolves once each update was posted
    /// once, whatever the outcome. Without a receiver it resolves immediately.
    pub(crate) fn post_now(&self, ticket: Ticket, updates: Vec<Update>) -> oneshot::Receiver<()> {
        let (done, answered) = oneshot::channel();
        if self.has_receiver() {
            let outbox = self.clone();
            self.spawn(ticket, async move {
                for update in updates {
                    outbox.try_first(ticket, vec![update]).await;
                }
                // The waiting request may have ended.
                let _ = done.send(());
            });
        }
        answered
    }

    /// Runs a task that a reset or stop aborts.
    pub(crate) fn spawn(&self, ticket: Ticket, task: impl Future<Output = ()> + Send + 'static) {
        let mut line = self.line();
        if self.holds(ticket) {
            line.spawn(task);
        }
    }

    /// Discards everything: queued updates, retries and counts.
    pub(crate) fn clear(&self) {
        let mut line = self.line();
        *line = Line::default();
        self.0.tally.send_modify(|tally| *tally = Tally { epoch: tally.epoch + 1, ..Tally::default() });
    }

    /// Returns the updates of the next POST: the first in the queue and, if it is a status, the first statuses of other
    /// messages. One POST never contains two statuses of one message, so that each of them arrives visibly.
    fn next(&self, ticket: Ticket) -> Option<Vec<Update>> {
        let mut line = self.line();
        if !self.holds(ticket) {
            return None;
        }
        let batch = take_batch(&mut line.waiting);
        line.posting = !batch.is_empty();
        line.posting.then_some(batch)
    }

    /// Posts a batch. If it fails, a separate task retries it.
    async fn try_first(&self, ticket: Ticket, batch: Vec<Update>) {
        let Some(receiver) = &self.0.receiver else { return };
        let count = batch.len();
        let body = post::escaped(&self.0.account.envelope(batch));
        if receiver.post(&body).await {
            self.settle(ticket, count, &Fate::Delivered);
        } else {
            let outbox = self.clone();
            self.spawn(ticket, async move {
                let fate = outbox.try_again(&body).await;
                outbox.settle(ticket, count, &fate);
            });
        }
    }

    async fn try_again(&self, body: &Bytes) -> Fate {
        let Some(receiver) = &self.0.receiver else { return Fate::Dropped };
        for number in 2..=post::TRIES {
            tokio::time::sleep(post::pause(number)).await;
            if receiver.post(body).await {
                return Fate::Delivered;
            }
        }
        Fate::Dropped
    }

    fn settle(&self, ticket: Ticket, count: usize, fate: &Fate) {
        self.0.tally.send_if_modified(|tally| {
            if tally.epoch != ticket.0 {
                return false;
            }
            tally.pending -= count;
            match fate {
                Fate::Delivered => tally.delivered += count,
                Fate::Dropped => tally.dropped += count,
            }
            true
        });
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        // As in `state`, the data is still the best available after a panic elsewhere.
        self.0.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn take_batch(waiting: &mut VecDeque<Update>) -> Vec<Update> {
    if !matches!(waiting.front(), Some(Update::Status { .. })) {
        return waiting.pop_front().into_iter().collect();
    }
    let (mut batch, mut messages, mut passed) = (Vec::new(), Vec::new(), VecDeque::new());
    while batch.len() < BATCH_MAX {
        let Some(update) = waiting.pop_front() else { break };
        match &update {
            Update::Status { message, .. } if !messages.contains(message) => {
                messages.push(message.clone());
                batch.push(update);
            }
            _ => passed.push_back(update),
        }
    }
    passed.append(waiting);
    *waiting = passed;
    batch
}
