//! The log of the functions in stories. It is a file, so that the suite `logs` can search it for personal data.

use std::fs::{self, File};
use std::path::Path;
use std::sync::{Mutex, OnceLock};

use anyhow::{Context, Result};
use runtime::env::Environment;

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

fn create() -> Result<File> {
    let binary = std::env::current_exe().context("the binary has no name")?;
    let stem = binary.file_stem().and_then(|stem| stem.to_str()).unwrap_or("stories");
    // Cargo appends a hash to the name of the binary.
    let name = stem.rsplit_once('-').map_or(stem, |(name, _)| name);
    fs::create_dir_all(FOLDER).with_context(|| format!("cannot create {FOLDER}"))?;
    let path = Path::new(FOLDER).join(format!("{name}.log"));
    File::create(&path).with_context(|| format!("cannot write {}", path.display()))
}
