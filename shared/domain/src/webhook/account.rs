//! Changes of the account and its numbers.

use jiff::Timestamp;
use serde_json::Value;

use super::Parsed;
use super::change::Change;
use super::values::{items, moment, short, text, word};
use crate::queue::platform_event::PlatformEvent;

/// The restriction that affects the bridge: no messages to people who did not write first.
const OURS: &str = "RESTRICTED_BIZ_INITIATED_MESSAGING";
/// Longest details kept, in characters.
const DETAILS_CHARS_MAX: usize = 1000;

/// Parses a change of the account or of one of its numbers.
pub(super) fn read(change: &Change<'_>, parsed: &mut Parsed) {
    let (waba_id, phone_number_id) = (change.waba_id(), change.phone_number_id());
    if waba_id.is_none() && phone_number_id.is_none() {
        parsed.foreign += 1;
        return;
    }
    let named = ["event", "alert_type", "decision"].into_iter().find_map(|name| word(change.get(name)));
    // `business_capability_update` has no event name of its own.
    let event = named.unwrap_or_else(|| change.field.to_owned());
    let is_update = change.field == "account_update";
    let effect = if is_update { effect(&event, change) } else { Effect::None };
    parsed.platform_events.push(PlatformEvent::Account {
        site: change.webhook.site.clone(),
        waba_id,
        phone_number_id,
        stops: matches!(effect, Effect::Stops { .. }),
        lifts: effect == Effect::Lifts,
        at: is_update.then(|| change.raised_at()),
        until: match effect {
            Effect::Stops { until } => until,
            Effect::Lifts | Effect::None => None,
        },
        event,
        details: short(&change.value.to_string(), DETAILS_CHARS_MAX),
    });
}

/// The effect of an account update on sending.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// Nothing can be sent, until a time if Meta names one.
    Stops { until: Option<Timestamp> },
    /// A stop is over.
    Lifts,
    /// No effect.
    None,
}

/// Returns the effect of an account update on sending. A ban that is only scheduled has no effect yet. Source: Meta's
/// reference of the `account_update` webhook.
fn effect(event: &str, change: &Change<'_>) -> Effect {
    match event {
        "DISABLED_UPDATE" => match change.value.pointer("/ban_info/waba_ban_state").and_then(Value::as_str) {
            Some("REINSTATE") => Effect::Lifts,
            Some("SCHEDULE_FOR_DISABLE") => Effect::None,
            _ => Effect::Stops { until: None },
        },
        "ACCOUNT_DELETED" | "ACCOUNT_OFFBOARDED" => Effect::Stops { until: None },
        "ACCOUNT_RECONNECTED" => Effect::Lifts,
        "ACCOUNT_RESTRICTION" => restriction(items(change.get("restriction_info")), change.received_at),
        _ => Effect::None,
    }
}

/// Returns the effect of restrictions. The bridge only starts conversations, so restrictions of replies, calls and new
/// numbers do not matter. The longest restriction counts.
fn restriction(restrictions: &[Value], now: Timestamp) -> Effect {
    let of_ours = restrictions.iter().filter(|one| word(one.get("restriction_type")).as_deref() == Some(OURS));
    let ends = of_ours.map(|one| expiration(one.get("expiration")).unwrap_or(Timestamp::MAX));
    match ends.max() {
        Some(end) if end > now => Effect::Stops { until: Some(end).filter(|end| *end < Timestamp::MAX) },
        _ => Effect::None,
    }
}

/// Returns the end of a restriction: seconds since 1970, or text, as some providers write it.
fn expiration(value: Option<&Value>) -> Option<Timestamp> {
    moment(value).or_else(|| text(value)?.parse().ok())
}
