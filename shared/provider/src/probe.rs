//! Checks an account's settings one by one, to show which one is wrong. Sends no message.

use domain::message::state::Failure;
use domain::primitives::cause::chain;
use domain::site::config::Account;
use domain::site::credential::AccountToken;
use reqwest::StatusCode;

use crate::error::{self, ListError};
use crate::{ANSWER_BYTES_MAX, Provider, read};

/// The checks, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Whether the base URL may be called at all.
    BaseUrl,
    /// Whether name resolution, connection and TLS work.
    Connection,
    /// Whether the token is accepted.
    Token,
    /// Whether the template list of the business account can be read.
    WabaId,
    /// Whether the sender exists.
    PhoneNumberId,
}

/// The result of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The setting is right.
    Right,
    /// The setting is wrong.
    Wrong(Observation),
    /// The result is unclear.
    Unclear(Observation),
}

/// What a check observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// A setting cannot be used. Contains the reason.
    Setup(String),
    /// No answer came. Contains the cause.
    NoAnswer(String),
    /// The platform refused the request.
    Refused {
        /// The code.
        code: String,
        /// The platform's own words.
        details: String,
    },
    /// The answer is not a list of templates. Contains the cause.
    Malformed(String),
    /// The connection ended within the answer.
    Cut,
    /// The platform answered with this HTTP status, and without a code of Meta.
    Status(u16),
}

impl Step {
    /// Every check.
    pub const ALL: [Self; 5] = [Self::BaseUrl, Self::Connection, Self::Token, Self::WabaId, Self::PhoneNumberId];
}

/// Codes that refuse the token, for any request.
const TOKEN_CODES: [&str; 4] = ["0", "190", "3", "10"];

impl Provider {
    /// Checks each setting of an account. Checks that depend on a failed one are omitted.
    pub async fn probe(&self, account: &Account, token: &AccountToken) -> Vec<(Step, Verdict)> {
        let listed = self.templates(account, token).await;
        let failed_at = match &listed {
            Ok(_) => None,
            Err(ListError::Setup(error)) => Some((Step::BaseUrl, Observation::Setup(error.to_string()))),
            Err(ListError::Unreachable(cause)) => Some((Step::Connection, Observation::NoAnswer(chain(cause)))),
            Err(ListError::Refused(failure)) => {
                let step = if TOKEN_CODES.contains(&failure.code.as_str()) { Step::Token } else { Step::WabaId };
                Some((step, refused(failure)))
            }
            Err(ListError::Malformed(cause)) => Some((Step::WabaId, Observation::Malformed(chain(cause)))),
        };
        let before = Step::ALL.into_iter().take_while(|step| Some(*step) != failed_at.as_ref().map(|(step, _)| *step));
        let mut verdicts: Vec<(Step, Verdict)> =
            before.filter(|step| *step != Step::PhoneNumberId).map(|step| (step, Verdict::Right)).collect();
        match failed_at {
            Some((step, cause)) => verdicts.push((step, Verdict::Wrong(cause))),
            None => verdicts.push((Step::PhoneNumberId, self.probe_sender(account, token).await)),
        }
        verdicts
    }

    /// Requests the record of the sender. The result is unclear if the platform does not forward this call.
    async fn probe_sender(&self, account: &Account, token: &AccountToken) -> Verdict {
        let request = self.url(account, &[&account.phone_number_id]).and_then(|mut url| {
            url.query_pairs_mut().append_pair("fields", "display_phone_number");
            self.authorised(self.client.get(url), account, token)
        });
        let request = match request {
            Ok(request) => request,
            Err(error) => return Verdict::Wrong(Observation::Setup(error.to_string())),
        };
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => return Verdict::Unclear(Observation::NoAnswer(chain(&error.without_url()))),
        };
        let status = answer.status();
        let Ok(body) = read(answer, ANSWER_BYTES_MAX).await else {
            return Verdict::Unclear(Observation::Cut);
        };
        if status == StatusCode::OK {
            return Verdict::Right;
        }
        let failure = error::failure(&body);
        // Errors of the Cloud API have a code. Any other error comes from a platform that does not support the call.
        match failure.code.parse::<u32>() {
            Ok(_) => Verdict::Wrong(refused(&failure)),
            Err(_) => Verdict::Unclear(Observation::Status(status.as_u16())),
        }
    }
}

fn refused(failure: &Failure) -> Observation {
    Observation::Refused { code: failure.code.clone(), details: failure.details.clone() }
}
