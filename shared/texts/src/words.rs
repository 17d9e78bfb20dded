//! Sentences about values of `domain`.

use std::collections::BTreeSet;
use std::io;

use domain::check::Problem;
use domain::event::EventError;
use domain::message::reason::Reason;
use domain::message::state::WaitReason;
use domain::primitives::id::{ID_CHARS_MAX, IdError};
use domain::primitives::phone::PhoneError;

use crate::Texts;

impl Texts {
    /// Returns why a message was not sent.
    #[must_use]
    pub fn reason(&self, reason: Reason) -> String {
        self.pick(reason.italian(), reason.english()).to_owned()
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
        self.pick(why.italian(), why.english()).to_owned()
    }

    /// Returns a problem of a mapping.
    #[must_use]
    pub fn problem(&self, problem: &Problem) -> String {
        self.pick(problem.italian(), problem.english())
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
