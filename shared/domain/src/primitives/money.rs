//! Amounts of money: exact decimals with their currency.

use rust_decimal::Decimal;

use crate::primitives::json::Reader;

/// An amount as Passweb sends it: a decimal string and an ISO 4217 code. Never a float.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Money {
    /// The amount in units of the currency, with at most four decimals.
    pub amount: Decimal,
    /// ISO 4217, three capital letters.
    pub currency: String,
}

/// The error for a text that is not an amount or not a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not digits with an optional sign and an optional decimal point.
    #[error("must be a decimal string such as \"129.90\", of at most 15 digits and 4 decimals")]
    Amount,
    /// Not three letters.
    #[error("must be a currency code of three letters such as \"EUR\"")]
    Currency,
}

/// Maximum number of digits before the point. More than any order needs, few enough for exact arithmetic.
const INTEGER_DIGITS_MAX: usize = 15;
/// Maximum number of digits after the point: no currency has more than four.
const DECIMALS_MAX: usize = 4;

/// An amount in a document, for errors.
const EXAMPLE: &str = r#"an object such as {"amount":"129.90","currency":"EUR"}"#;

/// Parses a decimal string: an optional minus, digits, optionally a point and digits.
///
/// # Errors
/// [`MoneyError::Amount`] for any other text, including commas, whitespace, exponents and currency signs.
pub fn parse_amount(text: &str) -> Result<Decimal, MoneyError> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (integer, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits =
        |part: &str, max| (1..=max).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(integer, INTEGER_DIGITS_MAX) || !all_digits(decimals, DECIMALS_MAX) {
        return Err(MoneyError::Amount);
    }
    text.parse().map_err(|_| MoneyError::Amount)
}

fn parse_currency(text: &str) -> Result<String, MoneyError> {
    let is_code = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    if is_code { Ok(text.to_ascii_uppercase()) } else { Err(MoneyError::Currency) }
}

impl Money {
    /// Parses `{"amount":"129.90","currency":"EUR"}`.
    pub fn read(reader: &Reader<'_>) -> Option<Self> {
        reader.object_like(EXAMPLE)?;
        let amount = reader.field("amount").parsed_like(r#"a decimal string such as "129.90""#, parse_amount);
        let currency = reader.field("currency").parsed(parse_currency);
        Some(Self { amount: amount?, currency: currency? })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::primitives::json::Faults;

    #[test]
    fn amounts_are_exact_decimal_strings() {
        assert_eq!(parse_amount("129.90").unwrap().to_string(), "129.90");
        assert_eq!(parse_amount("-5").unwrap().to_string(), "-5");
        assert_eq!(parse_amount("999999999999999.9999").unwrap().to_string(), "999999999999999.9999");
        for wrong in ["", "-", ".5", "5.", "1,50", "1.234,56", "1e3", "€5", " 5", "+5", "1.23456", "1234567890123456"]
        {
            assert_eq!(parse_amount(wrong), Err(MoneyError::Amount), "{wrong}");
        }
    }

    #[test]
    fn a_bare_number_is_answered_with_the_form_of_money() {
        let fault = |value: serde_json::Value| {
            let faults = Faults::default();
            assert_eq!(Money::read(&Reader::root(&value, &faults)), None);
            faults.into_vec().remove(0)
        };
        let number = fault(json!(129.9));
        assert_eq!(number.detail, r#"must be an object such as {"amount":"129.90","currency":"EUR"}"#);
        let amount = fault(json!({"amount": 129.9, "currency": "EUR"}));
        assert_eq!(
            (amount.pointer.as_str(), amount.detail.as_str()),
            ("/amount", r#"must be a decimal string such as "129.90""#)
        );
    }

    #[test]
    fn currencies_are_three_letters() {
        assert_eq!(parse_currency("eur").as_deref(), Ok("EUR"));
        for wrong in ["", "€", "EURO", "E1R"] {
            assert_eq!(parse_currency(wrong), Err(MoneyError::Currency), "{wrong}");
        }
    }
}
