//! The parts of a template: fixed text and placeholders.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Pattern;

/// The parts of a template that the bridge can fill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The header above the body.
    pub header: Option<Header>,
    /// The body.
    pub body: Pattern,
    /// The footer below the body. Meta allows no placeholder in it.
    pub footer: Option<String>,
    /// All buttons, including those with nothing to fill. The position in this list is the button's index in a send.
    pub buttons: Vec<Button>,
    /// The example values that were submitted with the template, by place: `body/1`, `header/nome`, `header` for a
    /// file, `buttons/0`.
    pub examples: BTreeMap<String, String>,
}

impl Parts {
    /// Returns a template that consists only of a body.
    #[must_use]
    pub fn of_body(body: Pattern) -> Self {
        Self { header: None, body, footer: None, buttons: Vec::new(), examples: BTreeMap::new() }
    }
}

/// A header that the bridge can fill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Header {
    /// A line of text with at most one placeholder.
    Text {
        /// The line.
        text: Pattern,
    },
    /// An image, a video or a document that each send supplies.
    Media {
        /// The kind of media.
        media: Media,
    },
}

/// The kind of media in a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Media {
    /// JPEG or PNG.
    Image,
    /// MP4 or 3GP.
    Video,
    /// A file with a name.
    Document,
}

/// Writes the name in mappings and requests, such as `document`.
impl std::fmt::Display for Media {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Document => "document",
        })
    }
}

/// A button that the bridge can fill or that has nothing to fill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Button {
    /// Opens a fixed URL: nothing to fill.
    Url {
        /// The label.
        text: String,
        /// The URL.
        url: String,
    },
    /// Opens a URL whose end is a value: must be filled.
    UrlWithSuffix {
        /// The label.
        text: String,
        /// The URL up to the placeholder.
        base: String,
    },
    /// Answers with its label. An optional value is the payload that is reported when it is pressed.
    QuickReply {
        /// The label.
        text: String,
    },
    /// Copies a code: must be filled.
    CopyCode {
        /// The label, which Meta fixes.
        text: String,
    },
    /// Calls a number: nothing to fill.
    PhoneNumber {
        /// The label.
        text: String,
        /// The number.
        number: String,
    },
}
