//! The fixed words of variables: nouns that follow a count, kinds of documents, and words for empty values.

use crate::event::OrderKind;
use crate::primitives::words::{Noun, Translations, Words};

/// An article of an order or a cart.
pub(super) static ARTICLE: Noun = Noun {
    one: Words {
        italian: "articolo",
        translated: Translations { english: "item", german: "Artikel", french: "article", spanish: "artículo" },
    },
    many: Words {
        italian: "articoli",
        translated: Translations { english: "items", german: "Artikel", french: "articles", spanish: "artículos" },
    },
};

/// A single piece: an article ordered three times counts three.
pub(super) static PIECE: Noun = Noun {
    one: Words {
        italian: "pezzo",
        translated: Translations { english: "unit", german: "Stück", french: "unité", spanish: "unidad" },
    },
    many: Words {
        italian: "pezzi",
        translated: Translations { english: "units", german: "Stück", french: "unités", spanish: "unidades" },
    },
};

/// A file of the customer area.
pub(super) static FILE: Noun = Noun {
    one: Words {
        italian: "file",
        translated: Translations { english: "file", german: "Datei", french: "fichier", spanish: "archivo" },
    },
    many: Words {
        italian: "file",
        translated: Translations { english: "files", german: "Dateien", french: "fichiers", spanish: "archivos" },
    },
};

/// A published document.
pub(super) static DOCUMENT: Noun = Noun {
    one: Words {
        italian: "documento",
        translated: Translations { english: "document", german: "Dokument", french: "document", spanish: "documento" },
    },
    many: Words {
        italian: "documenti",
        translated: Translations {
            english: "documents",
            german: "Dokumente",
            french: "documents",
            spanish: "documentos",
        },
    },
};

static MINUTE: Noun = Noun {
    one: Words {
        italian: "minuto",
        translated: Translations { english: "minute", german: "Minute", french: "minute", spanish: "minuto" },
    },
    many: Words {
        italian: "minuti",
        translated: Translations { english: "minutes", german: "Minuten", french: "minutes", spanish: "minutos" },
    },
};

static HOUR: Noun = Noun {
    one: Words {
        italian: "ora",
        translated: Translations { english: "hour", german: "Stunde", french: "heure", spanish: "hora" },
    },
    many: Words {
        italian: "ore",
        translated: Translations { english: "hours", german: "Stunden", french: "heures", spanish: "horas" },
    },
};

static DAY: Noun = Noun {
    one: Words {
        italian: "giorno",
        translated: Translations { english: "day", german: "Tag", french: "jour", spanish: "día" },
    },
    many: Words {
        italian: "giorni",
        translated: Translations { english: "days", german: "Tage", french: "jours", spanish: "días" },
    },
};

/// The longest unit of which a time has a whole number, as the number and the unit.
pub(super) fn duration(minutes: u64) -> (u64, &'static Noun) {
    const HOUR_MINUTES: u64 = 60;
    const DAY_MINUTES: u64 = 24 * HOUR_MINUTES;
    match minutes {
        0 => (0, &MINUTE),
        _ if minutes.is_multiple_of(DAY_MINUTES) => (minutes / DAY_MINUTES, &DAY),
        _ if minutes.is_multiple_of(HOUR_MINUTES) => (minutes / HOUR_MINUTES, &HOUR),
        _ => (minutes, &MINUTE),
    }
}

/// Returns the word for a kind of document, as it is written within a sentence.
pub(super) fn document_kind(kind: OrderKind) -> &'static Words {
    match kind {
        OrderKind::Order => &Words {
            italian: "ordine",
            translated: Translations { english: "order", german: "Bestellung", french: "commande", spanish: "pedido" },
        },
        OrderKind::DeliveryNote => &Words {
            italian: "bolla",
            translated: Translations {
                english: "delivery note",
                german: "Lieferschein",
                french: "bon de livraison",
                spanish: "albarán",
            },
        },
        OrderKind::Invoice => &Words {
            italian: "fattura",
            translated: Translations { english: "invoice", german: "Rechnung", french: "facture", spanish: "factura" },
        },
        OrderKind::Quote => &Words {
            italian: "preventivo",
            translated: Translations { english: "quote", german: "Angebot", french: "devis", spanish: "presupuesto" },
        },
        OrderKind::Return => &Words {
            italian: "reso",
            translated: Translations { english: "return", german: "Retoure", french: "retour", spanish: "devolución" },
        },
    }
}

/// Replaces the empty subject of a message or an activity.
pub(super) static NO_SUBJECT: Words = Words {
    italian: "(senza oggetto)",
    translated: Translations {
        english: "(no subject)",
        german: "(kein Betreff)",
        french: "(aucun objet)",
        spanish: "(sin asunto)",
    },
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_exists_in_every_language() {
        let nouns = [&ARTICLE, &PIECE, &FILE, &DOCUMENT, &MINUTE, &HOUR, &DAY];
        let mut rows: Vec<String> = nouns.iter().flat_map(|noun| [noun.one.shown(), noun.many.shown()]).collect();
        rows.extend(OrderKind::NAMES.map(|(_, kind)| document_kind(kind).shown()));
        rows.push(NO_SUBJECT.shown());
        insta::assert_snapshot!(rows.join("\n"), @r"
        articolo | item | Artikel | article | artículo
        articoli | items | Artikel | articles | artículos
        pezzo | unit | Stück | unité | unidad
        pezzi | units | Stück | unités | unidades
        file | file | Datei | fichier | archivo
        file | files | Dateien | fichiers | archivos
        documento | document | Dokument | document | documento
        documenti | documents | Dokumente | documents | documentos
        minuto | minute | Minute | minute | minuto
        minuti | minutes | Minuten | minutes | minutos
        ora | hour | Stunde | heure | hora
        ore | hours | Stunden | heures | horas
        giorno | day | Tag | jour | día
        giorni | days | Tage | jours | días
        ordine | order | Bestellung | commande | pedido
        bolla | delivery note | Lieferschein | bon de livraison | albarán
        fattura | invoice | Rechnung | facture | factura
        preventivo | quote | Angebot | devis | presupuesto
        reso | return | Retoure | retour | devolución
        (senza oggetto) | (no subject) | (kein Betreff) | (aucun objet) | (sin asunto)
        ");
    }

    #[test]
    fn a_lead_is_written_in_its_longest_whole_unit() {
        let words = |minutes| {
            let (count, noun) = duration(minutes);
            format!("{count} {}", noun.many.italian)
        };
        assert_eq!(
            [0, 45, 60, 90, 1440, 2880].map(words),
            ["0 minuti", "45 minuti", "1 ore", "90 minuti", "1 giorni", "2 giorni"]
        );
    }
}
