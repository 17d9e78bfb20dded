//! Files that a mapping tells together: the first message of a folder carries those that join it while it waits.

use domain::decision::digest::{Collection, Files, action, collected_in, collected_until, fate, releases_members};
use domain::decision::guards::already_notified;
use domain::decision::{Halt, decide};
use domain::mapping::UsefulFor;
use domain::message::reason::{Reason, Skip};
use domain::message::state::{Facts, State, WaitReason, Waiting};
use domain::message::suppression::DecisionContext;
use domain::primitives::key::{MessageId, message_key};
use domain::queue::job::MessageJob;
use jiff::{SignedDuration, Timestamp};
use store::ledger::{Joined, Parked, StoredCollection};
use store::schedule::Place;

use crate::message::{Sender, Task, record_skip, with_recipient};
use crate::record::Failure;
use crate::{consequences, wait};

/// So long after its carrier is due a message that joined looks what became of it.
const LOOKS_AFTER: SignedDuration = SignedDuration::from_mins(1);
/// It looks at least so often.
const LOOKS_EVERY: SignedDuration = SignedDuration::from_mins(15);
/// So long after it ceased to be of use it no longer waits for a carrier that nothing is known to bring back.
const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_mins(15);
/// Tries to join a collection that others join at the same moment.
const JOIN_TRIES: u32 = 30;

/// Where a message stands among those that are told together.
#[derive(Debug)]
pub(crate) enum DigestRole {
    /// Its mapping collects nothing.
    No,
    /// It is to join what is collected under a key, or to begin it.
    Joins(String),
    /// It tells these files, which it was claimed with before or tells again.
    Fixed(Option<Files>),
    /// It tells what is collected, which can still be joined.
    Digest(Collection, StoredCollection),
    /// Another message tells its file, as far as that is known.
    MemberOf(MessageId, Option<Facts>),
}

impl DigestRole {
    /// The files it tells, if there may be more than its own.
    pub(crate) fn files(&self) -> Option<&Files> {
        match self {
            Self::Fixed(files) => files.as_ref(),
            Self::Digest(collection, _) => Some(&collection.files),
            Self::No | Self::Joins(_) | Self::MemberOf(..) => None,
        }
    }

    /// The collection its claim ends.
    pub(crate) fn open(&self) -> Option<&StoredCollection> {
        match self {
            Self::Digest(_, stored) => Some(stored),
            Self::No | Self::Joins(_) | Self::Fixed(_) | Self::MemberOf(..) => None,
        }
    }

    /// Until when it is held.
    pub(crate) fn until(&self, task: Task<'_>) -> Option<Timestamp> {
        match self {
            Self::Joins(_) => {
                let mapping = task.sender.live.mapping(&task.record.planned.mapping)?;
                collected_until(mapping, task.sender.event, task.now())
            }
            Self::Digest(collection, _) => Some(collection.until),
            Self::No | Self::Fixed(_) | Self::MemberOf(..) => None,
        }
    }
}

/// Where a message stands among those that are told together.
pub(crate) async fn digest_role(task: Task<'_>) -> Result<DigestRole, Failure> {
    let (sender, planned, ledger) = (task.sender, task.record.planned, &task.sender.app.ledger);
    let Some(key) = collected_in(task.record.site, &planned.mapping, sender.event, &planned.recipient) else {
        return Ok(DigestRole::No);
    };
    let own = task.record.id();
    // What was collected stays so, also if the mapping holds nothing any more.
    let holds = sender.live.mapping(&planned.mapping).is_some_and(|mapping| mapping.hold_for.is_some());
    let alone = |key| if holds { DigestRole::Joins(key) } else { DigestRole::No };
    if task.resend_requested_at.is_some() {
        // Sent again, it tells what it told.
        let first = MessageId { message: message_key(&planned.mapping, &planned.recipient, 1), ..own };
        let files = ledger.message(&first).await?.and_then(|facts| facts.files);
        return Ok(DigestRole::Fixed(files));
    }
    match task.digest {
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
            // Whatever kept the carrier from going was about the carrier: this one is decided by itself.
            Some(facts) if releases_members(&facts) => Ok(alone(key)),
            facts => Ok(DigestRole::MemberOf(digest.clone(), facts)),
        },
    }
}

/// Has a message join what is collected, or begin it, and wait.
pub(crate) async fn join(
    task: Task<'_>,
    key: String,
    (waiting, useful_until): (Waiting, Timestamp),
    context: &DecisionContext,
) -> Result<(), Failure> {
    let Some(action) = action(task.sender.event) else { return Ok(()) };
    if let Some(skip) = notified_before(task).await? {
        // What forbids the message comes before what was told already.
        let Sender { live, event, .. } = task.sender;
        let decided = decide(event, task.record.planned, live, &with_recipient(task, context).await?, task.now());
        return record_skip(task, if let Err(Halt::Skip(first)) = &decided { first } else { &skip }).await;
    }
    let (app, own) = (task.sender.app, task.record.id());
    let mut gone: Option<MessageId> = None;
    for _ in 0..JOIN_TRIES {
        let known = app.ledger.collection(&key).await?;
        let before = known.as_ref().map(|known| known.version);
        let collection = match known.and_then(|known| known.collection) {
            Some(mut collection) if gone.as_ref() != Some(&collection.digest) => {
                // It may have begun it itself, and not have heard so: who joined since stays in it.
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
        let job = MessageJob { digest: Some(collection.digest.clone()), ..task.successor() };
        let place = Place::Until(waiting.until);
        let useful_until = useful_until.max(waiting.until);
        let parked = Parked { message: task.record, waiting: &waiting, place: &place, job: &job, useful_until };
        match app.parking.join(parked, (&key, &collection), before, task.now()).await? {
            Joined::Changed => {}
            // Another may have begun anew by the next try.
            Joined::DigestGone => gone = Some(collection.digest),
            joined @ (Joined::Waits | Joined::Decided) => {
                return wait::log_wait(task, &waiting, joined == Joined::Waits).await;
            }
        }
    }
    Err(Failure::Again("too many files of one folder came at once".to_owned()))
}

/// Why the message is not sent if another one told the same before, where the mapping tells it once. One that was refused
/// for good told nobody: the claim takes the occasion away from it.
async fn notified_before(task: Task<'_>) -> Result<Option<Skip>, Failure> {
    let Sender { app, live, .. } = task.sender;
    let Some(dedup_key) = consequences::guards_of(task, None).and_then(|guards| guards.dedup_key) else {
        return Ok(None);
    };
    let by = app.contacts.notified_by(&dedup_key, live.site.remember_for(), task.now()).await?;
    let Some(by) = by.filter(|by| *by != task.record.id().to_string()) else { return Ok(None) };
    let notified = match MessageId::parse(&by) {
        Some(id) => app.ledger.message(&id).await?,
        None => None,
    };
    Ok((!notified.as_ref().is_some_and(Facts::is_refused)).then(|| already_notified(&by, notified.as_ref())))
}

/// Has a message that another one carries end as that one did, or wait for it.
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
    // Something keeps the carrier from ever ending.
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

/// Until when a message is of use by itself.
fn useful_until(task: Task<'_>) -> Timestamp {
    let Sender { live, event, .. } = task.sender;
    let longest = || event.occurred_at.saturating_add(UsefulFor::MAX.duration()).unwrap_or(Timestamp::MAX);
    live.mapping(&task.record.planned.mapping).map_or_else(longest, |mapping| mapping.useful_until(event))
}

/// What a message waits for that another one carries, which is due at a moment.
fn waits_for_digest(digest: &MessageId, due: Timestamp) -> Waiting {
    let until = due.saturating_add(LOOKS_AFTER).unwrap_or(due);
    Waiting { until, why: WaitReason::Hold, detail: digest.to_string() }
}
