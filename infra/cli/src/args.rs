//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::output::Lang;

/// The bridge from Passweb to WhatsApp, for who runs it: sites, accounts, mappings, templates, and why a message was
/// sent or not.
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

Without --stack it talks to the local run. Exit code: 0 done, 1 findings or no,
2 usage, 3 not reachable.";

/// What every command understands.
#[derive(Debug, Args)]
pub(crate) struct Common {
    /// The local run's data folder
    #[arg(long, global = true, env = "BRIDGE_DATA_DIR", value_name = "DIR", default_value = ".local/data")]
    pub(crate) data_dir: PathBuf,
    /// A stack on AWS instead of the local run, by its CloudFormation name
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) stack: Option<String>,
    /// The site; on the local run the demo site unless named
    #[arg(long, global = true, value_name = "ID")]
    pub(crate) site: Option<String>,
    /// JSON on standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Language of what is printed for people
    #[arg(long, global = true, value_enum, default_value_t = Lang::It)]
    pub(crate) lang: Lang,
    /// Show phone numbers whole
    #[arg(long, global = true)]
    pub(crate) show_phones: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sites and their keys
    #[command(subcommand)]
    Site(Site),
    /// WA Smart Business accounts
    #[command(subcommand)]
    Account(Account),
    /// Mappings (azioni): which template tells which event
    #[command(subcommand)]
    Mapping(Mapping),
    /// Templates approved by Meta
    #[command(subcommand)]
    Template(Template),
    /// Show what would be sent for an event; sends nothing
    Preview(Preview),
    /// Send a message to one number, through queue and function like any other
    SendTest(SendTest),
    /// Say what became of an event, a number or an order, and why
    Explain(Explain),
    /// Count events and messages by outcome; 1 if any is unaccounted for
    Audit(Audit),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Site {
    /// Add a site and print its key, which is shown only this once
    #[command(after_help = "Example:\n  bridge site add negozio url=https://www.example.com retention_days=60")]
    Add {
        /// The site's id
        id: String,
        /// Settings other than the defaults
        #[arg(value_name = "NAME=VALUE")]
        settings: Vec<String>,
    },
    /// Show the site's settings, keys and accounts
    Show,
    /// Change settings
    #[command(after_help = "Example:\n  bridge site set time_zone=Europe/Zurich default_language=de")]
    Set {
        /// What to change; an empty value takes the setting away
        #[arg(value_name = "NAME=VALUE", required = true)]
        settings: Vec<String>,
    },
    /// Make a new key; the old ones stay until they are revoked
    #[command(after_help = "Example:\n  bridge site rotate-key\n  bridge site rotate-key --revoke 1f2e3d4c5b6a")]
    RotateKey {
        /// Revoke this key, by the id between pwb_ and the next underscore
        #[arg(long, value_name = "KEY ID")]
        revoke: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Account {
    /// Add an account
    #[command(after_help = "Example:\n  bridge account add main --token-file token.txt \\\n    \
        base_url=https://api.example.com/v23.0 phone_number_id=106 waba_id=102")]
    Add {
        /// The account's id
        id: String,
        /// The file with the access token, - for standard input
        #[arg(long, value_name = "FILE")]
        token_file: PathBuf,
        /// Settings
        #[arg(value_name = "NAME=VALUE")]
        settings: Vec<String>,
    },
    /// Show an account's settings
    Show {
        /// The account's id; the site's first unless named
        id: Option<String>,
    },
    /// Change settings; another host in base_url asks for the token again
    Set {
        /// The account's id
        id: String,
        /// The file with a new access token, - for standard input
        #[arg(long, value_name = "FILE")]
        token_file: Option<PathBuf>,
        /// What to change
        #[arg(value_name = "NAME=VALUE")]
        settings: Vec<String>,
    },
    /// Try every setting and say which is wrong; sends nothing
    Test {
        /// The account's id; the site's first unless named
        id: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Mapping {
    /// Say everything that is wrong with a mapping in a file
    Check {
        /// YAML or JSON, - for standard input
        file: PathBuf,
    },
    /// Check a mapping and save it
    Apply {
        /// YAML or JSON, - for standard input
        file: PathBuf,
    },
    /// Print a mapping as YAML, or write all of them into a folder
    #[command(after_help = "Example:\n  bridge mapping export stato-ordine > stato-ordine.yaml\n  \
        bridge mapping export --dir azioni")]
    Export {
        /// The mapping's id
        #[arg(required_unless_present = "dir")]
        id: Option<String>,
        /// The folder for all mappings, one file each
        #[arg(long, value_name = "DIR", conflicts_with = "id")]
        dir: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Template {
    /// Read the template lists now and name the mappings that need a look
    Sync {
        /// Take the list even if a large part of the templates is gone from it
        #[arg(long)]
        even_if_many_go: bool,
    },
    /// List the templates as last synced
    List,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  bridge preview --mapping azioni/ordini.yaml --event evento.json --json")]
pub(crate) struct Preview {
    /// The mapping: its id, or a file with it
    #[arg(long, value_name = "ID|FILE")]
    pub(crate) mapping: String,
    /// The event: its id in the ledger, a file with it, or - for standard input
    #[arg(long, value_name = "ID|FILE|-")]
    pub(crate) event: String,
    /// A template as WA Smart Business lists it, instead of the synced one
    #[arg(long, value_name = "FILE")]
    pub(crate) template: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "The event's recipient is replaced by a person with your number; all other numbers are\n\
    taken out of it.\n\nExample:\n  bridge send-test --mapping stato-ordine --event evento.json --phone +393401234567")]
pub(crate) struct SendTest {
    /// The mapping's id
    #[arg(long, value_name = "ID")]
    pub(crate) mapping: String,
    /// The event to tell: its id in the ledger, a file with it, or - for standard input
    #[arg(long, value_name = "ID|FILE|-")]
    pub(crate) event: String,
    /// The number to write to
    #[arg(long, value_name = "+39…")]
    pub(crate) phone: String,
    /// Seconds to wait for the outcome
    #[arg(long, default_value_t = 30)]
    pub(crate) wait: u32,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  bridge explain --event c4a1b7e2-77\n  bridge explain --phone '340 1234567' --lang en"
)]
#[group(required = true, multiple = false)]
pub(crate) struct Explain {
    /// An event, by its id
    #[arg(long, value_name = "ID")]
    pub(crate) event: Option<String>,
    /// What was sent to a number, and what the last days' events left out of it
    #[arg(long, value_name = "NUMBER")]
    pub(crate) phone: Option<String>,
    /// Everything about an order, by Passweb's number
    #[arg(long, value_name = "ID")]
    pub(crate) order: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// How many days back. Older events can't change any more: no message is of use for longer than a week
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub(crate) days: u16,
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
    fn an_explanation_is_of_one_thing() {
        for wrong in [&["bridge", "explain"] as &[&str], &["bridge", "explain", "--event", "1", "--order", "2"]] {
            assert!(Cli::try_parse_from(wrong).is_err(), "{wrong:?}");
        }
    }
}
