//! Runs the service: from the sockets to the last goodbye.

use std::{
    io::{self, Write},
    mem,
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use hybridge_relay::{Service, Serving, TlsConfig, node::Node};
use tokio::{runtime::Runtime, task::AbortHandle};

use super::{
    admin::Admin,
    error::Error,
    manager, memory,
    plan::Plan,
    settings::sources::Sources,
    signals::{Order, Signals},
    sockets,
};

/// What saying goodbye may take once the time to finish is over; the service manager is asked for that much more.
const GOODBYES: Duration = Duration::from_secs(20);

/// Serves until a signal ends it.
pub(crate) fn run(sources: Sources, plan: Plan) -> Result<(), Error> {
    // While there is one thread: taking the passed sockets changes the environment.
    let inherited = sockets::inherited()?;
    if plan.limits_lifted {
        tracing::warn!("all limits are lifted, which is for benchmarks only");
    }
    let runtime = Runtime::new().map_err(Error::Start)?;
    let served = runtime.block_on(async {
        let mut running = Running::start(plan, inherited).await?;
        running.follow_orders(&sources).await;
        running.stop().await;
        Ok(())
    });
    // What is left after a second signal is not waited for.
    runtime.shutdown_background();
    served
}

/// The service with all that belongs to it.
struct Running {
    plan: Plan,
    service: Service,
    servings: Vec<Serving>,
    admin: Admin,
    signals: Signals,
    /// Tasks that end with the service.
    tasks: Vec<AbortHandle>,
}

impl Running {
    /// Listens and says so.
    async fn start(plan: Plan, inherited: Vec<TcpListener>) -> Result<Self, Error> {
        let service = Service::new(plan.config.clone()).map_err(Error::Start)?;
        let admin = Admin::new(service.clone());
        let mut tasks = Vec::new();
        let second = match plan.admin {
            Some(address) => listen_for_admin(address, plan.admin_wanted).await?,
            None => None,
        };
        let admin_address = second.as_ref().and_then(|listener| listener.local_addr().ok());
        tasks.extend(second.map(|listener| tokio::spawn(admin.clone().serve(listener)).abort_handle()));
        let servings = listen(&plan, inherited)?
            .into_iter()
            .map(|listener| service.serve_with(listener, plan.front.clone()).map_err(Error::Start))
            .collect::<Result<Vec<_>, _>>()?;
        // Before the address is told: who reads it may send a signal at once.
        let signals = Signals::new().map_err(Error::Signals)?;
        tasks.push(tokio::spawn(manager::watchdog(service.clone())).abort_handle());
        tasks.push(tokio::spawn(memory::give_back(service.clone())).abort_handle());
        admin.set_ready(true);
        manager::ready("taking tunnels");
        tell(servings.iter().map(Serving::local_addr), admin_address).map_err(Error::Write)?;
        Ok(Self { plan, service, servings, admin, signals, tasks })
    }

    /// Follows orders until one is to stop.
    async fn follow_orders(&mut self, sources: &Sources) {
        while self.signals.next().await == Order::Reload {
            self.reload(sources);
        }
    }

    /// Reads the settings again; what is wrong with them is said, and the old ones stay.
    fn reload(&mut self, sources: &Sources) {
        manager::reloading();
        match sources.load().and_then(|loaded| Plan::new(&loaded)) {
            Ok(plan) => {
                self.apply(plan);
                manager::ready("taking tunnels");
            }
            Err(errors) => {
                for error in errors {
                    tracing::error!(%error, "the settings are wrong, the old ones stay");
                }
                manager::ready("taking tunnels; the last reload failed, see the log");
            }
        }
    }

    /// Puts into force what can change while the service runs, and says what has to wait.
    fn apply(&mut self, plan: Plan) {
        if let Some(Err(error)) = self.plan.tls.as_ref().map(TlsConfig::reload) {
            tracing::error!(%error, "the certificate in use stays");
        }
        for (key, changed) in [
            ("listen", plan.listen != self.plan.listen),
            ("admin.listen", plan.admin != self.plan.admin),
            ("node", plan.config.node.map(Node::number) != self.plan.config.node.map(Node::number)),
            ("proxy", plan.in_front != self.plan.in_front),
            ("tls", plan.tls_files != self.plan.tls_files),
            #[cfg(feature = "acme")]
            ("acme", plan.acme != self.plan.acme),
        ] {
            if changed {
                tracing::warn!(key, "this setting has changed and takes effect at the next start");
            }
        }
        let mut config = plan.config;
        config.node = self.plan.config.node;
        if plan.in_front != self.plan.in_front {
            // What is believed of proxies is one thing with how their connections are taken.
            config.trusted_proxies.clone_from(&self.plan.config.trusted_proxies);
            config.forwarded_header = self.plan.config.forwarded_header;
        }
        self.service.reconfigure(config.clone());
        self.plan.config = config;
        self.plan.drain_timeout = plan.drain_timeout;
        tracing::info!("the settings were read again");
    }

    /// Lets live tunnels finish and ends the service; at once if there is a second signal.
    async fn stop(mut self) {
        self.admin.set_ready(false);
        self.service.drain();
        let tunnels = self.service.tunnel_count();
        let limit = self.plan.drain_timeout;
        manager::stopping(&format!("{tunnels} tunnels may finish"), limit.saturating_add(GOODBYES));
        tracing::info!(tunnels, limit_s = limit.as_secs(), "stopping: live tunnels may finish");
        let stopped = stop_all(mem::take(&mut self.servings), limit);
        tokio::select! {
            () = stopped => {}
            () = self.signals.stop() => tracing::warn!("told to stop at once"),
        }
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

/// Waits until there are no tunnels, but no longer than `limit`, and closes what is left.
async fn stop_all(servings: Vec<Serving>, limit: Duration) {
    if let Some(serving) = servings.first()
        && !serving.drained(limit).await
    {
        tracing::warn!("the time to finish is over; the tunnels that are left are closed");
    }
    // All at once: each may take as long as its slowest peer.
    let stopping: Vec<_> = servings.into_iter().map(|serving| tokio::spawn(serving.stop())).collect();
    for stopped in stopping {
        let _ = stopped.await;
    }
}

/// The sockets that were passed, or else those of the settings.
fn listen(plan: &Plan, inherited: Vec<TcpListener>) -> Result<Vec<tokio::net::TcpListener>, Error> {
    if inherited.is_empty() {
        return sockets::bind(&plan.listen);
    }
    let loopback =
        |listener: &TcpListener| listener.local_addr().is_ok_and(|address| address.ip().is_loopback());
    if plan.limits_lifted && !inherited.iter().all(loopback) {
        return Err(Error::LiftedInherited);
    }
    inherited.into_iter().map(sockets::into_tokio).collect()
}

/// Binds the second listener. Without one that nobody asked for, the service is as good.
async fn listen_for_admin(
    address: SocketAddr,
    wanted: bool,
) -> Result<Option<tokio::net::TcpListener>, Error> {
    match tokio::net::TcpListener::bind(address).await {
        Ok(listener) => Ok(Some(listener)),
        Err(error) if wanted => Err(Error::AdminListen(address, error)),
        Err(error) => {
            tracing::warn!(
                port = address.port(),
                %error,
                "no metrics and health checks: their port is taken; set admin.listen to another one, or to \"off\""
            );
            Ok(None)
        }
    }
}

/// Says on standard output where the service listens.
fn tell(addresses: impl Iterator<Item = SocketAddr>, admin: Option<SocketAddr>) -> io::Result<()> {
    let mut lines: String = addresses.map(|address| format!("listening on {address}\n")).collect();
    lines.extend(admin.map(|address| format!("metrics and health checks on {address}\n")));
    // All at once: a reader may close its end after the line that it wants.
    let mut out = io::stdout().lock();
    out.write_all(lines.as_bytes())?;
    out.flush()
}
