//! The tables of `docs/variables.md` and `docs/variables.it.md`, generated from the catalogue.
//!
//! `BRIDGE_WRITE_VARIABLES=1 cargo test --workspace --lib -p domain variable` writes them.

use std::fs;

use super::tests::{MATRIX, example};
use super::{ALL, Context, Definition, Raw, Variable};
use crate::event::{Event, EventType, Notification, reduce};

const BEGIN: &str = "<!-- begin variables -->\n";
const END: &str = "<!-- end variables -->";

/// The sections of a page: Italian and English title, and the first parts of the ids in it. Ids without a dot belong to
/// the first section.
const SECTIONS: [(&str, &str, &[&str]); 7] = [
    ("Persone", "People", &["", "recipient", "actor"]),
    ("Ordini e altri documenti", "Orders and other documents", &["order"]),
    ("Carrello", "Cart", &["cart"]),
    ("Messaggi dell'area riservata", "Messages of the customer area", &["message"]),
    ("Attività", "Activities", &["activity", "reminder"]),
    ("File e documenti Docuvision", "Files and Docuvision documents", &["file", "files", "documents"]),
    ("Sito", "Site", &["site"]),
];

/// The language of a page, with its fixed words.
struct Page {
    file: &'static str,
    is_italian: bool,
    heading: &'static str,
    every_event: &'static str,
    may_be_empty: [&'static str; 2],
}

const PAGES: [Page; 2] = [
    Page {
        file: "variables.it.md",
        is_italian: true,
        heading: "| id | etichetta | significato | tipo | esempio | può mancare | eventi |",
        every_event: "tutti",
        may_be_empty: ["no", "sì"],
    },
    Page {
        file: "variables.md",
        is_italian: false,
        heading: "| id | Passweb's label | meaning | type | example | may be empty | events |",
        every_event: "all",
        may_be_empty: ["no", "yes"],
    },
];

impl Page {
    fn path(&self) -> String {
        format!("{}/../../docs/{}", env!("CARGO_MANIFEST_DIR"), self.file)
    }

    fn of<T>(&self, italian: T, english: T) -> T {
        if self.is_italian { italian } else { english }
    }

    fn tables(&self) -> String {
        let section = |(italian, english, prefixes): (&str, &str, &[&str])| {
            let of_section = ALL.iter().filter(|definition| prefixes.contains(&prefix(definition.id)));
            let rows: String = of_section.map(|definition| self.row(definition)).collect();
            format!("\n## {}\n\n{}\n|---|---|---|---|---|---|---|\n{rows}", self.of(italian, english), self.heading)
        };
        SECTIONS.into_iter().map(section).collect::<String>() + "\n"
    }

    fn row(&self, definition: &Definition) -> String {
        let label = if MATRIX.iter().any(|(label, ..)| *label == definition.italian_label) {
            format!("**{}**", definition.italian_label)
        } else {
            definition.italian_label.to_owned()
        };
        let meaning = self.of(definition.italian_meaning, definition.english_meaning);
        let kind = self.of(definition.value_type.italian(), definition.value_type.english());
        let [no, yes] = self.may_be_empty;
        let empty = if may_be_empty(definition) { yes } else { no };
        let (id, example) = (definition.id, definition.example);
        format!("| `{id}` | {label} | {meaning} | {kind} | {example} | {empty} | {} |\n", self.events(definition))
    }

    fn events(&self, definition: &Definition) -> String {
        let notified = EventType::ALL.into_iter().filter(|kind| kind.notification() != Notification::Never);
        if notified.count() == definition.events.len() {
            return self.every_event.to_owned();
        }
        definition.events.iter().map(|kind| format!("`{kind}`")).collect::<Vec<_>>().join(", ")
    }
}

fn prefix(id: &str) -> &str {
    id.split_once('.').map_or("", |(prefix, _)| prefix)
}

/// Whether an event with only its required fields lacks the variable, for any of its event types.
fn may_be_empty(definition: &Definition) -> bool {
    let variable = Variable::of(definition.id).unwrap();
    if variable.when_empty().is_some() {
        return false;
    }
    definition.events.iter().any(|kind| {
        let mut document = example(*kind).document;
        reduce(*kind, &mut document["data"]);
        let event = Event::parse(document, "2026-11-22T10:00:00Z".parse().unwrap()).unwrap();
        let recipient = event.recipients().first().unwrap();
        let context = Context { event: &event, recipient, site_url: None, files: None };
        match variable.value(&context) {
            None => true,
            Some(Raw::Text(text)) => text.is_empty(),
            Some(Raw::Owned(text)) => text.is_empty(),
            Some(_) => false,
        }
    })
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a switch of this test, not of a function")]
fn the_pages_list_the_catalogue() {
    let write = std::env::var("BRIDGE_WRITE_VARIABLES").is_ok();
    for page in PAGES {
        let text = fs::read_to_string(page.path()).unwrap();
        let (before, rest) = text.split_once(BEGIN).unwrap();
        let (tables, after) = rest.split_once(END).unwrap();
        if write {
            fs::write(page.path(), format!("{before}{BEGIN}{}{END}{after}", page.tables())).unwrap();
        } else {
            assert_eq!(tables, page.tables(), "{}: stale; set BRIDGE_WRITE_VARIABLES=1 and run this test", page.file);
        }
    }
}

#[test]
fn every_variable_is_in_one_section() {
    for definition in ALL {
        let sections = SECTIONS.iter().filter(|(.., prefixes)| prefixes.contains(&prefix(definition.id)));
        assert_eq!(sections.count(), 1, "{}", definition.id);
    }
}

#[test]
fn a_variable_may_be_empty_unless_its_field_is_required() {
    let empty = |id: &str| may_be_empty(Variable::of(id).unwrap().definition());
    assert!(["full_name", "order.payment", "message.body", "file.folder", "site.url"].into_iter().all(empty));
    assert!(
        !["order.code", "order.total", "message.subject", "cart.item_count", "activity.start"].into_iter().any(empty)
    );
}
