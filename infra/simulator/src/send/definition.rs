//! A template row read for sending: which parts need values.
//!
//! Rows are external data, so parsing never fails. Unknown parts are recorded and refused at the send.

use serde_json::{Map, Value};

use super::placeholder;

pub(super) struct Definition<'a> {
    pub(super) named: bool,
    pub(super) header: Option<HeaderPart<'a>>,
    pub(super) body: &'a str,
    pub(super) footer: Option<&'a str>,
    pub(super) buttons: Vec<ButtonPart<'a>>,
    /// A component that this simulator cannot send, such as `CAROUSEL`.
    pub(super) unsupported: Option<&'a str>,
}

pub(super) enum HeaderPart<'a> {
    Text(&'a str),
    /// `image`, `video`, `document` or `location`.
    Media(&'static str),
}

pub(super) struct ButtonPart<'a> {
    pub(super) kind: ButtonKind,
    pub(super) text: &'a str,
    /// URL or phone number as defined.
    pub(super) value: Option<&'a str>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ButtonKind {
    Url,
    QuickReply,
    CopyCode,
    PhoneNumber,
    Other,
}

impl ButtonKind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::QuickReply => "quick_reply",
            Self::CopyCode => "copy_code",
            Self::PhoneNumber => "phone_number",
            Self::Other => "other",
        }
    }
}

impl<'a> Definition<'a> {
    pub(super) fn read(row: &'a Map<String, Value>) -> Self {
        let mut definition =
            Self { named: false, header: None, body: "", footer: None, buttons: Vec::new(), unsupported: None };
        for component in row.get("components").and_then(Value::as_array).into_iter().flatten() {
            definition.add(component);
        }
        definition.named = match text(row.get("parameter_format")) {
            Some(format) => format == "NAMED",
            // Old rows have no `parameter_format`. Their placeholders show the format.
            None => placeholder::names(definition.body).iter().any(|name| name.parse::<u32>().is_err()),
        };
        definition
    }

    fn add(&mut self, component: &'a Value) {
        match text(component.get("type")).unwrap_or_default() {
            "BODY" => self.body = text(component.get("text")).unwrap_or_default(),
            "FOOTER" => self.footer = text(component.get("text")),
            "BUTTONS" => {
                let buttons = component.get("buttons").and_then(Value::as_array);
                self.buttons = buttons.into_iter().flatten().map(button).collect();
            }
            "HEADER" => match text(component.get("format")).unwrap_or_default() {
                "TEXT" => self.header = text(component.get("text")).map(HeaderPart::Text),
                "IMAGE" => self.header = Some(HeaderPart::Media("image")),
                "VIDEO" => self.header = Some(HeaderPart::Media("video")),
                "DOCUMENT" => self.header = Some(HeaderPart::Media("document")),
                "LOCATION" => self.header = Some(HeaderPart::Media("location")),
                other => self.unsupported = Some(other),
            },
            other => self.unsupported = Some(other),
        }
    }
}

fn button(definition: &Value) -> ButtonPart<'_> {
    let kind = match text(definition.get("type")).unwrap_or_default() {
        "URL" => ButtonKind::Url,
        "QUICK_REPLY" => ButtonKind::QuickReply,
        "COPY_CODE" => ButtonKind::CopyCode,
        "PHONE_NUMBER" => ButtonKind::PhoneNumber,
        _ => ButtonKind::Other,
    };
    ButtonPart {
        kind,
        text: text(definition.get("text")).unwrap_or_default(),
        value: text(definition.get("url")).or_else(|| text(definition.get("phone_number"))),
    }
}

fn text(value: Option<&Value>) -> Option<&str> {
    value.and_then(Value::as_str)
}
