//! Changes of the account and its numbers.

use serde_json::Value;

use super::Parsed;
use super::change::Change;
use super::values::{short, word};
use crate::notice::Notice;

/// Longest details that are kept, in characters.
const DETAILS_CHARS_MAX: usize = 1000;

/// Reads what changed of the account or of one of its numbers.
pub(super) fn read(change: &Change<'_>, parsed: &mut Parsed) {
    let (waba_id, phone_number_id) = (change.waba_id(), change.phone_number_id());
    if waba_id.is_none() && phone_number_id.is_none() {
        parsed.foreign += 1;
        return;
    }
    let named = ["event", "alert_type", "decision"].into_iter().find_map(|name| word(change.get(name)));
    // A change of what the business may do has no word of its own.
    let event = named.unwrap_or_else(|| change.field.to_owned());
    parsed.notices.push(Notice::Account {
        site: change.hook.site.clone(),
        waba_id,
        phone_number_id,
        stops: change.field == "account_update" && stops(&event, change.value),
        event,
        details: short(&change.value.to_string(), DETAILS_CHARS_MAX),
    });
}

/// Whether nothing can be sent from now on. A ban that is only announced, or lifted, is none.
fn stops(event: &str, value: &Value) -> bool {
    match event {
        "DISABLED_UPDATE" => {
            let state = value.pointer("/ban_info/waba_ban_state").and_then(Value::as_str);
            !matches!(state, Some("REINSTATE" | "SCHEDULE_FOR_DISABLE"))
        }
        "ACCOUNT_RESTRICTION" | "ACCOUNT_DELETED" | "ACCOUNT_OFFBOARDED" => true,
        _ => false,
    }
}
