//! The commands about variables.

use clap::Subcommand;
use clap::builder::PossibleValuesParser;
use domain::event::{EventType, Notification};

#[derive(Debug, Subcommand)]
pub(crate) enum Variable {
    List {
        #[arg(long, value_name = "TYPE", value_parser = notifying())]
        event: Option<String>,
    },
}

/// Accepts the event types that can notify.
fn notifying() -> PossibleValuesParser {
    let kinds = EventType::ALL.into_iter().filter(|kind| kind.notification() != Notification::Never);
    PossibleValuesParser::new(kinds.map(EventType::name))
}
