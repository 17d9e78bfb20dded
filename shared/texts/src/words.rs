//! Sentences about values of `domain`.

use std::collections::BTreeSet;
use std::io;

use domain::event::EventError;
use domain::message::reason::Reason;
use domain::message::state::WaitReason;
use domain::primitives::id::{ID_CHARS_MAX, IdError};
use domain::primitives::phone::PhoneError;
use domain::template::variable::{Definition, ValueType};

use crate::{Lang, Texts};

impl Texts {
    /// Returns why a message was not sent. The API needs the sentence too, so it is in `domain`.
    #[must_use]
    pub fn reason(&self, reason: Reason) -> &'static str {
        match self.lang() {
            Lang::It => reason.italian(),
            Lang::En => reason.english(),
        }
    }

    /// Returns several reasons, each once.
    #[must_use]
    pub fn reasons(&self, reasons: &[Reason]) -> String {
        let distinct: BTreeSet<Reason> = reasons.iter().copied().collect();
        distinct.into_iter().map(|reason| self.reason(reason)).collect::<Vec<_>>().join(" ")
    }

    /// Returns why a message waits.
    #[must_use]
    pub fn wait_reason(&self, why: WaitReason) -> String {
        match why {
            WaitReason::Retry => self.waits_retry(),
            WaitReason::Pace => self.waits_pace(),
            WaitReason::Pair => self.waits_pair(),
            WaitReason::AccountStopped => self.waits_account_stopped(),
            WaitReason::SitePaused => self.waits_site_paused(),
            WaitReason::TemplateHeld => self.waits_template_held(),
            WaitReason::CartInterval => self.waits_cart_interval(),
            WaitReason::Hold => self.waits_hold(),
            WaitReason::QuietHours => self.waits_quiet_hours(),
            WaitReason::Volume => self.waits_volume(),
        }
    }

    /// Returns the name of a value's type.
    #[must_use]
    pub fn value_type(&self, kind: ValueType) -> &'static str {
        match self.lang() {
            Lang::It => kind.italian(),
            Lang::En => kind.english(),
        }
    }

    /// Returns the meaning of a variable.
    #[must_use]
    pub fn meaning(&self, variable: &Definition) -> &'static str {
        match self.lang() {
            Lang::It => variable.italian_meaning,
            Lang::En => variable.english_meaning,
        }
    }

    /// Returns what is wrong with an id, without its subject.
    #[must_use]
    pub fn id_error(&self, error: IdError) -> String {
        match error {
            IdError::Empty => self.id_empty(),
            IdError::TooLong => self.id_too_long(ID_CHARS_MAX),
            IdError::Character => self.id_character(),
            IdError::Printable => self.id_printable(),
            IdError::Control => self.id_control(),
        }
    }

    /// Returns what is wrong with a phone number, without its subject.
    #[must_use]
    pub fn phone_error(&self, error: PhoneError) -> String {
        match error {
            PhoneError::Empty => self.phone_empty(),
            PhoneError::Invalid => self.phone_invalid(),
            PhoneError::Extension => self.phone_extension(),
            PhoneError::NoCountry => self.phone_no_country(),
            PhoneError::Service => self.phone_service(),
        }
    }

    /// Returns what is wrong with an event.
    #[must_use]
    pub fn event_error(&self, error: &EventError) -> String {
        match error {
            EventError::UnknownType => self.event_unknown_type(),
            EventError::Invalid(faults) => {
                let fields: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
                self.event_invalid(fields.join(", "))
            }
        }
    }

    /// Returns why a file cannot be read or written. Causes without a sentence keep the system's own words.
    #[must_use]
    pub fn io_error(&self, error: &io::Error) -> String {
        match error.kind() {
            io::ErrorKind::NotFound => self.not_found(),
            io::ErrorKind::PermissionDenied => self.not_permitted(),
            io::ErrorKind::InvalidData => self.not_utf_8(),
            _ => error.to_string(),
        }
    }
}
