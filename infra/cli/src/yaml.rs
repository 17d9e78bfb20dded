//! The YAML of mapping files. The fuzz target of mappings includes this file, so it imports nothing of the command
//! line.

use domain::mapping::Mapping;
use serde_json::{Map, Number, Value};
use serde_norway::Value as Yaml;

/// Parses YAML, including JSON.
///
/// # Errors
/// The parser's error message.
pub(crate) fn parse(text: &str) -> Result<Value, String> {
    let mut document = json_of(serde_norway::from_str(text).map_err(|error| error.to_string())?)?;
    // An amount is a decimal string, but people write it without quotes.
    if let Some(total @ Value::Number(_)) = document.get_mut("min_total") {
        *total = Value::String(total.to_string());
    }
    Ok(document)
}

/// Returns a mapping in the form and field order of its file, without the version, which `apply` assigns.
///
/// # Errors
/// The error of the serialiser, which does not occur for a mapping.
pub(crate) fn of_mapping(mapping: &Mapping) -> Result<Yaml, serde_norway::Error> {
    let mut document = serde_norway::to_value(mapping)?;
    if let Some(fields) = document.as_mapping_mut() {
        fields.shift_remove("version");
    }
    Ok(document)
}

/// Converts YAML to JSON. Keys such as placeholder numbers become strings.
fn json_of(yaml: Yaml) -> Result<Value, String> {
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(flag) => Value::Bool(flag),
        Yaml::String(text) => Value::String(text),
        Yaml::Number(number) => {
            let whole = number.as_i64().map(Number::from).or_else(|| number.as_u64().map(Number::from));
            let number = whole.or_else(|| number.as_f64().and_then(Number::from_f64));
            Value::Number(number.ok_or("an invalid number")?)
        }
        Yaml::Sequence(items) => Value::Array(items.into_iter().map(json_of).collect::<Result<_, _>>()?),
        Yaml::Mapping(fields) => {
            let mut object = Map::new();
            for (key, value) in fields {
                let key = match key {
                    Yaml::String(text) => text,
                    Yaml::Number(number) => number.to_string(),
                    Yaml::Bool(flag) => flag.to_string(),
                    _ => return Err("a key must be a string".to_owned()),
                };
                object.insert(key, json_of(value)?);
            }
            Value::Object(object)
        }
        Yaml::Tagged(tagged) => return Err(format!("tags such as {} are not supported", tagged.tag)),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_and_amounts_need_no_quotes() {
        let yaml = "min_total: 10.5\ntemplates:\n  no:\n    body:\n      1: {text: ciao}\n";
        let read = parse(yaml).unwrap();
        assert_eq!(read, json!({"min_total": "10.5", "templates": {"no": {"body": {"1": {"text": "ciao"}}}}}));
        assert_eq!(parse(&serde_norway::to_string(&read).unwrap()).unwrap(), read);
        assert!(parse("a: [1").is_err() && parse("a: !x 1").is_err());
    }
}
