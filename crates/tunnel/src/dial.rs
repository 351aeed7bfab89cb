//! The seam between a driver and whatever opens its data channels.

use std::{future::Future, pin::Pin, sync::Arc};

use hybridge_proto::{
    ids::RoutingId,
    service::{RoutingIdError, ServiceRequest},
};

use crate::{channel::DataChannel, error::DialError};

/// An open channel to a tunnel service, and what the service said on opening it.
#[derive(Debug)]
pub struct Dialed {
    /// The channel.
    pub channel: DataChannel,
    /// The tunnel's routing ID, which only the answer to `/cable/new` must have; on other paths ignore it.
    pub routing_id: Result<RoutingId, RoutingIdError>,
    /// Whether the connect signal was asked for and agreed to: then the first message is a single zero byte,
    /// which says that the phone has joined.
    pub signal: bool,
}

/// Opens data channels to tunnel services (CTAP 2.2 section 11.5.1).
pub trait Dialer: Send + Sync {
    /// Opens one channel.
    ///
    /// # Errors
    /// [`DialError`]; nothing stays open then.
    ///
    /// # Cancel safety
    /// Dropping the future closes whatever was opened. The service may have carried the request out.
    fn dial(&self, request: &ServiceRequest) -> impl Future<Output = Result<Dialed, DialError>> + Send;
}

/// The boxed future of [`DynDialer`].
pub type DialFuture<'a> = Pin<Box<dyn Future<Output = Result<Dialed, DialError>> + Send + 'a>>;

/// [`Dialer`] for storage as `Arc<dyn DynDialer>`. Implemented by every dialer, and itself a dialer.
pub trait DynDialer: Send + Sync {
    /// See [`Dialer::dial`].
    fn dial_dyn<'a>(&'a self, request: &'a ServiceRequest) -> DialFuture<'a>;
}

impl<T: Dialer> DynDialer for T {
    fn dial_dyn<'a>(&'a self, request: &'a ServiceRequest) -> DialFuture<'a> {
        Box::pin(self.dial(request))
    }
}

impl Dialer for dyn DynDialer {
    async fn dial(&self, request: &ServiceRequest) -> Result<Dialed, DialError> {
        self.dial_dyn(request).await
    }
}

impl<T: Dialer + ?Sized> Dialer for Arc<T> {
    async fn dial(&self, request: &ServiceRequest) -> Result<Dialed, DialError> {
        (**self).dial(request).await
    }
}
