//! Collects the warnings of a dry run.

use crate::dry_run::WARNINGS_MAX;
use crate::dry_run::warning::{Code, Warning};
use crate::message::reason::Skip;
use crate::primitives::id::MappingId;

/// The warnings so far. None is repeated: a warning about all mappings covers those about one of them.
#[derive(Debug, Default)]
pub(super) struct Notes(Vec<Warning>);

impl Notes {
    pub(super) fn add(&mut self, code: Code, pointer: String) {
        self.note(Warning { code, pointer, mapping: None, detail: String::new() });
    }

    pub(super) fn add_with(&mut self, code: Code, pointer: String, detail: String) {
        self.note(Warning { code, pointer, mapping: None, detail });
    }

    pub(super) fn add_of(&mut self, code: Code, pointer: String, mapping: &MappingId) {
        self.note(Warning { code, pointer, mapping: Some(mapping.clone()), detail: String::new() });
    }

    pub(super) fn add_skip(&mut self, skip: &Skip, pointer: String, mapping: Option<&MappingId>) {
        let (code, detail) = (Code::of(skip.reason), skip.detail.clone());
        self.note(Warning { code, pointer, mapping: mapping.cloned(), detail });
    }

    fn note(&mut self, warning: Warning) {
        let covers = |known: &Warning| {
            known.code == warning.code
                && known.pointer == warning.pointer
                && (known.mapping.is_none() || known.mapping == warning.mapping)
        };
        if self.0.len() < WARNINGS_MAX && !self.0.iter().any(covers) {
            self.0.push(warning);
        }
    }

    pub(super) fn into_warnings(self) -> Vec<Warning> {
        self.0
    }
}
