//! The AWS services of the local run and of the tests: DynamoDB, SQS and Secrets Manager, emulated in this process.
//! Each has a real HTTP endpoint on 127.0.0.1, so the same clients work against the emulators and against AWS.
//!
//! Starting one set takes a few milliseconds and two threads, so every test can have its own set. Tables are in memory
//! or in a folder. Queues and secrets are always in memory.

use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    sync::Arc,
    thread::JoinHandle,
};

use anyhow::{Context, Result, anyhow};
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use hyper::{Request, Response, body::Incoming, service::Service};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustack_secretsmanager_core::{
    config::SecretsManagerConfig, handler::RustackSecretsManagerHandler, provider::RustackSecretsManager,
};
use rustack_secretsmanager_http::{SecretsManagerHttpConfig, SecretsManagerHttpService};
use rustack_sqs_core::{config::SqsConfig, handler::RustackSqsHandler, provider::RustackSqs};
use rustack_sqs_http::service::{SqsHttpConfig, SqsHttpService};
use tokio::runtime::Builder;

use crate::{
    fair_queues::FairQueues,
    stop::{self, Stopped, Stopper},
};

/// The region of every emulator and every client in this crate.
pub const REGION: &str = "eu-south-1";
/// The account in the emulators' ARNs and queue URLs.
pub const ACCOUNT: &str = "000000000000";
/// Both the access key and the secret key. The emulators verify no signature, but the SDK always creates one.
const CREDENTIAL: &str = "local";
/// The file in the data folder that holds the tables.
pub(crate) const TABLES_FILE: &str = "dynamodb.sqlite";

/// Where the tables are stored.
#[derive(Clone, Copy, Debug)]
pub enum DataDir<'a> {
    /// In memory. They are lost when the emulators stop.
    Memory,
    /// In a file in this folder, which must exist. They survive a stop and a kill.
    Folder(&'a Path),
}

/// Binds a port of 127.0.0.1 and makes the listener ready for a tokio runtime. Port 0 selects a free port.
pub(crate) fn bind(port: u16) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The emulators' listening sockets, bound before anything else starts.
#[derive(Debug)]
pub struct Listeners {
    dynamodb: TcpListener,
    sqs: TcpListener,
    secrets: TcpListener,
}

impl Listeners {
    /// Binds three free ports of 127.0.0.1.
    ///
    /// # Errors
    /// When the system has no free port.
    pub fn bind() -> std::io::Result<Self> {
        Ok(Self { dynamodb: bind(0)?, sqs: bind(0)?, secrets: bind(0)? })
    }
}

/// Running emulators. Dropping this value stops them and ends their threads.
#[derive(Debug)]
pub struct Emulators {
    dynamodb: SocketAddr,
    sqs: SocketAddr,
    secrets: SocketAddr,
    stop: Stopper,
    threads: Vec<JoinHandle<()>>,
}

impl Emulators {
    /// Starts all three emulators on free ports. They answer once this returns.
    ///
    /// # Errors
    /// When no port is free, or the tables' file cannot be opened.
    pub fn start(data: DataDir<'_>) -> Result<Self> {
        Self::start_on(Listeners::bind().context("no free port on 127.0.0.1")?, data)
    }

    /// Starts all three emulators on sockets that are already bound.
    ///
    /// # Errors
    /// When the tables' file cannot be opened, or a thread cannot be started.
    pub fn start_on(listeners: Listeners, data: DataDir<'_>) -> Result<Self> {
        let (stop, stopped) = stop::word();
        let mut emulators = Self {
            dynamodb: listeners.dynamodb.local_addr()?,
            sqs: listeners.sqs.local_addr()?,
            secrets: listeners.secrets.local_addr()?,
            stop,
            threads: Vec::with_capacity(2),
        };
        let tables = open_tables(data)?;
        let (port, listener) = (emulators.sqs.port(), listeners.dynamodb);
        // SQLite calls block their thread, so DynamoDB has its own thread.
        let dynamodb = async move || {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let served = dynoxide::server::serve_with_shutdown(listener, tables, std::future::pending());
            served.await.map_err(std::io::Error::other)
        };
        emulators.threads.push(on_a_thread("dynamodb", stopped.clone(), dynamodb)?);
        let (sqs, secrets) = (listeners.sqs, listeners.secrets);
        let others = async move || {
            tokio::try_join!(serve(sqs, sqs_service(port)), serve(secrets, secrets_service()))?;
            Ok(())
        };
        emulators.threads.push(on_a_thread("sqs-secrets", stopped, others)?);
        Ok(emulators)
    }

    /// Returns the DynamoDB endpoint.
    #[must_use]
    pub fn dynamodb_url(&self) -> String {
        format!("http://{}", self.dynamodb)
    }

    /// Returns the SQS endpoint. Queue URLs begin with it.
    #[must_use]
    pub fn sqs_url(&self) -> String {
        format!("http://{}", self.sqs)
    }

    /// Returns the Secrets Manager endpoint.
    #[must_use]
    pub fn secrets_url(&self) -> String {
        format!("http://{}", self.secrets)
    }

    /// Returns the environment variables that make an AWS SDK use these emulators.
    #[must_use]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", CREDENTIAL.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", CREDENTIAL.to_owned()),
            ("AWS_ENDPOINT_URL_DYNAMODB", self.dynamodb_url()),
            ("AWS_ENDPOINT_URL_SQS", self.sqs_url()),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", self.secrets_url()),
        ]
    }

    /// Returns a client for the DynamoDB emulator.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static(REGION))
            .credentials_provider(credentials())
            .endpoint_url(self.dynamodb_url());
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    /// Returns a client for the SQS emulator.
    #[must_use]
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static(REGION))
            .credentials_provider(credentials())
            .endpoint_url(self.sqs_url());
        aws_sdk_sqs::Client::from_conf(config.build())
    }

    /// Returns a client for the Secrets Manager emulator.
    #[must_use]
    pub fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        let config = aws_sdk_secretsmanager::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static(REGION))
            .credentials_provider(credentials())
            .endpoint_url(self.secrets_url());
        aws_sdk_secretsmanager::Client::from_conf(config.build())
    }
}

impl Drop for Emulators {
    /// Ends every open request and waits for the threads, so that the tables' file is closed afterwards.
    fn drop(&mut self) {
        self.stop.stop();
        for thread in self.threads.drain(..) {
            // A thread that panicked has already printed its panic, and it no longer needs to be stopped.
            drop(thread.join());
        }
    }
}

fn credentials() -> Credentials {
    Credentials::new(CREDENTIAL, CREDENTIAL, None, None, "local")
}

fn open_tables(data: DataDir<'_>) -> Result<dynoxide::Database> {
    match data {
        DataDir::Memory => dynoxide::Database::memory().map_err(|error| anyhow!("tables in memory: {error}")),
        DataDir::Folder(folder) => {
            let file = folder.join(TABLES_FILE);
            let path = file.to_str().with_context(|| format!("{} is not UTF-8", file.display()))?;
            dynoxide::Database::new(path).map_err(|error| anyhow!("cannot open the tables in {path}: {error}"))
        }
    }
}

fn sqs_service(port: u16) -> SqsHttpService<FairQueues> {
    let config = SqsConfig {
        skip_signature_validation: true,
        default_region: REGION.to_owned(),
        account_id: ACCOUNT.to_owned(),
        host: Ipv4Addr::LOCALHOST.to_string(),
        port,
    };
    let http = SqsHttpConfig { region: REGION.to_owned(), ..SqsHttpConfig::default() };
    let handler = FairQueues(RustackSqsHandler::new(Arc::new(RustackSqs::new(config))));
    SqsHttpService::new(Arc::new(handler), http)
}

fn secrets_service() -> SecretsManagerHttpService<RustackSecretsManagerHandler> {
    let config = SecretsManagerConfig {
        skip_signature_validation: true,
        default_region: REGION.to_owned(),
        default_account_id: ACCOUNT.to_owned(),
    };
    let handler = RustackSecretsManagerHandler::new(Arc::new(RustackSecretsManager::new(config)));
    let http = SecretsManagerHttpConfig { region: REGION.to_owned(), ..SecretsManagerHttpConfig::default() };
    SecretsManagerHttpService::new(Arc::new(handler), http)
}

/// Runs `work` on its own thread and runtime until `stopped`. Open connections end with the runtime.
fn on_a_thread<W>(name: &str, mut stopped: Stopped, work: W) -> Result<JoinHandle<()>>
where
    W: AsyncFnOnce() -> std::io::Result<()> + Send + 'static,
{
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let label = name.to_owned();
    let run = move || {
        let ended = runtime.block_on(async {
            tokio::select! {
                ended = work() => ended,
                () = stopped.wait() => Ok(()),
            }
        });
        if let Err(error) = ended {
            eprintln!("the {label} emulator ended: {error}");
        }
    };
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .with_context(|| format!("cannot start the {name} thread"))
}

/// Serves HTTP/1.1 on `listener` for as long as the future is polled.
async fn serve<S, B>(listener: TcpListener, service: S) -> std::io::Result<()>
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: hyper::body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let service = service.clone();
        tokio::spawn(async move {
            let mut http = hyper::server::conn::http1::Builder::new();
            // A client that disconnects in the middle of a request needs no handling.
            drop(http.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await);
        });
    }
}
