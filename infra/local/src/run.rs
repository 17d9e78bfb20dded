//! One run from start to stop: bind and lock, build, start, print the addresses, wait, stop.

use std::{
    collections::HashMap,
    future::Future,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context, Result};
use store::{config::ConfigTable, webhooks::Webhooks};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    task::JoinSet,
};

use crate::{
    build,
    cli::Options,
    clock,
    data_folder::DataFolder,
    demo::{self, Demo},
    emulators::{DataDir, Emulators},
    gateway, greeting, phone,
    poller::Poller,
    ports::Ports,
    queues::{self, Queues},
    runtime_api::RuntimeApi,
    schedule,
    secrets::Secrets,
    seed::{self, DemoSite},
    stop::{self, Stopper},
    templates,
    terminal::Terminal,
    topology,
    workers::{Groups, Workers},
};

/// The sender on the simulator.
const PHONE_NUMBER_ID: &str = "106540352242922";
/// The account on the simulator.
const WABA_ID: &str = "102290129340398";
/// The sender's phone number.
const DISPLAY_PHONE_NUMBER: &str = "+390236269240";

/// Runs until Ctrl-C, SIGTERM or SIGHUP. A failure is printed on standard error as one sentence, with exit code 1.
pub async fn run(options: Options) -> ExitCode {
    match Box::pin(until_stopped(options)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("local: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn until_stopped(options: Options) -> Result<()> {
    let mut signals = Signals::listen()?;
    let workspace = build::workspace()?;
    let ports = Ports::bind(options.port, options.simulator_port)?;
    let data_dir = options.data_dir.clone().unwrap_or_else(|| workspace.join(".local/data"));
    let folder = DataFolder::lock(&data_dir)?;
    demo::remove_stale(&folder)?;
    if options.fresh {
        folder.empty()?;
    }
    let terminal = Terminal::new(options.colour());
    terminal.say(&format!("Building {} …", topology::FUNCTIONS.join(", ")));
    let building = build::functions(&options.cargo, &workspace, &topology::FUNCTIONS);
    let Some(built) = signals.unless(building).await else { return Ok(()) };
    let executables = built?;
    let logs = workspace.join(".local/logs");
    let starting = Stack::start(ports, &folder, &executables, &logs, terminal);
    let Some(stack) = signals.unless(starting).await else { return Ok(()) };
    let stack = stack?;
    let published = stack.demo.publish(&folder)?;
    greeting::print(terminal, &stack.demo, &folder.path().display().to_string(), &logs.display().to_string())?;
    signals.any().await;
    drop(published);
    terminal.say("Stopping …");
    let groups = stack.workers.groups();
    tokio::select! {
        () = stack.stop() => {}
        // A second signal ends the run immediately.
        () = signals.any() => kill(&groups),
    }
    Ok(())
}

/// Kills the children without waiting and exits this process.
fn kill(groups: &Groups) {
    groups.kill();
    std::process::exit(130);
}

/// Everything that runs.
struct Stack {
    demo: Demo,
    /// Gateway and schedules: the sources of work.
    intake: JoinSet<()>,
    /// The pollers, from the queues to the functions.
    pollers: JoinSet<()>,
    pollers_stopper: Stopper,
    workers: Workers,
    /// The Runtime API and the phone watcher.
    servers: JoinSet<()>,
    simulator: simulator::Running,
    queues: Queues,
    emulators: Emulators,
    terminal: Terminal,
}

impl Stack {
    async fn start(
        ports: Ports,
        folder: &DataFolder,
        executables: &HashMap<String, PathBuf>,
        logs: &Path,
        terminal: Terminal,
    ) -> Result<Self> {
        std::fs::create_dir_all(logs).with_context(|| format!("cannot create {}", logs.display()))?;
        let secrets = Secrets::of(folder)?;
        let (base_url, simulator_url) = (url(&ports.gateway)?, url(&ports.simulator)?);
        let emulators = Emulators::start_on(ports.emulators, DataDir::Folder(folder.path()))?;
        let queues = Queues::create(&emulators.sqs(), topology::STACK, topology::VISIBILITY_SECONDS).await?;
        let webhook_url = format!("{base_url}/v1/webhooks/whatsapp/{}", secrets.webhook_id);
        let simulator = simulator(&secrets, &webhook_url)?;
        let (mut intake, mut servers) = (JoinSet::new(), JoinSet::new());
        servers.spawn(phone::watch(simulator.router(), terminal));
        let simulator = simulator.start(TcpListener::from_std(ports.simulator)?)?;
        let dynamodb = emulators.dynamodb();
        store::tables::create_all(&dynamodb, topology::STACK).await.context("the tables")?;
        secrets.publish(&emulators.secrets(), topology::STACK, topology::SITE, topology::ACCOUNT).await?;
        let table = store::tables::table_name(topology::STACK, "Config");
        let (config, webhooks) = (ConfigTable::new(dynamodb.clone(), table.clone()), Webhooks::new(dynamodb, table));
        let cloud_url = format!("{simulator_url}/v1");
        seed::seed(&config, &webhooks, demo_site(&secrets, &cloud_url), clock::now()).await?;

        let functions = topology::functions(executables, &emulators, &queues)?;
        let api = RuntimeApi::new(functions.iter().map(|function| (function.name, function.timeout)));
        let api_url = url(&ports.runtime_api)?;
        servers.spawn(serve(TcpListener::from_std(ports.runtime_api)?, api.router()));
        let workers = Workers::start(&functions, &api, &api_url, logs, terminal)?;
        api.ready().await;

        let demo = Demo {
            webhook_url,
            api_key: secrets.api_key,
            site: topology::SITE.to_owned(),
            phone_number_id: PHONE_NUMBER_ID.to_owned(),
            waba_id: WABA_ID.to_owned(),
            access_token: secrets.access_token,
            webhook_secret: secrets.webhook_secret,
            dynamodb_url: emulators.dynamodb_url(),
            sqs_url: emulators.sqs_url(),
            env_file: demo::write_variables(folder, &topology::environment(&emulators, &queues))?,
            base_url,
            simulator_url,
        };
        let (pollers_stopper, stopped) = stop::word();
        let mut pollers = JoinSet::new();
        for (queue, function, concurrency) in topology::feeds(&queues) {
            let (sqs, queue, api) = (emulators.sqs(), queue.clone(), api.clone());
            pollers.spawn(Poller { sqs, queue, api, function, concurrency, terminal }.run(stopped.clone()));
        }
        intake.spawn(schedule::run(api.clone(), topology::FIRE_REMINDERS, schedule::MINUTE, None, terminal));
        intake.spawn(schedule::run(api.clone(), topology::SYNC_TEMPLATES, schedule::HOUR, None, terminal));
        let asked = Some(schedule::asked());
        intake.spawn(schedule::run(api.clone(), topology::SYNC_TEMPLATES, schedule::MINUTE, asked, terminal));
        let front = gateway::router(api, topology::routes(), home(&demo));
        intake.spawn(serve(TcpListener::from_std(ports.gateway)?, front));
        Ok(Self { demo, intake, pollers, pollers_stopper, workers, servers, simulator, queues, emulators, terminal })
    }

    /// Stops the sources of work, waits for the batches in flight, then stops the functions and their services.
    async fn stop(mut self) {
        self.intake.shutdown().await;
        self.pollers_stopper.stop();
        // A panicked task has already printed its panic. The stop continues.
        while self.pollers.join_next().await.is_some() {}
        let (sqs, mut lost) = (self.emulators.sqs(), 0);
        for queue in self.queues.all() {
            lost += queues::length(&sqs, &queue.url).await.unwrap_or_default();
        }
        if lost > 0 {
            self.terminal
                .say(&format!("The queues live in memory: {lost} records in them were not handled and are gone."));
        }
        self.workers.stop().await;
        self.servers.shutdown().await;
        self.simulator.stop().await;
        drop(self.emulators);
    }
}

fn demo_site<'a>(secrets: &'a Secrets, base_url: &'a str) -> DemoSite<'a> {
    DemoSite {
        site: topology::SITE,
        account: topology::ACCOUNT,
        api_key: &secrets.api_key,
        base_url,
        phone_number_id: PHONE_NUMBER_ID,
        waba_id: WABA_ID,
        access_token: &secrets.access_token,
        webhook_id: &secrets.webhook_id,
    }
}

fn simulator(secrets: &Secrets, webhook_url: &str) -> Result<simulator::Simulator> {
    let settings = simulator::Settings {
        phone_number_id: PHONE_NUMBER_ID.to_owned(),
        waba_id: WABA_ID.to_owned(),
        access_token: secrets.access_token.clone(),
        display_phone_number: DISPLAY_PHONE_NUMBER.to_owned(),
        clock: Arc::new(clock::now),
        templates: templates::rows()?,
        webhook: Some(simulator::Webhook { url: webhook_url.to_owned(), secret: secrets.webhook_secret.clone() }),
    };
    simulator::Simulator::new(settings).context("the simulator")
}

fn url(listener: &std::net::TcpListener) -> Result<String> {
    Ok(format!("http://{}", listener.local_addr()?))
}

async fn serve(listener: TcpListener, router: axum::Router) {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    // Accepting continues after any error, so this never returns by itself.
    drop(axum::serve(listener, service).await);
}

/// Returns the plain-text page for `/`.
fn home(demo: &Demo) -> String {
    format!(
        "The bridge from Passweb to WhatsApp, running locally.\n\n\
         POST {base}/v1/events            one event\n\
         POST {base}/v1/events/batch      up to 100 events\n\
         POST {base}/v1/events/validate   checks an event, sends nothing\n\n\
         The phone: {simulator}/\n\
         The key and a line to try are on the terminal.\n",
        base = demo.base_url,
        simulator = demo.simulator_url,
    )
}

/// The signals that end a run: Ctrl-C (SIGINT), SIGTERM, or the loss of the terminal (SIGHUP).
struct Signals([Signal; 3]);

impl Signals {
    fn listen() -> Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self([listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?, listen(SignalKind::hangup())?]))
    }

    async fn any(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }

    /// Returns the result of `work`, or `None` if a signal came first. In that case `work` is dropped.
    async fn unless<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = self.any() => None,
        }
    }
}
