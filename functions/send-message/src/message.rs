//! Decides one message and processes it as far as possible in this execution.

use std::sync::atomic::{AtomicBool, Ordering};

use domain::decision::cart::CartHistory;
use domain::decision::context::DecisionContext;
use domain::decision::plan::PlannedMessage;
use domain::decision::{Halt, decide};
use domain::event::Event;
use domain::message::reason::Skip;
use domain::message::state::WaitReason;
use domain::message::suppression::ContactData;
use domain::primitives::key::{CartKeys, MessageId};
use domain::queue::job::{Job, LastError, MessageJob, SendPermit};
use domain::site::config::LiveConfig;
use jiff::Timestamp;
use store::ledger::MessageRecord;

use crate::App;
use crate::files::DigestRole;
use crate::record::{Failure, Invocation};
use crate::{consequences, files, pending, send, wait};

/// Data shared by all messages of one event.
#[derive(Clone, Copy)]
pub(crate) struct Sender<'a> {
    pub(crate) app: &'a App,
    pub(crate) live: &'a LiveConfig,
    pub(crate) event: &'a Event,
    /// Set on cart events only.
    pub(crate) carts: Option<&'a CartKeys>,
    pub(crate) received_at: Timestamp,
    pub(crate) invocation: Invocation<'a>,
}

/// One message and the data of the record that carries it.
#[derive(Clone, Copy)]
pub(crate) struct Task<'a> {
    pub(crate) sender: Sender<'a>,
    pub(crate) record: &'a MessageRecord<'a>,
    pub(crate) resend_requested_at: Option<Timestamp>,
    pub(crate) permit: Option<SendPermit>,
    pub(crate) probe: &'a Probe,
    pub(crate) last_error: Option<&'a LastError>,
    pub(crate) send_now: bool,
    pub(crate) digest: Option<&'a MessageId>,
    /// The owner of a claim that was certainly not followed by a call.
    pub(crate) uncalled: Option<&'a str>,
}

/// Tracks whether the message that probes a stopped account has used up the right to probe.
#[derive(Debug, Default)]
pub(crate) struct Probe(AtomicBool);

impl Probe {
    /// Marks the right as used up: the message gave evidence about the account.
    pub(crate) fn answered(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_answered(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Task<'_> {
    /// Returns the job that brings the message back, with `attempt` incremented and without its pass.
    pub(crate) fn successor(&self) -> MessageJob {
        let MessageRecord { site, event, planned, send_number, attempt, .. } = self.record;
        MessageJob {
            site: (*site).clone(),
            event: event.id.clone(),
            mapping: planned.mapping.clone(),
            recipient: planned.recipient.clone(),
            send_number: *send_number,
            resend_requested_at: self.resend_requested_at,
            attempt: attempt.saturating_add(1),
            last_error: self.last_error.cloned(),
            permit: None,
            send_now: self.send_now,
            digest: self.digest.cloned(),
            uncalled: self.uncalled.map(str::to_owned),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.sender.app.clock.now()
    }
}

/// Returns the job of a planned message that is processed separately from its event's record.
pub(crate) fn job_of(live: &LiveConfig, event: &Event, planned: &PlannedMessage) -> Job {
    Job::Message(MessageJob {
        site: live.site.id.clone(),
        event: event.id.clone(),
        mapping: planned.mapping.clone(),
        recipient: planned.recipient.clone(),
        send_number: 1,
        resend_requested_at: None,
        attempt: 0,
        last_error: None,
        permit: None,
        send_now: false,
        digest: None,
        uncalled: None,
    })
}

/// Processes one message as far as possible now: it ends up skipped, sent, refused, unknown or waiting.
pub(crate) async fn process(task: Task<'_>) -> Result<(), Failure> {
    let Sender { app, live, event, invocation, .. } = task.sender;
    let _place = app.sends.acquire().await.map_err(|error| Failure::Again(error.to_string()))?;
    if !invocation.deadline.has_time() {
        return Err(Failure::Again("no time left for all messages of the event".to_owned()));
    }
    if let Some(owner) = task.uncalled {
        Box::pin(consequences::release(task, owner)).await?;
    }
    let digest_role = files::digest_role(task).await?;
    if let DigestRole::MemberOf(digest, facts) = &digest_role {
        return files::follow_digest(task, digest, facts.as_ref()).await;
    }
    let planned = task.record.planned;
    let (cart, newer_at, message) = (carts(task).await?, pending::newer(task).await?, task.record.id().to_string());
    let (resend_requested_at, send_now) = (task.resend_requested_at, task.send_now);
    let (files, collects_until) = (digest_role.files().cloned(), digest_role.until(task));
    let context = DecisionContext {
        resend_requested_at,
        send_now,
        cart,
        newer_at,
        message,
        files,
        collects_until,
        ..DecisionContext::default()
    };
    let decided = match decide(event, planned, live, &context, task.now()) {
        // The claim checks the number itself. Only a skip needs the decision context, so that the first reason is
        // recorded.
        Err(Halt::Skip(skip)) if skip.reason.comes_after_suppression() => {
            decide(event, planned, live, &with_recipient(task, &context).await?, task.now())
        }
        decided => decided,
    };
    match decided {
        Ok(outgoing) => send::send(task, &outgoing, &digest_role).await,
        Err(Halt::Skip(skip)) => record_skip(task, &skip).await,
        Err(Halt::Wait { waiting, useful_until }) => match digest_role {
            DigestRole::Joins(key) if waiting.why == WaitReason::Hold => {
                files::join(task, key, (waiting, useful_until), &context).await
            }
            _ => wait::for_decision(task, waiting, useful_until).await,
        },
    }
}

/// Reads the state of the cart and of the customer's other carts. Empty unless the event is a cart event.
async fn carts(task: Task<'_>) -> Result<CartHistory, Failure> {
    let Some(keys) = task.sender.carts else { return Ok(CartHistory::default()) };
    Ok(task.sender.app.contacts.carts(keys, &task.record.planned.mapping).await?)
}

/// Returns the decision context of a message, completed with the data about its recipient.
pub(crate) async fn with_recipient(task: Task<'_>, context: &DecisionContext) -> Result<DecisionContext, Failure> {
    Ok(DecisionContext { contact: known(task).await?, ..context.clone() })
}

/// Reads the recorded data about the recipient and their number; empty without a valid number.
async fn known(task: Task<'_>) -> Result<ContactData, Failure> {
    let Sender { app, live, .. } = task.sender;
    let Some(contact) = contact(task).await? else { return Ok(ContactData::default()) };
    let person = app.contact_secret().await?.person_key(&live.site.id, &task.record.planned.recipient);
    Ok(app.contacts.known(&contact, &person).await?)
}

/// Returns the pseudonym of the recipient's number, if the number is valid.
async fn contact(task: Task<'_>) -> Result<Option<String>, Failure> {
    let Sender { app, live, event, .. } = task.sender;
    let Some(recipient) = event.recipient(&task.record.planned.recipient) else { return Ok(None) };
    Ok(app.contact_secret().await?.contact_of(&live.site, recipient))
}

/// Records that a message is skipped.
pub(crate) async fn record_skip(task: Task<'_>, skip: &Skip) -> Result<(), Failure> {
    let Sender { app, .. } = task.sender;
    let contact = contact(task).await?;
    let decided = app.ledger.skip(task.record, skip, contact.as_deref(), task.now()).await?;
    let (site, id) = (task.record.site, task.record.id());
    let Some(decided) = decided else {
        tracing::info!(%site, message.id = %id, reason = %skip.reason, "skipped a message");
        return Ok(());
    };
    let state = decided.facts.state();
    tracing::info!(%site, message.id = %id, reason = %skip.reason, %state, "a message to be skipped was dealt with before");
    Box::pin(consequences::given_up(task, &decided)).await
}
