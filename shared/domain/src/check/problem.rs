//! The problems of a mapping, with their texts.

use crate::decision::render::Fault;
use crate::event::EventType;
use crate::primitives::language::Language;
use crate::template::Media;

/// A problem of a mapping. Its code is a contract of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A required field is missing.
    Missing,
    /// The field does not exist.
    UnknownField,
    /// The value is invalid for its field. Contains the reason.
    Wrong(String),
    /// No variable has that id or label.
    UnknownVariable {
        /// The id or label in the mapping.
        id: String,
        /// The most similar id or label.
        nearest: Option<&'static str>,
    },
    /// The event does not have the variable.
    VariableNotInEvent {
        /// The variable.
        variable: &'static str,
        /// The mapping's event type.
        event: EventType,
        /// The event's variable of the same name.
        instead: Option<&'static str>,
    },
    /// No message is sent about events of that type.
    NeverNotified(EventType),
    /// Only other events can meet the condition.
    NotOfThisEvent(EventType),
    /// The hold outlasts the usefulness of the messages. Contains how long they are useful.
    HeldTooLong(String),
    /// The quiet hours end when they begin.
    NeverQuiet,
    /// The mapping names no template.
    NoTemplates,
    /// No such account. `None` if the mapping names none and the site has no default account.
    UnknownAccount(Option<String>),
    /// The account is inactive and sends nothing.
    InactiveAccount(String),
    /// The account lists no template with that name.
    UnknownTemplate {
        /// The name.
        name: String,
        /// The account.
        account: String,
    },
    /// The account lists the template, but not in that language.
    UnknownTemplateLanguage {
        /// The name.
        name: String,
        /// The languages in which it is listed.
        listed: Vec<Language>,
    },
    /// Meta has not approved the template, or withdrew the approval. Contains the template's status.
    NotApproved(String),
    /// The template has a part that the bridge cannot fill. Contains the reason.
    Unusable(String),
    /// The template's fingerprint differs from the mapping's.
    TemplateChanged,
    /// Templates of that category are never sent.
    CategoryRefused(String),
    /// A marketing template, sent only to people who consented.
    Marketing,
    /// The template has a placeholder without a value in the mapping.
    Unfilled(String),
    /// The mapping has a value without a part in the template.
    Superfluous,
    /// The mapping's header value does not match the template's header. Contains its media type, `None` for text.
    OtherHeader(Option<Media>),
    /// The button takes another kind of value. Contains the kind.
    OtherButton(&'static str),
    /// A fixed text is empty and has no default.
    EmptyText,
    /// A fixed text can never be sent at its place.
    NeverSendable(Fault),
    /// Readers of one language get a text in another. Contains the text's language.
    OtherLanguage(Language),
    /// The site's default language has no template, so readers of languages without a template get nothing.
    NoDefaultLanguage(Language),
}

impl Problem {
    /// Returns the problem's code in the contract.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::UnknownField => "unknown_field",
            Self::Wrong(_) => "wrong_value",
            Self::UnknownVariable { .. } => "unknown_variable",
            Self::VariableNotInEvent { .. } => "variable_not_in_event",
            Self::NeverNotified(_) => "event_never_told",
            Self::NotOfThisEvent(_) => "condition_not_in_event",
            Self::HeldTooLong(_) => "held_too_long",
            Self::NeverQuiet => "never_quiet",
            Self::NoTemplates => "no_templates",
            Self::UnknownAccount(_) => "unknown_account",
            Self::InactiveAccount(_) => "inactive_account",
            Self::UnknownTemplate { .. } => "unknown_template",
            Self::UnknownTemplateLanguage { .. } => "unknown_template_language",
            Self::NotApproved(_) => "template_not_approved",
            Self::Unusable(_) => "template_unusable",
            Self::TemplateChanged => "template_changed",
            Self::CategoryRefused(_) => "category_refused",
            Self::Marketing => "marketing",
            Self::Unfilled(_) => "unfilled",
            Self::Superfluous => "superfluous",
            Self::OtherHeader(_) => "other_header",
            Self::OtherButton(_) => "other_button",
            Self::EmptyText => "empty_text",
            Self::NeverSendable(_) => "never_sendable",
            Self::OtherLanguage(_) => "other_language",
            Self::NoDefaultLanguage(_) => "no_default_language",
        }
    }

    /// Whether the mapping works despite the problem.
    #[must_use]
    pub fn is_warning(&self) -> bool {
        matches!(self, Self::InactiveAccount(_) | Self::Marketing | Self::OtherLanguage(_) | Self::NoDefaultLanguage(_))
    }

    /// Returns the problem in English.
    #[must_use]
    pub fn english(&self) -> String {
        match self {
            Self::Missing => "It is required and is missing.".to_owned(),
            Self::UnknownField => "There is no such field.".to_owned(),
            Self::Wrong(why) => format!("The value is wrong: {why}."),
            Self::UnknownVariable { id, nearest: None } => format!("There is no variable {id}."),
            Self::UnknownVariable { id, nearest: Some(nearest) } => {
                format!("There is no variable {id}; perhaps {nearest}?")
            }
            Self::VariableNotInEvent { variable, event, instead: None } => {
                format!("The event {event} has no {variable}.")
            }
            Self::VariableNotInEvent { variable, event, instead: Some(instead) } => {
                format!("The event {event} has no {variable}; perhaps {instead}?")
            }
            Self::NeverNotified(event) => {
                format!("The event {event} notifies nobody: a mapping for it would never send.")
            }
            Self::NotOfThisEvent(event) => format!("The event {event} cannot meet this condition: remove it."),
            Self::HeldTooLong(useful_for) => {
                format!("Messages are useful for {useful_for}: hold them for less, or nothing would be sent.")
            }
            Self::NeverQuiet => "The quiet hours end when they begin, so there would be none.".to_owned(),
            Self::NoTemplates => "There is no template: add one for at least one language.".to_owned(),
            Self::UnknownAccount(Some(id)) => format!("The site has no account {id}."),
            Self::UnknownAccount(None) => "The site has no account yet.".to_owned(),
            Self::InactiveAccount(id) => format!("The account {id} is inactive: nothing is sent until it is active."),
            Self::UnknownTemplate { name, account } => {
                format!("The account {account} has no template {name}; if it is new, sync the templates.")
            }
            Self::UnknownTemplateLanguage { name, listed } => {
                format!("The template {name} does not exist in this language, only in {}.", joined(listed))
            }
            Self::NotApproved(status) => format!("Meta has not approved the template: its status is {status}."),
            Self::Unusable(why) => format!("The bridge cannot fill the template: {why}."),
            Self::TemplateChanged => {
                "The template has changed since the mapping was checked: review it, then remove the fingerprint."
                    .to_owned()
            }
            Self::CategoryRefused(category) => format!("Templates of the category {category} are never sent."),
            Self::Marketing => {
                "The template is a marketing template: it is sent only to people whose consent is recorded.".to_owned()
            }
            Self::Unfilled(what) => format!("The template has {what}, and the mapping has no value for it."),
            Self::Superfluous => "The template has nothing that this value could fill.".to_owned(),
            Self::OtherHeader(Some(media)) => format!("The template's header is of type {media}."),
            Self::OtherHeader(None) => "The template's header is a text.".to_owned(),
            Self::OtherButton(kind) => format!("This button takes a {kind}."),
            Self::EmptyText => "The text is empty and has no default: nothing could be sent.".to_owned(),
            Self::NeverSendable(Fault::NoHttpsAddress) => {
                "This can never be sent: it must be an https address.".to_owned()
            }
            Self::NeverSendable(Fault::OtherThanLettersAndDigits) => {
                "This can never be sent: a code contains only letters and digits.".to_owned()
            }
            Self::NeverSendable(Fault::TooLong { length, length_max }) => {
                format!("This can never be sent: it has {length} characters, and the maximum is {length_max}.")
            }
            Self::OtherLanguage(language) => format!("Readers of this language receive a text in {language}."),
            Self::NoDefaultLanguage(language) => {
                format!(
                    "Readers of other languages receive nothing: there is no template in the site's language, {language}."
                )
            }
        }
    }

    /// Returns the problem in Italian.
    #[must_use]
    pub fn italian(&self) -> String {
        match self {
            Self::Missing => "È obbligatorio e manca.".to_owned(),
            Self::UnknownField => "Questo campo non esiste.".to_owned(),
            Self::Wrong(why) => format!("Il valore non è valido: {why}."),
            Self::UnknownVariable { id, nearest: None } => format!("La variabile {id} non esiste."),
            Self::UnknownVariable { id, nearest: Some(nearest) } => {
                format!("La variabile {id} non esiste; forse {nearest}?")
            }
            Self::VariableNotInEvent { variable, event, instead: None } => {
                format!("L'evento {event} non ha {variable}.")
            }
            Self::VariableNotInEvent { variable, event, instead: Some(instead) } => {
                format!("L'evento {event} non ha {variable}; forse {instead}?")
            }
            Self::NeverNotified(event) => format!("L'evento {event} non avvisa nessuno: l'azione non invierebbe mai."),
            Self::NotOfThisEvent(event) => format!("L'evento {event} non può soddisfare questa condizione: toglierla."),
            Self::HeldTooLong(useful_for) => {
                format!("I messaggi sono utili per {useful_for}: trattenerli per meno, o non si invierebbe nulla.")
            }
            Self::NeverQuiet => "Le ore di silenzio finiscono quando iniziano: non ce ne sarebbero.".to_owned(),
            Self::NoTemplates => "Manca il template: indicarne uno per almeno una lingua.".to_owned(),
            Self::UnknownAccount(Some(id)) => format!("Il sito non ha l'account {id}."),
            Self::UnknownAccount(None) => "Il sito non ha ancora un account.".to_owned(),
            Self::InactiveAccount(id) => format!("L'account {id} non è attivo: finché resta così non si invia nulla."),
            Self::UnknownTemplate { name, account } => {
                format!("L'account {account} non ha il template {name}; se è nuovo, sincronizzare i template.")
            }
            Self::UnknownTemplateLanguage { name, listed } => {
                format!("Il template {name} non esiste in questa lingua, solo in {}.", joined(listed))
            }
            Self::NotApproved(status) => format!("Il template non è approvato da Meta: il suo stato è {status}."),
            Self::Unusable(why) => format!("Il bridge non può compilare il template: {why}."),
            Self::TemplateChanged => {
                "Il template è cambiato dopo la verifica dell'azione: rivederla, poi togliere fingerprint.".to_owned()
            }
            Self::CategoryRefused(category) => {
                format!("I template della categoria {category} non vengono mai inviati.")
            }
            Self::Marketing => "Il template è di marketing: arriva solo a chi ha dato il consenso.".to_owned(),
            Self::Unfilled(what) => format!("Il template ha {what} e l'azione non indica il valore."),
            Self::Superfluous => "Il template non ha nulla che questo valore possa compilare.".to_owned(),
            Self::OtherHeader(Some(media)) => format!("L'intestazione del template è di tipo {media}."),
            Self::OtherHeader(None) => "L'intestazione del template è un testo.".to_owned(),
            Self::OtherButton(kind) => format!("Questo pulsante vuole {kind}."),
            Self::EmptyText => "Il testo è vuoto e senza default: non si potrebbe inviare nulla.".to_owned(),
            Self::NeverSendable(Fault::NoHttpsAddress) => {
                "Non si potrà mai inviare: serve un indirizzo https.".to_owned()
            }
            Self::NeverSendable(Fault::OtherThanLettersAndDigits) => {
                "Non si potrà mai inviare: un codice ha solo lettere e cifre.".to_owned()
            }
            Self::NeverSendable(Fault::TooLong { length, length_max }) => {
                format!("Non si potrà mai inviare: ha {length} caratteri, il massimo è {length_max}.")
            }
            Self::OtherLanguage(language) => format!("Chi legge questa lingua riceve un testo in {language}."),
            Self::NoDefaultLanguage(language) => {
                format!(
                    "Chi legge un'altra lingua non riceve nulla: manca il template nella lingua del sito, {language}."
                )
            }
        }
    }
}

fn joined(languages: &[Language]) -> String {
    languages.iter().map(Language::as_str).collect::<Vec<_>>().join(", ")
}
