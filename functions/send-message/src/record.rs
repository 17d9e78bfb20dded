//! One record of the queue: from its body to an event in the ledger with every message dealt with.

use aws_lambda_events::event::sqs::SqsMessage;
use domain::event::{Event, EventData};
use domain::id::SiteId;
use domain::job::Job;
use domain::plan::{Plan, plan};
use futures_util::future::join_all;
use jiff::Timestamp;
use runtime::batch::{Deadline, TryAgain};
use serde_json::Value;
use store::StoreError;
use store::ledger::{DeadLetter, EventRecord, Recorded};

use crate::App;
use crate::send::{self, Sender};

/// What a record needs to know of the invocation it came in.
#[derive(Clone, Copy)]
pub(crate) struct Invocation<'a> {
    pub(crate) id: &'a str,
    pub(crate) deadline: &'a Deadline,
}

/// Days a dead letter is kept where no site says how long.
const RETENTION_DAYS: u16 = 90;

/// Handles one record. `Err` has SQS deliver it again.
pub(crate) async fn handle(app: &App, record: SqsMessage, invocation: Invocation<'_>) -> Result<(), TryAgain> {
    let body = record.body.as_deref().unwrap_or_default();
    let (site, received_at, document) = match serde_json::from_str(body) {
        Ok(Job::Event { site, received_at, event }) => (site, received_at, event),
        // serde's message may quote the body, its place does not.
        Err(error) => {
            let cause = format!("the record is no job (line {}, column {})", error.line(), error.column());
            return bury(app, &record, None, &cause).await;
        }
    };
    match event(app, &site, received_at, document, invocation).await {
        Ok(()) => Ok(()),
        Err(Failure::Again(cause)) => {
            tracing::warn!(%site, cause, "a record could not be finished; it will be delivered again");
            Err(TryAgain)
        }
        Err(Failure::Dead(cause)) => bury(app, &record, Some(&site), &cause).await,
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
    received_at: Timestamp,
    document: Value,
    invocation: Invocation<'_>,
) -> Result<(), Failure> {
    let live = app.live(site).await.map_err(|error| Failure::Again(error.to_string()))?;
    let live = live.ok_or_else(|| Failure::Dead(format!("the site {site} does not exist")))?;
    // It was valid when it was received; the same moment bounds `occurred_at` now.
    let event = Event::parse(document, received_at).map_err(|error| Failure::Dead(error.to_string()))?;
    let retention_days = live.site.retention_days;
    let planned = plan(&event, &live);
    let record = EventRecord { site, event: &event, received_at, plan: &planned, retention_days };
    let stored: Plan = match app.ledger.record_event(record, app.clock.now()).await? {
        Recorded::New => {
            log_plan(site, &event, &planned);
            planned
        }
        Recorded::Known(stored) => stored,
        Recorded::Conflict => {
            tracing::warn!(%site, event.id = %event.id, "an event id came again with another content; the first counts");
            return Ok(());
        }
    };
    if let EventData::CustomerUpdated { customer } = &event.data {
        let key = app.contact_secret().await?.person_key(site, &customer.id);
        app.contacts.put_person(&key, customer, event.occurred_at).await?;
    }
    let sender = Sender { app, live: &live, event: &event, received_at, invocation };
    let results = join_all(stored.messages.iter().map(|message| send::deal_with(&sender, message))).await;
    // Every message was dealt with before the first failure is looked at; a dead one must not hide one to be retried.
    let mut failures: Vec<Failure> = results.into_iter().filter_map(Result::err).collect();
    failures.sort_by_key(|failure| matches!(failure, Failure::Dead(_)));
    failures.into_iter().next().map_or(Ok(()), Err)
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
            mapping = planned.mapping.as_ref().map(domain::id::MappingId::as_str),
            reason = %planned.skip.reason,
            "left out of the plan"
        );
    }
}

/// Keeps a record that nobody can process as a dead letter, with its cause; then SQS may forget it.
async fn bury(app: &App, record: &SqsMessage, site: Option<&SiteId>, cause: &str) -> Result<(), TryAgain> {
    let record_id = record.message_id.as_deref().unwrap_or("without-id");
    let body = record.body.as_deref().unwrap_or_default();
    let letter = DeadLetter { site, record_id, cause, body, retention_days: RETENTION_DAYS };
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
