//! Parses the template list, part by part.
//!
//! A row is foreign data. A row without a name or a language makes the page malformed. An unknown part makes only its
//! template unusable, with the reason. The fuzz target of template lists includes this file, so it imports nothing of
//! this crate.

use domain::primitives::cause::Cause;
use domain::primitives::language::Language;
use domain::template::{
    Button, Category, Content, Header, Media, Parts, Pattern, Piece, Placeholder, Template, TemplateStatus, Unfillable,
    examples, fingerprint,
};
use serde_json::Value;

/// Maximum number of buttons of a template (Meta, template limits).
const BUTTONS_MAX: usize = 10;

/// Parses the templates of a page. A template with an unreadable language code is omitted, so it cannot be sent. Any
/// other unreadable row makes the page malformed.
pub(crate) fn templates(page: &Value) -> Result<Vec<Template>, Cause> {
    let rows = page.get("data").and_then(Value::as_array).ok_or_else(|| malformed("data is no list"))?;
    rows.iter().filter(|row| !in_strange_language(row)).map(template).collect()
}

fn in_strange_language(row: &Value) -> bool {
    let (name, language) = (text(row, "name").unwrap_or_default(), text(row, "language").unwrap_or_default());
    let is_strange = !language.is_empty() && Language::parse(language).is_err();
    if is_strange {
        tracing::warn!(template = name, language, "a template in a language of unknown form was left out");
    }
    is_strange
}

/// Returns the cursor of the next page; `None` on the last page.
pub(crate) fn next_cursor(page: &Value) -> Result<Option<String>, Cause> {
    let has_next = page.pointer("/paging/next").is_some_and(|next| !next.is_null());
    if !has_next {
        return Ok(None);
    }
    let cursor = page.pointer("/paging/cursors/after").and_then(Value::as_str);
    cursor.map(|cursor| Some(cursor.to_owned())).ok_or_else(|| malformed("a next page without a cursor"))
}

/// Parses a row of the template list.
///
/// # Errors
/// The cause, if the row lacks a name or a valid language.
pub(crate) fn template(row: &Value) -> Result<Template, Cause> {
    let text = |name: &str| row.get(name).and_then(Value::as_str);
    let name = text("name").ok_or_else(|| malformed("a template without a name"))?;
    let language = text("language").ok_or_else(|| malformed("a template without a language"))?;
    let language = Language::parse(language).map_err(|error| malformed(&format!("a template's language {error}")))?;
    let status = TemplateStatus::from(text("status").unwrap_or("UNKNOWN").to_owned());
    let category = Category::from(text("category").unwrap_or("UNKNOWN").to_owned());
    let components = row.get("components").cloned().unwrap_or_else(|| Value::Array(Vec::new()));
    let read = parts(&components);
    // Old rows lack the format. It follows from their placeholders.
    let inferred = if read.as_ref().is_ok_and(is_named) { NAMED } else { POSITIONAL };
    let format = text("parameter_format").unwrap_or(inferred);
    let fingerprint = fingerprint(&components, format, &category, &language);
    let content = match read.and_then(|parts| in_format(parts, format)) {
        Ok(parts) => Content::Usable(parts),
        Err(why) => Content::Unusable { why },
    };
    Ok(Template { name: name.to_owned(), language, status, category, quality: quality(row), content, fingerprint })
}

/// Returns the quality score, which is either an object with a date or a bare word.
fn quality(row: &Value) -> Option<String> {
    let quality = row.get("quality_score")?;
    quality.get("score").unwrap_or(quality).as_str().map(str::to_owned)
}

const NAMED: &str = "NAMED";
const POSITIONAL: &str = "POSITIONAL";

/// Returns the placeholders to which the template's format applies. Button placeholders never have names.
fn placeholders(parts: &Parts) -> impl Iterator<Item = &Placeholder> {
    let header = match &parts.header {
        Some(Header::Text { text }) => text.placeholders(),
        Some(Header::Media { .. }) | None => Vec::new(),
    };
    header.into_iter().chain(parts.body.placeholders())
}

fn is_named(parts: &Parts) -> bool {
    placeholders(parts).any(|placeholder| matches!(placeholder, Placeholder::Name(_)))
}

/// Returns the parts if their placeholders match the format.
fn in_format(parts: Parts, format: &str) -> Result<Parts, Unfillable> {
    let fits = |placeholder: &Placeholder| match placeholder {
        Placeholder::Position(_) => format == POSITIONAL,
        Placeholder::Name(_) => format == NAMED,
    };
    let stray = placeholders(&parts).find(|placeholder| !fits(placeholder));
    match stray.map(|placeholder| format!("{{{{{placeholder}}}}}")) {
        None => Ok(parts),
        Some(placeholder) => Err(Unfillable::Format { placeholder, format: format.to_owned() }),
    }
}

/// Parses the parts, or returns why the bridge cannot fill them.
fn parts(components: &Value) -> Result<Parts, Unfillable> {
    let mut header = None;
    let mut body = None;
    let mut footer = None;
    let mut buttons = Vec::new();
    for component in components.as_array().into_iter().flatten() {
        match word(component, "type").as_str() {
            "HEADER" => header = Some(read_header(component)?),
            "BODY" => body = text(component, "text").map(Pattern::parse),
            "FOOTER" => footer = text(component, "text").map(str::to_owned),
            "BUTTONS" => buttons = read_buttons(component)?,
            kind => return Err(Unfillable::Part(kind.to_owned())),
        }
    }
    let body = body.ok_or(Unfillable::NoBody)?;
    numbered_from_one(&body, Unfillable::BodyGaps)?;
    Ok(Parts { header, body, footer, buttons, examples: examples(components) })
}

fn read_header(component: &Value) -> Result<Header, Unfillable> {
    match word(component, "format").as_str() {
        "TEXT" => {
            let text = Pattern::parse(text(component, "text").unwrap_or_default());
            match text.placeholders().len() {
                0 | 1 => numbered_from_one(&text, Unfillable::HeaderGaps).map(|()| Header::Text { text }),
                _ => Err(Unfillable::HeaderPlaceholders),
            }
        }
        "IMAGE" => Ok(Header::Media { media: Media::Image }),
        "VIDEO" => Ok(Header::Media { media: Media::Video }),
        "DOCUMENT" => Ok(Header::Media { media: Media::Document }),
        kind => Err(Unfillable::Header(kind.to_owned())),
    }
}

/// Checks that positions have no gap, because they are sent as a list.
fn numbered_from_one(pattern: &Pattern, gaps: Unfillable) -> Result<(), Unfillable> {
    let positions = pattern.placeholders().into_iter().filter_map(|placeholder| match placeholder {
        Placeholder::Position(position) => Some(*position),
        Placeholder::Name(_) => None,
    });
    if positions.zip(1..).all(|(position, expected)| position == expected) { Ok(()) } else { Err(gaps) }
}

fn read_buttons(component: &Value) -> Result<Vec<Button>, Unfillable> {
    let buttons = component.get("buttons").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if buttons.len() > BUTTONS_MAX {
        return Err(Unfillable::Buttons(BUTTONS_MAX));
    }
    buttons.iter().map(read_button).collect()
}

fn read_button(button: &Value) -> Result<Button, Unfillable> {
    let label = text(button, "text").unwrap_or_default().to_owned();
    match word(button, "type").as_str() {
        "QUICK_REPLY" => Ok(Button::QuickReply { text: label }),
        "COPY_CODE" => Ok(Button::CopyCode { text: label }),
        "PHONE_NUMBER" => {
            Ok(Button::PhoneNumber { text: label, number: text(button, "phone_number").unwrap_or_default().to_owned() })
        }
        "URL" => read_url(label, text(button, "url").unwrap_or_default()),
        kind => Err(Unfillable::Button(kind.to_owned())),
    }
}

/// Parses a URL, which is fixed or ends with its only placeholder.
fn read_url(label: String, url: &str) -> Result<Button, Unfillable> {
    match Pattern::parse(url).pieces() {
        [] => Err(Unfillable::UrlMissing),
        [Piece::Fixed(url)] => Ok(Button::Url { text: label, url: url.clone() }),
        [Piece::Fixed(base), Piece::Placeholder(_)] => Ok(Button::UrlWithSuffix { text: label, base: base.clone() }),
        _ => Err(Unfillable::UrlPlaceholder),
    }
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

/// Returns a kind in capitals, or `?` if there is none.
fn word(value: &Value, name: &str) -> String {
    text(value, name).unwrap_or("?").to_ascii_uppercase()
}

fn malformed(cause: &str) -> Cause {
    Cause::new(cause)
}
