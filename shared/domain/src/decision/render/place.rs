//! Places of a template with rules of their own for the text that fills them: what is filled in, and what a mapping
//! writes down, is held to the same.

use super::address::https;
use super::text::{BODY_UNITS_MAX, HEADER_UNITS_MAX};
use super::units;

/// Longest file name, in UTF-16 units: no file system has longer ones.
pub(super) const FILENAME_UNITS_MAX: usize = 255;
/// Longest payload, in UTF-16 units. The platform takes 256; the bridge keeps below, for providers that take less.
const PAYLOAD_UNITS_MAX: usize = 128;
/// Longest code, in characters (Meta, template limits).
const CODE_CHARS_MAX: usize = 15;

/// A place that a value fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A placeholder of the body.
    Body,
    /// The placeholder of a header of text.
    HeaderText,
    /// Where WhatsApp fetches a picture, a film or a file.
    Link,
    /// The name of a file.
    Filename,
    /// What is reported when a quick reply is pressed.
    Payload,
    /// A code to be copied.
    Code,
}

/// Why a text cannot be sent at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is no https address.
    NoHttpsAddress,
    /// It has other characters than letters and digits of ASCII.
    OtherThanLettersAndDigits,
    /// It is too long.
    TooLong {
        /// How long it is.
        length: usize,
        /// How long it may be.
        length_max: usize,
    },
}

impl Place {
    /// Why a text that is clean already cannot be sent here; `None` if it can.
    #[must_use]
    pub fn fault(self, text: &str) -> Option<Fault> {
        let (length, length_max) = match self {
            Self::Link if https(text).is_none() => return Some(Fault::NoHttpsAddress),
            Self::Link => return None,
            Self::Code if !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                return Some(Fault::OtherThanLettersAndDigits);
            }
            Self::Code => (text.len(), CODE_CHARS_MAX),
            Self::Payload => (units(text), PAYLOAD_UNITS_MAX),
            Self::Filename => (units(text), FILENAME_UNITS_MAX),
            Self::Body => (units(text), BODY_UNITS_MAX),
            Self::HeaderText => (units(text), HEADER_UNITS_MAX),
        };
        (length > length_max).then_some(Fault::TooLong { length, length_max })
    }
}
