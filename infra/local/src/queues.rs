//! The queues as `template.yaml` makes them on AWS, made on an emulator.

use anyhow::{Context, Result};
use aws_sdk_sqs::{Client, types::QueueAttributeName};
use serde_json::json;

use crate::emulators::{ACCOUNT, REGION};

/// How often a record is handed out before it goes to the dead-letter queue.
pub const RECEIVES_MAX: u32 = 10;
/// How long every queue keeps a record: 14 days, the most SQS offers.
const RETENTION_SECONDS: u32 = 14 * 24 * 60 * 60;

/// One queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Its URL, for whoever sends or receives.
    pub url: String,
    /// Its ARN, as records carry it.
    pub arn: String,
}

/// The queues of the stack, each with the one that takes what nobody could process.
#[derive(Clone, Debug)]
pub struct Queues {
    /// What is to be sent.
    pub events: Queue,
    /// The dead letters of the events.
    pub events_dead: Queue,
    /// What WA Smart Business reports.
    pub statuses: Queue,
    /// The dead letters of the statuses.
    pub statuses_dead: Queue,
}

impl Queues {
    /// Creates them all: `<stack>-events`, `<stack>-statuses`, and those with `-dead` at the end. Records that nobody
    /// deleted come back after `visibility_seconds`.
    ///
    /// # Errors
    /// When the emulator refuses.
    pub async fn create(client: &Client, stack: &str, visibility_seconds: u32) -> Result<Self> {
        let (events, events_dead) = pair(client, &format!("{stack}-events"), visibility_seconds).await?;
        let (statuses, statuses_dead) = pair(client, &format!("{stack}-statuses"), visibility_seconds).await?;
        Ok(Self { events, events_dead, statuses, statuses_dead })
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> [&Queue; 4] {
        [&self.events, &self.events_dead, &self.statuses, &self.statuses_dead]
    }
}

/// A queue and its dead-letter queue.
async fn pair(client: &Client, name: &str, visibility_seconds: u32) -> Result<(Queue, Queue)> {
    let dead = create(client, &format!("{name}-dead"), visibility_seconds, None).await?;
    let redrive = json!({"deadLetterTargetArn": dead.arn, "maxReceiveCount": RECEIVES_MAX}).to_string();
    Ok((create(client, name, visibility_seconds, Some(redrive)).await?, dead))
}

async fn create(client: &Client, name: &str, visibility_seconds: u32, redrive: Option<String>) -> Result<Queue> {
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
