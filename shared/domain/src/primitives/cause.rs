//! Causes of errors: kept as sources, and formatted where they are logged.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// The source of an error. Clones share it.
///
/// `Debug` shows the texts only: the debug output of an SDK's error may contain a whole response, with secrets and
/// personal data.
#[derive(Clone)]
pub struct Cause(Arc<dyn Error + Send + Sync>);

impl Cause {
    /// Creates a cause from an error, or from a text where there is no error.
    #[must_use]
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Arc::from(error.into()))
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&chain(self))
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// Two causes are equal if they are shown equally.
impl PartialEq for Cause {
    fn eq(&self, other: &Self) -> bool {
        chain(self) == chain(other)
    }
}

impl Eq for Cause {}

/// Returns an error with its sources, on one line.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the table is busy")]
    struct Busy(#[source] Cause);

    #[test]
    fn a_chain_names_every_source_once() {
        let error = Busy(Cause::new(Busy(Cause::new("throttled"))));
        assert_eq!(chain(&error), "the table is busy: the table is busy: throttled");
        assert_eq!(format!("{error:?}"), "Busy(the table is busy: throttled)");
    }
}
