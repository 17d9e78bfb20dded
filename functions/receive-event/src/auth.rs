//! API keys in requests: the places where Passweb's stack can send a key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::site::credential::{KEY_PREFIX, PresentedKey};
use http::{HeaderMap, header};
use lambda_http::{Request, RequestExt};

use crate::problem::Problem;

/// Headers that contain a bare key. The values of Passweb's "Nome Header" list are unknown, so the usual names are
/// accepted.
const KEY_HEADERS: [&str; 3] = ["x-api-key", "api-key", "x-auth-token"];
/// Query parameters that indicate a key in the query string, where logs would keep it.
const QUERY_NAMES: [&str; 8] =
    ["api_key", "apikey", "api-key", "x-api-key", "key", "token", "access_token", "x-auth-token"];

/// Returns the single key of a request.
///
/// # Errors
/// A 401 if there is no key, if there are different keys, or if a key is in the query string.
pub(crate) fn presented_key(request: &Request) -> Result<PresentedKey, Problem> {
    if has_key_in_query(request) {
        return Err(Problem::unauthorized("A key in the query string ends up in logs: send it in a header."));
    }
    let mut presented = in_headers(request.headers())?.into_iter();
    let first = presented.next().ok_or_else(|| Problem::unauthorized("The request has no API key."))?;
    if presented.any(|other| other != first) {
        return Err(Problem::unauthorized("The request has different API keys."));
    }
    Ok(first)
}

fn has_key_in_query(request: &Request) -> bool {
    let parameters = request.query_string_parameters();
    parameters
        .iter()
        .any(|(name, value)| QUERY_NAMES.contains(&name.to_ascii_lowercase().as_str()) || value.starts_with(KEY_PREFIX))
}

fn in_headers(headers: &HeaderMap) -> Result<Vec<PresentedKey>, Problem> {
    let malformed = || Problem::unauthorized("The API key is malformed.");
    let mut keys = Vec::new();
    for name in KEY_HEADERS {
        for value in headers.get_all(name) {
            let text = value.to_str().map_err(|_| malformed())?;
            keys.push(PresentedKey::parse(text.trim()).ok_or_else(malformed)?);
        }
    }
    for value in headers.get_all(header::AUTHORIZATION) {
        let text = value.to_str().map_err(|_| malformed())?;
        keys.push(in_authorization(text.trim()).ok_or_else(malformed)?);
    }
    Ok(keys)
}

fn in_authorization(value: &str) -> Option<PresentedKey> {
    let (scheme, credential) = value.split_once(' ')?;
    let credential = credential.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return PresentedKey::parse(credential);
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = String::from_utf8(STANDARD.decode(credential).ok()?).ok()?;
        let (key_id, secret) = decoded.split_once(':')?;
        return PresentedKey::from_parts(key_id, secret);
    }
    None
}
