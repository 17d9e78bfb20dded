//! The SDK's configuration with explicit timeouts. The SDK has no default timeout for a whole operation.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{ConfigLoader, SdkConfig};

/// Timeout for connecting. AWS endpoints of the same region answer in milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Timeout of one attempt. A slower DynamoDB or SQS call is considered lost.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// Attempts per call, including the first.
const ATTEMPTS_MAX: u32 = 3;

/// Returns the configuration for all clients of a process: region, credentials and endpoints come from the
/// environment. A call with all its attempts takes at most `call_timeout`.
pub async fn sdk_config(call_timeout: Duration) -> SdkConfig {
    sdk_loader(call_timeout).load().await
}

/// Like [`sdk_config`], before the environment is read, so that the caller can add to it.
#[must_use]
pub fn sdk_loader(call_timeout: Duration) -> ConfigLoader {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(call_timeout)
        .build();
    let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX);
    aws_config::defaults(aws_config::BehaviorVersion::latest()).timeout_config(timeouts).retry_config(retries)
}
