//! `bridge completions`: the completion script of a shell.

use serde_json::json;

use crate::args::Completions;
use crate::output::Output;
use crate::usage;

/// Prints the script.
pub(crate) fn print(command: &Completions, output: Output) {
    let mut script = Vec::new();
    clap_complete::generate(command.shell, &mut usage::command(output.texts), "bridge", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    output.say(&json!({"shell": command.shell.to_string(), "script": script}), |_| script.clone());
}
