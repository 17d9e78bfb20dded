//! The commands about events and messages.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  bridge preview --mapping azioni/ordini.yaml --event evento.json --json")]
pub(crate) struct Preview {
    /// Mapping id, or a mapping file
    #[arg(long, value_name = "ID|FILE")]
    pub(crate) mapping: String,
    /// Event id in the ledger, an event file, or - for standard input
    #[arg(long, value_name = "ID|FILE|-")]
    pub(crate) event: String,
    /// Template file, as WA Smart Business lists it, to use instead of the synced template
    #[arg(long, value_name = "FILE")]
    pub(crate) template: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "A person with the given number replaces the event's recipient. All other numbers\n\
    are removed from the event.\n\n\
    Example:\n  bridge send-test --mapping stato-ordine --event evento.json --phone +393401234567")]
pub(crate) struct SendTest {
    /// Mapping id
    #[arg(long, value_name = "ID")]
    pub(crate) mapping: String,
    /// Event id in the ledger, an event file, or - for standard input
    #[arg(long, value_name = "ID|FILE|-")]
    pub(crate) event: String,
    /// Number to send to
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
    /// Event id
    #[arg(long, value_name = "ID")]
    pub(crate) event: Option<String>,
    /// Phone number; shows its messages, its suppressions and consent, and recent events that left it out
    #[arg(long, value_name = "NUMBER")]
    pub(crate) phone: Option<String>,
    /// Order, by Passweb's number or by the code that customers see, such as OC1/1320
    #[arg(long, value_name = "ID")]
    pub(crate) order: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// Number of days to look back; older events cannot change, because no message is useful for more than a week
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub(crate) days: u16,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Schedule {
    /// List what waits, with its due time and the reason; lanes list their oldest messages first
    #[command(after_help = "Example:\n  bridge schedule list --event c4a1b7e2-77 --lang en")]
    List {
        /// List only what waits because of this event
        #[arg(long, value_name = "ID")]
        event: Option<String>,
        /// Maximum number of items, soonest first; applies to each lane separately
        #[arg(long, value_name = "N", default_value_t = 100, conflicts_with = "event")]
        limit: usize,
    },
    /// Cancel a waiting message or reminder; it ends as skipped, cancelled
    #[command(after_help = "Example:\n  bridge schedule cancel 1f….2e…\n  bridge schedule cancel bridge:rem.4d…")]
    Cancel {
        /// Message id or reminder id
        id: String,
    },
    /// Send a waiting message now, without its interval, hold and quiet hours; or raise a reminder now
    #[command(after_help = "Everything else still delays the message: a paused site, a stopped account, a\n\
        template that Meta does not accept. A person who opted out in the meantime gets\n\
        nothing. A reminder is raised within a minute. Its message waits for the end of\n\
        quiet hours, unless fire-now is used on the message too.\n\n\
        Example:\n  bridge schedule fire-now 1f….2e…\n  bridge schedule fire-now bridge:rem.4d…")]
    FireNow {
        /// Message id or reminder id
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Unknown {
    /// List the messages whose outcome is unknown
    List {
        /// Number of days to look back
        #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=3650))]
        days: u16,
    },
    /// Record whether a message arrived
    #[command(after_help = "Example:\n  bridge unknown resolve 1f….2e… --arrived --note 'il cliente lo ha letto'")]
    Resolve {
        /// Message id
        message: String,
        /// The message arrived
        #[arg(long, conflicts_with = "not_arrived", required_unless_present = "not_arrived")]
        arrived: bool,
        /// The message did not arrive; `bridge resend` can send it again
        #[arg(long)]
        not_arrived: bool,
        /// How you know
        #[arg(long, value_name = "TEXT")]
        note: String,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "A resend passes the same checks as every message: a person who has opted out\n\
    gets nothing. Its useful time begins now.\n\n\
    Example:\n  bridge resend 1f….2e… --yes")]
pub(crate) struct Resend {
    /// Message id
    pub(crate) message: String,
    /// Send without asking
    #[arg(long)]
    pub(crate) yes: bool,
    /// Send even if the outcome is unknown and the mapping never resends such a message
    #[arg(long)]
    pub(crate) even_if_unknown: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Dead {
    /// List the dead letters
    List {
        /// Number of days to look back
        #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u16).range(1..=3650))]
        days: u16,
    },
    /// Put dead letters back into their queue, after the cause is fixed
    #[command(
        after_help = "Example:\n  bridge dead redrive 059f36b4-87a3-44ab-83d2-661975830a7d\n  bridge dead redrive --all"
    )]
    Redrive {
        /// Dead letter id
        #[arg(required_unless_present = "all")]
        id: Option<String>,
        /// Redrive every dead letter that was not redriven yet
        #[arg(long, conflicts_with = "id")]
        all: bool,
        /// Number of days to look back
        #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u16).range(1..=3650))]
        days: u16,
    },
}
