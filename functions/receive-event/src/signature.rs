//! The signature of an event's request, if its site requires one or the request has one.

use domain::site::credential::StoredKey;
use domain::site::signing::{Signature, SignatureError, Signing};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use lambda_http::Request;

use crate::App;
use crate::problem::Problem;

const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURES: &str = "webhook-signature";

/// Checks the signature of a request, over the raw bytes of its body.
///
/// # Errors
/// A 401 that names the problem, or a 503 if the secrets cannot be read.
pub(crate) async fn check(app: &App, request: &Request, key: &StoredKey, now: Timestamp) -> Result<(), Problem> {
    let headers = request.headers();
    let is_signed = [ID, TIMESTAMP, SIGNATURES].iter().any(|name| headers.contains_key(*name));
    match key.signing {
        Signing::Off => return Ok(()),
        Signing::Optional if !is_signed => return Ok(()),
        Signing::Optional | Signing::Required => {}
    }
    let signature = Signature {
        id: only(headers, ID)?,
        timestamp: only(headers, TIMESTAMP)?,
        signatures: only(headers, SIGNATURES)?,
    };
    let secrets = app.secrets.signing(&key.site, now).await.map_err(|error| Problem::no_secret(&error))?;
    signature.check(request.body().as_ref(), &secrets, now).map_err(refused)
}

/// Returns the single value of a header.
fn only<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, Problem> {
    let mut values = headers.get_all(name).iter();
    let missing = || problem("signature-missing", &format!("The site's requests are signed, and {name} is missing."));
    let first = values.next().ok_or_else(missing)?;
    if values.next().is_some() {
        return Err(refused(SignatureError::Malformed(name)));
    }
    first.to_str().map(str::trim).map_err(|_| refused(SignatureError::Malformed(name)))
}

fn refused(error: SignatureError) -> Problem {
    match error {
        SignatureError::Malformed(header) => problem("signature-malformed", &format!("{header} is malformed.")),
        SignatureError::Stale => problem(
            "signature-stale",
            "webhook-timestamp is more than 300 seconds from the bridge's clock. Sign each attempt anew.",
        ),
        SignatureError::Mismatch => {
            problem("signature-mismatch", "No signature in webhook-signature matches the request.")
        }
    }
}

fn problem(kind: &'static str, detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, kind, detail)
}
