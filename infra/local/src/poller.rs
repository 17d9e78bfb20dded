//! Passes SQS records to a function, as Lambda's event source mapping does. A batch holds up to ten records, and at
//! most as many batches run at once as the function has processes. Only records that succeeded are deleted. Failed
//! records stay in the queue and return after the visibility timeout.

mod batch;

use std::{sync::Arc, time::Duration};

use aws_sdk_sqs::{
    Client,
    types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName},
};
use domain::primitives::cause::chain;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};

use crate::{queues::Queue, runtime_api::RuntimeApi, stop::Stopped, terminal::Terminal};

/// The maximum number of records in one SQS receive, and the bridge's batch size on AWS.
const BATCH_MAX: i32 = 10;
/// How long one receive waits for a record: the maximum that SQS allows.
const WAIT_SECONDS: i32 = 20;
/// How long a stop waits for the batches in flight.
const FINISH_LIMIT: Duration = Duration::from_secs(3);
/// The pause after a receive that SQS did not answer.
const PAUSE: Duration = Duration::from_secs(1);

/// Feeds one queue to one function.
#[derive(Clone, Debug)]
pub struct Poller {
    /// An SQS client.
    pub sqs: Client,
    /// The queue.
    pub queue: Queue,
    /// The API that invokes the function.
    pub api: RuntimeApi,
    /// The function's name.
    pub function: &'static str,
    /// The maximum number of batches in flight.
    pub concurrency: usize,
    /// Where failures are printed.
    pub terminal: Terminal,
}

impl Poller {
    /// Polls until the stop signal, then waits up to 3 s for the batches in flight. Unfinished records stay in the
    /// queue.
    pub async fn run(self, mut stopped: Stopped) {
        let poller = Arc::new(self);
        let slots = Arc::new(Semaphore::new(poller.concurrency));
        let mut batches = JoinSet::new();
        loop {
            let (slot, messages) = tokio::select! {
                () = stopped.wait() => break,
                next = poller.next(&slots) => next,
            };
            while batches.try_join_next().is_some() {}
            if !messages.is_empty() {
                let poller = Arc::clone(&poller);
                batches.spawn(async move {
                    poller.handle(messages).await;
                    drop(slot);
                });
            }
        }
        let all = async { while batches.join_next().await.is_some() {} };
        drop(tokio::time::timeout(FINISH_LIMIT, all).await);
    }

    /// Acquires a slot before receiving a batch. A record received without a free slot would use up its visibility
    /// timeout.
    async fn next(&self, slots: &Arc<Semaphore>) -> (Option<OwnedSemaphorePermit>, Vec<Message>) {
        let slot = Arc::clone(slots).acquire_owned().await.ok();
        (slot, self.receive().await)
    }

    async fn receive(&self) -> Vec<Message> {
        let request = self
            .sqs
            .receive_message()
            .queue_url(&self.queue.url)
            .max_number_of_messages(BATCH_MAX)
            .wait_time_seconds(WAIT_SECONDS)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All");
        match request.send().await {
            Ok(received) => received.messages.unwrap_or_default(),
            Err(error) => {
                self.terminal.line("queue", &format!("no answer: {}", chain(&error)));
                tokio::time::sleep(PAUSE).await;
                Vec::new()
            }
        }
    }

    async fn handle(&self, messages: Vec<Message>) {
        let event = batch::event(&messages, &self.queue.arn).to_string();
        let succeeded = match self.api.invoke(self.function, event.into_bytes()).await {
            Ok(answer) => batch::succeeded(messages, &answer),
            Err(error) => Err(error.to_string()),
        };
        match succeeded {
            Ok(succeeded) => self.delete(succeeded).await,
            Err(cause) => self.terminal.line(self.function, &format!("a batch goes back to the queue: {cause}")),
        }
    }

    async fn delete(&self, messages: Vec<Message>) {
        let entry = |(index, message): (usize, Message)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
            entry.set_receipt_handle(message.receipt_handle).build().ok()
        };
        let entries: Vec<_> = messages.into_iter().enumerate().filter_map(entry).collect();
        if entries.is_empty() {
            return;
        }
        let request = self.sqs.delete_message_batch().queue_url(&self.queue.url).set_entries(Some(entries));
        let failed = match request.send().await {
            Ok(answer) => answer.failed.len(),
            Err(_) => BATCH_MAX.unsigned_abs() as usize,
        };
        // As on AWS, the records are delivered again. The functions are idempotent.
        if failed > 0 {
            self.terminal.line("queue", "handled records could not be deleted and will come again");
        }
    }
}
