//! The macro behind every secret byte string: boxed, wiped on drop, compared in constant time, never printed.

/// Stands for bytes that are not to be shown: `Debug` gives their number.
pub(crate) fn length(bytes: &[u8]) -> impl core::fmt::Debug {
    core::fmt::from_fn(move |f| write!(f, "{} bytes", bytes.len()))
}

/// Defines a secret of a fixed length.
///
/// The bytes live in one heap allocation, so that moving the value leaves no copy behind.
macro_rules! secret_bytes {
    ($(#[$doc:meta])* $name:ident, $len:expr) => {
        $(#[$doc])*
        pub struct $name(Box<[u8; $len]>);

        impl $name {
            /// Length in bytes.
            pub const LENGTH: usize = $len;

            /// Takes over the given bytes. The caller's array is copied and remains the caller's to wipe.
            pub fn from_bytes(bytes: &[u8; $len]) -> Self {
                Self(Box::new(*bytes))
            }

            /// Takes over a boxed array without copying it.
            pub fn from_boxed(bytes: Box<[u8; $len]>) -> Self {
                Self(bytes)
            }

            /// Draws a fresh value.
            pub fn generate(rng: &mut (impl rand_core::CryptoRng + ?Sized)) -> Self {
                let mut bytes = Box::new([0_u8; $len]);
                rng.fill_bytes(bytes.as_mut_slice());
                Self(bytes)
            }

            /// The secret bytes. The name makes every use easy to find.
            pub fn expose_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                zeroize::Zeroize::zeroize(self.0.as_mut_slice());
            }
        }

        impl zeroize::ZeroizeOnDrop for $name {}

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }

        impl subtle::ConstantTimeEq for $name {
            fn ct_eq(&self, other: &Self) -> subtle::Choice {
                self.0.as_slice().ct_eq(other.0.as_slice())
            }
        }

        impl PartialEq for $name {
            /// Compares in constant time.
            fn eq(&self, other: &Self) -> bool {
                subtle::ConstantTimeEq::ct_eq(self, other).into()
            }
        }

        impl Eq for $name {}
    };
}

pub(crate) use secret_bytes;
