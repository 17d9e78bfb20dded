//! Web addresses, in the form that Meta accepts.

use url::Url;

/// Returns an https URL with a host and without user name or password. Whitespace and non-ASCII characters are escaped.
/// `None` for any other text.
pub(super) fn https(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_open = url.username().is_empty() && url.password().is_none();
    (url.scheme() == "https" && url.has_host() && is_open).then(|| url.into())
}

/// Returns the part of a URL after `base`. If the text begins with `base`, as Passweb's deep links do, that prefix is
/// removed. Characters not allowed in a URL are escaped, but separators are not.
pub(super) fn suffix(text: &str, base: &str) -> String {
    escape(text.strip_prefix(base).unwrap_or(text))
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let (one, behind) = rest.split_at(character.len_utf8());
        let is_escape = || behind.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
        let stays = match character {
            '%' => is_escape(),
            _ => character.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=".contains(character),
        };
        if stays {
            escaped.push(character);
        } else {
            one.bytes().for_each(|byte| escaped.push_str(&format!("%{byte:02X}")));
        }
        rest = behind;
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_addresses_are_accepted_and_escaped() {
        let table = [
            ("https://example.com/Listino 2027.pdf", Some("https://example.com/Listino%202027.pdf")),
            ("https://example.com", Some("https://example.com/")),
            ("HTTPS://Example.com/a?b=c%20d", Some("https://example.com/a?b=c%20d")),
            ("https://perché.it/è", Some("https://xn--perch-fsa.it/%C3%A8")),
            ("http://example.com/a", None),
            ("https://", None),
            ("https://user:word@example.com/", None),
            ("/files/1", None),
            ("file:///etc/passwd", None),
            ("-", None),
        ];
        for (text, expected) in table {
            assert_eq!(https(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_suffix_is_the_escaped_part_after_the_base() {
        let base = "https://example.com/ordini/";
        assert_eq!(suffix("1320", base), "1320");
        assert_eq!(suffix("OC1/1320", base), "OC1/1320");
        assert_eq!(suffix("https://example.com/ordini/1320?x=1&y", base), "1320?x=1&y");
        assert_eq!(suffix("https://example.com/ordini/", base), "");
        assert_eq!(suffix("a b\"è😀", base), "a%20b%22%C3%A8%F0%9F%98%80");
        assert_eq!(suffix("50% %20 %zz %", base), "50%25%20%20%20%25zz%20%25");
    }
}
