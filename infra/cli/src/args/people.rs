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
#[command(after_help = "Each source has its own suppression. --source stop lifts a STOP, and so does a\n\
    START from the person.\n\n\
    Example:\n  bridge unsuppress --phone '340 1234567' --source stop --reason 'ha richiamato'\n  \
    bridge unsuppress --phone '340 1234567' --unreachable")]
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
    #[command(after_help = "The first line names the columns: phone, or contact (a pseudonym, as export\n\
        writes it); scope (all, marketing) with reason; consent to marketing (yes, no);\n\
        and the other columns of export. If any line is wrong, nothing is written.\n\n\
        Example:\n  bridge contacts import esclusi.csv --dry-run")]
    Import {
        /// CSV file with commas or semicolons, or - for standard input
        file: PathBuf,
        /// Check the file without writing anything
        #[arg(long)]
        dry_run: bool,
        /// Write the valid lines even if others are wrong
        #[arg(long, conflicts_with = "dry_run")]
        skip_wrong: bool,
        /// The file is an export of this site of this stack: accept pseudonyms that no table knows any more
        #[arg(long)]
        own_export: bool,
    },
    /// Export every suppression, consent and unreachable number as CSV, with full phone numbers where known
    Export {
        /// File to write instead of standard output
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "It removes the content of events, messages and dead letters from the ledger.\n\
    Outcomes and times stay, and so do suppressions, which contain a pseudonym\n\
    instead of the number. The queues (at most 14 days) and the backups (35 days)\n\
    are not touched. Run erase again if they may have restored data.\n\n\
    Example:\n  bridge erase --phone '340 1234567'")]
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
