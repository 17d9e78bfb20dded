//! The commands about events and messages.

use std::path::PathBuf;

use clap::{Args, Subcommand};

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
    /// What became of the messages to a number, what holds for it, and what the last days' events left out of it
    #[arg(long, value_name = "NUMBER")]
    pub(crate) phone: Option<String>,
    /// Everything about an order, by Passweb's number or by the code that customers know, OC1/1320
    #[arg(long, value_name = "ID")]
    pub(crate) order: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Audit {
    /// How many days back. Older events can't change any more: no message is of use for longer than a week
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub(crate) days: u16,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Schedule {
    /// List what waits, by its moment, and why at this one; messages of an account's lane go oldest first
    #[command(after_help = "Example:\n  bridge schedule list --event c4a1b7e2-77 --lang en")]
    List {
        /// Only what waits because of this event
        #[arg(long, value_name = "ID")]
        event: Option<String>,
        /// At most so many items, the soonest first, and as many of each lane
        #[arg(long, value_name = "N", default_value_t = 100, conflicts_with = "event")]
        limit: usize,
    },
    /// Take a message or a reminder back that waits; it ends as skipped, cancelled
    #[command(after_help = "Example:\n  bridge schedule cancel 1f….2e…\n  bridge schedule cancel bridge:rem.4d…")]
    Cancel {
        /// The message's id, or the reminder's
        id: String,
    },
    /// Have a message go now that waits, without its interval, hold and quiet hours; or raise a reminder now
    #[command(
        after_help = "What else it waits for still counts: a site that is paused, an account that is stopped, a template\n\
        that Meta does not take. Whoever opted out meanwhile gets nothing. A reminder is raised within a minute, and its\n\
        message keeps quiet hours: have that go now, too.\n\n\
        Example:\n  bridge schedule fire-now 1f….2e…\n  bridge schedule fire-now bridge:rem.4d…"
    )]
    FireNow {
        /// The message's id, or the reminder's
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Unknown {
    /// List them
    List {
        /// How many days back
        #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=3650))]
        days: u16,
    },
    /// Say what became of one
    #[command(after_help = "Example:\n  bridge unknown resolve 1f….2e… --arrived --note 'il cliente lo ha letto'")]
    Resolve {
        /// The message's id
        message: String,
        /// It arrived
        #[arg(long, conflicts_with = "not_arrived", required_unless_present = "not_arrived")]
        arrived: bool,
        /// It did not arrive; `bridge resend` can send it again
        #[arg(long)]
        not_arrived: bool,
        /// How you know
        #[arg(long, value_name = "TEXT")]
        note: String,
    },
}

#[derive(Debug, Args)]
#[command(
    after_help = "It goes the way of every message: whoever opted out meanwhile gets nothing. It is of use as long\n\
    as its mapping says, from now on.\n\nExample:\n  bridge resend 1f….2e… --yes"
)]
pub(crate) struct Resend {
    /// The message's id
    pub(crate) message: String,
    /// Yes, send it again
    #[arg(long)]
    pub(crate) yes: bool,
    /// Even if nobody knows whether it arrived and its mapping never sends such a message again
    #[arg(long)]
    pub(crate) even_if_unknown: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Dead {
    /// List them
    List {
        /// How many days back
        #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u16).range(1..=3650))]
        days: u16,
    },
    /// Put them back into their queue, once the cause is repaired
    #[command(
        after_help = "Example:\n  bridge dead redrive 059f36b4-87a3-44ab-83d2-661975830a7d\n  bridge dead redrive --all"
    )]
    Redrive {
        /// The id of one
        #[arg(required_unless_present = "all")]
        id: Option<String>,
        /// All that were not put back yet
        #[arg(long, conflicts_with = "id")]
        all: bool,
        /// How many days back
        #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u16).range(1..=3650))]
        days: u16,
    },
}
