//! What a message must not repeat and must not overtake.
//!
//! A full synchronisation raises every order again with new event ids: the occasion (one state of one order) is what
//! was told, not the event. And SQS does not keep the order of events: a state that was left must not be told after the
//! one that followed it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::activity_state;
use crate::event::{Event, EventData, EventType};
use crate::id::{ObjectId, SiteId};
use crate::key::{cart_key, head_key, occasion_key};
use crate::mapping::Mapping;
use crate::order_state;

/// How often a mapping tells the same recipient of the same subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// Every event.
    Every,
    /// Each state once, even if it is entered again.
    OncePerState,
    /// Each actor once: the first download, the first reading.
    OncePerActor,
}

impl Repeat {
    /// The default of a type of event.
    #[must_use]
    pub fn default_of(kind: EventType) -> Self {
        match kind {
            EventType::OrderStatusChanged => Self::OncePerState,
            EventType::MessageRead
            | EventType::ActivityAcknowledged
            | EventType::FileDownloaded
            | EventType::FilePreviewed => Self::OncePerActor,
            _ => Self::Every,
        }
    }
}

/// Where an event stands among those of its subject: newer is the higher version, else the later to happen, else the
/// later to be received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The document's version, where Passweb counts them.
    pub version: Option<u64>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When it was received.
    pub received_at: Timestamp,
}

/// What a claim is checked against besides the message itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guards {
    /// Where the event stands.
    pub moment: Moment,
    /// The head to be overtaken by nothing older; `None` where order does not matter.
    pub head: Option<String>,
    /// The occasion to be told once; `None` where every event is told.
    pub occasion: Option<String>,
    /// The carts of the customer, to be told of once a day; `None` on other events.
    pub cart: Option<String>,
}

/// The guards of one message.
#[must_use]
pub fn guards(site: &SiteId, mapping: &Mapping, event: &Event, recipient: &ObjectId, received_at: Timestamp) -> Guards {
    let (state, version) = state_of(event);
    let moment = Moment { version, occurred_at: event.occurred_at, received_at };
    let names = [mapping.id.as_str(), &event.subject(), recipient.as_str()];
    // A reminder is told once for its moment, whether Passweb raises it or we do.
    if let EventData::ActivityReminder { activity, reminder, .. } = &event.data {
        let moment_told = format!("{}/{:?}/{}", reminder.id, activity.starts, reminder.minutes_before);
        let occasion = Some(occasion_key(site, names, "reminder", &moment_told));
        return Guards { moment, head: None, occasion, cart: None };
    }
    let occasion = match mapping.repeat() {
        Repeat::Every => None,
        Repeat::OncePerState => state.as_ref().map(|state| occasion_key(site, names, "state", state)),
        Repeat::OncePerActor => event.actor().map(|actor| occasion_key(site, names, "actor", actor.id.as_str())),
    };
    let cart = match &event.data {
        EventData::CartAbandoned { customer, .. } => Some(cart_key(site, &customer.id)),
        _ => None,
    };
    Guards { moment, head: state.map(|_| head_key(site, names)), occasion, cart }
}

/// The state an event tells, as a name that is the same however it was written, and the subject's version. Only orders
/// and activities have states that supersede one another.
fn state_of(event: &Event) -> (Option<String>, Option<u64>) {
    match &event.data {
        EventData::OrderStatusChanged { order, .. } => (Some(order_state::key(&order.status)), order.version),
        EventData::ActivityStatusChanged(change) => {
            (Some(activity_state::key(&change.new_state)), change.activity.version)
        }
        _ => (None, None),
    }
}
