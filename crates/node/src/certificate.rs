//! The files of a certificate, `[dns.tls]` or `[api.tls]`: read at the start, at SIGHUP and when they
//! change.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Error, Result};
use meridian_server::{Certificate, Encryption};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::spawn_blocking;
use tokio::time::{self, Instant};

use crate::config::Tls;

/// How long before its end a certificate is warned of, and how often.
pub(crate) const WARN_BEFORE: Duration = Duration::from_secs(14 * 24 * 3600);
const WARN_EVERY: Duration = Duration::from_secs(24 * 3600);
/// How often it is looked whether the files have changed.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// A certificate and its key on disk.
#[derive(Debug, Clone)]
pub(crate) struct CertificateFiles {
    /// What configures it.
    section: &'static str,
    certificate: PathBuf,
    key: PathBuf,
}

/// What tells one state of a file from another: device, inode, length, change.
type Stamp = (u64, u64, u64, i64, i64);

impl CertificateFiles {
    /// The files that this section of the configuration names.
    pub(crate) fn new(section: &'static str, certificate: &Path, key: &Path) -> Self {
        Self {
            section,
            certificate: certificate.to_owned(),
            key: key.to_owned(),
        }
    }

    /// Reads both, and makes sure that they belong together.
    pub(crate) fn load(&self) -> Result<Certificate> {
        let section = self.section;
        let read = |path: &Path, which| {
            let context = || format!("cannot read {section}.{which}, {}", path.display());
            fs::read(path).with_context(context)
        };
        let certificate = read(&self.certificate, "certificate")?;
        let key = read(&self.key, "key")?;
        Certificate::from_pem(&certificate, &key).map_err(|error| {
            let (which, path) = if error.is_of_key() {
                ("key", &self.key)
            } else {
                ("certificate", &self.certificate)
            };
            let path = path.display();
            Error::new(error).context(format!("{section}.{which}, {path}, cannot be used"))
        })
    }

    /// What there is to be warned of at this time: none if it is good for a while.
    pub(crate) fn warning(&self, certificate: &Certificate, now: SystemTime) -> Option<String> {
        let left = certificate.ends_at()?.duration_since(now);
        let section = self.section;
        let path = self.certificate.display();
        match left {
            Ok(left) if left > WARN_BEFORE => None,
            Ok(left) => Some(format!(
                "{section}.certificate, {path}, ends in {} days; clients will refuse it then: renew \
                 it",
                left.as_secs() / (24 * 3600)
            )),
            Err(_) => Some(format!(
                "{section}.certificate, {path}, has ended, and clients refuse it: renew it"
            )),
        }
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

/// Reads the files, and keeps what is in them up to date for as long as the runtime lives that this
/// is called on.
pub(crate) fn follow(files: CertificateFiles) -> Result<Arc<Certificate>> {
    let known = files.stamps();
    let certificate = Arc::new(files.load()?);
    let watch = Watch {
        files,
        known,
        certificate: Arc::clone(&certificate),
        // A signal before anybody listens would end the process.
        hang_up: signal(SignalKind::hangup())?,
        // The start has its own warnings.
        warned: Instant::now(),
    };
    tokio::spawn(watch.run());
    Ok(certificate)
}

/// What encrypted listeners of DNS need, kept up to date.
pub(crate) struct Keeper {
    runtime: Runtime,
    certificate: Arc<Certificate>,
}

impl Keeper {
    /// Reads the files and starts watching them, on a runtime that handshakes will share.
    pub(crate) fn start(tls: &Tls) -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("dns-tls")
            .enable_all()
            .build()?;
        let certificate = runtime.block_on(async { follow(tls.files()) })?;
        Ok(Self {
            runtime,
            certificate,
        })
    }

    /// What is shown.
    pub(crate) fn certificate(&self) -> &Arc<Certificate> {
        &self.certificate
    }

    /// What the server is told.
    pub(crate) fn encryption(&self) -> Encryption {
        Encryption {
            certificate: Arc::clone(&self.certificate),
            runtime: self.runtime.handle().clone(),
        }
    }
}

/// Replaces the certificate by what is in the files.
struct Watch {
    files: CertificateFiles,
    known: [Option<Stamp>; 2],
    certificate: Arc<Certificate>,
    hang_up: Signal,
    /// When its end was last looked at.
    warned: Instant,
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
            self.warn();
        }
    }

    fn warn(&mut self) {
        if self.warned.elapsed() < WARN_EVERY {
            return;
        }
        self.warned = Instant::now();
        if let Some(warning) = self.files.warning(&self.certificate, SystemTime::now()) {
            tracing::warn!("{warning}");
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
