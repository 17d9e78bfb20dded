//! Creates the queues of `template.yaml` on an emulator.

use anyhow::{Context, Result};
use aws_sdk_sqs::{Client, types::QueueAttributeName};
use serde_json::json;

use crate::emulators::{ACCOUNT, REGION};

/// How often a record is delivered before SQS moves it to the dead-letter queue.
pub const RECEIVES_MAX: u32 = 10;
/// How long every queue retains a record: 14 days, the SQS maximum.
const RETENTION_SECONDS: u32 = 14 * 24 * 60 * 60;

/// One queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Its URL, for senders and receivers.
    pub url: String,
    /// Its ARN, as records contain it.
    pub arn: String,
}

/// The queues of the stack.
#[derive(Clone, Debug)]
pub struct Queues {
    /// The events to process.
    pub events: Queue,
    /// The platform events that WA Smart Business reports.
    pub statuses: Queue,
    /// The dead letters of both queues.
    pub dead: Queue,
}

impl Queues {
    /// Creates all queues: `<stack>-events`, `<stack>-statuses`, and `<stack>-dead` for the dead letters of both.
    /// Undeleted records return after `visibility_seconds`.
    ///
    /// # Errors
    /// When the emulator refuses.
    pub async fn create(client: &Client, stack: &str, visibility_seconds: u32) -> Result<Self> {
        let dead = create(client, &format!("{stack}-dead"), visibility_seconds, None).await?;
        let redrive = json!({"deadLetterTargetArn": dead.arn, "maxReceiveCount": RECEIVES_MAX}).to_string();
        let events = create(client, &format!("{stack}-events"), visibility_seconds, Some(&redrive)).await?;
        let statuses = create(client, &format!("{stack}-statuses"), visibility_seconds, Some(&redrive)).await?;
        Ok(Self { events, statuses, dead })
    }

    /// Returns all queues.
    #[must_use]
    pub fn all(&self) -> [&Queue; 3] {
        [&self.events, &self.statuses, &self.dead]
    }
}

async fn create(client: &Client, name: &str, visibility_seconds: u32, redrive: Option<&str>) -> Result<Queue> {
    let mut request = client
        .create_queue()
        .queue_name(name)
        .attributes(QueueAttributeName::MessageRetentionPeriod, RETENTION_SECONDS.to_string())
        .attributes(QueueAttributeName::VisibilityTimeout, visibility_seconds.to_string());
    if let Some(redrive) = redrive {
        request = request.attributes(QueueAttributeName::RedrivePolicy, redrive);
    }
    let made = request.send().await.with_context(|| format!("the queue {name}"))?;
    let url = made.queue_url.with_context(|| format!("the queue {name} has no URL"))?;
    Ok(Queue { url, arn: format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}") })
}

/// Returns how many records a queue holds: available, in flight and delayed.
///
/// # Errors
/// When the emulator does not answer, or the answer holds no numbers.
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
