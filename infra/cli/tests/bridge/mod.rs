//! The `bridge` binary, connected to the emulators of a story.

// Every test binary uses only a part of this module.
#![allow(dead_code)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use domain::event::EventType;
use kit::World;
use runtime::Clock;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The repository's documentation folder.
pub(crate) const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");

/// The binary, connected to a world.
pub(crate) struct Bridge {
    pub(crate) world: World,
    pub(crate) folder: TempDir,
}

/// The result of a command.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// Parses its output as JSON.
    pub(crate) fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.out).with_context(|| format!("{self:?}"))
    }
}

impl Bridge {
    /// Starts a world at the current time.
    pub(crate) async fn new() -> Result<Self> {
        let world = World::start().await?;
        // The binary uses the system clock, so the story takes place now.
        world.clock.advance(Clock::system().now().duration_since(world.clock.now()));
        Self::of(world)
    }

    /// Connects the binary to a world.
    pub(crate) fn of(world: World) -> Result<Self> {
        let bridge = Self { world, folder: tempfile::tempdir()? };
        bridge.connect()?;
        Ok(bridge)
    }

    /// Connects the binary to the world's current tables.
    pub(crate) fn connect(&self) -> Result<()> {
        let variables = self.world.variables();
        let variables: String = variables.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        let env_file = self.file("functions.env", &variables)?;
        let demo = json!({"base_url": "http://127.0.0.1:8080", "site": "demo", "env_file": env_file});
        self.file("demo.json", &demo.to_string())?;
        Ok(())
    }

    /// Runs a command while the world continues.
    pub(crate) async fn run(&self, args: &[&str], input: &str) -> Result<Ended> {
        run(self.folder.path(), args, input).await
    }

    /// Runs a command that must end with 0, and returns its JSON.
    pub(crate) async fn ok(&self, args: &[&str]) -> Result<Value> {
        let ended = self.run(&[args, &["--json"]].concat(), "").await?;
        anyhow::ensure!(ended.code == 0, "{args:?}: {ended:?}");
        ended.json()
    }

    /// Loads an event from the documentation, as if it happened now.
    pub(crate) fn event(&self, kind: &str, id: &str) -> Result<Value> {
        let mut event = kit::example(EventType::of(kind).context("no such type")?)?;
        let fields = event.as_object_mut().context("no object")?;
        fields.insert("id".to_owned(), id.into());
        fields.insert("occurred_at".to_owned(), self.world.clock.now().to_string().into());
        Ok(event)
    }

    /// Returns a variable of the world.
    pub(crate) fn variable(&self, name: &str) -> Result<String> {
        let variable = self.world.variables().into_iter().find(|(known, _)| *known == name);
        variable.map(|(_, value)| value).with_context(|| format!("no {name}"))
    }

    /// Writes a file and returns its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> Result<String> {
        let file = self.folder.path().join(name);
        fs::write(&file, text)?;
        Ok(file.display().to_string())
    }
}

/// Runs a command in a folder, with these variables and no others.
pub(crate) async fn run_with(folder: &Path, args: &[&str], variables: &[(&str, String)]) -> Result<Ended> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bridge"));
    command.args(args).current_dir(folder).env_clear().env("HOME", folder);
    command.envs(variables.iter().map(|(name, value)| (*name, value.as_str())));
    ended(command, "").await
}

/// Runs a command on a data folder.
pub(crate) async fn run(data_dir: &Path, args: &[&str], input: &str) -> Result<Ended> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bridge"));
    command.args(args).arg("--data-dir").arg(data_dir);
    // The language must not depend on the machine.
    for variable in ["BRIDGE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"] {
        command.env_remove(variable);
    }
    ended(command, input).await
}

async fn ended(mut command: Command, input: &str) -> Result<Ended> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let input = input.to_owned();
    let ended = tokio::task::spawn_blocking(move || -> Result<std::process::Output> {
        let mut child = command.spawn()?;
        // A command that reads no input may have ended already.
        drop(child.stdin.take().context("no input")?.write_all(input.as_bytes()));
        Ok(child.wait_with_output()?)
    });
    let ended = ended.await??;
    Ok(Ended {
        code: ended.status.code().context("killed")?,
        out: String::from_utf8(ended.stdout)?,
        err: String::from_utf8(ended.stderr)?,
    })
}
