//! The problems of a mapping.

use super::Wrong;
use crate::decision::render::Fault;
use crate::event::EventType;
use crate::primitives::language::Language;
use crate::template::{Media, Placeholder, Unfillable};

/// A problem of a mapping. Its code is a contract of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A required field is missing.
    Missing,
    /// The field does not exist.
    UnknownField,
    /// The value is invalid for its field. Contains the reason.
    Wrong(Wrong),
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
    Unusable(Unfillable),
    /// The template's fingerprint differs from the mapping's.
    TemplateChanged,
    /// Templates of that category are never sent.
    CategoryRefused(String),
    /// A marketing template, sent only to people who consented.
    Marketing,
    /// The template has a part without a value in the mapping.
    Unfilled(Unfilled),
    /// The mapping has a value without a part in the template.
    Superfluous,
    /// The mapping's header value does not match the template's header. Contains its media type, `None` for text.
    OtherHeader(Option<Media>),
    /// The button takes another kind of value. Contains the kind.
    OtherButton(ButtonKind),
    /// A fixed text is empty and has no default.
    EmptyText,
    /// A fixed text can never be sent at its place.
    NeverSendable(Fault),
    /// A template is for readers of a language in which WhatsApp has no templates. Contains the code.
    UnknownLanguage(Language),
    /// Readers of one language get a text in another. Contains the text's language.
    OtherLanguage(Language),
    /// The site's default language has no template, so readers of languages without a template get nothing.
    NoDefaultLanguage(Language),
}

/// A part of a template without a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfilled {
    /// A placeholder.
    Placeholder(Placeholder),
    /// A header with media.
    Header(Media),
    /// A button.
    Button(ButtonKind),
}

/// The kind of value that a button takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ButtonKind {
    /// The end of a URL.
    Suffix,
    /// The payload that is reported when a quick reply is pressed.
    Payload,
    /// The code that is copied.
    Code,
}

impl ButtonKind {
    /// Returns the name of its field in a mapping.
    #[must_use]
    pub fn field(self) -> &'static str {
        match self {
            Self::Suffix => "suffix",
            Self::Payload => "payload",
            Self::Code => "code",
        }
    }
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
            Self::UnknownLanguage(_) => "unknown_language",
            Self::OtherLanguage(_) => "other_language",
            Self::NoDefaultLanguage(_) => "no_default_language",
        }
    }

    /// Whether the mapping works despite the problem.
    #[must_use]
    pub fn is_warning(&self) -> bool {
        matches!(
            self,
            Self::InactiveAccount(_)
                | Self::Marketing
                | Self::UnknownLanguage(_)
                | Self::OtherLanguage(_)
                | Self::NoDefaultLanguage(_)
        )
    }
}
