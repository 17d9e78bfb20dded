//! The text of a phone field. The first line of an input is the person's country, the rest the text.
#![no_main]

use domain::primitives::phone::{Country, Phone};
use libfuzzer_sys::fuzz_target;

/// Digits of an E.164 number.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;
/// Digits at the end of a number that no numbering plan changes. Some countries have numbers of only four digits.
const SUBSCRIBER_DIGITS: usize = 4;

fuzz_target!(|input: &str| {
    let (country, text) = input.split_once('\n').unwrap_or(("", input));
    let country = Country::parse(country).unwrap_or(Country::UNKNOWN);
    let Ok(phone) = Phone::parse(text, country) else { return };
    let e164 = phone.as_e164();
    let digits = e164.strip_prefix('+').expect("E.164 begins with +");
    assert!(DIGITS.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()), "{e164}");
    assert!(!digits.starts_with('0'), "{e164}");
    for country in [country, Country::ITALY, Country::UNKNOWN, Country::parse("US").expect("a country")] {
        assert_eq!(Phone::parse(e164, country).as_ref(), Ok(&phone), "{text:?} is read as {e164}");
    }
    fuzz::round_trip(&phone);
    // Every digit was typed: no letter is read as one.
    let typed: String = text.chars().filter(char::is_ascii_digit).collect();
    assert!(typed.contains(&digits[digits.len() - SUBSCRIBER_DIGITS..]), "{text:?} is read as {e164}");
    let (masked, shown) = (phone.masked(), format!("{phone:?}"));
    assert!(!masked.contains(digits) && shown.contains(&masked), "{masked}");
    let _ = phone.is_landline();
});
