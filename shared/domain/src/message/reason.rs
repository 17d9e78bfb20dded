//! Why a message was not sent: the names in the ledger, with a sentence each for operators and developers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The detail of a [`Reason::Cancelled`] caused by an operator.
pub const BY_OPERATOR: &str = "operator";

/// A reason not to send. The names are a contract of the ledger, the command line and the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The site is disabled.
    SiteInactive,
    /// The account is disabled or no longer exists.
    AccountInactive,
    /// The user did not tick WhatsApp (R-39).
    NotifyNotRequested,
    /// The sender's group has no permission to notify (R-45).
    SenderNotPermitted,
    /// An agent filled the cart (R-61).
    CreatedByAgent,
    /// The customer has a newer cart, or received a cart notice within the last day (R-62).
    NotLatestCart,
    /// The recipient is the actor (R-94).
    ActorIsRecipient,
    /// Another recipient of the same event has the same number.
    SamePhone,
    /// The order comes from a marketplace (R-144).
    MarketplaceOrder,
    /// The event names no recipient.
    NoRecipient,
    /// No mapping for this event type.
    NoMapping,
    /// The mapping was disabled or deleted after the plan was made.
    MappingDisabled,
    /// A condition of the mapping is not met.
    ConditionNotMet,
    /// The event happened before the mapping was activated (R-63).
    BeforeActivation,
    /// The recipient is in none of the mapping's groups (R-22).
    GroupNotIncluded,
    /// The record has no phone number.
    PhoneMissing,
    /// The record's phone number is not valid.
    PhoneInvalid,
    /// The person opted out of WhatsApp (R-44, R-158).
    OptedOut,
    /// The number is suppressed, by a STOP, an operator or an import.
    Suppressed,
    /// WhatsApp recently reported that the number is undeliverable.
    Unreachable,
    /// The mapping has no template in a language that the recipient can read.
    NoTemplateForLanguage,
    /// Meta's approval is missing, paused or withdrawn.
    TemplateNotApproved,
    /// The template differs from the one the mapping was checked against.
    TemplateChanged,
    /// Meta approved the template, but the bridge cannot fill a part of it.
    TemplateNotUsable,
    /// The bridge does not send this template category.
    CategoryRefused,
    /// A marketing template without recorded consent (R-43, R-164).
    ConsentMissing,
    /// A placeholder would be empty.
    ValueMissing,
    /// The text would exceed WhatsApp's limit.
    TextTooLong,
    /// A newer event of the same subject was already notified.
    Superseded,
    /// Another message with the same dedup key was sent before.
    AlreadyNotified,
    /// The message expired before it could be sent.
    Expired,
    /// The message would no longer be valid, or an operator cancelled it.
    Cancelled,
    /// Another event with the same id came first.
    Conflict,
}

impl Reason {
    /// Whether the decision checks the number's suppressions before it checks this. The suppressions must then be read
    /// before this reason is recorded, because the first failed check is the reason.
    #[must_use]
    pub fn comes_after_suppression(self) -> bool {
        matches!(
            self,
            Self::NotLatestCart
                | Self::Cancelled
                | Self::Superseded
                | Self::NoTemplateForLanguage
                | Self::TemplateNotApproved
                | Self::TemplateChanged
                | Self::TemplateNotUsable
                | Self::CategoryRefused
                | Self::ConsentMissing
                | Self::ValueMissing
                | Self::TextTooLong
                | Self::Expired
        )
    }

    /// Returns the reason in Italian, for the shop.
    #[must_use]
    pub fn italian(self) -> &'static str {
        match self {
            Self::SiteInactive => "Il sito è disattivato.",
            Self::AccountInactive => "L'account WA Smart Business dell'azione è disattivato o non esiste più.",
            Self::NotifyNotRequested => "Chi ha eseguito l'operazione non ha spuntato la notifica Whatsapp.",
            Self::SenderNotPermitted => "Il gruppo del mittente non ha il permesso \"Gestione Whatsapp\".",
            Self::CreatedByAgent => "Il carrello è stato creato da un agente.",
            Self::NotLatestCart => {
                "Il cliente ha un carrello più recente o è già stato avvisato di un carrello nelle ultime 24 ore."
            }
            Self::ActorIsRecipient => "Il destinatario è la persona che ha eseguito l'operazione.",
            Self::SamePhone => "Un altro destinatario dello stesso evento ha lo stesso numero.",
            Self::MarketplaceOrder => "L'ordine proviene da un marketplace.",
            Self::NoRecipient => "L'evento non indica alcun destinatario.",
            Self::NoMapping => "Nessuna azione è attiva per questo tipo di evento.",
            Self::MappingDisabled => "L'azione è stata disattivata o eliminata.",
            Self::ConditionNotMet => "Una condizione dell'azione non è soddisfatta.",
            Self::BeforeActivation => "L'evento è avvenuto prima dell'attivazione dell'azione.",
            Self::GroupNotIncluded => "Il destinatario non fa parte dei gruppi dell'azione.",
            Self::PhoneMissing => "L'anagrafica del destinatario non ha un numero di telefono.",
            Self::PhoneInvalid => "Il numero di telefono del destinatario non è valido.",
            Self::OptedOut => "Il destinatario ha scelto di non ricevere messaggi WhatsApp.",
            Self::Suppressed => "Il numero è escluso dai messaggi.",
            Self::Unreachable => "WhatsApp ha segnalato di recente che il numero non è raggiungibile.",
            Self::NoTemplateForLanguage => "L'azione non ha un template nella lingua del destinatario.",
            Self::TemplateNotApproved => "Il template non è approvato da Meta.",
            Self::TemplateChanged => "Il template è cambiato da quando l'azione è stata verificata.",
            Self::TemplateNotUsable => "Il template è approvato, ma il bridge non può compilarne una parte.",
            Self::CategoryRefused => "La categoria del template non è ammessa per le notifiche.",
            Self::ConsentMissing => "Il template è di marketing e manca il consenso del destinatario.",
            Self::ValueMissing => "Un segnaposto del template resterebbe vuoto.",
            Self::TextTooLong => "Il testo supererebbe la lunghezza ammessa da WhatsApp.",
            Self::Superseded => "Nel frattempo è arrivato uno stato più recente.",
            Self::AlreadyNotified => "Dello stesso fatto si occupa già un altro messaggio al destinatario.",
            Self::Expired => "Il messaggio non era più utile.",
            Self::Cancelled => "Il messaggio è stato annullato: il suo contenuto non è più valido.",
            Self::Conflict => "Un altro evento con lo stesso id è arrivato prima.",
        }
    }

    /// Returns the reason in English, for the developer.
    #[must_use]
    pub fn english(self) -> &'static str {
        match self {
            Self::SiteInactive => "The site is inactive.",
            Self::AccountInactive => "The mapping's WA Smart Business account is inactive or no longer exists.",
            Self::NotifyNotRequested => "The user did not tick the WhatsApp notification.",
            Self::SenderNotPermitted => "The sender's group does not have the permission \"Gestione Whatsapp\".",
            Self::CreatedByAgent => "The cart was created by an agent.",
            Self::NotLatestCart => "The customer has a newer cart, or received a cart notice within the last 24 hours.",
            Self::ActorIsRecipient => "The recipient is the person who performed the action.",
            Self::SamePhone => "Another recipient of the same event has the same number.",
            Self::MarketplaceOrder => "The order comes from a marketplace.",
            Self::NoRecipient => "The event names no recipient.",
            Self::NoMapping => "No mapping is enabled for this type of event.",
            Self::MappingDisabled => "The mapping was disabled or deleted.",
            Self::ConditionNotMet => "A condition of the mapping is not met.",
            Self::BeforeActivation => "The event happened before the mapping was activated.",
            Self::GroupNotIncluded => "The recipient is in none of the mapping's groups.",
            Self::PhoneMissing => "The recipient's record has no phone number.",
            Self::PhoneInvalid => "The recipient's phone number is not valid.",
            Self::OptedOut => "The recipient opted out of WhatsApp messages.",
            Self::Suppressed => "The number is suppressed.",
            Self::Unreachable => "WhatsApp recently reported that the number cannot be reached.",
            Self::NoTemplateForLanguage => "The mapping has no template in the recipient's language.",
            Self::TemplateNotApproved => "Meta has not approved the template.",
            Self::TemplateChanged => "The template has changed since the mapping was checked.",
            Self::TemplateNotUsable => "The template is approved, but the bridge cannot fill a part of it.",
            Self::CategoryRefused => "The bridge does not send templates of this category.",
            Self::ConsentMissing => "The template is a marketing template, and the recipient has not consented.",
            Self::ValueMissing => "A placeholder of the template would be empty.",
            Self::TextTooLong => "The text would exceed WhatsApp's limit.",
            Self::Superseded => "A newer state has arrived in the meantime.",
            Self::AlreadyNotified => "Another message notifies the recipient of it.",
            Self::Expired => "The message expired before it could be sent.",
            Self::Cancelled => "The message was cancelled: its content is no longer valid.",
            Self::Conflict => "Another event with the same id came first.",
        }
    }
}

/// Writes the reason's name in the contract, such as `phone_missing`.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// A decision not to send: the reason and the value that decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skip {
    /// The reason.
    pub reason: Reason,
    /// The value that decided, for operators; empty where the reason is sufficient.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// Longest detail kept, in characters. It suffices to recognise a value, and a plan with many skips still fits into one
/// item.
const DETAIL_CHARS_MAX: usize = 200;

impl Skip {
    /// Returns a skip for a reason, with the value that decided.
    #[must_use]
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        let detail: String = detail.into();
        Self { reason, detail: detail.chars().take(DETAIL_CHARS_MAX).collect() }
    }
}

impl From<Reason> for Skip {
    fn from(reason: Reason) -> Self {
        Self::new(reason, "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_serialised_with_the_names_of_the_contract() {
        assert_eq!(Reason::NoTemplateForLanguage.to_string(), "no_template_for_language");
        let skip = Skip::new(Reason::PhoneInvalid, "is a service number");
        assert_eq!(
            serde_json::to_string(&skip).unwrap(),
            r#"{"reason":"phone_invalid","detail":"is a service number"}"#
        );
        assert_eq!(serde_json::to_string(&Skip::from(Reason::OptedOut)).unwrap(), r#"{"reason":"opted_out"}"#);
    }
}
