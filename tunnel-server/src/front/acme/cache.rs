//! The account's key and the certificate, in files for their owner only.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::PoisonError,
};

use async_trait::async_trait;
use data_encoding::HEXLOWER;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls_acme::{AccountCache, CertCache};
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

use super::{SharedValidity, Validity};

/// How many bytes of a digest stand in a file name.
const NAME_BYTES: usize = 8;

/// A folder, and the validity of the certificate that last went through it.
pub(super) struct Cache {
    folder: PathBuf,
    validity: SharedValidity,
}

impl Cache {
    /// Makes the folder, if it is not there.
    pub(super) fn new(folder: &Path, validity: SharedValidity) -> io::Result<Self> {
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
        Ok(Self { folder: folder.to_owned(), validity })
    }

    /// A file whose name tells authorities and names apart, so that changed settings find nothing of the old ones.
    fn path(&self, kind: &str, parts: &[String], directory: &str) -> PathBuf {
        let mut digest = Sha256::new();
        for part in parts.iter().map(String::as_str).chain([directory]) {
            digest.update(part);
            digest.update([0]);
        }
        let digest = digest.finalize();
        let name = HEXLOWER.encode(digest.get(..NAME_BYTES).unwrap_or_default());
        self.folder.join(format!("{kind}-{name}"))
    }

    async fn load(path: PathBuf) -> io::Result<Option<Vec<u8>>> {
        let read = spawn_blocking(move || fs::read(path)).await.map_err(io::Error::other)?;
        match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        }
    }

    async fn store(path: PathBuf, bytes: Vec<u8>) -> io::Result<()> {
        spawn_blocking(move || write(&path, &bytes)).await.map_err(io::Error::other)?
    }

    /// Notes the certificate that comes into use.
    fn note(&self, pem: &[u8]) {
        let certificate = CertificateDer::from_pem_slice(pem).ok();
        let validity = certificate.as_ref().and_then(Validity::of);
        *self.validity.write().unwrap_or_else(PoisonError::into_inner) = validity;
    }
}

/// Writes a file that is never half there, and that only its owner may read.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("new");
    // A file that a crash left behind could have another mode.
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path)
}

#[async_trait]
impl CertCache for Cache {
    type EC = io::Error;

    async fn load_cert(&self, domains: &[String], directory: &str) -> io::Result<Option<Vec<u8>>> {
        let loaded = Self::load(self.path("certificate", domains, directory)).await?;
        if let Some(pem) = &loaded {
            self.note(pem);
        }
        Ok(loaded)
    }

    async fn store_cert(&self, domains: &[String], directory: &str, pem: &[u8]) -> io::Result<()> {
        self.note(pem);
        Self::store(self.path("certificate", domains, directory), pem.to_vec()).await
    }
}

#[async_trait]
impl AccountCache for Cache {
    type EA = io::Error;

    async fn load_account(&self, contact: &[String], directory: &str) -> io::Result<Option<Vec<u8>>> {
        Self::load(self.path("account", contact, directory)).await
    }

    async fn store_account(&self, contact: &[String], directory: &str, key: &[u8]) -> io::Result<()> {
        Self::store(self.path("account", contact, directory), key.to_vec()).await
    }
}
