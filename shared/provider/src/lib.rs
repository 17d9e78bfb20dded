//! WA Smart Business over HTTPS.
//!
//! Its REST interface is not public. It is built on Meta's Cloud API, so this crate implements that API. Base URL,
//! path style and token header may differ between providers and are settings of the account. Another wire format would
//! require changes in this crate only.
//!
//! [`Provider::send`] returns the outcome for the ledger: accepted, refused, certainly not accepted, or unknown. The
//! outcome follows from the table in [`domain::message::error_code`].

mod error;
mod network;
mod probe;
mod wire;

use std::time::Duration;

use domain::decision::Outgoing;
use domain::primitives::cause::{Cause, chain};
use domain::site::config::Account;
use domain::site::credential::AccountToken;
use domain::template::Template;
use jiff::SignedDuration;
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use secrecy::ExposeSecret;
use serde_json::Value;

pub use error::{ListError, SendError, SetupError};
pub use network::Network;
pub use probe::{Observation, Step, Verdict};
pub use wire::send_body;

/// Timeout for connecting, including name resolution and TLS.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Timeout of a whole call. Meta answers in well under a second. A slower call becomes `unknown`; a longer wait would
/// only delay the rest of the batch.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// Lifetime of an idle connection. It is shorter than that of any load balancer.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum `Retry-After` that is respected. If a gateway asks for more, the next call follows after this time.
const RETRY_AFTER_MAX: SignedDuration = SignedDuration::from_hours(1);
/// Maximum size of the answer to a send, in bytes. Real answers have some hundred.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Maximum size of a page of templates, in bytes. It holds 100 templates of Meta's maximum size.
const PAGE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Templates requested per page.
const PAGE_TEMPLATES: &str = "100";
/// Maximum number of pages. Meta allows 6,000 templates, which are 60 pages; more pages indicate an endless list.
const PAGES_MAX: usize = 200;
/// Fields requested for each template. By default Meta returns only ids.
const TEMPLATE_FIELDS: &str = "id,name,language,status,category,components,parameter_format,quality_score";

/// A client of the provider's API. One per process.
#[derive(Clone, Debug)]
pub struct Provider {
    client: Client,
    network: Network,
}

/// The provider accepted a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Meta's id of the message, the wamid.
    pub provider_id: String,
    /// The message status: `accepted`, `held_for_quality_assessment`, or `None`.
    pub note: Option<String>,
}

impl Provider {
    /// Creates the client.
    ///
    /// # Errors
    /// [`SetupError::Client`] if TLS cannot be set up.
    pub fn new(network: Network) -> Result<Self, SetupError> {
        let builder = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(CALL_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            // A frozen process does not notice that a server closes its idle connections. Writing to a closed one
            // would make the outcome unknown. Within a batch, connections are reused immediately.
            .pool_idle_timeout(IDLE_TIMEOUT)
            // A call that may have been accepted is never repeated, not even by the HTTP client.
            .retry(reqwest::retry::never())
            .no_proxy()
            .https_only(network == Network::Public)
            .dns_resolver(network.resolver());
        let client = builder.build().map_err(|error| SetupError::Client(Cause::new(error)))?;
        Ok(Self { client, network })
    }

    /// Sends a message. The provider returns `opaque` with each of its statuses.
    ///
    /// # Errors
    /// [`SendError`], according to the state of the message after the call.
    pub async fn send(
        &self,
        outgoing: &Outgoing<'_>,
        token: &AccountToken,
        opaque: &str,
    ) -> Result<Accepted, SendError> {
        let account = outgoing.account;
        let path = if account.phone_number_id_in_path {
            vec![account.phone_number_id.as_str(), "messages"]
        } else {
            vec!["messages"]
        };
        let url = self.url(account, &path).map_err(SendError::not_sent)?;
        let request = self.authorised(self.client.post(url), account, token).map_err(SendError::not_sent)?;
        let response = request.json(&send_body(outgoing, opaque)).send().await.map_err(SendError::of_transport)?;
        let status = response.status();
        let retry_after = retry_after(response.headers());
        // The status line alone proves nothing. Without the whole body the outcome is unknown.
        let body = read(response, ANSWER_BYTES_MAX).await.map_err(|cause| SendError::unknown(chain(&cause)))?;
        if status.is_success() { wire::accepted(&body) } else { Err(SendError::of_answer(status, retry_after, &body)) }
    }

    /// Reads the whole template list of an account, page by page.
    ///
    /// # Errors
    /// [`ListError`] if any page could not be read. An incomplete list is never returned.
    pub async fn templates(&self, account: &Account, token: &AccountToken) -> Result<Vec<Template>, ListError> {
        let mut templates = Vec::new();
        let mut after: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let page = self.template_page(account, token, after.as_deref()).await?;
            templates.extend(wire::templates(&page).map_err(ListError::Malformed)?);
            // `paging.next` is a full URL that may contain a token. Only its presence matters; the next page is
            // requested by cursor.
            match wire::next_cursor(&page).map_err(ListError::Malformed)? {
                Some(cursor) => after = Some(cursor),
                None => return Ok(templates),
            }
        }
        Err(ListError::Malformed(Cause::new(format!("more than {PAGES_MAX} pages"))))
    }

    async fn template_page(
        &self,
        account: &Account,
        token: &AccountToken,
        after: Option<&str>,
    ) -> Result<Value, ListError> {
        let mut url = self.url(account, &[&account.waba_id, "message_templates"]).map_err(ListError::Setup)?;
        url.query_pairs_mut().append_pair("fields", TEMPLATE_FIELDS).append_pair("limit", PAGE_TEMPLATES);
        if let Some(after) = after {
            url.query_pairs_mut().append_pair("after", after);
        }
        let request = self.authorised(self.client.get(url), account, token).map_err(ListError::Setup)?;
        let response = request.send().await.map_err(|error| ListError::Unreachable(Cause::new(error)))?;
        let status = response.status();
        let body = read(response, PAGE_BYTES_MAX).await.map_err(ListError::Unreachable)?;
        if status != StatusCode::OK {
            return Err(ListError::Refused(error::failure(&body)));
        }
        serde_json::from_slice(&body).map_err(|error| ListError::Malformed(Cause::new(error)))
    }

    fn url(&self, account: &Account, path: &[&str]) -> Result<Url, SetupError> {
        let mut url: Url = account.base_url.parse().map_err(|_| SetupError::BaseUrl("it is no URL"))?;
        self.network.allows(&url)?;
        let mut segments = url.path_segments_mut().map_err(|()| SetupError::BaseUrl("it has no path"))?;
        segments.pop_if_empty().extend(path);
        drop(segments);
        Ok(url)
    }

    fn authorised(
        &self,
        request: RequestBuilder,
        account: &Account,
        token: &AccountToken,
    ) -> Result<RequestBuilder, SetupError> {
        if token.host.is_some() && token.host != host(&account.base_url) {
            return Err(SetupError::Host);
        }
        let name = http::HeaderName::try_from(&account.token_header).map_err(|_| SetupError::TokenHeader)?;
        let value = match account.token_scheme.as_str() {
            "" => token.token.expose_secret().to_owned(),
            scheme => format!("{scheme} {}", token.token.expose_secret()),
        };
        let mut value = http::HeaderValue::try_from(value).map_err(|_| SetupError::TokenHeader)?;
        value.set_sensitive(true);
        Ok(request.header(name, value))
    }
}

/// Parses a row of a template list.
///
/// # Errors
/// [`ListError::Malformed`] if the row lacks a name or a valid language.
pub fn read_template(row: &Value) -> Result<Template, ListError> {
    wire::template(row).map_err(ListError::Malformed)
}

/// Returns the host of a base URL, with its port unless that is the default one. `None` if the text is no URL.
#[must_use]
pub fn host(base_url: &str) -> Option<String> {
    let url: Url = base_url.parse().ok()?;
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// Returns the seconds in `Retry-After`. The date form is not supported: no gateway is known to send it, and our own
/// backoff applies without it.
fn retry_after(headers: &http::HeaderMap) -> Option<SignedDuration> {
    let seconds = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim().parse::<u32>().ok()?;
    Some(SignedDuration::from_secs(i64::from(seconds)).min(RETRY_AFTER_MAX))
}

/// Reads a whole body, up to a maximum size.
async fn read(mut response: Response, bytes_max: usize) -> Result<Vec<u8>, Cause> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Cause::new(error.without_url()))? {
        if body.len() + chunk.len() > bytes_max {
            return Err(Cause::new(format!("the answer has more than {bytes_max} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests;
