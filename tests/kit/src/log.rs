//! The log of the functions in stories. It is a file, so that the suite `logs` can search it for personal data.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use anyhow::{Context, Result};
use runtime::env::Environment;
use serde_json::Value;

/// The folder of the log files. There is one file per test binary, truncated at each run.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.local/logs/stories");

/// Configures logging as the functions do on Lambda by default: JSON, level INFO and above.
///
/// # Errors
/// If the file cannot be written.
pub(crate) fn start() -> Result<()> {
    static STARTED: OnceLock<std::result::Result<(), String>> = OnceLock::new();
    let started = STARTED.get_or_init(|| {
        let file = create().map_err(|error| format!("{error:#}"))?;
        let environment = Environment::of(&[("AWS_LAMBDA_LOG_FORMAT", "JSON"), ("AWS_LAMBDA_LOG_LEVEL", "INFO")]);
        runtime::telemetry::start_into(&environment, Mutex::new(file));
        Ok(())
    });
    started.clone().map_err(anyhow::Error::msg)
}

/// Returns the lines of this process's log that contain a text, such as an id that only one story uses.
///
/// # Errors
/// If the file cannot be read, or a line is not JSON.
pub fn lines_with(text: &str) -> Result<Vec<Value>> {
    let log = fs::read_to_string(path()?)?;
    log.lines().filter(|line| line.contains(text)).map(|line| Ok(serde_json::from_str(line)?)).collect()
}

fn create() -> Result<File> {
    let path = path()?;
    fs::create_dir_all(FOLDER).with_context(|| format!("cannot create {FOLDER}"))?;
    File::create(&path).with_context(|| format!("cannot write {}", path.display()))
}

fn path() -> Result<PathBuf> {
    let binary = std::env::current_exe().context("the binary has no name")?;
    let stem = binary.file_stem().and_then(|stem| stem.to_str()).unwrap_or("stories");
    // Cargo appends a hash to the name of the binary.
    let name = stem.rsplit_once('-').map_or(stem, |(name, _)| name);
    Ok(Path::new(FOLDER).join(format!("{name}.log")))
}
