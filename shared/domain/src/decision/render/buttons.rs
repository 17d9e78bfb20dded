//! Buttons: the values of those that take one.

use std::collections::BTreeMap;
use std::fmt;

use crate::mapping::{ButtonUse, ValueSource};
use crate::message::reason::{Reason, Skip};
use crate::template::Button;

use super::address::suffix;
use super::place::{Fault, Place};
use super::units;
use super::value::{Writer, missing, named};

/// Longest URL of a filled button, in UTF-16 units (Meta, template limits).
const URL_UNITS_MAX: usize = 2000;

/// A filled button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilledButton {
    /// The position among all buttons of the template, from 0.
    pub index: u8,
    /// The value.
    pub value: ButtonValue,
}

/// The value of a button.
#[derive(Clone, PartialEq, Eq)]
pub enum ButtonValue {
    /// The end of the URL.
    Suffix(String),
    /// The payload that is reported when the button is pressed.
    Payload(String),
    /// The code that the button copies.
    Code(String),
}

/// Shows only the kind: the value may be personal data.
impl fmt::Debug for ButtonValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Suffix(_) => "Suffix",
            Self::Payload(_) => "Payload",
            Self::Code(_) => "Code",
        })
    }
}

/// Fills the buttons that require a value, and those that have an optional one. A value for a button that takes none is
/// ignored.
pub(super) fn fill(
    buttons: &[Button],
    chosen: &BTreeMap<u8, ButtonUse>,
    writer: &Writer<'_>,
) -> Result<Vec<FilledButton>, Skip> {
    let mut filled = Vec::new();
    for (index, button) in (0..=u8::MAX).zip(buttons) {
        if let Some(value) = fill_button(index, button, chosen.get(&index), writer)? {
            filled.push(FilledButton { index, value });
        }
    }
    Ok(filled)
}

fn fill_button(
    index: u8,
    button: &Button,
    chosen: Option<&ButtonUse>,
    writer: &Writer<'_>,
) -> Result<Option<ButtonValue>, Skip> {
    let place = |kind: &str| format!("buttons.{index}.{kind}");
    match (button, chosen) {
        (Button::UrlWithSuffix { base, .. }, Some(ButtonUse::Suffix(source))) => {
            fill_suffix(base, source, &place("suffix"), writer).map(Some)
        }
        (Button::QuickReply { .. }, Some(ButtonUse::Payload(source))) => {
            fill_payload(source, &place("payload"), writer).map(Some)
        }
        (Button::CopyCode { .. }, Some(ButtonUse::Code(source))) => fill_code(source, &place("code"), writer).map(Some),
        (Button::UrlWithSuffix { .. }, _) => Err(missing(&place("suffix"), None)),
        (Button::CopyCode { .. }, _) => Err(missing(&place("code"), None)),
        (Button::QuickReply { .. } | Button::Url { .. } | Button::PhoneNumber { .. }, _) => Ok(None),
    }
}

fn fill_suffix(base: &str, source: &ValueSource, place: &str, writer: &Writer<'_>) -> Result<ButtonValue, Skip> {
    let end = writer.adapted(source, place, |text| suffix(&text, base))?;
    within(units(base) + units(&end), URL_UNITS_MAX, place)?;
    Ok(ButtonValue::Suffix(end))
}

fn fill_payload(source: &ValueSource, place: &str, writer: &Writer<'_>) -> Result<ButtonValue, Skip> {
    let payload = writer.value(source, place)?;
    sendable(&payload, Place::Payload, source, place)?;
    Ok(ButtonValue::Payload(payload))
}

fn fill_code(source: &ValueSource, place: &str, writer: &Writer<'_>) -> Result<ButtonValue, Skip> {
    let code = writer.value(source, place)?;
    sendable(&code, Place::Code, source, place)?;
    Ok(ButtonValue::Code(code))
}

/// Checks whether a value may be sent at `place`. `name` is the place in the skip's detail.
fn sendable(value: &str, place: Place, source: &ValueSource, name: &str) -> Result<(), Skip> {
    match place.fault(value) {
        None => Ok(()),
        Some(Fault::TooLong { length, length_max }) => within(length, length_max, name),
        Some(Fault::OtherThanLettersAndDigits | Fault::NoHttpsAddress) => {
            let detail = format!("{}: must be letters and digits", named(name, Some(source)));
            Err(Skip::new(Reason::ValueMissing, detail))
        }
    }
}

fn within(length: usize, length_max: usize, place: &str) -> Result<(), Skip> {
    if length <= length_max {
        Ok(())
    } else {
        Err(Skip::new(Reason::TextTooLong, format!("{place}: {length} > {length_max}")))
    }
}
