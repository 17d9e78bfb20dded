mod wording;

use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::event::Event;
use crate::event::person::Person;
use crate::mapping::Format;
use crate::message::reason::Reason;
use crate::primitives::language::Language;
use crate::template::variable::Raw;
use crate::template::{Button, Header, Media, Pattern};

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

/// Renders the body or another part of a message to Anna, in Italian.
fn fill_use(body: &str, parts: &Parts, chosen: Value) -> Result<Rendered, Skip> {
    let event = message_event(body);
    let context =
        Context { event: &event, recipient: recipient(&event), site_url: Some("https://example.com/"), files: None };
    let mut document = json!({"name": "avviso", "language": "it", "fingerprint": "f"});
    document.as_object_mut().unwrap().extend(chosen.as_object().unwrap().clone());
    let chosen: TemplateUse = serde_json::from_value(document).unwrap();
    fill(parts, &chosen, &context, &Locale { language: &lang("it"), zone: &TimeZone::UTC })
}

fn fill_message(body: &str, pattern: &str, sources: &str) -> Result<Filled, Skip> {
    let values: Value = serde_json::from_str(sources).unwrap();
    let parts = Parts::of_body(Pattern::parse(pattern));
    fill_use(body, &parts, json!({ "body": values })).map(|rendered| rendered.body)
}

fn skip(reason: Reason, detail: &str) -> Skip {
    Skip::new(reason, detail)
}

#[test]
fn line_breaks_and_blanks_are_reduced_to_the_form_whatsapp_accepts() {
    assert_eq!(clean("Riga uno\r\n\r\n  Riga due \n"), "Riga uno - Riga due");
    assert_eq!(clean("a\tb      c\u{a0}\u{a0}d"), "a b c d");
    assert_eq!(clean("\u{200f}Anna\u{200b}\u{feff}\u{0}\u{7f}"), "Anna");
    assert_eq!(clean(" \n\t\u{200b} "), "");
    assert_eq!(clean("a\u{2028}b\u{85}c"), "a - b - c");
}

#[test]
fn a_zero_width_joiner_is_kept_only_within_an_emoji() {
    let family = "👨\u{200d}👩\u{200d}👧";
    assert_eq!(clean(family), family);
    assert_eq!(clean("❤\u{fe0f}\u{200d}🔥"), "❤\u{fe0f}\u{200d}🔥");
    assert_eq!(clean("a\u{200d}b 👨\u{200d}"), "ab 👨");
}

#[test]
fn values_are_written_in_the_language_of_the_template() {
    let euro = crate::primitives::money::Money { amount: "1234.5".parse().unwrap(), currency: "EUR".to_owned() };
    let negative = crate::primitives::money::Money { amount: "-0.455".parse().unwrap(), currency: "CHF".to_owned() };
    let yen = crate::primitives::money::Money { amount: "1000000".parse().unwrap(), currency: "JPY".to_owned() };
    let day = Raw::Date(jiff::civil::date(2026, 1, 9));
    let table = [
        (Raw::Money(&euro), "it", "1.234,50 €"),
        (Raw::Money(&euro), "en", "€1,234.50"),
        (Raw::Money(&euro), "en_US", "€1,234.50"),
        (Raw::Money(&euro), "fr", "1 234,50 €"),
        (Raw::Money(&euro), "de", "1.234,50 €"),
        (Raw::Money(&euro), "es", "1.234,50 €"),
        (Raw::Money(&euro), "pt_PT", "1.234,50 €"),
        (Raw::Money(&euro), "pt_BR", "€ 1.234,50"),
        (Raw::Money(&euro), "nl", "€ 1.234,50"),
        (Raw::Money(&negative), "nl", "CHF -0,46"),
        (Raw::Money(&negative), "it", "-0,46 CHF"),
        (Raw::Money(&negative), "en", "-CHF 0.46"),
        (Raw::Money(&yen), "it", "1.000.000 JPY"),
        (day.clone(), "it", "09/01/2026"),
        (day.clone(), "en_GB", "9 Jan 2026"),
        (day.clone(), "de", "09.01.2026"),
        (day.clone(), "fr", "09/01/2026"),
        (day.clone(), "es", "09/01/2026"),
        (day.clone(), "pt_BR", "09/01/2026"),
        (day.clone(), "nl", "09-01-2026"),
        (day, "zh_CN", "2026-01-09"),
        (Raw::Count(12345), "it", "12.345"),
        (Raw::Count(999), "en", "999"),
        (Raw::OrderState("Evaso"), "it", "Evaso"),
        (Raw::OrderState("Evaso"), "en", "Ready to ship"),
        (Raw::OrderState("EVASO"), "de_AT", "Versandbereit"),
        (Raw::OrderState("Evaso"), "nl", "Ready to ship"),
        (Raw::ActivityState("Scaduta"), "fr", "En retard"),
        (Raw::ActivityState("SCADUTA"), "it", "SCADUTA"),
        (Raw::ActivityState("In attesa"), "fr", "In attesa"),
        (Raw::OrderState("Pronto al ritiro"), "en", "Pronto al ritiro"),
    ];
    for (raw, language, expected) in table {
        let locale = Locale { language: &lang(language), zone: &TimeZone::UTC };
        assert_eq!(write(&raw, None, &locale), expected, "{raw:?} {language}");
    }
}

#[test]
fn an_amount_may_be_written_without_its_currency() {
    let amount =
        |text: &str| crate::primitives::money::Money { amount: text.parse().unwrap(), currency: "EUR".to_owned() };
    for (value, language, expected) in
        [("1234.5", "it", "1.234,50"), ("-1234.5", "en", "-1,234.50"), ("-0.001", "fr", "0,00"), ("0", "nl", "0,00")]
    {
        let (money, language) = (amount(value), lang(language));
        let locale = Locale { language: &language, zone: &TimeZone::UTC };
        assert_eq!(write(&Raw::Money(&money), Some(Format::Number), &locale), expected);
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
fn a_text_header_is_filled_within_60_units() {
    let text = Pattern::parse("Messaggio di {{1}}");
    let parts = Parts { header: Some(Header::Text { text }), ..Parts::of_body(Pattern::parse("Fisso.")) };
    let header = |body: &str, value: Value| {
        fill_use(body, &parts, json!({"header": {"text": {"1": value}}})).map(|rendered| rendered.header)
    };
    let Ok(Some(FilledHeader::Text(filled))) = header("", json!({"variable": "actor.first_name"})) else { panic!() };
    assert_eq!(filled.text, "Messaggio di Luca");
    let body = "x".repeat(48);
    let long = header(&body, json!({"variable": "message.body"})).unwrap_err();
    assert_eq!(long, skip(Reason::TextTooLong, "header {{1}}: 61 > 60"));
    let cut = header(&body, json!({"variable": "message.body", "shorten": true})).unwrap();
    assert!(matches!(cut, Some(FilledHeader::Text(filled)) if units(&filled.text) == 60));
    let empty = header("", json!({"variable": "message.body"})).unwrap_err();
    assert_eq!(empty, skip(Reason::ValueMissing, "header {{1}} = message.body"));
    assert_eq!(fill_use("", &parts, json!({})).unwrap_err(), skip(Reason::ValueMissing, "header {{1}}"));
    let fixed = Parts { header: Some(Header::Text { text: Pattern::parse("Avviso") }), ..parts.clone() };
    assert_eq!(fill_use("", &fixed, json!({})).unwrap().header, None);
}

#[test]
fn a_header_of_media_needs_an_https_link() {
    let with = |media| Parts { header: Some(Header::Media { media }), ..Parts::of_body(Pattern::parse("Fisso.")) };
    let header = |media, link: &str, name: &str| {
        let chosen = match media {
            Media::Image => json!({"image": {"link": {"text": link}}}),
            Media::Video => json!({"video": {"link": {"text": link}}}),
            Media::Document => json!({"document": {"link": {"variable": "message.body"}, "filename": {"text": name}}}),
        };
        fill_use(link, &with(media), json!({"header": chosen})).map(|rendered| rendered.header.unwrap())
    };
    let link = "https://example.com/a b.pdf";
    let escaped = "https://example.com/a%20b.pdf".to_owned();
    assert_eq!(header(Media::Image, link, ""), Ok(FilledHeader::Image(escaped.clone())));
    assert_eq!(header(Media::Video, link, ""), Ok(FilledHeader::Video(escaped.clone())));
    let document = FilledHeader::Document { link: escaped, filename: "Bolla n. 7.pdf".to_owned() };
    assert_eq!(header(Media::Document, link, "Bolla n.\t7.pdf"), Ok(document));
    let insecure = header(Media::Image, "http://example.com/a.png", "").unwrap_err();
    assert_eq!(insecure, skip(Reason::ValueMissing, "header.image.link: is no https address"));
    let insecure = header(Media::Document, "listino", "a").unwrap_err();
    assert_eq!(insecure, skip(Reason::ValueMissing, "header.document.link = message.body: is no https address"));
    let nameless = header(Media::Document, link, " ").unwrap_err();
    assert_eq!(nameless, skip(Reason::ValueMissing, "header.document.filename"));
    let long = header(Media::Document, link, &"n".repeat(256)).unwrap_err();
    assert_eq!(long, skip(Reason::TextTooLong, "header.document.filename: 256 > 255"));
    let other = fill_use("", &with(Media::Video), json!({"header": {"image": {"link": {"text": link}}}})).unwrap_err();
    assert_eq!(other, skip(Reason::ValueMissing, "header.video"));
}

/// Returns parts with a button of each kind: 0 fixed, 1 with a suffix, 2 a quick reply, 3 a code.
fn with_buttons() -> Parts {
    let buttons = vec![
        Button::Url { text: "Sito".to_owned(), url: "https://example.com".to_owned() },
        Button::UrlWithSuffix { text: "Apri".to_owned(), base: "https://example.com/m/".to_owned() },
        Button::QuickReply { text: "Letto".to_owned() },
        Button::CopyCode { text: "Copia codice offerta".to_owned() },
    ];
    Parts { buttons, ..Parts::of_body(Pattern::parse("Fisso.")) }
}

#[test]
fn buttons_are_filled_by_their_index_among_all() {
    let suffix = json!({"suffix": {"variable": "message.body"}});
    let all =
        json!({"buttons": {"1": suffix, "2": {"payload": {"text": "letto"}}, "3": {"code": {"text": "SALDI27"}}}});
    let buttons = fill_use("https://example.com/m/7 bis", &with_buttons(), all).unwrap().buttons;
    let expected = [
        FilledButton { index: 1, value: ButtonValue::Suffix("7%20bis".to_owned()) },
        FilledButton { index: 2, value: ButtonValue::Payload("letto".to_owned()) },
        FilledButton { index: 3, value: ButtonValue::Code("SALDI27".to_owned()) },
    ];
    assert_eq!(buttons, expected);
    let fewest = json!({"buttons": {"0": {"payload": {"text": "?"}}, "1": suffix, "3": {"code": {"text": "SALDI27"}}}});
    let indexes: Vec<u8> =
        fill_use("7", &with_buttons(), fewest).unwrap().buttons.iter().map(|button| button.index).collect();
    assert_eq!(indexes, [1, 3], "a quick reply may stay without, a fixed address takes nothing");
}

#[test]
fn a_missing_or_invalid_button_value_is_reported() {
    let filled = |suffix: Value, payload: &str, code: &str| {
        let buttons =
            json!({"1": {"suffix": suffix}, "2": {"payload": {"text": payload}}, "3": {"code": {"text": code}}});
        fill_use("", &with_buttons(), json!({ "buttons": buttons })).map(|rendered| rendered.buttons.len())
    };
    let seven = || json!({"text": "7"});
    assert_eq!(filled(seven(), "p", "C"), Ok(3));
    let table = [
        (
            filled(json!({"variable": "message.body"}), "p", "C"),
            Reason::ValueMissing,
            "buttons.1.suffix = message.body",
        ),
        (filled(json!({"text": "https://example.com/m/"}), "p", "C"), Reason::ValueMissing, "buttons.1.suffix"),
        (filled(json!({"text": "x".repeat(1979)}), "p", "C"), Reason::TextTooLong, "buttons.1.suffix: 2001 > 2000"),
        (filled(seven(), &"p".repeat(129), "C"), Reason::TextTooLong, "buttons.2.payload: 129 > 128"),
        (filled(seven(), "\u{200b}", "C"), Reason::ValueMissing, "buttons.2.payload"),
        (filled(seven(), "p", "SALDI-27"), Reason::ValueMissing, "buttons.3.code: must be letters and digits"),
        (filled(seven(), "p", "SALDI20272028XXX"), Reason::TextTooLong, "buttons.3.code: 16 > 15"),
    ];
    for (result, reason, detail) in table {
        assert_eq!(result, Err(skip(reason, detail)));
    }
    let none = fill_use("", &with_buttons(), json!({})).unwrap_err();
    assert_eq!(none, skip(Reason::ValueMissing, "buttons.1.suffix"));
    let other = json!({"buttons": {"1": {"code": {"text": "C"}}}});
    assert_eq!(fill_use("", &with_buttons(), other).unwrap_err(), skip(Reason::ValueMissing, "buttons.1.suffix"));
}

#[test]
fn times_are_shown_in_the_sites_time_zone() {
    let rome = TimeZone::get("Europe/Rome").unwrap();
    let shown = |at: &str, format, language: &str| {
        write(&Raw::Moment(at.parse().unwrap()), format, &Locale { language: &lang(language), zone: &rome })
    };
    // Summer time ends at 01:00 UTC on 25 October 2026: 02:30 occurs twice.
    assert_eq!(shown("2026-10-25T00:30:00Z", None, "it"), "25/10/2026 alle 02:30");
    assert_eq!(shown("2026-10-25T01:30:00Z", None, "it"), "25/10/2026 alle 02:30");
    assert_eq!(shown("2026-03-29T00:59:00Z", Some(Format::Time), "it"), "01:59");
    assert_eq!(shown("2026-03-29T01:00:00Z", Some(Format::Time), "it"), "03:00");
    assert_eq!(shown("2026-11-22T23:30:00Z", Some(Format::Date), "it"), "23/11/2026");
    assert_eq!(shown("2026-11-22T14:30:00Z", Some(Format::DateTime), "en"), "22 Nov 2026 at 15:30");
    assert_eq!(shown("2026-11-22T14:30:00Z", None, "de"), "22.11.2026, 15:30");
    assert_eq!(shown("2026-11-22T14:30:00Z", Some(Format::Number), "fr"), "22/11/2026 à 15:30");
    assert_eq!(shown("2026-11-22T14:30:00Z", None, "it"), "22/11/2026 alle 15:30");
    assert_eq!(shown("2026-11-22T14:30:00Z", None, "es"), "22/11/2026 a las 15:30");
    assert_eq!(shown("2026-11-22T00:30:00Z", None, "es"), "22/11/2026 a la 01:30");
    assert_eq!(shown("2026-11-22T14:30:00Z", None, "pl"), "22.11.2026 15:30");
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
