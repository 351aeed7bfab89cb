//! What the phone's side needs from an authenticator: requests in, replies out.

/// Answers the CTAP requests that a connected client sends (CTAP 2.2 section 11.5.1).
///
/// A password manager implements this over its own store and user interface;
/// [`PasskeyService`](crate::passkey::PasskeyService) implements it over `passkey-authenticator`. Requests arrive
/// one at a time. All CBOR that leaves must be in CTAP2 canonical form, else deployed clients drop the connection.
pub trait CtapService: Send {
    /// The authenticatorGetInfo response as canonical CBOR, without a status byte. The client gets it once, right
    /// after the handshake, and seldom asks again.
    ///
    /// # Cancel safety
    /// Dropping the future must leave the service ready for the next call.
    fn get_info(&mut self) -> impl Future<Output = Vec<u8>> + Send;

    /// Answers one request: a command byte and CBOR in, a status byte and, on success, CBOR out. An empty reply is
    /// not allowed; a request that cannot be understood gets an error status.
    ///
    /// # Cancel safety
    /// The future is dropped when the client leaves, and after
    /// [`Authenticator::user_action`](crate::Authenticator::user_action). That must end any question to the user and leave the service
    /// ready for the next call; whether a credential was stored by then is open.
    fn call(&mut self, request: &[u8]) -> impl Future<Output = Vec<u8>> + Send;
}

impl<S: CtapService> CtapService for &mut S {
    fn get_info(&mut self) -> impl Future<Output = Vec<u8>> + Send {
        S::get_info(self)
    }

    fn call(&mut self, request: &[u8]) -> impl Future<Output = Vec<u8>> + Send {
        S::call(self, request)
    }
}
