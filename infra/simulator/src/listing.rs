//! The template list: filters, fields, pages.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use crate::{
    catalogue::{Catalogue, Row},
    graph_error::GraphError,
};

/// Rows per page: the default and the maximum of `limit`.
const LIMIT_DEFAULT: usize = 25;
const LIMIT_MAX: usize = 1000;
/// The fields of a row if `fields` is absent.
const FIELDS_DEFAULT: [&str; 6] = ["name", "parameter_format", "components", "language", "status", "category"];
/// The fields that can be requested.
const FIELDS: [&str; 18] = [
    "id",
    "name",
    "language",
    "status",
    "category",
    "sub_category",
    "previous_category",
    "correct_category",
    "components",
    "parameter_format",
    "quality_score",
    "rejected_reason",
    "message_send_ttl_seconds",
    "library_template_name",
    "cta_url_link_tracking_opted_out",
    "degrees_of_freedom_spec",
    "is_primary_device_delivery_only",
    "last_updated_time",
];
/// The supported filters. Each is a comma-separated list and ignores case.
const FILTERS: [&str; 4] = ["name", "language", "status", "category"];

/// One page request with its parsed query.
#[derive(Debug)]
pub(crate) struct Query {
    /// The original parameters without paging, which `next` repeats.
    kept: Vec<(String, String)>,
    fields: Vec<String>,
    filters: Vec<(&'static str, Vec<String>)>,
    limit: usize,
    after: Option<u64>,
    before: Option<u64>,
}

impl Query {
    /// Parses the query string. Unknown parameters are ignored, as on the platform.
    pub(crate) fn parse(query: &str) -> Result<Self, GraphError> {
        let mut parsed = Self {
            kept: Vec::new(),
            fields: FIELDS_DEFAULT.map(str::to_owned).to_vec(),
            filters: Vec::new(),
            limit: LIMIT_DEFAULT,
            after: None,
            before: None,
        };
        for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match key.as_ref() {
                "after" => parsed.after = Some(ordinal(&value)?),
                "before" => parsed.before = Some(ordinal(&value)?),
                "limit" => parsed.limit = limit(&value)?,
                "fields" => parsed.fields = fields(&value)?,
                other => {
                    if let Some(filter) = FILTERS.into_iter().find(|filter| *filter == other) {
                        parsed.filters.push((filter, list(&value)));
                    }
                }
            }
            if !matches!(key.as_ref(), "after" | "before" | "access_token") {
                parsed.kept.push((key.into_owned(), value.into_owned()));
            }
        }
        Ok(parsed)
    }

    fn wants(&self, row: &Row) -> bool {
        self.filters.iter().all(|(key, allowed)| {
            let value = row.text(key);
            allowed.is_empty() || allowed.iter().any(|candidate| candidate.eq_ignore_ascii_case(value))
        })
    }

    fn show(&self, row: &Row) -> Value {
        let mut shown = Map::new();
        for key in self.fields.iter().map(String::as_str).chain(["id"]) {
            if let Some(value) = row.fields.get(key) {
                shown.insert(key.to_owned(), value.clone());
            }
        }
        Value::Object(shown)
    }
}

fn limit(value: &str) -> Result<usize, GraphError> {
    match value.parse() {
        Ok(limit) if limit > 0 => Ok(LIMIT_MAX.min(limit)),
        _ => Err(GraphError::new(100, "Param limit must be a positive integer")),
    }
}

fn fields(value: &str) -> Result<Vec<String>, GraphError> {
    let fields = list(value);
    match fields.iter().find(|field| !FIELDS.contains(&field.as_str())) {
        Some(field) => Err(GraphError::new(100, format!("Nonexisting field ({field}) on a message template"))),
        None => Ok(fields),
    }
}

fn list(value: &str) -> Vec<String> {
    value.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
}

/// Returns one page in the format of the Graph API. As there, `next` points to the platform's own host and contains the
/// token. A client that follows the link instead of the cursor leaves the provider. A client that logs it leaks the
/// token.
pub(crate) fn page(catalogue: &Catalogue, query: &Query, waba_id: &str, token: &str) -> Value {
    let rows: Vec<&Row> = catalogue.rows().iter().filter(|row| query.wants(row)).collect();
    let (start, end) = match (query.after, query.before) {
        (None, Some(before)) => {
            let end = rows.partition_point(|row| row.ordinal < before);
            (end.saturating_sub(query.limit), end)
        }
        (after, _) => {
            let start = after.map_or(0, |after| rows.partition_point(|row| row.ordinal <= after));
            (start, rows.len().min(start + query.limit))
        }
    };
    let shown = rows.get(start..end).unwrap_or_default();
    let (Some(first), Some(last)) = (shown.first(), shown.last()) else { return json!({"data": []}) };

    let link = |key: &str, at: &str| {
        let mut link = url::form_urlencoded::Serializer::new(String::new());
        link.append_pair("access_token", token);
        for (key, value) in &query.kept {
            link.append_pair(key, value);
        }
        link.append_pair(key, at);
        format!("https://graph.facebook.com/v23.0/{waba_id}/message_templates?{}", link.finish())
    };
    let (before, after) = (cursor(first.ordinal), cursor(last.ordinal));
    let mut paging = json!({"cursors": {"before": before, "after": after}});
    if let Some(paging) = paging.as_object_mut() {
        if end < rows.len() {
            paging.insert("next".into(), link("after", &after).into());
        }
        if start > 0 {
            paging.insert("previous".into(), link("before", &before).into());
        }
    }
    json!({"data": shown.iter().map(|row| query.show(row)).collect::<Vec<_>>(), "paging": paging})
}

fn cursor(ordinal: u64) -> String {
    URL_SAFE_NO_PAD.encode(format!("template:{ordinal}"))
}

fn ordinal(cursor: &str) -> Result<u64, GraphError> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.as_deref()
        .and_then(|text| text.strip_prefix("template:"))
        .and_then(|ordinal| ordinal.parse().ok())
        .ok_or_else(|| GraphError::new(100, "The cursor is not one of this list"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue() -> Catalogue {
        let seeds: Vec<Value> = (0..5)
            .map(|n| {
                let status = if n == 1 { "PAUSED" } else { "APPROVED" };
                json!({"name": format!("t{n}"), "language": "it", "status": status, "components": [], "quality_score": {"score": "GREEN"}})
            })
            .collect();
        Catalogue::seeded(&seeds).unwrap()
    }

    fn ask(catalogue: &Catalogue, query: &str) -> Value {
        page(catalogue, &Query::parse(query).unwrap(), "77", "token")
    }

    fn names(page: &Value) -> Vec<&str> {
        page["data"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect()
    }

    #[test]
    fn cursors_lead_through_the_list_and_back() {
        let catalogue = catalogue();
        let first = ask(&catalogue, "limit=2");
        assert_eq!(names(&first), ["t0", "t1"]);
        assert!(first["paging"].get("previous").is_none());
        let after = first["paging"]["cursors"]["after"].as_str().unwrap();
        let second = ask(&catalogue, &format!("limit=2&after={after}"));
        assert_eq!(names(&second), ["t2", "t3"]);
        let before = second["paging"]["cursors"]["before"].as_str().unwrap();
        assert_eq!(names(&ask(&catalogue, &format!("limit=2&before={before}"))), ["t0", "t1"]);
        let after = second["paging"]["cursors"]["after"].as_str().unwrap();
        let last = ask(&catalogue, &format!("limit=2&after={after}"));
        assert_eq!(names(&last), ["t4"]);
        assert!(last["paging"].get("next").is_none());
    }

    #[test]
    fn a_full_last_page_has_no_next() {
        let page = ask(&catalogue(), "limit=5");
        assert_eq!(names(&page).len(), 5);
        assert!(page["paging"].get("next").is_none());
    }

    #[test]
    fn a_cursor_outlives_the_row_it_points_at() {
        let mut catalogue = catalogue();
        let after = ask(&catalogue, "limit=2")["paging"]["cursors"]["after"].as_str().unwrap().to_owned();
        catalogue.remove("t1", "it");
        assert_eq!(names(&ask(&catalogue, &format!("limit=1&after={after}"))), ["t2"]);
    }

    #[test]
    fn the_next_url_repeats_the_query_with_the_token_and_the_cursor() {
        let page = ask(&catalogue(), "fields=name&limit=1&status=approved");
        let next = url::Url::parse(page["paging"]["next"].as_str().unwrap()).unwrap();
        assert_eq!(next.host_str(), Some("graph.facebook.com"));
        assert_eq!(next.path(), "/v23.0/77/message_templates");
        let query: Vec<_> = next.query_pairs().map(|(key, value)| format!("{key}={value}")).collect();
        let after = page["paging"]["cursors"]["after"].as_str().unwrap();
        assert_eq!(
            query,
            ["access_token=token", "fields=name", "limit=1", "status=approved", &format!("after={after}")]
        );
    }

    #[test]
    fn filters_are_comma_lists_regardless_of_case() {
        let catalogue = catalogue();
        assert_eq!(names(&ask(&catalogue, "status=paused")), ["t1"]);
        assert_eq!(names(&ask(&catalogue, "name=t3,t4&language=it&category=UTILITY")), ["t3", "t4"]);
        assert_eq!(ask(&catalogue, "language=en"), json!({"data": []}));
    }

    #[test]
    fn only_the_requested_fields_and_the_id_are_shown() {
        let catalogue = catalogue();
        let page = ask(&catalogue, "fields=name,quality_score&name=t0");
        assert_eq!(
            page["data"][0],
            json!({"id": "1000000000000001", "name": "t0", "quality_score": {"score": "GREEN"}})
        );
        assert!(ask(&catalogue, "name=t0")["data"][0].get("quality_score").is_none());
    }

    #[test]
    fn an_invalid_query_is_code_100() {
        for query in ["limit=0", "limit=x", "fields=name,colour", "after=xyz", "before=dDox"] {
            assert_eq!(Query::parse(query).unwrap_err().code, 100, "{query}");
        }
    }
}
