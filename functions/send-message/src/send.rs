//! Sends one message: takes a slot, claims, calls the provider, settles, and acts on the answer.

use domain::decision::Outgoing;
use domain::decision::cart::{self, CartHistory};
use domain::decision::guards::{Guards, already_notified};
use domain::event::EventData;
use domain::message::backoff;
use domain::message::error_code::{self, Action};
use domain::message::reason::{Reason, Skip};
use domain::message::state::{Answer, Facts, Failure as Refusal, State, WaitReason};
use domain::message::suppression::{ContactData, Scope};
use domain::primitives::cause::chain;
use domain::primitives::key::MessageId;
use domain::queue::job::{LastError, MessageJob, SendPermit};
use domain::site::config::TemplateHold;
use domain::site::health::{Cause, Proof};
use jiff::{SignedDuration, Timestamp};
use provider::SendError;
use runtime::failure::Failure;
use runtime::metrics::Metric;
use store::StoreError;
use store::ledger::{Claim, Claimed, Sending};
use store::schedule::Lane;

use crate::files::DigestRole;
use crate::pacer::Turn;
use crate::skip::record_skip;
use crate::task::Task;
use crate::{consequences, jitter, wait};

/// A number without free slots gets a new one every 6 s. Messages that wait for it come back spread over at least 6 s.
const PAIR_SPREAD: SignedDuration = SignedDuration::from_secs(6);
/// Delay before the first probe of an account that was stopped after consecutive failures.
const FIRST_PROBE_AFTER: SignedDuration = SignedDuration::from_secs(50);

/// Time that a call needs after its claim: the provider's call (10 s) and the settling write (8 s). The reads and the
/// retries of the claim may have used up the rest of the time for a send.
const CALL_MARGIN: SignedDuration = SignedDuration::from_secs(20);

/// One call to the provider.
struct Call<'a> {
    task: Task<'a>,
    outgoing: &'a Outgoing<'a>,
    lane: &'a Lane,
    contact: &'a str,
    guards: &'a Guards,
    id: MessageId,
    claimed_at: Timestamp,
    /// Whether the account failed recently. A success then resets its consecutive failures.
    failed_lately: bool,
}

/// Takes a slot, claims the message, calls the provider and settles the claim.
pub(crate) async fn send(task: Task<'_>, outgoing: &Outgoing<'_>, digest_role: &DigestRole) -> Result<(), Failure> {
    let Task { app, live, invocation, .. } = task;
    let (site, account) = (&live.site.id, &outgoing.account.id);
    let lane = Lane { site: site.clone(), account: account.clone() };
    let failed_lately = match turn(task, outgoing, &lane).await? {
        Turn::At { slot, failed_lately } => {
            app.clock.wait_until(slot).await;
            failed_lately
        }
        Turn::Later => {
            return wait::in_lane(task, lane, (WaitReason::Pace, String::new()), outgoing.useful_until).await;
        }
        Turn::Stopped(stop) => {
            return wait::in_lane(task, lane, (WaitReason::AccountStopped, stop.code), outgoing.useful_until).await;
        }
    };
    // Everything that can fail without the provider happens before the claim.
    let token = app.secrets.account_token(site, account, app.clock.now()).await?;
    let contacts = app.secrets.contact_secret(app.clock.now()).await?;
    let guards = consequences::guards_of(task, digest_role.files());
    let guards = guards.ok_or_else(|| Failure::again("the mapping is gone"))?;
    let (contact, owner) = (contacts.contact_key(site, &outgoing.phone), app.owner(invocation.id));
    let sending = Sending {
        account: account.as_str(),
        template: (outgoing.template, outgoing.language.as_str()),
        phone: outgoing.phone.as_e164(),
        contact: &contact,
        text: &outgoing.body.text,
    };
    if outgoing.account.came_later {
        // A STOP to the number may be older than the site's use of it. It is copied here, so that the claim finds and
        // respects it.
        let at_sender = contacts.sender_contact_key(&outgoing.account.phone_number_id, &outgoing.phone);
        app.contacts.take_over(&at_sender, site, &contact).await?;
    }
    // Reading the secrets and waiting for the slot may have used up the time.
    if !invocation.deadline.has_time() {
        return Err(Failure::again("no time left for a send"));
    }
    let person = contacts.person_key(site, &task.job.recipient);
    let (marketing, probe) = (outgoing.marketing, task.job.permit == Some(SendPermit::Probe));
    let claim = Claim {
        message: &task.record(),
        owner: &owner,
        sending,
        person: &person,
        marketing,
        probe,
        guards: &guards,
        remember_for: live.site.remember_for(),
        files: digest_role.files(),
        collection: digest_role.open(),
    };
    let claimed_at = app.clock.now();
    match Box::pin(attempt(task, claim)).await? {
        Attempt::Ours => invocation.volume.add(site, &task.job.mapping),
        Attempt::Refused(refused) => return not_ours(task, outgoing, refused).await,
        Attempt::Notified(skip) => return record_skip(task, &skip).await,
        // The provider was not called. The record that is put back carries this owner as proof.
        Attempt::Uncalled => return wait::uncalled(task, &owner).await,
    }
    let id = task.id();
    let called_at = app.clock.now();
    let result = app.provider.send(outgoing, &token, &id.to_string()).await;
    let took = app.clock.now().duration_since(called_at).as_millis();
    app.metrics.measure(Metric::ProviderLatency, i64::try_from(took).unwrap_or(i64::MAX));
    let call = Call { task, outgoing, lane: &lane, contact: &contact, guards: &guards, id, claimed_at, failed_lately };
    call.settle(&owner, result).await
}

/// Outcome of an attempt to claim a message.
enum Attempt {
    /// The claim succeeded: the provider may be called.
    Ours,
    /// The claim was refused.
    Refused(Claimed),
    /// Another message holds the dedup key. Contains the skip of this one.
    Notified(Skip),
    /// The answer was lost and no time is left to retry, the recipient may have opted out since the claim, or no time is
    /// left for the call.
    Uncalled,
}

/// Claims the message. A dedup key held by a permanently refused message is deleted first: it should have been given
/// back.
async fn attempt(task: Task<'_>, claim: Claim<'_>) -> Result<Attempt, Failure> {
    let (app, now) = (task.app, task.now());
    let attempt = attempt_once(task, claim, now).await?;
    let Attempt::Refused(Claimed::AlreadyNotified(by)) = &attempt else { return Ok(attempt) };
    let notified = match MessageId::parse(by) {
        Some(id) => app.ledger.message(&id).await?,
        None => None,
    };
    let Some(dedup_key) = claim.guards.dedup_key.as_ref().filter(|_| notified.as_ref().is_some_and(Facts::is_refused))
    else {
        return Ok(Attempt::Notified(already_notified(by, notified.as_ref())));
    };
    app.claims.take_away(dedup_key, by).await?;
    attempt_once(task, claim, now).await
}

async fn attempt_once(task: Task<'_>, claim: Claim<'_>, now: Timestamp) -> Result<Attempt, Failure> {
    let Task { app, invocation, .. } = task;
    match app.claims.claim(claim, now, &|| invocation.deadline.has_time()).await {
        Ok(Claimed::Ours) => Ok(still_permitted(task, claim).await),
        Ok(refused) => Ok(Attempt::Refused(refused)),
        Err(error @ StoreError::Unavailable(_)) => {
            let (site, id) = (&task.job.site, task.id());
            tracing::warn!(%site, message.id = %id, error = chain(&error), "a claim was not answered in time");
            Ok(Attempt::Uncalled)
        }
        Err(error) => Err(error.into()),
    }
}

/// Reads the recipient once more, because a claim does not check the recipient. If the recipient opted out since, the
/// record that is put back takes the claim back and records the reason. So does one whose reads took the time of the call.
async fn still_permitted(task: Task<'_>, claim: Claim<'_>) -> Attempt {
    let (site, id) = (&task.job.site, task.id());
    match task.app.claims.refused_by_person(&claim).await {
        Ok(None) if task.invocation.deadline.has_time_for(CALL_MARGIN) => Attempt::Ours,
        Ok(None) => {
            tracing::warn!(%site, message.id = %id, "no time left for the call after the claim");
            Attempt::Uncalled
        }
        Ok(Some(_)) => {
            tracing::info!(%site, message.id = %id, "the recipient opted out during the claim");
            Attempt::Uncalled
        }
        Err(error) => {
            tracing::warn!(%site, message.id = %id, error = chain(&error), "the recipient could not be read after the claim");
            Attempt::Uncalled
        }
    }
}

/// Returns the message's slot. A message released by the schedule already has one, unless the account was stopped or
/// paused since.
async fn turn(task: Task<'_>, outgoing: &Outgoing<'_>, lane: &Lane) -> Result<Turn, StoreError> {
    let (app, pacer) = (task.app, task.invocation.pacer);
    match task.job.permit {
        Some(SendPermit::Probe) => Ok(Turn::At { slot: app.clock.now(), failed_lately: true }),
        Some(SendPermit::Slot(slot)) => {
            let state = app.schedule.account_state(lane).await?;
            match state.health.stop {
                Some(stop) => Ok(Turn::Stopped(stop)),
                // The account was paused after the release, and its other slots are taken. The message waits for new
                // ones.
                None if state.paused_until.is_some_and(|until| until > slot.max(app.clock.now())) => Ok(Turn::Later),
                None => Ok(pacer.kept(lane, outgoing.account, slot, state.consecutive_failures > 0).await),
            }
        }
        None => pacer.turn(lane, outgoing.account).await,
    }
}

/// Acts on a refused claim: the message waits, is skipped, or was already decided.
async fn not_ours(task: Task<'_>, outgoing: &Outgoing<'_>, refused: Claimed) -> Result<(), Failure> {
    let skip = match refused {
        Claimed::Ours => return Ok(()),
        Claimed::Theirs(decided) => {
            let (site, id) = (&task.job.site, task.id());
            tracing::info!(%site, message.id = %id, state = %decided.facts.state(), "the message was already processed");
            return Box::pin(consequences::given_up(task, &decided)).await;
        }
        Claimed::PairBusy(free_at) => {
            let spread = backoff::pause(PAIR_SPREAD, task.job.attempt.saturating_add(1), jitter());
            let pause = free_at.duration_since(task.now()).max(SignedDuration::ZERO) + spread;
            return wait::for_some_time(task, pause, (WaitReason::Pair, String::new()), outgoing.useful_until).await;
        }
        Claimed::FileJoined => {
            return wait::for_some_time(
                task,
                SignedDuration::ZERO,
                (WaitReason::Hold, String::new()),
                outgoing.useful_until,
            )
            .await;
        }
        Claimed::OptedOut(at) => Skip::new(Reason::OptedOut, at.to_string()),
        Claimed::Forbidden(known) => forbidden(&known, outgoing.marketing),
        Claimed::Superseded(at) => Skip::new(Reason::Superseded, at.to_string()),
        Claimed::ConsentWithdrawn => Skip::new(Reason::ConsentMissing, outgoing.template),
        Claimed::CartChanged(history) => cart_changed(task, &history),
        Claimed::ActivityChanged(by) => Skip::new(Reason::Cancelled, by),
        Claimed::AlreadyNotified(by) => already_notified(&by, None),
    };
    record_skip(task, &skip).await
}

/// Returns why a cart notice is not sent, from the same checks as the decision.
fn cart_changed(task: Task<'_>, history: &CartHistory) -> Skip {
    let EventData::CartAbandoned { cart, .. } = &task.event.data else { return Reason::Cancelled.into() };
    let id = task.id().to_string();
    let judged = match task.job.resend_requested_at {
        Some(_) => cart::still_left(cart, history),
        None => cart::judge(cart, history, (&id, task.now())),
    };
    judged.err().unwrap_or_else(|| Reason::NotLatestCart.into())
}

fn forbidden(known: &ContactData, marketing: bool) -> Skip {
    let of_marketing = || known.suppression(Scope::Marketing).filter(|_| marketing);
    match (known.suppression(Scope::All).or_else(of_marketing), known.unreachable_until) {
        (Some(suppression), _) => Skip::new(Reason::Suppressed, suppression.to_string()),
        (None, Some(until)) => Skip::new(Reason::Unreachable, until.to_string()),
        (None, None) => Skip::from(Reason::Suppressed),
    }
}

impl Call<'_> {
    /// Records the answer and acts on it.
    async fn settle(self, owner: &str, result: Result<provider::Accepted, SendError>) -> Result<(), Failure> {
        let at = self.task.now();
        match result {
            Ok(accepted) => {
                let (provider_id, note) = (accepted.provider_id, accepted.note);
                let recorded = self.record(owner, &Answer::Accepted { at, provider_id, note }).await;
                self.can_send().await?;
                recorded
            }
            Err(SendError::Refused(failure)) => {
                let code = failure.code.clone();
                let recorded = self.record(owner, &Answer::Refused { at, failure }).await;
                self.task.app.claims.give_back(self.guards, &self.id, owner).await?;
                // A refusal that concerns only this message proves that the account can send.
                self.can_send().await?;
                consequences::of_refusal(self.task, self.contact, (&code, at)).await?;
                recorded
            }
            Err(SendError::NotAccepted { failure, action, retry_after }) => {
                self.not_accepted(owner, failure, action, retry_after).await
            }
            Err(SendError::Unknown { cause, details }) => {
                let recorded = self.record(owner, &Answer::Unknown { at, cause, details }).await;
                self.count_account_failure("none").await?;
                recorded
            }
        }
    }

    /// Records that the account can send: resets its consecutive failures. A probe also ends the account's stop,
    /// unless that stop ends only by a status report.
    async fn can_send(&self) -> Result<(), Failure> {
        let schedule = &self.task.app.schedule;
        if self.task.job.permit == Some(SendPermit::Probe) {
            self.task.probe.answered();
            schedule.start_account(self.lane, Proof::Accepted(self.claimed_at)).await?;
        } else if self.failed_lately {
            schedule.clear_failures(self.lane).await?;
        }
        Ok(())
    }

    /// Handles a message that was certainly not accepted: it fails, or waits as its code requires.
    async fn not_accepted(
        self,
        owner: &str,
        failure: Refusal,
        action: Action,
        retry_after: Option<SignedDuration>,
    ) -> Result<(), Failure> {
        let Task { app, live, event, .. } = self.task;
        let (at, code) = (self.task.now(), failure.code.clone());
        let last_error = self.last_error(&code, action).await;
        let tries = last_error.times;
        let action = if last_error.is_refused_alone() { Action::Fail } else { action };
        let Some(pause) = action.pause(tries, jitter(), retry_after) else {
            let recorded = self.record(owner, &Answer::Refused { at, failure }).await;
            app.claims.give_back(self.guards, &self.id, owner).await?;
            return recorded;
        };
        // Without this record the message waits nevertheless: its successor lists it for the sweep.
        let _recorded = self.record(owner, &Answer::NotAccepted { at, failure }).await;
        app.claims.give_back(self.guards, &self.id, owner).await?;
        let job = MessageJob { last_error: Some(last_error), ..self.task.job.clone() };
        let task = Task { job: &job, ..self.task };
        let (useful_until, lane) = (self.outgoing.useful_until, self.lane.clone());
        match action {
            Action::Fail | Action::Unknown => Ok(()),
            Action::Retry { at_most, .. } => {
                let stopped = at_most.is_none() && self.count_account_failure(&code).await?;
                if stopped || task.job.permit == Some(SendPermit::Probe) {
                    return wait::in_lane(task, lane, (WaitReason::AccountStopped, code), useful_until).await;
                }
                wait::for_some_time(task, pause, (WaitReason::Retry, code), useful_until).await
            }
            Action::SlowPair => {
                app.contacts.pause_pair(self.contact, at.saturating_add(pause).unwrap_or(at)).await?;
                let spread = backoff::pause(PAIR_SPREAD, tries, jitter());
                wait::for_some_time(task, pause + spread, (WaitReason::Pair, code), useful_until).await
            }
            Action::SlowAccount { .. } => {
                app.schedule.pause_account(&lane, at.saturating_add(pause).unwrap_or(at)).await?;
                self.task.invocation.pacer.forget(&lane).await;
                wait::in_lane(task, lane, (WaitReason::Pace, code), useful_until).await
            }
            Action::HoldTemplate => {
                let hold = TemplateHold {
                    account: self.outgoing.account.id.clone(),
                    name: self.outgoing.template.to_owned(),
                    language: self.outgoing.language.clone(),
                    until: at.saturating_add(pause).unwrap_or(at),
                    code: code.clone(),
                };
                app.config.hold_template(&live.site.id, &hold).await?;
                app.forget(&live.site.id);
                tracing::error!(site = %live.site.id, event.kind = %event.kind(), template = hold.name, code, "Meta refused a template; its messages wait");
                wait::for_some_time(task, pause, (WaitReason::TemplateHeld, code), useful_until).await
            }
            Action::StopAccount { .. } => {
                self.stop(&code, pause).await?;
                wait::in_lane(task, lane, (WaitReason::AccountStopped, code), useful_until).await
            }
        }
    }

    /// Returns the failures that the message has met, including this one.
    async fn last_error(&self, code: &str, action: Action) -> LastError {
        let last_error = LastError::again(self.task.job.last_error.as_ref(), code);
        if !matches!(action, Action::StopAccount { .. }) || error_code::class(code).is_some() {
            return last_error;
        }
        // The answer is not recorded yet, so nothing may fail here. An unreadable state counts as no proof.
        let state = self.task.app.schedule.account_state(self.lane).await;
        last_error.unexplained(self.task.now(), state.ok().and_then(|state| state.health.proved_at))
    }

    /// Counts a consecutive failure of the account. Returns whether the account is stopped. A failed probe always
    /// stops it.
    async fn count_account_failure(&self, code: &str) -> Result<bool, Failure> {
        let probed = self.task.job.permit == Some(SendPermit::Probe);
        let schedule = &self.task.app.schedule;
        if !probed && !schedule.count_failure(self.lane).await? {
            return Ok(false);
        }
        self.stop(code, FIRST_PROBE_AFTER).await?;
        Ok(true)
    }

    async fn stop(&self, code: &str, probe_after: SignedDuration) -> Result<(), Failure> {
        let app = self.task.app;
        let now = self.task.now();
        self.task.probe.answered();
        app.schedule.stop_account(self.lane, Cause { code, by_report: false, at: now, probe_after }, now).await?;
        app.metrics.count(Metric::AccountsStopped, 1);
        self.task.invocation.pacer.forget(self.lane).await;
        let Lane { site, account } = self.lane;
        tracing::error!(%site, %account, code, "an account cannot send and is stopped; its messages wait");
        Ok(())
    }

    /// Records an answer and retries while the invocation has time.
    ///
    /// # Errors
    /// [`Failure::Again`] if the answer could not be recorded. The queue record then comes again and lists the message
    /// for the sweep, which sets it to `unknown`.
    async fn record(&self, owner: &str, answer: &Answer) -> Result<(), Failure> {
        let Task { app, live, invocation, .. } = self.task;
        self.log(answer);
        let (site, id) = (&live.site.id, &self.id);
        loop {
            let Err(error) = app.ledger.settle(site, id, owner, answer).await else {
                self.count(answer);
                return Ok(());
            };
            let may_pass = matches!(error, StoreError::Unavailable(_));
            if !may_pass || !invocation.deadline.has_time() {
                // The claim remains, so the message is not sent again.
                tracing::error!(%site, message.id = %id, error = chain(&error), "the answer to a send could not be recorded");
                return Err(Failure::again(error));
            }
            tracing::warn!(%site, message.id = %id, error = chain(&error), "the answer to a send could not be recorded; trying again");
        }
    }

    fn count(&self, answer: &Answer) {
        let metrics = &self.task.app.metrics;
        match answer {
            Answer::Accepted { .. } => metrics.count(Metric::MessagesSent, 1),
            Answer::Refused { failure, .. } => {
                metrics.count_by(Metric::MessagesFailed, error_code::class_name(&failure.code))
            }
            Answer::Unknown { .. } => metrics.count(Metric::MessagesUnknown, 1),
            // The message waits.
            Answer::NotAccepted { .. } => {}
        }
    }

    fn log(&self, answer: &Answer) {
        let (site, id) = (&self.task.live.site.id, &self.id);
        let (phone, template) = (self.outgoing.phone.masked(), self.outgoing.template);
        match answer {
            // The provider's id is not logged: it is base64 and contains the whole number.
            Answer::Accepted { .. } => {
                tracing::info!(%site, message.id = %id, phone, template, state = %State::Sent, "sent a message");
            }
            Answer::Refused { failure, .. } | Answer::NotAccepted { failure, .. } => {
                tracing::warn!(%site, message.id = %id, provider.code = failure.code, provider.trace = failure.trace_id, phone, template, "the provider did not accept a message");
            }
            Answer::Unknown { cause, .. } => {
                tracing::error!(%site, message.id = %id, cause, phone, template, "it is unknown whether a message was sent");
            }
        }
    }
}
