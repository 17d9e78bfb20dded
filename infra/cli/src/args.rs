//! The command line: the global options and the configuration commands. The submodules hold the other commands.

mod ledger;
mod people;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::output::Lang;

pub(crate) use ledger::{Audit, Dead, Explain, Preview, Resend, Schedule, SendTest, Unknown};
pub(crate) use people::{Contacts, Erase, Scope, Source, Suppress, Unsuppress};

/// Operate the bridge from Passweb to WhatsApp: sites, accounts, mappings, templates, and the outcome of every message.
#[derive(Debug, Parser)]
#[command(name = "bridge", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  bridge site show
  bridge mapping check azioni/ordini.yaml
  bridge preview --mapping azioni/ordini.yaml --event evento.json
  bridge explain --event c4a1b7e2-77
  bridge --stack passweb-prod --site negozio audit --days 3

Without --stack, bridge works on the local run.
Exit codes: 0 done, 1 negative result or findings, 2 wrong command line,
3 stack or platform not reachable.";

/// The options of every command.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// Data folder of the local run
    #[arg(long, global = true, env = "BRIDGE_DATA_DIR", value_name = "DIR", default_value = ".local/data")]
    pub(crate) data_dir: PathBuf,
    /// CloudFormation name of a stack on AWS to use instead of the local run
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) stack: Option<String>,
    /// AWS region of the stack; defaults to samconfig.toml, the environment, or the profile
    #[arg(long, global = true, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// AWS profile with the credentials; defaults to samconfig.toml or the environment
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Site id; defaults to the demo site on the local run
    #[arg(long, global = true, value_name = "ID")]
    pub(crate) site: Option<String>,
    /// Print JSON on standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Language of the text output
    #[arg(long, global = true, value_enum, default_value_t = Lang::It)]
    pub(crate) lang: Lang,
    /// Show full phone numbers
    #[arg(long, global = true)]
    pub(crate) show_phones: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Manage sites and their keys
    #[command(subcommand)]
    Site(Site),
    /// Manage WA Smart Business accounts
    #[command(subcommand)]
    Account(Account),
    /// Manage mappings (azioni), which assign templates to event types
    #[command(subcommand)]
    Mapping(Mapping),
    /// Sync and list the templates approved by Meta
    #[command(subcommand)]
    Template(Template),
    /// Show what would be sent for an event, without sending it
    Preview(Preview),
    /// Send a message to one number through the queue and the sending function
    SendTest(SendTest),
    /// Explain the outcome of an event, or of all events of a number or an order
    Explain(Explain),
    /// Count events and messages by outcome; exit with 1 if a message is unaccounted for
    Audit(Audit),
    /// List, cancel or send the messages and reminders that wait
    #[command(subcommand)]
    Schedule(Schedule),
    /// List and resolve messages whose outcome is unknown
    #[command(subcommand)]
    Unknown(Unknown),
    /// Send a message again
    Resend(Resend),
    /// List and redrive dead letters
    #[command(subcommand)]
    Dead(Dead),
    /// Suppress messages to a number
    Suppress(Suppress),
    /// Lift a suppression of a number
    Unsuppress(Unsuppress),
    /// Import and export suppressions and consents
    #[command(subcommand)]
    Contacts(Contacts),
    /// Erase a person's data
    Erase(Erase),
    /// Check everything that the stack depends on, and say what to do; exit with 1 on findings
    Doctor,
    /// Print the completion script of a shell
    Completions(Completions),
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  bridge completions bash > ~/.local/share/bash-completion/completions/bridge")]
pub(crate) struct Completions {
    /// Shell that reads the script
    pub(crate) shell: Shell,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Site {
    /// Add a site and print its key, which is shown only once
    #[command(after_help = "Example:\n  bridge site add negozio url=https://www.example.com retention_days=60")]
    Add {
        /// Site id
        id: String,
        /// Settings that differ from the defaults
        #[arg(value_name = "NAME=VALUE")]
        settings: Vec<String>,
    },
    /// Show the site's settings, keys, accounts, mappings and webhook
    Show,
    /// Change settings of the site
    #[command(after_help = "Example:\n  bridge site set time_zone=Europe/Zurich default_language=de")]
    Set {
        /// Settings to change; an empty value removes an optional setting
        #[arg(value_name = "NAME=VALUE", required = true)]
        settings: Vec<String>,
    },
    /// Create a new key; existing keys stay valid until they are revoked
    #[command(after_help = "Example:\n  bridge site rotate-key\n  bridge site rotate-key --revoke 1f2e3d4c5b6a")]
    RotateKey {
        /// Revoke the key with this id, the part between pwb_ and the next underscore
        #[arg(long, value_name = "KEY ID")]
        revoke: Vec<String>,
    },
    /// Set how webhook requests are authenticated; creates the webhook if there is none
    #[command(after_help = "Meta signs requests with the app secret. A provider that does not sign them\n\
        sends a token in a header.\n\n\
        Example:\n  bridge site set-webhook --app-secret-file secret.txt\n  \
        bridge site set-webhook --token-header X-Webhook-Token --token-file token.txt")]
    SetWebhook {
        /// File with the app secret, or - for standard input; requests must be signed
        #[arg(long, value_name = "FILE", conflicts_with = "token_header", required_unless_present = "token_header")]
        app_secret_file: Option<PathBuf>,
        /// Header that carries a token; requests are not signed
        #[arg(long, value_name = "NAME", requires = "token_file")]
        token_header: Option<String>,
        /// File with that token, or - for standard input
        #[arg(long, value_name = "FILE", requires = "token_header")]
        token_file: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Account {
    /// Add an account
    #[command(after_help = "Example:\n  bridge account add main --token-file token.txt \\\n    \
        base_url=https://api.example.com/v23.0 phone_number_id=106 waba_id=102")]
    Add {
        /// Account id
        id: String,
        /// File with the access token, or - for standard input
        #[arg(long, value_name = "FILE")]
        token_file: PathBuf,
        /// Settings of the account
        #[arg(value_name = "NAME=VALUE")]
        settings: Vec<String>,
    },
    /// Show an account's settings and whether it is stopped
    Show {
        /// Account id; defaults to the site's default account
        id: Option<String>,
    },
    /// Change settings of an account; another host in base_url requires the token again
    Set {
        /// Account id
        id: String,
        /// File with a new access token, or - for standard input
        #[arg(long, value_name = "FILE")]
        token_file: Option<PathBuf>,
        /// Settings to change
        #[arg(value_name = "NAME=VALUE")]
        settings: Vec<String>,
    },
    /// Test the settings in order and stop at the first wrong one; sends nothing
    Test {
        /// Account id; defaults to the site's default account
        id: Option<String>,
    },
    /// End an account's stop now, without waiting for a successful probe
    Start {
        /// Account id
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Mapping {
    /// Report every error of a mapping file
    Check {
        /// YAML or JSON file, or - for standard input
        file: PathBuf,
    },
    /// Check a mapping and save it
    Apply {
        /// YAML or JSON file, or - for standard input
        file: PathBuf,
    },
    /// List the mappings and their state: enabled, disabled, needs review, or paused
    List,
    /// Accept a mapping's templates as they are now, so that it sends again
    #[command(after_help = "Look at the templates first: `bridge preview` shows what would be sent.\n\n\
        Example:\n  bridge mapping confirm stato-ordine")]
    Confirm {
        /// Mapping id
        id: String,
    },
    /// Enable a mapping after checking it
    Enable {
        /// Mapping id
        id: String,
    },
    /// Disable a mapping; its planned messages are not sent
    Disable {
        /// Mapping id
        id: String,
    },
    /// Delete a mapping; its planned messages are not sent, its history stays
    Delete {
        /// Mapping id
        id: String,
        /// Confirm the deletion
        #[arg(long)]
        yes: bool,
    },
    /// List every saved version of a mapping, even after its deletion
    History {
        /// Mapping id
        id: String,
    },
    /// Print a mapping as YAML, or write all mappings into a folder
    #[command(after_help = "Example:\n  bridge mapping export stato-ordine > stato-ordine.yaml\n  \
        bridge mapping export stato-ordine --version 3 | bridge mapping apply -\n  \
        bridge mapping export --dir azioni")]
    Export {
        /// Mapping id
        #[arg(required_unless_present = "dir")]
        id: Option<String>,
        /// Earlier version, by its number in the history
        #[arg(long, value_name = "NUMBER", requires = "id")]
        version: Option<u64>,
        /// Folder for all mappings, one file each
        #[arg(long, value_name = "DIR", conflicts_with = "id")]
        dir: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Template {
    /// Read the template lists now and name the mappings that need a review
    Sync {
        /// Accept the list even if a large part of the templates is missing from it
        #[arg(long)]
        even_if_many_go: bool,
    },
    /// List the templates as of the last sync
    List,
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
