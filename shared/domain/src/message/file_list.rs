//! The list of the files that one message covers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::event::File;
use crate::primitives::id::ObjectId;
use crate::primitives::list::List;

/// Maximum number of files stored by name. Further files are only counted.
const NAMES_MAX: usize = 50;
/// Bytes of a file's fingerprint. With ten thousand files, two share a fingerprint in fewer than one of a million
/// collections.
const MARK_BYTES: usize = 6;
/// Characters of an encoded fingerprint: base64 without padding.
const MARK_CHARS: usize = 8;
/// Maximum number of stored fingerprints: 160 KB of the 400 KB that a DynamoDB item may have. Files beyond it are
/// counted each time they are touched.
const MARKS_MAX: usize = 20_000;
/// Maximum number of characters of the displayed names. The first name is always displayed in full.
const SHOWN_CHARS_MAX: usize = 300;
/// Characters between two displayed names.
const SEPARATOR_CHARS: usize = 2;

/// The files that one message covers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    /// The first files, each once.
    pub named: Vec<Named>,
    /// The number of files.
    pub count: u64,
    /// The concatenated fingerprints of the other files, so that each is counted once.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub others: String,
}

/// A file stored with its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Passweb's id of the file.
    pub id: ObjectId,
    /// The file's name when it was last touched.
    pub name: String,
}

impl Files {
    /// Returns a set of one file.
    #[must_use]
    pub fn of(file: &File) -> Self {
        let mut files = Self::default();
        files.add(file);
        files
    }

    /// Adds a file. A file that is already counted only updates its name.
    pub fn add(&mut self, file: &File) {
        if let Some(known) = self.named.iter_mut().find(|known| known.id == file.id) {
            known.name.clone_from(&file.name);
            return;
        }
        if self.named.len() < NAMES_MAX {
            self.named.push(Named { id: file.id.clone(), name: file.name.clone() });
        } else if !self.mark(&file.id) {
            return;
        }
        self.count = self.count.saturating_add(1);
    }

    /// Records the fingerprint of a file without a name. Returns whether the file is new.
    fn mark(&mut self, id: &ObjectId) -> bool {
        let digest = Sha256::digest(id.as_str());
        let mark = STANDARD.encode(digest.get(..MARK_BYTES).unwrap_or_default());
        let marks = self.others.as_bytes().chunks(MARK_CHARS);
        let is_full = marks.len() >= MARKS_MAX;
        if marks.into_iter().any(|known| known == mark.as_bytes()) {
            return false;
        }
        if !is_full {
            self.others.push_str(&mark);
        }
        true
    }

    /// Returns the names, at most about 300 characters of them; the other files are only counted.
    #[must_use]
    pub fn names(&self) -> List {
        let mut shown: Vec<String> = Vec::new();
        let mut chars = 0;
        for Named { name, .. } in &self.named {
            let name_chars = name.chars().count();
            if !shown.is_empty() {
                if chars + name_chars > SHOWN_CHARS_MAX {
                    break;
                }
                chars += SEPARATOR_CHARS;
            }
            chars += name_chars;
            shown.push(name.clone());
        }
        List::new(shown, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(id: usize, name: &str) -> File {
        let id = ObjectId::parse(&format!("F{id}")).unwrap();
        File { id, name: name.to_owned(), folder: "Listini".to_owned(), url: None }
    }

    #[test]
    fn files_are_counted_once_and_named_by_their_latest_name() {
        let mut files = Files::of(&file(1, "a.pdf"));
        files.add(&file(2, "b.pdf"));
        files.add(&file(1, "c.pdf"));
        assert_eq!((files.count, files.names().to_string().as_str()), (2, "c.pdf, b.pdf"));
    }

    #[test]
    fn files_beyond_the_named_ones_are_counted_once_each() {
        let mut files = Files::default();
        for _ in 0..3 {
            (0..60).for_each(|id| files.add(&file(id, "a.pdf")));
        }
        assert_eq!((files.count, files.named.len()), (60, NAMES_MAX));
        let stored = serde_json::to_value(&files).unwrap();
        let mut again: Files = serde_json::from_value(stored).unwrap();
        again.add(&file(59, "a.pdf"));
        again.add(&file(60, "a.pdf"));
        assert_eq!(again.count, 61);
    }

    #[test]
    fn a_mark_never_changes_and_a_collection_without_marks_is_read() {
        let mut files: Files = serde_json::from_str(r#"{"named":[],"count":70}"#).unwrap();
        assert!(files.mark(&ObjectId::parse("F60").unwrap()));
        insta::assert_snapshot!(files.others, @"Nxt0D2xW");
        files.others = "A".repeat(MARK_CHARS * MARKS_MAX);
        assert!(files.mark(&ObjectId::parse("F61").unwrap()) && files.others.len() == MARK_CHARS * MARKS_MAX);
    }

    #[test]
    fn only_some_of_many_files_are_named_and_the_rest_are_counted() {
        let mut files = Files::default();
        (0..1_000).for_each(|id| files.add(&file(id, &format!("Listino {id:03}.pdf"))));
        assert_eq!((files.count, files.named.len()), (1_000, NAMES_MAX));
        let shown = files.names().to_string();
        assert!(shown.starts_with("Listino 000.pdf, Listino 001.pdf, "), "{shown}");
        assert!(shown.ends_with("(+983)") && shown.chars().count() < SHOWN_CHARS_MAX + 60, "{shown}");
        assert_eq!(Files::of(&file(1, &"x".repeat(900))).names().to_string(), "x".repeat(900));
    }
}
