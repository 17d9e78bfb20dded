use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::event::example::published;

/// The manual's matrix (3.1): `COLUMNS` are its event types. Each row of `MATRIX` has a label, a variable id and a cell
/// for each column:
///
/// - `y`: valid;
/// - `.`: not valid;
/// - `u`: shows the uploader;
/// - `?`: the manual leaves it open;
/// - `+`: not in the manual; the bridge removes a limit.
const COLUMNS: [EventType; 11] = [
    EventType::OrderStatusChanged,
    EventType::CartAbandoned,
    EventType::MessageSent,
    EventType::MessageRead,
    EventType::ActivityStatusChanged,
    EventType::ActivityAcknowledged,
    EventType::ActivityReminder,
    EventType::FileUploaded,
    EventType::FileDownloaded,
    EventType::FilePreviewed,
    EventType::DocumentsPublished,
];
pub(super) const MATRIX: [(&str, &str, &str); 18] = [
    ("Cognome", "last_name", "yyyyyyyuyy?"),
    ("Nome", "first_name", "yyyyyyyuyy?"),
    ("Nominativo", "full_name", "yyyyyyyuyy?"),
    ("Numero articoli", "order.item_count", "y.........."),
    ("Sigla Documento", "order.code", "y.........."),
    ("Stato Documento", "order.status", "y.........."),
    ("Totale Ordine", "order.total", "y.........."),
    ("Numero articoli carrello", "cart.item_count", ".y........."),
    ("Totale Carrello", "cart.total", ".y........."),
    ("Oggetto Messaggio", "message.subject", "..yy......."),
    ("Testo Messaggio", "message.body", "..yy......."),
    ("Data Attività", "activity.date", "....y++...."),
    ("Oggetto Attività", "activity.subject", "....yyy...."),
    ("Nuovo Stato", "activity.new_state", "....y......"),
    ("Vecchio Stato", "activity.old_state", "....y......"),
    ("Nome Cartella", "file.folder", ".......yyy?"),
    ("Nome File", "file.name", ".......yyy?"),
    ("URL Sito", "site.url", "yyyyyyyyyyy"),
];

pub(super) fn example(kind: EventType) -> Event {
    Event::parse(published(kind), "2026-11-22T10:00:00Z".parse().unwrap()).unwrap()
}

fn value<'a>(event: &'a Event, recipient: &'a Person, id: &str) -> Option<Raw<'a>> {
    let context = Context { event, recipient, site_url: Some("https://www.example.com"), files: None };
    Variable::of(id).unwrap().value(&context)
}

#[test]
fn the_manuals_variables_are_valid_for_exactly_the_events_it_lists() {
    for (label, id, row) in MATRIX {
        let definition = Variable::of(id).unwrap().definition();
        assert_eq!(definition.italian_label, label);
        let ours: String =
            COLUMNS.iter().map(|kind| if definition.events.contains(kind) { 'y' } else { '.' }).collect();
        let manual: String = row.chars().map(|cell| if cell == '.' { '.' } else { 'y' }).collect();
        assert_eq!(ours, manual, "{label}");
    }
}

#[test]
fn name_variables_refer_to_the_uploader_only_in_the_cells_marked_u() {
    for (_, id, row) in MATRIX.into_iter().take(3) {
        for (kind, cell) in COLUMNS.into_iter().zip(row.chars()) {
            let event = example(kind);
            let recipient = event.recipients().first().unwrap();
            let named = if cell == 'u' { event.actor().unwrap() } else { recipient };
            let expected = match id {
                "last_name" => named.surname_or_company().map(str::to_owned),
                "first_name" => named.first_name.clone(),
                _ => named.full_name(),
            };
            let shown = value(&event, recipient, id).map(|raw| match raw {
                Raw::Text(text) => text.to_owned(),
                Raw::Owned(text) => text,
                other => panic!("a name is a text, not {other:?}"),
            });
            assert_eq!(shown, expected, "{id} {kind}");
        }
    }
}

#[test]
fn a_variable_has_a_value_on_its_events_and_on_no_other() {
    for kind in EventType::ALL {
        let event = example(kind);
        let Some(recipient) = event.recipients().first() else { continue };
        for definition in ALL {
            let shown = value(&event, recipient, definition.id);
            if !definition.events.contains(&kind) {
                assert_eq!(shown, None, "{} {kind}", definition.id);
            } else if !definition.id.ends_with("first_name") {
                assert!(shown.is_some(), "{} {kind}", definition.id);
            }
            let of_type = matches!(
                (&shown, definition.value_type),
                (None, _)
                    | (Some(Raw::Text(_) | Raw::Owned(_)), ValueType::Text | ValueType::Url)
                    | (Some(Raw::Words(_) | Raw::List(_) | Raw::Counted { .. }), ValueType::Text)
                    | (Some(Raw::Money(_)), ValueType::Money)
                    | (Some(Raw::Count(_)), ValueType::Number)
                    | (Some(Raw::Date(_) | Raw::DayOf(_)), ValueType::Date | ValueType::Moment)
                    | (Some(Raw::Moment(_)), ValueType::Moment)
                    | (Some(Raw::OrderState(_) | Raw::ActivityState(_)), ValueType::State)
            );
            assert!(of_type, "{} {kind}: {shown:?}", definition.id);
        }
    }
}

#[test]
fn the_url_is_the_orders_the_carts_or_the_sites() {
    let url = |kind| {
        let event = example(kind);
        match value(&event, event.recipients().first().unwrap(), "site.url") {
            Some(Raw::Text(url)) => url.to_owned(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(url(EventType::OrderStatusChanged), "https://www.example.com/ordini/1320");
    assert_eq!(url(EventType::CartAbandoned), "https://www.example.com/carrello/K55");
    assert_eq!(url(EventType::FileUploaded), "https://www.example.com");
}

#[test]
fn an_order_without_a_code_shows_its_id() {
    let mut document = example(EventType::OrderStatusChanged).document;
    document["data"]["order"]["code"] = Value::Null;
    let event = Event::parse(document, "2026-11-22T10:00:00Z".parse().unwrap()).unwrap();
    let recipient = event.recipients().first().unwrap();
    assert_eq!(value(&event, recipient, "order.code"), Some(Raw::Text("1320")));
}

#[test]
fn several_documents_are_named_one_after_the_other() {
    let event = example(EventType::DocumentsPublished);
    let recipient = event.recipients().first().unwrap();
    let names = List::distinct(["Cedolino ottobre.pdf", "F24 novembre.pdf"].into_iter()).map(Raw::List);
    assert_eq!(value(&event, recipient, "documents.names"), names);
    assert_eq!(value(&event, recipient, "file.name"), names);
    assert_eq!(value(&event, recipient, "documents.count"), Some(Raw::Count(2)));
}

#[test]
fn every_variable_explains_itself_in_both_languages() {
    let unique = |of: fn(&Definition) -> &str| ALL.iter().map(of).collect::<BTreeSet<_>>().len();
    assert_eq!(unique(|definition| definition.id), ALL.len());
    assert_eq!(unique(|definition| definition.italian_label), ALL.len());
    assert_eq!(unique(|definition| definition.english_label), ALL.len());
    for definition in ALL {
        assert!(definition.italian_meaning.ends_with('.') && definition.english_meaning.ends_with('.'));
        assert!(!definition.example.is_empty() && !definition.events.is_empty(), "{}", definition.id);
    }
}

#[test]
fn a_variable_is_read_by_id_or_label_and_written_by_its_id() {
    for text in [r#""order.code""#, r#"" sigla documento""#] {
        let variable: Variable = serde_json::from_str(text).unwrap();
        assert_eq!(variable.definition().italian_label, "Sigla Documento");
        assert_eq!(serde_json::to_value(variable).unwrap(), json!("order.code"));
    }
    assert!(serde_json::from_str::<Variable>(r#""order.colour""#).is_err());
}

#[test]
fn only_an_empty_subject_is_replaced_by_a_word() {
    let replaced: Vec<&str> = ALL
        .iter()
        .filter(|definition| Variable(definition).when_empty().is_some())
        .map(|definition| definition.id)
        .collect();
    assert_eq!(replaced, ["message.subject", "activity.subject"]);
}
