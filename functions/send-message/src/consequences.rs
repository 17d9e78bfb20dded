//! Consequences of an answer: a dedup key is given back, a number becomes unreachable, an account can send again.
//!
//! Consequences follow from the recorded facts. If a write fails, the record comes back, finds the message decided and
//! applies them again ([`given_up`]). All times count from the answer, so applying consequences twice changes nothing.

use domain::decision::digest::dedup_keys;
use domain::decision::guards::{CartGuard, Guards, guards};
use domain::message::error_code::{self, Action, Consequence, consequence};
use domain::message::file_list::Files;
use domain::message::state::{Answer, State};
use domain::message::suppression::{Scope, Source, Suppression, UNREACHABLE_FOR};
use domain::primitives::id::{AccountId, EventId};
use domain::primitives::key::MessageId;
use domain::queue::job::{Job, MessageJob};
use domain::site::health::Proof;
use jiff::Timestamp;
use runtime::failure::Failure;
use serde_json::Value;
use store::StoreError;
use store::contacts::Choice;
use store::ledger::Reported;
use store::schedule::Lane;

use crate::App;
use crate::task::Task;

/// Returns the guards of a task's message. `files` are the files it covers. `None` if its mapping no longer exists.
pub(crate) fn guards_of(task: Task<'_>, files: Option<&Files>) -> Option<Guards> {
    let Task { live, event, carts, received_at, .. } = task;
    let site = &live.site.id;
    let recipient = &task.job.recipient;
    let mapping = live.mapping(&task.job.mapping)?;
    let mut guards = guards(site, mapping, event, recipient, received_at);
    if let (Some(cart), Some(keys)) = (&mut guards.cart, carts) {
        cart.keys = keys.clone();
    }
    if task.job.resend_requested_at.is_some() {
        // An operator requested the resend and knows about earlier and newer messages.
        let cart = guards.cart.map(|cart| CartGuard { requested: true, ..cart });
        return Some(Guards { latest: None, dedup_key: None, cart, ..guards });
    }
    if let Some(files) = files {
        guards.other_dedup_keys = dedup_keys(site, mapping, event, recipient, files);
    }
    Some(guards)
}

/// Releases a claim whose owner certainly did not call the provider, as the task's record states.
pub(crate) async fn release(task: Task<'_>, owner: &str) -> Result<(), Failure> {
    let Task { app, .. } = task;
    let id = task.id();
    let files = app.ledger.message(&id).await?.and_then(|facts| facts.files);
    let Some(guards) = guards_of(task, files.as_ref()) else { return Ok(()) };
    let released = app.claims.release(&task.record(), &guards, owner, task.now()).await?;
    tracing::info!(site = %task.job.site, message.id = %id, released, "a claim was taken back, because the provider was not called");
    Ok(())
}

/// Handles a message that was already decided: applies the consequences of its answer and ends its record.
///
/// While another execution is sending the message, the record is put back. A late write of that execution may still
/// leave the message to be retried, and only this record would bring it back. That execution may also be gone, so the
/// message is listed for the sweep.
pub(crate) async fn given_up(task: Task<'_>, decided: &Reported) -> Result<(), Failure> {
    if decided.facts.state() == State::Sending {
        list_for_sweep(task.app, &task.id(), decided).await?;
        return Err(Failure::again(format!("another execution is sending the message {}", task.id())));
    }
    of_decided(task, decided).await
}

/// Lists a message that is `sending` for the sweep, unless it is listed.
async fn list_for_sweep(app: &App, id: &MessageId, known: &Reported) -> Result<(), StoreError> {
    if let Some(claim) = known.facts.claim.as_ref().filter(|_| !known.is_open) {
        app.ledger.open(id, claim).await?;
    }
    Ok(())
}

/// Lists the messages of a record that is `sending` for the sweep, because SQS delivers the record no more.
pub(crate) async fn of_dead_letter(app: &App, job: &Job) -> Result<(), StoreError> {
    let ids: Vec<MessageId> = match job {
        Job::Message(job) => vec![job.id()],
        Job::Event { site, event, .. } => {
            let id = event.get("id").and_then(Value::as_str).and_then(|id| EventId::parse(id).ok());
            let Some(id) = id else { return Ok(()) };
            let plan = app.ledger.plan(site, &id).await?.unwrap_or_default();
            plan.messages.iter().map(|planned| MessageJob::first(site, &id, planned).id()).collect()
        }
    };
    for id in ids {
        if let Some(known) = app.ledger.reported(&id).await?.filter(|known| known.facts.state() == State::Sending) {
            list_for_sweep(app, &id, &known).await?;
        }
    }
    Ok(())
}

/// Applies the consequences of an earlier answer.
async fn of_decided(task: Task<'_>, decided: &Reported) -> Result<(), Failure> {
    let Task { app, .. } = task;
    let (Some(answer), Some(claim)) = (&decided.facts.answer, &decided.facts.claim) else { return Ok(()) };
    let id = task.id();
    match answer {
        Answer::Refused { at, failure } => {
            if let Some(guards) = guards_of(task, decided.facts.files.as_ref()) {
                app.claims.give_back(&guards, &id, &claim.owner).await?;
            }
            if decided.probe && proves_the_account_can_send(&failure.code) {
                start(task, decided, claim.at).await?;
            }
            match &decided.contact {
                Some(contact) => of_refusal(task, contact, (&failure.code, *at)).await,
                None => Ok(()),
            }
        }
        Answer::Accepted { .. } if decided.probe => start(task, decided, claim.at).await,
        Answer::Accepted { .. } | Answer::NotAccepted { .. } | Answer::Unknown { .. } => Ok(()),
    }
}

/// Applies the consequences of a permanent refusal for the number.
pub(crate) async fn of_refusal(task: Task<'_>, contact: &str, (code, at): (&str, Timestamp)) -> Result<(), Failure> {
    let Task { app, live, .. } = task;
    let site = &live.site.id;
    match consequence(code) {
        Some(Consequence::Unreachable) => {
            let until = at.saturating_add(UNREACHABLE_FOR).unwrap_or(at);
            app.contacts.unreachable(site, contact, until).await?;
        }
        Some(Consequence::MarketingOptOut) => {
            let (scope, source, reason) = (Scope::Marketing, Source::Preferences, code.to_owned());
            let choice = Choice::Out(Suppression { scope, source, since: at, reason });
            app.contacts.choose(Some(site), contact, &choice).await?;
        }
        // Refusals that hold a template or stop an account are not permanent.
        Some(Consequence::HoldTemplate | Consequence::StopAccount { .. }) | None => {}
    }
    Ok(())
}

/// Whether a permanent refusal concerns only its message, so that the account can send others.
fn proves_the_account_can_send(code: &str) -> bool {
    matches!(error_code::action(code), None | Some(Action::Fail))
}

/// Ends the stop that a probe tested, unless the stop is newer or ends only by a status report.
async fn start(task: Task<'_>, probe: &Reported, claimed_at: Timestamp) -> Result<(), Failure> {
    let Some(account) = probe.account.as_deref().and_then(|account| AccountId::parse(account).ok()) else {
        return Ok(());
    };
    let lane = Lane { site: task.job.site.clone(), account };
    task.app.schedule.start_account(&lane, Proof::Accepted(claimed_at)).await?;
    Ok(())
}
