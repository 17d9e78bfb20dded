//! The states of an activity: free texts. Some have a code (R-145, R-146).

use serde::{Deserialize, Serialize};

use crate::primitives::folded::folded;
use crate::primitives::words::Translations;

/// A state that the Passweb manual names. Any other text is a state without a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ActivityState {
    /// The activity is planned.
    Pianificata,
    /// The activity is cancelled.
    Annullata,
    /// The activity is completed.
    Completata,
    /// The activity's date has passed (R-80).
    Scaduta,
}

impl ActivityState {
    /// Returns the code of a text, ignoring case, accents, spaces, dashes and underscores.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        Some(match folded(text).as_str() {
            "pianificata" => Self::Pianificata,
            "annullata" => Self::Annullata,
            "completata" => Self::Completata,
            "scaduta" => Self::Scaduta,
            _ => return None,
        })
    }

    /// The name in dedup keys, which are persisted. A different name would notify every activity's state again.
    fn key(self) -> &'static str {
        match self {
            Self::Pianificata => "Pianificata",
            Self::Annullata => "Annullata",
            Self::Completata => "Completata",
            Self::Scaduta => "Scaduta",
        }
    }

    /// Returns the label in the languages other than Italian. Italian uses the received text.
    #[must_use]
    pub fn label(self) -> Translations {
        match self {
            Self::Pianificata => {
                Translations { english: "Planned", german: "Geplant", french: "Planifiée", spanish: "Planificada" }
            }
            Self::Annullata => {
                Translations { english: "Cancelled", german: "Abgesagt", french: "Annulée", spanish: "Cancelada" }
            }
            Self::Completata => {
                Translations { english: "Completed", german: "Erledigt", french: "Terminée", spanish: "Completada" }
            }
            Self::Scaduta => {
                Translations { english: "Overdue", german: "Überfällig", french: "En retard", spanish: "Vencida" }
            }
        }
    }
}

/// Returns a name of the state that does not depend on its spelling.
#[must_use]
pub fn key(text: &str) -> String {
    ActivityState::of(text).map_or_else(|| folded(text), |state| state.key().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_persisted_names_of_states_never_change() {
        let texts = ["PIANIFICATA", "Annullata", "completata", "Scaduta", "In attesa"];
        assert_eq!(texts.map(key), ["Pianificata", "Annullata", "Completata", "Scaduta", "inattesa"]);
    }

    #[test]
    fn states_match_regardless_of_case_and_punctuation() {
        for (text, state) in [
            ("Pianificata", ActivityState::Pianificata),
            ("ANNULLATA", ActivityState::Annullata),
            (" completata ", ActivityState::Completata),
            ("sca-duta", ActivityState::Scaduta),
        ] {
            assert_eq!(ActivityState::of(text), Some(state), "{text}");
            assert_eq!(key(text), key(&serde_json::to_string(&state).unwrap().replace('"', "")));
        }
        assert_eq!(ActivityState::of("In attesa"), None);
        assert_eq!(key("In  Attesa"), key("in attesa"));
    }

    #[test]
    fn every_state_has_a_label_in_every_language() {
        let states = ["Pianificata", "Annullata", "Completata", "Scaduta"];
        let rows = states.map(|text| format!("{text}: {}", ActivityState::of(text).unwrap().label().shown()));
        insta::assert_snapshot!(rows.join("\n"), @r"
        Pianificata: Planned | Geplant | Planifiée | Planificada
        Annullata: Cancelled | Abgesagt | Annulée | Cancelada
        Completata: Completed | Erledigt | Terminée | Completada
        Scaduta: Overdue | Überfällig | En retard | Vencida
        ");
    }
}
