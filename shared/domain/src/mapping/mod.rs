//! Mappings: which template tells which event, and what fills its placeholders.

pub mod quiet_hours;
mod review;
mod saved;
mod template_use;
pub mod volume;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::decision::guards::Repeat;
use crate::event::order_state::same_state;
use crate::event::person::Person;
use crate::event::{Event, EventData, EventType, Order, OrderKind};
use crate::mapping::quiet_hours::QuietHours;
use crate::mapping::volume::VolumeSpike;
use crate::message::reason::{Reason, Skip};
use crate::primitives::id::{AccountId, MappingId};
use crate::primitives::language::Language;

pub use review::{Change, ChangedTemplate, Review};
pub use saved::{Action, SavedMapping};
pub use template_use::{ButtonUse, Format, HeaderUse, Source, TemplateUse, ValueSource, Values};

/// A configured action (azione): event type and conditions → template per language, placeholder → value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Its id within the site.
    pub id: MappingId,
    /// What the operator calls it.
    pub name: String,
    /// The events it tells.
    pub event_type: EventType,
    /// Whether it sends.
    pub enabled: bool,
    /// The account it sends through; absent: the site's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// Events that happened before are not told (R-63).
    pub active_since: Timestamp,
    /// States of orders it tells; empty: any (R-20).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order_statuses: Vec<String>,
    /// Kinds of documents it tells; empty: orders, delivery notes and invoices (R-58).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order_kinds: Vec<OrderKind>,
    /// Smallest total of orders it tells, in their currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_total: Option<Decimal>,
    /// Groups of recipients it tells; empty: everybody (R-22).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Whom it tells of the change of an activity's state; other events name their recipients.
    #[serde(default, skip_serializing_if = "RecipientRule::is_default")]
    pub recipient_rule: RecipientRule,
    /// Whether people are notified of what they did themselves, too. By default they are not: the manual has no notice to
    /// oneself for files (R-94), and this extends it to messages (R-69, R-74) and activities (R-78, R-82).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub notify_actor: bool,
    /// How often it tells the same; absent: by the type of event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Repeat>,
    /// The template for each language of the recipients.
    pub templates: BTreeMap<Language, TemplateUse>,
    /// How long after the event a message is still of use; absent: by the type of event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub useful_for: Option<UsefulFor>,
    /// How long the state of an order or of an activity waits for a newer one, which then is told in its place, and the
    /// first file of a folder for others, which are told with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_for: Option<UsefulFor>,
    /// Minutes from when a cart was left until the mapping tells of it; absent: the site's. So a second mapping can remind
    /// again, a day later for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cart_interval: Option<u16>,
    /// When nothing is sent: what falls into it waits for its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
    /// What may be done when nobody knows whether a message was sent.
    #[serde(default)]
    pub on_unknown: OnUnknown,
    /// Counts the edits.
    #[serde(default)]
    pub version: u64,
    /// Set where a template changed: nothing is sent until a person confirmed the mapping. It is kept beside the mapping
    /// and is no part of its file.
    #[serde(skip)]
    pub needs_review: Option<Review>,
    /// Set where it sent far more than on its last days: its messages wait until a person saved it again. It is kept
    /// beside the mapping and is no part of its file.
    #[serde(skip)]
    pub volume_spike: Option<VolumeSpike>,
}

/// Whom a mapping tells that an activity's state changed (C-1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecipientRule {
    /// Who created the activity.
    #[default]
    Creator,
    /// Whom it is assigned to.
    Assignees,
    /// Whoever did not act: the creator, or the assignees of an activity that its creator changed.
    OtherParty,
}

impl RecipientRule {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What may be done with a message of unknown outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUnknown {
    /// It is never sent again.
    NeverResend,
    /// A person may choose to send it again.
    #[default]
    Ask,
}

/// How long a message is of use: `30m`, `12h` or `7d`, at most 7 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UsefulFor {
    minutes: u32,
}

/// A text that is no duration of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a duration such as 30m, 12h or 7d, at most 7d")]
pub struct UsefulForError;

const MINUTES_PER_HOUR: u32 = 60;
const MINUTES_PER_DAY: u32 = 24 * MINUTES_PER_HOUR;
/// So long a reminder may take from its moment to the phone: the schedule looks every minute, and one that is due as its
/// activity begins is on time.
const ON_ITS_WAY: SignedDuration = SignedDuration::from_mins(5);
/// Older news are no news, and a week is less than SQS keeps a record.
const USEFUL_MINUTES_MAX: u32 = 7 * MINUTES_PER_DAY;

impl UsefulFor {
    /// The longest.
    pub const MAX: Self = Self { minutes: USEFUL_MINUTES_MAX };

    /// Reads `30m`, `12h` or `7d`.
    ///
    /// # Errors
    /// [`UsefulForError`] for anything else, zero and more than 7 days included.
    pub fn parse(text: &str) -> Result<Self, UsefulForError> {
        let unit = match text.chars().last() {
            Some('m') => 1,
            Some('h') => MINUTES_PER_HOUR,
            Some('d') => MINUTES_PER_DAY,
            _ => return Err(UsefulForError),
        };
        let count: u32 =
            text.get(..text.len().saturating_sub(1)).unwrap_or_default().parse().map_err(|_| UsefulForError)?;
        match count.checked_mul(unit) {
            Some(minutes @ 1..=USEFUL_MINUTES_MAX) => Ok(Self { minutes }),
            _ => Err(UsefulForError),
        }
    }

    /// The default of a type of event: 48 h for orders, 24 h for what people write and upload.
    fn default_of(kind: EventType) -> Self {
        let days = if kind == EventType::OrderStatusChanged { 2 } else { 1 };
        Self { minutes: days * MINUTES_PER_DAY }
    }

    /// The duration.
    #[must_use]
    pub fn duration(self) -> SignedDuration {
        SignedDuration::from_mins(i64::from(self.minutes))
    }
}

impl TryFrom<String> for UsefulFor {
    type Error = UsefulForError;

    fn try_from(text: String) -> Result<Self, UsefulForError> {
        Self::parse(&text)
    }
}

impl From<UsefulFor> for String {
    fn from(useful: UsefulFor) -> String {
        useful.to_string()
    }
}

impl std::fmt::Display for UsefulFor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.minutes {
            minutes if minutes % MINUTES_PER_DAY == 0 => write!(f, "{}d", minutes / MINUTES_PER_DAY),
            minutes if minutes % MINUTES_PER_HOUR == 0 => write!(f, "{}h", minutes / MINUTES_PER_HOUR),
            minutes => write!(f, "{minutes}m"),
        }
    }
}

impl Mapping {
    /// Whether the mapping tells this event at all, whoever the recipient: its conditions and its activation.
    ///
    /// # Errors
    /// The condition that does not hold, with the value that decided.
    pub fn applies(&self, event: &Event) -> Result<(), Skip> {
        if let EventData::OrderStatusChanged { order, .. } = &event.data {
            self.order_applies(order)?;
        }
        if let EventData::CartAbandoned { cart, .. } = &event.data
            && let Some(least) = self.min_total.filter(|least| cart.total.amount < *least)
        {
            return Err(Skip::new(Reason::ConditionNotMet, format!("cart.total = {} < {least}", cart.total.amount)));
        }
        // A cart that was left before is old whenever it is told of (R-63).
        let happened_at = match &event.data {
            EventData::CartAbandoned { cart, .. } => event.occurred_at.min(cart.abandoned_at),
            _ => event.occurred_at,
        };
        if happened_at < self.active_since {
            let detail = format!("{happened_at} < {}", self.active_since);
            return Err(Skip::new(Reason::BeforeActivation, detail));
        }
        Ok(())
    }

    fn order_applies(&self, order: &Order) -> Result<(), Skip> {
        let unmet = |detail: String| Err(Skip::new(Reason::ConditionNotMet, detail));
        let notified = |status: &String| same_state(status, &order.status);
        if !self.order_statuses.is_empty() && !self.order_statuses.iter().any(notified) {
            return unmet(format!("order.status = {}", order.status));
        }
        let kinds: &[OrderKind] = if self.order_kinds.is_empty() {
            &[OrderKind::Order, OrderKind::DeliveryNote, OrderKind::Invoice]
        } else {
            &self.order_kinds
        };
        if !kinds.contains(&order.kind) {
            return unmet(format!("order.kind = {}", order.kind.recorded()));
        }
        if let Some(least) = self.min_total.filter(|least| order.total.amount < *least) {
            return unmet(format!("order.total = {} < {least}", order.total.amount));
        }
        Ok(())
    }

    /// How often this mapping tells the same.
    #[must_use]
    pub fn repeat(&self) -> Repeat {
        self.repeat.unwrap_or_else(|| Repeat::default_of(self.event_type))
    }

    /// Whether a person is in one of the mapping's groups, or the mapping is for everybody (R-22).
    #[must_use]
    pub fn includes(&self, person: &Person) -> bool {
        self.groups.is_empty() || person.groups.iter().flatten().any(|group| self.groups.contains(group))
    }

    /// How long a message of this mapping is of use.
    #[must_use]
    pub fn useful_for(&self) -> UsefulFor {
        self.useful_for.unwrap_or_else(|| UsefulFor::default_of(self.event_type))
    }

    /// Until when a message about this event is of use. A reminder is at most until the activity begins, or some minutes
    /// longer if it is due that shortly before.
    #[must_use]
    pub fn useful_until(&self, event: &Event) -> Timestamp {
        match &event.data {
            EventData::ActivityReminder { activity, .. } => {
                let longest = self.useful_for.unwrap_or(UsefulFor::MAX);
                let begun_at = activity.begun_at();
                let on_its_way = event.occurred_at.min(begun_at).saturating_add(ON_ITS_WAY).unwrap_or(begun_at);
                begun_at.max(on_its_way).min(event.occurred_at + longest.duration())
            }
            _ => event.occurred_at + self.useful_for().duration(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_reason_names_a_kind_as_it_always_did() {
        let kinds = [
            (OrderKind::Order, "Order"),
            (OrderKind::DeliveryNote, "DeliveryNote"),
            (OrderKind::Invoice, "Invoice"),
            (OrderKind::Quote, "Quote"),
            (OrderKind::Return, "Return"),
        ];
        for (kind, name) in kinds {
            assert_eq!(kind.recorded(), name);
        }
        let at: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let document = serde_json::json!({"id": "e-1", "type": "order.status_changed", "occurred_at": at.to_string(),
            "data": {"order": {"id": "1", "kind": "return", "status": "EVASO", "item_count": 1,
                "total": {"amount": "1.00", "currency": "EUR"}}, "customer": {"id": "C"}}});
        let text = r#"{"id":"o","name":"o","event_type":"order.status_changed","enabled":true,
            "active_since":"2020-01-01T00:00:00Z","templates":{}}"#;
        let mapping: Mapping = serde_json::from_str(text).unwrap();
        let skip = mapping.applies(&Event::parse(document, at).unwrap()).unwrap_err();
        assert_eq!(skip, Skip::new(Reason::ConditionNotMet, "order.kind = Return"));
    }

    #[test]
    fn durations_are_read_and_written() {
        for text in ["30m", "12h", "7d", "90m"] {
            assert_eq!(UsefulFor::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(UsefulFor::parse("48h").unwrap().to_string(), "2d");
        for wrong in ["", "h", "0h", "8d", "169h", "1w", "-1h", "1.5h", "99999999999d", "1é"] {
            assert_eq!(UsefulFor::parse(wrong), Err(UsefulForError), "{wrong}");
        }
    }

    #[test]
    fn a_reminder_is_of_no_use_once_its_activity_began() {
        let mapping = |useful_for: Option<&str>| {
            let text = r#"{"id":"r","name":"r","event_type":"activity.reminder","enabled":true,
                "active_since":"2020-01-01T00:00:00Z","templates":{}}"#;
            let mapping: Mapping = serde_json::from_str(text).unwrap();
            Mapping { useful_for: useful_for.map(|text| UsefulFor::parse(text).unwrap()), ..mapping }
        };
        let until = |due_at: &str, starts_at: &str, useful_for: Option<&str>| {
            let all_day = !starts_at.contains('T');
            let document = serde_json::json!({
                "id": "p-1", "type": "activity.reminder", "occurred_at": due_at,
                "data": {
                    "activity": {"id": "A1", "subject": "", "starts_at": starts_at, "all_day": all_day,
                                 "time_zone": "UTC", "state": "PIANIFICATA"},
                    "reminder": {"id": "r1", "minutes_before": 60}, "assignees": [], "notify": ["whatsapp"]
                }
            });
            let event = Event::parse(document, due_at.parse().unwrap()).unwrap();
            mapping(useful_for).useful_until(&event).to_string()
        };
        let starts = "2026-11-24T15:00:00Z";
        for useful_for in [None, Some("7d")] {
            assert_eq!(until("2026-11-24T14:00:00Z", starts, useful_for), starts);
            assert_eq!(until("2026-11-24T09:00:00Z", "2026-11-24", useful_for), "2026-11-25T00:00:00Z");
            assert_eq!(until("2026-11-10T15:00:00Z", starts, useful_for), "2026-11-17T15:00:00Z");
            // The schedule looks every minute: at the start is told, some minutes after it is not.
            assert_eq!(until(starts, starts, useful_for), "2026-11-24T15:05:00Z");
            assert_eq!(until("2026-11-24T14:58:00Z", starts, useful_for), "2026-11-24T15:03:00Z");
            assert_eq!(until("2026-11-24T16:00:00Z", starts, useful_for), "2026-11-24T15:05:00Z");
        }
        assert_eq!(until("2026-11-24T14:00:00Z", starts, Some("30m")), "2026-11-24T14:30:00Z");
    }

    #[test]
    fn a_mapping_round_trips_and_refuses_what_it_does_not_know() {
        let text = r#"{"id":"orders","name":"Ordini","event_type":"order.status_changed","enabled":true,
            "active_since":"2020-01-01T00:00:00Z","order_statuses":["EVASO"],"order_kinds":["order"],"min_total":"10.00",
            "templates":{"it":{"name":"stato","language":"it","fingerprint":"f",
                "body":{"1":{"variable":"order.code","default":"-","shorten":true},"2":{"text":"ciao"}}}},
            "useful_for":"12h","on_unknown":"never_resend"}"#;
        let mapping: Mapping = serde_json::from_str(text).unwrap();
        let again = serde_json::to_string(&mapping).unwrap();
        assert_eq!(serde_json::from_str::<Mapping>(&again).unwrap(), mapping);
        for (old, new) in [
            ("\"enabled\"", "\"repeats\":1,\"enabled\""),
            ("\"enabled\"", "\"needs_review\":null,\"enabled\""),
            ("order.code", "order.colour"),
            ("\"1\":{", "\"0\":{"),
            ("12h", "12"),
            ("{\"text\":\"ciao\"}", "{}"),
            ("{\"text\":\"ciao\"}", "{\"text\":\"ciao\",\"colour\":1}"),
        ] {
            assert!(serde_json::from_str::<Mapping>(&text.replace(old, new)).is_err(), "{new}");
        }
    }
}
