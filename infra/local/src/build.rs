//! Builds the functions with the cargo that started this process and locates their executables.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::process::Command;

/// Prefixes of variables that `cargo run` sets for this process and that the inner cargo must not inherit. With them,
/// build scripts assume that everything has changed.
const FOREIGN_PREFIXES: [&str; 2] = ["CARGO_PKG_", "CARGO_MANIFEST_"];
const FOREIGN: [&str; 3] = ["LD_LIBRARY_PATH", "CARGO_BIN_NAME", "CARGO_PRIMARY_PACKAGE"];

/// Returns the folder of the workspace's manifest.
///
/// # Errors
/// When the sources of this binary no longer exist.
pub fn workspace() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root =
        std::fs::canonicalize(&root).with_context(|| format!("the sources are no longer in {}", root.display()))?;
    if root.join("Cargo.toml").is_file() { Ok(root) } else { bail!("{} is not the workspace", root.display()) }
}

/// Builds the default members of the workspace and returns their executables by name. An up-to-date build takes almost
/// no time. Cargo's own messages go to the terminal. Dropping the future stops the build.
///
/// # Errors
/// When cargo cannot be started, the build fails, or a function has no executable.
pub async fn functions(cargo: &Path, workspace: &Path, names: &[&str]) -> Result<HashMap<String, PathBuf>> {
    let mut command = Command::new(cargo);
    command
        .args(["build", "--message-format=json-render-diagnostics"])
        .args((!cfg!(debug_assertions)).then_some("--release"))
        .current_dir(workspace)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    for (name, _) in std::env::vars_os() {
        let foreign =
            |name: &str| FOREIGN.contains(&name) || FOREIGN_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        if name.to_str().is_some_and(foreign) {
            command.env_remove(name);
        }
    }
    let child = command.spawn().with_context(|| format!("cannot start {}", cargo.display()))?;
    let output = child.wait_with_output().await.context("cargo build")?;
    if !output.status.success() {
        bail!("the functions do not build (cargo: {})", output.status);
    }
    let executables = executables(&String::from_utf8_lossy(&output.stdout));
    for name in names {
        if !executables.contains_key(*name) {
            bail!("cargo build made no executable for {name}");
        }
    }
    Ok(executables)
}

/// Extracts the binaries from cargo's messages, which are one JSON object per line.
fn executables(messages: &str) -> HashMap<String, PathBuf> {
    let artifact = |line: &str| {
        let message: Value = serde_json::from_str(line).ok()?;
        let target = message.get("target")?;
        let is_binary = target.get("kind")?.as_array()?.iter().any(|kind| kind == "bin");
        let name = target.get("name")?.as_str().filter(|_| is_binary)?;
        Some((name.to_owned(), PathBuf::from(message.get("executable")?.as_str()?)))
    };
    messages.lines().filter_map(artifact).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_binary_artifacts_yield_executables() {
        let messages = r#"
{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"domain"},"executable":null}
{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"send-message"},"executable":"/t/debug/send-message"}
{"reason":"build-script-executed","package_id":"x"}
not json
{"reason":"build-finished","success":true}"#;
        let expected = [("send-message".to_owned(), PathBuf::from("/t/debug/send-message"))];
        assert_eq!(executables(messages), HashMap::from(expected));
    }

    #[test]
    fn the_workspace_contains_the_functions() {
        assert!(workspace().unwrap().join("functions/receive-event/Cargo.toml").is_file());
    }
}
