//! A running world: records are delivered, the schedule fires, time passes, and faults occur if a story plans them.

use std::future::Future;
use std::sync::PoisonError;
use std::task::Poll;

use anyhow::Result;
use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage, SqsMessageAttribute};
use aws_sdk_sqs::types::Message;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Context as LambdaContext, LambdaEvent};

use crate::wire::drawn;
use crate::{Chaos, Odds, World};

/// The visibility timeout of a record that is delivered again.
const VISIBILITY: SignedDuration = SignedDuration::from_mins(6);
/// The interval of the schedule.
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

impl World {
    /// Puts a body into the queue that no function wrote.
    ///
    /// # Errors
    /// If SQS rejects it.
    pub async fn enqueue(&self, body: &str) -> Result<()> {
        self.events.put(body).await
    }

    /// Takes up to ten records out of the queue, as SQS delivers them to the function.
    ///
    /// # Errors
    /// If SQS does not respond.
    pub async fn take(&self) -> Result<Vec<Message>> {
        self.events.take().await
    }

    /// Invokes `send-message` with a batch and returns the ids of the records that failed.
    pub async fn handle(&self, batch: &[Message]) -> Vec<String> {
        self.handle_from(batch, None).await
    }

    /// Like [`World::handle`], but the records come from the queue with this ARN, such as [`crate::DEAD_ARN`].
    pub async fn handle_from(&self, batch: &[Message], arn: Option<&str>) -> Vec<String> {
        let (mut event, context) = self.invocation(batch);
        for record in &mut event.records {
            record.event_source_arn = arn.map(str::to_owned);
        }
        let response = Box::pin(send_message::handle(&self.send, LambdaEvent::new(event, context))).await;
        response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
    }

    /// Invokes `send-message` with a batch and kills the invocation after at most `polls` polls. Later actions never
    /// happen.
    ///
    /// Returns whether the invocation completed.
    pub async fn handle_killed(&self, batch: &[Message], polls: usize) -> bool {
        killed(self.handle(batch), polls).await
    }

    /// Like [`World::handle_killed`], but for an invocation of the schedule.
    pub async fn sweep_killed(&self, polls: usize) -> bool {
        killed(fire_reminders::handle(&self.sweep, self.clock.deadline_ms()), polls).await
    }

    /// Returns a random number below `below` and advances the seed.
    #[must_use]
    pub fn draw(seed: &mut u64, below: u64) -> u64 {
        drawn(seed) % below.max(1)
    }

    /// Makes all later deliveries meet random faults: killed functions, records delivered twice at the same time, and a
    /// failing table.
    pub fn unleash(&self, chaos: Chaos) {
        self.wire.unleash(chaos.odds, chaos.seed);
        *self.chaos.lock().unwrap_or_else(PoisonError::into_inner) = chaos;
    }

    fn chaos(&self) -> Chaos {
        *self.chaos.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn drawn_percent(&self) -> u64 {
        let mut chaos = self.chaos.lock().unwrap_or_else(PoisonError::into_inner);
        drawn(&mut chaos.seed) % 100
    }

    /// Hands a batch to the function, with the faults that are drawn. Returns the ids of the records to deliver again.
    async fn hand_over(&self, batch: &[Message]) -> Vec<String> {
        let chaos = self.chaos();
        let all = || batch.iter().filter_map(|message| message.message_id.clone()).collect();
        if chaos.kills_percent > 0 && self.drawn_percent() < chaos.kills_percent {
            let polls = self.drawn_percent() * self.drawn_percent() / 8;
            let done = self.handle_killed(batch, usize::try_from(polls).unwrap_or_default()).await;
            // Lambda gets no response from a killed invocation, so the whole batch is delivered again.
            return if done { Vec::new() } else { all() };
        }
        if chaos.doubles_percent > 0 && self.drawn_percent() < chaos.doubles_percent {
            let (again, _) = tokio::join!(self.handle(batch), self.handle(batch));
            return again;
        }
        self.handle(batch).await
    }

    /// Delivers the queue batch by batch until it is empty. Returns the number of records that were handled.
    ///
    /// A failed record stays hidden until [`World::redeliver`]. While executions are killed, it is delivered again at
    /// once.
    ///
    /// # Errors
    /// If SQS does not respond.
    pub async fn deliver(&self) -> Result<usize> {
        let mut handled = 0;
        loop {
            let batch = self.take().await?;
            if batch.is_empty() {
                return Ok(handled);
            }
            let again = self.hand_over(&batch).await;
            let wanted = |message: &Message| again.iter().any(|id| Some(id.as_str()) == message.message_id());
            let (again, done): (Vec<Message>, Vec<Message>) = batch.into_iter().partition(wanted);
            for message in &done {
                self.delete(message).await?;
            }
            handled += done.len();
            if self.chaos().kills_percent > 0 {
                self.redeliver(&again).await?;
            }
        }
    }

    /// Ends the visibility timeout of records that were taken and not deleted.
    ///
    /// # Errors
    /// If SQS does not respond.
    pub async fn redeliver(&self, batch: &[Message]) -> Result<()> {
        self.events.redeliver(batch).await
    }

    /// Delays the records in the queue by at least `by`. Returns their number.
    ///
    /// # Errors
    /// If SQS does not respond.
    pub async fn hold_back(&self, by: SignedDuration) -> Result<usize> {
        for message in self.events.take().await? {
            self.events.delete(&message).await?;
            self.events.hold(message, self.clock.now());
        }
        Ok(self.events.postpone(self.clock.now() + by))
    }

    /// Deletes a record, as Lambda does after a successful invocation.
    ///
    /// # Errors
    /// If SQS does not respond.
    pub async fn delete(&self, message: &Message) -> Result<()> {
        self.events.delete(message).await
    }

    /// Invokes `fire-reminders` once.
    ///
    /// # Errors
    /// If a table or a queue does not respond.
    pub async fn sweep(&self) -> Result<fire_reminders::Swept> {
        Ok(Box::pin(fire_reminders::handle(&self.sweep, self.clock.deadline_ms())).await?)
    }

    /// Lets time pass. Delivers the queue, moves the clock to the next time at which something happens, and invokes the
    /// schedule each minute.
    ///
    /// # Errors
    /// If a part of the world does not respond.
    pub async fn pass(&self, time: SignedDuration) -> Result<()> {
        let until = self.clock.now() + time;
        loop {
            self.deliver().await?;
            self.deliver_reports().await?;
            let tick = *self.ticked() + MINUTE;
            let next = [self.events.next(), self.statuses.next()].into_iter().flatten().fold(tick, Timestamp::min);
            if next > until {
                self.clock.advance_to(until);
                return Ok(());
            }
            self.clock.advance_to(next);
            if self.clock.now() >= tick {
                *self.ticked() = self.clock.now();
                let swept = self.sweep().await;
                // A sweep may fail because of a fault. The next sweep continues.
                if self.chaos().odds == Odds::default() {
                    swept?;
                }
            }
        }
    }

    fn ticked(&self) -> std::sync::MutexGuard<'_, Timestamp> {
        self.ticked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Delivers the platform events in their queue after the simulator has posted all of them.
    ///
    /// # Errors
    /// If SQS does not respond.
    pub async fn deliver_reports(&self) -> Result<usize> {
        self.simulator.webhooks_idle().await;
        let mut handled = 0;
        loop {
            let batch = self.statuses.take().await?;
            if batch.is_empty() {
                return Ok(handled);
            }
            let (event, context) = self.invocation(&batch);
            let response = Box::pin(track_delivery::handle(&self.track, LambdaEvent::new(event, context))).await;
            let again: Vec<String> =
                response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
            let wanted = |message: &Message| again.iter().any(|id| Some(id.as_str()) == message.message_id());
            let (again, done): (Vec<Message>, Vec<Message>) = batch.into_iter().partition(wanted);
            for message in &done {
                self.statuses.delete(message).await?;
            }
            handled += done.len();
            for message in again {
                self.statuses.delete(&message).await?;
                self.statuses.hold(message, self.clock.now() + VISIBILITY);
            }
        }
    }

    /// Returns a batch in the form that Lambda passes to a function.
    fn invocation(&self, batch: &[Message]) -> (SqsEvent, LambdaContext) {
        let mut event = SqsEvent::default();
        event.records = batch.iter().map(record).collect();
        let mut context = LambdaContext::default();
        context.request_id = format!("story-{}", self.clock.tick());
        context.deadline = self.clock.deadline_ms();
        (event, context)
    }
}

fn record(message: &Message) -> SqsMessage {
    let mut record = SqsMessage::default();
    record.message_id.clone_from(&message.message_id);
    record.body.clone_from(&message.body);
    record.receipt_handle.clone_from(&message.receipt_handle);
    for (name, value) in message.message_attributes.iter().flatten() {
        let mut attribute = SqsMessageAttribute::default();
        attribute.string_value.clone_from(&value.string_value);
        attribute.data_type = Some(value.data_type.clone());
        record.message_attributes.insert(name.clone(), attribute);
    }
    record
}

/// Polls `work` at most `polls` times and then drops it. Returns whether it completed.
async fn killed<T>(work: impl Future<Output = T>, polls: usize) -> bool {
    let mut work = std::pin::pin!(work);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        work.as_mut().poll(context).map(|_| true)
    })
    .await
}
