//! Carts: what an event changes of them, and the items that a cart notice depends on.

use domain::decision::cart;
use domain::decision::plan::Plan;
use domain::event::{Event, EventData, EventType};
use domain::mapping::Mapping;
use domain::primitives::key::CartKeys;
use domain::site::config::LiveConfig;
use runtime::failure::Failure;
use store::contacts::CartScope;

use crate::App;

/// Records what an event changes about a customer's carts. Without an enabled mapping for abandoned carts, only carts
/// that are already recorded are updated: a cart notice may still be waiting for them.
pub(crate) async fn update(app: &App, live: &LiveConfig, event: &Event, plan: &Plan) -> Result<(), Failure> {
    let Some(change) = cart::change(event, &live.site) else { return Ok(()) };
    let notifies = |mapping: &Mapping| mapping.enabled && mapping.event_type == EventType::CartAbandoned;
    let scope = CartScope { is_planned: !plan.messages.is_empty(), only_known: !live.mappings.iter().any(notifies) };
    let contact = match change.person {
        Some(person) => app.secrets.contact_secret(app.clock.now()).await?.contact_of(&live.site, person),
        None => None,
    };
    app.contacts.change_cart(&live.site, &change, contact.as_deref(), scope, app.clock.now()).await?;
    Ok(())
}

/// Returns the keys of a cart's items. The phone number is the one in the event; later contact data does not change
/// it.
pub(crate) async fn keys(app: &App, live: &LiveConfig, event: &Event) -> Result<Option<CartKeys>, Failure> {
    let EventData::CartAbandoned { cart, customer } = &event.data else { return Ok(None) };
    let secret = app.secrets.contact_secret(app.clock.now()).await?;
    let contact = secret.contact_of(&live.site, customer);
    let keys = CartKeys::new(&live.site.id, [&customer.id, &cart.id], contact.as_deref());
    Ok(Some(app.contacts.cart_keys(keys, &secret.person_key(&live.site.id, &customer.id)).await?))
}
