//! The queues as `template.yaml` makes them on AWS, made on an emulator.

use anyhow::{Context, Result};
use aws_sdk_sqs::{Client, types::QueueAttributeName};
use serde_json::json;

use crate::emulators::{ACCOUNT, REGION};

/// How often a record is handed out before it goes to the dead-letter queue.
pub const RECEIVES_MAX: u32 = 10;
/// How long both queues keep a record: 14 days, the most SQS offers.
const RETENTION_SECONDS: u32 = 14 * 24 * 60 * 60;

/// The queue of the events and its dead-letter queue.
#[derive(Clone, Debug)]
pub struct Queues {
    /// URL of the queue the functions write to.
    pub events_url: String,
    /// ARN of the same queue, as records carry it.
    pub events_arn: String,
    /// URL of the dead-letter queue.
    pub dead_url: String,
}

impl Queues {
    /// Creates both queues, `<stack>-events` and `<stack>-events-dead`. Records that nobody deleted come back after
    /// `visibility_seconds`.
    ///
    /// # Errors
    /// When the emulator refuses.
    pub async fn create(client: &Client, stack: &str, visibility_seconds: u32) -> Result<Self> {
        let name = format!("{stack}-events");
        let dead_name = format!("{name}-dead");
        let create = |name: &str| {
            client
                .create_queue()
                .queue_name(name)
                .attributes(QueueAttributeName::MessageRetentionPeriod, RETENTION_SECONDS.to_string())
        };
        let dead = create(&dead_name).send().await.context("the dead-letter queue")?;
        let redrive = json!({"deadLetterTargetArn": arn(&dead_name), "maxReceiveCount": RECEIVES_MAX});
        let events = create(&name)
            .attributes(QueueAttributeName::VisibilityTimeout, visibility_seconds.to_string())
            .attributes(QueueAttributeName::RedrivePolicy, redrive.to_string())
            .send()
            .await
            .context("the queue of the events")?;
        Ok(Self {
            events_url: events.queue_url.context("the queue has no URL")?,
            events_arn: arn(&name),
            dead_url: dead.queue_url.context("the dead-letter queue has no URL")?,
        })
    }
}

/// How many records a queue holds: those to be had, those handed out, and those delayed.
///
/// # Errors
/// When the emulator does not answer, or not with numbers.
pub async fn length(client: &Client, url: &str) -> Result<u32> {
    let names = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ];
    let request = client.get_queue_attributes().queue_url(url).set_attribute_names(Some(names.to_vec()));
    let attributes = request.send().await.context("the length of a queue")?.attributes.unwrap_or_default();
    names.iter().map(|name| Ok(attributes.get(name).context("a queue has no length")?.parse::<u32>()?)).sum()
}

fn arn(name: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
}
