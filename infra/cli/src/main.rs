//! The command line of the bridge, for operators and developers. It works on the local run or on a stack on AWS.
//!
//! [`args`] defines the command line, and [`stack`] opens the resources it works on. Every other module is one command
//! or a shared part.

mod account;
mod args;
mod ask;
mod completions;
mod contacts;
mod days;
mod dead;
mod doctor;
mod document;
mod erase;
mod explain;
mod failure;
mod language;
mod mapping;
mod number;
mod outcome;
mod output;
mod preview;
mod progress;
mod random;
mod resend;
mod schedule;
mod send_test;
mod settings;
mod signing;
mod site;
mod stack;
mod suppress;
mod template;
mod unknown;
mod usage;
mod variable;
mod webhook;
mod yaml;

use std::ffi::OsString;
use std::process::ExitCode;

use runtime::env::Environment;
use texts::Texts;

use args::{Cli, Command};
use failure::Failure;
use output::Output;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let texts = language::chosen(&arguments, &Environment::process()).texts();
    let cli = match usage::parse(arguments, texts) {
        Ok(cli) => cli,
        Err(error) => return usage::end(&error, texts),
    };
    match run(cli, texts).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("bridge: {}", failure.words(texts));
            ExitCode::from(failure.code())
        }
    }
}

async fn run(cli: Cli, texts: &'static Texts) -> Result<(), Failure> {
    let Cli { common, command } = cli;
    let output = Output { json: common.json, texts, show_phones: common.show_phones };
    let open = || stack::open(&common);
    match command {
        Command::Site(command) => site::run(command, &open().await?, output).await,
        Command::Account(command) => account::run(command, &open().await?, output).await,
        Command::Mapping(command) => mapping::run(command, &open().await?, output).await,
        Command::Template(command) => template::run(command, &open().await?, output).await,
        Command::Variable(command) => {
            variable::run(&command, output);
            Ok(())
        }
        // A preview of files alone needs no stack.
        Command::Preview(command) => preview::run(&command, &common, open().await, output).await,
        Command::SendTest(command) => send_test::run(&command, &open().await?, output).await,
        Command::Explain(command) => explain::explain(&command, &open().await?, output).await,
        Command::Audit(command) => explain::audit(&command, &open().await?, output).await,
        Command::Schedule(command) => schedule::run(command, &open().await?, output).await,
        Command::Unknown(command) => unknown::run(command, &open().await?, output).await,
        Command::Resend(command) => resend::run(&command, &open().await?, output).await,
        Command::Dead(command) => dead::run(command, &open().await?, output).await,
        Command::Suppress(command) => suppress::suppress(&command, &open().await?, output).await,
        Command::Unsuppress(command) => suppress::unsuppress(&command, &open().await?, output).await,
        Command::Contacts(command) => contacts::run(command, &open().await?, output).await,
        Command::Erase(command) => erase::run(&command, &open().await?, output).await,
        Command::Doctor => doctor::run(&common, output).await,
        Command::Completions(command) => {
            completions::print(&command, output);
            Ok(())
        }
    }
}
