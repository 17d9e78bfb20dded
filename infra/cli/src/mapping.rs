//! `bridge mapping`.

mod change;
mod file;
mod listing;
mod new;

use std::path::Path;

use domain::check::{Checked, Finding, check};
use domain::mapping::{Action, Mapping};
use domain::primitives::id::MappingId;
use serde_json::{Value, json};
use serde_norway::Value as Yaml;
use texts::{Lang, Texts};

use crate::args;
use crate::document;
use crate::failure::Failure;
use crate::output::{Output, wrapped};
use crate::stack::Stack;
use crate::yaml;

pub(crate) use listing::review_words;

pub(crate) async fn run(command: args::Mapping, stack: &Stack, output: Output) -> Result<(), Failure> {
    match command {
        args::Mapping::New(wanted) => new::new(&wanted, stack, output).await,
        args::Mapping::Check { file } => {
            let checked = read(&file, stack, output).await?;
            output.say(&document(&checked.findings), |texts| words(&checked.findings, texts));
            if checked.is_right() { Ok(()) } else { Err(refused()) }
        }
        args::Mapping::Apply { file } => apply(&file, stack, output).await,
        args::Mapping::List => listing::list(stack, output).await,
        args::Mapping::Confirm { id } => change::confirm(&id, stack, output).await,
        args::Mapping::Enable { id } => change::enable(&id, stack, output).await,
        args::Mapping::Disable { id } => change::disable(&id, stack, output).await,
        args::Mapping::Delete { id, yes } => change::delete(&id, yes, stack, output).await,
        args::Mapping::History { id } => listing::history(&id, stack, output).await,
        args::Mapping::Export { id: Some(id), version, .. } => export(&id, version, stack, output).await,
        args::Mapping::Export { dir: Some(dir), .. } => export_all(&dir, stack, output).await,
        args::Mapping::Export { .. } => Err(Failure::usage(|texts| texts.name_mapping())),
    }
}

fn refused() -> Failure {
    Failure::no(|texts| texts.mapping_not_savable())
}

/// Checks a file. If it is not YAML, prints that as the only finding and fails.
async fn read(file: &Path, stack: &Stack, output: Output) -> Result<Checked, Failure> {
    let text = document::read_text(file)?;
    let live = stack.live().await?;
    let document = yaml::parse(&text).map_err(|error| {
        let finding = json!({"path": "", "code": "not_yaml", "message": error});
        output.say(&json!({"findings": [finding], "warnings": []}), |texts| {
            wrapped(&format!("{}: {error}", texts.file_not_yaml()), 0)
        });
        refused()
    })?;
    Ok(check(&document, &live))
}

/// Returns the findings as JSON. Warnings do not prevent a save and are listed separately.
pub(crate) fn document(findings: &[Finding]) -> Value {
    let listed = |warnings: bool| -> Vec<Value> {
        let some = findings.iter().filter(|finding| finding.problem.is_warning() == warnings);
        some.map(|finding| {
            json!({"path": finding.path, "code": finding.problem.code(), "message": Lang::En.texts().problem(&finding.problem)})
        })
        .collect()
    };
    json!({"findings": listed(false), "warnings": listed(true)})
}

/// Formats the findings as text.
pub(crate) fn words(findings: &[Finding], texts: &Texts) -> String {
    if findings.is_empty() {
        return texts.no_findings().to_owned();
    }
    let one = |finding: &Finding| {
        let place = if finding.path.is_empty() { "/" } else { finding.path.as_str() };
        let weight = if finding.problem.is_warning() { texts.finding_warning() } else { texts.finding_error() };
        let sentence = texts.problem(&finding.problem);
        format!("{place}  [{weight}]\n{}", wrapped(&sentence, 4))
    };
    findings.iter().map(one).collect()
}

async fn apply(file: &Path, stack: &Stack, output: Output) -> Result<(), Failure> {
    let checked = read(file, stack, output).await?;
    let is_right = checked.is_right();
    let Checked { mapping, findings } = checked;
    let Some(mut mapping) = mapping.filter(|_| is_right) else {
        output.say(&document(&findings), |texts| words(&findings, texts));
        return Err(refused());
    };
    let known = stack.config.mappings(stack.site()?).await?.into_iter().find(|known| known.id == mapping.id);
    mapping.version = known.as_ref().map_or(0, |known| known.version);
    // A review mark is not part of the file: a person who applies the file has reviewed the templates.
    let is_new = known.as_ref() != Some(&mapping);
    if is_new {
        mapping = change::save(mapping, known.as_ref(), Action::Saved, stack).await?;
    }
    say_saved(&mapping, &findings, is_new, output);
    Ok(())
}

/// Prints the saved mapping with its warnings.
fn say_saved(mapping: &Mapping, findings: &[Finding], is_new: bool, output: Output) {
    let mut stated = document(findings);
    if let Some(fields) = stated.as_object_mut() {
        fields.insert("mapping".to_owned(), json!(mapping.id));
        fields.insert("version".to_owned(), json!(mapping.version));
        fields.insert("changed".to_owned(), json!(is_new));
    }
    output.say(&stated, |texts| {
        let head = match is_new {
            true => texts.mapping_saved(mapping.id.as_str(), mapping.version),
            false => texts.mapping_unchanged(mapping.id.as_str(), mapping.version),
        };
        let head = head + "\n";
        if findings.is_empty() { head } else { head + &words(findings, texts) }
    });
}

/// Returns a mapping as its file.
fn as_file(mapping: &Mapping) -> Result<Yaml, Failure> {
    yaml::of_mapping(mapping).map_err(|error| Failure::internal(&error))
}

async fn export(id: &str, version: Option<u64>, stack: &Stack, output: Output) -> Result<(), Failure> {
    let mapping = match version {
        None => find(id, stack).await?,
        Some(version) => {
            let history = stack.config.history(stack.site()?, &mapping_id(id)?).await?;
            let saved = history.into_iter().find(|saved| saved.mapping.version == version);
            saved.ok_or_else(|| Failure::no(|texts| texts.no_version(id, version)))?.mapping
        }
    };
    let document = as_file(&mapping)?;
    let yaml = document::to_yaml(&document)?;
    output.say(&document, |_| yaml);
    Ok(())
}

/// Parses a mapping id.
fn mapping_id(id: &str) -> Result<MappingId, Failure> {
    MappingId::parse(id).map_err(|error| Failure::usage(|texts| texts.wrong_id(texts.id_error(error))))
}

/// Finds a mapping of the site by its id, enabled or disabled.
pub(crate) async fn find(id: &str, stack: &Stack) -> Result<Mapping, Failure> {
    let id = mapping_id(id)?;
    let found = stack.config.mappings(stack.site()?).await?.into_iter().find(|mapping| mapping.id == id);
    found.ok_or_else(|| Failure::no(|texts| texts.no_such_mapping(id.to_string())))
}

async fn export_all(dir: &Path, stack: &Stack, output: Output) -> Result<(), Failure> {
    let unwritable = |error: std::io::Error| {
        Failure::usage(|texts| texts.file_error(dir.display().to_string(), texts.io_error(&error)))
    };
    std::fs::create_dir_all(dir).map_err(unwritable)?;
    let mut files = Vec::new();
    for mapping in stack.config.mappings(stack.site()?).await? {
        // Ids contain no slash, but not every system accepts a colon in file names.
        let file = dir.join(format!("{}.yaml", mapping.id.as_str().replace(':', "_")));
        std::fs::write(&file, document::to_yaml(&as_file(&mapping)?)?).map_err(unwritable)?;
        files.push(file.display().to_string());
    }
    output.say(&json!({"files": files}), |_| files.join("\n"));
    Ok(())
}
