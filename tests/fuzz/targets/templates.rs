//! A page of the template list as `sync-templates` parses and stores it.
#![no_main]

use domain::primitives::language::Language;
use domain::template::{Button, Content, Header, Parts, Pattern, Piece, Placeholder};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use serde_json::{Value, json};

/// Most buttons of a template.
const BUTTONS_MAX: usize = 10;

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| { fuzz::mutate(data, size, max_size, seed) });

fuzz_target!(|input: &[u8]| {
    let Some(page) = fuzz::json(input).map(fuzz::page) else { return };
    if fuzz::has_next(&page) {
        assert!(page["paging"]["cursors"]["after"].is_string());
    }
    let Some(templates) = fuzz::templates(&page) else { return };
    let rows = page["data"].as_array().expect("a page has rows");
    assert!(templates.len() <= rows.len());
    for template in &templates {
        fuzz::round_trip(template);
        assert_eq!(Language::parse(template.language.as_str()).as_ref(), Ok(&template.language));
        match &template.content {
            Content::Usable(parts) => usable(parts),
            Content::Unusable { why } => assert!(!why.to_string().is_empty()),
        }
    }
    examples_do_not_matter(&page, templates.iter().map(|template| template.fingerprint.as_str()));
});

/// Every part can be filled: positions have no gap, and a header has at most one placeholder.
fn usable(parts: &Parts) {
    assert!(parts.buttons.len() <= BUTTONS_MAX);
    let is_numbered = |text: &Pattern| {
        let positions = text.placeholders().into_iter().filter_map(|placeholder| match placeholder {
            Placeholder::Position(position) => Some(*position),
            Placeholder::Name(_) => None,
        });
        positions.eq(1..=u16::try_from(text.placeholders().len()).unwrap_or(u16::MAX))
    };
    let is_named = |text: &Pattern| text.placeholders().iter().all(|one| matches!(one, Placeholder::Name(_)));
    assert!(is_numbered(&parts.body) || is_named(&parts.body), "{parts:?}");
    if let Some(Header::Text { text }) = &parts.header {
        assert!(text.placeholders().len() <= 1 && (is_numbered(text) || is_named(text)), "{parts:?}");
    }
    for button in &parts.buttons {
        if let Button::Url { url: text, .. } | Button::UrlWithSuffix { base: text, .. } = button {
            let pieces = Pattern::parse(text);
            assert!(!text.is_empty() && pieces.pieces().iter().all(|piece| matches!(piece, Piece::Fixed(_))));
        }
    }
}

/// Examples are only for Meta's reviewers, so they never change a fingerprint.
fn examples_do_not_matter<'a>(page: &Value, fingerprints: impl Iterator<Item = &'a str>) {
    let mut page = page.clone();
    for row in page["data"].as_array_mut().into_iter().flatten() {
        for component in row.get_mut("components").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(fields) = component.as_object_mut() {
                fields.insert("example".to_owned(), json!({"body_text": [["Anna"]]}));
            }
        }
    }
    let again = fuzz::templates(&page).expect("a page with examples is a page");
    assert!(again.iter().map(|template| template.fingerprint.as_str()).eq(fingerprints));
}
