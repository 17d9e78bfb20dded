//! Finds the variable that a person means: by its id, by Passweb's label, or by a text that resembles one of them.

use super::{ALL, Definition};
use crate::event::EventType;
use crate::primitives::folded::{folded, likeness};

/// The least similarity of a suggestion, from 0 to 1.
const SIMILAR: f64 = 0.6;
/// The weight of a single word of a label, below that of a whole id or label.
const OF_WORD: f64 = 0.95;
/// The weight of an id without its first part, or with one too many.
const OF_PART: f64 = 0.8;
/// The first parts of ids with the Italian word for each, without accents.
const ITALIAN_PARTS: [(&str, &str); 11] = [
    ("activity", "attivita"),
    ("actor", "autore"),
    ("cart", "carrello"),
    ("documents", "documenti"),
    ("file", "file"),
    ("files", "file"),
    ("message", "messaggio"),
    ("order", "ordine"),
    ("recipient", "destinatario"),
    ("reminder", "promemoria"),
    ("site", "sito"),
];

/// Returns the variable with this id or this Italian label. Case and surrounding blanks do not matter; in a label,
/// accents and inner blanks do not either.
pub(super) fn written(text: &str) -> Option<&'static Definition> {
    let by_id = ALL.iter().find(|definition| definition.id.eq_ignore_ascii_case(text.trim()));
    by_id.or_else(|| {
        let label = folded(text);
        ALL.iter().find(|definition| folded(definition.italian_label) == label)
    })
}

/// Returns the id or the label that a text without a variable most resembles: an id for an id, a label for a label.
/// Variables of `event` come first. `None` if nothing is similar.
#[must_use]
pub fn suggestion(text: &str, event: Option<EventType>) -> Option<&'static str> {
    let of_event = ALL.iter().filter(|definition| event.is_none_or(|event| definition.events.contains(&event)));
    best(text, of_event).or_else(|| best(text, ALL.iter()))
}

/// Returns the variable of `event` with the same last part of the id: `cart.total` for `order.total`.
#[must_use]
pub fn counterpart(id: &str, event: EventType) -> Option<&'static str> {
    let last = |id: &str| id.rsplit('.').next().map(str::to_owned);
    let of_event = ALL.iter().filter(|definition| definition.events.contains(&event));
    of_event.map(|definition| definition.id).find(|other| last(other) == last(id))
}

/// Returns the most similar form. Of several, the first in the catalogue.
fn best(text: &str, definitions: impl Iterator<Item = &'static Definition>) -> Option<&'static str> {
    let mut best = (SIMILAR, None);
    for (similarity, form) in definitions.flat_map(|definition| forms(text, definition)) {
        if similarity > best.0 || (best.1.is_none() && similarity >= SIMILAR) {
            best = (similarity, Some(form));
        }
    }
    best.1
}

/// Returns the forms of a variable, each with its similarity to the text.
fn forms(text: &str, definition: &Definition) -> [(f64, &'static str); 3] {
    let (id, label) = (definition.id, definition.italian_label);
    let (prefix, rest) = parts(text);
    let of_word = label.split_whitespace().map(|word| likeness(rest, word)).fold(0.0, f64::max) * OF_WORD;
    let by_word = (of_word * prefix_likeness(prefix, id), if prefix.is_some() { id } else { label });
    [(id_likeness(text, id), id), (likeness(text, label), label), by_word]
}

/// Splits an id at its first dot.
fn parts(id: &str) -> (Option<&str>, &str) {
    id.split_once('.').map_or((None, id), |(prefix, rest)| (Some(prefix), rest))
}

fn id_likeness(text: &str, id: &str) -> f64 {
    let ((prefix, rest), (id_prefix, id_rest)) = (parts(text), parts(id));
    match (prefix, id_prefix) {
        (Some(_), Some(_)) => prefix_likeness(prefix, id) * likeness(rest, id_rest),
        (None, None) => likeness(rest, id_rest),
        _ => (OF_PART * likeness(rest, id_rest)).max(likeness(text, id)),
    }
}

/// Compares the first part of a text with that of an id, in English and Italian. A text without one fits every id.
fn prefix_likeness(prefix: Option<&str>, id: &str) -> f64 {
    let (Some(prefix), (Some(wanted), _)) = (prefix, parts(id)) else { return 1.0 };
    let italian = ITALIAN_PARTS.iter().filter(|(part, _)| *part == wanted).map(|(_, italian)| *italian);
    italian.chain([wanted]).map(|wanted| likeness(prefix, wanted)).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_and_labels_are_found_however_they_are_written() {
        for text in ["order.code", " Order.Code ", "Sigla Documento", "sigla documento", "SIGLA  DOCUMENTO "] {
            assert_eq!(written(text).map(|found| found.id), Some("order.code"), "{text}");
        }
        for text in ["Oggetto attivita", "oggetto attività", "Oggetto Attivita\u{300}"] {
            assert_eq!(written(text).map(|found| found.id), Some("activity.subject"), "{text}");
        }
        for text in ["", "order", "Document code", "order.sigla", "Sigla"] {
            assert!(written(text).is_none(), "{text}");
        }
    }

    #[test]
    fn every_written_form_belongs_to_one_variable() {
        let forms: BTreeSet<String> =
            ALL.iter().flat_map(|one| [one.id.to_lowercase(), folded(one.italian_label)]).collect();
        assert_eq!(forms.len(), 2 * ALL.len());
        let prefixes: BTreeSet<&str> = ALL.iter().filter_map(|one| parts(one.id).0).collect();
        assert_eq!(prefixes, ITALIAN_PARTS.iter().map(|(prefix, _)| *prefix).collect());
    }

    #[test]
    fn an_id_is_suggested_for_an_id_and_a_label_for_a_label() {
        for (text, event, expected) in [
            ("order.sigla", None, Some("order.code")),
            ("ordine.sigla", None, Some("order.code")),
            ("order.totale", None, Some("order.total")),
            ("carrello.totale", None, Some("cart.total")),
            ("attivita.oggetto", None, Some("activity.subject")),
            ("order.data", None, Some("order.date")),
            ("orders.statsu", None, Some("order.status")),
            ("recipient.ful_name", None, Some("recipient.full_name")),
            ("code", None, Some("order.code")),
            ("Sigla Documeto", None, Some("Sigla Documento")),
            ("sigla", None, Some("Sigla Documento")),
            ("Totale", Some(EventType::CartAbandoned), Some("Totale Carrello")),
            ("Totale", Some(EventType::OrderStatusChanged), Some("Totale Ordine")),
            ("order.sigla", Some(EventType::MessageSent), Some("order.code")),
            ("order.xyz", None, None),
            ("", None, None),
        ] {
            assert_eq!(suggestion(text, event), expected, "{text}");
        }
    }

    #[test]
    fn one_wrong_letter_anywhere_still_leads_to_the_variable() {
        for definition in ALL {
            for form in [definition.id, definition.italian_label].into_iter().filter(|form| form.len() > 4) {
                let at = form.len() / 2;
                let typo: String =
                    form.char_indices().map(|(index, letter)| if index == at { '#' } else { letter }).collect();
                let suggested = suggestion(&typo, None).and_then(written).map(|found| found.id);
                assert_eq!(suggested, Some(definition.id), "{typo}");
            }
        }
    }

    #[test]
    fn another_event_may_have_a_variable_of_the_same_name() {
        assert_eq!(counterpart("order.total", EventType::CartAbandoned), Some("cart.total"));
        assert_eq!(counterpart("order.payment", EventType::CartAbandoned), None);
    }
}
