//! Lists of a site's mappings and their history.

use domain::mapping::{Action, Change, Mapping, Review, SavedMapping};
use serde_json::{Value, json};

use super::{as_file, mapping_id};
use crate::failure::Failure;
use crate::output::{Lang, Output, table, wrapped};
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

fn state_word(mapping: &Mapping, lang: Lang) -> &'static str {
    match state(mapping) {
        "disabled" => lang.of("disattivata", "disabled"),
        "needs_review" => lang.of("da rivedere", "needs review"),
        "paused" => lang.of("in pausa", "paused"),
        _ => lang.of("attiva", "enabled"),
    }
}

/// Formats the template changes that need a review.
pub(crate) fn review_words(review: &Review, lang: Lang) -> String {
    let change = |change: Change| match change {
        Change::Category => lang.of("altra categoria", "another category"),
        Change::Content => lang.of("altro contenuto", "other content"),
    };
    let changed: Vec<String> =
        review.templates.iter().map(|one| format!("{} ({}): {}", one.name, one.language, change(one.change))).collect();
    format!("{}; {} {}", changed.join(", "), lang.of("dal", "since"), review.since)
}

pub(super) async fn list(stack: &Stack, output: Output) -> Result<(), Failure> {
    let mappings = stack.config.mappings(stack.site()?).await?;
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
    output.say(&json!({"mappings": documents}), |lang| {
        let row = |mapping: &Mapping| {
            let state = state_word(mapping, lang).to_owned();
            [mapping.id.to_string(), mapping.event_type.to_string(), state, mapping.version.to_string()]
        };
        let rows: Vec<_> = mappings.iter().map(row).collect();
        let heading = lang.of(["AZIONE", "EVENTO", "STATO", "VERSIONE"], ["MAPPING", "EVENT", "STATE", "VERSION"]);
        let review = |mapping: &Mapping| {
            let review = mapping.needs_review.as_ref()?;
            let advice = lang.of("quando va bene", "once it is correct");
            let text = wrapped(&format!("{}: {}; {advice}:", mapping.id, review_words(review, lang)), 0);
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
        return Err(Failure::No(format!("no person has ever saved a version of {id}")));
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
    output.say(&json!({"mapping": id, "versions": documents}), |lang| {
        let row = |saved: &SavedMapping| {
            let action = action_word(saved.action, lang).to_owned();
            [saved.mapping.version.to_string(), saved.at.to_string(), saved.by.clone(), action]
        };
        let rows: Vec<_> = history.iter().map(row).collect();
        table(lang.of(["VERSIONE", "QUANDO", "DA", "CHE COSA"], ["VERSION", "WHEN", "BY", "WHAT"]), &rows)
    });
    Ok(())
}

fn action_word(action: Action, lang: Lang) -> &'static str {
    match action {
        Action::Saved => lang.of("salvata", "saved"),
        Action::Confirmed => lang.of("confermata", "confirmed"),
        Action::Enabled => lang.of("attivata", "enabled"),
        Action::Disabled => lang.of("disattivata", "disabled"),
        Action::Deleted => lang.of("eliminata", "deleted"),
    }
}
