//! Matches request paths against routes and extracts their variable segments.

use std::collections::BTreeMap;

/// Returns the variable segments of a path that matches the route `template`, by name and undecoded. `None` if the path
/// does not match. A segment in braces matches exactly one non-empty segment. Everything else must be equal, including
/// a trailing slash.
pub(super) fn parameters(template: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let (mut templates, mut parts) = (template.split('/'), path.split('/'));
    let mut found = BTreeMap::new();
    loop {
        let (template, part) = match (templates.next(), parts.next()) {
            (None, None) => return Some(found),
            (Some(template), Some(part)) => (template, part),
            _ => return None,
        };
        match template.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) if !part.is_empty() => drop(found.insert(name.to_owned(), part.to_owned())),
            None if template == part => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEBHOOK: &str = "/v1/webhooks/whatsapp/{id}";

    #[test]
    fn a_braced_parameter_matches_exactly_one_path_segment() {
        let expected = BTreeMap::from([("id".to_owned(), "a-b_c".to_owned())]);
        assert_eq!(parameters(WEBHOOK, "/v1/webhooks/whatsapp/a-b_c"), Some(expected));
        for other in
            ["/v1/webhooks/whatsapp", "/v1/webhooks/whatsapp/", "/v1/webhooks/whatsapp/a/b", "/v1/webhooks/x/a"]
        {
            assert_eq!(parameters(WEBHOOK, other), None, "{other}");
        }
    }

    #[test]
    fn the_rest_of_a_path_must_match_exactly() {
        assert_eq!(parameters("/v1/events", "/v1/events"), Some(BTreeMap::new()));
        for other in ["/", "/v1/events/", "/v1/events/batch", "/V1/events", "v1/events"] {
            assert_eq!(parameters("/v1/events", other), None, "{other}");
        }
    }
}
