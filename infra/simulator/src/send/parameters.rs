//! One list of parameters: types, text rules, names and count.

use super::{
    placeholder,
    shape::{Fields, Node},
};
use crate::graph_error::GraphError;

/// Maximum length of a coupon code and of a quick-reply payload, in characters.
const COUPON_CHARS_MAX: usize = 15;
const PAYLOAD_CHARS_MAX: usize = 256;
/// Five consecutive spaces are refused. Four are allowed.
const SPACES_REFUSED: &str = "     ";
/// All parameter types of a template send.
const TYPES: [&str; 9] =
    ["text", "currency", "date_time", "image", "video", "document", "location", "payload", "coupon_code"];

/// A value with its parameter name.
struct Text<'a> {
    name: Option<&'a str>,
    value: String,
}

/// Reads the parameters for the placeholders of `text`. `part` names the component in refusals.
pub(super) fn texts<'t>(
    part: &str,
    text: &'t str,
    named: bool,
    sent: &[Node<'_>],
) -> Result<Vec<(&'t str, String)>, GraphError> {
    let expected = placeholder::names(text);
    let values = sent.iter().map(|node| text_value(part, node)).collect::<Result<Vec<_>, _>>()?;
    if named && !expected.is_empty() && values.iter().any(|value| value.name.is_none()) {
        return Err(GraphError::new(100, format!("{part}: parameter_name is missing, the template has named ones")));
    }
    if values.len() != expected.len() {
        return Err(count(part, values.len(), expected.len()));
    }
    if named { by_name(part, expected, values) } else { by_position(part, expected, values) }
}

fn by_name<'t>(
    part: &str,
    expected: Vec<&'t str>,
    values: Vec<Text<'_>>,
) -> Result<Vec<(&'t str, String)>, GraphError> {
    expected
        .into_iter()
        .map(|name| match values.iter().find(|value| value.name == Some(name)) {
            Some(found) => Ok((name, found.value.clone())),
            None => Err(GraphError::new(132012, format!("{part}: no parameter is named {name:?}"))),
        })
        .collect()
}

fn by_position<'t>(
    part: &str,
    mut expected: Vec<&'t str>,
    values: Vec<Text<'_>>,
) -> Result<Vec<(&'t str, String)>, GraphError> {
    if values.iter().any(|value| value.name.is_some()) {
        return Err(GraphError::new(132012, format!("{part}: parameter_name given, the template counts its own")));
    }
    // The first parameter fills `{{1}}`, wherever `{{1}}` appears in the text.
    expected.sort_by_key(|name| name.parse::<u32>().unwrap_or(u32::MAX));
    Ok(expected.into_iter().zip(values).map(|(name, text)| (name, text.value)).collect())
}

fn text_value<'a>(part: &str, node: &Node<'a>) -> Result<Text<'a>, GraphError> {
    match kind(node)? {
        "text" => {
            let fields = node.object(&["type", "text", "parameter_name"])?;
            let value = ruled(fields.required("text")?.string()?)?;
            Ok(Text { name: name(&fields)?, value })
        }
        "currency" => {
            let fields = node.object(&["type", "currency", "parameter_name"])?;
            let currency = fields.required("currency")?.object(&["fallback_value", "code", "amount_1000"])?;
            let code = currency.required("code")?.string()?;
            if code.len() != 3 || !code.bytes().all(|b| b.is_ascii_uppercase()) {
                return Err(GraphError::new(131009, format!("{part}: {code:?} is not an ISO 4217 code")));
            }
            currency.required("amount_1000")?.integer()?;
            let value = ruled(currency.required("fallback_value")?.string()?)?;
            Ok(Text { name: name(&fields)?, value })
        }
        "date_time" => {
            let fields = node.object(&["type", "date_time", "parameter_name"])?;
            let date_time = fields.required("date_time")?.object(&["fallback_value"])?;
            let value = ruled(date_time.required("fallback_value")?.string()?)?;
            Ok(Text { name: name(&fields)?, value })
        }
        other => Err(mismatch(part, "text", other)),
    }
}

fn name<'a>(fields: &Fields<'a>) -> Result<Option<&'a str>, GraphError> {
    fields.optional("parameter_name").map(|node| node.string()).transpose()
}

/// Returns the type of a parameter, regardless of its other fields.
pub(super) fn kind(node: &Node<'_>) -> Result<&'static str, GraphError> {
    let fields = node.object(&[
        "type",
        "text",
        "parameter_name",
        "currency",
        "date_time",
        "image",
        "video",
        "document",
        "location",
        "payload",
        "coupon_code",
    ])?;
    fields.required("type")?.one_of(&TYPES)
}

/// Returns the text of a URL button's parameter.
pub(super) fn suffix(part: &str, node: &Node<'_>) -> Result<String, GraphError> {
    match kind(node)? {
        "text" => ruled(node.object(&["type", "text"])?.required("text")?.string()?),
        other => Err(mismatch(part, "text", other)),
    }
}

/// Returns the payload that a quick reply sends back when pressed.
pub(super) fn payload(part: &str, node: &Node<'_>) -> Result<String, GraphError> {
    match kind(node)? {
        "payload" => {
            let payload = node.object(&["type", "payload"])?.required("payload")?.string()?;
            if payload.is_empty() || payload.chars().count() > PAYLOAD_CHARS_MAX {
                let details = format!("{part}: payload must have 1 to {PAYLOAD_CHARS_MAX} characters");
                return Err(GraphError::new(131009, details));
            }
            Ok(payload.to_owned())
        }
        other => Err(mismatch(part, "payload", other)),
    }
}

/// Returns the code that a copy-code button copies.
pub(super) fn coupon(part: &str, node: &Node<'_>) -> Result<String, GraphError> {
    match kind(node)? {
        "coupon_code" => {
            let code = node.object(&["type", "coupon_code"])?.required("coupon_code")?.string()?;
            let right = (1..=COUPON_CHARS_MAX).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric());
            if !right {
                let details = format!("{part}: coupon_code must be 1 to {COUPON_CHARS_MAX} letters and digits");
                return Err(GraphError::new(131009, details));
            }
            Ok(code.to_owned())
        }
        other => Err(mismatch(part, "coupon_code", other)),
    }
}

/// Checks the rules that apply to every text value.
fn ruled(text: &str) -> Result<String, GraphError> {
    if text.trim().is_empty() {
        return Err(GraphError::new(132018, "Param text cannot be empty or blank"));
    }
    if text.contains(['\r', '\n', '\t']) || text.contains(SPACES_REFUSED) {
        let details = "Param text cannot have new-line/tab characters or more than 4 consecutive spaces";
        return Err(GraphError::new(132018, details));
    }
    Ok(text.to_owned())
}

/// Returns the error for too many or too few parameters.
pub(super) fn count(part: &str, sent: usize, expected: usize) -> GraphError {
    let details = format!("{part}: number of parameters ({sent}) does not match the expected number ({expected})");
    GraphError::new(132000, details)
}

/// Returns the error for a parameter of the wrong type.
pub(super) fn mismatch(part: &str, expected: &str, received: &str) -> GraphError {
    let details =
        format!("{part}: format mismatch, expected {}, received {}", expected.to_uppercase(), received.to_uppercase());
    GraphError::new(132012, details)
}
