//! `bridge mapping new`: a commented file for a template, with a proposal for each of its gaps.

use std::path::Path;

use domain::event::EventType;
use domain::primitives::id::AccountId;
use domain::site::config::LiveConfig;
use domain::template::{Content, Template};
use serde_json::json;

use super::file::{NewMapping, Used, write};
use crate::args::NewMapping as Wanted;
use crate::failure::Failure;
use crate::output::Output;
use crate::stack::Stack;

pub(super) async fn new(wanted: &Wanted, stack: &Stack, output: Output) -> Result<(), Failure> {
    let Some(event) = EventType::of(&wanted.event) else {
        return Err(Failure::usage(|texts| texts.event_unknown_type()));
    };
    let live = stack.live().await?;
    let owner = owner(&live, &wanted.template)?;
    let uses = uses(&live, &owner, wanted)?;
    let taken = stack.config.mappings(&live.site.id).await?;
    let id = free_id(&wanted.template, |id| taken.iter().any(|mapping| mapping.id.as_str() == id));
    let is_default = live.default_account() == Some(&owner);
    let account = (!is_default).then_some(&owner);
    let mapping = NewMapping { id: &id, event, account, active_since: stack.clock.now(), uses };
    let yaml = write(&mapping, output.texts);
    let Some(file) = &wanted.output else {
        output.say(&json!({"mapping": id, "yaml": yaml}), |_| yaml.clone());
        return Ok(());
    };
    create(file, &yaml)?;
    let file = file.display().to_string();
    output.say(&json!({"mapping": id, "file": file}), |texts| texts.mapping_file_written(file.as_str()));
    Ok(())
}

/// Writes a file that does not exist yet.
fn create(file: &Path, yaml: &str) -> Result<(), Failure> {
    use std::io::Write;
    let created = std::fs::File::create_new(file).and_then(|mut created| created.write_all(yaml.as_bytes()));
    created.map_err(|error| {
        let name = file.display().to_string();
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            Failure::usage(|texts| texts.file_exists(name.as_str()))
        } else {
            Failure::usage(|texts| texts.file_error(name.as_str(), texts.io_error(&error)))
        }
    })
}

/// Returns the account that lists the template: the site's default account if it does.
fn owner(live: &LiveConfig, name: &str) -> Result<AccountId, Failure> {
    let owners: Vec<&AccountId> =
        live.templates.iter().filter(|(_, template)| template.name == name).map(|(owner, _)| owner).collect();
    let default = owners.iter().find(|owner| live.default_account() == Some(**owner));
    let owner = default.or(owners.first()).copied();
    owner.cloned().ok_or_else(|| Failure::no(|texts| texts.no_such_template(name)))
}

/// Returns the languages of the template that can be filled, or the one that was named.
fn uses<'a>(live: &'a LiveConfig, owner: &AccountId, wanted: &Wanted) -> Result<Vec<Used<'a>>, Failure> {
    let listed = live.templates.iter().filter(|(account, one)| account == owner && one.name == wanted.template);
    let is_wanted = |one: &&Template| wanted.language.as_deref().is_none_or(|code| one.language.as_str() == code);
    let found: Vec<&Template> = listed.map(|(_, template)| template).filter(is_wanted).collect();
    let Some(first) = found.first() else {
        let (name, language) = (wanted.template.as_str(), wanted.language.as_deref().unwrap_or_default());
        return Err(Failure::no(|texts| texts.no_such_template_language(name, language)));
    };
    let usable = found.iter().filter_map(|template| match &template.content {
        Content::Usable(parts) => Some(Used { template, parts }),
        Content::Unusable { .. } => None,
    });
    let usable: Vec<Used<'_>> = usable.collect();
    match &first.content {
        Content::Unusable { why } if usable.is_empty() => {
            let problem = domain::check::Problem::Unusable(why.clone());
            Err(Failure::no(|texts| texts.problem(&problem)))
        }
        _ => Ok(usable),
    }
}

/// Returns an id that no mapping of the site has, because `apply` would change that mapping.
fn free_id(template: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let id = template.replace('_', "-");
    let numbered = (2..).map(|number: u32| format!("{id}-{number}"));
    std::iter::once(id.clone()).chain(numbered).find(|id| !is_taken(id)).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::free_id;

    #[test]
    fn the_id_is_one_that_no_mapping_has() {
        assert_eq!(free_id("stato_ordine", |_| false), "stato-ordine");
        assert_eq!(free_id("stato_ordine", |id| ["stato-ordine", "stato-ordine-2"].contains(&id)), "stato-ordine-3");
    }
}
