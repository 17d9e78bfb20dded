//! The review of a mapping: a template it uses differs from the one it was checked against.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Mapping, TemplateUse};
use crate::primitives::language::Language;
use crate::template::Template;

/// Why a mapping sends nothing until an operator confirms it. If the template returns to its earlier form, the review
/// remains: somebody is editing it and has not confirmed that the edit is finished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// When the first change was seen.
    pub since: Timestamp,
    /// The changed templates, each once.
    pub templates: Vec<ChangedTemplate>,
}

/// A template that differs from the one the mapping was checked against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedTemplate {
    /// The template's name.
    pub name: String,
    /// The template's language.
    pub language: Language,
    /// The first change that was seen.
    pub change: Change,
}

/// The kind of change of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The category, which determines consent and price.
    Category,
    /// The text, the parts or the names of the parameters.
    Content,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// Writes text for operators: `novita (it): content, since 2026-11-22T09:15:00Z`.
impl fmt::Display for Review {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ChangedTemplate { name, language, change } in &self.templates {
            write!(f, "{name} ({language}): {change}, ")?;
        }
        write!(f, "since {}", self.since)
    }
}

impl Mapping {
    /// Returns the review of the mapping after a template sync. `None` if it adds no template to the current review.
    ///
    /// `known` are the previously synced templates, from which the kind of change follows. A removed or paused template
    /// needs no review: the mapping continues when the template is back.
    #[must_use]
    pub fn review(&self, known: &[Template], listed: &[Template], now: Timestamp) -> Option<Review> {
        let mut review = self.needs_review.clone().unwrap_or(Review { since: now, templates: Vec::new() });
        let marked = review.templates.len();
        for used in self.templates.values() {
            let Some(template) = find(listed, used) else { continue };
            let is_marked = |one: &ChangedTemplate| one.name == used.name && one.language == used.language;
            if template.fingerprint == used.fingerprint || review.templates.iter().any(is_marked) {
                continue;
            }
            let checked = find(known, used).filter(|old| old.fingerprint == used.fingerprint);
            let other_category = checked.is_some_and(|old| old.category != template.category);
            let change = if other_category { Change::Category } else { Change::Content };
            let (name, language) = (used.name.clone(), used.language.clone());
            review.templates.push(ChangedTemplate { name, language, change });
        }
        Some(review).filter(|review| review.templates.len() > marked)
    }
}

fn find<'a>(templates: &'a [Template], used: &TemplateUse) -> Option<&'a Template> {
    templates.iter().find(|one| one.name == used.name && one.language == used.language)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(minute: u8) -> Timestamp {
        format!("2026-11-22T10:{minute:02}:00Z").parse().unwrap()
    }

    /// Uses `stato` in two languages, both with the fingerprint `old`.
    fn mapping() -> Mapping {
        let used = |language: &str| json!({"name": "stato", "language": language, "fingerprint": "old"});
        serde_json::from_value(json!({
            "id": "ordini", "name": "Ordini", "event_type": "order.status_changed", "enabled": true,
            "active_since": "2020-01-01T00:00:00Z", "templates": {"it": used("it"), "en": used("en")},
        }))
        .unwrap()
    }

    fn template(language: &str, category: &str, fingerprint: &str) -> Template {
        serde_json::from_value(json!({
            "name": "stato", "language": language, "status": "PAUSED", "category": category, "body": "Ciao.",
            "fingerprint": fingerprint,
        }))
        .unwrap()
    }

    #[test]
    fn only_a_changed_fingerprint_requires_a_review() {
        let known = [template("it", "UTILITY", "old"), template("en", "UTILITY", "old")];
        assert_eq!(mapping().review(&known, &known, at(0)), None, "paused is not changed");
        assert_eq!(mapping().review(&known, &[], at(0)), None, "what went may come back as it was");
        let listed = [template("it", "UTILITY", "new"), template("fr", "UTILITY", "new")];
        let review = mapping().review(&known, &listed, at(0)).unwrap();
        assert_eq!(review.to_string(), "stato (it): content, since 2026-11-22T10:00:00Z");
    }

    #[test]
    fn the_category_is_named_where_it_is_known_to_have_changed() {
        let known = [template("it", "UTILITY", "old"), template("en", "UTILITY", "other")];
        let listed = [template("it", "MARKETING", "new"), template("en", "MARKETING", "new")];
        let review = mapping().review(&known, &listed, at(0)).unwrap();
        let changes: Vec<_> = review.templates.iter().map(|one| (one.language.as_str(), one.change)).collect();
        assert_eq!(changes, [("en", Change::Content), ("it", Change::Category)]);
    }

    #[test]
    fn later_changes_are_added_and_the_first_time_is_kept() {
        let known = [template("it", "UTILITY", "old"), template("en", "UTILITY", "old")];
        let listed = [template("it", "UTILITY", "new"), template("en", "UTILITY", "old")];
        let mut mapping = mapping();
        mapping.needs_review = mapping.review(&known, &listed, at(0));
        assert_eq!(mapping.review(&listed, &listed, at(1)), None);
        assert_eq!(mapping.review(&listed, &known, at(1)), None, "nothing new when it goes back");
        let both = [template("it", "UTILITY", "newer"), template("en", "UTILITY", "new")];
        let review = mapping.review(&listed, &both, at(2)).unwrap();
        assert_eq!(review.to_string(), "stato (it): content, stato (en): content, since 2026-11-22T10:00:00Z");
        let stored = serde_json::to_string(&review).unwrap();
        assert_eq!(serde_json::from_str::<Review>(&stored).unwrap(), review);
    }
}
