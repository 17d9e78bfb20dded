//! Places of a template whose text has rules of its own. The same rules apply to rendered values and to texts in a
//! mapping.

use super::address::https;
use super::text::{BODY_UNITS_MAX, HEADER_UNITS_MAX};
use super::units;

/// Longest file name, in UTF-16 units: no file system has longer ones.
pub(super) const FILENAME_UNITS_MAX: usize = 255;
/// Longest payload, in UTF-16 units. The platform accepts 256; the bridge uses less, for providers with a lower limit.
const PAYLOAD_UNITS_MAX: usize = 128;
/// Longest code, in characters (Meta, template limits).
const CODE_CHARS_MAX: usize = 15;

/// A place for a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A placeholder of the body.
    Body,
    /// The placeholder of a text header.
    HeaderText,
    /// The URL from which WhatsApp fetches an image, a video or a document.
    Link,
    /// The name of a document.
    Filename,
    /// The payload that is reported when a quick reply is pressed.
    Payload,
    /// A code to copy.
    Code,
}

/// Why a text cannot be sent at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not an https URL.
    NoHttpsAddress,
    /// It contains other characters than ASCII letters and digits.
    OtherThanLettersAndDigits,
    /// It is too long.
    TooLong {
        /// The length of the text.
        length: usize,
        /// The maximum length.
        length_max: usize,
    },
}

impl Place {
    /// Returns why a cleaned text cannot be sent here; `None` if it can.
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
