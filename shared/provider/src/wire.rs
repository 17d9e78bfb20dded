//! The Cloud API's JSON: what is sent and how answers are read.

use domain::decision::Outgoing;
use domain::language::Language;
use domain::template::{Category, Pattern, Placeholder, Template, TemplateStatus, fingerprint};
use serde_json::{Value, json};

use crate::Accepted;
use crate::error::{ListError, SendError};

/// The body of a template send. `components` stays out where there is nothing to fill.
#[must_use]
pub fn send_body(outgoing: &Outgoing<'_>, opaque: &str) -> Value {
    let mut template = json!({"name": outgoing.template, "language": {"code": outgoing.language}});
    let parameters: Vec<Value> = outgoing.body.values.iter().map(text_parameter).collect();
    if !parameters.is_empty()
        && let Some(template) = template.as_object_mut()
    {
        template.insert("components".to_owned(), json!([{"type": "body", "parameters": parameters}]));
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

fn text_parameter((placeholder, value): &(Placeholder, String)) -> Value {
    match placeholder {
        Placeholder::Position(_) => json!({"type": "text", "text": value}),
        Placeholder::Name(name) => json!({"type": "text", "parameter_name": name, "text": value}),
    }
}

/// Reads the answer to a send. Only an id proves the message was taken.
pub(crate) fn accepted(body: &[u8]) -> Result<Accepted, SendError> {
    let document: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let message = document.pointer("/messages/0");
    let text = |name: &str| message.and_then(|message| message.get(name)).and_then(Value::as_str).map(str::to_owned);
    match text("id").filter(|id| !id.is_empty()) {
        Some(provider_id) => Ok(Accepted { provider_id, note: text("message_status") }),
        None => Err(SendError::unknown("the answer has no message id".to_owned())),
    }
}

/// The templates of a page. One in a language whose code we cannot read is left out, and so can't be sent; anything else
/// unreadable makes the page malformed.
pub(crate) fn templates(page: &Value) -> Result<Vec<Template>, ListError> {
    let rows = page.get("data").and_then(Value::as_array).ok_or_else(|| malformed("data is no list"))?;
    rows.iter().filter_map(|row| template(row).transpose()).collect()
}

/// The cursor of the next page; `None` on the last.
pub(crate) fn next_cursor(page: &Value) -> Result<Option<String>, ListError> {
    let has_next = page.pointer("/paging/next").is_some_and(|next| !next.is_null());
    if !has_next {
        return Ok(None);
    }
    let cursor = page.pointer("/paging/cursors/after").and_then(Value::as_str);
    cursor.map(|cursor| Some(cursor.to_owned())).ok_or_else(|| malformed("a next page without a cursor"))
}

fn template(row: &Value) -> Result<Option<Template>, ListError> {
    let text = |name: &str| row.get(name).and_then(Value::as_str);
    let name = text("name").ok_or_else(|| malformed("a template without a name"))?;
    let language = text("language").ok_or_else(|| malformed("a template without a language"))?;
    let Ok(language) = Language::parse(language) else {
        tracing::warn!(template = name, language, "a template in a language of unknown form was left out");
        return Ok(None);
    };
    let status = TemplateStatus::from(text("status").unwrap_or("UNKNOWN").to_owned());
    let category = Category::from(text("category").unwrap_or("UNKNOWN").to_owned());
    let no_components = Value::Array(Vec::new());
    let components = row.get("components").unwrap_or(&no_components);
    let body = body(components);
    let unusable = unusable(components, body);
    let format = text("parameter_format").unwrap_or("POSITIONAL");
    let fingerprint = fingerprint(components, format, &category, &language);
    let body = Pattern::parse(body.unwrap_or_default());
    Ok(Some(Template { name: name.to_owned(), language, status, category, body, unusable, fingerprint }))
}

fn body(components: &Value) -> Option<&str> {
    let components = components.as_array()?;
    let body = components.iter().find(|component| component_type(component) == "BODY")?;
    body.get("text").and_then(Value::as_str)
}

fn component_type(component: &Value) -> String {
    component.get("type").and_then(Value::as_str).unwrap_or_default().to_ascii_uppercase()
}

/// Why the bridge cannot fill a template: it has no body, or a part with something to fill besides the body, or a part
/// of a kind the bridge does not know.
fn unusable(components: &Value, body: Option<&str>) -> Option<String> {
    if body.is_none() {
        return Some("it has no body".to_owned());
    }
    let components = components.as_array().map(Vec::as_slice).unwrap_or_default();
    components.iter().find_map(|component| {
        let has_placeholder = |value: Option<&Value>| {
            value.and_then(Value::as_str).is_some_and(|text| !Pattern::parse(text).placeholders().is_empty())
        };
        match component_type(component).as_str() {
            "BODY" | "FOOTER" => None,
            "HEADER" => match component.get("format").and_then(Value::as_str) {
                Some("TEXT") if has_placeholder(component.get("text")) => {
                    Some("its header has a placeholder".to_owned())
                }
                Some("TEXT") => None,
                other => Some(format!("its header is of the kind {}", other.unwrap_or("?"))),
            },
            "BUTTONS" => {
                let buttons = component.get("buttons").and_then(Value::as_array)?;
                buttons.iter().find_map(|button| match component_type(button).as_str() {
                    "QUICK_REPLY" | "PHONE_NUMBER" => None,
                    "URL" if !has_placeholder(button.get("url")) => None,
                    kind => Some(format!("it has a button of the kind {kind} with something to fill")),
                })
            }
            kind => Some(format!("it has a part of the kind {kind}")),
        }
    })
}

fn malformed(cause: &str) -> ListError {
    ListError::Malformed(cause.to_owned())
}
