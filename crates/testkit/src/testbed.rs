//! Everything together: a fake BlueZ for a real browser, a tunnel service, and a scripted phone in range of both.
//!
//! ```no_run
//! use hybridge_testkit::testbed::{Testbed, TestbedOptions};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let testbed = Testbed::start(TestbedOptions::default()).await?;
//! let settings = testbed.settings();
//! let mut browser = tokio::process::Command::new("chromium");
//! browser.args(&settings.chromium_args).envs(&settings.environment).arg("--user-data-dir=fresh");
//! # Ok(())
//! # }
//! ```

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use hybridge_ble::sim::Air;
use hybridge_proto::domain::DomainId;
use hybridge_tunnel::RootError;
use thiserror::Error;
use tokio::{net::TcpListener, task::JoinSet};

mod screen;
mod settings;

pub use self::settings::Settings;
use crate::{
    bluez::{FakeBluez, FakeBluezError},
    control,
    phone::ScriptedPhone,
    tunnel::{TunnelService, TunnelServiceError},
};

/// What a testbed is like.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TestbedOptions {
    /// The tunnel service's domain. Default: 266, whose host name follows from the number.
    pub domain: DomainId,
    /// How many Bluetooth adapters there are. Default: two, one for a browser and one for another program.
    pub adapters: u8,
    /// The port of the tunnel service on 127.0.0.1; 0, the default, takes a free one.
    pub tunnel_port: u16,
    /// The port of the [control interface](control) on 127.0.0.1; 0, the default, takes a free one.
    pub control_port: u16,
    /// An X display whose QR codes the phone scans by itself. Default: none.
    pub display: Option<String>,
}

impl Default for TestbedOptions {
    fn default() -> Self {
        Self { domain: DomainId::new(266), adapters: 2, tunnel_port: 0, control_port: 0, display: None }
    }
}

/// Why there is no testbed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TestbedError {
    /// There is no BlueZ.
    #[error(transparent)]
    Bluez(#[from] FakeBluezError),
    /// There is no tunnel service.
    #[error(transparent)]
    Tunnel(#[from] TunnelServiceError),
    /// The phone cannot trust the tunnel service.
    #[error(transparent)]
    Root(#[from] RootError),
    /// The control interface cannot listen.
    #[error("the control interface cannot listen on {address}: choose another port, or 0 for a free one")]
    Control {
        /// Where it was to listen.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// A running testbed. Dropping it ends all of it.
#[derive(Debug)]
#[must_use = "dropping it ends all of it"]
pub struct Testbed {
    bluez: FakeBluez,
    tunnel: TunnelService,
    phone: Arc<ScriptedPhone>,
    control: SocketAddr,
    /// The control interface and whoever watches the screen.
    tasks: JoinSet<()>,
}

impl Testbed {
    /// Starts everything. Must be called within a tokio runtime, which runs it.
    ///
    /// # Errors
    /// [`TestbedError`].
    ///
    /// # Cancel safety
    /// Dropping the future leaves nothing running.
    pub async fn start(options: TestbedOptions) -> Result<Self, TestbedError> {
        let air = Air::new(0);
        let bluez = FakeBluez::start(&air, options.adapters).await?;
        let tunnel = TunnelService::start(options.domain, options.tunnel_port).await?;
        let dialer = Arc::new(tunnel.dialer()?);
        let phone = Arc::new(ScriptedPhone::new(air.device("phone"), options.domain, dialer));
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.control_port));
        let listen = |source| TestbedError::Control { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let control = listener.local_addr().map_err(listen)?;
        let mut tasks = JoinSet::new();
        let router = control::router(Arc::clone(&phone));
        tasks.spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the control interface has ended");
            }
        });
        if let Some(display) = options.display {
            tasks.spawn(screen::watch(display, Arc::clone(&phone)));
        }
        Ok(Self { bluez, tunnel, phone, control, tasks })
    }

    /// The BlueZ, to break something about it.
    pub const fn bluez(&mut self) -> &mut FakeBluez {
        &mut self.bluez
    }

    /// The phone.
    pub fn phone(&self) -> &ScriptedPhone {
        &self.phone
    }

    /// The tunnel service.
    pub const fn tunnel(&self) -> &TunnelService {
        &self.tunnel
    }

    /// What programs need to know to use it.
    pub fn settings(&self) -> Settings {
        Settings::new(self.bluez.bus_address(), &(&self.tunnel).into(), self.control)
    }

    /// Ends everything and waits until that is done.
    ///
    /// # Cancel safety
    /// Dropping the future ends everything at once.
    pub async fn stop(mut self) {
        self.phone.hang_up();
        self.tasks.shutdown().await;
        self.tunnel.stop().await;
        self.bluez.stop().await;
    }
}
