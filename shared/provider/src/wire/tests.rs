//! The JSON of sends and of the template list, field by field.

use domain::decision::Outgoing;
use domain::decision::render::{ButtonValue, Filled, FilledButton, FilledHeader};
use domain::primitives::language::Language;
use domain::primitives::phone::{Country, Phone};
use domain::site::config::Account;
use domain::template::{
    Button, Category, Content, Header, Media, Parts, Pattern, Placeholder, Template, TemplateStatus,
};
use serde_json::{Value, json};

use super::*;

fn filled(values: &[(&str, &str)]) -> Filled {
    let values = values.iter().map(|(name, value)| (Placeholder::parse(name).unwrap(), (*value).to_owned()));
    Filled { values: values.collect(), text: String::new() }
}

/// Returns the components of a send with these parts, or null without parts.
fn components(header: Option<FilledHeader>, body: &[(&str, &str)], buttons: Vec<FilledButton>) -> Value {
    let account: Account = serde_json::from_value(json!({
        "id": "main", "base_url": "https://example.com/v23.0", "phone_number_id": "111", "waba_id": "222"
    }))
    .unwrap();
    let (language, phone) = (Language::italian(), Phone::parse("340 1234567", Country::ITALY).unwrap());
    let outgoing = Outgoing {
        account: &account,
        phone,
        template: "avviso_scadenza",
        language: &language,
        header,
        body: filled(body),
        buttons,
        marketing: false,
        useful_until: jiff::Timestamp::MAX,
    };
    let mut document = send_body(&outgoing, "e.m");
    let template = document["template"].as_object_mut().unwrap();
    let components = template.remove("components").unwrap_or(Value::Null);
    let rest = json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": "+393401234567", "type": "template",
        "biz_opaque_callback_data": "e.m",
        "template": {"name": "avviso_scadenza", "language": {"code": "it"}}
    });
    assert_eq!(document, rest, "what is the same for every send");
    components
}

fn button(index: u8, value: ButtonValue) -> FilledButton {
    FilledButton { index, value }
}

#[test]
fn a_body_is_sent_by_position_or_by_name() {
    insta::assert_json_snapshot!(components(None, &[("1", "Anna"), ("2", "OC1/1320")], vec![]), @r#"
    [
      {
        "parameters": [
          {
            "text": "Anna",
            "type": "text"
          },
          {
            "text": "OC1/1320",
            "type": "text"
          }
        ],
        "type": "body"
      }
    ]
    "#);
    insta::assert_json_snapshot!(components(None, &[("nome", "Anna"), ("codice", "OC1/1320")], vec![]), @r#"
    [
      {
        "parameters": [
          {
            "parameter_name": "nome",
            "text": "Anna",
            "type": "text"
          },
          {
            "parameter_name": "codice",
            "text": "OC1/1320",
            "type": "text"
          }
        ],
        "type": "body"
      }
    ]
    "#);
    assert_eq!(components(None, &[], vec![]), Value::Null, "nothing to fill: no components at all");
}

#[test]
fn a_header_of_text_is_sent_by_position_or_by_name() {
    let header = |name| Some(FilledHeader::Text(filled(&[(name, "OC1/1320")])));
    insta::assert_json_snapshot!(components(header("1"), &[], vec![]), @r#"
    [
      {
        "parameters": [
          {
            "text": "OC1/1320",
            "type": "text"
          }
        ],
        "type": "header"
      }
    ]
    "#);
    let named = components(header("ordine"), &[], vec![]);
    assert_eq!(named[0]["parameters"], json!([{"type": "text", "parameter_name": "ordine", "text": "OC1/1320"}]));
}

#[test]
fn header_media_are_sent_by_link() {
    let link = || "https://example.com/a".to_owned();
    insta::assert_json_snapshot!(components(Some(FilledHeader::Image(link())), &[], vec![]), @r#"
    [
      {
        "parameters": [
          {
            "image": {
              "link": "https://example.com/a"
            },
            "type": "image"
          }
        ],
        "type": "header"
      }
    ]
    "#);
    insta::assert_json_snapshot!(components(Some(FilledHeader::Video(link())), &[], vec![]), @r#"
    [
      {
        "parameters": [
          {
            "type": "video",
            "video": {
              "link": "https://example.com/a"
            }
          }
        ],
        "type": "header"
      }
    ]
    "#);
    let document = FilledHeader::Document { link: link(), filename: "Bolla 1320.pdf".to_owned() };
    insta::assert_json_snapshot!(components(Some(document), &[("1", "Anna")], vec![]), @r#"
    [
      {
        "parameters": [
          {
            "document": {
              "filename": "Bolla 1320.pdf",
              "link": "https://example.com/a"
            },
            "type": "document"
          }
        ],
        "type": "header"
      },
      {
        "parameters": [
          {
            "text": "Anna",
            "type": "text"
          }
        ],
        "type": "body"
      }
    ]
    "#);
}

#[test]
fn buttons_are_sent_with_their_place_among_all() {
    // The first button of the template is static. No component is sent for it, but it counts for the index.
    let buttons = vec![
        button(1, ButtonValue::Suffix("1320".to_owned())),
        button(2, ButtonValue::Payload("letto".to_owned())),
        button(3, ButtonValue::Code("SALDI27".to_owned())),
    ];
    insta::assert_json_snapshot!(components(None, &[], buttons), @r#"
    [
      {
        "index": "1",
        "parameters": [
          {
            "text": "1320",
            "type": "text"
          }
        ],
        "sub_type": "url",
        "type": "button"
      },
      {
        "index": "2",
        "parameters": [
          {
            "payload": "letto",
            "type": "payload"
          }
        ],
        "sub_type": "quick_reply",
        "type": "button"
      },
      {
        "index": "3",
        "parameters": [
          {
            "coupon_code": "SALDI27",
            "type": "coupon_code"
          }
        ],
        "sub_type": "copy_code",
        "type": "button"
      }
    ]
    "#);
}

fn row(components: &Value, more: &Value) -> Value {
    let mut row = json!({
        "id": "1", "name": "avviso", "language": "it", "status": "APPROVED", "category": "UTILITY",
        "parameter_format": "POSITIONAL", "components": components
    });
    row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    row
}

fn read(components: &Value, more: &Value) -> Template {
    template(&row(components, more)).unwrap()
}

fn body() -> Value {
    json!({"type": "BODY", "text": "Ciao {{1}}.", "example": {"body_text": [["Anna"]]}})
}

#[test]
fn every_part_of_a_definition_is_read() {
    let components = json!([
        {"type": "HEADER", "format": "DOCUMENT", "example": {"header_handle": ["https://x"]}},
        body(),
        {"type": "FOOTER", "text": "Grazie"},
        {"type": "BUTTONS", "buttons": [
            {"type": "URL", "text": "Sito", "url": "https://example.com"},
            {"type": "URL", "text": "Apri", "url": "https://example.com/o/{{1}}", "example": ["https://example.com/o/7"]},
            {"type": "PHONE_NUMBER", "text": "Chiama", "phone_number": "+390612345"},
            {"type": "COPY_CODE", "text": "Copia", "example": "SALDI"},
            {"type": "QUICK_REPLY", "text": "Letto"}
        ]}
    ]);
    let template = read(&components, &json!({"quality_score": {"score": "GREEN", "date": 1}}));
    let label = |text: &str| text.to_owned();
    let parts = Parts {
        header: Some(Header::Media { media: Media::Document }),
        body: Pattern::parse("Ciao {{1}}."),
        footer: Some(label("Grazie")),
        buttons: vec![
            Button::Url { text: label("Sito"), url: label("https://example.com") },
            Button::UrlWithSuffix { text: label("Apri"), base: label("https://example.com/o/") },
            Button::PhoneNumber { text: label("Chiama"), number: label("+390612345") },
            Button::CopyCode { text: label("Copia") },
            Button::QuickReply { text: label("Letto") },
        ],
        examples: [
            ("header", "https://x"),
            ("body/1", "Anna"),
            ("buttons/1", "https://example.com/o/7"),
            ("buttons/3", "SALDI"),
        ]
        .map(|(place, example)| (label(place), label(example)))
        .into(),
    };
    assert_eq!(template.content, Content::Usable(parts));
    assert_eq!((template.status, template.category), (TemplateStatus::Approved, Category::Utility));
    assert_eq!(template.quality.as_deref(), Some("GREEN"));
}

#[test]
fn a_template_the_bridge_cannot_fill_states_the_reason() {
    let header = |header: Value| json!([header, body()]);
    let buttons = |buttons: Value| json!([body(), {"type": "BUTTONS", "buttons": buttons}]);
    let table = [
        (json!([]), "it has no body"),
        (json!([{"type": "BODY"}]), "it has no body"),
        (json!({"type": "BODY"}), "it has no body"),
        (json!([body(), {"type": "CAROUSEL", "cards": []}]), "it has a part of the kind CAROUSEL"),
        (json!([body(), {"type": "LIMITED_TIME_OFFER"}]), "it has a part of the kind LIMITED_TIME_OFFER"),
        (json!([body(), 7]), "it has a part of the kind ?"),
        (header(json!({"type": "HEADER", "format": "LOCATION"})), "its header is of the kind LOCATION"),
        (header(json!({"type": "HEADER", "format": "GIF"})), "its header is of the kind GIF"),
        (header(json!({"type": "HEADER"})), "its header is of the kind ?"),
        (
            header(json!({"type": "HEADER", "format": "TEXT", "text": "{{1}} {{2}}"})),
            "its header has more than one placeholder",
        ),
        (json!([{"type": "BODY", "text": "a {{1}} b {{3}} c"}]), "the numbers of its body have gaps"),
        (json!([{"type": "BODY", "text": "a {{nome}} b"}]), "its placeholder {{nome}} is not of the format POSITIONAL"),
        (buttons(json!([{"type": "FLOW", "text": "x"}])), "it has a button of the kind FLOW"),
        (buttons(json!([{"type": "OTP", "text": "x"}])), "it has a button of the kind OTP"),
        (buttons(json!([null])), "it has a button of the kind ?"),
        (buttons(json!([{"type": "URL", "text": "x"}])), "it has a URL button without a URL"),
        (
            buttons(json!([{"type": "URL", "url": "https://a.it/{{1}}/b"}])),
            "it has a URL button whose placeholder is not at the end",
        ),
        (
            buttons(json!([{"type": "URL", "url": "https://a.it/{{1}}{{2}}"}])),
            "it has a URL button whose placeholder is not at the end",
        ),
        (buttons((0..11).map(|_| json!({"type": "QUICK_REPLY"})).collect()), "it has more than 10 buttons"),
    ];
    for (components, why) in table {
        let content = read(&components, &json!({})).content;
        assert_eq!(content, Content::Unusable { why: domain::template::Unfillable::from(why) }, "{components}");
    }
}

#[test]
fn a_missing_format_is_inferred_from_the_placeholders() {
    let named = json!([
        {"type": "HEADER", "format": "TEXT", "text": "Ordine {{ordine}}"},
        {"type": "BODY", "text": "Ciao {{nome}}.",
         "example": {"body_text_named_params": [{"param_name": "nome", "example": "Anna"}]}},
        {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Apri", "url": "https://example.com/{{1}}"}]}
    ]);
    let stated = read(&named, &json!({"parameter_format": "NAMED"}));
    assert!(matches!(stated.content, Content::Usable(_)), "the suffix of a URL has no name: {stated:?}");
    assert_eq!(read(&named, &json!({"parameter_format": null})), stated);
    let positional = json!([body()]);
    assert_eq!(read(&positional, &json!({"parameter_format": null})), read(&positional, &json!({})));
    let mixed = json!([{"type": "BODY", "text": "Ciao {{nome}} e {{1}}."}]);
    let why = "its placeholder {{1}} is not of the format NAMED".to_owned();
    assert_eq!(
        read(&mixed, &json!({"parameter_format": null})).content,
        Content::Unusable { why: domain::template::Unfillable::from(why.as_str()) }
    );
}

#[test]
fn the_score_is_an_object_or_a_word_or_absent() {
    let quality = |score: Value| read(&json!([body()]), &json!({"quality_score": score})).quality;
    assert_eq!(quality(json!({"score": "RED", "date": 1})).as_deref(), Some("RED"));
    assert_eq!(quality(json!("YELLOW")).as_deref(), Some("YELLOW"));
    assert_eq!(quality(json!(null)), None);
    assert_eq!(quality(json!({"date": 1})), None);
}

#[test]
fn examples_and_the_quality_score_do_not_affect_the_fingerprint() {
    let with = read(&json!([body()]), &json!({"quality_score": "GREEN"})).fingerprint;
    let mut plain = body();
    plain.as_object_mut().unwrap().remove("example");
    assert_eq!(read(&json!([plain]), &json!({})).fingerprint, with);
    let more = json!([body(), {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Sì"}]}]);
    assert_ne!(read(&more, &json!({})).fingerprint, with);
    assert_ne!(read(&json!([body()]), &json!({"category": "MARKETING"})).fingerprint, with);
}

#[test]
fn a_row_that_names_no_template_makes_the_page_malformed() {
    for row in [json!({}), json!({"name": "a"}), json!({"name": "a", "language": ""}), json!(null)] {
        assert!(template(&row).is_err(), "{row}");
        assert!(templates(&json!({"data": [row]})).is_err());
    }
    assert!(templates(&json!({"data": {}})).is_err());
}

#[test]
fn a_template_with_an_unknown_language_is_left_out_of_the_list() {
    let strange = row(&json!([body()]), &json!({"name": "one", "language": "sr_Latn_RS"}));
    let page = json!({"data": [strange, row(&json!([body()]), &json!({}))]});
    let names: Vec<String> = templates(&page).unwrap().into_iter().map(|template| template.name).collect();
    assert_eq!(names, ["avviso"]);
}
