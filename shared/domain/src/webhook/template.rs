//! Changes of templates.

use super::Parsed;
use super::change::Change;
use super::values::{short, text, word};
use crate::queue::platform_event::{self, PlatformEvent};

/// Longest reason kept, in characters.
const REASON_CHARS_MAX: usize = 500;

/// Parses a change of a template.
pub(super) fn read(change: &Change<'_>, parsed: &mut Parsed) {
    let Some(waba_id) = change.waba_id() else {
        parsed.foreign += 1;
        return;
    };
    let name = word(change.get("message_template_name"));
    let Some((name, language)) = name.zip(word(change.get("message_template_language"))) else {
        return parsed.odd(change.pointer, "names no template");
    };
    match what(change) {
        Ok(Some(what)) => parsed.platform_events.push(PlatformEvent::Template {
            site: change.webhook.site.clone(),
            waba_id,
            name,
            // Meta's webhooks write `en-US`, but its template list writes `en_US`.
            language: language.replace('-', "_"),
            change: what,
        }),
        Ok(None) => parsed.ignored += 1,
        Err(detail) => parsed.odd(change.pointer, detail),
    }
}

fn what(change: &Change<'_>) -> Result<Option<platform_event::Change>, &'static str> {
    // Meta's own sample reports a quality in the field of a status.
    if let Some(score) = word(change.get("new_quality_score")) {
        return Ok(Some(platform_event::Change::Quality { score }));
    }
    match change.field {
        "message_template_status_update" => {
            let event = word(change.get("event")).ok_or("is a status without its word")?;
            Ok(Some(platform_event::Change::Status { event, reason: reason(change) }))
        }
        "template_category_update" => category(change),
        "message_template_components_update" => Ok(Some(platform_event::Change::Components)),
        _ => Err("is a quality without its score"),
    }
}

/// Parses a change of category; `None` if the change is only announced. In an announcement, `new_category` is the
/// current category and `correct_category` the future one.
fn category(change: &Change<'_>) -> Result<Option<platform_event::Change>, &'static str> {
    let announced = word(change.get("correct_category")).is_some() && word(change.get("previous_category")).is_none();
    let category = word(change.get("new_category")).ok_or("is a category without its name")?;
    Ok((!announced).then(|| platform_event::Change::Category { category: category.to_ascii_uppercase() }))
}

/// Joins all reasons that Meta gives; `NONE` is Meta's word for no reason.
fn reason(change: &Change<'_>) -> Option<String> {
    let places = [
        "/reason",
        "/rejection_info/reason",
        "/rejection_info/recommendation",
        "/other_info/title",
        "/other_info/description",
        "/disable_info/disable_date",
    ];
    let at = |place: &&str| text(change.value.pointer(place)).filter(|text| text != "NONE");
    let mut reasons: Vec<String> = places.iter().filter_map(at).collect();
    reasons.dedup();
    (!reasons.is_empty()).then(|| short(&reasons.join("; "), REASON_CHARS_MAX))
}
