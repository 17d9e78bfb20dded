//! The commands about people and their numbers.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// What a suppression blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scope {
    All,
    Marketing,
}

/// The source of a suppression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Source {
    Stop,
    Preferences,
    Operator,
    Import,
}

#[derive(Debug, Args)]
pub(crate) struct Suppress {
    #[arg(long, value_name = "NUMBER")]
    pub(crate) phone: String,
    #[arg(long, value_enum, default_value_t = Scope::All)]
    pub(crate) scope: Scope,
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct Unsuppress {
    #[arg(long, value_name = "NUMBER")]
    pub(crate) phone: String,
    #[arg(long, value_enum, default_value_t = Scope::All)]
    pub(crate) scope: Scope,
    #[arg(long, value_enum, default_value_t = Source::Operator)]
    pub(crate) source: Source,
    #[arg(long, value_name = "TEXT", required_unless_present = "unreachable")]
    pub(crate) reason: Option<String>,
    #[arg(long, value_name = "NAME", env = "USER", hide_env_values = true, default_value = "cli")]
    pub(crate) by: String,
    #[arg(long, conflicts_with_all = ["scope", "source"])]
    pub(crate) unreachable: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Contacts {
    Import {
        file: PathBuf,
        #[arg(long)]
        dry_run: bool,
        #[arg(long, conflicts_with = "dry_run")]
        skip_wrong: bool,
        #[arg(long)]
        own_export: bool,
    },
    Export {
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Erase {
    #[arg(long, value_name = "NUMBER", conflicts_with = "person", required_unless_present = "person")]
    pub(crate) phone: Option<String>,
    #[arg(long, value_name = "ID")]
    pub(crate) person: Option<String>,
    #[arg(long)]
    pub(crate) yes: bool,
}
