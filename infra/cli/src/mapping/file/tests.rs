use domain::check::{Problem, check};
use domain::site::config::LiveConfig;
use domain::template::Content;
use proptest::prelude::*;
use serde_json::json;
use texts::Lang;

use super::*;
use crate::yaml;

fn template(row: &Value) -> Template {
    provider::read_template(row).unwrap()
}

fn live(template: &Template) -> LiveConfig {
    let account = json!({"id": "main", "base_url": "https://example.com", "phone_number_id": "1", "waba_id": "2"});
    let account: domain::site::config::Account = serde_json::from_value(account).unwrap();
    LiveConfig {
        site: domain::site::config::Site::new(domain::primitives::id::SiteId::parse("demo").unwrap()),
        templates: vec![(account.id.clone(), template.clone())],
        accounts: vec![account],
        mappings: Vec::new(),
        holds: Vec::new(),
    }
}

fn written(template: &Template, event: EventType, lang: Lang) -> String {
    let Content::Usable(parts) = &template.content else { panic!("{template:?}") };
    let active_since = "2026-11-28T15:00:00Z".parse().unwrap();
    let uses = vec![Used { template, parts }];
    write(&NewMapping { id: "nuova", event, account: None, active_since, uses }, lang.texts())
}

fn shipped() -> Value {
    json!({
        "name": "ordine_spedito", "language": "it", "status": "APPROVED", "category": "UTILITY",
        "parameter_format": "NAMED",
        "components": [
            {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["https://www.example.com/pacco.jpg"]}},
            {"type": "BODY", "text": "Gentile {{nome}}, l'ordine {{codice}} è partito.", "example": {
                "body_text_named_params": [
                    {"param_name": "nome", "example": "Anna"}, {"param_name": "codice", "example": "OC1/1320"},
                ]}},
            {"type": "BUTTONS", "buttons": [
                {"type": "URL", "text": "Segui la spedizione", "url": "https://track.example.com/{{1}}",
                 "example": ["https://track.example.com/084512345678"]},
                {"type": "QUICK_REPLY", "text": "Ricevuto"},
            ]},
        ],
    })
}

#[test]
fn the_file_names_each_gap_and_what_remains_to_do() {
    let file = written(&template(&shipped()), EventType::OrderStatusChanged, Lang::It);
    insta::assert_snapshot!(file);
    let template = template(&shipped());
    let findings = check(&yaml::parse(&file).unwrap(), &live(&template)).findings;
    let found: Vec<(&str, &str)> = findings.iter().map(|one| (one.path.as_str(), one.problem.code())).collect();
    assert_eq!(found, [("/templates/it/header/image/link/text", "empty_text")]);
    let filled = file.replace("\"link\": { text: \"\" }", "\"link\": { text: \"https://www.example.com/pacco.jpg\" }");
    assert!(check(&yaml::parse(&filled).unwrap(), &live(&template)).is_right(), "{filled}");
}

/// Any text, with the characters that YAML treats specially.
fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop_oneof![
            any::<char>(),
            prop::sample::select(vec!['\n', '#', ':', '"', '\'', '{', '}', '\u{85}', '\u{2028}', '\u{feff}', '\u{0}']),
        ],
        0..12,
    )
    .prop_map(|letters| letters.into_iter().collect())
}

fn component() -> impl Strategy<Value = Value> {
    let named = prop::sample::select(vec!["1", "2", "nome", "codice", "no", "1e3", "null", "true", "xyz"]);
    let header = prop_oneof![
        Just(json!({"type": "HEADER", "format": "IMAGE"})),
        Just(json!({"type": "HEADER", "format": "DOCUMENT"})),
        named.prop_map(|name| json!({"type": "HEADER", "format": "TEXT", "text": format!("Per {{{{{name}}}}}")})),
    ];
    let button = prop_oneof![
        text().prop_map(|label| json!({"type": "QUICK_REPLY", "text": label})),
        (text(), text()).prop_map(|(label, code)| json!({"type": "COPY_CODE", "text": label, "example": code})),
        text().prop_map(|label| json!({"type": "URL", "text": label, "url": "https://example.com/{{1}}"})),
    ];
    prop_oneof![
        header,
        prop::collection::vec(button, 0..4).prop_map(|buttons| json!({"type": "BUTTONS", "buttons": buttons})),
    ]
}

proptest! {
    #[test]
    fn any_template_gives_a_file_that_lacks_only_what_a_person_must_fill(
        (before, example) in (text(), text()),
        names in prop::collection::vec(prop::sample::select(vec!["nome", "codice", "no", "1e3", "null", "xyz"]), 0..4),
        more in prop::collection::vec(component(), 0..3),
        event in prop::sample::select(EventType::ALL.to_vec()),
    ) {
        let body: String = names.iter().map(|name| format!("{before} {{{{{name}}}}}")).collect();
        let given: Vec<Value> = names.iter().map(|name| json!({"param_name": name, "example": example})).collect();
        let body = json!({"type": "BODY", "text": body, "example": {"body_text_named_params": given}});
        let components: Vec<Value> = std::iter::once(body).chain(more).collect();
        let row = json!({"name": "prova", "language": "it", "status": "APPROVED", "category": "UTILITY",
            "components": components});
        prop_assume!(event.notification() != domain::event::Notification::Never);
        let template = template(&row);
        prop_assume!(matches!(template.content, Content::Usable(_)));
        let file = written(&template, event, Lang::En);
        let document = yaml::parse(&file);
        prop_assert!(document.is_ok(), "{:?}\n{}", document, file);
        let findings = check(&document.unwrap(), &live(&template)).findings;
        prop_assert!(findings.iter().all(|one| one.problem == Problem::EmptyText), "{:?}\n{}", findings, file);
    }
}
