//! Digests: the first message about a folder covers the files of the messages that join it while it waits.

use domain::decision::context::DecisionContext;
use domain::decision::digest::{Collection, collected_in, collected_until, fate, releases_members};
use domain::decision::guards::already_notified;
use domain::decision::{Halt, decide};
use domain::mapping::UsefulFor;
use domain::message::file_list::Files;
use domain::message::reason::{Reason, Skip};
use domain::message::state::{Facts, State, WaitReason, Waiting};
use domain::primitives::key::{MessageId, message_key};
use domain::queue::job::MessageJob;
use jiff::{SignedDuration, Timestamp};
use runtime::failure::Failure;
use store::ledger::{Joined, Parked, StoredCollection};
use store::schedule::Place;

use crate::context::with_recipient;
use crate::skip::record_skip;
use crate::task::Task;
use crate::{consequences, wait};

/// Delay after the digest message is due before a joined message checks its outcome.
const LOOKS_AFTER: SignedDuration = SignedDuration::from_mins(1);
/// Longest interval between two such checks.
const LOOKS_EVERY: SignedDuration = SignedDuration::from_mins(15);
/// Grace period after a joined message has expired. It then stops waiting for a digest message that nothing is known
/// to bring back.
const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_mins(15);
/// Attempts to join a collection that others join at the same time.
const JOIN_TRIES: u32 = 30;

/// The role of a message in a digest.
#[derive(Debug)]
pub(crate) enum DigestRole {
    /// Its mapping collects nothing.
    No,
    /// It joins the collection under this key, or begins it.
    Joins(String),
    /// It covers these files: it was claimed with them before, or is a resend.
    Fixed(Option<Files>),
    /// It is the digest message of a collection that others can still join.
    Digest(Collection, StoredCollection),
    /// It is a member of this digest message. Contains the digest message's facts, if known.
    MemberOf(MessageId, Option<Facts>),
}

impl DigestRole {
    /// Returns the files that the message covers, if there may be more than its own.
    pub(crate) fn files(&self) -> Option<&Files> {
        match self {
            Self::Fixed(files) => files.as_ref(),
            Self::Digest(collection, _) => Some(&collection.files),
            Self::No | Self::Joins(_) | Self::MemberOf(..) => None,
        }
    }

    /// Returns the collection that the message's claim closes.
    pub(crate) fn open(&self) -> Option<&StoredCollection> {
        match self {
            Self::Digest(_, stored) => Some(stored),
            Self::No | Self::Joins(_) | Self::Fixed(_) | Self::MemberOf(..) => None,
        }
    }

    /// Returns the time until which the message is held.
    pub(crate) fn until(&self, task: Task<'_>) -> Option<Timestamp> {
        match self {
            Self::Joins(_) => {
                let mapping = task.live.mapping(&task.job.mapping)?;
                collected_until(mapping, task.event, task.now())
            }
            Self::Digest(collection, _) => Some(collection.until),
            Self::No | Self::Fixed(_) | Self::MemberOf(..) => None,
        }
    }
}

/// Returns the role of a message in a digest.
pub(crate) async fn digest_role(task: Task<'_>) -> Result<DigestRole, Failure> {
    let Task { app, live, event, .. } = task;
    let MessageJob { site, mapping, recipient, .. } = task.job;
    let ledger = &app.ledger;
    let Some(key) = collected_in(site, mapping, event, recipient) else {
        return Ok(DigestRole::No);
    };
    let own = task.id();
    // A collection remains valid even if the mapping no longer holds messages.
    let holds = live.mapping(mapping).is_some_and(|mapping| mapping.hold_for.is_some());
    let alone = |key| if holds { DigestRole::Joins(key) } else { DigestRole::No };
    if task.job.resend_requested_at.is_some() {
        // A resend covers the same files as the original.
        let first = MessageId { message: message_key(mapping, recipient, 1), ..own };
        let files = ledger.message(&first).await?.and_then(|facts| facts.files);
        return Ok(DigestRole::Fixed(files));
    }
    match task.job.digest.as_ref() {
        None => Ok(alone(key)),
        Some(digest) if *digest == own => {
            if let Some(stored) = ledger.collection(&key).await?
                && let Some(collection) = stored.collection.clone().filter(|known| known.digest == own)
            {
                return Ok(DigestRole::Digest(collection, stored));
            }
            Ok(DigestRole::Fixed(ledger.message(&own).await?.and_then(|facts| facts.files)))
        }
        Some(digest) => match ledger.message(digest).await? {
            // The reason that stopped the digest message concerned only that message. This member is decided
            // separately.
            Some(facts) if releases_members(&facts) => Ok(alone(key)),
            facts => Ok(DigestRole::MemberOf(digest.clone(), facts)),
        },
    }
}

/// Makes a message join a collection or begin one, and parks it.
pub(crate) async fn join(
    task: Task<'_>,
    key: String,
    (waiting, useful_until): (Waiting, Timestamp),
    context: &DecisionContext,
) -> Result<(), Failure> {
    let Some(action) = task.event.file_action() else { return Ok(()) };
    if let Some(skip) = notified_before(task).await? {
        // A reason that forbids the message takes precedence over `already_notified`.
        let Task { live, event, .. } = task;
        let decided = decide(event, &task.job.planned(), live, &with_recipient(task, context).await?, task.now());
        return record_skip(task, if let Err(Halt::Skip(first)) = &decided { first } else { &skip }).await;
    }
    let (app, own) = (task.app, task.id());
    let mut gone: Option<MessageId> = None;
    for _ in 0..JOIN_TRIES {
        let known = app.ledger.collection(&key).await?;
        let before = known.as_ref().map(|known| known.version);
        let collection = match known.and_then(|known| known.collection) {
            Some(mut collection) if gone.as_ref() != Some(&collection.digest) => {
                // An earlier attempt with a lost answer may have begun this collection. Files that joined since remain
                // in it.
                collection.files.add(&action.file);
                collection
            }
            _ => Collection { digest: own.clone(), until: waiting.until, files: Files::of(&action.file) },
        };
        let until = collection.until.max(task.now());
        let waiting = match collection.digest == own {
            true => Waiting { until, ..waiting.clone() },
            false => waits_for_digest(&collection.digest, until),
        };
        let job = MessageJob { digest: Some(collection.digest.clone()), ..task.job.put_back() };
        let place = Place::Until(waiting.until);
        let useful_until = useful_until.max(waiting.until);
        let parked = Parked { message: &task.record(), waiting: &waiting, place: &place, job: &job, useful_until };
        match app.parking.join(parked, (&key, &collection), before, task.now()).await? {
            Joined::Changed => {}
            // Another message may have begun a new collection by the next attempt.
            Joined::DigestGone => gone = Some(collection.digest),
            joined @ (Joined::Waits | Joined::Decided) => {
                return wait::log_wait(task, &waiting, joined == Joined::Waits).await;
            }
        }
    }
    Err(Failure::again("too many files of one folder came at once"))
}

/// Returns why the message is not sent if another message holds its dedup key. A permanently refused message does not
/// count, because the claim deletes its dedup key.
async fn notified_before(task: Task<'_>) -> Result<Option<Skip>, Failure> {
    let Task { app, live, .. } = task;
    let Some(dedup_key) = consequences::guards_of(task, None).and_then(|guards| guards.dedup_key) else {
        return Ok(None);
    };
    let by = app.contacts.notified_by(&dedup_key, live.site.remember_for(), task.now()).await?;
    let Some(by) = by.filter(|by| *by != task.id().to_string()) else { return Ok(None) };
    let notified = match MessageId::parse(&by) {
        Some(id) => app.ledger.message(&id).await?,
        None => None,
    };
    Ok((!notified.as_ref().is_some_and(Facts::is_refused)).then(|| already_notified(&by, notified.as_ref())))
}

/// Ends a joined message according to the outcome of its digest message, or parks it until there is one.
pub(crate) async fn follow_digest(task: Task<'_>, digest: &MessageId, facts: Option<&Facts>) -> Result<(), Failure> {
    let Some(facts) = facts else {
        return record_skip(task, &Skip::new(Reason::Cancelled, digest.to_string())).await;
    };
    if let Some(skip) = fate(digest, facts) {
        return record_skip(task, &skip).await;
    }
    let now = task.now();
    let long_ago = |at: Timestamp| now > at.saturating_add(GIVEN_UP_AFTER).unwrap_or(now);
    let may_end = match facts.state() {
        State::Waiting(waiting) => !long_ago(waiting.until),
        State::Sending => true,
        _ => false,
    };
    // The digest message will never reach an end.
    if long_ago(useful_until(task)) && !may_end {
        return record_skip(task, &Skip::new(Reason::Expired, digest.to_string())).await;
    }
    let latest = now.saturating_add(LOOKS_EVERY).unwrap_or(now);
    let due = match facts.state() {
        State::Waiting(waiting) => waiting.until.clamp(now, latest),
        _ => now,
    };
    let waiting = waits_for_digest(digest, due);
    wait::park(task, &waiting, &Place::Until(waiting.until), waiting.until).await
}

/// Returns the expiry of a message by itself.
fn useful_until(task: Task<'_>) -> Timestamp {
    let Task { live, event, .. } = task;
    let longest = || event.occurred_at.saturating_add(UsefulFor::MAX.duration()).unwrap_or(Timestamp::MAX);
    live.mapping(&task.job.mapping).map_or_else(longest, |mapping| mapping.useful_until(event))
}

/// Returns the wait of a joined message whose digest message is due at `due`.
fn waits_for_digest(digest: &MessageId, due: Timestamp) -> Waiting {
    let until = due.saturating_add(LOOKS_AFTER).unwrap_or(due);
    Waiting { until, why: WaitReason::Hold, detail: digest.to_string() }
}
