//! A queue whose delays follow the story's clock. A record sent with a delay is held here until the story's clock
//! reaches the end of the delay.

use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::interceptors::BeforeSerializationInterceptorContextMut;
use aws_sdk_sqs::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sqs::error::BoxError;
use aws_sdk_sqs::operation::send_message::SendMessageInput;
use aws_sdk_sqs::operation::send_message_batch::SendMessageBatchInput;
use aws_sdk_sqs::types::{Message, MessageAttributeValue, QueueAttributeName};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::{Meter, SharedClock};

/// The message attribute that contains the end of the delay, in milliseconds since 1970.
const NOT_BEFORE: &str = "not_before";
/// The maximum number of records that SQS returns at once.
const BATCH_RECORDS: i32 = 10;
/// The visibility timeout of the queue. A story can end it sooner.
const VISIBILITY_SECONDS: u32 = 360;

/// A queue of the story.
#[derive(Debug)]
pub(crate) struct Mail {
    client: Client,
    pub(crate) url: String,
    clock: SharedClock,
    held: Mutex<Vec<(Timestamp, Message)>>,
}

/// Replaces the delay of a record by the time at which the story hands it out.
#[derive(Debug)]
struct DelayByClock(SharedClock);

impl DelayByClock {
    fn moment(&self, delay_seconds: i32) -> MessageAttributeValue {
        let moment = self.0.now() + SignedDuration::from_secs(i64::from(delay_seconds));
        let value = MessageAttributeValue::builder().data_type("Number");
        #[expect(clippy::unwrap_used, reason = "the builder wants a data type, and has one")]
        value.string_value(moment.as_millisecond().to_string()).build().unwrap()
    }
}

impl Intercept for DelayByClock {
    fn name(&self) -> &'static str {
        "DelayByClock"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(input) = context.input_mut().downcast_mut::<SendMessageInput>() {
            check_group(input.message_group_id.as_deref(), input.message_body.as_deref())?;
            if let Some(seconds) = input.delay_seconds.take() {
                input.message_attributes.get_or_insert_default().insert(NOT_BEFORE.to_owned(), self.moment(seconds));
            }
        }
        if let Some(input) = context.input_mut().downcast_mut::<SendMessageBatchInput>() {
            for entry in input.entries.iter_mut().flatten() {
                check_group(entry.message_group_id.as_deref(), Some(&entry.message_body))?;
                if let Some(seconds) = entry.delay_seconds.take().filter(|seconds| *seconds > 0) {
                    entry
                        .message_attributes
                        .get_or_insert_default()
                        .insert(NOT_BEFORE.to_owned(), self.moment(seconds));
                }
            }
        }
        Ok(())
    }
}

/// Refuses a record whose message group is not its site. SQS would not share the queue fairly.
fn check_group(group: Option<&str>, body: Option<&str>) -> Result<(), BoxError> {
    if group == site_of(body.unwrap_or_default()).as_deref() {
        return Ok(());
    }
    Err(format!("the group of a record is {group:?}, which is not its site").into())
}

/// Returns the site of a record, or `None` if it is unreadable.
fn site_of(body: &str) -> Option<String> {
    let body: Value = serde_json::from_str(body).ok()?;
    body.get("site")?.as_str().map(str::to_owned)
}

/// Returns the client that the functions get for the emulator.
pub(crate) fn client(emulator: &Client, clock: &SharedClock, meter: &Meter) -> Client {
    let config = emulator.config().to_builder().interceptor(DelayByClock(clock.clone()));
    Client::from_conf(config.interceptor(meter.clone()).build())
}

impl Mail {
    pub(crate) async fn create(client: &Client, name: &str, clock: &SharedClock) -> Result<Self> {
        let request = client.create_queue().queue_name(name);
        let request = request.attributes(QueueAttributeName::VisibilityTimeout, VISIBILITY_SECONDS.to_string());
        let url = request.send().await?.queue_url.context("the queue has no URL")?;
        Ok(Self { client: client.clone(), url, clock: clock.clone(), held: Mutex::default() })
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Vec<(Timestamp, Message)>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn put(&self, body: &str) -> Result<()> {
        let request = self.client.send_message().queue_url(&self.url).set_message_group_id(site_of(body));
        request.message_body(body).send().await?;
        Ok(())
    }

    /// Removes every record, also those whose delay has not ended, and returns their bodies.
    pub(crate) async fn drain(&self) -> Result<Vec<String>> {
        let mut bodies = Vec::new();
        loop {
            let mut batch = self.take().await?;
            if batch.is_empty() {
                batch = self.held().drain(..).map(|(_, message)| message).collect();
            }
            if batch.is_empty() {
                return Ok(bodies);
            }
            for message in &batch {
                self.delete(message).await?;
            }
            bodies.extend(batch.into_iter().filter_map(|message| message.body));
        }
    }

    /// Returns up to ten records whose delay has ended.
    pub(crate) async fn take(&self) -> Result<Vec<Message>> {
        let now = self.clock.now();
        let mut due: Vec<Message> = Vec::new();
        {
            let mut held = self.held();
            held.sort_by_key(|(moment, _)| *moment);
            while due.len() < 10 && held.first().is_some_and(|(moment, _)| *moment <= now) {
                due.push(held.remove(0).1);
            }
        }
        while due.is_empty() {
            let request = self.client.receive_message().queue_url(&self.url).message_attribute_names("All");
            let answer = request.max_number_of_messages(BATCH_RECORDS).send().await?;
            let taken = answer.messages.unwrap_or_default();
            if taken.is_empty() {
                break;
            }
            for message in taken {
                match not_before(&message).filter(|moment| *moment > now) {
                    Some(moment) => {
                        self.delete(&message).await?;
                        self.hold(message, moment);
                    }
                    None => due.push(message),
                }
            }
        }
        Ok(due)
    }

    /// Holds a record until `moment`.
    pub(crate) fn hold(&self, message: Message, moment: Timestamp) {
        self.held().push((moment, message));
    }

    /// Delays all held records until at least `until`. Returns their number.
    pub(crate) fn postpone(&self, until: Timestamp) -> usize {
        let mut held = self.held();
        held.iter_mut().for_each(|(moment, _)| *moment = until.max(*moment));
        held.len()
    }

    /// Returns the time at which the next held record is handed out.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.held().iter().map(|(moment, _)| *moment).min()
    }

    pub(crate) async fn delete(&self, message: &Message) -> Result<()> {
        let handle = message.receipt_handle.clone().unwrap_or_default();
        // A held record is no longer in the emulator. Deleting it again is not an error.
        self.client.delete_message().queue_url(&self.url).receipt_handle(handle).send().await?;
        Ok(())
    }

    /// Ends the visibility timeout of records that were taken and not deleted.
    pub(crate) async fn redeliver(&self, batch: &[Message]) -> Result<()> {
        for message in batch {
            if not_before(message).is_some() {
                self.hold(message.clone(), self.clock.now());
                continue;
            }
            let request = self.client.change_message_visibility().queue_url(&self.url);
            let handle = message.receipt_handle.clone().unwrap_or_default();
            request.receipt_handle(handle).visibility_timeout(0).send().await?;
        }
        Ok(())
    }

    /// Returns the number of remaining records, including the held ones.
    pub(crate) async fn left(&self) -> Result<usize> {
        let left = local::queues::length(&self.client, &self.url).await?;
        Ok(usize::try_from(left)? + self.held().len())
    }
}

fn not_before(message: &Message) -> Option<Timestamp> {
    let value = message.message_attributes.as_ref()?.get(NOT_BEFORE)?.string_value()?;
    Timestamp::from_millisecond(value.parse().ok()?).ok()
}
