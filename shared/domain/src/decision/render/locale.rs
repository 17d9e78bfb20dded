//! Formats of a language: money, dates, times, numbers and states. Only plain spaces are used, because some phones show
//! narrow typographic spaces as boxes.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use rust_decimal::{Decimal, RoundingStrategy};

use crate::event::activity_state::ActivityState;
use crate::event::order_state::OrderState;
use crate::mapping::Format;
use crate::primitives::language::Language;
use crate::primitives::money::Money;
use crate::primitives::words::Translations;
use crate::template::variable::Raw;

/// The language and the time zone in which values are written.
#[derive(Clone, Copy, Debug)]
pub struct Locale<'a> {
    /// The template's language.
    pub language: &'a Language,
    /// The time zone of displayed times: the site's.
    pub zone: &'a TimeZone,
}

/// How a language writes numbers.
struct Digits {
    decimal_point: char,
    group: char,
    sign: SignPlace,
}

/// The position of the currency symbol.
enum SignPlace {
    /// `€1.00`
    Before,
    /// `€ 1.00`
    BeforeBlank,
    /// `1.00 €`
    After,
}

fn digits(language: &Language) -> Digits {
    match language.base() {
        "en" => Digits { decimal_point: '.', group: ',', sign: SignPlace::Before },
        "nl" => Digits { decimal_point: ',', group: '.', sign: SignPlace::BeforeBlank },
        "fr" | "pl" | "cs" | "sk" | "hu" | "sv" | "nb" | "fi" | "ru" | "uk" | "bg" => {
            Digits { decimal_point: ',', group: ' ', sign: SignPlace::After }
        }
        _ if language.as_str() == "pt_BR" => Digits { decimal_point: ',', group: '.', sign: SignPlace::BeforeBlank },
        _ => Digits { decimal_point: ',', group: '.', sign: SignPlace::After },
    }
}

/// Writes a value for `locale`, in `format` if there is more than one.
#[must_use]
pub fn write(raw: &Raw<'_>, format: Option<Format>, locale: &Locale<'_>) -> String {
    let language = locale.language;
    match raw {
        Raw::Text(text) => (*text).to_owned(),
        Raw::Owned(text) => text.clone(),
        Raw::Words(words) => words.get(language).to_owned(),
        Raw::List(list) => list.to_string(),
        Raw::Money(amount) if format == Some(Format::Number) => signed_number(amount, &digits(language)),
        Raw::Money(amount) => money(amount, language),
        Raw::Count(count) => whole(*count, language),
        Raw::Counted { count, noun } => format!("{} {}", whole(*count, language), noun.after(*count, language)),
        Raw::Date(day) => date(*day, language),
        Raw::Moment(at) => moment(*at, format, locale),
        Raw::DayOf(at) => moment(*at, Some(Format::Date), locale),
        Raw::OrderState(text) => state(text, OrderState::of(text).map(OrderState::label), language),
        Raw::ActivityState(text) => state(text, ActivityState::of(text).map(ActivityState::label), language),
    }
}

/// Writes `1.234,56 €` in Italian, `€1,234.56` in English.
fn money(money: &Money, language: &Language) -> String {
    let digits = digits(language);
    let amount = number(&money.amount.abs(), decimals(money), &digits);
    let minus = minus(money);
    let sign = match money.currency.as_str() {
        "EUR" => "€",
        "USD" => "$",
        "GBP" => "£",
        "BRL" if language.base() == "pt" => "R$",
        code => code,
    };
    let is_code = sign.chars().all(|character| character.is_ascii_alphabetic());
    match digits.sign {
        SignPlace::Before if is_code => format!("{minus}{sign} {amount}"),
        SignPlace::Before => format!("{minus}{sign}{amount}"),
        SignPlace::BeforeBlank => format!("{sign} {minus}{amount}"),
        SignPlace::After => format!("{minus}{amount} {sign}"),
    }
}

/// Writes a whole number.
fn whole(count: u64, language: &Language) -> String {
    number(&Decimal::from(count), 0, &digits(language))
}

/// Writes the amount without its currency.
fn signed_number(money: &Money, digits: &Digits) -> String {
    format!("{}{}", minus(money), number(&money.amount.abs(), decimals(money), digits))
}

/// Returns the minus sign of a negative amount, unless it is rounded to zero.
fn minus(money: &Money) -> &'static str {
    let shown = money.amount.round_dp_with_strategy(decimals(money), RoundingStrategy::MidpointAwayFromZero);
    if shown.is_sign_negative() && !shown.is_zero() { "-" } else { "" }
}

/// Returns the number of decimals of a currency (ISO 4217).
fn decimals(money: &Money) -> u32 {
    match money.currency.as_str() {
        "JPY" | "KRW" | "CLP" | "ISK" | "VND" | "PYG" | "XAF" | "XOF" => 0,
        "TND" | "KWD" | "BHD" | "OMR" | "JOD" => 3,
        _ => 2,
    }
}

/// Writes a non-negative number, rounded half away from zero, with grouped thousands.
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

/// Writes an instant as local time of the zone: date and time, unless `format` selects one of them.
fn moment(at: Timestamp, format: Option<Format>, locale: &Locale<'_>) -> String {
    let there = at.to_zoned(locale.zone.clone());
    let (day, time) = (date(there.date(), locale.language), clock(there.time()));
    match format {
        Some(Format::Date) => day,
        Some(Format::Time) => time,
        Some(Format::DateTime | Format::Number) | None => {
            format!("{day}{}{time}", between(there.time(), locale.language))
        }
    }
}

/// Returns what joins a date and a time, so that both read as part of a sentence.
fn between(time: Time, language: &Language) -> &'static str {
    match language.base() {
        "it" => " alle ",
        "en" => " at ",
        "de" => ", ",
        "fr" => " à ",
        "es" if time.hour() == 1 => " a la ",
        "es" => " a las ",
        _ => " ",
    }
}

/// Writes `15:30`, in every language.
fn clock(time: Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

/// Writes `22/11/2026` in Italian, `22 Nov 2026` in English, and the ISO 8601 form in an unknown language.
fn date(date: Date, language: &Language) -> String {
    let (day, month, year) = (date.day(), date.month(), date.year());
    match language.base() {
        "it" | "fr" | "es" | "pt" | "ro" | "el" => format!("{day:02}/{month:02}/{year}"),
        "de" | "pl" | "cs" | "sk" | "sl" | "hr" | "da" | "nb" | "fi" | "ru" | "uk" | "sq" => {
            format!("{day:02}.{month:02}.{year}")
        }
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

/// Returns the label of a state for a template in `language`. The received text is used in Italian, and for a state
/// that the shop defined itself.
fn state(text: &str, label: Option<Translations>, language: &Language) -> String {
    label.and_then(|label| label.get(language)).unwrap_or(text).to_owned()
}
