//! Due reminders: checks each one again and raises it as an event of its own.
//!
//! The event's id consists of the item, the due moment and the event that last saved the activity, so firing twice
//! raises one event. The text is rendered when the event is processed. A reminder that is no longer valid is recorded
//! as an event without messages.
//!
//! The data for a page of reminders is read together: the activities, the events that saved them, and the last known
//! contact data. Otherwise ten thousand reminders in a minute would cost thirty thousand reads.

use std::collections::{BTreeMap, BTreeSet};

use domain::decision::reminder::{raised, saved_fingerprint, taken_back};
use domain::event::Event;
use domain::event::person::{PersonRecord, bring_up_to_date, people_of};
use domain::message::reason::{Reason, Skip};
use domain::primitives::id::{EventId, ObjectId, SiteId};
use domain::primitives::key::{ContactSecret, activity_key, event_key};
use domain::queue::job::Job;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use runtime::metrics::Metric;
use serde_json::Value;
use store::contacts::LatestActivity;
use store::ledger::{EventRecord, Recorded, RecordedEvent, is_erased};
use store::schedule::{DueItem, ReminderItem};
use store::{BatchGet, StoreError};

use crate::{App, SweepError};

/// Invalid reminders recorded concurrently.
const RECORDED_AT_ONCE: usize = 25;

/// The outcome of one reminder: the event it raises, or `None` if nothing remains to be done.
type Outcome<T> = Result<Option<T>, SweepError>;
/// The retention in days of each site. Each result is separate, so that an unreadable site does not block the others.
type KeptFor = BTreeMap<SiteId, Result<Option<u16>, StoreError>>;

/// The fate of a due reminder.
enum Fate<'a> {
    /// The reminder raises an event, built from the latest event that saved its activity.
    Raised { reminder: &'a ReminderItem, saved_at: Timestamp, document: Value },
    /// The reminder is no longer valid. Contains the event it would have raised and the event that ended or changed
    /// it.
    Gone { reminder: &'a ReminderItem, document: Value, by: EventId },
}

impl Fate<'_> {
    /// Returns the site of a reminder that is no longer valid.
    fn site_of_gone(&self) -> Option<&SiteId> {
        match self {
            Self::Gone { reminder, .. } => Some(&reminder.site),
            Self::Raised { .. } => None,
        }
    }
}

/// Returns the outcomes of these reminders, in the same order.
///
/// # Errors
/// [`SweepError`] if none of the reminders could be checked.
pub(crate) async fn raise(app: &App, due: &[(&DueItem, &ReminderItem)]) -> Result<Vec<Outcome<Job>>, SweepError> {
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let activities: Vec<String> = due.iter().map(|(_, due)| activity_key(&due.site, &due.activity)).collect();
    let latest = app.contacts.activities(&activities).await?;
    let events = due.iter().zip(&activities).flat_map(|((_, due), key)| {
        let newest = latest.get(key).and_then(|latest| latest.as_ref().ok()).filter(|latest| !latest.over);
        std::iter::once(&due.event).chain(newest.map(|latest| &latest.event)).map(|event| event_key(&due.site, event))
    });
    let recorded = app.ledger.recorded_all(&events.collect::<Vec<_>>()).await?;
    let mut fates: Vec<Outcome<Fate<'_>>> =
        due.iter().zip(&activities).map(|((item, due), key)| fate(&latest, &recorded, key, item, due)).collect();
    let secret = app.secrets.contact_secret(app.clock.now()).await?;
    let people = fates.iter_mut().flatten().flatten().flat_map(|fate| match fate {
        Fate::Raised { reminder, document, .. } => keys_of(&secret, &reminder.site, document),
        Fate::Gone { .. } => Vec::new(),
    });
    let people = app.contacts.people(&people.collect::<Vec<_>>()).await?;
    let kept_for = retention(app, &fates).await;
    let finished = fates.into_iter().map(|fate| finish(app, fate, (&people, &kept_for), &secret));
    Ok(stream::iter(finished).buffered(RECORDED_AT_ONCE).collect().await)
}

/// Checks whether the activity still has the reminder at its due moment, and returns what follows.
fn fate<'a>(
    latest: &BatchGet<LatestActivity>,
    recorded: &BatchGet<RecordedEvent>,
    activity: &str,
    item: &DueItem,
    reminder: &'a ReminderItem,
) -> Outcome<Fate<'a>> {
    let ReminderItem { site, event, reminder: id, due_at, .. } = reminder;
    let latest = latest.get(activity).map(Result::as_ref).transpose().map_err(StoreError::clone)?;
    let saved = match readable(recorded, site, event) {
        // An activity that is over reminds nobody, whatever its event contains.
        Err(SweepError::Unreadable { .. }) if latest.is_some_and(|latest| latest.over) => {
            tracing::warn!(%site, event.id = %event, "a reminder of an activity that is over cannot be recorded");
            return Ok(None);
        }
        saved => saved?,
    };
    let Some(saved) = saved else { return Ok(None) };
    let still_valid =
        |latest: &&LatestActivity| saved_fingerprint(&saved, id).is_some_and(|fingerprint| latest.has(&fingerprint));
    let Some(latest) = latest.filter(still_valid) else {
        // The activity's item expires in time. Only the event that saved the activity remains then.
        let by = latest.map_or(event, |latest| &latest.event).clone();
        tracing::info!(%site, event.id = %event, by.id = %by, "a reminder is no longer valid");
        return Ok(raised(&saved, &item.key, id, *due_at).map(|document| Fate::Gone { reminder, document, by }));
    };
    let Some(newest) = readable(recorded, site, &latest.event)? else { return Ok(None) };
    let document = raised(&newest, &item.key, id, *due_at);
    Ok(document.map(|document| Fate::Raised { reminder, saved_at: newest.occurred_at, document }))
}

/// Returns an event that saved an activity. `None` if it no longer exists or was erased: then there is nobody to
/// notify. Any other unreadable event is a defect of the bridge, and its reminder remains in the schedule.
fn readable(recorded: &BatchGet<RecordedEvent>, site: &SiteId, event: &EventId) -> Outcome<Event> {
    let recorded = recorded.get(&event_key(site, event)).map(Result::as_ref).transpose().map_err(StoreError::clone)?;
    let Some(recorded) = recorded else {
        tracing::warn!(%site, event.id = %event, "the event of a reminder is no longer in the ledger");
        return Ok(None);
    };
    if is_erased(&recorded.document) {
        tracing::info!(%site, event.id = %event, "the event of a reminder was erased");
        return Ok(None);
    }
    let saved = Event::parse_any(recorded.document.clone(), recorded.received_at);
    let unreadable = |error| SweepError::Unreadable { site: site.clone(), event: event.clone(), error };
    saved.map(Some).map_err(unreadable)
}

/// Completes a reminder: applies the last known contact data to its event, or records the event without messages.
async fn finish(
    app: &App,
    fate: Outcome<Fate<'_>>,
    (people, kept_for): (&BatchGet<PersonRecord>, &KeptFor),
    secret: &ContactSecret,
) -> Outcome<Job> {
    match fate? {
        None => Ok(None),
        Some(Fate::Raised { reminder, saved_at, mut document }) => {
            let ReminderItem { site, event, .. } = reminder;
            let latest = latest(site, &mut document, people, secret)?;
            bring_up_to_date(&mut document, saved_at, &latest);
            tracing::info!(%site, event.id = %event, "a reminder is due");
            let received_at = app.clock.now();
            Ok(Some(Job::event(site.clone(), received_at, document)))
        }
        Some(Fate::Gone { reminder, document, by }) => {
            let site = &reminder.site;
            let days = kept_for.get(site).cloned().transpose()?;
            record_gone(app, (site, days.flatten()), document, &by).await?;
            Ok(None)
        }
    }
}

/// Records the event of a reminder that is no longer valid, without messages and with the reason.
async fn record_gone(
    app: &App,
    (site, kept_for): (&SiteId, Option<u16>),
    document: Value,
    by: &EventId,
) -> Result<(), SweepError> {
    let now = app.clock.now();
    let (Ok(event), Some(retention_days)) = (Event::parse_any(document, now), kept_for) else {
        tracing::warn!(%site, by.id = %by, "a reminder that is no longer valid could not be recorded");
        return Ok(());
    };
    let plan = taken_back(&event, &Skip::new(Reason::Cancelled, by.as_str()));
    let record = EventRecord { trace: None, site, event: &event, received_at: now, plan: &plan, retention_days };
    if app.ledger.record_event(record, now).await? == Recorded::New {
        for planned in &plan.skips {
            app.metrics.count_by(Metric::MessagesSkipped, planned.skip.reason.to_string());
        }
    }
    Ok(())
}

/// Returns the retention in days of each site with a record to write. `None` for a site that no longer exists.
async fn retention(app: &App, fates: &[Outcome<Fate<'_>>]) -> KeptFor {
    let sites: BTreeSet<&SiteId> = fates.iter().flatten().flatten().filter_map(Fate::site_of_gone).collect();
    let mut kept_for = BTreeMap::new();
    for site in sites {
        let live = app.config.live(site).await;
        kept_for.insert(site.clone(), live.map(|live| live.map(|live| live.site.retention_days)));
    }
    kept_for
}

fn keys_of(secret: &ContactSecret, site: &SiteId, document: &mut Value) -> Vec<String> {
    people_of(document).map(|(id, _)| secret.person_key(site, &id)).collect()
}

/// Returns the last known contact data of the people in an event.
fn latest(
    site: &SiteId,
    document: &mut Value,
    people: &BatchGet<PersonRecord>,
    secret: &ContactSecret,
) -> Result<BTreeMap<ObjectId, PersonRecord>, StoreError> {
    let known = |id: ObjectId| match people.get(&secret.person_key(site, &id)) {
        Some(Ok(latest)) => Some(Ok((id, latest.clone()))),
        Some(Err(error)) => Some(Err(error.clone())),
        None => None,
    };
    people_of(document).filter_map(|(id, _)| known(id)).collect()
}
