//! One value: its source, and how it is shortened.

use crate::mapping::{Source, ValueSource};
use crate::message::reason::{Reason, Skip};
use crate::primitives::list::List;
use crate::template::variable::{Context, Raw};

use super::lines::clean;
use super::locale::{Locale, write};
use super::shorten::shorten;
use super::units;

/// Writes the values of one message.
pub(super) struct Writer<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) locale: &'a Locale<'a>,
}

impl Writer<'_> {
    /// Returns the value of a source for a text.
    pub(super) fn written(&self, source: &ValueSource, place: &str) -> Result<Written, Skip> {
        let list = match self.own(source) {
            Some(Raw::List(list)) => Some(list.map(clean)).filter(|list| list.first().is_some()),
            _ => None,
        };
        let text = match &list {
            Some(list) => list.to_string(),
            None => self.value(source, place).or_else(|skip| self.when_empty(source).ok_or(skip))?,
        };
        // The mapping cannot know how many names a list will have.
        let may_shorten = source.shorten || list.as_ref().is_some_and(|list| list.total() > 1);
        Ok(Written { text, list, may_shorten })
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
            Source::Variable(_) => self.own(source).map(|raw| write(&raw, source.format, self.locale)),
        };
        let filled = |text: String| Some(adapt(clean(&text))).filter(|text| !text.is_empty());
        let value = own.and_then(&filled).or_else(|| source.default.clone().and_then(&filled));
        value.ok_or_else(|| missing(place, Some(source)))
    }

    /// Returns the value of the source's variable.
    fn own(&self, source: &ValueSource) -> Option<Raw<'_>> {
        match &source.source {
            Source::Variable(variable) => variable.value(self.context),
            Source::Text(_) => None,
        }
    }

    /// Returns the word for an empty value of the source's variable. A default of the mapping replaces it.
    fn when_empty(&self, source: &ValueSource) -> Option<String> {
        match &source.source {
            Source::Variable(_) if source.default.is_some() => None,
            Source::Variable(variable) => Some(variable.when_empty()?.get(self.locale.language).to_owned()),
            Source::Text(_) => None,
        }
    }
}

/// A value as it is sent, and how it may be shortened.
pub(super) struct Written {
    pub(super) text: String,
    /// The names, if the value is a list of names.
    list: Option<List>,
    /// Whether it may be shortened.
    pub(super) may_shorten: bool,
}

impl Written {
    /// Shortens the value to at most `units_max` UTF-16 units. A list loses whole names, which are counted: `(+12)`. A
    /// text is cut, and so is the first name of a list if it does not fit alone.
    pub(super) fn shorten(&mut self, units_max: usize) {
        self.text = match &self.list {
            None => shorten(&self.text, units_max),
            Some(list) => list.within(units_max, units).unwrap_or_else(|| {
                let rest = list.rest(1);
                shorten(list.first().unwrap_or_default(), units_max.saturating_sub(units(&rest))) + &rest
            }),
        };
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
