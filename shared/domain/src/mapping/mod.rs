//! Mappings: which template notifies about which event, and the values of its placeholders.

pub mod quiet_hours;
mod repeat;
mod review;
mod saved;
mod template_use;
pub mod volume;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::event::order_state::same_state;
use crate::event::person::Person;
use crate::event::{Event, EventData, EventType, Order, OrderKind};
use crate::mapping::quiet_hours::QuietHours;
use crate::mapping::volume::VolumeSpike;
use crate::message::reason::{Reason, Skip};
use crate::primitives::id::{AccountId, MappingId};
use crate::primitives::language::Language;

pub use repeat::Repeat;
pub use review::{Change, ChangedTemplate, Review};
pub use saved::{Action, SavedMapping};
pub(crate) use template_use::{BUTTON_KINDS, HEADER_KINDS, VALUE_KINDS};
pub use template_use::{ButtonUse, Format, HeaderUse, Source, TemplateUse, ValueSource, Values};

/// A configured action (azione): event type and conditions → template per language, placeholder → value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The id within the site.
    pub id: MappingId,
    /// The operator's name for the mapping.
    pub name: String,
    /// The type of the events it notifies about.
    pub event_type: EventType,
    /// Whether it sends.
    pub enabled: bool,
    /// The account it sends through. If absent, the site's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// Earlier events are not notified (R-63).
    pub active_since: Timestamp,
    /// The order states that qualify. If empty, every state (R-20).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order_statuses: Vec<String>,
    /// The kinds of documents that qualify. If empty: orders, delivery notes and invoices (R-58).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order_kinds: Vec<OrderKind>,
    /// The smallest total of an order or a cart that qualifies, in its currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_total: Option<Decimal>,
    /// The groups of recipients that qualify. If empty, everybody (R-22).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Who is notified of a change of an activity's state. Other events name their recipients.
    #[serde(default, skip_serializing_if = "RecipientRule::is_default")]
    pub recipient_rule: RecipientRule,
    /// Whether people are also notified of their own actions. Off by default: in the manual, people are not notified of
    /// their own file actions (R-94). The bridge extends that rule to messages (R-69, R-74) and activities (R-78,
    /// R-82).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub notify_actor: bool,
    /// How often it notifies the same recipient about the same subject. If absent, the default of the event type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Repeat>,
    /// The template for each language of the recipients.
    pub templates: BTreeMap<Language, TemplateUse>,
    /// How long after the event a message may still be sent. If absent, the default of the event type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub useful_for: Option<UsefulFor>,
    /// How long the state of an order or activity waits for a newer state, which replaces it. For files: how long the
    /// first file of a folder waits for others, which join its message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_for: Option<UsefulFor>,
    /// Minutes between the abandonment of a cart and its notice. If absent, the site's value. A second mapping with a
    /// longer interval can send another notice, for example a day later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cart_interval: Option<u16>,
    /// The hours in which nothing is sent. A message due in them waits for their end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
    /// Whether a message of unknown outcome may be sent again.
    #[serde(default)]
    pub on_unknown: OnUnknown,
    /// The edit counter.
    #[serde(default)]
    pub version: u64,
    /// Set if a template changed: nothing is sent until an operator confirms the mapping. Stored next to the mapping;
    /// not part of its file.
    #[serde(skip)]
    pub needs_review: Option<Review>,
    /// Set after a volume spike: messages wait until an operator saves the mapping again. Stored next to the mapping;
    /// not part of its file.
    #[serde(skip)]
    pub volume_spike: Option<VolumeSpike>,
}

/// Who is notified when an activity's state changes (C-1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecipientRule {
    /// The creator of the activity.
    #[default]
    Creator,
    /// The assignees.
    Assignees,
    /// The party that did not act: the assignees if the creator made the change, otherwise the creator.
    OtherParty,
}

impl RecipientRule {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether a message of unknown outcome may be sent again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUnknown {
    /// It is never sent again.
    NeverResend,
    /// An operator may decide to send it again.
    #[default]
    Ask,
}

/// How long a message is useful: `30m`, `12h` or `7d`, at most 7 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UsefulFor {
    minutes: u32,
}

/// The error for a text that is not a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a duration such as 30m, 12h or 7d, at most 7d")]
pub struct UsefulForError;

const MINUTES_PER_HOUR: u32 = 60;
const MINUTES_PER_DAY: u32 = 24 * MINUTES_PER_HOUR;
/// How long a reminder may take from its due time to the phone. The sweep runs every minute, so a reminder that is due
/// when its activity starts must still count as on time.
const ON_ITS_WAY: SignedDuration = SignedDuration::from_mins(5);
/// Older notifications are of no use, and a week is shorter than the SQS retention period.
const USEFUL_MINUTES_MAX: u32 = 7 * MINUTES_PER_DAY;

impl UsefulFor {
    /// The longest duration, 7 days.
    pub const MAX: Self = Self { minutes: USEFUL_MINUTES_MAX };

    /// Parses `30m`, `12h` or `7d`.
    ///
    /// # Errors
    /// [`UsefulForError`] for any other text, for zero and for more than 7 days.
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

    /// Returns the default of an event type: 48 h for orders, 24 h for all others.
    #[must_use]
    pub fn default_of(kind: EventType) -> Self {
        let days = if kind == EventType::OrderStatusChanged { 2 } else { 1 };
        Self { minutes: days * MINUTES_PER_DAY }
    }

    /// Returns the duration.
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
    /// Checks whether the event meets the mapping's conditions and happened after its activation. The result is the same
    /// for all recipients.
    ///
    /// # Errors
    /// The condition that is not met, with the value that decided.
    pub fn applies(&self, event: &Event) -> Result<(), Skip> {
        if let EventData::OrderStatusChanged { order, .. } = &event.data {
            self.order_applies(order)?;
        }
        if let EventData::CartAbandoned { cart, .. } = &event.data
            && let Some(least) = self.min_total.filter(|least| cart.total.amount < *least)
        {
            return Err(Skip::new(Reason::ConditionNotMet, format!("cart.total = {} < {least}", cart.total.amount)));
        }
        // An abandoned cart keeps its age, however late it is notified (R-63).
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

    /// Returns how often this mapping notifies the same recipient about the same subject.
    #[must_use]
    pub fn repeat(&self) -> Repeat {
        self.repeat.unwrap_or_else(|| Repeat::default_of(self.event_type))
    }

    /// Whether a person is in one of the mapping's groups, or the mapping is for everybody (R-22).
    #[must_use]
    pub fn includes(&self, person: &Person) -> bool {
        self.groups.is_empty() || person.groups.iter().flatten().any(|group| self.groups.contains(group))
    }

    /// Returns how long a message of this mapping is useful.
    #[must_use]
    pub fn useful_for(&self) -> UsefulFor {
        self.useful_for.unwrap_or_else(|| UsefulFor::default_of(self.event_type))
    }

    /// Returns the time until which a message about this event may be sent.
    #[must_use]
    pub fn useful_until(&self, event: &Event) -> Timestamp {
        useful_until(event, self.useful_for)
    }
}

/// Returns the time until which a message about an event may be sent. `useful_for` is the mapping's setting.
///
/// A reminder expires when its activity begins. A reminder due less than 5 minutes before the start, or later, has 5
/// minutes from the earlier of its due time and the start. `useful_for` limits both; if it is absent, the limit is 7
/// days.
#[must_use]
pub fn useful_until(event: &Event, useful_for: Option<UsefulFor>) -> Timestamp {
    match &event.data {
        EventData::ActivityReminder { activity, .. } => {
            let longest = useful_for.unwrap_or(UsefulFor::MAX);
            let begun_at = activity.begun_at();
            let on_its_way = event.occurred_at.min(begun_at).saturating_add(ON_ITS_WAY).unwrap_or(begun_at);
            begun_at.max(on_its_way).min(event.occurred_at + longest.duration())
        }
        _ => event.occurred_at + useful_for.unwrap_or_else(|| UsefulFor::default_of(event.kind())).duration(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_reason_keeps_the_original_name_of_an_order_kind() {
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
    fn a_reminder_is_useful_only_until_its_activity_begins() {
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
            // The sweep runs every minute: a reminder due at the start is sent, but not one that is some minutes late.
            assert_eq!(until(starts, starts, useful_for), "2026-11-24T15:05:00Z");
            assert_eq!(until("2026-11-24T14:58:00Z", starts, useful_for), "2026-11-24T15:03:00Z");
            assert_eq!(until("2026-11-24T16:00:00Z", starts, useful_for), "2026-11-24T15:05:00Z");
        }
        assert_eq!(until("2026-11-24T14:00:00Z", starts, Some("30m")), "2026-11-24T14:30:00Z");
    }

    #[test]
    fn a_mapping_round_trips_and_refuses_unknown_fields_and_values() {
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
