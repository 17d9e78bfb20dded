//! What follows from an answer besides its record: nobody got the message, the number is left alone, the account can send.
//!
//! It follows from the recorded facts. If a write of it fails, the record comes again and finds the message decided: then
//! it happens from what is recorded ([`given_up`]). Everything counts from the moment of the answer, so that doing it
//! again later changes nothing.

use domain::decision::digest::{Files, dedup_keys};
use domain::decision::guards::{CartGuard, Guards, guards};
use domain::message::error_code::{self, Action, Consequence, consequence};
use domain::message::state::{Answer, State};
use domain::message::suppression::{Scope, Source, Suppression, UNREACHABLE_FOR};
use domain::primitives::id::AccountId;
use domain::site::health::Proof;
use jiff::Timestamp;
use store::contacts::Choice;
use store::ledger::Reported;
use store::schedule::Lane;

use crate::message::{Sender, Task};
use crate::record::Failure;

/// What the message of a task must not overtake or repeat; `files` are those it tells. `None` if its mapping is gone.
pub(crate) fn guards_of(task: Task<'_>, files: Option<&Files>) -> Option<Guards> {
    let Sender { live, event, carts, received_at, .. } = task.sender;
    let (site, planned) = (&live.site.id, task.record.planned);
    let mapping = live.mapping(&planned.mapping)?;
    let mut guards = guards(site, mapping, event, &planned.recipient, received_at);
    if let (Some(cart), Some(keys)) = (&mut guards.cart, carts) {
        cart.keys = keys.clone();
    }
    if task.resend_requested_at.is_some() {
        // A person wants it sent again: that it was told, and that something newer was, is known to them.
        let cart = guards.cart.map(|cart| CartGuard { requested: true, ..cart });
        return Some(Guards { latest: None, dedup_key: None, cart, ..guards });
    }
    if let Some(files) = files {
        guards.other_dedup_keys = dedup_keys(site, mapping, event, &planned.recipient, files);
    }
    Some(guards)
}

/// Takes the claim of an owner back that surely was not followed by a call: the record that brings the task says so.
pub(crate) async fn release(task: Task<'_>, owner: &str) -> Result<(), Failure> {
    let Sender { app, .. } = task.sender;
    let id = task.record.id();
    let files = app.ledger.message(&id).await?.and_then(|facts| facts.files);
    let Some(guards) = guards_of(task, files.as_ref()) else { return Ok(()) };
    let released = app.claims.release(task.record, &guards, owner, task.now()).await?;
    tracing::info!(site = %task.record.site, message.id = %id, released, "the answer to a claim was lost; the provider was not called");
    Ok(())
}

/// Gives up the record of a message that was dealt with before, and does what follows from its answer. While another
/// execution is sending the message, the record is put back: a write of that execution may still be on its way, and leave
/// the message to be tried again when nothing else brings it back.
pub(crate) async fn given_up(task: Task<'_>, decided: &Reported) -> Result<(), Failure> {
    if decided.facts.state() == State::Sending {
        return Err(Failure::Again(format!("another execution is sending the message {}", task.record.id())));
    }
    of_decided(task, decided).await
}

/// Does what follows from the answer of a message that was decided before.
async fn of_decided(task: Task<'_>, decided: &Reported) -> Result<(), Failure> {
    let Sender { app, .. } = task.sender;
    let (Some(answer), Some(claim)) = (&decided.facts.answer, &decided.facts.claim) else { return Ok(()) };
    let id = task.record.id();
    match answer {
        Answer::Refused { at, failure } => {
            if let Some(guards) = guards_of(task, decided.facts.files.as_ref()) {
                app.claims.give_back(&guards, &id, &claim.owner).await?;
            }
            if decided.probe && says_the_account_can_send(&failure.code) {
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

/// What a refusal for good says of the number it was for.
pub(crate) async fn of_refusal(task: Task<'_>, contact: &str, (code, at): (&str, Timestamp)) -> Result<(), Failure> {
    let Sender { app, live, .. } = task.sender;
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
        // Refusals that hold a template or stop an account are not final.
        Some(Consequence::HoldTemplate | Consequence::StopAccount { .. }) | None => {}
    }
    Ok(())
}

/// Whether a refusal for good is the message's own matter: the account can send others.
fn says_the_account_can_send(code: &str) -> bool {
    matches!(error_code::action(code), None | Some(Action::Fail))
}

/// Ends the stop that a probe was to find out about, unless it is newer or only a report can.
async fn start(task: Task<'_>, probe: &Reported, claimed_at: Timestamp) -> Result<(), Failure> {
    let Some(account) = probe.account.as_deref().and_then(|account| AccountId::parse(account).ok()) else {
        return Ok(());
    };
    let lane = Lane { site: task.record.site.clone(), account };
    task.sender.app.schedule.start_account(&lane, Proof::Accepted(claimed_at)).await?;
    Ok(())
}
