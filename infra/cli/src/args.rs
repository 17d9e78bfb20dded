//! The command line: what every command understands, and the commands about configuration; the modules have the
//! others.

mod ledger;
mod people;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::output::Lang;

pub(crate) use ledger::{Audit, Dead, Explain, Preview, Resend, Schedule, SendTest, Unknown};
pub(crate) use people::{Contacts, Erase, Scope, Source, Suppress, Unsuppress};

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
    /// What waits for its moment
    #[command(subcommand)]
    Schedule(Schedule),
    /// Messages of which nobody knows whether they were sent
    #[command(subcommand)]
    Unknown(Unknown),
    /// Send a message again
    Resend(Resend),
    /// Records nobody could process
    #[command(subcommand)]
    Dead(Dead),
    /// Write to a number no more
    Suppress(Suppress),
    /// Write to a number again
    Unsuppress(Unsuppress),
    /// Lists of suppressions and consents
    #[command(subcommand)]
    Contacts(Contacts),
    /// Erase what is known of a person
    Erase(Erase),
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
    /// Set how the site's webhook is believed; makes one where there is none
    #[command(
        after_help = "Meta signs with the app's secret; a provider that does not sign sends a token in a header.\n\n\
        Example:\n  bridge site set-webhook --app-secret-file secret.txt\n  \
        bridge site set-webhook --token-header X-Webhook-Token --token-file token.txt"
    )]
    SetWebhook {
        /// The file with the app's secret, - for standard input: requests are signed
        #[arg(long, value_name = "FILE", conflicts_with = "token_header", required_unless_present = "token_header")]
        app_secret_file: Option<PathBuf>,
        /// The header a token comes in: requests are not signed
        #[arg(long, value_name = "NAME", requires = "token_file")]
        token_header: Option<String>,
        /// The file with that token, - for standard input
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
        /// The account's id
        id: String,
        /// The file with the access token, - for standard input
        #[arg(long, value_name = "FILE")]
        token_file: PathBuf,
        /// Settings
        #[arg(value_name = "NAME=VALUE")]
        settings: Vec<String>,
    },
    /// Show an account's settings, and whether it is stopped
    Show {
        /// The account's id; the site's default account unless named
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
        /// The account's id; the site's default account unless named
        id: Option<String>,
    },
    /// End an account's stop now, instead of when a message shows that it can send again
    Start {
        /// The account's id
        id: String,
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
    /// List the mappings: enabled, disabled, or in need of a look because a template changed
    List,
    /// Accept the templates of a mapping as they are now, so that it sends again
    #[command(after_help = "Look at the templates first: `bridge preview` shows what would be sent.\n\n\
        Example:\n  bridge mapping confirm stato-ordine")]
    Confirm {
        /// The mapping's id
        id: String,
    },
    /// Switch a mapping on, if its check finds nothing wrong
    Enable {
        /// The mapping's id
        id: String,
    },
    /// Switch a mapping off; what is planned for it is not sent
    Disable {
        /// The mapping's id
        id: String,
    },
    /// Delete a mapping; what is planned for it is not sent, its history stays
    Delete {
        /// The mapping's id
        id: String,
        /// Yes, delete it
        #[arg(long)]
        yes: bool,
    },
    /// List every version of a mapping that was saved, deleted mappings included
    History {
        /// The mapping's id
        id: String,
    },
    /// Print a mapping as YAML, or write all of them into a folder
    #[command(after_help = "Example:\n  bridge mapping export stato-ordine > stato-ordine.yaml\n  \
        bridge mapping export stato-ordine --version 3 | bridge mapping apply -\n  \
        bridge mapping export --dir azioni")]
    Export {
        /// The mapping's id
        #[arg(required_unless_present = "dir")]
        id: Option<String>,
        /// An earlier version, by its number in the history
        #[arg(long, value_name = "NUMBER", requires = "id")]
        version: Option<u64>,
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
