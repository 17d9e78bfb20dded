//! Reminders whose moment has come: looked at again, and raised as events of their own. An event's id is made of the item,
//! the moment and the event that saved the activity last, so that firing twice raises one event; the text is rendered when
//! the event is handled. One that does not stand any more is recorded as an event that tells nobody.
//!
//! A page of reminders is read together: how their activities stand, the events that saved those, and what was said of
//! the people since. Ten thousand in a minute would otherwise be thirty thousand reads.

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
use serde_json::Value;
use store::contacts::LatestActivity;
use store::ledger::{EventRecord, RecordedEvent, is_erased};
use store::schedule::{DueItem, ReminderItem};
use store::{BatchGet, StoreError};

use crate::{App, SweepError};

/// Reminders that do not stand any more recorded at once.
const RECORDED_AT_ONCE: usize = 25;

/// What one reminder comes to: the event it raises; `None` if there is nothing more to be done about it.
type Outcome<T> = Result<Option<T>, SweepError>;
/// The days for which sites keep what they have, each found out by itself: one that cannot be read keeps no other waiting.
type KeptFor = BTreeMap<SiteId, Result<Option<u16>, StoreError>>;

/// What becomes of a reminder.
enum Fate<'a> {
    /// It raises an event, from the newest that saved its activity.
    Raised { reminder: &'a ReminderItem, saved_at: Timestamp, document: Value },
    /// It does not stand any more: the event it would have raised, and the one that ended or changed it.
    Gone { reminder: &'a ReminderItem, document: Value, by: EventId },
}

impl Fate<'_> {
    /// The site of one that does not stand any more.
    fn site_of_gone(&self) -> Option<&SiteId> {
        match self {
            Self::Gone { reminder, .. } => Some(&reminder.site),
            Self::Raised { .. } => None,
        }
    }
}

/// What comes of each of these reminders, in their order.
///
/// # Errors
/// [`SweepError`]: nothing is known of any of them.
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
    let secret = app.contact_secret().await?;
    let people = fates.iter_mut().flatten().flatten().flat_map(|fate| match fate {
        Fate::Raised { reminder, document, .. } => keys_of(&secret, &reminder.site, document),
        Fate::Gone { .. } => Vec::new(),
    });
    let people = app.contacts.people(&people.collect::<Vec<_>>()).await?;
    let kept_for = retention(app, &fates).await;
    let finished = fates.into_iter().map(|fate| finish(app, fate, (&people, &kept_for), &secret));
    Ok(stream::iter(finished).buffered(RECORDED_AT_ONCE).collect().await)
}

/// Whether the activity still has the reminder at its moment, and what follows.
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
        // Nobody is to be reminded of what is over, whatever its event says.
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
        // What is over is forgotten in time: then only the event is left that saved it.
        let by = latest.map_or(event, |latest| &latest.event).clone();
        tracing::info!(%site, event.id = %event, by.id = %by, "a reminder does not stand any more");
        return Ok(raised(&saved, &item.key, id, *due_at).map(|document| Fate::Gone { reminder, document, by }));
    };
    let Some(newest) = readable(recorded, site, &latest.event)? else { return Ok(None) };
    let document = raised(&newest, &item.key, id, *due_at);
    Ok(document.map(|document| Fate::Raised { reminder, saved_at: newest.occurred_at, document }))
}

/// An event that saved an activity; `None` if it is gone, or was erased: then there are no people left to be told. One that
/// cannot be read for another reason is a fault of ours: its reminder stays.
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

/// Has the event of a reminder know its people as they are by now, or records that it tells nobody.
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

/// Records the event of a reminder that does not stand any more: it tells nobody, and why.
async fn record_gone(
    app: &App,
    (site, kept_for): (&SiteId, Option<u16>),
    document: Value,
    by: &EventId,
) -> Result<(), SweepError> {
    let now = app.clock.now();
    let (Ok(event), Some(retention_days)) = (Event::parse_any(document, now), kept_for) else {
        tracing::warn!(%site, by.id = %by, "a reminder that does not stand any more could not be recorded");
        return Ok(());
    };
    let plan = taken_back(&event, &Skip::new(Reason::Cancelled, by.as_str()));
    let record = EventRecord { site, event: &event, received_at: now, plan: &plan, retention_days };
    app.ledger.record_event(record, now).await?;
    Ok(())
}

/// For how many days each site keeps what is to be recorded of these; `None` of one that is gone.
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

/// What was last said of the people of an event.
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
