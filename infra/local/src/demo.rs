//! `demo.json`: the addresses and credentials of the running stack, for scripts, test suites and the CLI. The file
//! exists only while the stack answers.

use std::fs;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::data_folder::{DEMO_FILE, DataFolder, VARIABLES_FILE};

/// The content of `demo.json`.
#[derive(Clone, Deserialize, Serialize)]
pub struct Demo {
    /// URL of the bridge, without a path.
    pub base_url: String,
    /// The demo site's API key.
    pub api_key: String,
    /// The demo site's id.
    pub site: String,
    /// URL of the simulator, without a path. The phone is at `/`, the control API under `/_sim`.
    pub simulator_url: String,
    /// The URL to which the simulator sends its webhooks.
    pub webhook_url: String,
    /// The sender's id on the simulator.
    pub phone_number_id: String,
    /// The WhatsApp Business account's id on the simulator.
    pub waba_id: String,
    /// The token that the simulator accepts.
    pub access_token: String,
    /// The secret that signs webhooks.
    pub webhook_secret: String,
    /// The DynamoDB endpoint.
    pub dynamodb_url: String,
    /// The SQS endpoint.
    pub sqs_url: String,
    /// The file with every variable that the functions read.
    pub env_file: String,
}

/// The written file. Dropping this value removes it.
#[derive(Debug)]
pub struct Published<'a>(&'a DataFolder);

impl Demo {
    /// Writes the file.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn publish<'a>(&self, folder: &'a DataFolder) -> Result<Published<'a>> {
        folder.write(DEMO_FILE, &(serde_json::to_string_pretty(self)? + "\n"))?;
        Ok(Published(folder))
    }
}

impl Drop for Published<'_> {
    fn drop(&mut self) {
        // Nothing can report a failure here. The next start removes the file.
        drop(self.0.remove(DEMO_FILE));
    }
}

/// Removes the file that a killed run left behind.
///
/// # Errors
/// When the file exists and cannot be removed.
pub fn remove_stale(folder: &DataFolder) -> Result<()> {
    folder.remove(DEMO_FILE)
}

/// Writes the variables as `KEY=VALUE` lines for `cargo lambda watch --env-file`. Returns the file's path.
///
/// # Errors
/// When the folder cannot be written.
pub fn write_variables(folder: &DataFolder, variables: &[(String, String)]) -> Result<String> {
    let lines: String = variables.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    let file = folder.write(VARIABLES_FILE, &lines)?;
    Ok(fs::canonicalize(file)?.display().to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn demo() -> Demo {
        let of = |text: &str| text.to_owned();
        Demo {
            base_url: of("http://127.0.0.1:8080"),
            api_key: of("pwb_a_b"),
            site: of("demo"),
            simulator_url: of("http://127.0.0.1:8090"),
            webhook_url: of("http://127.0.0.1:8080/v1/webhooks/whatsapp/x"),
            phone_number_id: of("1"),
            waba_id: of("2"),
            access_token: of("t"),
            webhook_secret: of("s"),
            dynamodb_url: of("http://127.0.0.1:1"),
            sqs_url: of("http://127.0.0.1:2"),
            env_file: of("/tmp/functions.env"),
        }
    }

    #[test]
    fn the_demo_file_has_the_documented_fields_and_is_removed_with_the_run() {
        let parent = tempfile::tempdir().unwrap();
        let folder = DataFolder::lock(parent.path()).unwrap();
        let file = parent.path().join(DEMO_FILE);
        let published = demo().publish(&folder).unwrap();
        let written: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let mut fields: Vec<_> = written.as_object().unwrap().keys().map(String::as_str).collect();
        fields.sort_unstable();
        let mut promised = [
            "base_url",
            "api_key",
            "site",
            "simulator_url",
            "webhook_url",
            "phone_number_id",
            "waba_id",
            "access_token",
            "webhook_secret",
            "dynamodb_url",
            "sqs_url",
            "env_file",
        ];
        promised.sort_unstable();
        assert_eq!(fields, promised);
        drop(published);
        assert!(!file.exists());
        remove_stale(&folder).unwrap();
    }

    #[test]
    fn each_variable_is_written_on_its_own_line() {
        let parent = tempfile::tempdir().unwrap();
        let folder = DataFolder::lock(parent.path()).unwrap();
        let variables = [("AWS_REGION", "eu-south-1"), ("BRIDGE_STACK", "bridge")];
        let file = write_variables(&folder, &variables.map(|(name, value)| (name.into(), value.into()))).unwrap();
        assert_eq!(fs::read_to_string(file).unwrap(), "AWS_REGION=eu-south-1\nBRIDGE_STACK=bridge\n");
    }
}
