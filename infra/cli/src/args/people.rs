//! The commands about people and their numbers.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// What a suppression forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scope {
    /// Every message
    All,
    /// Messages of marketing templates
    Marketing,
}

/// Whose suppression it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Source {
    /// The person wrote STOP
    Stop,
    /// The person switched marketing off in WhatsApp
    Preferences,
    /// An operator
    Operator,
    /// A list that was imported
    Import,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  bridge suppress --phone '340 1234567' --reason 'richiesta telefonica'")]
pub(crate) struct Suppress {
    /// The number
    #[arg(long, value_name = "NUMBER")]
    pub(crate) phone: String,
    /// What to keep from it
    #[arg(long, value_enum, default_value_t = Scope::All)]
    pub(crate) scope: Scope,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

#[derive(Debug, Args)]
#[command(
    after_help = "No source lifts another's: a STOP is lifted by --source stop, or by the person writing START.\n\n\
    Example:\n  bridge unsuppress --phone '340 1234567' --source stop --reason 'ha richiamato'\n  \
    bridge unsuppress --phone '340 1234567' --unreachable"
)]
pub(crate) struct Unsuppress {
    /// The number
    #[arg(long, value_name = "NUMBER")]
    pub(crate) phone: String,
    /// What was kept from it
    #[arg(long, value_enum, default_value_t = Scope::All)]
    pub(crate) scope: Scope,
    /// Whose suppression to lift
    #[arg(long, value_enum, default_value_t = Source::Operator)]
    pub(crate) source: Source,
    /// Why
    #[arg(long, value_name = "TEXT", required_unless_present = "unreachable")]
    pub(crate) reason: Option<String>,
    /// Who lifts it
    #[arg(long, value_name = "NAME", env = "USER", hide_env_values = true, default_value = "cli")]
    pub(crate) by: String,
    /// End the month that a number is left alone which WhatsApp could not reach
    #[arg(long, conflicts_with_all = ["scope", "source"])]
    pub(crate) unreachable: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Contacts {
    /// Take suppressions and consents from a CSV file
    #[command(
        after_help = "The first line names the columns: phone or contact (a pseudonym, as export writes it); scope\n\
        (all, marketing) with reason; consent (yes, no) to marketing; and what export writes besides.\n\
        Nothing is written while a line is wrong.\n\n\
        Example:\n  bridge contacts import esclusi.csv --dry-run"
    )]
    Import {
        /// CSV with commas or semicolons, - for standard input
        file: PathBuf,
        /// Check the file and write nothing
        #[arg(long)]
        dry_run: bool,
        /// Write the lines that are right, whatever the others
        #[arg(long, conflicts_with = "dry_run")]
        skip_wrong: bool,
    },
    /// Write every suppression, consent and unreachable number as CSV, with whole numbers where they are known
    Export {
        /// The file to write, instead of standard output
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
#[command(
    after_help = "What events, messages and dead letters say is taken out of the ledger; outcomes and times stay,\n\
    and so do suppressions, which know the number by a pseudonym. What the queue still holds (14 days at\n\
    most) and backups (35 days) are not touched: run it again when they may have brought something back.\n\n\
    Example:\n  bridge erase --phone '340 1234567'"
)]
pub(crate) struct Erase {
    /// Whoever has this number
    #[arg(long, value_name = "NUMBER", conflicts_with = "person", required_unless_present = "person")]
    pub(crate) phone: Option<String>,
    /// The person with this id in Passweb
    #[arg(long, value_name = "ID")]
    pub(crate) person: Option<String>,
    /// Yes, erase
    #[arg(long)]
    pub(crate) yes: bool,
}
