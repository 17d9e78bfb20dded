//! Entry point of `cargo run`: the whole bridge on this machine. See [`local::run`].

use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    local::run::run(local::cli::Options::parse()).await
}
