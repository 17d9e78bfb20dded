//! The last known contact data of the people in an event.

use std::collections::BTreeMap;

use domain::decision::reminder::contact_data_as_of;
use domain::event::Event;
use domain::event::person::{PersonRecord, bring_up_to_date};
use domain::primitives::id::{ObjectId, SiteId};
use jiff::Timestamp;
use runtime::failure::Failure;
use store::StoreError;

use crate::App;

/// Returns the last known contact data of these people, in as few reads as DynamoDB allows. People without such data
/// are omitted.
pub(crate) async fn latest_records(
    app: &App,
    site: &SiteId,
    people: impl IntoIterator<Item = ObjectId>,
) -> Result<BTreeMap<ObjectId, PersonRecord>, Failure> {
    let secret = app.secrets.contact_secret(app.clock.now()).await?;
    let keyed = |id: ObjectId| (secret.person_key(site, &id), id);
    let people: Vec<(String, ObjectId)> = people.into_iter().map(keyed).collect();
    let known = app.contacts.people(&people.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>()).await?;
    let stated = |(key, id): (String, ObjectId)| Some(known.get(&key)?.clone().map(|record| (id, record)));
    Ok(people.into_iter().filter_map(stated).collect::<Result<_, StoreError>>()?)
}

/// Returns the event with the last known contact data of the given people applied.
pub(crate) async fn with_latest_contact_data(
    app: &App,
    site: &SiteId,
    event: Event,
    received_at: Timestamp,
    people: impl Iterator<Item = ObjectId>,
) -> Result<Event, Failure> {
    let as_of = contact_data_as_of(&event);
    let latest = latest_records(app, site, people).await?;
    let mut document = event.document;
    bring_up_to_date(&mut document, as_of, &latest);
    Event::parse_any(document, received_at).map_err(Failure::dead)
}
