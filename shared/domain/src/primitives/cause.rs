//! Errors as text for logs.

/// Returns an error and its sources on one line.
///
/// Only their display forms are used. An SDK's debug output can contain a whole response, including secrets and items.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
