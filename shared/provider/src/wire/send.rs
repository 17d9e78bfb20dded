//! Serialises a template send and parses its answer.

use domain::decision::Outgoing;
use domain::decision::render::{ButtonValue, Filled, FilledButton, FilledHeader};
use domain::template::Placeholder;
use serde_json::{Value, json};

use crate::Accepted;
use crate::error::SendError;

/// Returns the body of a template send. `components` is omitted if there is nothing to fill.
#[must_use]
pub fn send_body(outgoing: &Outgoing<'_>, opaque: &str) -> Value {
    let mut template = json!({"name": outgoing.template, "language": {"code": outgoing.language}});
    let header = outgoing.header.as_ref().map(header);
    let body = (!outgoing.body.values.is_empty()).then(|| component("body", texts(&outgoing.body)));
    let components: Vec<Value> = header.into_iter().chain(body).chain(outgoing.buttons.iter().map(button)).collect();
    if !components.is_empty()
        && let Some(template) = template.as_object_mut()
    {
        template.insert("components".to_owned(), components.into());
    }
    json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": outgoing.phone.as_e164(),
        "type": "template",
        "biz_opaque_callback_data": opaque,
        "template": template,
    })
}

fn component(kind: &str, parameters: Vec<Value>) -> Value {
    json!({"type": kind, "parameters": parameters})
}

fn texts(filled: &Filled) -> Vec<Value> {
    filled.values.iter().map(text).collect()
}

fn text((placeholder, value): &(Placeholder, String)) -> Value {
    match placeholder {
        Placeholder::Position(_) => json!({"type": "text", "text": value}),
        Placeholder::Name(name) => json!({"type": "text", "parameter_name": name, "text": value}),
    }
}

fn header(filled: &FilledHeader) -> Value {
    let parameters = match filled {
        FilledHeader::Text(filled) => texts(filled),
        FilledHeader::Image(link) => vec![json!({"type": "image", "image": {"link": link}})],
        FilledHeader::Video(link) => vec![json!({"type": "video", "video": {"link": link}})],
        FilledHeader::Document { link, filename } => {
            vec![json!({"type": "document", "document": {"link": link, "filename": filename}})]
        }
    };
    component("header", parameters)
}

fn button(filled: &FilledButton) -> Value {
    let (sub_type, parameter) = match &filled.value {
        ButtonValue::Suffix(text) => ("url", json!({"type": "text", "text": text})),
        ButtonValue::Payload(payload) => ("quick_reply", json!({"type": "payload", "payload": payload})),
        ButtonValue::Code(code) => ("copy_code", json!({"type": "coupon_code", "coupon_code": code})),
    };
    // A string, as in Meta's own samples. Meta accepts numbers too.
    let index = filled.index.to_string();
    json!({"type": "button", "sub_type": sub_type, "index": index, "parameters": [parameter]})
}

/// Parses the answer to a send. Only an id proves that the message was accepted.
pub(crate) fn accepted(body: &[u8]) -> Result<Accepted, SendError> {
    let document: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let message = document.pointer("/messages/0");
    let text = |name: &str| message.and_then(|message| message.get(name)).and_then(Value::as_str).map(str::to_owned);
    match text("id").filter(|id| !id.is_empty()) {
        Some(provider_id) => Ok(Accepted { provider_id, note: text("message_status") }),
        None => Err(SendError::unknown("the answer has no message id".to_owned())),
    }
}
