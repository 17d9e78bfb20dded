//! The account's templates: one row per name and language, as the Graph API lists them.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::settings::SeedRefused;

/// The first id for rows that have none. Like the platform's ids it has 16 digits.
const FIRST_ID: u64 = 1_000_000_000_000_001;

/// A template row with its place in the list.
pub(crate) struct Row {
    /// Increases with every new row and is never reused. Cursors refer to it.
    pub(crate) ordinal: u64,
    pub(crate) fields: Map<String, Value>,
}

impl Row {
    /// Returns a field as text. It is empty if the field is absent or not a string.
    pub(crate) fn text(&self, key: &str) -> &str {
        self.fields.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    fn is(&self, name: &str, language: &str) -> bool {
        self.text("name") == name && self.text("language") == language
    }
}

/// A template change through the control API. `null` removes `quality_score` and `parameter_format`, because old rows
/// lack them.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct Change {
    status: Option<String>,
    category: Option<String>,
    components: Option<Vec<Map<String, Value>>>,
    #[serde(default, deserialize_with = "given")]
    quality_score: Option<Value>,
    #[serde(default, deserialize_with = "given")]
    parameter_format: Option<Value>,
    #[serde(default)]
    webhook: bool,
}

/// A template removal through the control API.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(crate) struct Removal {
    /// Whether to send a webhook about the removal.
    #[serde(default)]
    pub(crate) webhook: bool,
}

impl Removal {
    /// Parses a removal from JSON. An empty body means no webhook. The error describes the problem.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, String> {
        if json.is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_slice(json).map_err(|error| format!("not a template removal: {error}"))
    }
}

/// Distinguishes `null` from an absent field.
fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Change {
    /// Parses a change from JSON. An empty body changes nothing. The error describes the problem.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, String> {
        if json.is_empty() {
            return Ok(Self::default());
        }
        let change: Self = serde_json::from_slice(json).map_err(|error| format!("not a template change: {error}"))?;
        for (field, value) in [("status", &change.status), ("category", &change.category)] {
            if let Some(value) = value
                && (value.is_empty() || !value.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'))
            {
                return Err(format!("{field} must be a word in capitals, such as APPROVED or MARKETING"));
            }
        }
        match &change.parameter_format {
            None | Some(Value::Null) => {}
            Some(Value::String(format)) if format == "POSITIONAL" || format == "NAMED" => {}
            Some(_) => return Err("parameter_format must be POSITIONAL, NAMED or null".into()),
        }
        match &change.quality_score {
            None | Some(Value::Null | Value::String(_) | Value::Object(_)) => Ok(change),
            Some(_) => Err("quality_score must be an object, a string or null".into()),
        }
    }

    /// Returns whether to send a webhook about the change.
    pub(crate) fn webhook(&self) -> bool {
        self.webhook
    }

    fn apply(self, fields: &mut Map<String, Value>) {
        if let Some(status) = self.status {
            fields.insert("status".into(), status.into());
        }
        if let Some(category) = self.category {
            let before = fields.insert("category".into(), category.clone().into());
            if let Some(before) = before.filter(|before| *before != category) {
                fields.insert("previous_category".into(), before);
            }
        }
        if let Some(components) = self.components {
            fields.insert("components".into(), components.into_iter().map(Value::Object).collect());
        }
        for (key, value) in [("quality_score", self.quality_score), ("parameter_format", self.parameter_format)] {
            match value {
                None => {}
                Some(Value::Null) => drop(fields.remove(key)),
                Some(value) => drop(fields.insert(key.into(), value)),
            }
        }
    }
}

/// All templates of the account, in insertion order.
pub(crate) struct Catalogue {
    rows: Vec<Row>,
    next_ordinal: u64,
}

impl Catalogue {
    /// Creates the catalogue with the seeded rows.
    pub(crate) fn seeded(seeds: &[Value]) -> Result<Self, SeedRefused> {
        let mut catalogue = Self { rows: Vec::new(), next_ordinal: 0 };
        for (index, seed) in seeds.iter().enumerate() {
            catalogue.seed(seed).map_err(|reason| SeedRefused { index, reason: reason.to_owned() })?;
        }
        Ok(catalogue)
    }

    fn seed(&mut self, seed: &Value) -> Result<(), &'static str> {
        let fields = seed.as_object().ok_or("not a JSON object")?;
        let text = |key| fields.get(key).and_then(Value::as_str).filter(|text: &&str| !text.is_empty());
        let name = text("name").ok_or("name is missing")?;
        let language = text("language").ok_or("language is missing")?;
        if self.find(name, language).is_some() {
            return Err("this name and language came before");
        }
        if !fields.get("components").is_some_and(Value::is_array) {
            return Err("components are missing");
        }
        self.add(fields.clone());
        Ok(())
    }

    fn add(&mut self, mut fields: Map<String, Value>) {
        let id = (FIRST_ID + self.next_ordinal).to_string();
        for (key, default) in [("id", json!(id)), ("status", json!("APPROVED")), ("category", json!("UTILITY"))] {
            fields.entry(key).or_insert(default);
        }
        self.rows.push(Row { ordinal: self.next_ordinal, fields });
        self.next_ordinal += 1;
    }

    /// Returns the rows in insertion order.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Returns the row with exactly this name and language.
    pub(crate) fn find(&self, name: &str, language: &str) -> Option<&Map<String, Value>> {
        self.rows.iter().find(|row| row.is(name, language)).map(|row| &row.fields)
    }

    /// Changes a template or creates it. A new template has its name as its text, unless the change contains
    /// `components`. Returns the row after the change.
    pub(crate) fn set(&mut self, name: &str, language: &str, change: Change) -> Map<String, Value> {
        if let Some(row) = self.rows.iter_mut().find(|row| row.is(name, language)) {
            change.apply(&mut row.fields);
            return row.fields.clone();
        }
        let mut fields = Map::new();
        fields.insert("name".into(), name.into());
        fields.insert("language".into(), language.into());
        fields.insert("components".into(), json!([{"type": "BODY", "text": name}]));
        change.apply(&mut fields);
        self.add(fields);
        self.rows.last().map(|row| row.fields.clone()).unwrap_or_default()
    }

    /// Removes a template and returns its row, or `None` if it did not exist.
    pub(crate) fn remove(&mut self, name: &str, language: &str) -> Option<Map<String, Value>> {
        let index = self.rows.iter().position(|row| row.is(name, language))?;
        Some(self.rows.remove(index).fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(json: &str) -> Change {
        Change::parse(json.as_bytes()).unwrap()
    }

    #[test]
    fn seeds_get_defaults_for_missing_fields_and_keep_the_others() {
        let seeds = [
            json!({"name": "a", "language": "it", "components": []}),
            json!({"name": "a", "language": "en", "components": [], "id": "7", "status": "PENDING", "category": "MARKETING"}),
        ];
        let catalogue = Catalogue::seeded(&seeds).unwrap();
        let italian = catalogue.find("a", "it").unwrap();
        assert_eq!(italian["status"], "APPROVED");
        assert_eq!(italian["id"], "1000000000000001");
        assert_eq!(Value::Object(catalogue.find("a", "en").unwrap().clone()), seeds[1]);
    }

    #[test]
    fn the_error_for_an_unusable_seed_names_its_position() {
        for (seed, reason) in [
            (json!("x"), "seeded template 1: not a JSON object"),
            (json!({"language": "it", "components": []}), "seeded template 1: name is missing"),
            (json!({"name": "b", "components": []}), "seeded template 1: language is missing"),
            (json!({"name": "b", "language": "it"}), "seeded template 1: components are missing"),
            (
                json!({"name": "a", "language": "it", "components": []}),
                "seeded template 1: this name and language came before",
            ),
        ] {
            let first = json!({"name": "a", "language": "it", "components": []});
            let error = Catalogue::seeded(&[first, seed]).err().unwrap();
            assert_eq!(error.to_string(), reason);
        }
    }

    #[test]
    fn a_change_sets_only_the_fields_it_names() {
        let mut catalogue = Catalogue::seeded(&[]).unwrap();
        let created =
            catalogue.set("a", "it", change(r#"{"parameter_format":"NAMED","quality_score":{"score":"RED"}}"#));
        assert_eq!(created["components"], json!([{"type": "BODY", "text": "a"}]));
        let changed =
            catalogue.set("a", "it", change(r#"{"status":"PAUSED","category":"MARKETING","quality_score":null}"#));
        assert_eq!(changed["status"], "PAUSED");
        assert_eq!(changed["previous_category"], "UTILITY");
        assert_eq!(changed["parameter_format"], "NAMED");
        assert!(!changed.contains_key("quality_score"));
        assert_eq!(changed["id"], created["id"]);
        assert_eq!(catalogue.remove("a", "it"), Some(changed));
        assert_eq!(catalogue.remove("a", "it"), None);
    }

    #[test]
    fn an_invalid_change_is_refused() {
        for json in [
            "[",
            r#"{"name":"b"}"#,
            r#"{"status":"approved"}"#,
            r#"{"parameter_format":"OTHER"}"#,
            r#"{"components":{}}"#,
            r#"{"quality_score":3}"#,
        ] {
            assert!(Change::parse(json.as_bytes()).is_err(), "{json}");
        }
    }
}
