//! A stack on AWS: its place, its credentials and its outputs.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::time::Duration;

use aws_config::{Region, SdkConfig};
use domain::primitives::cause::chain;
use runtime::env::Environment;

use super::Names;
use super::credentials::obtain;
use super::session::{Places, SAMCONFIG, Session, SessionError, choose};
use crate::args::Common;
use crate::failure::Failure;

/// Timeout of a call: three attempts and the pauses between them.
const CALL_TIMEOUT: Duration = Duration::from_secs(8);

/// The stack's outputs.
pub(crate) struct Outputs {
    stack: String,
    values: HashMap<String, String>,
}

/// Chooses region and profile for a stack.
///
/// # Errors
/// [`Failure::Usage`] if `samconfig.toml` is unclear.
pub(crate) fn session(stack: &str, common: &Common) -> Result<Session, Failure> {
    let samconfig = match std::fs::read_to_string(SAMCONFIG) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(Failure::usage(|texts| texts.file_error(SAMCONFIG, texts.io_error(&error)))),
    };
    let places = Places {
        stack,
        region: common.region.as_deref(),
        profile: common.profile.as_deref(),
        samconfig: samconfig.as_deref(),
        environment: &Environment::process(),
    };
    choose(&places).map_err(|error| match error {
        SessionError::Malformed(cause) => {
            Failure::usage(|texts| texts.samconfig_malformed(SAMCONFIG, cause.to_string()))
        }
        SessionError::Ambiguous { stack, name } => {
            Failure::usage(|texts| texts.samconfig_ambiguous(SAMCONFIG, name, stack.as_str()))
        }
    })
}

/// Returns the configuration of all clients, with credentials.
///
/// # Errors
/// [`Failure::Usage`] without a region, [`Failure::Unreachable`] without credentials.
pub(crate) async fn connect(session: &Session) -> Result<SdkConfig, Failure> {
    let mut loader = runtime::aws::sdk_loader(CALL_TIMEOUT);
    if let Some(region) = &session.region {
        loader = loader.region(Region::new(region.value.clone()));
    }
    if let Some(profile) = &session.profile {
        loader = loader.profile_name(&profile.value);
    }
    let sdk = loader.load().await;
    if sdk.region().is_none() {
        return Err(Failure::usage(|texts| texts.no_region(SAMCONFIG)));
    }
    obtain(sdk, session).await
}

/// Reads a stack.
///
/// # Errors
/// [`Failure::Unreachable`].
pub(crate) async fn describe(stack: &str, sdk: &SdkConfig) -> Result<aws_sdk_cloudformation::types::Stack, Failure> {
    let answer = aws_sdk_cloudformation::Client::new(sdk).describe_stacks().stack_name(stack).send().await;
    let region = sdk.region().map_or("-", Region::as_ref);
    let failed = |cause: &str| Failure::unreachable(|texts| texts.stack_unreadable(stack, region, cause));
    let answer = answer.map_err(|error| failed(&chain(&error)))?;
    answer.stacks.and_then(|stacks| stacks.into_iter().next()).ok_or_else(|| failed("there is none"))
}

impl Outputs {
    /// Returns the outputs of a stack.
    pub(crate) fn of(stack: &aws_sdk_cloudformation::types::Stack) -> Self {
        let outputs = stack.outputs().iter();
        let values =
            outputs.filter_map(|output| Some((output.output_key()?.to_owned(), output.output_value()?.to_owned())));
        Self { stack: stack.stack_name().unwrap_or_default().to_owned(), values: values.collect() }
    }

    /// Returns an output.
    ///
    /// # Errors
    /// [`Failure::Unreachable`] if the stack does not have it.
    pub(crate) fn get(&self, name: &str) -> Result<String, Failure> {
        let missing = || Failure::unreachable(|texts| texts.no_output(self.stack.as_str(), name));
        self.values.get(name).cloned().ok_or_else(missing)
    }

    /// Returns the names of the resources that commands use.
    ///
    /// # Errors
    /// [`Failure::Unreachable`] if an output is missing.
    pub(crate) fn names(&self) -> Result<Names, Failure> {
        Ok(Names {
            stack: self.stack.clone(),
            api_url: self.get("ApiUrl")?,
            config_table: self.get("ConfigTableName")?,
            ledger_table: self.get("LedgerTableName")?,
            contacts_table: self.get("ContactsTableName")?,
            schedule_table: self.get("ScheduleTableName")?,
            events_queue_url: self.get("EventsQueueUrl")?,
            statuses_queue_url: self.get("StatusesQueueUrl")?,
        })
    }
}
