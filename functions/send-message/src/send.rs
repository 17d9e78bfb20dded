//! One message: decide and render, claim, call, settle.

use domain::config::LiveConfig;
use domain::decision::{Outgoing, decide};
use domain::event::Event;
use domain::key::MessageId;
use domain::message::{Answer, State};
use domain::occasion::guards;
use domain::plan::PlannedMessage;
use domain::reason::{Reason, Skip};
use jiff::Timestamp;
use provider::SendError;
use store::StoreError;
use store::ledger::{Claim, Claimed, MessageRecord, Sending};

use crate::App;
use crate::record::{Failure, Invocation};

/// What the messages of one event share.
pub(crate) struct Sender<'a> {
    pub(crate) app: &'a App,
    pub(crate) live: &'a LiveConfig,
    pub(crate) event: &'a Event,
    pub(crate) received_at: Timestamp,
    pub(crate) invocation: Invocation<'a>,
}

/// Brings one planned message as far as it goes now: skipped, sent, refused, unknown, or to be tried again.
pub(crate) async fn deal_with(sender: &Sender<'_>, planned: &PlannedMessage) -> Result<(), Failure> {
    let Sender { app, live, event, invocation, .. } = sender;
    let _place = app.sends.acquire().await.map_err(|error| Failure::Again(error.to_string()))?;
    if !invocation.deadline.has_time() {
        return Err(Failure::Again("no time left for all messages of the event".to_owned()));
    }
    let site = &live.site;
    let message = MessageRecord { site: &site.id, event, planned, retention_days: site.retention_days };
    match decide(event, planned, live, app.clock.now()) {
        Ok(outgoing) => send(sender, &message, &outgoing).await,
        Err(skip) => record_skip(app, &message, &skip).await,
    }
}

async fn record_skip(app: &App, message: &MessageRecord<'_>, skip: &Skip) -> Result<(), Failure> {
    let facts = app.ledger.skip(message, skip, app.clock.now()).await?;
    let (site, id, state) = (message.site, message.id(), facts.state());
    tracing::info!(%site, message.id = %id, reason = %skip.reason, %state, "skipped a message");
    Ok(())
}

/// Claims a message, calls the provider and settles it.
async fn send(sender: &Sender<'_>, message: &MessageRecord<'_>, outgoing: &Outgoing<'_>) -> Result<(), Failure> {
    let Sender { app, live, invocation, .. } = sender;
    let (site, account) = (&live.site.id, &outgoing.account.id);
    // Whatever may go wrong without the provider goes wrong before the claim.
    let (name, pointer) = (format!("{site}/provider"), format!("/accounts/{account}/token"));
    let token = app.secrets.text(&name, &pointer, app.clock.now()).await;
    let token = token.map_err(|error| Failure::Again(error.to_string()))?;
    let contacts = app.contact_secret().await?;

    let mapping =
        live.mapping(&message.planned.mapping).ok_or_else(|| Failure::Again("the mapping is gone".to_owned()))?;
    let guards = guards(site, mapping, message.event, &message.planned.recipient, sender.received_at);
    let (id, owner) = (message.id(), app.owner(invocation.id));
    let sending = Sending {
        template: (outgoing.template, outgoing.language.as_str()),
        phone: outgoing.phone.as_e164(),
        contact: &contacts.contact_key(site, &outgoing.phone),
        text: &outgoing.body.text,
    };
    // Reading the secrets may have taken its time.
    if !invocation.deadline.has_time() {
        return Err(Failure::Again("no time left for a send".to_owned()));
    }
    let person = contacts.person_key(site, &message.planned.recipient);
    let claim = Claim { message, owner: &owner, sending, person: &person, guards: &guards };
    match app.claims.claim(claim, app.clock.now()).await? {
        Claimed::Ours => {}
        Claimed::Theirs(facts) => {
            tracing::info!(%site, message.id = %id, state = %facts.state(), "the message was dealt with before");
            return Ok(());
        }
        Claimed::OptedOut(at) => {
            return record_skip(app, message, &Skip::new(Reason::OptedOut, at.to_string())).await;
        }
        Claimed::Superseded(at) => {
            return record_skip(app, message, &Skip::new(Reason::Superseded, at.to_string())).await;
        }
        Claimed::AlreadyNotified(by) => {
            return record_skip(app, message, &Skip::new(Reason::AlreadyNotified, by)).await;
        }
    }
    let result = app.provider.send(outgoing, &token, &id.to_string()).await;
    let at = app.clock.now();
    let answer = match result {
        Ok(accepted) => Answer::Accepted { at, provider_id: accepted.provider_id, note: accepted.note },
        Err(SendError::Refused(failure)) => Answer::Refused { at, failure },
        Err(SendError::NotAccepted(failure)) => Answer::NotAccepted { at, failure },
        Err(SendError::Unknown { cause, details }) => Answer::Unknown { at, cause, details },
    };
    log_answer(sender, &id, outgoing, &answer);
    settle(sender, &id, &owner, &answer).await;
    match answer {
        Answer::NotAccepted { failure, .. } => {
            app.claims.give_back(&guards, &id).await?;
            // What the provider said of it is in the ledger; it may quote the message.
            Err(Failure::Again(format!("not accepted, code {}", failure.code)))
        }
        _ => Ok(()),
    }
}

/// Records an answer, trying for as long as the invocation has time: without the record it is `unknown` to everybody.
async fn settle(sender: &Sender<'_>, id: &MessageId, owner: &str, answer: &Answer) {
    let Sender { app, live, invocation, .. } = sender;
    let site = &live.site.id;
    loop {
        let Err(error) = app.ledger.settle(site, id, owner, answer).await else { return };
        let may_pass = matches!(error, StoreError::Unavailable(_));
        if !may_pass || !invocation.deadline.has_time() {
            // The claim stands, so nobody sends it again; the sweep will call it unknown.
            tracing::error!(%site, message.id = %id, %error, "the answer to a send could not be recorded");
            return;
        }
        tracing::warn!(%site, message.id = %id, %error, "the answer to a send could not be recorded; trying again");
    }
}

fn log_answer(sender: &Sender<'_>, id: &MessageId, outgoing: &Outgoing<'_>, answer: &Answer) {
    let (site, phone) = (&sender.live.site.id, outgoing.phone.masked());
    let template = outgoing.template;
    match answer {
        Answer::Accepted { provider_id, .. } => {
            tracing::info!(%site, message.id = %id, provider.id = provider_id, phone, template, state = %State::Sent, "sent a message");
        }
        Answer::Refused { failure, .. } | Answer::NotAccepted { failure, .. } => {
            tracing::warn!(%site, message.id = %id, provider.code = failure.code, provider.trace = failure.trace_id, phone, template, "the provider did not take a message");
        }
        Answer::Unknown { cause, .. } => {
            tracing::error!(%site, message.id = %id, cause, phone, template, "nobody knows whether a message was sent");
        }
    }
}
