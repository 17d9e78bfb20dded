//! The rules of one send. The input is a request's JSON. The output is the filled template or the platform's refusal.
//!
//! There is no state, clock or HTTP: [`check`] depends only on the request, the templates and the sender.

mod buttons;
mod components;
mod definition;
mod number;
mod parameters;
mod placeholder;
mod sent;
mod shape;
#[cfg(test)]
mod tests;

use serde::Serialize;
use serde_json::Value;

use crate::{catalogue::Catalogue, graph_error::GraphError};
use definition::Definition;
pub(crate) use number::wa_id;
use shape::{Fields, Node};

/// Maximum length of the opaque callback data, in characters.
const CALLBACK_DATA_CHARS_MAX: usize = 512;

/// A send that the platform would accept.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) to: String,
    pub(crate) wa_id: String,
    pub(crate) template: String,
    pub(crate) language: String,
    pub(crate) category: String,
    pub(crate) callback_data: Option<String>,
    pub(crate) rendered: Rendered,
}

/// The template with its values, as the recipient sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Rendered {
    pub(crate) header: Option<Header>,
    pub(crate) body: String,
    pub(crate) footer: Option<String>,
    pub(crate) buttons: Vec<Button>,
}

/// The header of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Header {
    /// `text`, `image`, `video`, `document` or `location`.
    pub(crate) kind: &'static str,
    /// The text, the media's link or id, or the place.
    pub(crate) text: String,
    /// The displayed name of a document.
    pub(crate) filename: Option<String>,
}

/// One button below a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Button {
    /// `url`, `quick_reply`, `copy_code`, `phone_number` or `other`.
    pub(crate) kind: &'static str,
    pub(crate) text: String,
    /// The button's target: filled URL, payload, code or phone number.
    pub(crate) value: Option<String>,
}

/// Checks `request` as the platform would, for the sender with this display number.
pub(crate) fn check(request: &Value, templates: &Catalogue, sender: &str) -> Result<Checked, GraphError> {
    let fields = Node::root(request).object(&[
        "messaging_product",
        "recipient_type",
        "to",
        "recipient",
        "type",
        "template",
        "biz_opaque_callback_data",
        "recipient_identity_key_hash",
        "context",
    ])?;
    product_and_type(&fields)?;
    let to = fields.required("to")?.string()?;
    let wa_id = recipient(to, sender)?;
    let callback_data = callback_data(&fields)?;

    let template = fields.required("template")?.object(&["name", "language", "components"])?;
    let name = template.required("name")?.string()?;
    let language = template.required("language")?.object(&["code", "policy"])?;
    if let Some(policy) = language.optional("policy") {
        policy.one_of(&["deterministic"])?;
    }
    let language = language.required("code")?.string()?;
    let row = sendable(templates, name, language)?;
    let definition = Definition::read(row);
    let sent = match template.optional("components") {
        Some(components) => components.array()?,
        None => Vec::new(),
    };
    Ok(Checked {
        to: to.to_owned(),
        wa_id,
        template: name.to_owned(),
        language: language.to_owned(),
        category: row.get("category").and_then(Value::as_str).unwrap_or_default().to_owned(),
        callback_data,
        rendered: components::fill(&definition, sent)?,
    })
}

fn product_and_type(fields: &Fields<'_>) -> Result<(), GraphError> {
    fields.required("messaging_product")?.one_of(&["whatsapp"])?;
    if let Some(kind) = fields.optional("recipient_type") {
        kind.one_of(&["individual"])?;
    }
    match fields.required("type")?.string()? {
        "template" => Ok(()),
        other => Err(GraphError::new(131051, format!("Only template messages can be sent here, got type {other:?}"))),
    }
}

fn recipient(to: &str, sender: &str) -> Result<String, GraphError> {
    let wa_id = number::wa_id(to, sender)
        .ok_or_else(|| GraphError::new(131009, "Parameter 'to' is not a phone number in international form"))?;
    if number::wa_id(sender, sender).as_deref() == Some(&wa_id) {
        return Err(GraphError::new(131021, "The recipient is the sending number itself"));
    }
    Ok(wa_id)
}

fn callback_data(fields: &Fields<'_>) -> Result<Option<String>, GraphError> {
    let Some(node) = fields.optional("biz_opaque_callback_data") else { return Ok(None) };
    let data = node.string()?;
    if data.chars().count() > CALLBACK_DATA_CHARS_MAX {
        let details = format!("biz_opaque_callback_data is longer than {CALLBACK_DATA_CHARS_MAX} characters");
        return Err(GraphError::new(131009, details));
    }
    Ok(Some(data.to_owned()))
}

fn sendable<'a>(
    templates: &'a Catalogue,
    name: &str,
    language: &str,
) -> Result<&'a serde_json::Map<String, Value>, GraphError> {
    let row = templates.find(name, language).ok_or_else(|| {
        GraphError::new(132001, format!("Template name ({name}) does not exist in the translation {language}"))
    })?;
    match row.get("status").and_then(Value::as_str).unwrap_or_default() {
        "APPROVED" => Ok(row),
        "PAUSED" => Err(GraphError::new(132015, format!("Template {name} ({language}) is paused for low quality"))),
        "DISABLED" => Err(GraphError::new(132016, format!("Template {name} ({language}) is disabled for good"))),
        other => Err(GraphError::new(132001, format!("Template {name} ({language}) is {other}, not approved"))),
    }
}
