//! The webhooks: what happened waits here, is put together, signed and posted until it is taken.
//!
//! A first try follows the other, in the order things happened; what was not taken is tried again by itself
//! and may be overtaken. No lock here is held across an await.

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

/// The most statuses one POST carries.
const BATCH_MAX: usize = 10;

/// One thing to tell.
pub(crate) enum Update {
    /// A status of the message with this id.
    Status { message: String, contact: Option<Value>, status: Value },
    /// Anything else: a change of this field.
    Change { field: String, value: Value, at: Timestamp },
}

/// What became of the updates so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(crate) struct Tally {
    /// Grows with every reset: what belongs to an earlier one is not counted.
    #[serde(skip)]
    epoch: u64,
    /// Raised, not yet taken nor dropped.
    pub(crate) pending: usize,
    /// Answered with 200.
    pub(crate) delivered: usize,
    /// Given up after the last try.
    pub(crate) dropped: usize,
}

/// Room for updates that are counted as pending already, until the next reset.
#[derive(Clone, Copy)]
pub(crate) struct Ticket(u64);

/// Whether updates were taken in the end.
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
    /// Whether a task is posting what waits.
    posting: bool,
    tasks: JoinSet<()>,
}

impl Line {
    fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        // Those that ended are let go, or the set would grow for ever.
        while self.tasks.try_join_next().is_some() {}
        self.tasks.spawn(task);
    }
}

impl Outbox {
    /// An empty outbox towards the webhook of the settings.
    pub(crate) fn new(settings: &Settings) -> Self {
        Self(Arc::new(Inner {
            account: Account::of(settings),
            receiver: settings.webhook.clone().map(Receiver::new),
            line: Mutex::default(),
            tally: watch::Sender::default(),
        }))
    }

    /// Whose webhooks they are.
    pub(crate) fn account(&self) -> &Account {
        &self.0.account
    }

    /// Whether anybody is told at all.
    pub(crate) fn has_receiver(&self) -> bool {
        self.0.receiver.is_some()
    }

    /// The counts, as they are and as they become.
    pub(crate) fn watch(&self) -> watch::Receiver<Tally> {
        self.0.tally.subscribe()
    }

    /// Announces so many updates; they are pending from now on. Without a receiver nothing is.
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

    /// Whether no reset came since.
    pub(crate) fn holds(&self, ticket: Ticket) -> bool {
        self.0.tally.borrow().epoch == ticket.0
    }

    /// Lets the announced updates be posted.
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

    /// Announces an update and lets it be posted.
    pub(crate) fn raise(&self, update: Update) {
        self.push(self.expect(1), vec![update]);
    }

    /// Posts the announced updates at once, past what waits. Resolves when each was posted and answered, with
    /// whatever; without a receiver at once.
    pub(crate) fn post_now(&self, ticket: Ticket, updates: Vec<Update>) -> oneshot::Receiver<()> {
        let (done, answered) = oneshot::channel();
        if self.has_receiver() {
            let outbox = self.clone();
            self.spawn(ticket, async move {
                for update in updates {
                    outbox.try_first(ticket, vec![update]).await;
                }
                // Who waited may have gone.
                let _ = done.send(());
            });
        }
        answered
    }

    /// Runs a task that ends with the next reset or stop, if not before.
    pub(crate) fn spawn(&self, ticket: Ticket, task: impl Future<Output = ()> + Send + 'static) {
        let mut line = self.line();
        if self.holds(ticket) {
            line.spawn(task);
        }
    }

    /// Forgets everything: what waits, what is tried again, and the counts.
    pub(crate) fn clear(&self) {
        let mut line = self.line();
        *line = Line::default();
        self.0.tally.send_modify(|tally| *tally = Tally { epoch: tally.epoch + 1, ..Tally::default() });
    }

    /// What the next POST carries: the first that waits, and if it is a status, the first of other messages too.
    /// One message's statuses never share a POST, so each of them is seen to arrive.
    fn next(&self, ticket: Ticket) -> Option<Vec<Update>> {
        let mut line = self.line();
        if !self.holds(ticket) {
            return None;
        }
        let batch = take_batch(&mut line.waiting);
        line.posting = !batch.is_empty();
        line.posting.then_some(batch)
    }

    /// Posts a batch; when it is not taken, it is tried again in a task of its own.
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
        // As in `state`: what a panic elsewhere left is still the best there is.
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
