//! The files of `[dns.tls]`: read at the start, at SIGHUP and when they change.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Error, Result};
use meridian_server::{Certificate, Encryption};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::spawn_blocking;
use tokio::time;

use crate::config::Tls;

/// How often it is looked whether the files have changed.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// A certificate and its key on disk.
#[derive(Debug, Clone)]
pub(crate) struct CertificateFiles {
    certificate: PathBuf,
    key: PathBuf,
}

/// What tells one state of a file from another: device, inode, length, change.
type Stamp = (u64, u64, u64, i64, i64);

impl CertificateFiles {
    pub(crate) fn of(tls: &Tls) -> Self {
        Self {
            certificate: tls.certificate.clone(),
            key: tls.key.clone(),
        }
    }

    /// Reads both, and makes sure that they belong together.
    pub(crate) fn load(&self) -> Result<Certificate> {
        let read = |path: &Path, which| {
            fs::read(path).with_context(|| format!("cannot read {which}, {}", path.display()))
        };
        let certificate = read(&self.certificate, "dns.tls.certificate")?;
        let key = read(&self.key, "dns.tls.key")?;
        Certificate::from_pem(&certificate, &key).map_err(|error| {
            let (which, path) = if error.is_of_key() {
                ("dns.tls.key", &self.key)
            } else {
                ("dns.tls.certificate", &self.certificate)
            };
            Error::new(error).context(format!("{which}, {}, cannot be used", path.display()))
        })
    }

    /// The state of both; none for one that is not there.
    fn stamps(&self) -> [Option<Stamp>; 2] {
        let stamp = |path: &PathBuf| {
            let of = fs::metadata(path).ok()?;
            Some((of.dev(), of.ino(), of.len(), of.ctime(), of.ctime_nsec()))
        };
        [stamp(&self.certificate), stamp(&self.key)]
    }
}

/// What encrypted listeners need, kept up to date.
pub(crate) struct Keeper {
    runtime: Runtime,
    certificate: Arc<Certificate>,
}

impl Keeper {
    /// Reads the files and starts watching them, on a runtime that handshakes will share.
    pub(crate) fn start(tls: &Tls) -> Result<Self> {
        let files = CertificateFiles::of(tls);
        let known = files.stamps();
        let certificate = Arc::new(files.load()?);
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("dns-tls")
            .enable_all()
            .build()?;
        let watch = Watch {
            files,
            known,
            certificate: Arc::clone(&certificate),
            hang_up: runtime.block_on(async { hang_up() })?,
        };
        runtime.spawn(watch.run());
        Ok(Self {
            runtime,
            certificate,
        })
    }

    /// What the server is told.
    pub(crate) fn encryption(&self) -> Encryption {
        Encryption {
            certificate: Arc::clone(&self.certificate),
            runtime: self.runtime.handle().clone(),
        }
    }
}

/// A signal before anybody listens would end the process.
fn hang_up() -> io::Result<Signal> {
    signal(SignalKind::hangup())
}

/// Replaces the certificate by what is in the files.
struct Watch {
    files: CertificateFiles,
    known: [Option<Stamp>; 2],
    certificate: Arc<Certificate>,
    hang_up: Signal,
}

impl Watch {
    /// Never ends by itself.
    async fn run(mut self) {
        loop {
            let told = tokio::select! {
                () = time::sleep(LOOK_EVERY) => false,
                _ = self.hang_up.recv() => true,
            };
            self.look(told).await;
        }
    }

    /// Reads the files if they have changed, or if told so. One that is tried in vain is tried
    /// again when it has changed, as when certificate and key are written one after the other.
    async fn look(&mut self, told: bool) {
        let (files, known) = (self.files.clone(), self.known);
        let looking = move || {
            let now = files.stamps();
            (now != known || told).then(|| (now, files.load()))
        };
        // A disk that hangs must not hold up the handshakes. It fails only at the end of all.
        let Ok(Some((now, loaded))) = spawn_blocking(looking).await else {
            return;
        };
        self.known = now;
        match loaded {
            Ok(certificate) => {
                self.certificate.replace(&certificate);
                tracing::info!(
                    "the certificate has been read again: {}",
                    self.files.certificate.display()
                );
            }
            Err(error) => tracing::error!(
                %error,
                "the new certificate cannot be used, and the one before is shown on until the \
                 files are mended: {error:#}"
            ),
        }
    }
}
