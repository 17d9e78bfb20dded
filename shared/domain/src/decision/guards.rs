//! What a message must not repeat and must not overtake.
//!
//! A full synchronisation raises every order again with new event ids: the occasion (one state of one order) is what
//! was told, not the event. And SQS does not keep the order of events: a state that was left must not be told after the
//! one that followed it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::decision::reminder::{contact_data_as_of, reminder_fingerprint, starts};
use crate::event::activity_state::{self, ActivityState};
use crate::event::order_state::{self, OrderState};
use crate::event::{Event, EventData, EventType};
use crate::mapping::Mapping;
use crate::message::reason::{Reason, Skip};
use crate::message::state::{Facts, State};
use crate::primitives::id::{MappingId, ObjectId, SiteId};
use crate::primitives::key::{CartKeys, activity_key, dedup_key, latest_event_key};

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
pub struct EventVersion {
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
    pub version: EventVersion,
    /// The head to be overtaken by nothing older; `None` where order does not matter.
    pub latest: Option<String>,
    /// The occasion to be told once; `None` where every event is told.
    pub dedup_key: Option<String>,
    /// Occasions that are told with it: those of the other files it names.
    pub other_dedup_keys: Vec<String>,
    /// The carts of the customer, on events of carts.
    pub cart: Option<CartGuard>,
    /// The activity of a reminder.
    pub activity: Option<ActivityGuard>,
    /// As of when the event knows its people: what was said of the recipient from then on is looked at.
    pub contact_data_as_of: Timestamp,
    /// What the event itself says of the recipient, which counts more than an older record.
    pub explicit: ExplicitPreferences,
}

/// Which of a recipient's wishes an event gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExplicitPreferences {
    /// Whether it gives `whatsapp_opt_out`.
    pub opt_out: bool,
    /// Whether it gives `marketing_consent`.
    pub consent: bool,
}

impl ExplicitPreferences {
    fn of(event: &Event, recipient: &ObjectId) -> Self {
        let Some(person) = event.recipient(recipient) else { return Self::default() };
        Self { opt_out: person.whatsapp_opt_out.is_some(), consent: person.marketing_consent.is_some() }
    }
}

/// What a notice of a cart is checked against: the customer has not come back, has no newer cart and was told of none by
/// the same mapping within a day, nor since it was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CartGuard {
    /// The items of the cart and of the customer's others.
    pub keys: CartKeys,
    /// The mapping that tells of it.
    pub mapping: MappingId,
    /// When the cart was left.
    pub left_at: Timestamp,
    /// A person asked for it: that there is a newer one, or that the customer was told of one, is known to them. It counts
    /// as told all the same.
    pub requested: bool,
}

/// What a reminder is checked against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityGuard {
    /// The item of the activity.
    pub key: String,
    /// By what the reminder stands.
    pub basis: ReminderBasis,
}

/// By what a reminder stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReminderBasis {
    /// One that the bridge raised: the activity is not over, and still has it at its [`reminder_fingerprint`].
    Fingerprint(String),
    /// One that Passweb raised, because Passweb says so: unless something newer than that says that the activity is over
    /// or [`starts`] at another time.
    Start(String),
}

/// The guards of one message.
#[must_use]
pub fn guards(site: &SiteId, mapping: &Mapping, event: &Event, recipient: &ObjectId, received_at: Timestamp) -> Guards {
    let (state, version) = state_of(event);
    let version = EventVersion { version, occurred_at: event.occurred_at, received_at };
    let names = [mapping.id.as_str(), &event.subject(), recipient.as_str()];
    let (contact_data_as_of, explicit) = (contact_data_as_of(event), ExplicitPreferences::of(event, recipient));
    // A reminder is told once for its moment, whether Passweb raises it or we do.
    if let EventData::ActivityReminder { activity, reminder, .. } = &event.data {
        let due = reminder_fingerprint(activity, &reminder.id, reminder.minutes_before);
        let dedup_key = Some(dedup_key(site, names, "reminder", &due));
        let key = activity_key(site, &activity.id);
        let basis = if event.id.is_reserved() {
            ReminderBasis::Fingerprint(due)
        } else {
            ReminderBasis::Start(starts(activity))
        };
        let activity = Some(ActivityGuard { key, basis });
        return Guards {
            version,
            latest: None,
            dedup_key,
            other_dedup_keys: Vec::new(),
            cart: None,
            activity,
            contact_data_as_of,
            explicit,
        };
    }
    let dedup_key = match mapping.repeat() {
        Repeat::Every => None,
        Repeat::OncePerState => state.as_ref().map(|state| dedup_key(site, names, "state", state)),
        Repeat::OncePerActor => event.actor().map(|actor| dedup_key(site, names, "actor", actor.id.as_str())),
    };
    let cart = match &event.data {
        EventData::CartAbandoned { cart, customer } => {
            // With which number it was left is known to who has the secret of the pseudonyms.
            let keys = CartKeys::new(site, [&customer.id, &cart.id], None);
            Some(CartGuard { keys, mapping: mapping.id.clone(), left_at: cart.abandoned_at, requested: false })
        }
        _ => None,
    };
    let latest = state.map(|_| latest_event_key(site, names));
    Guards {
        version,
        latest,
        dedup_key,
        other_dedup_keys: Vec::new(),
        cart,
        activity: None,
        contact_data_as_of,
        explicit,
    }
}

/// Until when a head or an occasion is remembered from now on that was met again; `None` if it is not past half of its
/// life. What is raised again every night is met every night, and written twice in its life.
#[must_use]
pub fn renewal(expires_at: Timestamp, now: Timestamp, remember_for: SignedDuration) -> Option<Timestamp> {
    let is_due = expires_at.duration_since(now) < remember_for / 2;
    is_due.then(|| now.saturating_add(remember_for).unwrap_or(expires_at))
}

/// Why a message is not sent whose occasion another message has: `by`, of which `facts` are known. One that failed, or
/// of which nobody knows whether it arrived, is named as such.
#[must_use]
pub fn already_notified(by: &str, facts: Option<&Facts>) -> Skip {
    let detail = match facts.map(Facts::state) {
        Some(state @ (State::Failed(_) | State::Unknown)) => format!("{by}, {state}"),
        _ => by.to_owned(),
    };
    Skip::new(Reason::AlreadyNotified, detail)
}

/// Whether an event says that an order or an activity was cancelled: what was told of it before does not stand any more.
#[must_use]
pub fn takes_back(event: &Event) -> bool {
    match &event.data {
        EventData::OrderStatusChanged { order, .. } => {
            matches!(OrderState::of(&order.status), Some(OrderState::Annullato | OrderState::ModificatoAnnullato))
        }
        EventData::ActivityStatusChanged(change) => {
            ActivityState::of(&change.new_state) == Some(ActivityState::Annullata)
        }
        _ => false,
    }
}

/// The state an event tells, as a name that is the same however it was written; `None` where it tells none.
#[must_use]
pub fn state(event: &Event) -> Option<String> {
    state_of(event).0
}

/// The state an event tells, as a name that is the same however it was written, and the subject's version. Only orders
/// and activities have states that supersede one another.
fn state_of(event: &Event) -> (Option<String>, Option<u64>) {
    match &event.data {
        EventData::OrderStatusChanged { order, .. } => (Some(order_state::key(&order.status)), order.version),
        EventData::ActivityStatusChanged(change) => {
            (Some(activity_state::key(&change.new_state)), change.activity.version)
        }
        EventData::ActivityReminder { activity, .. } => (None, activity.version),
        _ => (None, None),
    }
}

#[cfg(test)]
mod tests;
