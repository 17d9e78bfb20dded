//! The commands about people and their numbers.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// What a suppression blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scope {
    /// All messages
    All,
    /// Messages of marketing templates
    Marketing,
}

/// The source of a suppression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Source {
    /// The person wrote STOP
    Stop,
    /// The person turned marketing messages off in WhatsApp
    Preferences,
    /// An operator
    Operator,
    /// An imported list
    Import,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  bridge suppress --phone '340 1234567' --reason 'richiesta telefonica'")]
pub(crate) struct Suppress {
    /// Phone number
    #[arg(long, value_name = "NUMBER")]
    pub(crate) phone: String,
    /// Messages to suppress
    #[arg(long, value_enum, default_value_t = Scope::All)]
    pub(crate) scope: Scope,
    /// Reason
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
    /// Phone number
    #[arg(long, value_name = "NUMBER")]
    pub(crate) phone: String,
    /// Scope of the suppression to lift
    #[arg(long, value_enum, default_value_t = Scope::All)]
    pub(crate) scope: Scope,
    /// Source of the suppression to lift
    #[arg(long, value_enum, default_value_t = Source::Operator)]
    pub(crate) source: Source,
    /// Reason
    #[arg(long, value_name = "TEXT", required_unless_present = "unreachable")]
    pub(crate) reason: Option<String>,
    /// Name of the person who lifts it
    #[arg(long, value_name = "NAME", env = "USER", hide_env_values = true, default_value = "cli")]
    pub(crate) by: String,
    /// End the one-month pause of a number that WhatsApp could not reach
    #[arg(long, conflicts_with_all = ["scope", "source"])]
    pub(crate) unreachable: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Contacts {
    /// Import suppressions and consents from a CSV file
    #[command(
        after_help = "The first line names the columns: phone or contact (a pseudonym, as export writes it); scope\n\
        (all, marketing) with reason; consent (yes, no) to marketing; and what export writes besides.\n\
        Nothing is written while a line is wrong.\n\n\
        Example:\n  bridge contacts import esclusi.csv --dry-run"
    )]
    Import {
        /// CSV file with commas or semicolons, or - for standard input
        file: PathBuf,
        /// Check the file without writing anything
        #[arg(long)]
        dry_run: bool,
        /// Write the valid lines even if others are wrong
        #[arg(long, conflicts_with = "dry_run")]
        skip_wrong: bool,
    },
    /// Export every suppression, consent and unreachable number as CSV, with full phone numbers where known
    Export {
        /// File to write instead of standard output
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
    /// Phone number; erases everyone who has it
    #[arg(long, value_name = "NUMBER", conflicts_with = "person", required_unless_present = "person")]
    pub(crate) phone: Option<String>,
    /// Person's id in Passweb
    #[arg(long, value_name = "ID")]
    pub(crate) person: Option<String>,
    /// Erase without asking
    #[arg(long)]
    pub(crate) yes: bool,
}
