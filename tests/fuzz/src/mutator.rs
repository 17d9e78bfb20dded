//! Mutates JSON documents. Mutations of bytes seldom leave a document valid, so most of them only test the JSON parser.

use libfuzzer_sys::fuzzer_mutate;
use serde_json::{Map, Value, json};

/// Of so many mutations, one changes bytes.
const BYTES_EVERY: u32 = 8;
/// Longest text that a mutation of bytes may produce.
const TEXT_BYTES_MAX: usize = 512;

/// A small generator of random numbers (xorshift), seeded by libFuzzer so that runs are repeatable.
struct Random(u32);

impl Random {
    fn new(seed: u32) -> Self {
        Self(seed | 1)
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 as usize % end.max(1)
    }
}

/// Changes one place of the document in `data`, and returns the new size. Input that is no document is mutated as bytes.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut random = Random::new(seed);
    if seed.is_multiple_of(BYTES_EVERY) {
        return fuzzer_mutate(data, size, max_size);
    }
    let Some(mut document) = crate::json(&data[..size]) else { return fuzzer_mutate(data, size, max_size) };
    let donor = nth(&mut document.clone(), random.below(count(&document))).clone();
    let chosen = random.below(count(&document));
    change(nth(&mut document, chosen), donor, &mut random);
    let text = document.to_string();
    if text.len() > max_size {
        return fuzzer_mutate(data, size, max_size);
    }
    data[..text.len()].copy_from_slice(text.as_bytes());
    text.len()
}

/// Returns the number of values in a document.
fn count(value: &Value) -> usize {
    let below: usize = match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum(),
        _ => 0,
    };
    below + 1
}

/// Returns a value of a document by its place in depth-first order, from 0.
fn nth(value: &mut Value, place: usize) -> &mut Value {
    if place == 0 {
        return value;
    }
    let mut left = place - 1;
    let below: Box<dyn Iterator<Item = &mut Value>> = match value {
        Value::Array(items) => Box::new(items.iter_mut()),
        Value::Object(fields) => Box::new(fields.values_mut()),
        _ => unreachable!("the place is in the document"),
    };
    for child in below {
        let values = count(child);
        if left < values {
            return nth(child, left);
        }
        left -= values;
    }
    unreachable!("the place is in the document")
}

fn change(value: &mut Value, donor: Value, random: &mut Random) {
    match (value, random.below(4)) {
        (value, 0) => *value = donor,
        (value, 1) => *value = extreme(random),
        (Value::Array(items), _) => change_items(items, donor, random),
        (Value::Object(fields), _) => change_fields(fields, donor, random),
        (Value::String(text), _) => *text = change_text(text),
        (Value::Number(number), _) => {
            *number = change_text(&number.to_string()).parse().unwrap_or_else(|_| number.clone());
        }
        (value, _) => *value = donor,
    }
}

fn change_items(items: &mut Vec<Value>, donor: Value, random: &mut Random) {
    let place = random.below(items.len());
    match random.below(3) {
        0 if !items.is_empty() => drop(items.remove(place)),
        1 if !items.is_empty() => items.push(items[place].clone()),
        _ => items.insert(place, donor),
    }
}

fn change_fields(fields: &mut Map<String, Value>, donor: Value, random: &mut Random) {
    let name = fields.keys().nth(random.below(fields.len())).cloned();
    match (name, donor) {
        (_, Value::Object(others)) if random.below(2) == 0 => fields.extend(others),
        (Some(name), _) if random.below(2) == 0 => drop(fields.remove(&name)),
        (Some(name), donor) if random.below(2) == 0 => drop(fields.insert(name, donor)),
        (Some(name), _) => {
            let value = fields.remove(&name).unwrap_or_default();
            fields.insert(change_text(&name), value);
        }
        (None, donor) => drop(fields.insert(String::new(), donor)),
    }
}

/// Mutates the bytes of a text. Bytes that are no UTF-8 become U+FFFD.
fn change_text(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let size = bytes.len();
    let max_size = TEXT_BYTES_MAX.max(size);
    bytes.resize(max_size, 0);
    let size = fuzzer_mutate(&mut bytes, size, max_size);
    String::from_utf8_lossy(&bytes[..size]).into_owned()
}

/// Returns a value at the edge of what a field may hold.
fn extreme(random: &mut Random) -> Value {
    let values = [
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e300),
        json!(""),
        json!(" "),
        json!("\u{0}"),
        json!("\u{200d}\u{2028}\u{202e}"),
        json!("👨\u{200d}👩\u{200d}👧 ".repeat(40)),
        json!("x".repeat(600)),
        json!([]),
        json!({}),
        json!([[[[{}]]]]),
    ];
    values[random.below(values.len())].clone()
}
