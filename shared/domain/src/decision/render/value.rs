//! One value and its source.

use crate::mapping::{Source, ValueSource};
use crate::message::reason::{Reason, Skip};
use crate::template::variable::{Context, Variable};

use super::lines::clean;
use super::locale::{Locale, write};

/// Writes the values of one message.
pub(super) struct Writer<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) locale: &'a Locale<'a>,
}

impl Writer<'_> {
    /// Whether a value may be cut: the mapping allows it, or it names the files of a digest, whose number is not known
    /// in advance.
    pub(super) fn may_shorten(&self, source: &ValueSource) -> bool {
        let names = |variable: &Variable| matches!(variable.definition().id, "file.name" | "files.names");
        let collected = self.context.files.is_some_and(|files| files.count > 1);
        source.shorten || (collected && matches!(&source.source, Source::Variable(variable) if names(variable)))
    }

    /// Returns the cleaned value of a source, or its default if the value is empty.
    pub(super) fn value(&self, source: &ValueSource, place: &str) -> Result<String, Skip> {
        self.adapted(source, place, std::convert::identity)
    }

    /// Returns a value transformed by `adapt`, or the transformed default if the result is empty.
    pub(super) fn adapted(
        &self,
        source: &ValueSource,
        place: &str,
        adapt: impl Fn(String) -> String,
    ) -> Result<String, Skip> {
        let own = match &source.source {
            Source::Text(text) => Some(text.clone()),
            Source::Variable(variable) => {
                variable.value(self.context).map(|raw| write(&raw, source.format, self.locale))
            }
        };
        let filled = |text: String| Some(adapt(clean(&text))).filter(|text| !text.is_empty());
        let value = own.and_then(&filled).or_else(|| source.default.clone().and_then(&filled));
        value.ok_or_else(|| missing(place, Some(source)))
    }
}

/// Returns the skip for an empty value at a place.
pub(super) fn missing(place: &str, source: Option<&ValueSource>) -> Skip {
    Skip::new(Reason::ValueMissing, named(place, source))
}

/// Returns the name of a place, with the variable that fills it.
pub(super) fn named(place: &str, source: Option<&ValueSource>) -> String {
    match source.map(|source| &source.source) {
        Some(Source::Variable(variable)) => format!("{place} = {}", variable.definition().id),
        Some(Source::Text(_)) | None => place.to_owned(),
    }
}
