//! The credentials of a person: keys, a named profile, IAM Identity Center, or a process that prints credentials.

use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future};
use domain::primitives::cause::chain;
use runtime::Clock;

use super::session::{Session, Source};
use crate::failure::Failure;

/// Longest wait for credentials. A process may ask a person for a code.
const WAIT_MAX: Duration = Duration::from_secs(120);
/// Credentials are replaced this long before they expire.
const MARGIN: Duration = Duration::from_secs(60);

/// Credentials that were obtained already, and how to replace them. Without it, every call would start the process of a
/// profile again, within the timeout of one attempt.
#[derive(Debug)]
struct Obtained {
    credentials: Credentials,
    provider: SharedCredentialsProvider,
}

impl ProvideCredentials for Obtained {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let soon = SystemTime::from(Clock::system().now()) + MARGIN;
        let valid = self.credentials.expiry().is_none_or(|end| soon < end);
        if valid {
            future::ProvideCredentials::ready(Ok(self.credentials.clone()))
        } else {
            self.provider.provide_credentials()
        }
    }
}

/// Obtains credentials and returns the configuration with them.
///
/// # Errors
/// [`Failure::Unreachable`] if there are none.
pub(crate) async fn obtain(sdk: SdkConfig, session: &Session) -> Result<SdkConfig, Failure> {
    let provider = match &session.profile {
        // A profile that was named on purpose precedes keys in the environment, as in the AWS tools.
        Some(profile) if !matches!(profile.source, Source::Variable(_)) => {
            let place = ProviderConfig::without_region().with_region(sdk.region().cloned());
            let named = ProfileFileCredentialsProvider::builder().configure(&place).profile_name(&profile.value);
            SharedCredentialsProvider::new(named.build())
        }
        _ => sdk.credentials_provider().ok_or_else(|| missing("none are configured", session))?,
    };
    let obtained = tokio::time::timeout(WAIT_MAX, provider.provide_credentials()).await;
    let obtained = obtained.unwrap_or_else(|_| Err(CredentialsError::provider_timed_out(WAIT_MAX)));
    let credentials = obtained.map_err(|error| missing(&chain(&error), session))?;
    let obtained = SharedCredentialsProvider::new(Obtained { credentials, provider });
    Ok(sdk.into_builder().credentials_provider(obtained).build())
}

fn missing(cause: &str, session: &Session) -> Failure {
    let profile = session.profile.as_ref();
    Failure::unreachable(|texts| match profile {
        Some(one) => texts.no_credentials_of_profile(one.value.as_str(), one.source.name(), cause),
        None => texts.no_credentials(cause),
    })
}
