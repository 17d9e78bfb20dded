//! Why the bridge cannot fill a template.

use std::fmt;

/// Why the bridge cannot fill a template. It is stored as the text that [`fmt::Display`] writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfillable {
    /// It has no body.
    NoBody,
    /// It has a part of this kind.
    Part(String),
    /// Its header is of this kind.
    Header(String),
    /// Its header has more than one placeholder.
    HeaderPlaceholders,
    /// The numbers of the placeholders in the header have gaps.
    HeaderGaps,
    /// The numbers of the placeholders in the body have gaps.
    BodyGaps,
    /// It has more than this number of buttons.
    Buttons(usize),
    /// It has a button of this kind.
    Button(String),
    /// It has a URL button without a URL.
    UrlMissing,
    /// It has a URL button whose placeholder is not at the end.
    UrlPlaceholder,
    /// A placeholder does not have the format of the template.
    Format {
        /// The placeholder in its braces.
        placeholder: String,
        /// The format: `NAMED` or `POSITIONAL`.
        format: String,
    },
    /// Its text changed at Meta, and no sync has read it yet.
    Unread,
    /// A reason that another version of the bridge stored.
    Other(String),
}

const NO_BODY: &str = "it has no body";
const PART: &str = "it has a part of the kind ";
const HEADER: &str = "its header is of the kind ";
const HEADER_PLACEHOLDERS: &str = "its header has more than one placeholder";
const HEADER_GAPS: &str = "the numbers of its header have gaps";
const BODY_GAPS: &str = "the numbers of its body have gaps";
const BUTTONS: [&str; 2] = ["it has more than ", " buttons"];
const BUTTON: &str = "it has a button of the kind ";
const URL_MISSING: &str = "it has a URL button without a URL";
const URL_PLACEHOLDER: &str = "it has a URL button whose placeholder is not at the end";
const FORMAT: [&str; 2] = ["its placeholder ", " is not of the format "];
const UNREAD: &str = "its text changed at Meta and was not read yet";

impl fmt::Display for Unfillable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBody => f.write_str(NO_BODY),
            Self::Part(kind) => write!(f, "{PART}{kind}"),
            Self::Header(kind) => write!(f, "{HEADER}{kind}"),
            Self::HeaderPlaceholders => f.write_str(HEADER_PLACEHOLDERS),
            Self::HeaderGaps => f.write_str(HEADER_GAPS),
            Self::BodyGaps => f.write_str(BODY_GAPS),
            Self::Buttons(count_max) => {
                let [before, after] = BUTTONS;
                write!(f, "{before}{count_max}{after}")
            }
            Self::Button(kind) => write!(f, "{BUTTON}{kind}"),
            Self::UrlMissing => f.write_str(URL_MISSING),
            Self::UrlPlaceholder => f.write_str(URL_PLACEHOLDER),
            Self::Format { placeholder, format } => {
                let [before, between] = FORMAT;
                write!(f, "{before}{placeholder}{between}{format}")
            }
            Self::Unread => f.write_str(UNREAD),
            Self::Other(text) => f.write_str(text),
        }
    }
}

/// Reads the stored text.
impl From<&str> for Unfillable {
    fn from(text: &str) -> Self {
        match text {
            NO_BODY => Self::NoBody,
            HEADER_PLACEHOLDERS => Self::HeaderPlaceholders,
            HEADER_GAPS => Self::HeaderGaps,
            BODY_GAPS => Self::BodyGaps,
            URL_MISSING => Self::UrlMissing,
            URL_PLACEHOLDER => Self::UrlPlaceholder,
            UNREAD => Self::Unread,
            _ => with_value(text).unwrap_or_else(|| Self::Other(text.to_owned())),
        }
    }
}

fn with_value(text: &str) -> Option<Unfillable> {
    let after = |start: &str| text.strip_prefix(start).map(str::to_owned);
    if let Some(kind) = after(PART) {
        return Some(Unfillable::Part(kind));
    }
    if let Some(kind) = after(HEADER) {
        return Some(Unfillable::Header(kind));
    }
    if let Some(kind) = after(BUTTON) {
        return Some(Unfillable::Button(kind));
    }
    let [before, end] = BUTTONS;
    if let Some(count) = text.strip_prefix(before).and_then(|rest| rest.strip_suffix(end)) {
        return count.parse().ok().map(Unfillable::Buttons);
    }
    let [before, between] = FORMAT;
    let (placeholder, format) = text.strip_prefix(before)?.split_once(between)?;
    Some(Unfillable::Format { placeholder: placeholder.to_owned(), format: format.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_text_is_read_again() {
        for why in [
            Unfillable::NoBody,
            Unfillable::Part("CAROUSEL".to_owned()),
            Unfillable::Header("LOCATION".to_owned()),
            Unfillable::HeaderPlaceholders,
            Unfillable::HeaderGaps,
            Unfillable::BodyGaps,
            Unfillable::Buttons(10),
            Unfillable::Button("OTP".to_owned()),
            Unfillable::UrlMissing,
            Unfillable::UrlPlaceholder,
            Unfillable::Format { placeholder: "{{nome}}".to_owned(), format: "POSITIONAL".to_owned() },
            Unfillable::Unread,
            Unfillable::Other("of another version".to_owned()),
        ] {
            assert_eq!(Unfillable::from(why.to_string().as_str()), why);
        }
    }
}
