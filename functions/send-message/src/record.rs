//! Handles one queue record: parses its body, records the event in the ledger, and processes its messages.

use aws_lambda_events::event::sqs::SqsMessage;
use domain::decision::cart;
use domain::decision::plan::{Plan, PlannedMessage, plan};
use domain::decision::reminder::contact_data_as_of;
use domain::event::person::bring_up_to_date;
use domain::event::{Event, EventData, EventType};
use domain::mapping::Mapping;
use domain::message::backoff;
use domain::message::reason::{Reason, Skip};
use domain::primitives::id::{ObjectId, SiteId};
use domain::primitives::key::CartKeys;
use domain::queue::job::{Job, MessageJob, SendPermit};
use domain::site::config::LiveConfig;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use runtime::batch::{Deadline, TryAgain};
use store::StoreError;
use store::contacts::CartScope;
use store::ledger::{DeadLetter, DeadQueue, EventRecord, MessageRecord, Recorded, is_erased};
use store::schedule::Lane;

use crate::message::{Probe, Sender, Task, job_of, process, record_skip};
use crate::pacer::Pacer;
use crate::pending;
use crate::people::latest_records;
use crate::reminders::{self, Refreshed};
use crate::volume::Volume;
use crate::{App, jitter};

/// Data that a record needs about its invocation.
#[derive(Clone, Copy)]
pub(crate) struct Invocation<'a> {
    pub(crate) id: &'a str,
    pub(crate) deadline: &'a Deadline,
    pub(crate) pacer: &'a Pacer<'a>,
    pub(crate) volume: &'a Volume,
}

/// The ARNs of the dead-letter queues.
#[derive(Clone, Debug)]
pub(crate) struct DeadQueues {
    pub(crate) events: String,
    pub(crate) statuses: String,
}

/// Maximum age of a fresh record. The data of an older record may have changed since.
const FRESH_FOR: SignedDuration = SignedDuration::from_mins(2);
/// Retention of dead letters in days, independent of the site.
const RETENTION_DAYS: u16 = 90;
/// Number of messages that one execution can process in the worst case. A larger plan is fanned out, one record per
/// message.
const MESSAGES_AT_ONCE: usize = 10;
/// Longest first backoff pause of a record that failed because a service was unavailable.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(5);

/// Handles one record. On `Err`, SQS delivers it again.
pub(crate) async fn handle(app: &App, record: SqsMessage, invocation: Invocation<'_>) -> Result<(), TryAgain> {
    let body = record.body.as_deref().unwrap_or_default();
    let of_job = serde_json::from_str::<Job>(body);
    if let Some(queue) = app.dead_queues.of(&record) {
        let site = of_job.as_ref().ok().map(site_of);
        return dead_letter(app, &record, (queue, site), "SQS gave up: the record was received too often").await;
    }
    let job = match of_job {
        Ok(job) => job,
        // serde's error message may quote the body. The position does not.
        Err(error) => {
            let cause = format!("the record is no job (line {}, column {})", error.line(), error.column());
            return dead_letter(app, &record, (DeadQueue::Events, None), &cause).await;
        }
    };
    let done = match &job {
        Job::Event { site, received_at, event: document, attempt, .. } => {
            let waited = *attempt > 0 || app.clock.now().duration_since(*received_at) > FRESH_FOR;
            Box::pin(event(app, site, (*received_at, waited), document, invocation)).await
        }
        Job::Message(job) => {
            let probe = Probe::default();
            let done = Box::pin(message(app, job, &probe, invocation)).await;
            if job.permit == Some(SendPermit::Probe) && !probe.is_answered() {
                give_back_probe(app, job).await;
            }
            done
        }
    };
    let site = site_of(&job).clone();
    match done {
        Ok(()) => Ok(()),
        Err(Failure::Again(cause)) => {
            if let Some(since) = job.over_since(app.clock.now()) {
                let cause = format!("{cause}; the event has been tried since {since}, for more than 14 days");
                return dead_letter(app, &record, (DeadQueue::Events, Some(&site)), &cause).await;
            }
            tracing::warn!(%site, cause, "a record could not be finished; it is put back");
            put_back(app, job).await
        }
        Err(Failure::Dead(cause)) => dead_letter(app, &record, (DeadQueue::Events, Some(&site)), &cause).await,
    }
}

fn site_of(job: &Job) -> &SiteId {
    match job {
        Job::Event { site, .. } | Job::Message(MessageJob { site, .. }) => site,
    }
}

impl DeadQueues {
    /// Returns the dead-letter queue that the record came from, if any.
    fn of(&self, record: &SqsMessage) -> Option<DeadQueue> {
        let arn = record.event_source_arn.as_deref()?;
        if arn == self.events {
            return Some(DeadQueue::Events);
        }
        (arn == self.statuses).then_some(DeadQueue::Statuses)
    }
}

/// Puts a record back with exponential backoff. An outage therefore does not use up the SQS receive count and does not
/// fill the dead-letter queue.
async fn put_back(app: &App, job: Job) -> Result<(), TryAgain> {
    let again = job.put_back();
    let attempt = match &again {
        Job::Event { attempt, .. } | Job::Message(MessageJob { attempt, .. }) => *attempt,
    };
    let pause = backoff::pause(FIRST_PAUSE, attempt, jitter());
    let seconds = u16::try_from(pause.as_secs()).unwrap_or(u16::MAX);
    let put = app.queue.send_after(&[(again, seconds)]).await;
    match put.into_iter().find_map(Result::err) {
        None => Ok(()),
        Some(error) => {
            tracing::warn!(%error, "a record could not be put back; SQS will deliver it again");
            Err(TryAgain)
        }
    }
}

/// Why a record could not be finished.
pub(crate) enum Failure {
    /// A temporary failure: a retry may succeed.
    Again(String),
    /// A permanent failure: no retry can succeed.
    Dead(String),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::Again(error.to_string()),
            StoreError::Refused(_) | StoreError::Malformed { .. } => Self::Dead(error.to_string()),
        }
    }
}

/// Plans an event, records it, and processes each message of its plan.
async fn event(
    app: &App,
    site: &SiteId,
    (received_at, waited): (Timestamp, bool),
    document: &serde_json::Value,
    invocation: Invocation<'_>,
) -> Result<(), Failure> {
    let live = app.live(site).await.map_err(|error| Failure::Again(error.to_string()))?;
    let live = live.ok_or_else(|| Failure::Dead(format!("the site {site} does not exist")))?;
    // The event was valid when it was received. The same time limits `occurred_at` here.
    let event = Event::parse_any(document.clone(), received_at).map_err(|error| Failure::Dead(error.to_string()))?;
    let retention_days = live.site.retention_days;
    let planned = plan(&event, &live);
    let record = EventRecord { site, event: &event, received_at, plan: &planned, retention_days };
    let stored: Plan = match app.ledger.record_event(record, app.clock.now()).await? {
        Recorded::New => {
            log_plan(site, &event, &planned);
            planned
        }
        Recorded::Existing(stored) => stored,
        Recorded::Conflict => {
            tracing::warn!(%site, event.id = %event.id, "an event id came again with another content; the first counts");
            return Ok(());
        }
    };
    if let EventData::CustomerUpdated { customer } = &event.data {
        let key = app.contact_secret().await?.person_key(site, &customer.id);
        let kept_for = SignedDuration::from_hours(24 * i64::from(retention_days));
        let kept_until = app.clock.now().saturating_add(kept_for).unwrap_or(Timestamp::MAX);
        app.contacts.put_person(&key, customer, event.occurred_at, kept_until).await?;
    }
    reminders::update(app, &live, &event, received_at).await?;
    pending::record(app, &live, &event, received_at).await?;
    update_cart(app, &live, &event, &stored).await?;
    let refreshed = if waited { reminders::refreshed(app, site, &event, received_at).await? } else { None };
    if let Some(refreshed) = &refreshed {
        refreshed.remind_others(app, site, &stored).await?;
    }
    if stored.messages.len() > MESSAGES_AT_ONCE {
        return fan_out(app, &live, &event, &stored.messages).await;
    }
    let carts = cart_keys(app, &live, &event).await?;
    let event = match &refreshed {
        None if waited => {
            let recipients = stored.messages.iter().map(|planned| planned.recipient.clone());
            with_latest_contact_data(app, site, event, received_at, recipients).await?
        }
        _ => event,
    };
    let sender = Sender { app, live: &live, event: &event, carts: carts.as_ref(), received_at, invocation };
    let probe = Probe::default();
    let one = |planned| {
        let record = MessageRecord { site, event: &event, planned, send_number: 1, attempt: 0, retention_days };
        let refreshed = refreshed.as_ref();
        let probe = &probe;
        async move {
            let (record, send_now) = (&record, false);
            let (resend_requested_at, permit, last_error, digest, uncalled) = (None, None, None, None, None);
            let task =
                Task { sender, record, resend_requested_at, permit, probe, last_error, send_now, digest, uncalled };
            process_refreshed(task, refreshed).await
        }
    };
    let results = join_all(stored.messages.iter().map(one)).await;
    // All messages are processed before any failure is returned. A retryable failure takes precedence over a permanent
    // one.
    let mut failures: Vec<Failure> = results.into_iter().filter_map(Result::err).collect();
    failures.sort_by_key(|failure| matches!(failure, Failure::Dead(_)));
    failures.into_iter().next().map_or(Ok(()), Err)
}

/// Returns the event with the last known contact data of the given people applied.
async fn with_latest_contact_data(
    app: &App,
    site: &SiteId,
    event: Event,
    received_at: Timestamp,
    people: impl Iterator<Item = ObjectId>,
) -> Result<Event, Failure> {
    let (as_of, latest) = (contact_data_as_of(&event), latest_records(app, site, people).await?);
    let mut document = event.document;
    bring_up_to_date(&mut document, as_of, &latest);
    Event::parse_any(document, received_at).map_err(|error| Failure::Dead(error.to_string()))
}

/// Records what an event changes about a customer's carts. Without an enabled mapping for abandoned carts, only carts
/// that are already recorded are updated: a cart notice may still be waiting for them.
async fn update_cart(app: &App, live: &LiveConfig, event: &Event, plan: &Plan) -> Result<(), Failure> {
    let Some(change) = cart::change(event, &live.site) else { return Ok(()) };
    let notifies = |mapping: &Mapping| mapping.enabled && mapping.event_type == EventType::CartAbandoned;
    let scope = CartScope { is_planned: !plan.messages.is_empty(), only_known: !live.mappings.iter().any(notifies) };
    let contact = match change.person {
        Some(person) => app.contact_secret().await?.contact_of(&live.site, person),
        None => None,
    };
    app.contacts.change_cart(&live.site, &change, contact.as_deref(), scope, app.clock.now()).await?;
    Ok(())
}

/// Returns the keys of a cart's items. The phone number is the one in the event; later contact data does not change
/// it.
async fn cart_keys(app: &App, live: &LiveConfig, event: &Event) -> Result<Option<CartKeys>, Failure> {
    let EventData::CartAbandoned { cart, customer } = &event.data else { return Ok(None) };
    let secret = app.contact_secret().await?;
    let contact = secret.contact_of(&live.site, customer);
    let keys = CartKeys::new(&live.site.id, [&customer.id, &cart.id], contact.as_deref());
    Ok(Some(app.contacts.cart_keys(keys, &secret.person_key(&live.site.id, &customer.id)).await?))
}

/// Enqueues one record per message of a large plan. The event's own record is deleted only afterwards.
async fn fan_out(app: &App, live: &LiveConfig, event: &Event, messages: &[PlannedMessage]) -> Result<(), Failure> {
    let jobs: Vec<Job> = messages.iter().map(|planned| job_of(live, event, planned)).collect();
    let put = app.queue.send_all(&jobs).await;
    match put.into_iter().find_map(Result::err) {
        None => Ok(()),
        Some(error) => Err(Failure::Again(error.to_string())),
    }
}

/// Returns the right to probe an account when the message gave no evidence about the account. The next sweep can then
/// choose another message. If this call fails, the right expires after some minutes.
async fn give_back_probe(app: &App, job: &MessageJob) {
    let site = &job.site;
    let given_back = async {
        let Some(live) = app.live(site).await? else { return Ok(()) };
        let Some(account) = live.mapping(&job.mapping).and_then(|mapping| live.account(mapping)) else { return Ok(()) };
        app.schedule.return_probe(&Lane { site: site.clone(), account: account.id.clone() }).await
    };
    if let Err(error) = given_back.await {
        tracing::warn!(%site, %error, "the right to probe an account could not be given back");
    }
}

/// Processes one message of an event that is in the ledger.
async fn message(app: &App, job: &MessageJob, probe: &Probe, invocation: Invocation<'_>) -> Result<(), Failure> {
    let site = &job.site;
    let live = app.live(site).await.map_err(|error| Failure::Again(error.to_string()))?;
    let live = live.ok_or_else(|| Failure::Dead(format!("the site {site} does not exist")))?;
    let recorded = app.ledger.recorded(site, &job.event).await?;
    let recorded = recorded.ok_or_else(|| Failure::Dead("the event is not in the ledger".to_owned()))?;
    if is_erased(&recorded.document) {
        tracing::info!(%site, event.id = %job.event, "the event was erased; its messages are decided");
        return Ok(());
    }
    let planned = PlannedMessage { mapping: job.mapping.clone(), recipient: job.recipient.clone() };
    if !recorded.plan.messages.contains(&planned) {
        return Err(Failure::Dead("the message is not in the event's plan".to_owned()));
    }
    let received_at = recorded.received_at;
    let mut event =
        Event::parse_any(recorded.document, received_at).map_err(|error| Failure::Dead(error.to_string()))?;
    let carts = cart_keys(app, &live, &event).await?;
    // A record that comes back has waited. Newer data about its activity and its recipient applies.
    let waited =
        job.attempt > 0 || job.resend_requested_at.is_some() || app.clock.now().duration_since(received_at) > FRESH_FOR;
    let refreshed = if waited { reminders::refreshed(app, site, &event, received_at).await? } else { None };
    match &refreshed {
        // A resend of one message must not cause other messages.
        Some(_) if job.resend_requested_at.is_some() => {}
        Some(refreshed) => refreshed.remind_others(app, site, &recorded.plan).await?,
        None if waited => {
            event =
                with_latest_contact_data(app, site, event, received_at, std::iter::once(job.recipient.clone())).await?;
        }
        None => {}
    }
    let sender = Sender { app, live: &live, event: &event, carts: carts.as_ref(), received_at, invocation };
    let record = MessageRecord {
        site,
        event: &event,
        planned: &planned,
        send_number: job.send_number,
        attempt: job.attempt,
        retention_days: live.site.retention_days,
    };
    let MessageJob { resend_requested_at, permit, send_now, .. } = *job;
    let (last_error, digest, uncalled) = (job.last_error.as_ref(), job.digest.as_ref(), job.uncalled.as_deref());
    let task =
        Task { sender, record: &record, resend_requested_at, permit, probe, last_error, send_now, digest, uncalled };
    process_refreshed(task, refreshed.as_ref()).await
}

/// Processes a message, using the refreshed reminder if there is one. A recipient who no longer belongs to the
/// activity is not reminded.
async fn process_refreshed(task: Task<'_>, refreshed: Option<&Refreshed>) -> Result<(), Failure> {
    match refreshed {
        None => process(task).await,
        Some(refreshed) if refreshed.reminds(&task.record.planned.recipient) => {
            process(Task { sender: Sender { event: &refreshed.event, ..task.sender }, ..task }).await
        }
        Some(refreshed) => record_skip(task, &Skip::new(Reason::Cancelled, refreshed.by.as_str())).await,
    }
}

fn log_plan(site: &SiteId, event: &Event, plan: &Plan) {
    tracing::info!(
        %site,
        event.id = %event.id,
        event.kind = %event.kind(),
        messages = plan.messages.len(),
        skips = plan.skips.len(),
        "planned an event"
    );
    for planned in &plan.skips {
        tracing::info!(
            %site,
            event.id = %event.id,
            mapping = planned.mapping.as_ref().map(domain::primitives::id::MappingId::as_str),
            reason = %planned.skip.reason,
            "left out of the plan"
        );
    }
}

/// Records a dead letter with its cause. SQS may then delete the record.
async fn dead_letter(
    app: &App,
    record: &SqsMessage,
    (queue, site): (DeadQueue, Option<&SiteId>),
    cause: &str,
) -> Result<(), TryAgain> {
    let record_id = record.message_id.as_deref().unwrap_or("without-id");
    let body = record.body.as_deref().unwrap_or_default();
    let letter = DeadLetter { queue, site, record_id, cause, body, retention_days: RETENTION_DAYS };
    match app.ledger.put_dead_letter(letter, app.clock.now()).await {
        Ok(()) => {
            tracing::error!(record.id = record_id, cause, "a record became a dead letter");
            Ok(())
        }
        Err(error) => {
            tracing::error!(record.id = record_id, cause, %error, "a dead letter could not be kept");
            Err(TryAgain)
        }
    }
}
