//! Statuses, inbound words and preferences.

use serde_json::Value;

use super::Parsed;
use super::change::Change;
use super::values::{contact, id, items, short, text, word};
use super::word::of_message;
use crate::message::state::{Failure, Status};
use crate::queue::platform_event::{PlatformEvent, Preference};

/// Longest `biz_opaque_callback_data` (Meta's limit), in characters. A longer one is not the bridge's.
const OPAQUE_CHARS_MAX: usize = 512;
/// Longest failure details kept, in characters.
const DETAILS_CHARS_MAX: usize = 500;
/// Longest code and trace id kept, in characters.
const CODE_CHARS_MAX: usize = 64;
/// The code of a failure without one.
const NO_CODE: &str = "none";

/// Parses the statuses and the inbound messages of one number.
pub(super) fn read(change: &Change<'_>, parsed: &mut Parsed) {
    let Some(number) = change.phone_number_id() else {
        parsed.foreign += 1;
        return;
    };
    let (statuses, messages) = (items(change.get("statuses")), items(change.get("messages")));
    for (index, status) in statuses.iter().enumerate() {
        match read_status(change, status, &number) {
            Ok(Some(platform_event)) => parsed.platform_events.push(platform_event),
            Ok(None) => parsed.ignored += 1,
            Err(detail) => parsed.odd(&format!("{}/value/statuses/{index}", change.pointer), &detail),
        }
    }
    for (index, message) in messages.iter().enumerate() {
        match read_message(change, message, &number) {
            Ok(Some(platform_event)) => parsed.platform_events.push(platform_event),
            Ok(None) => parsed.ignored += 1,
            Err(detail) => parsed.odd(&format!("{}/value/messages/{index}", change.pointer), detail),
        }
    }
    if statuses.is_empty() && messages.is_empty() {
        parsed.ignored += 1;
    }
}

/// Parses the choices in WhatsApp's control for offers.
pub(super) fn read_preferences(change: &Change<'_>, parsed: &mut Parsed) {
    let Some(number) = change.phone_number_id() else {
        parsed.foreign += 1;
        return;
    };
    for (index, choice) in items(change.get("user_preferences")).iter().enumerate() {
        if choice.get("category").and_then(Value::as_str) != Some("marketing_messages") {
            parsed.ignored += 1;
            continue;
        }
        let value = match choice.get("value").and_then(Value::as_str) {
            Some("stop") => Some(Preference::Stop),
            Some("resume" | "signup") => Some(Preference::Resume),
            _ => None,
        };
        let from = contact(choice.get("wa_id")).or_else(|| contact(choice.get("user_id"))).or_else(|| sole(change));
        match (value, from) {
            (Some(value), Some(from)) => parsed.platform_events.push(PlatformEvent::Preference {
                site: change.webhook.site.clone(),
                phone_number_id: number.clone(),
                from,
                at: change.moment(choice.get("timestamp")),
                value,
            }),
            (None, _) => {
                parsed.odd(&format!("{}/value/user_preferences/{index}", change.pointer), "has no known value")
            }
            (_, None) => parsed.odd(&format!("{}/value/user_preferences/{index}", change.pointer), "is nobody's"),
        }
    }
}

/// Parses a status; `None` for a status that does not concern delivery.
fn read_status(change: &Change<'_>, status: &Value, number: &str) -> Result<Option<PlatformEvent>, String> {
    let reported = match status.get("status").and_then(Value::as_str).unwrap_or_default() {
        "sent" => Status::Sent,
        "delivered" => Status::Delivered,
        // A voice message that was played was read before.
        "read" | "played" => Status::Read,
        "failed" => Status::Failed,
        // Neither reports whether a message arrived.
        "deleted" | "in_orbit" => return Ok(None),
        other => return Err(unknown_status(other)),
    };
    let provider_id = id(status.get("id")).ok_or("has no id")?;
    let opaque = text(status.get("biz_opaque_callback_data"));
    let category = word(status.pointer("/pricing/category"));
    Ok(Some(PlatformEvent::Status {
        site: change.webhook.site.clone(),
        phone_number_id: number.to_owned(),
        provider_id,
        message: opaque.filter(|opaque| opaque.chars().take(OPAQUE_CHARS_MAX + 1).count() <= OPAQUE_CHARS_MAX),
        status: reported,
        at: change.moment(status.get("timestamp")),
        failure: (reported == Status::Failed).then(|| failure(status)),
        // Meta's pages also write one of them with a hyphen.
        category: category.map(|category| category.to_ascii_lowercase().replace('-', "_")),
        wa_id: contact(status.get("recipient_id")),
        user_id: contact(status.get("recipient_user_id")),
    }))
}

/// Describes an unknown status, by its name only if it looks like one.
fn unknown_status(word: &str) -> String {
    let is_word = (1..=32).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_word { format!("has the unknown status {word}") } else { "has no known status".to_owned() }
}

/// Returns why a message failed, in Meta's words: the first error that has a code, otherwise the first error.
fn failure(status: &Value) -> Failure {
    let errors = items(status.get("errors"));
    let error = errors.iter().find(|error| text(error.get("code")).is_some()).or_else(|| errors.first());
    let field = |name: &str| text(error.and_then(|error| error.get(name)));
    let data = error.and_then(|error| error.get("error_data"));
    let details = text(data.and_then(|data| data.get("details"))).or_else(|| text(data));
    let details = details.or_else(|| field("message")).or_else(|| field("title")).unwrap_or_default();
    Failure {
        code: field("code").map_or_else(|| NO_CODE.to_owned(), |code| short(&code, CODE_CHARS_MAX)),
        details: short(&details, DETAILS_CHARS_MAX),
        trace_id: field("fbtrace_id").map(|id| short(&id, CODE_CHARS_MAX)),
    }
}

fn read_message(change: &Change<'_>, message: &Value, number: &str) -> Result<Option<PlatformEvent>, &'static str> {
    if let Some(platform_event) = read_changed_number(change, message, number)? {
        return Ok(Some(platform_event));
    }
    let Some(word) = of_message(message) else { return Ok(None) };
    let from = sender(message).or_else(|| sole(change)).ok_or("is a word of nobody")?;
    Ok(Some(PlatformEvent::Word {
        site: change.webhook.site.clone(),
        phone_number_id: number.to_owned(),
        from,
        at: change.moment(message.get("timestamp")),
        word,
    }))
}

/// Parses a person's change of number. Older documents use other names for the type and the fields.
fn read_changed_number(
    change: &Change<'_>,
    message: &Value,
    number: &str,
) -> Result<Option<PlatformEvent>, &'static str> {
    let Some(system) = message.get("system") else { return Ok(None) };
    if !matches!(system.get("type").and_then(Value::as_str), Some("user_changed_number" | "customer_changed_number")) {
        return Ok(None);
    }
    let to = ["wa_id", "new_wa_id", "user_id"].into_iter().find_map(|name| contact(system.get(name)));
    // The contact in `contacts` is not used: it may already be the new number.
    let (from, to) = sender(message).zip(to).ok_or("is a changed number without both numbers")?;
    let (site, phone_number_id) = (change.webhook.site.clone(), number.to_owned());
    Ok((from != to).then_some(PlatformEvent::NumberChanged { site, phone_number_id, from, to }))
}

/// Returns the sender of a message: the number, or the user id that replaces it.
fn sender(message: &Value) -> Option<String> {
    contact(message.get("from")).or_else(|| contact(message.get("from_user_id")))
}

/// Returns the contact of a change that has exactly one, so that it is unambiguous.
fn sole(change: &Change<'_>) -> Option<String> {
    match items(change.get("contacts")) {
        [one] => contact(one.get("wa_id")).or_else(|| contact(one.get("user_id"))),
        _ => None,
    }
}
