//! A world that runs: records are delivered, the schedule fires, time passes, and trouble comes if a story wants it.

use std::future::Future;
use std::sync::PoisonError;
use std::task::Poll;

use anyhow::Result;
use aws_lambda_events::event::sqs::{SqsEvent, SqsMessage};
use aws_sdk_sqs::types::Message;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Context as LambdaContext, LambdaEvent};

use crate::wire::drawn;
use crate::{Chaos, Odds, World};

/// How long a record that is to come again stays hidden.
const VISIBILITY: SignedDuration = SignedDuration::from_mins(6);
/// The schedule fires once a minute.
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

impl World {
    /// Puts a body into the queue that no function of ours wrote.
    ///
    /// # Errors
    /// When SQS refuses it.
    pub async fn enqueue(&self, body: &str) -> Result<()> {
        self.events.put(body).await
    }

    /// Takes up to ten records out of the queue, as SQS hands them to the function.
    ///
    /// # Errors
    /// When SQS does not answer.
    pub async fn take(&self) -> Result<Vec<Message>> {
        self.events.take().await
    }

    /// Has `send-message` handle a batch and answers with the ids it wants again.
    pub async fn handle(&self, batch: &[Message]) -> Vec<String> {
        self.handle_from(batch, None).await
    }

    /// As [`World::handle`], with the records coming from the queue of an ARN, such as [`crate::EVENTS_DEAD_ARN`].
    pub async fn handle_from(&self, batch: &[Message], arn: Option<&str>) -> Vec<String> {
        let (mut event, context) = self.invocation(batch);
        for record in &mut event.records {
            record.event_source_arn = arn.map(str::to_owned);
        }
        let response = Box::pin(send_message::handle(&self.send, LambdaEvent::new(event, context))).await;
        response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect()
    }

    /// Has `send-message` begin with a batch and kills it at the latest after so many polls: what it was about to do then
    /// never happens. Answers whether it had come to its end.
    pub async fn handle_killed(&self, batch: &[Message], polls: usize) -> bool {
        killed(self.handle(batch), polls).await
    }

    /// As [`World::handle_killed`], with the schedule firing.
    pub async fn sweep_killed(&self, polls: usize) -> bool {
        killed(fire_reminders::handle(&self.sweep, self.clock.deadline_ms()), polls).await
    }

    /// A number drawn from a seed, below a bound.
    #[must_use]
    pub fn draw(seed: &mut u64, below: u64) -> u64 {
        drawn(seed) % below.max(1)
    }

    /// From now on the deliveries meet trouble, drawn from a seed: functions that are killed, records delivered twice at
    /// once, a table that fails.
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

    /// Hands a batch to the function as trouble has it. Answers the ids that are to come again.
    async fn hand_over(&self, batch: &[Message]) -> Vec<String> {
        let chaos = self.chaos();
        let all = || batch.iter().filter_map(|message| message.message_id.clone()).collect();
        if chaos.kills_percent > 0 && self.drawn_percent() < chaos.kills_percent {
            let polls = self.drawn_percent() * self.drawn_percent() / 8;
            let done = self.handle_killed(batch, usize::try_from(polls).unwrap_or_default()).await;
            // Whatever it had done, nobody heard of it.
            return if done { Vec::new() } else { all() };
        }
        if chaos.doubles_percent > 0 && self.drawn_percent() < chaos.doubles_percent {
            let (again, _) = tokio::join!(self.handle(batch), self.handle(batch));
            return again;
        }
        self.handle(batch).await
    }

    /// Delivers what is in the queue, batch by batch, until it is empty; answers how many records were handled. What the
    /// function wants again stays hidden until [`World::redeliver`]; under trouble it comes again at once.
    ///
    /// # Errors
    /// When SQS does not answer.
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

    /// Ends the hiding of records that were taken and not deleted, as time would.
    ///
    /// # Errors
    /// When SQS does not answer.
    pub async fn redeliver(&self, batch: &[Message]) -> Result<()> {
        self.events.redeliver(batch).await
    }

    /// Keeps the records that wait in the queue for longer: they come no sooner than in so long. Answers how many.
    ///
    /// # Errors
    /// When SQS does not answer.
    pub async fn hold_back(&self, by: SignedDuration) -> Result<usize> {
        for message in self.events.take().await? {
            self.events.delete(&message).await?;
            self.events.hold(message, self.clock.now());
        }
        Ok(self.events.postpone(self.clock.now() + by))
    }

    /// Deletes a record, as Lambda does with what was handled.
    ///
    /// # Errors
    /// When SQS does not answer.
    pub async fn delete(&self, message: &Message) -> Result<()> {
        self.events.delete(message).await
    }

    /// Has the schedule fire once.
    ///
    /// # Errors
    /// When a table or a queue does not answer.
    pub async fn sweep(&self) -> Result<fire_reminders::Swept> {
        Ok(Box::pin(fire_reminders::handle(&self.sweep, self.clock.deadline_ms())).await?)
    }

    /// Lets the time pass, as long as it takes: delivers what is in the queue, moves to the next moment at which something
    /// happens, and has the schedule fire every minute.
    ///
    /// # Errors
    /// When a part of the world does not answer.
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
                // Under trouble a sweep may fail, and the next one goes on.
                if self.chaos().odds == Odds::default() {
                    swept?;
                }
            }
        }
    }

    fn ticked(&self) -> std::sync::MutexGuard<'_, Timestamp> {
        self.ticked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Delivers the reports that are in their queue, once the simulator has posted all of them.
    ///
    /// # Errors
    /// When SQS does not answer.
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

    /// A batch as Lambda hands it to a function.
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
    record
}

/// Polls something at most so many times and then drops it. Answers whether it had come to its end.
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
