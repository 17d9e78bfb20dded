//! A message as `send-message` renders it: an event, a row of the template list, and the values of a mapping.
#![no_main]

use domain::decision::render::{BODY_UNITS_MAX, ButtonValue, Filled, FilledButton, FilledHeader, Locale};
use domain::decision::render::{Place, Rendered, clean, fill};
use domain::event::Event;
use domain::mapping::TemplateUse;
use domain::message::file_list::Files;
use domain::message::reason::Reason;
use domain::template::variable::Context;
use domain::template::{Button, Content, Header, Parts, Pattern, Piece, Template};
use jiff::tz::TimeZone;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use serde_json::{Value, json};

/// Longest text header, file name, payload and URL in UTF-16 units, and longest code in characters.
const HEADER_UNITS_MAX: usize = 60;
const FILENAME_UNITS_MAX: usize = 255;
const PAYLOAD_UNITS_MAX: usize = 128;
const URL_UNITS_MAX: usize = 2000;
const CODE_CHARS_MAX: usize = 15;

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| { fuzz::mutate(data, size, max_size, seed) });

fuzz_target!(|input: &[u8]| {
    let Some(document) = fuzz::json(input) else { return };
    let Ok(event) = Event::parse_any(document["event"].clone(), fuzz::now()) else { return };
    let Some(template) = template(&document["template"]) else { return };
    let Content::Usable(parts) = &template.content else { return };
    let Ok(chosen) = serde_json::from_value::<TemplateUse>(document["use"].clone()) else { return };
    let zone = TimeZone::get(document["zone"].as_str().unwrap_or("Europe/Rome")).unwrap_or(TimeZone::UTC);
    let locale = Locale { language: &template.language, zone: &zone };
    let files = files(&event, &document);
    for recipient in event.recipients() {
        let site_url = document["site_url"].as_str();
        let context = Context { event: &event, recipient, site_url, files: files.as_ref() };
        match fill(parts, &chosen, &context, &locale) {
            Ok(rendered) => sendable(&rendered, parts),
            Err(skip) => {
                assert!(matches!(skip.reason, Reason::ValueMissing | Reason::TextTooLong), "{skip:?}");
            }
        }
    }
});

/// Parses a row of the template list.
fn template(row: &Value) -> Option<Template> {
    fuzz::templates(&json!({"data": [row]}))?.into_iter().next()
}

/// Returns the files of a digest: the event's own, and one for each name in the document.
fn files(event: &Event, document: &Value) -> Option<Files> {
    let mut file = event.file_action()?.file.clone();
    let mut files = Files::of(&file);
    for (name, number) in document["files"].as_array()?.iter().filter_map(Value::as_str).zip(0..) {
        file.id = domain::primitives::id::ObjectId::parse(&format!("F{number}")).expect("an id");
        name.clone_into(&mut file.name);
        files.add(&file);
    }
    Some(files)
}

/// Every part is within Meta's limits, and nothing is left to fill.
fn sendable(rendered: &Rendered, parts: &Parts) {
    filled(&rendered.body, &parts.body, BODY_UNITS_MAX);
    match (&parts.header, &rendered.header) {
        (Some(Header::Text { text }), Some(FilledHeader::Text(header))) => filled(header, text, HEADER_UNITS_MAX),
        (Some(Header::Text { text }), None) => assert!(text.placeholders().is_empty()),
        (Some(Header::Media { .. }), Some(FilledHeader::Image(link) | FilledHeader::Video(link))) => fetchable(link),
        (Some(Header::Media { .. }), Some(FilledHeader::Document { link, filename })) => {
            fetchable(link);
            value(filename);
            assert!(units(filename) <= FILENAME_UNITS_MAX);
        }
        (header, filled) => assert!(header.is_none() && filled.is_none(), "{header:?} is filled as {filled:?}"),
    }
    for (index, button) in (0..).zip(&parts.buttons) {
        pressed(button, rendered.buttons.iter().find(|filled| filled.index == index));
    }
    assert!(rendered.buttons.is_sorted_by(|one, other| one.index < other.index));
}

/// The text consists of the fixed pieces and the values, in their order, and is not too long.
fn filled(filled: &Filled, pattern: &Pattern, units_max: usize) {
    assert!(filled.values.iter().map(|(placeholder, _)| placeholder).eq(pattern.placeholders()));
    filled.values.iter().for_each(|(_, text)| value(text));
    let mut rest = filled.text.as_str();
    for piece in pattern.pieces() {
        let expected = match piece {
            Piece::Fixed(text) => text,
            Piece::Placeholder(placeholder) => {
                &filled.values.iter().find(|(name, _)| name == placeholder).expect("every placeholder has a value").1
            }
        };
        rest = rest.strip_prefix(expected.as_str()).expect("the text has its pieces in order");
    }
    assert!(rest.is_empty(), "more text than the template has");
    assert!(units(&filled.text) <= units_max, "{} units", units(&filled.text));
}

/// Meta accepts the text as a parameter.
fn value(text: &str) {
    assert!(!text.is_empty() && text.trim() == text, "{text:?}");
    assert!(!text.contains("  ") && !text.chars().any(char::is_control), "{text:?}");
    assert_eq!(clean(text), text, "cleaning again changes the text");
}

/// WhatsApp can fetch the address.
fn fetchable(link: &str) {
    assert!(link.starts_with("https://") && link.is_ascii() && !link.contains(char::is_whitespace), "{link:?}");
    assert_eq!(Place::Link.fault(link), None);
}

/// A button that needs a value has one within its limits.
fn pressed(button: &Button, filled: Option<&FilledButton>) {
    match (button, filled.map(|filled| &filled.value)) {
        (Button::UrlWithSuffix { base, .. }, Some(ButtonValue::Suffix(end))) => {
            assert!(!end.is_empty() && end.bytes().all(|byte| byte.is_ascii_graphic()), "{end:?}");
            assert!(units(base) + units(end) <= URL_UNITS_MAX);
        }
        (Button::QuickReply { .. }, Some(ButtonValue::Payload(payload))) => {
            value(payload);
            assert!(units(payload) <= PAYLOAD_UNITS_MAX);
        }
        (Button::CopyCode { .. }, Some(ButtonValue::Code(code))) => {
            assert!(
                (1..=CODE_CHARS_MAX).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric())
            );
        }
        (Button::UrlWithSuffix { .. } | Button::CopyCode { .. }, None) => panic!("{button:?} has no value"),
        (button, filled) => assert!(filled.is_none(), "{button:?} has a value: {filled:?}"),
    }
}

fn units(text: &str) -> usize {
    text.encode_utf16().count()
}
