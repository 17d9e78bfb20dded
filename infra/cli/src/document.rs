//! Reading and writing of YAML and JSON documents, from files or standard input.

use std::io::Read;
use std::path::Path;

use secrecy::SecretString;
use serde::Serialize;
use serde_json::{Map, Number, Value};
use serde_norway::Value as Yaml;

use crate::failure::Failure;

/// Maximum size of a file, in bytes; a mapping has a few thousand.
const BYTES_MAX: u64 = 1024 * 1024;

/// Reads a text file; `-` is standard input.
///
/// # Errors
/// [`Failure::Usage`] if it cannot be read or is too long.
pub(crate) fn read_text(file: &Path) -> Result<String, Failure> {
    let unreadable = |error: std::io::Error| Failure::Usage(format!("{}: {error}", file.display()));
    let source: Box<dyn Read> = if file == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(file).map_err(unreadable)?)
    };
    let mut text = String::new();
    let bytes = source.take(BYTES_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
    if u64::try_from(bytes).is_ok_and(|bytes| bytes <= BYTES_MAX) {
        Ok(text)
    } else {
        Err(Failure::Usage(format!("{} has more than {BYTES_MAX} bytes", file.display())))
    }
}

/// Reads a secret. The file must contain nothing else.
///
/// # Errors
/// [`Failure::Usage`] if the file cannot be read, or is not a single secret.
pub(crate) fn read_secret(file: &Path) -> Result<SecretString, Failure> {
    let text = read_text(file)?;
    let secret = text.trim();
    if secret.is_empty() || secret.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
        return Err(Failure::Usage("the file must contain the secret and nothing else".to_owned()));
    }
    Ok(SecretString::from(secret))
}

/// Reads a JSON document.
///
/// # Errors
/// [`Failure::Usage`] if the file cannot be read or parsed.
pub(crate) fn read_json(file: &Path) -> Result<Value, Failure> {
    serde_json::from_str(&read_text(file)?).map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))
}

/// Parses YAML, including JSON.
///
/// # Errors
/// The parser's error message.
pub(crate) fn parse_yaml(text: &str) -> Result<Value, String> {
    let mut document = json_of(serde_norway::from_str(text).map_err(|error| error.to_string())?)?;
    // An amount is a decimal string, but people write it without quotes.
    if let Some(total @ Value::Number(_)) = document.get_mut("min_total") {
        *total = Value::String(total.to_string());
    }
    Ok(document)
}

/// Formats a document as YAML.
///
/// # Errors
/// [`Failure::No`], which does not occur for values that JSON can represent.
pub(crate) fn to_yaml(document: &impl Serialize) -> Result<String, Failure> {
    serde_norway::to_string(document).map_err(|error| Failure::No(error.to_string()))
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
        let read = parse_yaml(yaml).unwrap();
        assert_eq!(read, json!({"min_total": "10.5", "templates": {"no": {"body": {"1": {"text": "ciao"}}}}}));
        assert_eq!(parse_yaml(&to_yaml(&read).unwrap()).unwrap(), read);
        assert!(parse_yaml("a: [1").is_err() && parse_yaml("a: !x 1").is_err());
    }
}
