//! How much a variable resembles what a template says about a gap.

use crate::primitives::folded::{self, folded};
use crate::template::variable::{Definition, ValueType};

/// The words before a gap that are compared.
const WORDS_BEFORE: usize = 3;
/// The least similarity of two words that counts, from 0 to 1.
const SIMILAR: f64 = 0.8;
/// The weight of the nearest word before a gap. Words farther away count less.
const OF_BEFORE: f64 = 1.5;
/// The weight of an example that is the variable's own, and of one with the form of its type.
const OF_EXAMPLE: f64 = 2.0;
const OF_FORM: f64 = 0.7;
/// The weight of a placeholder's name.
const OF_NAME: f64 = 3.0;

/// The likeness of a known word, above that of a label: `nome` means the full name rather than the label "Nome".
const OF_KNOWN: f64 = 1.1;

/// Words of templates with the variables that they mean, by the end of the id.
const WORDS: [(&str, &str); 45] = [
    ("activity", "activity.subject"),
    ("articoli", "item_count"),
    ("attivita", "activity.subject"),
    ("buongiorno", "full_name"),
    ("carrier", "order.carrier"),
    ("cart", "cart.url"),
    ("carrello", "cart.url"),
    ("cartella", "file.folder"),
    ("ciao", "full_name"),
    ("cliente", "full_name"),
    ("code", "order.code"),
    ("codice", "order.code"),
    ("consegna", "order.delivery_date"),
    ("corriere", "order.carrier"),
    ("customer", "full_name"),
    ("dear", "full_name"),
    ("documenti", "documents.count"),
    ("documents", "documents.count"),
    ("file", "file.name"),
    ("folder", "file.folder"),
    ("gentile", "full_name"),
    ("hello", "full_name"),
    ("hi", "full_name"),
    ("importo", ".total"),
    ("inizia", "activity.start"),
    ("items", "item_count"),
    ("message", "message.url"),
    ("messaggio", "message.url"),
    ("name", "full_name"),
    ("nome", "full_name"),
    ("oggetto", ".subject"),
    ("order", "order.code"),
    ("order", "order.url"),
    ("ordine", "order.code"),
    ("ordine", "order.url"),
    ("spedizione", "order.tracking_url"),
    ("state", "order.status"),
    ("stato", "order.status"),
    ("status", "order.status"),
    ("subject", ".subject"),
    ("total", ".total"),
    ("totale", ".total"),
    ("track", "order.tracking_url"),
    ("tracking", "order.tracking_number"),
    ("segui", "order.tracking_url"),
];

/// What a template says about a gap.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hints<'a> {
    /// The placeholder's name.
    pub(super) name: Option<&'a str>,
    /// The text before the gap, or the label of the button.
    pub(super) before: &'a str,
    /// The example that was submitted with the template.
    pub(super) example: Option<&'a str>,
}

/// Returns how much a variable resembles the hints, from 0.
pub(super) fn likeness(definition: &Definition, hints: &Hints<'_>) -> f64 {
    let name = hints.name.map_or(0.0, |name| of_name(definition, name));
    let example = hints.example.map_or(0.0, |example| of_example(definition, example));
    name.mul_add(OF_NAME, of_before(definition, hints.before).mul_add(OF_BEFORE, example))
}

/// Compares the whole name, then each of its words: `codice_ordine` means the order's code.
fn of_name(definition: &Definition, name: &str) -> f64 {
    let id = definition.id;
    let last = id.rsplit('.').next().unwrap_or(id);
    let whole = [id, last, definition.italian_label, definition.english_label].map(|form| similar(name, form));
    let whole = whole.into_iter().fold(0.0, f64::max);
    let words: Vec<&str> = name.split('_').filter(|word| !word.is_empty()).collect();
    let sum: f64 = words.iter().map(|word| of_word(definition, word)).sum();
    let of_words = f64::from(u16::try_from(words.len()).unwrap_or(u16::MAX)).max(1.0);
    whole.max(sum / of_words)
}

/// Compares the last words before the gap, the nearest most.
fn of_before(definition: &Definition, before: &str) -> f64 {
    let words: Vec<&str> =
        before.split(|letter: char| !letter.is_alphanumeric()).filter(|word| word.len() > 1).collect();
    let weights = [1.0, 0.8, 0.6];
    let nearest = words.iter().rev().take(WORDS_BEFORE).zip(weights);
    nearest.map(|(word, weight)| of_word(definition, word) * weight).fold(0.0, f64::max)
}

/// Compares a word with the words of the label and of the id, and with what templates mean by it.
fn of_word(definition: &Definition, word: &str) -> f64 {
    let folded = folded(word);
    if WORDS.iter().any(|(known, id)| *known == folded && definition.id.ends_with(id)) {
        return OF_KNOWN;
    }
    let labels = definition.italian_label.split_whitespace().chain(definition.english_label.split_whitespace());
    let forms = labels.chain(definition.id.split(['.', '_']));
    // A word of a label may belong to several variables, so it counts a little less than a known word.
    0.9 * forms.map(|form| similar(word, form)).fold(0.0, f64::max)
}

/// Returns the similarity of two words, or 0 if they are not similar.
fn similar(one: &str, other: &str) -> f64 {
    let similarity = folded::likeness(one, other);
    if similarity >= SIMILAR { similarity } else { 0.0 }
}

fn of_example(definition: &Definition, example: &str) -> f64 {
    // The name in an example is anybody's.
    if definition.id.ends_with("_name") {
        return 0.0;
    }
    if folded(example) == folded(definition.example) {
        return OF_EXAMPLE;
    }
    let digits = example.chars().filter(char::is_ascii_digit).count();
    let of_type = match definition.value_type {
        ValueType::Money => digits > 0 && example.contains(['€', '$', '£']),
        ValueType::Date => digits >= 5 && example.matches('/').count() == 2 && !example.contains(':'),
        ValueType::Moment => digits >= 9 && example.contains(':') && example.contains(['/', '-']),
        ValueType::Url => example.starts_with("https://"),
        ValueType::Number => digits > 0 && example.chars().all(|letter| letter.is_ascii_digit()),
        ValueType::Text | ValueType::State => false,
    };
    if of_type { OF_FORM } else { 0.0 }
}
