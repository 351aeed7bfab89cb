//! The errors that BlueZ answers calls with, under its own names and texts.

use std::fmt;

/// Why a call is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The adapter is switched off.
    NotReady,
    /// The program has asked for it already.
    InProgress,
    /// There is one under this path.
    AlreadyExists,
    /// There is none under this path.
    DoesNotExist,
    /// A value is of another type, or out of bounds.
    InvalidArguments,
    /// The device is not connected.
    NotConnected,
    /// The device does not let itself be paired with.
    AuthenticationFailed,
    /// There is no room for more.
    NotPermitted(&'static str),
    /// Anything else, in BlueZ's words.
    Failed(&'static str),
    /// The system's policy keeps the caller from talking to BlueZ at all.
    AccessDenied,
    /// There is no object at the path.
    UnknownObject,
    /// The object has no such interface.
    UnknownInterface,
    /// The interface has no such method, or none with these arguments.
    UnknownMethod,
    /// The interface has no such property.
    UnknownProperty,
    /// The property cannot be set.
    ReadOnlyProperty,
}

impl Refusal {
    /// The name of the error.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::NotReady => "org.bluez.Error.NotReady",
            Self::InProgress => "org.bluez.Error.InProgress",
            Self::AlreadyExists => "org.bluez.Error.AlreadyExists",
            Self::DoesNotExist => "org.bluez.Error.DoesNotExist",
            Self::InvalidArguments => "org.bluez.Error.InvalidArguments",
            Self::NotConnected => "org.bluez.Error.NotConnected",
            Self::AuthenticationFailed => "org.bluez.Error.AuthenticationFailed",
            Self::NotPermitted(_) => "org.bluez.Error.NotPermitted",
            Self::Failed(_) => "org.bluez.Error.Failed",
            Self::AccessDenied => "org.freedesktop.DBus.Error.AccessDenied",
            Self::UnknownObject => "org.freedesktop.DBus.Error.UnknownObject",
            Self::UnknownInterface | Self::UnknownProperty => "org.freedesktop.DBus.Error.InvalidArgs",
            Self::UnknownMethod => "org.freedesktop.DBus.Error.UnknownMethod",
            Self::ReadOnlyProperty => "org.freedesktop.DBus.Error.PropertyReadOnly",
        }
    }

    /// The text that comes with it.
    pub(super) const fn text(&self) -> &'static str {
        match self {
            Self::NotReady => "Resource Not Ready",
            Self::InProgress => "Operation already in progress",
            Self::AlreadyExists => "Already Exists",
            Self::DoesNotExist => "Does Not Exist",
            Self::InvalidArguments => "Invalid arguments in method call",
            Self::NotConnected => "Not Connected",
            Self::AuthenticationFailed => "Authentication Failed",
            Self::NotPermitted(text) | Self::Failed(text) => text,
            Self::AccessDenied => "Rejected send message: the policy of this bus keeps you from org.bluez",
            Self::UnknownObject => "No such object",
            Self::UnknownInterface => "No such interface",
            Self::UnknownMethod => "No such method with these arguments",
            Self::UnknownProperty => "No such property",
            Self::ReadOnlyProperty => "Property is read-only",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name(), self.text())
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use zbus::names::ErrorName;

    use super::*;

    #[test]
    fn names_can_travel() {
        for refusal in [
            Refusal::NotReady,
            Refusal::NotPermitted("Maximum advertisements reached"),
            Refusal::AccessDenied,
            Refusal::UnknownProperty,
            Refusal::ReadOnlyProperty,
        ] {
            assert!(ErrorName::try_from(refusal.name()).is_ok(), "{refusal:?}");
            assert!(!refusal.text().is_empty());
        }
    }
}
