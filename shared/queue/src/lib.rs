//! SQS: the producers of the queues. What a queue may hold is its type: [`EventsQueue`] takes jobs, [`StatusesQueue`]
//! notices.

mod body;
mod sender;

use aws_sdk_sqs::Client;
use domain::queue::job::Job;
use domain::queue::platform_event::{PlatformEvent, Queued};

use sender::{Record, Sender};

/// SQS did not take a record: the sender keeps it and tries again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("SQS did not take the record: {0}")]
pub struct NotQueued(String);

/// The events queue.
#[derive(Clone, Debug)]
pub struct EventsQueue(Sender);

impl EventsQueue {
    /// The queue of that URL.
    #[must_use]
    pub fn new(client: Client, url: String) -> Self {
        Self(Sender { client, url })
    }

    /// Puts one job into the queue. `Ok` means SQS has it.
    ///
    /// # Errors
    /// [`NotQueued`].
    pub async fn send(&self, job: &Job) -> Result<(), NotQueued> {
        self.0.send(body::of(job)?).await
    }

    /// Puts several jobs into the queue, in as few calls as SQS allows, and answers for each in the order given.
    pub async fn send_all(&self, jobs: &[Job]) -> Vec<Result<(), NotQueued>> {
        self.0.send_all(jobs.iter().map(|job| Record::now(body::of(job))).collect()).await
    }

    /// As [`send_all`](Self::send_all), but nobody gets a job before the seconds beside it are over. SQS holds a record
    /// back for 900 s at most, so a longer delay is that long.
    pub async fn send_after(&self, jobs: &[(Job, u16)]) -> Vec<Result<(), NotQueued>> {
        let record = |(job, delay_s): &(Job, u16)| Record { body: body::of(job), delay_s: *delay_s };
        self.0.send_all(jobs.iter().map(record).collect()).await
    }

    /// Puts the body of a dead letter back, as it was.
    ///
    /// # Errors
    /// [`NotQueued`].
    pub async fn send_body(&self, body: &str) -> Result<(), NotQueued> {
        self.0.send(body.to_owned()).await
    }
}

/// The statuses queue.
#[derive(Clone, Debug)]
pub struct StatusesQueue(Sender);

impl StatusesQueue {
    /// The queue of that URL.
    #[must_use]
    pub fn new(client: Client, url: String) -> Self {
        Self(Sender { client, url })
    }

    /// Puts several notices into the queue, in as few calls as SQS allows, and answers for each in the order given.
    pub async fn send_all(&self, platform_events: &[PlatformEvent]) -> Vec<Result<(), NotQueued>> {
        self.0
            .send_all(platform_events.iter().map(|platform_event| Record::now(body::of(platform_event))).collect())
            .await
    }

    /// Puts a notice back; nobody gets it before so many seconds are over.
    ///
    /// # Errors
    /// [`NotQueued`].
    pub async fn send_after(&self, platform_event: &Queued, delay_s: u16) -> Result<(), NotQueued> {
        let record = Record { body: body::of(platform_event), delay_s };
        self.0.send_all(vec![record]).await.into_iter().collect()
    }

    /// Puts the body of a dead letter back, as it was.
    ///
    /// # Errors
    /// [`NotQueued`].
    pub async fn send_body(&self, body: &str) -> Result<(), NotQueued> {
        self.0.send(body.to_owned()).await
    }
}
