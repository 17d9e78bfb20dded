//! The parts of a template: what of it is fixed and what a value fills.

use serde::{Deserialize, Serialize};

use super::Pattern;

/// A template the bridge can fill, part by part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// What stands above the body.
    pub header: Option<Header>,
    /// The body.
    pub body: Pattern,
    /// What stands below the body. Meta allows no placeholder in it.
    pub footer: Option<String>,
    /// All buttons, those with nothing to fill too: the place in this list is what a send calls the button's index.
    pub buttons: Vec<Button>,
}

impl Parts {
    /// A template that is nothing but a body.
    #[must_use]
    pub fn of_body(body: Pattern) -> Self {
        Self { header: None, body, footer: None, buttons: Vec::new() }
    }
}

/// A header the bridge can fill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Header {
    /// A line of text with at most one placeholder.
    Text {
        /// The line.
        text: Pattern,
    },
    /// A picture or a file that each send brings along.
    Media {
        /// Which.
        media: Media,
    },
}

/// What a header may show besides text.
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

/// The name in mappings and on the wire, `document`.
impl std::fmt::Display for Media {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Document => "document",
        })
    }
}

/// A button the bridge can fill or that needs nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Button {
    /// Opens a fixed address: nothing to fill.
    Url {
        /// Its label.
        text: String,
        /// The address.
        url: String,
    },
    /// Opens an address that ends with what a value says: must be filled.
    UrlWithSuffix {
        /// Its label.
        text: String,
        /// The address up to the placeholder.
        base: String,
    },
    /// Answers with its label; a value may say what is reported to us when it is pressed.
    QuickReply {
        /// Its label.
        text: String,
    },
    /// Copies a code: must be filled.
    CopyCode {
        /// Its label, which Meta fixes.
        text: String,
    },
    /// Calls a number: nothing to fill.
    PhoneNumber {
        /// Its label.
        text: String,
        /// The number.
        number: String,
    },
}
