//! Rules against repeated and out-of-order messages.
//!
//! A full synchronisation raises every order again with new event ids. Messages are therefore deduplicated by the state
//! of the order, not by the event.
//!
//! SQS does not preserve the order of events. A state that was already left must not be notified after the state that
//! followed it.

use jiff::{SignedDuration, Timestamp};

use crate::decision::reminder::{contact_data_as_of, reminder_fingerprint, starts};
use crate::event::activity_state::{self, ActivityState};
use crate::event::order_state::{self, OrderState};
use crate::event::{Event, EventData, EventVersion};
use crate::mapping::{Mapping, Repeat};
use crate::message::reason::{Reason, Skip};
use crate::message::state::{Facts, State};
use crate::primitives::id::{MappingId, ObjectId, SiteId};
use crate::primitives::key::{CartKeys, activity_key, dedup_key, latest_event_key};

/// The conditions that a claim checks in addition to the message itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guards {
    /// The event version.
    pub version: EventVersion,
    /// The key of the latest-event item of the subject. The claim fails if a newer event was already notified. `None`
    /// where order does not matter.
    pub latest: Option<String>,
    /// The dedup key. `None` where every event is notified.
    pub dedup_key: Option<String>,
    /// The dedup keys of the other files that the message names. They are recorded together with `dedup_key`.
    pub other_dedup_keys: Vec<String>,
    /// The carts of the customer, for cart events.
    pub cart: Option<CartGuard>,
    /// The activity of a reminder.
    pub activity: Option<ActivityGuard>,
    /// Contact data newer than this overrides the event's own.
    pub contact_data_as_of: Timestamp,
    /// The explicit preferences of the recipient in the event. They override an older record.
    pub explicit: ExplicitPreferences,
}

/// Which preferences of the recipient the event states explicitly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExplicitPreferences {
    /// Whether the event contains `whatsapp_opt_out`.
    pub opt_out: bool,
    /// Whether the event contains `marketing_consent`.
    pub consent: bool,
}

impl ExplicitPreferences {
    fn of(event: &Event, recipient: &ObjectId) -> Self {
        let Some(person) = event.recipient(recipient) else { return Self::default() };
        Self { opt_out: person.whatsapp_opt_out.is_some(), consent: person.marketing_consent.is_some() }
    }
}

/// The conditions of a cart notice.
///
/// - The customer has not come back.
/// - The customer has no newer cart.
/// - The same mapping has sent no other cart notice in the last day, or since this cart was abandoned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CartGuard {
    /// The items of this cart and of the customer's other carts.
    pub keys: CartKeys,
    /// The mapping that sends the notice.
    pub mapping: MappingId,
    /// When the cart was abandoned.
    pub left_at: Timestamp,
    /// An operator requested the resend. A newer cart or an earlier notice then does not prevent it. The resend still
    /// counts as a cart notice.
    pub requested: bool,
}

/// The conditions of a reminder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityGuard {
    /// The key of the activity's item.
    pub key: String,
    /// The reminder basis.
    pub basis: ReminderBasis,
}

/// The reminder basis: the condition under which a reminder is still valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReminderBasis {
    /// For a reminder raised by the bridge. The activity must not be over and must still have this [`reminder_fingerprint`].
    Fingerprint(String),
    /// For a reminder raised by Passweb, which holds the activity's [`starts`]. It is valid unless a newer event ended
    /// the activity or changed its start.
    Start(String),
}

/// Returns the guards of one message.
#[must_use]
pub fn guards(site: &SiteId, mapping: &Mapping, event: &Event, recipient: &ObjectId, received_at: Timestamp) -> Guards {
    let (state, version) = state_of(event);
    let version = EventVersion { version, occurred_at: event.occurred_at, received_at };
    let names = [mapping.id.as_str(), &event.subject(), recipient.as_str()];
    let (contact_data_as_of, explicit) = (contact_data_as_of(event), ExplicitPreferences::of(event, recipient));
    // A reminder is notified once for each reminder fingerprint, whether Passweb or the bridge raises it.
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
            // The caller adds the number with which the cart was abandoned: that needs the secret of the pseudonyms.
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

/// Returns the new expiry of a latest-event item or dedup key that was read again. `None` if at least half of its
/// lifetime is left. An item that is read every night is therefore written only twice in its lifetime.
#[must_use]
pub fn renewal(expires_at: Timestamp, now: Timestamp, remember_for: SignedDuration) -> Option<Timestamp> {
    let is_due = expires_at.duration_since(now) < remember_for / 2;
    is_due.then(|| now.saturating_add(remember_for).unwrap_or(expires_at))
}

/// Returns the skip of a message whose dedup key belongs to another message. `by` is that message's id and `facts` are
/// its known facts. The detail names the state of that message if it failed or is of unknown outcome.
#[must_use]
pub fn already_notified(by: &str, facts: Option<&Facts>) -> Skip {
    let detail = match facts.map(Facts::state) {
        Some(state @ (State::Failed(_) | State::Unknown)) => format!("{by}, {state}"),
        _ => by.to_owned(),
    };
    Skip::new(Reason::AlreadyNotified, detail)
}

/// Whether an event cancels an order or an activity. Earlier notifications about it are then no longer valid.
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

/// Returns the state that an event reports, as a normalised name. `None` if it reports none.
#[must_use]
pub fn state(event: &Event) -> Option<String> {
    state_of(event).0
}

/// Returns the state that an event reports, as a normalised name, and the version of the subject. Only orders and
/// activities have states that supersede one another.
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
