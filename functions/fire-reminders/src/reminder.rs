//! Reminders whose moment has come: looked at again, and raised as events of their own. An event's id is made of the item
//! and the moment, so that firing twice raises one event; the text is rendered when the event is handled.
//!
//! A page of reminders is read together: how their activities stand, the events that saved those, and what was said of
//! the people since. Ten thousand in a minute would otherwise be thirty thousand reads.

use domain::event::Event;
use domain::id::ObjectId;
use domain::job::Job;
use domain::key::{ContactSecret, activity_key, event_key};
use domain::reminder::raised;
use serde_json::{Value, json};
use store::contacts::{ActivityHead, PersonRecord};
use store::ledger::RecordedEvent;
use store::schedule::{DueItem, ReminderItem};
use store::{Each, StoreError};

use crate::{App, SweepError};

/// What one reminder comes to: the event it raises; `None` if it does not stand any more.
type Outcome<T> = Result<Option<T>, SweepError>;

/// An event about to be raised.
struct Raised<'a> {
    reminder: &'a ReminderItem,
    saved: Event,
    document: Value,
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
    let heads = app.contacts.activities(&activities).await?;
    let standing: Vec<Outcome<&ReminderItem>> =
        due.iter().zip(&activities).map(|((_, reminder), key)| stands(&heads, key, reminder)).collect();
    let events = standing.iter().flatten().flatten().map(|due| event_key(&due.site, &due.event));
    let recorded = app.ledger.recorded_all(&events.collect::<Vec<_>>()).await?;
    let mut raised = Vec::with_capacity(due.len());
    for ((item, _), standing) in due.iter().zip(standing) {
        raised.push(match standing {
            Ok(Some(reminder)) => as_raised(&recorded, &item.key, reminder),
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        });
    }
    let secret = app.contact_secret().await?;
    let people = raised.iter_mut().flatten().flatten().flat_map(|raised| {
        let site = &raised.reminder.site;
        people(&mut raised.document).filter_map(|person| Some(secret.person_key(site, &id_of(person)?)))
    });
    let people = app.contacts.people(&people.collect::<Vec<_>>()).await?;
    let finish = |raised: Outcome<Raised<'_>>| {
        let Some(mut raised) = raised? else { return Ok(None) };
        bring_up_to_date(&mut raised, &people, &secret)?;
        let (site, event) = (&raised.reminder.site, &raised.reminder.event);
        tracing::info!(%site, event.id = %event, "a reminder is due");
        let received_at = app.clock.now();
        Ok(Some(Job::Event { site: site.clone(), received_at, event: raised.document, attempt: 0 }))
    };
    Ok(raised.into_iter().map(finish).collect())
}

/// Whether the activity still stands by the event that made the reminder.
fn stands<'a>(heads: &Each<ActivityHead>, activity: &str, reminder: &'a ReminderItem) -> Outcome<&'a ReminderItem> {
    let head = heads.get(activity).map(Result::as_ref).transpose().map_err(StoreError::clone)?;
    let ReminderItem { site, event, .. } = reminder;
    if head.is_none_or(|head| head.over || head.event != *event) {
        tracing::info!(%site, event.id = %event, "a reminder does not stand any more");
        return Ok(None);
    }
    Ok(Some(reminder))
}

/// The event that a reminder raises, its people as they were when the activity was saved.
fn as_raised<'a>(recorded: &Each<RecordedEvent>, item: &str, reminder: &'a ReminderItem) -> Outcome<Raised<'a>> {
    let ReminderItem { site, event, reminder: id, due_at, .. } = reminder;
    let recorded = recorded.get(&event_key(site, event)).map(Result::as_ref).transpose().map_err(StoreError::clone)?;
    let Some(recorded) = recorded else {
        tracing::warn!(%site, event.id = %event, "the event of a reminder is no longer in the ledger");
        return Ok(None);
    };
    let Ok(saved) = Event::parse_any(recorded.document.clone(), recorded.received_at) else {
        tracing::warn!(%site, event.id = %event, "the event of a reminder cannot be read any more; it was erased");
        return Ok(None);
    };
    Ok(raised(&saved, item, id, *due_at).map(|document| Raised { reminder, saved, document }))
}

/// The people of an event: the reminder's owner, the activity's assignees.
fn people(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let data = document.get_mut("data").and_then(Value::as_object_mut);
    data.into_iter().flatten().flat_map(|(name, part)| match (name.as_str(), part) {
        ("owner", owner) => std::slice::from_mut(owner).iter_mut(),
        ("assignees", Value::Array(assignees)) => assignees.iter_mut(),
        _ => [].iter_mut(),
    })
}

fn id_of(person: &Value) -> Option<ObjectId> {
    ObjectId::parse(person.get("id")?.as_str()?).ok()
}

/// What was said of a person since the activity was saved counts: phone, language, opt-out, consent.
fn bring_up_to_date(
    raised: &mut Raised<'_>,
    known: &Each<PersonRecord>,
    secret: &ContactSecret,
) -> Result<(), StoreError> {
    let Raised { reminder, saved, document } = raised;
    for person in people(document) {
        let Some(key) = id_of(person).map(|id| secret.person_key(&reminder.site, &id)) else { continue };
        let Some(latest) = known.get(&key).map(Result::as_ref).transpose().map_err(StoreError::clone)? else {
            continue;
        };
        let Some(fields) = person.as_object_mut().filter(|_| latest.occurred_at > saved.occurred_at) else { continue };
        fields.insert("phone".to_owned(), json!(latest.phone));
        fields.insert("whatsapp_opt_out".to_owned(), json!(latest.whatsapp_opt_out));
        if latest.language.is_some() {
            fields.insert("language".to_owned(), json!(latest.language));
        }
        if latest.marketing_consent.is_some() {
            fields.insert("marketing_consent".to_owned(), json!(latest.marketing_consent));
        }
    }
    Ok(())
}
