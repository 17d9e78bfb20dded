//! Words, lists and quotations in the texts that customers read.

use super::*;
use crate::event::EventType;
use crate::event::example::published;
use crate::message::file_list::Files;
use crate::template::variable::Variable;

fn example(kind: EventType) -> Event {
    Event::parse(published(kind), "2026-11-22T10:00:00Z".parse().unwrap()).unwrap()
}

#[test]
fn the_file_names_of_a_digest_are_counted_where_they_do_not_fit() {
    let document = json!({
        "id": "f-1", "type": "file.uploaded", "occurred_at": "2026-11-22T09:00:00Z",
        "data": {
            "file": {"id": "F1", "name": "Listino primavera 2027.pdf", "folder": "Listini"},
            "actor": {"id": "S"}, "administrators": [{"id": "A"}], "notify": ["whatsapp"]
        }
    });
    let event = Event::parse(document, "2026-11-22T10:00:00Z".parse().unwrap()).unwrap();
    let crate::event::EventData::FileUploaded(action) = &event.data else { panic!() };
    let mut files = Files::of(&action.file);
    let parts = Parts {
        header: Some(Header::Text { text: Pattern::parse("Nuovi: {{1}}") }),
        ..Parts::of_body(Pattern::parse("Ciao"))
    };
    let chosen = json!({"name": "avviso", "language": "it", "fingerprint": "f", "body": {},
                        "header": {"text": {"1": {"variable": "file.name"}}}});
    let chosen: TemplateUse = serde_json::from_value(chosen).unwrap();
    let locale = Locale { language: &lang("it"), zone: &TimeZone::UTC };
    let header = |files: &Files| {
        let recipient = recipient(&event);
        let context = Context { event: &event, recipient, site_url: None, files: Some(files) };
        match fill(&parts, &chosen, &context, &locale)?.header {
            Some(FilledHeader::Text(filled)) => Ok(filled.text),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(header(&files).unwrap(), "Nuovi: Listino primavera 2027.pdf");
    for number in 2..5 {
        let id = crate::primitives::id::ObjectId::parse(&format!("F{number}")).unwrap();
        files.add(&crate::event::File {
            id,
            name: format!("Catalogo {number}.pdf"),
            folder: "Listini".to_owned(),
            url: None,
        });
    }
    let cut = header(&files).unwrap();
    assert_eq!((units(&cut), cut.as_str()), (54, "Nuovi: Listino primavera 2027.pdf, Catalogo 2.pdf (+2)"));
    // A single name that is too long is not cut: the mapping must allow it.
    let mut long = action.file.clone();
    long.name = "x".repeat(80);
    assert_eq!(header(&Files::of(&long)).map_err(|skip: Skip| skip.reason), Err(Reason::TextTooLong));
}

#[test]
fn the_lines_of_a_list_become_commas() {
    assert_eq!(clean("Servono:\n- viti;\n- tasselli\n\nGrazie"), "Servono: viti, tasselli - Grazie");
    assert_eq!(clean("• uno\n• due\n• tre"), "uno, due, tre");
    assert_eq!(clean("Buongiorno,\n\narriviamo alle 10"), "Buongiorno, arriviamo alle 10");
    assert_eq!(clean("Saluti\n-----\nMario Rossi"), "Saluti - Mario Rossi");
    assert_eq!(clean("Temperatura:\n-5 gradi\n*bello*"), "Temperatura: -5 gradi - *bello*");
    assert_eq!(clean("- da solo"), "- da solo");
    assert_eq!(clean("-"), "-");
    assert_eq!(clean("-\n-"), "");
}

#[test]
fn a_name_with_quotation_marks_does_not_break_those_of_the_template() {
    let chosen = r#"{"1":{"variable":"message.body"}}"#;
    let filled = fill_message("Offerta «Natale»", "Oggetto «{{1}}», ancora {{1}}.", chosen).unwrap();
    assert_eq!(filled.text, "Oggetto «Offerta “Natale”», ancora Offerta “Natale”.");
}

#[test]
fn counts_kinds_and_leads_are_written_as_words() {
    let shown = |kind: EventType, variable: &str, change: (&str, Value), language: &str| {
        let mut event = example(kind);
        *event.document.pointer_mut(change.0).unwrap() = change.1;
        let event = Event::parse(event.document, "2026-11-22T10:00:00Z".parse().unwrap()).unwrap();
        let context = Context { event: &event, recipient: recipient(&event), site_url: None, files: None };
        let value = Variable::of(variable).unwrap().value(&context).unwrap();
        write(&value, None, &Locale { language: &lang(language), zone: &TimeZone::UTC })
    };
    let cart = |count: u64, language| {
        shown(EventType::CartAbandoned, "cart.item_count_text", ("/data/cart/item_count", json!(count)), language)
    };
    assert_eq!(
        ["it", "en", "de", "fr", "es", "nl"].map(|language| cart(1, language)),
        ["1 articolo", "1 item", "1 Artikel", "1 article", "1 artículo", "1 item"]
    );
    assert_eq!(
        ["it", "en", "de", "fr", "es", "nl"].map(|language| cart(1200, language)),
        ["1.200 articoli", "1,200 items", "1.200 Artikel", "1 200 articles", "1.200 artículos", "1.200 items"]
    );
    assert_eq!(["it", "fr"].map(|language| cart(0, language)), ["0 articoli", "0 article"]);
    let kind = |kind: &str, language| {
        shown(EventType::OrderStatusChanged, "order.kind", ("/data/order/kind", json!(kind)), language)
    };
    assert_eq!(
        ["it", "de", "fr"].map(|language| kind("delivery_note", language)),
        ["bolla", "Lieferschein", "bon de livraison"]
    );
    let lead = |minutes: u64| {
        let change = ("/data/reminder/minutes_before", json!(minutes));
        shown(EventType::ActivityReminder, "reminder.minutes_before_text", change, "it")
    };
    assert_eq!([1, 60, 90, 2880].map(lead), ["1 minuto", "1 ora", "90 minuti", "2 giorni"]);
    let quantity =
        shown(EventType::OrderStatusChanged, "order.quantity_text", ("/data/order/quantity", json!(1)), "it");
    assert_eq!(quantity, "1 pezzo");
}

#[test]
fn an_empty_subject_takes_the_default_or_the_word_of_the_language() {
    let subject = |language: &str, chosen: Value| {
        let mut document = message_event("").document;
        document["data"]["message"]["subject"] = json!("  ");
        let event = Event::parse(document, "2026-11-22T10:00:00Z".parse().unwrap()).unwrap();
        let context = Context { event: &event, recipient: recipient(&event), site_url: None, files: None };
        let chosen = json!({"name": "avviso", "language": language, "fingerprint": "f", "body": {"1": chosen}});
        let chosen: TemplateUse = serde_json::from_value(chosen).unwrap();
        let locale = Locale { language: &lang(language), zone: &TimeZone::UTC };
        fill(&Parts::of_body(Pattern::parse("{{1}}.")), &chosen, &context, &locale).unwrap().body.text
    };
    let variable = json!({"variable": "message.subject"});
    assert_eq!(
        ["it", "de", "fr"].map(|language| subject(language, variable.clone())),
        ["(senza oggetto).", "(kein Betreff).", "(aucun objet)."]
    );
    assert_eq!(subject("de", json!({"variable": "message.subject", "default": "-"})), "-.");
}

#[test]
fn an_empty_subject_is_no_part_of_an_address() {
    let mut document = message_event("").document;
    document["data"]["message"]["subject"] = json!("  ");
    let event = Event::parse(document, "2026-11-22T10:00:00Z".parse().unwrap()).unwrap();
    let context = Context { event: &event, recipient: recipient(&event), site_url: None, files: None };
    let buttons = json!({"0": {"suffix": {"variable": "message.subject"}}});
    let chosen = json!({"name": "avviso", "language": "it", "fingerprint": "f", "buttons": buttons});
    let chosen: TemplateUse = serde_json::from_value(chosen).unwrap();
    let button = Button::UrlWithSuffix { text: "Apri".to_owned(), base: "https://example.com/m/".to_owned() };
    let parts = Parts { buttons: vec![button], ..Parts::of_body(Pattern::parse("Ciao.")) };
    let filled = fill(&parts, &chosen, &context, &Locale { language: &lang("it"), zone: &TimeZone::UTC });
    assert_eq!(filled.map(|filled| filled.body.text).map_err(|skip| skip.reason), Err(Reason::ValueMissing));
}

/// Renders `documents.names` in a body of 1,024 units, without `shorten`.
fn documents(names: &[String]) -> Result<String, Skip> {
    let mut document = example(EventType::DocumentsPublished).document;
    document["data"]["documents"] = names.iter().map(|name| json!({"name": name})).collect();
    let event = Event::parse(document, "2026-11-22T10:00:00Z".parse().unwrap()).unwrap();
    let context = Context { event: &event, recipient: recipient(&event), site_url: None, files: None };
    let chosen = json!({"name": "avviso", "language": "it", "fingerprint": "f",
                        "body": {"1": {"variable": "documents.names"}}});
    let chosen: TemplateUse = serde_json::from_value(chosen).unwrap();
    let parts = Parts::of_body(Pattern::parse("Nuovi documenti: {{1}}. Trovati tutti."));
    let locale = Locale { language: &lang("it"), zone: &TimeZone::UTC };
    fill(&parts, &chosen, &context, &locale).map(|rendered| rendered.body.text)
}

#[test]
fn the_first_name_of_a_list_is_cut_only_if_it_does_not_fit_alone() {
    let long = "x".repeat(2_000);
    let cut = documents(&[long.clone(), "b.pdf".to_owned()]).unwrap();
    assert_eq!(units(&cut), BODY_UNITS_MAX);
    assert!(cut.ends_with("x… (+1). Trovati tutti."), "{cut}");
    // Whether a single name may be cut is the mapping's decision.
    assert_eq!(documents(&[long]).map_err(|skip| skip.reason), Err(Reason::TextTooLong));
}

proptest! {
    #[test]
    fn a_list_of_any_length_fits_and_its_numbers_add_up(
        names in proptest::collection::btree_set("[a-zà😀]{1,60}( [a-z]{1,9})?\\.pdf", 1..120),
    ) {
        let names: Vec<String> = names.into_iter().collect();
        let text = documents(&names).unwrap();
        prop_assert!(units(&text) <= BODY_UNITS_MAX);
        let list = text.strip_prefix("Nuovi documenti: ").unwrap().strip_suffix(". Trovati tutti.").unwrap();
        let (shown, left) = match list.strip_suffix(')').and_then(|list| list.rsplit_once(" (+")) {
            Some((shown, left)) => (shown, left.parse().unwrap()),
            None => (list, 0),
        };
        let shown: Vec<&str> = shown.split(", ").collect();
        prop_assert_eq!(shown.len() + left, names.len());
        prop_assert_eq!(&shown[..], &names[..shown.len()]);
        let fits = |next: &String| units(&text) + units(next) + units(", ") <= BODY_UNITS_MAX;
        prop_assert!(!names.get(shown.len()).is_some_and(fits), "another name would fit");
    }
}
