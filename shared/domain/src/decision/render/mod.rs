//! Rendering: the values of a message, according to WhatsApp's rules.
//!
//! Meta refuses parameters that are empty or contain line breaks, tabs or more than four consecutive spaces. It also
//! checks the length of filled texts. This module applies these rules, so that the bridge skips such a message with a
//! reason and Meta never refuses it.

mod address;
mod buttons;
mod header;
mod lines;
mod locale;
mod place;
mod quotes;
mod shorten;
mod text;
mod value;

use crate::mapping::TemplateUse;
use crate::message::reason::Skip;
use crate::template::Parts;
use crate::template::variable::Context;

pub use buttons::{ButtonValue, FilledButton};
pub use header::FilledHeader;
pub use lines::clean;
pub use locale::{Locale, write};
pub use place::{Fault, Place};
pub use text::{BODY_UNITS_MAX, Filled};

/// A filled template, ready to send. Parts with nothing to fill are omitted, except the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The header.
    pub header: Option<FilledHeader>,
    /// The body.
    pub body: Filled,
    /// The buttons that take a value, in their order.
    pub buttons: Vec<FilledButton>,
}

/// Fills the parts of a template with the values of a mapping, in the language and time zone of `locale`.
///
/// # Errors
/// `value_missing` or `text_too_long`, with the place: `{{1}}` in the body, otherwise `header {{1}}`,
/// `header.image.link`, `buttons.0.suffix` and similar.
pub fn fill(parts: &Parts, chosen: &TemplateUse, context: &Context<'_>, locale: &Locale<'_>) -> Result<Rendered, Skip> {
    let values = value::Writer { context, locale };
    Ok(Rendered {
        header: header::fill(parts.header.as_ref(), chosen.header.as_ref(), &values)?,
        body: text::fill(&parts.body, &chosen.body, &values, text::BODY)?,
        buttons: buttons::fill(&parts.buttons, &chosen.buttons, &values)?,
    })
}

/// Counts UTF-16 units, the strictest way to count WhatsApp's limits.
fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests;
