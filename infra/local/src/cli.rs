//! The command line. It also declares every environment variable that the local run reads.

use std::{io::IsTerminal, path::PathBuf};

use clap::Parser;

/// Runs the whole bridge on this machine: the functions as they ship, AWS emulated inside this process, and a simulated
/// WhatsApp phone.
#[derive(Clone, Debug, Parser)]
#[command(name = "local", version)]
pub struct Options {
    /// Port of the bridge on 127.0.0.1
    #[arg(long, env = "BRIDGE_PORT", default_value_t = 8080)]
    pub port: u16,
    /// Port of the WA Smart Business simulator on 127.0.0.1
    #[arg(long, env = "BRIDGE_SIMULATOR_PORT", default_value_t = 8090)]
    pub simulator_port: u16,
    /// Folder for the tables and secrets [default: .local/data in the workspace]
    #[arg(long, env = "BRIDGE_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Start with empty tables and new secrets
    #[arg(long)]
    pub fresh: bool,
    /// The cargo that builds the functions; `cargo run` sets this to itself
    #[arg(long, env = "CARGO", default_value = "cargo", hide = true, hide_env = true)]
    pub cargo: PathBuf,
    /// Disables colours if set to any non-empty value, see no-color.org
    #[arg(long, env = "NO_COLOR", hide = true, hide_env = true)]
    pub no_color: Option<String>,
}

impl Options {
    /// Returns whether to colour the output: standard output is a terminal, and `NO_COLOR` is unset or empty.
    #[must_use]
    pub fn colour(&self) -> bool {
        self.accepts_colour() && std::io::stdout().is_terminal()
    }

    fn accepts_colour(&self) -> bool {
        self.no_color.as_deref().is_none_or(str::is_empty)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Options::command().debug_assert();
    }

    #[test]
    fn flags_are_read() {
        let options =
            Options::parse_from(["local", "--port", "1", "--simulator-port", "2", "--data-dir", "d", "--fresh"]);
        assert_eq!((options.port, options.simulator_port, options.fresh), (1, 2, true));
        assert_eq!(options.data_dir, Some(PathBuf::from("d")));
    }

    #[test]
    fn an_empty_no_color_counts_as_unset() {
        // clap reads the variable like the option.
        for (value, accepts_colour) in [("", true), ("1", false), ("0", false)] {
            let options = Options::try_parse_from(["local", "--no-color", value]).unwrap();
            assert_eq!(options.accepts_colour(), accepts_colour, "NO_COLOR={value}");
        }
    }
}
