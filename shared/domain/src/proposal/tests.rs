use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::template::examples;

/// Returns the proposed ids of the body's gaps, with "?" for none.
fn proposed(event: EventType, text: &str, given: &[&str]) -> Vec<String> {
    let components = json!([{"type": "BODY", "example": {"body_text": [given]}}]);
    let parts = Parts { examples: examples(&components), ..Parts::of_body(Pattern::parse(text)) };
    let ids = propose(event, &parts).body.into_iter().map(|(_, gap)| gap.variable.map_or("?", |one| one.id));
    ids.map(str::to_owned).collect()
}

#[test]
fn names_words_and_examples_lead_to_the_variables() {
    let order = EventType::OrderStatusChanged;
    for (event, text, given, expected) in [
        (
            order,
            "Ciao {{1}}, il tuo ordine {{2}} è ora *{{3}}*. Totale: {{4}}.",
            &["Anna", "OC1/1320", "Memorizzato", "129,90 €"] as &[&str],
            &["full_name", "order.code", "order.status", "order.total"] as &[&str],
        ),
        (order, "Ciao {{1}}, ordine {{2}}: {{3}}", &[], &["full_name", "order.code", "?"]),
        (order, "Hi {{name}}, order {{order_code}}", &[], &["full_name", "order.code"]),
        (order, "A {{nome}}: {{codice_ordine}}, {{corriere}}", &[], &["full_name", "order.code", "order.carrier"]),
        (order, "X {{sigla_documento}} Y {{totale_ordine}}", &[], &["order.code", "order.total"]),
        (
            EventType::CartAbandoned,
            "Gentile {{1}}, nel carrello: {{2}}",
            &["Rossi", "59,80 €"],
            &["full_name", "cart.total"],
        ),
        (order, "Qwerty {{1}}", &["xyz"], &["?"]),
    ] {
        assert_eq!(proposed(event, text, given), expected, "{text}");
    }
}

#[test]
fn buttons_take_addresses_and_media_take_nothing() {
    let buttons = vec![
        Button::UrlWithSuffix { text: "Segui la spedizione".to_owned(), base: "https://track.example.com/".to_owned() },
        Button::QuickReply { text: "Ordine ricevuto".to_owned() },
        Button::CopyCode { text: "Copia".to_owned() },
        Button::UrlWithSuffix { text: "Vedi ordine".to_owned(), base: "https://www.example.com/".to_owned() },
    ];
    let header = Some(Header::Media { media: Media::Image });
    let parts = Parts { header, buttons, ..Parts::of_body(Pattern::parse("Ciao")) };
    let proposal = propose(EventType::OrderStatusChanged, &parts);
    assert!(matches!(&proposal.header, Some(HeaderGap::Media(Media::Image, gap)) if gap.variable.is_none()));
    let found: Vec<(u8, Option<&str>)> =
        proposal.buttons.iter().map(|one| (one.index, one.gap.variable.map(|variable| variable.id))).collect();
    assert_eq!(found, [(0, Some("order.tracking_url")), (1, None), (2, None), (3, Some("order.url"))]);
}

/// The templates of the local run, with the mappings that their author wrote.
#[test]
fn most_of_the_demo_is_proposed_as_a_person_wrote_it() {
    let read = |file: &str| -> Vec<Value> {
        let path = format!("{}/../../infra/local/src/{file}", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    };
    let templates = read("templates.json");
    let (mut right, mut all, mut other) = (0, 0, Vec::new());
    for mapping in read("mappings.json") {
        let event = EventType::of(mapping["event_type"].as_str().unwrap()).unwrap();
        for row in templates.iter().filter(|row| row["name"] == mapping["template"]) {
            let body = row["components"].as_array().unwrap().iter().find(|one| one["type"] == "BODY").unwrap();
            let text = Pattern::parse(body["text"].as_str().unwrap());
            let parts = Parts { examples: examples(&row["components"]), ..Parts::of_body(text) };
            for (placeholder, gap) in propose(event, &parts).body {
                let wanted = mapping["body"][placeholder.to_string()]["variable"].as_str().unwrap();
                let found = gap.variable.map_or("?", |one| one.id);
                all += 1;
                // Both name the recipient, except on an upload.
                let is_same = found == wanted || format!("recipient.{found}") == wanted;
                right += usize::from(is_same);
                if !is_same {
                    other.push(format!("{} {} {placeholder}: {found}, not {wanted}", row["name"], row["language"]));
                }
            }
        }
    }
    // A gap without a proposal is better than a wrong one.
    let wrong: Vec<&String> = other.iter().filter(|one| !one.contains(": ?,")).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(right * 10 >= all * 7, "{right} of {all}: {other:#?}");
}

proptest! {
    #[test]
    fn every_gap_has_a_variable_of_its_event_or_none(
        text in "([a-zA-Zàè :,]{0,12}(\\{\\{([1-4]|nome|codice|totale)\\}\\})?){0,6}",
        example in "[ -~]{0,12}",
        event in prop::sample::select(EventType::ALL.to_vec()),
    ) {
        let pattern = Pattern::parse(&text);
        let placeholders: Vec<Placeholder> = pattern.placeholders().into_iter().cloned().collect();
        let mut parts = Parts::of_body(pattern);
        parts.examples.insert("body/1".to_owned(), example);
        let proposal = propose(event, &parts);
        let gaps: Vec<Placeholder> = proposal.body.iter().map(|(placeholder, _)| placeholder.clone()).collect();
        prop_assert_eq!(gaps, placeholders);
        let mut ids: Vec<&str> = proposal.body.iter().filter_map(|(_, gap)| Some(gap.variable?.id)).collect();
        prop_assert!(proposal.body.iter().all(|(_, gap)| gap.variable.is_none_or(|one| one.events.contains(&event))));
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        prop_assert_eq!(ids.len(), count, "a variable twice");
    }
}
