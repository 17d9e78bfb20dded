//! Parses the text that people type into a phone number field: one number, several, or words around them.
//!
//! The text is split into runs of the characters of numbers, and gaps of everything else. Letters never reach
//! libphonenumber, which would read them as the digits of a phone keypad.
//!
//! - A gap with a word separates two runs: each is parsed as a number of its own.
//! - Any other gap may be a typing error inside one number. The runs around it count only if each of them is a number.

use std::collections::{BTreeSet, HashMap};

use rlibphonenumber::enums::PhoneNumberType;

use super::{Country, Phone, PhoneError};

/// Digits of the shortest number.
const DIGITS_MIN: usize = 6;
/// Digits of the longest number: fifteen, an international prefix, and the code of a carrier.
const DIGITS_MAX: usize = 25;
/// Ways to read a run, after which it is ambiguous.
const WAYS_MAX: usize = 2;
/// Minimum letters of a word; fewer may be a typing error.
const WORD_LETTERS: usize = 3;
/// Letters typed in place of digits: O for 0, l for 1.
const LOOKALIKES: &str = "oilszbgq";
/// Words that introduce an extension.
const EXTENSIONS: [&str; 11] =
    ["x", "ext", "extn", "extension", "int", "interno", "est", "poste", "durchwahl", "dw", "anexo"];
/// Words that introduce a number that does not receive messages.
const OTHER_NUMBERS: [&str; 6] = ["fax", "iva", "piva", "vat", "iban", "cf"];

/// A parsed number, and whether it may be a mobile.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    phone: Phone,
    is_mobile: bool,
}

/// A run of the characters of numbers, and the gap before it.
#[derive(Default)]
struct Run {
    gap: String,
    number: String,
}

/// The meaning of a gap between two runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gap {
    /// A word separates the runs.
    Word,
    /// The second run is the extension of the first.
    Extension,
    /// The second run is not a phone number.
    OtherNumber,
    /// It may be a typing error inside one number.
    Slip,
    /// A letter is adjacent to a digit, so one was typed for the other.
    Broken,
}

/// Returns the first mobile number of a text, otherwise its first number.
pub(super) fn read(text: &str, country: Country) -> Result<Phone, PhoneError> {
    let (runs, tail) = runs(text);
    let gaps: Vec<Gap> = runs
        .iter()
        .enumerate()
        .map(|(index, run)| {
            let before = index.checked_sub(1).and_then(|before| runs.get(before));
            gap(&run.gap, before.map(|before| before.number.as_str()), Some(&run.number))
        })
        .collect();
    let last = runs.last().map(|run| run.number.as_str());
    if gaps.contains(&Gap::Broken) || gap(&tail, last, None) == Gap::Broken {
        return Err(PhoneError::Invalid);
    }
    let mut found = Vec::new();
    let mut refused = PhoneError::Invalid;
    for group in groups(&runs, &gaps) {
        match group {
            Ok(group) => match group.iter().map(|run| numbers(run, country)).collect::<Result<Vec<_>, _>>() {
                Ok(numbers) => found.extend(numbers.into_iter().flatten()),
                Err(error) if refused == PhoneError::Invalid => refused = error,
                Err(_) => {}
            },
            Err(error) => refused = error,
        }
    }
    let chosen = found.iter().find(|found| found.is_mobile).or(found.first());
    chosen.map(|found| found.phone.clone()).ok_or(refused)
}

/// Splits a text into its runs and the text after the last run.
fn runs(text: &str) -> (Vec<Run>, String) {
    let mut runs = Vec::new();
    let mut run = Run::default();
    let has_digit = |run: &Run| run.number.contains(|char: char| char.is_ascii_digit());
    for char in text.chars().filter(|char| !is_invisible(*char)) {
        if is_of_number(char) {
            run.number.push(char);
            continue;
        }
        if has_digit(&run) {
            runs.push(std::mem::take(&mut run));
        }
        let between = std::mem::take(&mut run.number);
        run.gap.push_str(&between);
        run.gap.push(char);
    }
    if has_digit(&run) {
        runs.push(std::mem::take(&mut run));
    }
    (runs, run.gap + &run.number)
}

fn is_of_number(char: char) -> bool {
    char.is_ascii_digit() || is_separator(char) || char == '+'
}

fn is_separator(char: char) -> bool {
    char.is_whitespace() && !matches!(char, '\n' | '\r')
        || "-.()[]/\u{2212}".contains(char)
        || ('\u{2010}'..='\u{2015}').contains(&char)
}

/// Invisible marks that address books put around numbers, such as marks of the writing direction.
fn is_invisible(char: char) -> bool {
    matches!(char, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Classifies a gap by its text and the runs around it.
fn gap(gap: &str, before: Option<&str>, after: Option<&str>) -> Gap {
    let is_letter = |char: char| char.is_alphanumeric();
    let words: Vec<String> =
        gap.split(|char| !is_letter(char)).filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
    let is_extension = match words.as_slice() {
        [word] => EXTENSIONS.contains(&word.as_str()),
        [] => gap.contains('#'),
        _ => false,
    };
    if is_extension && before.is_some() && after.is_some() {
        return Gap::Extension;
    }
    let is_word =
        |word: &String| word.chars().count() >= WORD_LETTERS && !word.chars().all(|letter| LOOKALIKES.contains(letter));
    let touches_before = gap.starts_with(is_letter) && before.is_some_and(|number| number.ends_with(is_digit));
    let touches_after = gap.ends_with(is_letter)
        && after.is_some_and(|number| number.starts_with(|char| is_digit(char) || char == '+'));
    if touches_before && !words.first().is_some_and(is_word) || touches_after && !words.last().is_some_and(is_word) {
        return Gap::Broken;
    }
    if words.iter().any(|word| OTHER_NUMBERS.contains(&word.as_str())) {
        return Gap::OtherNumber;
    }
    if words.iter().any(is_word) { Gap::Word } else { Gap::Slip }
}

fn is_digit(char: char) -> bool {
    char.is_ascii_digit()
}

/// Returns groups of runs that count together or not at all. `Err` for a number with an extension.
fn groups<'a>(runs: &'a [Run], gaps: &[Gap]) -> Vec<Result<Vec<&'a str>, PhoneError>> {
    let mut groups: Vec<Result<Vec<&str>, PhoneError>> = Vec::new();
    for (run, gap) in runs.iter().zip(gaps) {
        match (gap, groups.last_mut()) {
            (Gap::Extension, Some(group)) => *group = Err(PhoneError::Extension),
            (Gap::OtherNumber, _) => groups.push(Ok(Vec::new())),
            (Gap::Slip, Some(Ok(group))) => group.push(&run.number),
            (Gap::Slip, Some(Err(_))) => {}
            _ => groups.push(Ok(vec![&run.number])),
        }
    }
    groups
}

/// Returns the numbers of a run: the whole run as one number, or the parts if only one split is possible.
fn numbers(run: &str, country: Country) -> Result<Vec<Found>, PhoneError> {
    if is_range(run) {
        return Err(PhoneError::Invalid);
    }
    one(run, country).map(|found| vec![found]).or_else(|error| {
        let mut ways = ways(run, country, &mut HashMap::new()).into_iter();
        match (ways.next(), ways.next()) {
            (Some(way), None) => Ok(way),
            _ => Err(error),
        }
    })
}

/// `06 698123/45` may be one number or two lines.
fn is_range(run: &str) -> bool {
    run.rsplit_once('/').is_some_and(|(before, after)| digits(before) >= DIGITS_MIN && (1..=2).contains(&digits(after)))
}

fn one(text: &str, country: Country) -> Result<Found, PhoneError> {
    let text = text.trim_matches(|char: char| is_separator(char) && !"()[]".contains(char));
    let (phone, kind) = Phone::parse_one(text, country)?;
    let is_mobile = matches!(kind, PhoneNumberType::Mobile | PhoneNumberType::FixedLineOrMobile);
    Ok(Found { phone, is_mobile })
}

/// The numbers of a run, in their order.
type Way = Vec<Found>;

/// Returns ways to read a run as one or more numbers: all of them, or two if there are more.
///
/// `known` has the ways of the ends of the run by their length. Without it, the time would grow exponentially with the
/// number of separators.
fn ways(run: &str, country: Country, known: &mut HashMap<usize, BTreeSet<Way>>) -> BTreeSet<Way> {
    if let Some(ways) = known.get(&run.len()) {
        return ways.clone();
    }
    let whole = (digits(run) <= DIGITS_MAX).then(|| one(run, country).ok()).flatten();
    let mut found: BTreeSet<Way> = whole.map(|found| vec![found]).into_iter().collect();
    for (at, _) in run.char_indices().filter(|(_, char)| is_separator(*char) || *char == '+') {
        let (left, right) = run.split_at(at);
        if found.len() >= WAYS_MAX || digits(left) > DIGITS_MAX || digits(right) < DIGITS_MIN {
            break;
        }
        if digits(left) < DIGITS_MIN {
            continue;
        }
        let Ok(first) = one(left, country) else { continue };
        let right = right.trim_start_matches(|char| is_separator(char) && !"([".contains(char));
        let rests = ways(right, country, known);
        found.extend(rests.into_iter().map(|rest| [vec![first.clone()], rest].concat()));
    }
    let found: BTreeSet<Way> = found.into_iter().take(WAYS_MAX).collect();
    known.insert(run.len(), found.clone());
    found
}

fn digits(text: &str) -> usize {
    text.chars().filter(char::is_ascii_digit).count()
}

#[cfg(test)]
mod tests;
