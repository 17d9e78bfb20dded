//! Matches the components of a send against the template's definition: header, body, buttons.

use super::{
    Header, Rendered, buttons,
    definition::{Definition, HeaderPart},
    parameters, placeholder,
    sent::Sent,
    shape::Node,
};
use crate::graph_error::GraphError;

/// Maximum length of the filled body and header text, in UTF-16 units.
const BODY_UNITS_MAX: usize = 1024;
const HEADER_UNITS_MAX: usize = 60;

/// Fills the template with the sent values, or returns the reason why it cannot.
pub(super) fn fill(definition: &Definition<'_>, sent: Vec<Node<'_>>) -> Result<Rendered, GraphError> {
    if let Some(component) = definition.unsupported {
        let details = format!("The template has a component {component}, which this simulator does not send");
        return Err(GraphError::new(132012, details));
    }
    let sent = Sent::read(sent)?;
    Ok(Rendered {
        header: header(definition, sent.header.as_deref().unwrap_or_default())?,
        body: body(definition, sent.body.as_deref().unwrap_or_default())?,
        footer: definition.footer.map(str::to_owned),
        buttons: buttons::fill(definition, &sent.buttons)?,
    })
}

fn body(definition: &Definition<'_>, sent: &[Node<'_>]) -> Result<String, GraphError> {
    let values = parameters::texts("body", definition.body, definition.named, sent)?;
    let text = placeholder::fill(definition.body, &values);
    within("body", text, BODY_UNITS_MAX)
}

fn within(part: &str, text: String, units_max: usize) -> Result<String, GraphError> {
    let units = placeholder::units(&text);
    if units > units_max {
        let details = format!("{part}: the filled text has {units} characters, at most {units_max} are allowed");
        return Err(GraphError::new(132005, details));
    }
    Ok(text)
}

fn header(definition: &Definition<'_>, sent: &[Node<'_>]) -> Result<Option<Header>, GraphError> {
    match definition.header {
        None if sent.is_empty() => Ok(None),
        None => Err(parameters::count("header", sent.len(), 0)),
        Some(HeaderPart::Text(text)) => {
            let values = parameters::texts("header", text, definition.named, sent)?;
            let text = within("header", placeholder::fill(text, &values), HEADER_UNITS_MAX)?;
            Ok(Some(Header { kind: "text", text, filename: None }))
        }
        Some(HeaderPart::Media(kind)) => match sent {
            [] => Err(parameters::mismatch("header", kind, "nothing")),
            [parameter] => media(kind, parameter).map(Some),
            more => Err(parameters::count("header", more.len(), 1)),
        },
    }
}

fn media(expected: &'static str, parameter: &Node<'_>) -> Result<Header, GraphError> {
    let kind = parameters::kind(parameter)?;
    if kind != expected {
        return Err(parameters::mismatch("header", expected, kind));
    }
    let content = parameter.object(&["type", kind])?.required(kind)?;
    if kind == "location" {
        let place = content.object(&["latitude", "longitude", "name", "address"])?;
        for coordinate in ["latitude", "longitude"] {
            let node = place.required(coordinate)?;
            let number = node.text_or_number()?.parse::<f64>();
            number.map_err(|_| GraphError::new(131009, format!("Param {} is not a coordinate", node.path())))?;
        }
        let text = format!("{}, {}", place.required("name")?.string()?, place.required("address")?.string()?);
        return Ok(Header { kind, text, filename: None });
    }
    let known: &[&str] = if kind == "document" { &["id", "link", "filename"] } else { &["id", "link"] };
    let fields = content.object(known)?;
    let text = match (fields.optional("id"), fields.optional("link")) {
        (Some(id), None) => id.string()?,
        (None, Some(link)) => reachable(&link)?,
        (None, None) => return Err(GraphError::new(131008, format!("Param {} needs an id or a link", content.path()))),
        (Some(_), Some(_)) => {
            return Err(GraphError::new(100, format!("Param {} has both an id and a link", content.path())));
        }
    };
    let filename = fields.optional("filename").map(|node| node.string().map(str::to_owned)).transpose()?;
    Ok(Header { kind, text: text.to_owned(), filename })
}

fn reachable<'a>(link: &Node<'a>) -> Result<&'a str, GraphError> {
    let text = link.string()?;
    match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(text),
        _ => Err(GraphError::new(100, format!("Param {} is not a valid URI", link.path()))),
    }
}
