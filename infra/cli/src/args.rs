//! The command line: the global options and the configuration commands. The submodules hold the other commands. The
//! help is in the catalogue of texts; see [`crate::usage`].

mod config;
mod ledger;
mod people;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::language;

pub(crate) use config::{NewMapping, Variable};
pub(crate) use ledger::{Audit, Dead, Explain, Preview, Resend, Schedule, SendTest, Unknown};
pub(crate) use people::{Contacts, Erase, Scope, Source, Suppress, Unsuppress};

/// Operate the bridge from Passweb to WhatsApp: sites, accounts, mappings, templates, and the outcome of every message.
#[derive(Debug, Parser)]
#[command(name = "bridge", version)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The options of every command.
#[derive(Debug, Args)]
pub(crate) struct Common {
    #[arg(
        long,
        global = true,
        env = "BRIDGE_DATA_DIR",
        hide_env_values = true,
        value_name = "DIR",
        default_value = ".local/data"
    )]
    pub(crate) data_dir: PathBuf,
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) stack: Option<String>,
    #[arg(long, global = true, value_name = "REGION")]
    pub(crate) region: Option<String>,
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    #[arg(long, global = true, value_name = "ID")]
    pub(crate) site: Option<String>,
    #[arg(long, global = true)]
    pub(crate) json: bool,
    // `language::chosen` has read it before.
    #[arg(long, global = true, value_name = "it|en", value_parser = ["it", "en"], env = language::VARIABLE, hide_env_values = true)]
    pub(crate) lang: Option<String>,
    #[arg(long, global = true)]
    pub(crate) show_phones: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(subcommand)]
    Site(Site),
    #[command(subcommand)]
    Account(Account),
    #[command(subcommand)]
    Mapping(Mapping),
    #[command(subcommand)]
    Template(Template),
    #[command(subcommand)]
    Variable(Variable),
    Preview(Preview),
    SendTest(SendTest),
    Explain(Explain),
    Audit(Audit),
    #[command(subcommand)]
    Schedule(Schedule),
    #[command(subcommand)]
    Unknown(Unknown),
    Resend(Resend),
    #[command(subcommand)]
    Dead(Dead),
    Suppress(Suppress),
    Unsuppress(Unsuppress),
    #[command(subcommand)]
    Contacts(Contacts),
    Erase(Erase),
    Doctor,
    Completions(Completions),
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    pub(crate) shell: Shell,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Site {
    Add {
        id: String,
        #[arg(value_name = "NAME=VALUE")]
        settings: Vec<String>,
    },
    Show,
    Set {
        #[arg(value_name = "NAME=VALUE", required = true)]
        settings: Vec<String>,
    },
    RotateKey {
        #[arg(long, value_name = "KEY ID")]
        revoke: Vec<String>,
    },
    SetSigning {
        #[arg(long, value_enum, value_name = "off|optional|required")]
        mode: Option<SigningMode>,
        #[arg(long, conflicts_with = "mode")]
        revoke_old: bool,
    },
    SetWebhook {
        #[arg(long, value_name = "FILE", conflicts_with = "token_header", required_unless_present = "token_header")]
        app_secret_file: Option<PathBuf>,
        #[arg(long, value_name = "NAME", requires = "token_file")]
        token_header: Option<String>,
        #[arg(long, value_name = "FILE", requires = "token_header")]
        token_file: Option<PathBuf>,
    },
}

/// Whether the requests of a site's caller are signed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SigningMode {
    Off,
    Optional,
    Required,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Account {
    Add {
        id: String,
        #[arg(long, value_name = "FILE")]
        token_file: PathBuf,
        #[arg(value_name = "NAME=VALUE")]
        settings: Vec<String>,
    },
    Show {
        id: Option<String>,
    },
    Set {
        id: String,
        #[arg(long, value_name = "FILE")]
        token_file: Option<PathBuf>,
        #[arg(value_name = "NAME=VALUE")]
        settings: Vec<String>,
    },
    Test {
        id: Option<String>,
    },
    Start {
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Mapping {
    New(NewMapping),
    Check {
        file: PathBuf,
    },
    Apply {
        file: PathBuf,
    },
    List,
    Confirm {
        id: String,
    },
    Enable {
        id: String,
    },
    Disable {
        id: String,
    },
    Delete {
        id: String,
        #[arg(long)]
        yes: bool,
    },
    History {
        id: String,
    },
    Export {
        #[arg(required_unless_present = "dir")]
        id: Option<String>,
        #[arg(long, value_name = "NUMBER", requires = "id")]
        version: Option<u64>,
        #[arg(long, value_name = "DIR", conflicts_with = "id")]
        dir: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Template {
    Sync {
        #[arg(long)]
        even_if_many_go: bool,
    },
    List,
    Show {
        name: String,
        #[arg(long, value_name = "CODE")]
        language: Option<String>,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn explain_requires_exactly_one_selector() {
        for wrong in [&["bridge", "explain"] as &[&str], &["bridge", "explain", "--event", "1", "--order", "2"]] {
            assert!(Cli::try_parse_from(wrong).is_err(), "{wrong:?}");
        }
    }
}
