//! Buttons: whether a button needs a value, and whether the sent values match the buttons.
//!
//! `index` counts all buttons of the template, including static ones.

use super::{
    Button,
    definition::{ButtonKind, ButtonPart, Definition},
    parameters, placeholder,
    sent::SentButton,
    shape::Node,
};
use crate::graph_error::GraphError;

/// Maximum length of a URL with its suffix, in UTF-16 units.
const URL_UNITS_MAX: usize = 2000;

/// Fills the template's buttons with the sent values.
pub(super) fn fill(definition: &Definition<'_>, sent: &[SentButton<'_>]) -> Result<Vec<Button>, GraphError> {
    let buttons = definition.buttons.len();
    if let Some(stray) = sent.iter().find(|button| button.index >= buttons) {
        let details = format!("buttons: there is no button at index {}, the template has {buttons}", stray.index);
        return Err(GraphError::new(131009, details));
    }
    let part = |index: usize| sent.iter().find(|button| button.index == index);
    definition.buttons.iter().enumerate().map(|(index, button)| one(index, button, part(index))).collect()
}

fn one(index: usize, button: &ButtonPart<'_>, sent: Option<&SentButton<'_>>) -> Result<Button, GraphError> {
    let kind = button.kind.name();
    let place = format!("buttons: button at index {index}");
    if let Some(sent) = sent
        && sent.sub_type != kind
    {
        return Err(parameters::mismatch(&place, kind, sent.sub_type));
    }
    let parameters = sent.map(|sent| sent.parameters.as_slice()).unwrap_or_default();
    let value = match button.kind {
        ButtonKind::Url => url(&place, button.value.unwrap_or_default(), parameters)?,
        ButtonKind::QuickReply => match parameters {
            [] => None,
            [only] => Some(parameters::payload(&place, only)?),
            more => return Err(parameters::count(&place, more.len(), 1)),
        },
        ButtonKind::CopyCode => Some(parameters::coupon(&place, required(&place, kind, parameters)?)?),
        ButtonKind::PhoneNumber | ButtonKind::Other => button.value.map(str::to_owned),
    };
    Ok(Button { kind, text: button.text.to_owned(), value })
}

fn url(place: &str, url: &str, sent: &[Node<'_>]) -> Result<Option<String>, GraphError> {
    let names = placeholder::names(url);
    let Some(&name) = names.first() else {
        return match sent {
            [] => Ok(Some(url.to_owned())),
            more => Err(parameters::count(place, more.len(), 0)),
        };
    };
    let suffix = parameters::suffix(place, required(place, "url", sent)?)?;
    let filled = placeholder::fill(url, &[(name, suffix)]);
    if placeholder::units(&filled) > URL_UNITS_MAX {
        return Err(GraphError::new(132005, format!("{place}: the URL is longer than {URL_UNITS_MAX} characters")));
    }
    Ok(Some(filled))
}

fn required<'n, 'a>(place: &str, kind: &str, sent: &'n [Node<'a>]) -> Result<&'n Node<'a>, GraphError> {
    match sent {
        [] => Err(GraphError::new(131008, format!("{place} of type {kind} requires a parameter"))),
        [only] => Ok(only),
        more => Err(parameters::count(place, more.len(), 1)),
    }
}
