//! The last known contact data of the people in an event.

use std::collections::BTreeMap;

use domain::event::person::PersonRecord;
use domain::primitives::id::{ObjectId, SiteId};
use store::StoreError;

use crate::App;
use crate::record::Failure;

/// Returns the last known contact data of these people, in as few reads as DynamoDB allows. People without such data
/// are omitted.
pub(crate) async fn latest_records(
    app: &App,
    site: &SiteId,
    people: impl IntoIterator<Item = ObjectId>,
) -> Result<BTreeMap<ObjectId, PersonRecord>, Failure> {
    let secret = app.contact_secret().await?;
    let keyed = |id: ObjectId| (secret.person_key(site, &id), id);
    let people: Vec<(String, ObjectId)> = people.into_iter().map(keyed).collect();
    let known = app.contacts.people(&people.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>()).await?;
    let said = |(key, id): (String, ObjectId)| Some(known.get(&key)?.clone().map(|record| (id, record)));
    Ok(people.into_iter().filter_map(said).collect::<Result<_, StoreError>>()?)
}
