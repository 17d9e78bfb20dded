//! The example values of a template, which were submitted for its approval.

use std::collections::BTreeMap;

use serde_json::Value;

/// Collects the examples by place: `body/1`, `header/nome`, `header` for a file, `buttons/0`. Whatever has another form
/// is left out, because examples only help people.
#[must_use]
pub fn examples(components: &Value) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for component in components.as_array().into_iter().flatten() {
        let at = |path: &str| component.pointer(path).unwrap_or(&Value::Null);
        match at("/type").as_str().unwrap_or_default() {
            "BODY" => {
                positional("body", at("/example/body_text/0"), &mut found);
                named("body", at("/example/body_text_named_params"), &mut found);
            }
            "HEADER" => {
                positional("header", at("/example/header_text"), &mut found);
                named("header", at("/example/header_text_named_params"), &mut found);
                put("header".to_owned(), first(at("/example/header_handle")), &mut found);
            }
            "BUTTONS" => {
                for (index, button) in at("/buttons").as_array().into_iter().flatten().enumerate() {
                    put(format!("buttons/{index}"), first(button.get("example").unwrap_or(&Value::Null)), &mut found);
                }
            }
            _ => {}
        }
    }
    found
}

fn positional(part: &str, examples: &Value, found: &mut BTreeMap<String, String>) {
    for (index, example) in examples.as_array().into_iter().flatten().enumerate() {
        put(format!("{part}/{}", index + 1), example.as_str(), found);
    }
}

fn named(part: &str, examples: &Value, found: &mut BTreeMap<String, String>) {
    for example in examples.as_array().into_iter().flatten() {
        let name = example.get("param_name").and_then(Value::as_str).unwrap_or_default();
        put(format!("{part}/{name}"), example.get("example").and_then(Value::as_str), found);
    }
}

fn put(place: String, example: Option<&str>, found: &mut BTreeMap<String, String>) {
    if let Some(example) = example {
        found.insert(place, example.to_owned());
    }
}

/// Returns the first item of a list, or a bare text.
fn first(example: &Value) -> Option<&str> {
    example.as_array().map_or(example, |items| items.first().unwrap_or(&Value::Null)).as_str()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn examples_are_found_in_every_form() {
        let components = json!([
            {"type": "HEADER", "format": "TEXT", "example": {"header_text": ["Anna"]}},
            {"type": "BODY", "example": {"body_text_named_params": [{"param_name": "nome", "example": "Anna"}]}},
            {"type": "BUTTONS", "buttons": [{"example": "SALDI"}, {"example": ["https://a"]}, {"text": "Ok"}]},
        ]);
        let expected =
            [("body/nome", "Anna"), ("buttons/0", "SALDI"), ("buttons/1", "https://a"), ("header/1", "Anna")];
        assert_eq!(examples(&components), expected.map(|(place, one)| (place.to_owned(), one.to_owned())).into());
    }

    #[test]
    fn other_forms_are_left_out() {
        for components in [json!(7), json!([7]), json!([{"type": "BODY", "example": 7}]), json!([{"type": "BODY"}])] {
            assert!(examples(&components).is_empty(), "{components}");
        }
    }
}
