//! The command line in the language of the reader: the help, and the errors of its parser.
//!
//! The catalogue has the help of each command as `cmd-site-add`, the text after it as `after-site-add`, and that of an
//! argument as `arg-site-add-id`. Arguments with the same meaning in several commands share one text: `arg-site-id`, or
//! `arg-id`.

use std::error::Error;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory, FromArgMatches};
use texts::Texts;

use crate::args::Cli;

/// Parses the command line.
///
/// # Errors
/// The error of the parser. It includes the requests for help and for the version.
pub(crate) fn parse(arguments: Vec<OsString>, texts: &Texts) -> Result<Cli, clap::Error> {
    let mut command = command(texts);
    let matches = command.try_get_matches_from_mut(arguments)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// Returns the command line with its help.
pub(crate) fn command(texts: &Texts) -> Command {
    let mut command = Cli::command();
    // Adds the arguments and commands of the help, which have texts too.
    command.build();
    with_help(command, &[], texts)
}

fn with_help(command: Command, path: &[&str], texts: &Texts) -> Command {
    if path.last() == Some(&"help") {
        let about = texts.help("cmd-help").unwrap_or_default();
        return command.about(about.clone()).long_about(about);
    }
    let about = texts.help(&id("cmd", path, None));
    let after = texts.help(&id("after", path, None));
    let mut command = command
        .mut_args(|arg| {
            let help = of_argument(path, &arg, texts);
            arg_with_help(arg, help, texts)
        })
        .mut_subcommands(|command| {
            let name = command.get_name().to_owned();
            with_help(command, &[path, &[name.as_str()]].concat(), texts)
        });
    if let Some(about) = about {
        command = command.about(about.clone()).long_about(about);
    }
    match after {
        Some(after) => command.after_help(after),
        None => command,
    }
}

fn id(kind: &str, path: &[&str], argument: Option<&str>) -> String {
    let parts = std::iter::once(kind).chain(path.iter().copied()).chain(argument);
    parts.collect::<Vec<_>>().join("-").replace('_', "-")
}

/// Returns the text of an argument: its own, or the one that it shares with other commands.
fn of_argument(path: &[&str], arg: &Arg, texts: &Texts) -> Option<String> {
    let name = arg.get_id().as_str();
    (0..=path.len()).rev().find_map(|depth| texts.help(&id("arg", path.get(..depth)?, Some(name))))
}

fn arg_with_help(arg: Arg, help: Option<String>, texts: &Texts) -> Arg {
    let arg = if arg.get_action().takes_values() {
        // Without a name of its own, the value has that of the argument.
        let own = arg.get_value_names().map(|names| names.iter().map(ToString::to_string).collect());
        let names: Vec<String> = own.unwrap_or_else(|| vec![arg.get_id().as_str().to_uppercase()]);
        arg.value_names(names.iter().map(|name| value_name(name, texts)))
    } else {
        arg
    };
    match help {
        Some(help) => arg.help(help.clone()).long_help(help),
        None => arg,
    }
}

/// Translates the name of a value.
fn value_name(name: &str, texts: &Texts) -> String {
    match name {
        "DAYS" => texts.value_days(),
        "CODE" => texts.value_code(),
        "DIR" => texts.value_folder(),
        "KEY ID" => texts.value_key_id(),
        "NAME" => texts.value_name(),
        "NAME=VALUE" => texts.value_pair(),
        "NUMBER" => texts.value_number(),
        "REGION" => texts.value_region(),
        "SCOPE" => texts.value_scope(),
        "SOURCE" => texts.value_source(),
        "TEXT" => texts.value_text(),
        "WAIT" => texts.value_seconds(),
        "TYPE" => texts.value_event_type(),
        other => other.to_owned(),
    }
}

/// Prints an error, or the requested help, and returns the exit code.
pub(crate) fn end(error: &clap::Error, texts: &Texts) -> ExitCode {
    let words = words(error, texts);
    if error.use_stderr() {
        drop(write!(io::stderr(), "{words}"));
        ExitCode::from(2)
    } else {
        drop(write!(io::stdout(), "{words}"));
        ExitCode::SUCCESS
    }
}

/// Formats an error, or the requested help.
pub(crate) fn words(error: &clap::Error, texts: &Texts) -> String {
    match error.kind() {
        ErrorKind::DisplayVersion => error.to_string(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            with_headings(&error.to_string(), texts)
        }
        _ => {
            let mut words = texts.wrong_usage(problem(error, texts)) + "\n";
            let tips = tips(error, texts);
            if !tips.is_empty() {
                words += &format!("\n{}", tips.concat());
            }
            if let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) {
                words += &format!("\n{}\n", with_headings(&usage.to_string(), texts).trim_end());
            }
            format!("{words}\n{}\n", texts.try_help())
        }
    }
}

/// Returns what is wrong.
fn problem(error: &clap::Error, texts: &Texts) -> String {
    let context = |kind| error.get(kind).map(listed).unwrap_or_default();
    let argument = context(ContextKind::InvalidArg);
    let value = context(ContextKind::InvalidValue);
    match error.kind() {
        ErrorKind::ArgumentConflict if context(ContextKind::PriorArg) == argument => texts.usage_repeated(argument),
        ErrorKind::ArgumentConflict => texts.usage_conflict(argument, context(ContextKind::PriorArg)),
        ErrorKind::InvalidValue if value.is_empty() => with_values(texts.usage_no_value(argument), error, texts),
        ErrorKind::InvalidValue => with_values(texts.usage_wrong_value(value, argument), error, texts),
        ErrorKind::ValueValidation => {
            let problem = texts.usage_wrong_value(value, argument);
            match error.source() {
                Some(cause) => format!("{problem}. {}", texts.technical(cause.to_string())),
                None => problem,
            }
        }
        ErrorKind::InvalidSubcommand => texts.usage_unknown_command(context(ContextKind::InvalidSubcommand)),
        ErrorKind::MissingRequiredArgument => texts.usage_missing(argument),
        ErrorKind::MissingSubcommand => {
            texts.usage_no_command(context(ContextKind::InvalidSubcommand), context(ContextKind::ValidSubcommand))
        }
        ErrorKind::TooManyValues => texts.usage_too_many(argument, value),
        ErrorKind::UnknownArgument => texts.usage_unknown_argument(argument),
        kind => texts.usage_other(kind.to_string()),
    }
}

/// Adds the possible values.
fn with_values(problem: String, error: &clap::Error, texts: &Texts) -> String {
    match error.get(ContextKind::ValidValue).map(listed).filter(|values| !values.is_empty()) {
        Some(values) => format!("{problem}; {}", texts.usage_values(values)),
        None => problem,
    }
}

fn tips(error: &clap::Error, texts: &Texts) -> Vec<String> {
    let similar = |kind| error.get(kind).map(listed);
    let tips = [
        similar(ContextKind::SuggestedArg).map(|name| texts.similar_argument(name)),
        similar(ContextKind::SuggestedSubcommand).map(|name| texts.similar_command(name)),
        similar(ContextKind::SuggestedValue).map(|name| texts.similar_value(name)),
    ];
    tips.into_iter().flatten().map(|tip| format!("  {tip}\n")).collect()
}

fn listed(value: &ContextValue) -> String {
    match value {
        ContextValue::String(text) => text.clone(),
        ContextValue::Strings(texts) => texts.join(", "),
        ContextValue::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

/// Translates the headings and remarks of the parser's own help.
fn with_headings(help: &str, texts: &Texts) -> String {
    let line = |line: &str| {
        let line = match line {
            "Commands:" => texts.heading_commands(),
            "Arguments:" => texts.heading_arguments(),
            "Options:" => texts.heading_options(),
            other => other.to_owned(),
        };
        line.replace("[OPTIONS]", &texts.usage_options())
            .replace("<COMMAND>", &format!("<{}>", texts.usage_command()))
            .replace("[COMMAND]", &format!("[{}]", texts.usage_command()))
            .replace("[default: ", &format!("[{}: ", texts.default_value()))
            .replace("[possible values: ", &format!("[{}: ", texts.possible_values()))
            .replace("[env: ", &format!("[{}: ", texts.environment()))
            + "\n"
    };
    help.replace("Usage:", &texts.usage()).lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use texts::Lang;

    use super::*;

    /// The texts that a command and its commands need, and those that are missing.
    fn needed(command: &Command, path: &[&str], texts: &Texts, used: &mut BTreeSet<String>, missing: &mut Vec<String>) {
        let mut need = |ids: Vec<String>| match ids.iter().find(|id| texts.help(id).is_some()) {
            Some(id) => drop(used.insert(id.clone())),
            None => missing.push(ids.concat()),
        };
        if path.last() == Some(&"help") {
            return need(vec!["cmd-help".to_owned()]);
        }
        need(vec![id("cmd", path, None)]);
        if texts.help(&id("after", path, None)).is_some() {
            need(vec![id("after", path, None)]);
        }
        for arg in command.get_arguments() {
            let name = Some(arg.get_id().as_str());
            need((0..=path.len()).rev().map(|depth| id("arg", &path[..depth], name)).collect());
        }
        for command in command.get_subcommands() {
            needed(command, &[path, &[command.get_name()]].concat(), texts, used, missing);
        }
    }

    #[test]
    fn every_command_and_argument_has_a_text_and_every_text_is_used() {
        for lang in Lang::ALL {
            let texts = lang.texts();
            let (mut used, mut missing) = (BTreeSet::new(), Vec::new());
            needed(&command(texts), &[], texts, &mut used, &mut missing);
            assert_eq!(missing, Vec::<String>::new(), "{lang:?}");
            let unused: Vec<_> = texts.help_ids().filter(|id| !used.contains(*id)).collect();
            assert_eq!(unused, Vec::<&str>::new(), "{lang:?}");
        }
    }

    fn refused(line: &str, lang: Lang) -> String {
        let arguments = line.split_whitespace().map(OsString::from).collect();
        words(&parse(arguments, lang.texts()).unwrap_err(), lang.texts())
    }

    #[test]
    fn errors_are_in_the_readers_language() {
        let errors = [
            ("bridge explain", "errore: mancano argomenti obbligatori: <--event <ID>|--phone <NUMERO>|--order <ID>>"),
            ("bridge explain --evnt 1", "errore: l'argomento --evnt non esiste"),
            ("bridge explian", "errore: il comando explian non esiste"),
            ("bridge explain --event", "errore: --event <ID> richiede un valore"),
            (
                "bridge audit --days 4000",
                "errore: il valore 4000 non è valido per --days <GIORNI>. Dettaglio tecnico: 4000 is not in 1..=3650",
            ),
            (
                "bridge audit --lang fr",
                "errore: il valore fr non è valido per --lang <it|en>; valori possibili: it, en",
            ),
            ("bridge audit --json --json", "errore: --json non si può indicare più volte"),
            ("bridge explain --event 1 --order 2", "errore: --event <ID> non si può usare insieme a --order <ID>"),
            ("bridge doctor now", "errore: l'argomento now non esiste"),
        ];
        for (line, expected) in errors {
            let words = refused(line, Lang::It);
            assert_eq!(words.lines().next(), Some(expected), "{words}");
            assert!(words.ends_with("Per altre informazioni: --help.\n"), "{words}");
        }
        let words = refused("bridge explian", Lang::En);
        assert!(
            words.starts_with("error: there is no command explian\n\n  a similar command exists: explain\n"),
            "{words}"
        );
    }

    #[test]
    fn the_help_has_no_english_word_in_italian() {
        let help = refused("bridge schedule list --help", Lang::It);
        insta::assert_snapshot!(help);
        let whole = refused("bridge --help", Lang::It) + &refused("bridge site rotate-key --help", Lang::It);
        for english in [
            "Usage",
            "Options",
            "OPTIONS",
            "Commands",
            "COMMAND",
            "Arguments",
            "default",
            "possible",
            "[env",
            "Print",
            "KEY",
        ] {
            assert!(!whole.contains(english), "{english} in {whole}");
        }
    }
}
