//! Values in the words of a language: money, dates, numbers, states. Only plain spaces: WhatsApp shows the narrow ones
//! of typographers as boxes on some phones.

use jiff::civil::Date;
use rust_decimal::{Decimal, RoundingStrategy};

use crate::language::Language;
use crate::money::Money;
use crate::order_state::OrderState;
use crate::variable::Raw;

/// How a language writes numbers.
struct Digits {
    decimal_point: char,
    group: char,
    /// Whether the currency's sign stands before the amount.
    sign_first: bool,
}

fn digits(language: &Language) -> Digits {
    match language.base() {
        "en" => Digits { decimal_point: '.', group: ',', sign_first: true },
        "fr" | "pl" | "cs" | "sk" | "hu" | "sv" | "nb" | "fi" | "ru" | "uk" | "bg" => {
            Digits { decimal_point: ',', group: ' ', sign_first: false }
        }
        _ => Digits { decimal_point: ',', group: '.', sign_first: false },
    }
}

/// Writes a value in a language.
#[must_use]
pub fn write(raw: &Raw<'_>, language: &Language) -> String {
    match raw {
        Raw::Text(text) => (*text).to_owned(),
        Raw::Owned(text) => text.clone(),
        Raw::Money(amount) => money(amount, language),
        Raw::Count(count) => number(&Decimal::from(*count), 0, &digits(language)),
        Raw::Date(day) => date(*day, language),
        Raw::OrderState(text) => order_state(text, language),
    }
}

/// `1.234,56 €` in Italian, `€1,234.56` in English.
fn money(money: &Money, language: &Language) -> String {
    let digits = digits(language);
    let decimals = match money.currency.as_str() {
        "JPY" | "KRW" | "CLP" | "ISK" => 0,
        _ => 2,
    };
    let amount = number(&money.amount.abs(), decimals, &digits);
    let minus = if money.amount.is_sign_negative() && !money.amount.is_zero() { "-" } else { "" };
    let sign = match money.currency.as_str() {
        "EUR" => "€",
        "USD" => "$",
        "GBP" => "£",
        code => code,
    };
    match (digits.sign_first, sign.chars().all(|character| character.is_ascii_alphabetic())) {
        (true, false) => format!("{minus}{sign}{amount}"),
        (true, true) => format!("{minus}{sign} {amount}"),
        (false, _) => format!("{minus}{amount} {sign}"),
    }
}

/// A number that is not negative, rounded half away from zero, its thousands grouped.
fn number(value: &Decimal, decimals: u32, digits: &Digits) -> String {
    let mut rounded = value.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero);
    rounded.rescale(decimals);
    let plain = rounded.to_string();
    let (integer, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    let mut grouped = String::new();
    for (index, digit) in integer.chars().enumerate() {
        if index > 0 && (integer.len() - index) % 3 == 0 {
            grouped.push(digits.group);
        }
        grouped.push(digit);
    }
    if fraction.is_empty() { grouped } else { format!("{grouped}{}{fraction}", digits.decimal_point) }
}

/// `22/11/2026` in Italian, `22 Nov 2026` in English, the international form where a language is not known.
fn date(date: Date, language: &Language) -> String {
    let (day, month, year) = (date.day(), date.month(), date.year());
    match language.base() {
        "it" | "fr" | "es" | "pt" | "ro" | "el" => format!("{day:02}/{month:02}/{year}"),
        "de" | "pl" | "cs" | "sk" | "sl" | "hr" | "da" | "nb" | "fi" => format!("{day:02}.{month:02}.{year}"),
        "nl" => format!("{day:02}-{month:02}-{year}"),
        "en" => format!("{day} {} {year}", english_month(month)),
        _ => date.to_string(),
    }
}

fn english_month(month: i8) -> &'static str {
    match month {
        1 => "Jan",
        2 => "Feb",
        3 => "Mar",
        4 => "Apr",
        5 => "May",
        6 => "Jun",
        7 => "Jul",
        8 => "Aug",
        9 => "Sep",
        10 => "Oct",
        11 => "Nov",
        _ => "Dec",
    }
}

/// The text received in Italian, the label of its code in other languages.
fn order_state(text: &str, language: &Language) -> String {
    match OrderState::of(text) {
        Some(state) if !language.is_italian() => state.english().to_owned(),
        _ => text.to_owned(),
    }
}
