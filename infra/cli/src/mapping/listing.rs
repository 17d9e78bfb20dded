//! Lists of a site's mappings and their history.

use domain::mapping::{Action, Change, Mapping, Review, SavedMapping};
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use texts::Texts;

use super::{as_file, mapping_id};
use crate::failure::Failure;
use crate::output::{Output, table, wrapped};
use crate::stack::Stack;

/// Returns the state of a mapping: enabled, or the reason why it does not send.
fn state(mapping: &Mapping) -> &'static str {
    match (mapping.enabled, &mapping.needs_review) {
        (false, _) => "disabled",
        (true, Some(_)) => "needs_review",
        (true, None) if mapping.volume_spike.is_some() => "paused",
        (true, None) => "enabled",
    }
}

fn state_word(mapping: &Mapping, texts: &Texts) -> String {
    match state(mapping) {
        "disabled" => texts.mapping_disabled(),
        "needs_review" => texts.mapping_needs_review(),
        "paused" => texts.mapping_paused(),
        _ => texts.mapping_enabled(),
    }
}

/// Formats the template changes that need a review.
pub(crate) fn review_words(review: &Review, zone: &TimeZone, texts: &Texts) -> String {
    let change = |change: Change| match change {
        Change::Category => texts.change_category(),
        Change::Content => texts.change_content(),
    };
    let changed: Vec<String> =
        review.templates.iter().map(|one| format!("{} ({}): {}", one.name, one.language, change(one.change))).collect();
    texts.changed_since(changed.join(", "), texts.moment(review.since, zone))
}

pub(super) async fn list(stack: &Stack, output: Output) -> Result<(), Failure> {
    let mappings = stack.config.mappings(stack.site()?).await?;
    let zone = stack.zone().await?;
    let as_document = |mapping: &Mapping| {
        let templates: Vec<Value> =
            mapping.templates.values().map(|used| json!({"name": used.name, "language": used.language})).collect();
        json!({
            "mapping": mapping.id, "name": mapping.name, "event_type": mapping.event_type, "state": state(mapping),
            "version": mapping.version, "templates": templates, "needs_review": mapping.needs_review,
            "flood": mapping.volume_spike,
        })
    };
    let documents: Vec<Value> = mappings.iter().map(as_document).collect();
    output.say(&json!({"mappings": documents}), |texts| {
        let row = |mapping: &Mapping| {
            let state = state_word(mapping, texts);
            [mapping.id.to_string(), mapping.event_type.to_string(), state, mapping.version.to_string()]
        };
        let rows: Vec<_> = mappings.iter().map(row).collect();
        let heading = [texts.column_mapping(), texts.column_event(), texts.column_state(), texts.column_version()];
        let review = |mapping: &Mapping| {
            let review = mapping.needs_review.as_ref()?;
            let changes = review_words(review, &zone, texts);
            let text = wrapped(&texts.mapping_to_confirm(mapping.id.as_str(), changes), 0);
            // The command stays on one line, so that it can be copied.
            Some(format!("{text}    bridge mapping confirm {}\n", mapping.id))
        };
        let reviews: Vec<String> = mappings.iter().filter_map(review).collect();
        let gap = if reviews.is_empty() { "" } else { "\n" };
        table(heading, &rows) + gap + &reviews.concat()
    });
    Ok(())
}

pub(super) async fn history(id: &str, stack: &Stack, output: Output) -> Result<(), Failure> {
    let history = stack.config.history(stack.site()?, &mapping_id(id)?).await?;
    if history.is_empty() {
        return Err(Failure::no(|texts| texts.no_history(id)));
    }
    let documents: Vec<Value> = history
        .iter()
        .map(|saved| {
            let document = as_file(&saved.mapping).map(|yaml| json!(yaml))?;
            Ok(json!({
                "version": saved.mapping.version, "at": saved.at, "by": saved.by, "action": saved.action,
                "document": document,
            }))
        })
        .collect::<Result<_, Failure>>()?;
    let zone = stack.zone().await?;
    output.say(&json!({"mapping": id, "versions": documents}), |texts| {
        let row = |saved: &SavedMapping| {
            let action = action_word(saved.action, texts);
            [saved.mapping.version.to_string(), texts.moment(saved.at, &zone), saved.by.clone(), action]
        };
        let rows: Vec<_> = history.iter().map(row).collect();
        table([texts.column_version(), texts.column_when(), texts.column_by(), texts.column_what()], &rows)
    });
    Ok(())
}

fn action_word(action: Action, texts: &Texts) -> String {
    match action {
        Action::Saved => texts.version_saved(),
        Action::Confirmed => texts.version_confirmed(),
        Action::Enabled => texts.version_enabled(),
        Action::Disabled => texts.version_disabled(),
        Action::Deleted => texts.version_deleted(),
    }
}
