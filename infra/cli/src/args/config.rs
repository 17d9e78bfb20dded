//! The commands about variables and new mappings.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use domain::event::{EventType, Notification};

#[derive(Debug, Subcommand)]
pub(crate) enum Variable {
    List {
        #[arg(long, value_name = "TYPE", value_parser = notifying())]
        event: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct NewMapping {
    #[arg(long, value_name = "TYPE", value_parser = notifying())]
    pub(crate) event: String,
    #[arg(long, value_name = "NAME")]
    pub(crate) template: String,
    #[arg(long, value_name = "CODE")]
    pub(crate) language: Option<String>,
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Accepts the event types that can notify.
fn notifying() -> PossibleValuesParser {
    let kinds = EventType::ALL.into_iter().filter(|kind| kind.notification() != Notification::Never);
    PossibleValuesParser::new(kinds.map(EventType::name))
}
