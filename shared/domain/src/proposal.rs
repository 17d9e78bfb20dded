//! Proposes which variable fills each gap of a template, for a new mapping.
//!
//! The names of placeholders, the words before them, the labels of buttons and the template's examples are compared
//! with the variables of an event type. A gap without a convincing variable has none: a person must fill it.

mod likeness;

use crate::check::{ButtonKind, button_kind};
use crate::event::EventType;
use crate::template::variable::{ALL, Definition, ValueType};
use crate::template::{Button, Header, Media, Parts, Pattern, Piece, Placeholder};
use likeness::{Hints, likeness};

/// The least likeness of a proposed variable. A name, an example or a word before the gap suffices.
const CONVINCING: f64 = 1.0;

/// A gap of a template.
#[derive(Clone, Debug)]
pub struct Gap {
    /// The variable to propose.
    pub variable: Option<&'static Definition>,
    /// The value that was submitted with the template as an example.
    pub example: Option<String>,
}

/// The gaps of a header.
#[derive(Clone, Debug)]
pub enum HeaderGap {
    /// The placeholder of a text.
    Text(Placeholder, Gap),
    /// The address of a file. No variable has one for certain, so none is proposed.
    Media(Media, Gap),
}

/// The gap of a button.
#[derive(Clone, Debug)]
pub struct ButtonGap {
    /// The position among all buttons.
    pub index: u8,
    /// The label.
    pub label: String,
    /// The kind of value that the button takes.
    pub kind: ButtonKind,
    /// The beginning of the URL whose end is the value.
    pub base: Option<String>,
    /// The gap.
    pub gap: Gap,
}

/// The gaps of a template, in the order of its parts.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The header.
    pub header: Option<HeaderGap>,
    /// The body.
    pub body: Vec<(Placeholder, Gap)>,
    /// The buttons that take a value.
    pub buttons: Vec<ButtonGap>,
}

/// Proposes a variable of the event type for each gap of a template.
#[must_use]
pub fn propose(event: EventType, parts: &Parts) -> Proposal {
    Proposal {
        header: header(event, parts),
        body: gaps(event, "body", &parts.body, parts),
        buttons: parts.buttons.iter().zip(0..).filter_map(|(one, index)| button(event, one, index, parts)).collect(),
    }
}

fn header(event: EventType, parts: &Parts) -> Option<HeaderGap> {
    match parts.header.as_ref()? {
        Header::Text { text } => {
            let (placeholder, gap) = gaps(event, "header", text, parts).into_iter().next()?;
            Some(HeaderGap::Text(placeholder, gap))
        }
        Header::Media { media } => {
            let example = parts.examples.get("header").cloned();
            Some(HeaderGap::Media(*media, Gap { variable: None, example }))
        }
    }
}

/// Proposes variables for the placeholders of a text, each variable once.
fn gaps(event: EventType, part: &str, text: &Pattern, parts: &Parts) -> Vec<(Placeholder, Gap)> {
    let mut used: Vec<&'static str> = Vec::new();
    let mut found = Vec::new();
    for placeholder in text.placeholders() {
        let example = parts.examples.get(&format!("{part}/{placeholder}")).cloned();
        let name = match placeholder {
            Placeholder::Name(name) => Some(name.as_str()),
            Placeholder::Position(_) => None,
        };
        let hints = Hints { name, before: before(text, placeholder), example: example.as_deref() };
        let free = ALL.iter().filter(|definition| !used.contains(&definition.id));
        let variable = best(event, free.filter(|definition| definition.value_type != ValueType::Url), &hints);
        used.extend(variable.map(|definition| definition.id));
        found.push((placeholder.clone(), Gap { variable, example }));
    }
    found
}

/// Returns the fixed text before the first occurrence of a placeholder.
fn before<'a>(text: &'a Pattern, placeholder: &Placeholder) -> &'a str {
    let mut before = "";
    for piece in text.pieces() {
        match piece {
            Piece::Fixed(fixed) => before = fixed,
            Piece::Placeholder(found) if found == placeholder => return before,
            Piece::Placeholder(_) => before = "",
        }
    }
    ""
}

fn button(event: EventType, button: &Button, index: u8, parts: &Parts) -> Option<ButtonGap> {
    let example = parts.examples.get(&format!("buttons/{index}")).cloned();
    let kind = button_kind(button)?;
    let (label, base) = match button {
        Button::UrlWithSuffix { text, base } => (text, Some(base.clone())),
        Button::Url { text, .. }
        | Button::QuickReply { text }
        | Button::CopyCode { text }
        | Button::PhoneNumber { text, .. } => (text, None),
    };
    let hints = Hints { name: None, before: label, example: example.as_deref() };
    let addresses = ALL.iter().filter(|definition| definition.value_type == ValueType::Url);
    let variable = match kind {
        ButtonKind::Suffix => best(event, addresses, &hints),
        ButtonKind::Payload | ButtonKind::Code => None,
    };
    Some(ButtonGap { index, label: label.clone(), kind, base, gap: Gap { variable, example } })
}

/// Returns the most likely variable of the event. Of several, the first in the catalogue.
fn best(
    event: EventType,
    definitions: impl Iterator<Item = &'static Definition>,
    hints: &Hints<'_>,
) -> Option<&'static Definition> {
    let mut best: Option<(f64, &'static Definition)> = None;
    for definition in definitions.filter(|definition| definition.events.contains(&event)) {
        let likeness = likeness(definition, hints);
        if likeness >= CONVINCING && best.is_none_or(|(most, _)| likeness > most) {
            best = Some((likeness, definition));
        }
    }
    best.map(|(_, definition)| definition)
}

#[cfg(test)]
mod tests;
