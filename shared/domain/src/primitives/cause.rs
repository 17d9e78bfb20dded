//! Errors as text for logs.

/// An error with its causes on one line. Only what they say of themselves: an SDK's debug output may hold a whole
/// answer, secrets and rows included.
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
