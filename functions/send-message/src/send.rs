//! One message: decide and render, claim, call, settle.

use domain::config::LiveConfig;
use domain::decision::{Outgoing, decide};
use domain::event::Event;
use domain::key::{ContactSecret, MessageId};
use domain::message::{Answer, State};
use domain::plan::PlannedMessage;
use provider::SendError;
use secrecy::ExposeSecret;
use store::StoreError;
use store::ledger::{Claimed, MessageRecord, Sending};

use crate::App;
use crate::record::{Failure, Invocation};

/// What the messages of one event share.
pub(crate) struct Sender<'a> {
    pub(crate) app: &'a App,
    pub(crate) live: &'a LiveConfig,
    pub(crate) event: &'a Event,
    pub(crate) invocation: Invocation<'a>,
}

/// Brings one planned message as far as it goes now: skipped, sent, refused, unknown, or to be tried again.
pub(crate) async fn deal_with(sender: &Sender<'_>, planned: &PlannedMessage) -> Result<(), Failure> {
    let Sender { app, live, event, invocation } = sender;
    let _place = app.sends.acquire().await.map_err(|error| Failure::Again(error.to_string()))?;
    if !invocation.deadline.has_time() {
        return Err(Failure::Again("no time left for all messages of the event".to_owned()));
    }
    let site = &live.site;
    let message = MessageRecord { site: &site.id, event, planned, retention_days: site.retention_days };
    match decide(event, planned, live, app.clock.now()) {
        Ok(outgoing) => send(sender, &message, &outgoing).await,
        Err(skip) => {
            let facts = app.ledger.skip(&message, &skip, app.clock.now()).await?;
            let id = message.id();
            tracing::info!(site = %site.id, message.id = %id, reason = %skip.reason, state = %facts.state(), "skipped a message");
            Ok(())
        }
    }
}

/// Claims a message, calls the provider and settles it.
async fn send(sender: &Sender<'_>, message: &MessageRecord<'_>, outgoing: &Outgoing<'_>) -> Result<(), Failure> {
    let Sender { app, live, invocation, .. } = sender;
    let (site, account) = (&live.site.id, &outgoing.account.id);
    let secret = |name: String, pointer: String| async move {
        let now = app.clock.now();
        app.secrets.text(&name, &pointer, now).await.map_err(|error| Failure::Again(error.to_string()))
    };
    // Whatever may go wrong without the provider goes wrong before the claim.
    let token = secret(format!("{site}/provider"), format!("/accounts/{account}/token")).await?;
    let contacts = secret("keys".to_owned(), "/hmac".to_owned()).await?;
    let contacts = ContactSecret::parse(contacts.expose_secret()).map_err(|error| Failure::Again(error.to_string()))?;

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
    if let Claimed::Theirs(facts) = app.ledger.claim(message, &owner, sending, app.clock.now()).await? {
        tracing::info!(%site, message.id = %id, state = %facts.state(), "the message was dealt with before");
        return Ok(());
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
        // What the provider said of it is in the ledger; it may quote the message.
        Answer::NotAccepted { failure, .. } => Err(Failure::Again(format!("not accepted, code {}", failure.code))),
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
