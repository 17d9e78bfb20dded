//! One record of the queue: from its body to an event in the ledger with every message dealt with.

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

/// What a record needs to know of the invocation it came in.
#[derive(Clone, Copy)]
pub(crate) struct Invocation<'a> {
    pub(crate) id: &'a str,
    pub(crate) deadline: &'a Deadline,
    pub(crate) pacer: &'a Pacer<'a>,
    pub(crate) volume: &'a Volume,
}

/// The dead-letter queues, by their ARNs.
#[derive(Clone, Debug)]
pub(crate) struct DeadQueues {
    pub(crate) events: String,
    pub(crate) statuses: String,
}

/// A record that was on its way for longer has waited: what it says may have changed.
const FRESH_FOR: SignedDuration = SignedDuration::from_mins(2);
/// Days a dead letter is kept where no site says how long.
const RETENTION_DAYS: u16 = 90;
/// A plan of more messages is fanned out, one record each: so many fit into one execution's time in the worst case.
const MESSAGES_AT_ONCE: usize = 10;
/// The first pause of a record that could not be finished for want of the infrastructure.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(5);

/// Handles one record. `Err` has SQS deliver it again.
pub(crate) async fn handle(app: &App, record: SqsMessage, invocation: Invocation<'_>) -> Result<(), TryAgain> {
    let body = record.body.as_deref().unwrap_or_default();
    let of_job = serde_json::from_str::<Job>(body);
    if let Some(queue) = app.dead_queues.of(&record) {
        let site = of_job.as_ref().ok().map(site_of);
        return dead_letter(app, &record, (queue, site), "SQS gave up: the record was received too often").await;
    }
    let job = match of_job {
        Ok(job) => job,
        // serde's message may quote the body, its place does not.
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
    /// The queue whose dead letter a record is.
    fn of(&self, record: &SqsMessage) -> Option<DeadQueue> {
        let arn = record.event_source_arn.as_deref()?;
        if arn == self.events {
            return Some(DeadQueue::Events);
        }
        (arn == self.statuses).then_some(DeadQueue::Statuses)
    }
}

/// Puts a record back behind a pause that grows, so that an outage neither spends what SQS counts nor fills the
/// dead-letter queue.
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

/// Why a record is not done.
pub(crate) enum Failure {
    /// Later it may work.
    Again(String),
    /// Nobody can process it.
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

/// Plans an event, records it, and deals with each message of its plan.
async fn event(
    app: &App,
    site: &SiteId,
    (received_at, waited): (Timestamp, bool),
    document: &serde_json::Value,
    invocation: Invocation<'_>,
) -> Result<(), Failure> {
    let live = app.live(site).await.map_err(|error| Failure::Again(error.to_string()))?;
    let live = live.ok_or_else(|| Failure::Dead(format!("the site {site} does not exist")))?;
    // It was valid when it was received; the same moment bounds `occurred_at` now.
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
    // Every message was dealt with before the first failure is looked at; a dead one must not hide one to be retried.
    let mut failures: Vec<Failure> = results.into_iter().filter_map(Result::err).collect();
    failures.sort_by_key(|failure| matches!(failure, Failure::Dead(_)));
    failures.into_iter().next().map_or(Ok(()), Err)
}

/// An event as it would be with what was said of some of its people since it happened.
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

/// Keeps what an event says of the carts of a customer. While no mapping tells of carts, only of those that a notice may
/// still wait for.
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

/// The items of a cart, by the number with which it was left: what was said of the customer since changes nothing of it.
async fn cart_keys(app: &App, live: &LiveConfig, event: &Event) -> Result<Option<CartKeys>, Failure> {
    let EventData::CartAbandoned { cart, customer } = &event.data else { return Ok(None) };
    let secret = app.contact_secret().await?;
    let contact = secret.contact_of(&live.site, customer);
    let keys = CartKeys::new(&live.site.id, [&customer.id, &cart.id], contact.as_deref());
    Ok(Some(app.contacts.cart_keys(keys, &secret.person_key(&live.site.id, &customer.id)).await?))
}

/// Gives each message of a large plan a record of its own, before the event's record is given up.
async fn fan_out(app: &App, live: &LiveConfig, event: &Event, messages: &[PlannedMessage]) -> Result<(), Failure> {
    let jobs: Vec<Job> = messages.iter().map(|planned| job_of(live, event, planned)).collect();
    let put = app.queue.send_all(&jobs).await;
    match put.into_iter().find_map(Result::err) {
        None => Ok(()),
        Some(error) => Err(Failure::Again(error.to_string())),
    }
}

/// Gives the right to probe an account back that says nothing of it: the next sweep lets another message try. If this
/// fails, the right ends by itself after some minutes.
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

/// Deals with one message of an event that is in the ledger.
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
    // One that comes back has waited: what was said of its activity and of its recipient since counts.
    let waited =
        job.attempt > 0 || job.resend_requested_at.is_some() || app.clock.now().duration_since(received_at) > FRESH_FOR;
    let refreshed = if waited { reminders::refreshed(app, site, &event, received_at).await? } else { None };
    match &refreshed {
        // Who asks for one message asks for no other.
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

/// Deals with a message; with that of a reminder that was renewed as that says. Whoever has nothing to do with the
/// activity any more is not reminded of it.
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

/// Keeps a record that nobody can process as a dead letter, with its cause; then SQS may forget it.
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
