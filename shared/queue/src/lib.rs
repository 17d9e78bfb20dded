//! SQS: the producers of the queues. The type of a queue defines its contents: [`EventsQueue`] accepts jobs,
//! [`StatusesQueue`] platform events.

mod body;
mod sender;

use aws_sdk_sqs::Client;
use domain::primitives::cause::Cause;
use domain::primitives::id::SiteId;
use domain::queue::job::Job;
use domain::queue::platform_event::{PlatformEvent, Queued};

use sender::{Record, Sender};

/// The attribute of a record with the trace of the caller that raised its event.
pub const TRACE_ATTRIBUTE: &str = "traceparent";

/// SQS did not accept a record. The sender keeps it and retries.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("SQS did not take the record")]
pub struct NotQueued(#[source] Cause);

impl NotQueued {
    fn because(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(Cause::new(cause))
    }
}

/// The events queue.
#[derive(Clone, Debug)]
pub struct EventsQueue(Sender);

impl EventsQueue {
    /// Creates the producer of the queue with this URL.
    #[must_use]
    pub fn new(client: Client, url: String) -> Self {
        Self(Sender { client, url })
    }

    /// Sends one job to the queue. `Ok` means that SQS has it.
    ///
    /// # Errors
    /// [`NotQueued`].
    pub async fn send(&self, job: &Job) -> Result<(), NotQueued> {
        self.0.send(record(job)).await
    }

    /// Sends several jobs to the queue in as few calls as SQS allows. Returns one result per job, in the given order.
    pub async fn send_all(&self, jobs: &[Job]) -> Vec<Result<(), NotQueued>> {
        self.0.send_all(jobs.iter().map(record).collect()).await
    }

    /// Like [`send_all`](Self::send_all), with a delay in seconds per job. SQS limits a delay to 900 s, so a longer
    /// delay is shortened to that.
    pub async fn send_after(&self, jobs: &[(Job, u16)]) -> Vec<Result<(), NotQueued>> {
        let delayed = |(job, delay_s): &(Job, u16)| Record { delay_s: *delay_s, ..record(job) };
        self.0.send_all(jobs.iter().map(delayed).collect()).await
    }

    /// Sends the body of a dead letter again, unchanged. `site` is its site, if the letter names one.
    ///
    /// # Errors
    /// [`NotQueued`].
    pub async fn send_body(&self, body: &str, site: Option<&SiteId>) -> Result<(), NotQueued> {
        self.0.send(Record { body: Ok(body.to_owned()), site: site.cloned(), trace: None, delay_s: 0 }).await
    }
}

fn record(job: &Job) -> Record {
    Record { trace: job.trace().cloned(), ..Record::now(body::of(job), job.site()) }
}

/// The statuses queue.
#[derive(Clone, Debug)]
pub struct StatusesQueue(Sender);

impl StatusesQueue {
    /// Creates the producer of the queue with this URL.
    #[must_use]
    pub fn new(client: Client, url: String) -> Self {
        Self(Sender { client, url })
    }

    /// Sends several platform events to the queue in as few calls as SQS allows. Returns one result per event, in the
    /// given order.
    pub async fn send_all(&self, platform_events: &[PlatformEvent]) -> Vec<Result<(), NotQueued>> {
        let record = |event: &PlatformEvent| Record::now(body::of(event), event.site());
        self.0.send_all(platform_events.iter().map(record).collect()).await
    }

    /// Puts a platform event back with a delay in seconds.
    ///
    /// # Errors
    /// [`NotQueued`].
    pub async fn send_after(&self, platform_event: &Queued, delay_s: u16) -> Result<(), NotQueued> {
        let now = Record::now(body::of(platform_event), platform_event.platform_event.site());
        let record = Record { delay_s, ..now };
        self.0.send_all(vec![record]).await.into_iter().collect()
    }

    /// Sends the body of a dead letter again, unchanged. `site` is its site, if the letter names one.
    ///
    /// # Errors
    /// [`NotQueued`].
    pub async fn send_body(&self, body: &str, site: Option<&SiteId>) -> Result<(), NotQueued> {
        self.0.send(Record { body: Ok(body.to_owned()), site: site.cloned(), trace: None, delay_s: 0 }).await
    }
}
