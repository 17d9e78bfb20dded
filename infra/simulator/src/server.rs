//! The simulator as a server: routes, connections, start and stop.
//!
//! Each connection is served with hyper directly. A web framework always sends an answer, but senders must be tested
//! against a cut connection.

use std::{convert::Infallible, future::Future, io, net::SocketAddr, time::Duration};

use axum::{Router, http::Request, response::Response};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};
use tower::ServiceExt as _;

use crate::{
    cloud, control, fallback, phone,
    response::Cut,
    settings::{SeedRefused, Settings},
    state::Shared,
    webhook::Tally,
};

/// How long a stop waits for answers in progress, mainly delayed ones.
const STOP_LIMIT: Duration = Duration::from_secs(2);
/// The pause after a failed accept. The usual cause is a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A simulator that is not listening yet.
pub struct Simulator(Shared);

impl Simulator {
    /// Creates a simulator from its settings. Fails if a seeded template is unusable.
    pub fn new(settings: Settings) -> Result<Self, SeedRefused> {
        Shared::new(settings).map(Self)
    }

    /// Returns all routes, for mounting in another server or calling in process. An ordered cut requires
    /// [`Simulator::serve`]. Under another server it becomes an empty 502 response.
    pub fn router(&self) -> Router {
        Router::new()
            .merge(phone::routes())
            .merge(control::routes())
            .merge(cloud::routes())
            .fallback(fallback::not_found)
            .method_not_allowed_fallback(fallback::wrong_method)
            .with_state(self.0.clone())
    }

    /// Serves `listener` until `shutdown` resolves, then waits up to two seconds for answers in progress. Undelivered
    /// webhooks are then discarded.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let router = self.router();
        let (stop, stopped) = watch::channel(());
        let mut connections = JoinSet::new();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => drop(connections.spawn(connection(stream, router.clone(), stopped.clone()))),
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
        drop(listener);
        drop(stop);
        // Connections that are still open after the limit are aborted when the set is dropped.
        let _ = tokio::time::timeout(STOP_LIMIT, async { while connections.join_next().await.is_some() {} }).await;
        self.0.outbox().clear();
    }

    /// Serves `listener` in its own task.
    ///
    /// # Errors
    /// When the listener's address cannot be read.
    pub fn start(self, listener: TcpListener) -> io::Result<Running> {
        let address = listener.local_addr()?;
        let (stop, mut stopped) = watch::channel(());
        let webhooks = self.0.outbox().watch();
        let server = tokio::spawn(self.serve(listener, async move {
            // Both a stop and a dropped handle close the channel.
            while stopped.changed().await.is_ok() {}
        }));
        Ok(Running { address, stop, webhooks, server })
    }
}

/// A listening simulator. Dropping this value stops it.
pub struct Running {
    address: SocketAddr,
    stop: watch::Sender<()>,
    webhooks: watch::Receiver<Tally>,
    server: JoinHandle<()>,
}

impl Running {
    /// Returns the address on which it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns `http://address`, without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until every webhook raised so far was answered with 200 or dropped.
    pub async fn webhooks_idle(&self) {
        // An error means that the simulator has ended, so nothing is in progress.
        let _ = self.webhooks.clone().wait_for(|tally| tally.pending == 0).await;
    }

    /// Stops listening and waits until every connection has ended.
    pub async fn stop(self) {
        drop(self.stop);
        // A panic of the server task has been reported already, and there is nothing left to stop.
        let _ = self.server.await;
    }
}

async fn connection(stream: TcpStream, router: Router, mut stopped: watch::Receiver<()>) {
    let service = service_fn(|request: Request<Incoming>| {
        let router = router.clone();
        async move {
            let response: Result<Response, Infallible> = router.oneshot(request).await;
            match response {
                Ok(response) if response.extensions().get::<Cut>().is_some() => Err(Cut),
                Ok(response) => Ok(response),
                Err(never) => match never {},
            }
        }
    });
    let mut serving =
        std::pin::pin!(http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        // An error is either caused by the peer or an ordered cut. In both cases the connection is closed.
        _ = &mut serving => {}
        _ = stopped.changed() => {
            serving.as_mut().graceful_shutdown();
            let _ = serving.await;
        }
    }
}
