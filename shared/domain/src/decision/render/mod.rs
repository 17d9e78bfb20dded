//! Rendering: values in the words and by the rules of WhatsApp.
//!
//! Meta refuses parameters with line breaks, tabs, more than four blanks in a row or nothing in them, and checks the
//! length of what is filled. All of that is settled here, part by part, so that a send is refused by us with a reason and never
//! by them.

mod address;
mod buttons;
mod header;
mod locale;
mod place;
mod text;
mod value;

use crate::mapping::TemplateUse;
use crate::message::reason::Skip;
use crate::template::Parts;
use crate::template::variable::Context;

pub use buttons::{ButtonValue, FilledButton};
pub use header::FilledHeader;
pub use locale::{Locale, write};
pub use place::{Fault, Place};
pub use text::{BODY_UNITS_MAX, Filled};
pub use value::clean;

/// A template filled, as it is sent. Parts with nothing to fill are not in it, but for the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The header.
    pub header: Option<FilledHeader>,
    /// The body.
    pub body: Filled,
    /// The buttons that take a value, in their order.
    pub buttons: Vec<FilledButton>,
}

/// Fills the parts of a template with what a mapping says, by the customs of `locale`.
///
/// # Errors
/// `value_missing` or `text_too_long`, with the place: `{{1}}` in the body, else `header {{1}}`, `header.image.link`,
/// `buttons.0.suffix` and the like.
pub fn fill(parts: &Parts, chosen: &TemplateUse, context: &Context<'_>, locale: &Locale<'_>) -> Result<Rendered, Skip> {
    let values = value::Writer { context, locale };
    Ok(Rendered {
        header: header::fill(parts.header.as_ref(), chosen.header.as_ref(), &values)?,
        body: text::fill(&parts.body, &chosen.body, &values, text::BODY)?,
        buttons: buttons::fill(&parts.buttons, &chosen.buttons, &values)?,
    })
}

/// UTF-16 units, the strictest way anybody counts WhatsApp's limits.
fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests;
