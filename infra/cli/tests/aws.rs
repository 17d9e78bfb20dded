//! The command line on a stack on AWS: which region and which credentials its calls have.

mod bridge;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};

use anyhow::{Context, Result};
use tempfile::TempDir;

use bridge::Ended;

/// A stack without outputs, so that a command ends after the first call.
const EMPTY_STACK: &str = "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>bridge-dev\
    </StackName><CreationTime>2026-11-22T10:00:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus></member>\
    </Stacks></DescribeStacksResult></DescribeStacksResponse>";
const SAMCONFIG: &str = "[default.deploy.parameters]\nstack_name = 'bridge-dev'\nregion = 'eu-central-1'\n";
/// Keys, a process that prints keys, and IAM Identity Center.
const PROFILES: &str = "[default]\nregion = eu-west-3\naws_access_key_id = AKIDDEFAULT\naws_secret_access_key = s\n\
    [profile process]\nregion = eu-north-1\ncredential_process = /bin/cat PROCESS\n\
    [profile sso]\nregion = eu-north-1\nsso_session = agency\nsso_account_id = 123456789012\nsso_role_name = operator\n\
    [sso-session agency]\nsso_region = eu-north-1\nsso_start_url = https://agency.awsapps.com/start\n";
const PROCESS: &str = r#"{"Version": 1, "AccessKeyId": "AKIDPROCESS", "SecretAccessKey": "s", "SessionToken": "t"}"#;

/// A working folder and an endpoint of CloudFormation.
struct Aws {
    folder: TempDir,
    endpoint: String,
    requests: Receiver<String>,
}

impl Aws {
    fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let process = folder.path().join("process.json");
        fs::write(&process, PROCESS)?;
        fs::write(folder.path().join("config"), PROFILES.replace("PROCESS", &process.display().to_string()))?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let (sender, requests) = channel();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut request = [0; 8192];
                let count = stream.read(&mut request).unwrap_or_default();
                drop(sender.send(String::from_utf8_lossy(request.get(..count).unwrap_or_default()).into_owned()));
                let length = EMPTY_STACK.len();
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nConnection: close";
                drop(write!(stream, "{head}\r\nContent-Length: {length}\r\n\r\n{EMPTY_STACK}"));
            }
        });
        Ok(Self { folder, endpoint, requests })
    }

    /// Runs a command on the stack `bridge-dev`, without any other setting of this machine.
    fn run(&self, options: &[&str], variables: &[(&str, &str)]) -> Result<Ended> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bridge"));
        command.args(["--stack", "bridge-dev", "--site", "demo"]).args(options).args(["site", "show"]);
        command.current_dir(self.folder.path()).env_clear();
        command.env("HOME", self.folder.path()).env("AWS_CONFIG_FILE", self.folder.path().join("config"));
        command.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_ENDPOINT_URL_CLOUDFORMATION", &self.endpoint);
        let ended = command.envs(variables.iter().copied()).output()?;
        let code = ended.status.code().context("killed")?;
        Ok(Ended { code, out: String::from_utf8(ended.stdout)?, err: String::from_utf8(ended.stderr)? })
    }

    /// Runs a command and returns the key and the region that its first call is signed for.
    fn signed_for(&self, options: &[&str], variables: &[(&str, &str)]) -> Result<[String; 2]> {
        let ended = self.run(options, variables)?;
        anyhow::ensure!(ended.code == 3 && ended.err.contains("non ha l'output ApiUrl"), "{ended:?}");
        let request = self.requests.try_recv().context("no request")?;
        let scope = request.split("Credential=").nth(1).with_context(|| request.clone())?;
        let mut parts = scope.split('/').map(str::to_owned);
        Ok([parts.next().context("no key")?, parts.nth(1).context("no region")?])
    }
}

#[test]
fn calls_have_the_region_and_the_credentials_of_the_first_place_that_names_them() -> Result<()> {
    let aws = Aws::start()?;
    let keys: &[(&str, &str)] = &[("AWS_ACCESS_KEY_ID", "AKIDENV"), ("AWS_SECRET_ACCESS_KEY", "s")];
    assert_eq!(aws.signed_for(&[], &[])?, ["AKIDDEFAULT", "eu-west-3"]);
    assert_eq!(aws.signed_for(&[], &[("AWS_PROFILE", "process")])?, ["AKIDPROCESS", "eu-north-1"]);
    assert_eq!(aws.signed_for(&[], &[("AWS_REGION", "eu-west-1")])?, ["AKIDDEFAULT", "eu-west-1"]);
    fs::write(aws.folder.path().join("samconfig.toml"), SAMCONFIG)?;
    assert_eq!(aws.signed_for(&[], &[("AWS_REGION", "eu-west-1")])?, ["AKIDDEFAULT", "eu-central-1"]);
    assert_eq!(aws.signed_for(&[], keys)?, ["AKIDENV", "eu-central-1"]);
    let options = ["--profile", "process", "--region", "eu-south-1"];
    assert_eq!(aws.signed_for(&options, keys)?, ["AKIDPROCESS", "eu-south-1"]);
    fs::write(aws.folder.path().join("samconfig.toml"), format!("{SAMCONFIG}profile = 'process'\n"))?;
    assert_eq!(aws.signed_for(&[], keys)?, ["AKIDPROCESS", "eu-central-1"]);
    Ok(())
}

#[test]
fn without_credentials_the_error_explains_how_to_sign_in() -> Result<()> {
    let aws = Aws::start()?;
    for profile in ["sso", "missing"] {
        let ended = aws.run(&["--profile", profile, "--region", "eu-west-1"], &[])?;
        assert_eq!(ended.code, 3, "{ended:?}");
        assert!(ended.err.contains(&format!("aws sso login --profile {profile}")), "{ended:?}");
        // The SDK reports this if it was compiled without Identity Center.
        assert!(!ended.err.contains("cargo feature"), "{ended:?}");
    }
    assert!(aws.requests.try_recv().is_err());
    Ok(())
}

#[test]
fn an_unclear_place_is_a_wrong_command_line() -> Result<()> {
    let aws = Aws::start()?;
    let nowhere = [("AWS_CONFIG_FILE", "/dev/null"), ("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "s")];
    let ended = aws.run(&[], &nowhere)?;
    assert!(ended.code == 2 && ended.err.contains("manca la regione"), "{ended:?}");
    fs::write(aws.folder.path().join("samconfig.toml"), "= 1")?;
    let ended = aws.run(&[], &[])?;
    assert!(ended.code == 2 && ended.err.contains("samconfig.toml non si può leggere"), "{ended:?}");
    for option in ["--region", "--profile"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bridge"));
        let ended = command.args([option, "x", "site", "show"]).current_dir(aws.folder.path()).output()?;
        assert_eq!(ended.status.code(), Some(2), "{option}: {ended:?}");
    }
    Ok(())
}
