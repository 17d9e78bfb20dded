//! `/v1/webhooks/whatsapp/{id}`: checks the callbacks of WA Smart Business, splits them into platform events and
//! enqueues those.
//!
//! The id identifies the site and is hard to guess, so it is not logged. Cheap checks come first: size (413), id
//! (404), signature or token (401), JSON (400; 422 if it is nested too deeply), SQS (503).
//!
//! Meta repeats every callback that is not answered with 200. Repetition is harmless, because platform events
//! converge.

use domain::webhook::signature::{is_signed, is_token};
use domain::webhook::{Mode, Parsed, Webhook, parse};
use http::{HeaderValue, StatusCode, header};
use jiff::Timestamp;
use lambda_http::{Body, Request, RequestExt, Response};
use runtime::telemetry::{self, field};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::problem::Problem;
use crate::{App, check_size, read_json};

/// Maximum size of a webhook body, in bytes. Meta sends up to 3 MB.
pub const WEBHOOK_BYTES_MAX: usize = 3 * 1024 * 1024;
/// Maximum length of an echoed challenge, in bytes. Meta's have about ten digits.
const CHALLENGE_BYTES_MAX: usize = 256;
/// The header with Meta's signature.
const SIGNATURE_HEADER: &str = "x-hub-signature-256";

/// `GET`: answers Meta's verification of the address, which precedes all other requests.
pub(crate) async fn verify(app: &App, id: &str, request: &Request) -> Result<Response<Body>, Problem> {
    let now = app.clock.now();
    let webhook = app.webhooks.webhook(id, now).await?;
    let challenge = asked(request, "challenge").filter(|challenge| is_challenge(challenge));
    let (Some("subscribe"), Some(token), Some(challenge)) =
        (asked(request, "mode").as_deref(), asked(request, "verify_token"), challenge)
    else {
        return Err(Problem::forbidden("This is no request to verify the webhook."));
    };
    let expected = secret(app, &webhook, "/verify_token", now).await?;
    if !is_token(expected.expose_secret(), &token) {
        return Err(Problem::forbidden("The verify token is not the webhook's."));
    }
    tracing::info!(site = %webhook.site, "verified the webhook");
    let mut response = Response::new(Body::Text(challenge));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

/// `POST`: receives platform events.
pub(crate) async fn take(app: &App, id: &str, request: &Request) -> Result<(StatusCode, Value), Problem> {
    let now = app.clock.now();
    let bytes: &[u8] = request.body().as_ref();
    check_size(bytes, WEBHOOK_BYTES_MAX)?;
    let mut webhook = app.webhooks.webhook(id, now).await?;
    telemetry::note(&[(field::SITE, &webhook.site)]);
    authenticate(app, &webhook, request, now).await?;
    let document = read_json(bytes)?;
    let mut parsed = parse(&document, &webhook, now);
    if parsed.foreign > 0 {
        // The number may have been added to the site after its webhook was cached.
        webhook = app.webhooks.read(id, now).await?;
        parsed = parse(&document, &webhook, now);
    }
    log_parsed(&webhook, &parsed);
    let queued = app.statuses.send_all(&parsed.platform_events).await;
    let refused: Vec<_> = queued.into_iter().filter_map(Result::err).collect();
    if let Some(first) = refused.first() {
        return Err(Problem::not_all_queued(first, refused.len()));
    }
    if !parsed.platform_events.is_empty() {
        app.webhooks.note_request(id, &webhook, now).await;
    }
    Ok((StatusCode::OK, json!({"received": parsed.platform_events.len()})))
}

/// Checks a request's signature or token. The signature is computed over the raw bytes of the body.
async fn authenticate(app: &App, webhook: &Webhook, request: &Request, now: Timestamp) -> Result<(), Problem> {
    let (name, pointer) = match &webhook.mode {
        Mode::Signature => (SIGNATURE_HEADER, "/app_secret"),
        Mode::Token { header } => (header.as_str(), "/token"),
    };
    let presented = only(request, name)
        .ok_or_else(|| Problem::unauthorized("The webhook's signature or token must be there, and only once."))?;
    let expected = secret(app, webhook, pointer, now).await?;
    let admitted = match &webhook.mode {
        Mode::Signature => is_signed(expected.expose_secret(), request.body().as_ref(), presented),
        Mode::Token { .. } => is_token(expected.expose_secret(), presented),
    };
    if admitted { Ok(()) } else { Err(Problem::unauthorized("The webhook's signature or token is wrong.")) }
}

/// Returns the single value of a header. `None` if there are several, since none of them takes precedence.
fn only<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let mut values = request.headers().get_all(name).iter();
    let first = values.next()?;
    if values.next().is_some() { None } else { first.to_str().ok().map(str::trim) }
}

/// Returns a parameter of Meta's verification. Some servers on the way replace the dot with an underscore.
fn asked(request: &Request, name: &str) -> Option<String> {
    let parameters = request.query_string_parameters();
    let names = [format!("hub.{name}"), format!("hub_{name}")];
    names.iter().find_map(|name| parameters.first(name)).map(str::to_owned)
}

fn is_challenge(text: &str) -> bool {
    (1..=CHALLENGE_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

async fn secret(app: &App, webhook: &Webhook, pointer: &str, now: Timestamp) -> Result<SecretString, Problem> {
    let name = format!("{}/inbound", webhook.site);
    app.secrets.text(&name, pointer, now).await.map_err(|error| Problem::no_secret(&error))
}

/// Logs how many platform events arrived, but not their content.
fn log_parsed(webhook: &Webhook, parsed: &Parsed) {
    let (site, platform_events, ignored) = (&webhook.site, parsed.platform_events.len(), parsed.ignored);
    tracing::info!(%site, platform_events, ignored, "took a webhook");
    if parsed.foreign > 0 {
        tracing::warn!(%site, foreign = parsed.foreign, "left out changes of numbers or accounts that are not the site's");
    }
    for odd in &parsed.odd {
        tracing::warn!(%site, odd, "left out a part of a webhook");
    }
}

#[cfg(test)]
mod tests;
