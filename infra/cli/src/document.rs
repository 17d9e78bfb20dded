//! Reading of text and JSON, from files or standard input, and writing of YAML.

use std::io::Read;
use std::path::Path;

use domain::event::example::filled;
use runtime::Clock;
use secrecy::SecretString;
use serde::Serialize;
use serde_json::Value;

use crate::failure::Failure;

/// Maximum size of a file, in bytes; a mapping has a few thousand.
const BYTES_MAX: u64 = 1024 * 1024;

/// Reads a text file; `-` is standard input.
///
/// # Errors
/// [`Failure::Usage`] if it cannot be read or is too long.
pub(crate) fn read_text(file: &Path) -> Result<String, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::usage(|texts| texts.file_error(file.display().to_string(), texts.io_error(&error)))
    };
    let source: Box<dyn Read> = if file == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(file).map_err(unreadable)?)
    };
    let mut text = String::new();
    let bytes = source.take(BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
    if u64::try_from(bytes).is_ok_and(|bytes| bytes <= BYTES_MAX) {
        Ok(text)
    } else {
        Err(Failure::usage(|texts| texts.file_too_long(file.display().to_string(), BYTES_MAX)))
    }
}

/// Reads a secret. The file must contain nothing else.
///
/// # Errors
/// [`Failure::Usage`] if the file cannot be read, or is not a single secret.
pub(crate) fn read_secret(file: &Path) -> Result<SecretString, Failure> {
    let text = read_text(file)?;
    let secret = text.trim();
    if secret.is_empty() || secret.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
        return Err(Failure::usage(|texts| texts.secret_only()));
    }
    Ok(SecretString::from(secret))
}

/// Reads a JSON document.
///
/// # Errors
/// [`Failure::Usage`] if the file cannot be read or parsed.
pub(crate) fn read_json(file: &Path) -> Result<Value, Failure> {
    parse(file, &read_text(file)?)
}

/// Reads an event that may be a published example, whose times are relative to the present.
///
/// # Errors
/// [`Failure::Usage`] if the file cannot be read or parsed.
pub(crate) fn read_example(file: &Path) -> Result<Value, Failure> {
    parse(file, &filled(&read_text(file)?, Clock::system().now()))
}

fn parse(file: &Path, text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|error| {
        Failure::usage(|texts| {
            texts.file_error(file.display().to_string(), texts.not_json(error.line(), error.column()))
        })
    })
}

/// Formats a document as YAML.
///
/// # Errors
/// [`Failure::No`], which does not occur for values that JSON can represent.
pub(crate) fn to_yaml(document: &impl Serialize) -> Result<String, Failure> {
    serde_norway::to_string(document).map_err(|error| Failure::internal(&error))
}
