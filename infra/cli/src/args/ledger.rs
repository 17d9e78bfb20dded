//! The commands about events and messages.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct Preview {
    #[arg(long, value_name = "ID|FILE")]
    pub(crate) mapping: String,
    #[arg(long, value_name = "ID|FILE|-")]
    pub(crate) event: String,
    #[arg(long, value_name = "FILE")]
    pub(crate) template: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct SendTest {
    #[arg(long, value_name = "ID")]
    pub(crate) mapping: String,
    #[arg(long, value_name = "ID|FILE|-")]
    pub(crate) event: String,
    #[arg(long, value_name = "+39…")]
    pub(crate) phone: String,
    #[arg(long, default_value_t = 30)]
    pub(crate) wait: u32,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Explain {
    #[arg(long, value_name = "ID")]
    pub(crate) event: Option<String>,
    #[arg(long, value_name = "NUMBER")]
    pub(crate) phone: Option<String>,
    #[arg(long, value_name = "ID")]
    pub(crate) order: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Audit {
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub(crate) days: u16,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Schedule {
    List {
        #[arg(long, value_name = "ID")]
        event: Option<String>,
        #[arg(long, value_name = "N", default_value_t = 100, conflicts_with = "event")]
        limit: usize,
    },
    Cancel {
        id: String,
    },
    FireNow {
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Unknown {
    List {
        #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=3650))]
        days: u16,
    },
    Resolve {
        message: String,
        #[arg(long, conflicts_with = "not_arrived", required_unless_present = "not_arrived")]
        arrived: bool,
        #[arg(long)]
        not_arrived: bool,
        #[arg(long, value_name = "TEXT")]
        note: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Resend {
    pub(crate) message: String,
    #[arg(long)]
    pub(crate) yes: bool,
    #[arg(long)]
    pub(crate) even_if_unknown: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Dead {
    List {
        #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u16).range(1..=3650))]
        days: u16,
    },
    Redrive {
        #[arg(required_unless_present = "all")]
        id: Option<String>,
        #[arg(long, conflicts_with = "id")]
        all: bool,
        #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u16).range(1..=3650))]
        days: u16,
    },
}
