//! The warnings of a dry run, with a sentence each.

use std::fmt;

use crate::message::reason::Reason;
use crate::primitives::id::MappingId;

/// Something that the bridge would leave out, or that an event should state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What it is about.
    pub code: Code,
    /// JSON pointer to the value, which may be absent.
    pub pointer: String,
    /// The mapping whose message is not sent; `None` for all.
    pub mapping: Option<MappingId>,
    /// The value that decided; empty where the code is sufficient.
    pub detail: String,
}

/// What a warning is about. The names are a contract of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// A recipient has no number.
    NoPhone,
    /// A recipient's number is a landline.
    Landline,
    /// A recipient's country is no country.
    UnknownCountry,
    /// WhatsApp has no templates in the language.
    UnknownLanguage,
    /// The event's language does not count.
    LanguageNotUsed,
    /// The event does not state whether a recipient opted out.
    MissingOptOut,
    /// The event does not state the consent that a marketing template requires.
    MissingConsent,
    /// Messages about the event are not useful any more.
    LongPast,
    /// A reminder was due before the activity was saved.
    ReminderPast,
    /// The activity is over, and its reminders are dropped.
    ActivityOver,
    /// No event has the field.
    UnknownField,
    /// Another reason of the ledger.
    Reason(Reason),
}

impl Code {
    /// Returns the code of a reason.
    pub(super) fn of(reason: Reason) -> Self {
        match reason {
            Reason::PhoneMissing => Self::NoPhone,
            Reason::Expired => Self::LongPast,
            other => Self::Reason(other),
        }
    }

    /// Returns the sentence in Italian.
    #[must_use]
    pub fn italian(self) -> &'static str {
        match self {
            Self::NoPhone => Reason::PhoneMissing.italian(),
            Self::Landline => "Il numero è di rete fissa: di rado ha WhatsApp.",
            Self::UnknownCountry => {
                "Il paese non è riconosciuto: un numero senza prefisso internazionale non viene usato."
            }
            Self::UnknownLanguage => {
                "WhatsApp non ha template in questa lingua: si usa il template nella lingua del sito."
            }
            Self::LanguageNotUsed => "La lingua dell'evento vale solo per ordini e carrelli.",
            Self::MissingOptOut => {
                "Manca whatsapp_opt_out: vale l'ultimo valore registrato, e senza alcun valore il messaggio parte."
            }
            Self::MissingConsent => {
                "Manca marketing_consent: vale l'ultimo valore registrato, e senza alcun valore il messaggio non parte."
            }
            Self::LongPast => "È troppo tardi perché un messaggio sia utile.",
            Self::ReminderPast => "Il promemoria era già scaduto al momento del salvataggio e non viene inviato.",
            Self::ActivityOver => "L'attività è annullata o completata: i suoi promemoria non vengono inviati.",
            Self::UnknownField => "Il bridge non conosce questo campo e non lo usa.",
            Self::Reason(reason) => reason.italian(),
        }
    }

    /// Returns the sentence in English.
    #[must_use]
    pub fn english(self) -> &'static str {
        match self {
            Self::NoPhone => Reason::PhoneMissing.english(),
            Self::Landline => "The number is a landline, which rarely has WhatsApp.",
            Self::UnknownCountry => {
                "The country is not recognised: a number without an international prefix is not used."
            }
            Self::UnknownLanguage => {
                "WhatsApp has no templates in this language: the template in the site's language is used."
            }
            Self::LanguageNotUsed => "The language of the event counts only for orders and carts.",
            Self::MissingOptOut => {
                "whatsapp_opt_out is missing: the last recorded value applies, and without one the message is sent."
            }
            Self::MissingConsent => {
                "marketing_consent is missing: the last recorded value applies, and without one the message is not sent."
            }
            Self::LongPast => "It is too late for a message to be useful.",
            Self::ReminderPast => "The reminder was already due when the activity was saved, and is not sent.",
            Self::ActivityOver => "The activity is cancelled or completed: its reminders are not sent.",
            Self::UnknownField => "The bridge does not know this field and does not use it.",
            Self::Reason(reason) => reason.english(),
        }
    }
}

/// Writes the code's name in the contract, such as `no_phone`.
impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoPhone => "no_phone",
            Self::Landline => "landline",
            Self::UnknownCountry => "unknown_country",
            Self::UnknownLanguage => "unknown_language",
            Self::LanguageNotUsed => "language_not_used",
            Self::MissingOptOut => "missing_opt_out",
            Self::MissingConsent => "missing_consent",
            Self::LongPast => "long_past",
            Self::ReminderPast => "reminder_past",
            Self::ActivityOver => "activity_over",
            Self::UnknownField => "unknown_field",
            Self::Reason(reason) => return reason.fmt(f),
        })
    }
}
