//! The old process's side: it starts the new one, leads it through the steps, and ends it should it
//! fail.

use std::env;
use std::fs;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use tokio::time;

use super::channel::{self, Channel, MAX_SOCKETS_AT_ONCE};
use super::{
    ANSWERING_TIMEOUT, ENVIRONMENT, HELLO_TIMEOUT, Handed, Message, PREPARED_TIMEOUT, PROTOCOL,
    SERVING_TIMEOUT, SOCKETS_TIMEOUT,
};

/// How long a process that closed its end of the channel is given to end, so that its exit status
/// can be told.
const END_TIMEOUT: Duration = Duration::from_secs(1);
/// How often that is looked at.
const END_PAUSE: Duration = Duration::from_millis(5);

/// A new process that is to take over. Dropped before it serves, it is killed, and gone when the
/// drop returns: its files are free again.
pub(crate) struct Successor {
    child: Option<Child>,
    channel: Channel,
    pid: u32,
    version: String,
}

impl Successor {
    /// Starts `binary` with the command line, directory and environment of this process and hands
    /// it the sockets. Nothing of this process changes by that.
    pub(crate) async fn launch(binary: &Path, data_dir: &Path, sockets: &[Handed]) -> Result<Self> {
        let (ours, theirs) = channel::pair()?;
        let channel = Channel::new(ours)?;
        let shown = binary.display();
        let child = Command::new(binary)
            .args(env::args_os().skip(1))
            .env(ENVIRONMENT, PROTOCOL.to_string())
            .stdin(Stdio::from(theirs))
            .spawn()
            .with_context(|| format!("cannot start {shown}"))?;
        let mut successor = Self {
            pid: child.id(),
            child: Some(child),
            channel,
            version: String::new(),
        };
        let greeted = successor.greet(data_dir, sockets).await;
        greeted.with_context(|| format!("{shown} did not get ready"))?;
        Ok(successor)
    }

    async fn greet(&mut self, data_dir: &Path, sockets: &[Handed]) -> Result<()> {
        match self.receive(HELLO_TIMEOUT).await? {
            Message::Hello { protocol, version } => {
                ensure!(
                    protocol == PROTOCOL,
                    "version {version} replaces by protocol {protocol}, this one by {PROTOCOL}"
                );
                self.version = version;
            }
            other => return channel::unexpected(&other),
        }
        let data_dir = fs::canonicalize(data_dir)?.to_string_lossy().into_owned();
        let welcome = Message::Welcome {
            data_dir,
            sockets: sockets.len(),
        };
        self.send(&welcome, &[]).await?;
        for some in sockets.chunks(MAX_SOCKETS_AT_ONCE) {
            let places = some.iter().map(|handed| handed.place.clone()).collect();
            self.send(&Message::Sockets { places }, some).await?;
        }
        match self.receive(PREPARED_TIMEOUT).await? {
            Message::Prepared => Ok(()),
            other => channel::unexpected(&other),
        }
    }

    /// The process's id.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// The version it says it is.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Gives it the files, which this process has closed; returns when it answers DNS.
    pub(crate) async fn take_files(&mut self) -> Result<()> {
        self.send(&Message::Files, &[]).await?;
        match self.receive(ANSWERING_TIMEOUT).await? {
            Message::Answering => Ok(()),
            other => channel::unexpected(&other),
        }
    }

    /// Tells it that this process answers no more; returns when it has taken everything over.
    pub(crate) async fn take_over(&mut self) -> Result<()> {
        self.send(&Message::Quiet, &[]).await?;
        match self.receive(SERVING_TIMEOUT).await? {
            Message::Serving => {
                // From here on it lives without us.
                self.child = None;
                Ok(())
            }
            other => channel::unexpected(&other),
        }
    }

    async fn send(&mut self, message: &Message, beside: &[Handed]) -> Result<()> {
        let sockets: Vec<_> = beside.iter().map(|handed| handed.socket.as_fd()).collect();
        let sending = self.channel.send(message, &sockets);
        match time::timeout(SOCKETS_TIMEOUT, sending).await {
            Ok(Ok(())) => Ok(()),
            // If it can be told why it does not listen, that is better to know.
            Ok(Err(error)) => match self.receive(END_TIMEOUT).await {
                Ok(_) => Err(error),
                Err(reason) => Err(reason),
            },
            Err(_) => bail!("the new process takes no messages"),
        }
    }

    /// The next message, unless the new process fails, is silent for too long or ends.
    async fn receive(&mut self, patience: Duration) -> Result<Message> {
        match self.channel.receive(patience).await? {
            Some((Message::Failed { reason }, _)) => Err(anyhow!("the new process: {reason}")),
            Some((message, _)) => Ok(message),
            None => match self.ended().await {
                Some(status) => bail!("the new process ended ({status}); the log may say why"),
                None => bail!("the new process broke off"),
            },
        }
    }

    /// How it ended, if it does within a moment.
    async fn ended(&mut self) -> Option<ExitStatus> {
        let give_up = Instant::now() + END_TIMEOUT;
        let child = self.child.as_mut()?;
        while Instant::now() < give_up {
            if let Ok(Some(status)) = child.try_wait() {
                return Some(status);
            }
            time::sleep(END_PAUSE).await;
        }
        None
    }
}

impl Drop for Successor {
    fn drop(&mut self) {
        let Some(child) = &mut self.child else {
            return;
        };
        // Both fail only when it has been waited for already.
        let _ = child.kill();
        let _ = child.wait();
    }
}
