//! The templates of the simulated account as rows of the Graph API: one per event type and three with
//! headers and buttons, in Italian and English.

use anyhow::{Context, Result};
use serde_json::Value;

/// Returns the rows.
///
/// # Errors
/// When `templates.json` is not a JSON array.
pub fn rows() -> Result<Vec<Value>> {
    serde_json::from_str(include_str!("templates.json")).context("the seeded templates")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_meets_the_rules_for_approval() {
        for row in rows().unwrap() {
            let name = row["name"].as_str().unwrap();
            assert!(name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')), "{name}");
            // Meta approves a code to copy, which is a coupon, as marketing only.
            let category = if row.to_string().contains("COPY_CODE") { "MARKETING" } else { "UTILITY" };
            assert_eq!((&row["status"], &row["category"]), (&"APPROVED".into(), &category.into()), "{name}");
            let components = row["components"].as_array().unwrap();
            let body = components.iter().find(|component| component["type"] == "BODY").unwrap();
            let text = body["text"].as_str().unwrap();
            assert!(!text.starts_with("{{") && !text.ends_with("}}"), "{name} begins or ends with a variable: {text}");
            let examples = match row["parameter_format"].as_str().unwrap() {
                "NAMED" => body["example"]["body_text_named_params"].as_array().unwrap().len(),
                _ => body["example"]["body_text"][0].as_array().unwrap().len(),
            };
            assert_eq!(text.matches("{{").count(), examples, "{name}: one example for each variable");
            for footer in components.iter().filter(|component| component["type"] == "FOOTER") {
                assert!(footer["text"].as_str().unwrap().chars().count() <= 60, "{name}: the footer is too long");
            }
        }
    }

    #[test]
    fn every_template_exists_in_both_languages() {
        let rows = rows().unwrap();
        let names = |language: &str| {
            let mut names: Vec<_> =
                rows.iter().filter(|row| row["language"] == language).map(|row| &row["name"]).collect();
            names.sort_by_key(|name| name.to_string());
            names
        };
        assert_eq!(names("it"), names("en"));
        assert_eq!(names("it").len() * 2, rows.len());
    }
}
