//! Changes of a mapping without its file.

use domain::check::{Checked, check};
use domain::mapping::{Action, Mapping, SavedMapping};
use serde_json::{Value, json};
use store::config::Kept;

use super::{document, find, refused, say_saved, words};
use crate::failure::Failure;
use crate::output::Output;
use crate::stack::Stack;

/// The author of a version in the history.
const BY: &str = "cli";

/// Saves a mapping under the version after its latest one, which may date from before its deletion.
pub(super) async fn save(
    mut mapping: Mapping,
    known: Option<&Mapping>,
    action: Action,
    stack: &Stack,
) -> Result<Mapping, Failure> {
    let site = stack.site()?;
    let history = stack.config.history(site, &mapping.id).await?;
    let latest = history.last().map_or(0, |saved| saved.mapping.version);
    mapping.version = known.map_or(0, |known| known.version).max(latest) + 1;
    let saved = SavedMapping { at: stack.clock.now(), by: BY.to_owned(), action, mapping };
    match stack.config.save_mapping(site, &saved).await? {
        Kept::Yes => Ok(saved.mapping),
        Kept::Overtaken => Err(Failure::no(|texts| texts.mapping_overtaken(saved.mapping.id.to_string()))),
    }
}

/// Accepts the current templates of a mapping, if the mapping still fits them.
pub(super) async fn confirm(id: &str, stack: &Stack, output: Output) -> Result<(), Failure> {
    let known = find(id, stack).await?;
    // The check fills in the current fingerprints.
    let mut written = as_document(&known)?;
    for used in
        written.get_mut("templates").and_then(Value::as_object_mut).into_iter().flat_map(|uses| uses.values_mut())
    {
        used.as_object_mut().and_then(|fields| fields.remove("fingerprint"));
    }
    let (confirmed, findings) = checked(&written, stack, output).await?;
    let is_new = confirmed != known;
    let mapping = if is_new { save(confirmed, Some(&known), Action::Confirmed, stack).await? } else { known };
    say_saved(&mapping, &findings, is_new, output);
    Ok(())
}

/// Enables a mapping after a check. A review mark stays, because a template may have changed before the mapping was
/// disabled.
pub(super) async fn enable(id: &str, stack: &Stack, output: Output) -> Result<(), Failure> {
    let known = find(id, stack).await?;
    let enabled = Mapping { enabled: true, ..known.clone() };
    let (_, findings) = checked(&as_document(&enabled)?, stack, output).await?;
    let is_new = enabled != known;
    let mapping = if is_new { save(enabled, Some(&known), Action::Enabled, stack).await? } else { known };
    say_saved(&mapping, &findings, is_new, output);
    Ok(())
}

pub(super) async fn disable(id: &str, stack: &Stack, output: Output) -> Result<(), Failure> {
    let known = find(id, stack).await?;
    let disabled = Mapping { enabled: false, ..known.clone() };
    let is_new = disabled != known;
    let mapping = if is_new { save(disabled, Some(&known), Action::Disabled, stack).await? } else { known };
    say_saved(&mapping, &[], is_new, output);
    Ok(())
}

pub(super) async fn delete(id: &str, yes: bool, stack: &Stack, output: Output) -> Result<(), Failure> {
    let known = find(id, stack).await?;
    if !yes {
        return Err(Failure::usage(|texts| texts.confirm_deletion(id)));
    }
    let deleted = save(known.clone(), Some(&known), Action::Deleted, stack).await?;
    output.say(&json!({"mapping": deleted.id, "version": deleted.version, "deleted": true}), |texts| {
        texts.mapping_deleted(id)
    });
    Ok(())
}

fn as_document(mapping: &Mapping) -> Result<Value, Failure> {
    serde_json::to_value(mapping).map_err(|error| Failure::internal(&error))
}

/// Checks a mapping and returns it with its warnings. If there are errors, prints the findings and fails.
async fn checked(
    written: &Value,
    stack: &Stack,
    output: Output,
) -> Result<(Mapping, Vec<domain::check::Finding>), Failure> {
    let checked = check(written, &stack.live().await?);
    let is_right = checked.is_right();
    let Checked { mapping, findings } = checked;
    match mapping.filter(|_| is_right) {
        Some(mapping) => Ok((mapping, findings)),
        None => {
            output.say(&document(&findings), |texts| words(&findings, texts));
            Err(refused())
        }
    }
}
