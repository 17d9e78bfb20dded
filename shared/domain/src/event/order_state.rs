//! The states of an order. They are free texts. Some have a code (R-129 to R-143, R-145).

use serde::{Deserialize, Serialize};

use crate::primitives::folded::folded;
use crate::primitives::words::Translations;

/// A state that the manual names. Any other text is also a state, without a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderState {
    /// R-129: confirmed by the customer, not yet in the ERP.
    Nuovo,
    /// R-130, R-142: in the ERP. Users also see it as Confermato.
    Memorizzato,
    /// R-131: replaced by the ERP's version of the same order.
    MemorizzatoSostituito,
    /// R-132: changed by the customer until the next synchronisation.
    Modificato,
    /// R-133: a row is suspended or blocked.
    Sospeso,
    /// R-134: a suspended order that the customer cancelled.
    ModificatoAnnullato,
    /// R-135: cancelled.
    Annullato,
    /// R-136: every row can be fulfilled.
    Evaso,
    /// R-137: a delivery note.
    Bollato,
    /// R-138: an invoice.
    Fatturato,
    /// R-139: converted into another document.
    Trasformato,
    /// R-140: the payment gateway did not answer.
    PagamentoNonConfermato,
    /// R-141: waits for manual confirmation.
    DaVerificare,
}

impl OrderState {
    /// Returns the code of a text. Case, accents, whitespace, dashes and underscores do not matter.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        Some(match folded(text).as_str() {
            "nuovo" => Self::Nuovo,
            "memorizzato" | "confermato" => Self::Memorizzato,
            "memorizzatosostituito" => Self::MemorizzatoSostituito,
            "modificato" => Self::Modificato,
            "sospeso" => Self::Sospeso,
            "modificatoannullato" => Self::ModificatoAnnullato,
            "annullato" => Self::Annullato,
            "evaso" => Self::Evaso,
            "bollato" => Self::Bollato,
            "fatturato" => Self::Fatturato,
            "trasformato" => Self::Trasformato,
            "pagamentononconfermato" => Self::PagamentoNonConfermato,
            "daverificare" => Self::DaVerificare,
            _ => return None,
        })
    }

    /// Returns the name in dedup keys. The names are persisted: a different name would send every order's state again.
    fn key(self) -> &'static str {
        match self {
            Self::Nuovo => "Nuovo",
            Self::Memorizzato => "Memorizzato",
            Self::MemorizzatoSostituito => "MemorizzatoSostituito",
            Self::Modificato => "Modificato",
            Self::Sospeso => "Sospeso",
            Self::ModificatoAnnullato => "ModificatoAnnullato",
            Self::Annullato => "Annullato",
            Self::Evaso => "Evaso",
            Self::Bollato => "Bollato",
            Self::Fatturato => "Fatturato",
            Self::Trasformato => "Trasformato",
            Self::PagamentoNonConfermato => "PagamentoNonConfermato",
            Self::DaVerificare => "DaVerificare",
        }
    }

    /// Returns the label in the languages other than Italian. Italian uses the received text.
    ///
    /// French and Spanish labels agree with the words for an order: commande, pedido.
    #[must_use]
    pub fn label(self) -> Translations {
        match self {
            Self::Nuovo => Translations { english: "New", german: "Eingegangen", french: "Nouvelle", spanish: "Nuevo" },
            Self::Memorizzato => {
                Translations { english: "Confirmed", german: "Bestätigt", french: "Confirmée", spanish: "Confirmado" }
            }
            Self::MemorizzatoSostituito => Translations {
                english: "Confirmed (replaced)",
                german: "Bestätigt (ersetzt)",
                french: "Confirmée (remplacée)",
                spanish: "Confirmado (sustituido)",
            },
            Self::Modificato => {
                Translations { english: "Changed", german: "Geändert", french: "Modifiée", spanish: "Modificado" }
            }
            Self::Sospeso => Translations {
                english: "Suspended",
                german: "Zurückgestellt",
                french: "En attente",
                spanish: "En espera",
            },
            Self::ModificatoAnnullato => Translations {
                english: "Cancelled by the customer",
                german: "Auf Kundenwunsch storniert",
                french: "Annulée à la demande du client",
                spanish: "Cancelado por el cliente",
            },
            Self::Annullato => {
                Translations { english: "Cancelled", german: "Storniert", french: "Annulée", spanish: "Cancelado" }
            }
            Self::Evaso => Translations {
                english: "Ready to ship",
                german: "Versandbereit",
                french: "Prête à être expédiée",
                spanish: "Listo para enviar",
            },
            Self::Bollato => {
                Translations { english: "Shipped", german: "Versandt", french: "Expédiée", spanish: "Enviado" }
            }
            Self::Fatturato => Translations {
                english: "Invoiced",
                german: "In Rechnung gestellt",
                french: "Facturée",
                spanish: "Facturado",
            },
            Self::Trasformato => Translations {
                english: "Converted",
                german: "Umgewandelt",
                french: "Transformée",
                spanish: "Convertido",
            },
            Self::PagamentoNonConfermato => Translations {
                english: "Payment not confirmed",
                german: "Zahlung nicht bestätigt",
                french: "Paiement non confirmé",
                spanish: "Pago no confirmado",
            },
            Self::DaVerificare => Translations {
                english: "To be checked",
                german: "In Prüfung",
                french: "En cours de vérification",
                spanish: "Pendiente de verificación",
            },
        }
    }
}

/// Whether two texts name the same state: the same code, or the same text apart from case, accents, whitespace, dashes
/// and underscores.
#[must_use]
pub fn same_state(left: &str, right: &str) -> bool {
    match (OrderState::of(left), OrderState::of(right)) {
        (Some(left), Some(right)) => left == right,
        (None, None) => folded(left) == folded(right),
        _ => false,
    }
}

/// Returns the normalised name of a state.
#[must_use]
pub fn key(text: &str) -> String {
    OrderState::of(text).map_or_else(|| folded(text), |state| state.key().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_match_regardless_of_case_and_punctuation() {
        for text in ["MEMORIZZATO - SOSTITUITO", "memorizzato_sostituito", "Memorizzato – Sostituito"] {
            assert_eq!(OrderState::of(text), Some(OrderState::MemorizzatoSostituito), "{text}");
        }
        assert_eq!(OrderState::of("Confermato"), Some(OrderState::Memorizzato));
        assert_eq!(OrderState::of("Da verificare"), Some(OrderState::DaVerificare));
        assert_eq!(OrderState::of("In consegna"), None);
    }

    /// The states of the manual as Passweb writes them.
    const MANUAL: [&str; 13] = [
        "NUOVO",
        "MEMORIZZATO",
        "MEMORIZZATO - SOSTITUITO",
        "MODIFICATO",
        "SOSPESO",
        "MODIFICATO - ANNULLATO",
        "ANNULLATO",
        "EVASO",
        "BOLLATO",
        "FATTURATO",
        "TRASFORMATO",
        "PAGAMENTO NON CONFERMATO",
        "DA VERIFICARE",
    ];

    #[test]
    fn the_persisted_names_of_states_never_change() {
        let names = [
            "Nuovo",
            "Memorizzato",
            "MemorizzatoSostituito",
            "Modificato",
            "Sospeso",
            "ModificatoAnnullato",
            "Annullato",
            "Evaso",
            "Bollato",
            "Fatturato",
            "Trasformato",
            "PagamentoNonConfermato",
            "DaVerificare",
        ];
        assert_eq!(MANUAL.map(key), names);
        assert_eq!(["Confermato", "Già Spedito"].map(key), ["Memorizzato", "giaspedito"]);
    }

    #[test]
    fn a_state_without_a_code_is_compared_by_its_text() {
        assert!(same_state("Pronto al ritiro", "PRONTO AL  RITIRO"));
        assert!(same_state("Già spedito", "gia spedito"));
        assert!(same_state("Confermato", "MEMORIZZATO"));
        assert!(!same_state("Spedito", "EVASO"));
    }

    #[test]
    fn codes_are_serialised_as_in_the_manual() {
        assert_eq!(
            serde_json::to_string(&OrderState::PagamentoNonConfermato).unwrap(),
            r#""PAGAMENTO_NON_CONFERMATO""#
        );
        let code: OrderState = serde_json::from_str(r#""DA_VERIFICARE""#).unwrap();
        assert_eq!(code, OrderState::DaVerificare);
    }

    #[test]
    fn every_state_has_a_label_in_every_language() {
        let rows = MANUAL.map(|text| format!("{text}: {}", OrderState::of(text).unwrap().label().shown()));
        insta::assert_snapshot!(rows.join("\n"), @r"
        NUOVO: New | Eingegangen | Nouvelle | Nuevo
        MEMORIZZATO: Confirmed | Bestätigt | Confirmée | Confirmado
        MEMORIZZATO - SOSTITUITO: Confirmed (replaced) | Bestätigt (ersetzt) | Confirmée (remplacée) | Confirmado (sustituido)
        MODIFICATO: Changed | Geändert | Modifiée | Modificado
        SOSPESO: Suspended | Zurückgestellt | En attente | En espera
        MODIFICATO - ANNULLATO: Cancelled by the customer | Auf Kundenwunsch storniert | Annulée à la demande du client | Cancelado por el cliente
        ANNULLATO: Cancelled | Storniert | Annulée | Cancelado
        EVASO: Ready to ship | Versandbereit | Prête à être expédiée | Listo para enviar
        BOLLATO: Shipped | Versandt | Expédiée | Enviado
        FATTURATO: Invoiced | In Rechnung gestellt | Facturée | Facturado
        TRASFORMATO: Converted | Umgewandelt | Transformée | Convertido
        PAGAMENTO NON CONFERMATO: Payment not confirmed | Zahlung nicht bestätigt | Paiement non confirmé | Pago no confirmado
        DA VERIFICARE: To be checked | In Prüfung | En cours de vérification | Pendiente de verificación
        ");
    }
}
