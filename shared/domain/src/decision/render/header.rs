//! The header: a line of text, or an image, video or document that WhatsApp fetches.

use std::fmt;

use crate::mapping::{HeaderUse, ValueSource, Values};
use crate::message::reason::{Reason, Skip};
use crate::template::{Header, Media};

use super::address::https;
use super::place::FILENAME_UNITS_MAX;
use super::text::{self, Filled};
use super::units;
use super::value::{Writer, missing, named};

/// A filled header.
#[derive(Clone, PartialEq, Eq)]
pub enum FilledHeader {
    /// A line of text.
    Text(Filled),
    /// The https URL of an image.
    Image(String),
    /// The https URL of a video.
    Video(String),
    /// A document.
    Document {
        /// The https URL.
        link: String,
        /// The name that the recipient sees.
        filename: String,
    },
}

/// Shows only the kind: links and names are personal data.
impl fmt::Debug for FilledHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text",
            Self::Image(_) => "Image",
            Self::Video(_) => "Video",
            Self::Document { .. } => "Document",
        })
    }
}

/// Fills a header; `None` if it has nothing to fill.
pub(super) fn fill(
    header: Option<&Header>,
    chosen: Option<&HeaderUse>,
    writer: &Writer<'_>,
) -> Result<Option<FilledHeader>, Skip> {
    match header {
        None => Ok(None),
        Some(Header::Text { text }) if text.placeholders().is_empty() => Ok(None),
        Some(Header::Text { text }) => {
            let none = Values::new();
            let values = if let Some(HeaderUse::Text(values)) = chosen { values } else { &none };
            text::fill(text, values, writer, text::HEADER).map(|filled| Some(FilledHeader::Text(filled)))
        }
        Some(Header::Media { media }) => fill_media(*media, chosen, writer).map(Some),
    }
}

fn fill_media(media: Media, chosen: Option<&HeaderUse>, writer: &Writer<'_>) -> Result<FilledHeader, Skip> {
    let link_of = |link| fill_link(link, &format!("header.{media}.link"), writer);
    match (media, chosen) {
        (Media::Image, Some(HeaderUse::Image(link))) => link_of(link).map(FilledHeader::Image),
        (Media::Video, Some(HeaderUse::Video(link))) => link_of(link).map(FilledHeader::Video),
        (Media::Document, Some(HeaderUse::Document { link, filename })) => {
            Ok(FilledHeader::Document { link: link_of(link)?, filename: fill_filename(filename, writer)? })
        }
        (Media::Image | Media::Video | Media::Document, _) => Err(missing(&format!("header.{media}"), None)),
    }
}

fn fill_link(source: &ValueSource, place: &str, writer: &Writer<'_>) -> Result<String, Skip> {
    let value = writer.value(source, place)?;
    https(&value)
        .ok_or_else(|| Skip::new(Reason::ValueMissing, format!("{}: is no https address", named(place, Some(source)))))
}

fn fill_filename(source: &ValueSource, writer: &Writer<'_>) -> Result<String, Skip> {
    const PLACE: &str = "header.document.filename";
    let mut name = writer.written(source, PLACE)?;
    match units(&name.text) {
        0..=FILENAME_UNITS_MAX => {}
        _ if name.may_shorten => name.shorten(FILENAME_UNITS_MAX),
        long => return Err(Skip::new(Reason::TextTooLong, format!("{PLACE}: {long} > {FILENAME_UNITS_MAX}"))),
    }
    Ok(name.text)
}
