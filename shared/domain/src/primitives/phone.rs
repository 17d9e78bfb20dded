//! Phone numbers: the text that customers typed, converted to E.164 or refused.

mod typed;

use std::fmt;

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, enums::PhoneNumberType, enums::Region};
use serde::{Deserialize, Serialize};

use crate::primitives::country;

/// A valid number in E.164 with its `+`. Without the `+`, Meta prepends the sender's country code. `Debug` and
/// [`Phone::masked`] show only the last four digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Phone(String);

/// Why a text is not a number that can receive a message. The error does not contain the text, which is personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    /// The text is empty or only whitespace.
    #[error("is empty")]
    Empty,
    /// The text is not a valid number of any numbering plan.
    #[error("is not a valid phone number")]
    Invalid,
    /// The number has an extension, which WhatsApp cannot dial.
    #[error("has an extension")]
    Extension,
    /// The number has no prefix, and its country is unknown.
    #[error("has no prefix, and its country is not known")]
    NoCountry,
    /// The number is valid but cannot have a WhatsApp account: toll-free, premium rate, shared cost and similar.
    #[error("is a service number")]
    Service,
}

/// Longest text that is parsed; people type the field, and it may contain anything.
const TEXT_BYTES_MAX: usize = 128;

/// Maximum number of digits of an E.164 number, country code included (ITU-T E.164, 6.2.1). Some numbering plans of
/// libphonenumber contain longer numbers.
const E164_DIGITS_MAX: usize = 15;

/// The country whose rules apply to a number written without a country code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Country(Option<Region>);

impl Country {
    /// Italy, where Passweb's shops are.
    pub const ITALY: Self = Self(Some(Region::IT));
    /// An unknown country: its numbers need a prefix.
    pub const UNKNOWN: Self = Self(None);

    /// Parses an ISO 3166 code, or a name in Italian, English, German, French or Spanish. `None` for any other text and
    /// for a country without a known numbering plan.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let region: Region = country::code_of(text)?.parse().ok()?;
        // The list of regions is longer than the list of numbering plans.
        PHONE_NUMBER_UTIL.get_country_code_for_region(region).map(|_| Self(Some(region)))
    }

    /// Returns the ISO 3166 code; `None` for the unknown country.
    #[must_use]
    pub fn code(self) -> Option<String> {
        self.0.map(|region| region.to_string())
    }
}

impl Phone {
    /// Parses a number as people write it: with or without `+` or `00`, with spaces, dots and dashes, with words around
    /// it. `country` is the country of a number without a code.
    ///
    /// - Italian landlines keep their zero.
    /// - `393…` is read as a national mobile number if it has ten digits.
    /// - If a text contains several numbers, the first mobile number is used.
    /// - An ambiguous text is refused, and no letter is read as a digit.
    ///
    /// # Errors
    /// Why the number cannot receive a message.
    pub fn parse(text: &str, country: Country) -> Result<Self, PhoneError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(PhoneError::Empty);
        }
        if text.len() > TEXT_BYTES_MAX {
            return Err(PhoneError::Invalid);
        }
        typed::read(text, country)
    }

    /// Parses one number without letters, and returns it with its line type.
    fn parse_one(text: &str, country: Country) -> Result<(Self, PhoneNumberType), PhoneError> {
        let text = match text.strip_prefix("00") {
            // The international prefix depends on the country; `00` is the usual one.
            Some(rest) if country == Country::UNKNOWN => format!("+{rest}"),
            _ => text.to_owned(),
        };
        if country == Country::UNKNOWN && !text.contains('+') {
            return Err(PhoneError::NoCountry);
        }
        let number = PHONE_NUMBER_UTIL.parse(&text, country.0).map_err(|_| PhoneError::Invalid)?;
        if !number.is_valid() {
            return Err(PhoneError::Invalid);
        }
        match number.get_type() {
            PhoneNumberType::TollFree
            | PhoneNumberType::PremiumRate
            | PhoneNumberType::SharedCost
            | PhoneNumberType::UAN
            | PhoneNumberType::VoiceMail
            | PhoneNumberType::Pager => Err(PhoneError::Service),
            kind => {
                let e164 = number.format_as(PhoneNumberFormat::E164).to_string();
                if e164.len() > "+".len() + E164_DIGITS_MAX { Err(PhoneError::Invalid) } else { Ok((Self(e164), kind)) }
            }
        }
    }

    /// Whether it is certainly a landline (R-154, R-155). WhatsApp accounts on landlines exist, but are rare.
    #[must_use]
    pub fn is_landline(&self) -> bool {
        Self::parse_one(&self.0, Country::UNKNOWN).is_ok_and(|(_, kind)| kind == PhoneNumberType::FixedLine)
    }

    /// Returns the number, such as `+393401234567`.
    #[must_use]
    pub fn as_e164(&self) -> &str {
        &self.0
    }

    /// Returns the number for a log: the first digits of the country code and the last four, `+39…4567`.
    #[must_use]
    pub fn masked(&self) -> String {
        let head: String = self.0.chars().take(3).collect();
        let tail: String = self.0.chars().skip(self.0.chars().count().saturating_sub(4)).collect();
        format!("{head}…{tail}")
    }
}

impl TryFrom<String> for Phone {
    type Error = PhoneError;

    fn try_from(text: String) -> Result<Self, PhoneError> {
        Self::parse(&text, Country::ITALY)
    }
}

impl From<Phone> for String {
    fn from(phone: Phone) -> String {
        phone.0
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone({})", self.masked())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, PhoneError>) {
        let phone = Phone::parse(text, Country::ITALY);
        assert_eq!(phone.as_ref().map(Phone::as_e164).map_err(|error| *error), expected, "{text}");
    }

    #[test]
    fn italian_numbers_are_read_as_people_write_them() {
        check("+39 340 1234567", Ok("+393401234567"));
        check("0039 340 1234567", Ok("+393401234567"));
        check("340.123.45.67", Ok("+393401234567"));
        check("(340) 123-4567", Ok("+393401234567"));
        check("393401234567", Ok("+393401234567"));
        check("3931234567", Ok("+393931234567"));
        check("310 1234567", Ok("+393101234567"));
        check("340123456", Ok("+39340123456"));
    }

    #[test]
    fn a_landline_keeps_its_zero() {
        check("06 69812345", Ok("+390669812345"));
        check("+39 06 69812345", Ok("+390669812345"));
        check("+39 669812345", Err(PhoneError::Invalid));
    }

    #[test]
    fn foreign_numbers_need_their_code() {
        check("+41 79 123 45 67", Ok("+41791234567"));
        check("+44 7400 123456", Ok("+447400123456"));
        let swiss = Phone::parse("079 123 45 67", Country::parse("ch").unwrap()).unwrap();
        assert_eq!(swiss.as_e164(), "+41791234567");
        assert_eq!(Country::parse("XX"), None);
    }

    #[test]
    fn text_that_is_not_a_phone_number_is_refused() {
        check("", Err(PhoneError::Empty));
        check("  ", Err(PhoneError::Empty));
        check("non lo so", Err(PhoneError::Invalid));
        check("12345", Err(PhoneError::Invalid));
        check("3401234567 int. 12", Err(PhoneError::Extension));
        check("3401234567 ext 12", Err(PhoneError::Extension));
        check("800 123456", Err(PhoneError::Service));
        check(&"3".repeat(500), Err(PhoneError::Invalid));
    }

    #[test]
    fn a_number_has_at_most_fifteen_digits() {
        let german = |text: &str| Phone::parse(text, Country::parse("DE").unwrap());
        assert_eq!(german("04814 823456789").as_ref().map(Phone::as_e164), Ok("+494814823456789"));
        assert_eq!(german("48148 234567894"), Err(PhoneError::Invalid));
        assert_eq!(german("+49 48148 234567894"), Err(PhoneError::Invalid));
    }

    #[test]
    fn numbers_of_an_unknown_country_are_read_only_with_a_prefix() {
        let unknown = |text: &str| Phone::parse(text, Country::UNKNOWN);
        for text in ["+41 79 123 45 67", "0041 79 123 45 67", "cell. +41 79 123 45 67", "(+41) 79 123 45 67"] {
            assert_eq!(unknown(text).as_ref().map(Phone::as_e164), Ok("+41791234567"), "{text}");
        }
        for text in ["079 123 45 68", "340 1234567", "393401234567"] {
            assert_eq!(unknown(text), Err(PhoneError::NoCountry), "{text}");
        }
        assert_eq!(unknown("0800"), Err(PhoneError::NoCountry));
    }

    #[test]
    fn a_landline_is_recognised() {
        let is_landline = |text: &str| Phone::parse(text, Country::ITALY).unwrap().is_landline();
        assert!(is_landline("06 69812345") && is_landline("+41 44 668 18 00"));
        // In North America, landlines and mobiles cannot be distinguished.
        assert!(!is_landline("340 1234567") && !is_landline("+1 212 555 2368"));
    }

    #[test]
    fn a_text_longer_than_the_maximum_is_refused() {
        let number = "3401234567 ";
        let of_length = |bytes: usize| format!("{number}{}", "c".repeat(bytes - number.len()));
        check(&of_length(TEXT_BYTES_MAX), Ok("+393401234567"));
        check(&of_length(TEXT_BYTES_MAX - 1), Ok("+393401234567"));
        check(&of_length(TEXT_BYTES_MAX + 1), Err(PhoneError::Invalid));
    }

    #[test]
    fn a_00_prefix_is_read_as_plus_only_where_the_country_uses_it_or_is_unknown() {
        let read = |country| Phone::parse("0039 340 1234567", country);
        for country in [Country::ITALY, Country::UNKNOWN] {
            assert_eq!(read(country).as_ref().map(Phone::as_e164), Ok("+393401234567"), "{country:?}");
        }
        // In the United States the international prefix is 011.
        assert_eq!(read(Country::parse("US").unwrap()), Err(PhoneError::Invalid));
    }

    #[test]
    fn a_number_is_written_in_e164_and_read_again() {
        let phone = Phone::parse("340 1234567", Country::ITALY).unwrap();
        let text = serde_json::to_string(&phone).unwrap();
        assert_eq!(text, r#""+393401234567""#);
        assert_eq!(serde_json::from_str::<Phone>(&text).unwrap(), phone);
        assert!(serde_json::from_str::<Phone>(r#""12345""#).is_err());
    }

    #[test]
    fn a_log_shows_four_digits() {
        let phone = Phone::parse("+393401234567", Country::ITALY).unwrap();
        assert_eq!(format!("{phone:?}"), "Phone(+39…4567)");
    }

    proptest! {
        #[test]
        fn parsing_any_text_never_panics_and_an_accepted_number_round_trips(text in "\\PC{0,80}|[0-9+ ().-]{0,20}") {
            if let Ok(phone) = Phone::parse(&text, Country::ITALY) {
                prop_assert!(phone.as_e164().starts_with('+'));
                prop_assert!(phone.as_e164().bytes().skip(1).all(|byte| byte.is_ascii_digit()));
                prop_assert_eq!(Phone::parse(phone.as_e164(), Country::ITALY), Ok(phone));
            }
        }
    }
}
