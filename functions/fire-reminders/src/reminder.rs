//! A reminder whose moment has come: looked at again, and raised as an event of its own. Its id is made of the item and
//! the moment, so that firing twice raises one event; the text is rendered when the event is handled.

use domain::event::Event;
use domain::job::Job;
use domain::key::activity_key;
use domain::reminder::raised;
use serde_json::{Value, json};
use store::schedule::ReminderItem;

use crate::{App, SweepError};

/// The event that a reminder raises; `None` if it does not stand any more.
pub(crate) async fn raise(app: &App, item: &str, reminder: &ReminderItem) -> Result<Option<Job>, SweepError> {
    let ReminderItem { site, event, activity, reminder: id, due_at } = reminder;
    let head = app.contacts.activity(&activity_key(site, activity)).await?;
    if head.is_none_or(|head| head.over || head.event != *event) {
        tracing::info!(%site, event.id = %event, "a reminder does not stand any more");
        return Ok(None);
    }
    let Some(recorded) = app.ledger.recorded(site, event).await? else {
        tracing::warn!(%site, event.id = %event, "the event of a reminder is no longer in the ledger");
        return Ok(None);
    };
    let Ok(saved) = Event::parse_any(recorded.document, recorded.received_at) else {
        tracing::warn!(%site, event.id = %event, "the event of a reminder cannot be read any more; it was erased");
        return Ok(None);
    };
    let Some(mut document) = raised(&saved, item, id, *due_at) else { return Ok(None) };
    if let Some(data) = document.get_mut("data") {
        if let Some(owner) = data.get_mut("owner") {
            bring_up_to_date(app, reminder, &saved, owner).await?;
        }
        for assignee in data.get_mut("assignees").and_then(Value::as_array_mut).into_iter().flatten() {
            bring_up_to_date(app, reminder, &saved, assignee).await?;
        }
    }
    tracing::info!(%site, event.id = %event, "a reminder is due");
    Ok(Some(Job::Event { site: site.clone(), received_at: app.clock.now(), event: document, attempt: 0 }))
}

/// What was said of a person since the activity was saved counts: phone, language, opt-out, consent.
async fn bring_up_to_date(
    app: &App,
    reminder: &ReminderItem,
    saved: &Event,
    person: &mut Value,
) -> Result<(), SweepError> {
    let id = person.get("id").and_then(Value::as_str).and_then(|id| domain::id::ObjectId::parse(id).ok());
    let (Some(id), Some(fields)) = (id, person.as_object_mut()) else { return Ok(()) };
    let key = app.contact_secret().await?.person_key(&reminder.site, &id);
    let Some(latest) = app.contacts.person_since(&key, saved.occurred_at).await? else { return Ok(()) };
    fields.insert("phone".to_owned(), json!(latest.phone));
    fields.insert("whatsapp_opt_out".to_owned(), json!(latest.whatsapp_opt_out));
    if latest.language.is_some() {
        fields.insert("language".to_owned(), json!(latest.language));
    }
    if latest.marketing_consent.is_some() {
        fields.insert("marketing_consent".to_owned(), json!(latest.marketing_consent));
    }
    Ok(())
}
