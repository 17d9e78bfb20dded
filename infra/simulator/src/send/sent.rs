//! Reads the `components` of a request, without the template: header, body, buttons.

use super::shape::Node;
use crate::graph_error::GraphError;

/// The components of a request, grouped by target.
#[derive(Default)]
pub(super) struct Sent<'a> {
    pub(super) header: Option<Vec<Node<'a>>>,
    pub(super) body: Option<Vec<Node<'a>>>,
    pub(super) buttons: Vec<SentButton<'a>>,
}

/// One `button` component.
pub(super) struct SentButton<'a> {
    pub(super) sub_type: &'static str,
    pub(super) index: usize,
    pub(super) parameters: Vec<Node<'a>>,
}

impl<'a> Sent<'a> {
    /// Groups the components. Refuses unknown fields and a target that is given twice.
    pub(super) fn read(components: Vec<Node<'a>>) -> Result<Self, GraphError> {
        let mut sent = Self::default();
        for component in components {
            let fields = component.object(&["type", "sub_type", "index", "parameters"])?;
            let kind = fields.required("type")?.one_of(&["header", "body", "button"])?;
            let parameters = match fields.optional("parameters") {
                Some(parameters) => parameters.array()?,
                None => Vec::new(),
            };
            if kind == "button" {
                let sub_type = fields.required("sub_type")?.one_of(&["url", "quick_reply", "copy_code"])?;
                let index = index(&fields.required("index")?)?;
                if sent.buttons.iter().any(|button| button.index == index) {
                    return Err(GraphError::new(131009, format!("buttons: index {index} is given twice")));
                }
                sent.buttons.push(SentButton { sub_type, index, parameters });
                continue;
            }
            // Only buttons have `sub_type` and `index`.
            component.object(&["type", "parameters"])?;
            let place = if kind == "header" { &mut sent.header } else { &mut sent.body };
            if place.replace(parameters).is_some() {
                return Err(GraphError::new(100, format!("Param {} is a second {kind}", component.path())));
            }
        }
        Ok(sent)
    }
}

fn index(node: &Node<'_>) -> Result<usize, GraphError> {
    let text = node.text_or_number()?;
    text.parse().map_err(|_| GraphError::new(131009, format!("Param {} is not a button's index", node.path())))
}
