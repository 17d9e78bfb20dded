use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::event::Event;
use crate::person::Person;
use crate::variable::Raw;

fn lang(code: &str) -> Language {
    Language::parse(code).unwrap()
}

fn message_event(body: &str) -> Event {
    let document = json!({
        "id": "m-1", "type": "message.sent", "occurred_at": "2026-11-22T09:00:00Z",
        "data": {
            "message": {"id": "M1", "subject": "Preventivo", "body": body},
            "sender": {"id": "S", "first_name": "Luca"}, "recipients": [{"id": "A", "first_name": "Anna"}],
            "notify": ["whatsapp"]
        }
    });
    Event::parse(document, "2026-11-22T10:00:00Z".parse().unwrap()).unwrap()
}

fn recipient(event: &Event) -> &Person {
    event.recipients().first().unwrap()
}

fn sources(text: &str) -> BTreeMap<Placeholder, ValueSource> {
    serde_json::from_str(text).unwrap()
}

fn fill_message(body: &str, pattern: &str, sources_text: &str) -> Result<Filled, Skip> {
    let event = message_event(body);
    let context = Context { event: &event, recipient: recipient(&event), site_url: None };
    fill(&Pattern::parse(pattern), &sources(sources_text), &context, &lang("it"))
}

#[test]
fn lines_and_blanks_become_what_whatsapp_takes() {
    assert_eq!(clean("Riga uno\r\n\r\n  Riga due \n"), "Riga uno - Riga due");
    assert_eq!(clean("a\tb      c\u{a0}\u{a0}d"), "a b c d");
    assert_eq!(clean("\u{200f}Anna\u{200b}\u{feff}\u{0}\u{7f}"), "Anna");
    assert_eq!(clean(" \n\t\u{200b} "), "");
    assert_eq!(clean("a\u{2028}b\u{85}c"), "a - b - c");
}

#[test]
fn a_joiner_stays_where_it_makes_an_emoji() {
    let family = "👨\u{200d}👩\u{200d}👧";
    assert_eq!(clean(family), family);
    assert_eq!(clean("❤\u{fe0f}\u{200d}🔥"), "❤\u{fe0f}\u{200d}🔥");
    assert_eq!(clean("a\u{200d}b 👨\u{200d}"), "ab 👨");
}

#[test]
fn values_are_written_in_the_language_of_the_template() {
    let euro = crate::money::Money { amount: "1234.5".parse().unwrap(), currency: "EUR".to_owned() };
    let negative = crate::money::Money { amount: "-0.455".parse().unwrap(), currency: "CHF".to_owned() };
    let yen = crate::money::Money { amount: "1000000".parse().unwrap(), currency: "JPY".to_owned() };
    let day = Raw::Date(jiff::civil::date(2026, 1, 9));
    let table = [
        (Raw::Money(&euro), "it", "1.234,50 €"),
        (Raw::Money(&euro), "en", "€1,234.50"),
        (Raw::Money(&euro), "en_US", "€1,234.50"),
        (Raw::Money(&euro), "fr", "1 234,50 €"),
        (Raw::Money(&negative), "it", "-0,46 CHF"),
        (Raw::Money(&negative), "en", "-CHF 0.46"),
        (Raw::Money(&yen), "it", "1.000.000 JPY"),
        (day.clone(), "it", "09/01/2026"),
        (day.clone(), "en_GB", "9 Jan 2026"),
        (day.clone(), "de", "09.01.2026"),
        (day, "zh_CN", "2026-01-09"),
        (Raw::Count(12345), "it", "12.345"),
        (Raw::Count(999), "en", "999"),
        (Raw::OrderState("Evaso"), "it", "Evaso"),
        (Raw::OrderState("Evaso"), "en", "Ready to ship"),
        (Raw::OrderState("Pronto al ritiro"), "en", "Pronto al ritiro"),
    ];
    for (raw, language, expected) in table {
        assert_eq!(write(&raw, &lang(language)), expected, "{raw:?} {language}");
    }
}

#[test]
fn a_body_is_filled_in_sending_order() {
    let filled = fill_message(
        "Buongiorno\nin allegato",
        "{{2}} da {{1}}: {{3}}.",
        r#"{"1":{"variable":"actor.first_name"},"2":{"text":"Messaggio"},"3":{"variable":"message.body"}}"#,
    );
    let filled = filled.unwrap();
    assert_eq!(filled.text, "Messaggio da Luca: Buongiorno - in allegato.");
    let values: Vec<&str> = filled.values.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(values, ["Luca", "Messaggio", "Buongiorno - in allegato"]);
}

#[test]
fn an_empty_value_takes_its_default_or_is_missing() {
    let pattern = "Testo: {{1}}.";
    let with_default = fill_message(" \n ", pattern, r#"{"1":{"variable":"message.body","default":"(vuoto)"}}"#);
    assert_eq!(with_default.unwrap().text, "Testo: (vuoto).");
    let skip = fill_message("", pattern, r#"{"1":{"variable":"message.body","default":" "}}"#).unwrap_err();
    assert_eq!(skip, Skip::new(Reason::ValueMissing, "{{1}} = message.body"));
    let skip = fill_message("", pattern, "{}").unwrap_err();
    assert_eq!(skip, Skip::new(Reason::ValueMissing, "{{1}}"));
}

#[test]
fn a_text_too_long_is_refused_or_shortened() {
    let long = "parola ".repeat(800);
    let skip = fill_message(&long, "Testo: {{1}}.", r#"{"1":{"variable":"message.body"}}"#).unwrap_err();
    assert_eq!(skip, Skip::new(Reason::TextTooLong, "{{1}}: 5607 > 1024"));
    let filled = fill_message(&long, "Testo: {{1}}.", r#"{"1":{"variable":"message.body","shorten":true}}"#).unwrap();
    assert_eq!(units(&filled.text), 1023, "the blank before the … goes");
    assert!(filled.text.ends_with("…."), "{}", filled.text);
}

#[test]
fn cutting_never_splits_a_character() {
    assert_eq!(shorten("👨\u{200d}👩\u{200d}👧 ciao", 8), "…");
    assert_eq!(shorten("👨\u{200d}👩\u{200d}👧 ciao", 10), "👨\u{200d}👩\u{200d}👧…");
    assert_eq!(shorten("perché no", 4), "per…");
    assert_eq!(shorten("uno due", 5), "uno…");
}

proptest! {
    #[test]
    fn no_text_breaks_a_rule_of_whatsapp(body in "(?s).{0,300}|[\\PC\\n\\t ]{0,1500}") {
        let filled = fill_message(
            &body,
            "Gentile {{1}}, messaggio: {{2}}. Ancora: {{2}} fine.",
            r#"{"1":{"variable":"first_name"},"2":{"variable":"message.body","default":"-","shorten":true}}"#,
        );
        let filled = filled.unwrap();
        prop_assert!(units(&filled.text) <= BODY_UNITS_MAX);
        for (_, value) in &filled.values {
            prop_assert!(!value.trim().is_empty());
            prop_assert!(!value.contains(['\n', '\r', '\t']) && !value.contains("  "));
            prop_assert_eq!(&clean(value), value);
        }
        prop_assert!(!filled.text.contains("{{1}}") || body.contains("{{1}}"));
    }
}
