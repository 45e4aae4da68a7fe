//! The new process's side: it finds the channel to the old one, takes what it is given, and says
//! how far it has got.

use std::env;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, getppid, kill_process};

use super::channel::{self, Channel};
use super::{
    ENVIRONMENT, FILES_TIMEOUT, Handed, MAX_SOCKETS, Message, PROTOCOL, QUIET_TIMEOUT,
    SOCKETS_TIMEOUT,
};

/// The process that this one is to replace.
#[derive(Debug)]
pub(crate) struct Predecessor {
    channel: OwnedFd,
    pid: Option<Pid>,
}

/// What comes from it: the channel, and the sockets that nobody has taken yet.
pub(crate) struct Inheritance {
    channel: Channel,
    predecessor: Option<Pid>,
    sockets: Vec<Handed>,
}

impl Predecessor {
    /// The process that started this one to be replaced by it, if one did. Its channel is the
    /// standard input, which is nothing from then on.
    pub(crate) fn find() -> Result<Option<Self>> {
        let Some(protocol) = env::var_os(ENVIRONMENT) else {
            return Ok(None);
        };
        ensure!(
            protocol == PROTOCOL.to_string().as_str(),
            "{ENVIRONMENT} is {}, this version knows only {PROTOCOL}",
            protocol.display()
        );
        let channel = io::stdin().as_fd().try_clone_to_owned()?;
        let nothing = File::open("/dev/null")?;
        rustix::stdio::dup2_stdin(&nothing).context("cannot give the standard input away")?;
        Ok(Some(Self {
            channel,
            pid: getppid(),
        }))
    }

    /// Tells it why this process ends. It goes on by itself should that not reach it.
    pub(crate) fn tell(&self, reason: String) {
        let failed = Message::Failed { reason };
        let _ = channel::send(self.channel.as_fd(), &failed, &[]);
    }

    /// Presents this process and receives the sockets of the server in this directory.
    pub(crate) async fn inherit(&self, data_dir: &Path) -> Result<Inheritance> {
        let channel = Channel::new(self.channel.try_clone()?)
            .context("the standard input is no channel to a server that is to be replaced")?;
        let hello = Message::Hello {
            protocol: PROTOCOL,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        channel.send(&hello, &[]).await?;
        let mut inheritance = Inheritance {
            channel,
            predecessor: self.pid,
            sockets: Vec::new(),
        };
        inheritance.receive_sockets(data_dir).await?;
        Ok(inheritance)
    }
}

impl Inheritance {
    async fn receive_sockets(&mut self, data_dir: &Path) -> Result<()> {
        let gone = "the server that is to be replaced went away";
        let received = self.channel.receive(SOCKETS_TIMEOUT).await?;
        let count = match received.context(gone)?.0 {
            Message::Welcome {
                data_dir: theirs,
                sockets,
            } => {
                let ours = fs::canonicalize(data_dir).unwrap_or_else(|_| data_dir.to_owned());
                ensure!(
                    ours.to_string_lossy() == theirs,
                    "the configuration names the data directory {}, the running server's is \
                     {theirs}",
                    ours.display()
                );
                sockets
            }
            other => return channel::unexpected(&other),
        };
        ensure!(count <= MAX_SOCKETS, "{count} sockets are too many");
        while self.sockets.len() < count {
            let (message, sockets) = self.channel.receive(SOCKETS_TIMEOUT).await?.context(gone)?;
            let Message::Sockets { places } = message else {
                return channel::unexpected(&message);
            };
            ensure!(
                !places.is_empty() && places.len() == sockets.len(),
                "{} sockets came for {} places",
                sockets.len(),
                places.len()
            );
            let handed = places.into_iter().zip(sockets);
            let handed = handed.map(|(place, socket)| Handed { place, socket });
            self.sockets.extend(handed);
        }
        Ok(())
    }

    /// The sockets, once.
    pub(crate) fn take_sockets(&mut self) -> Vec<Handed> {
        std::mem::take(&mut self.sockets)
    }

    /// Says that all sockets are here; returns when the files are free. That they are when the
    /// predecessor has died, too.
    pub(crate) async fn wait_for_files(&mut self) -> Result<()> {
        self.send(&Message::Prepared).await;
        match self.channel.receive(FILES_TIMEOUT).await? {
            Some((Message::Files, _)) => Ok(()),
            None => {
                self.note_death();
                Ok(())
            }
            Some((other, _)) => channel::unexpected(&other),
        }
    }

    /// Says that this process answers; returns when the predecessor does not any more.
    pub(crate) async fn wait_for_quiet(&mut self) -> Result<()> {
        self.send(&Message::Answering).await;
        match self.channel.receive(QUIET_TIMEOUT).await {
            Ok(Some((Message::Quiet, _))) => Ok(()),
            Ok(None) => {
                self.note_death();
                Ok(())
            }
            Ok(Some((other, _))) => channel::unexpected(&other),
            Err(error) => self.end_predecessor().context(error),
        }
    }

    /// Says that this process has taken everything over.
    pub(crate) async fn finish(self) {
        self.send(&Message::Serving).await;
    }

    /// Whoever has died cannot be told anything, and need not be.
    async fn send(&self, message: &Message) {
        if let Err(error) = self.channel.send(message, &[]).await {
            tracing::warn!(%error, "the replaced server does not listen: {error:#}");
        }
    }

    fn note_death(&self) {
        tracing::warn!("the server to be replaced has ended early; going on without it");
    }

    /// Ends a predecessor that hangs: it would go on answering from what it knew.
    fn end_predecessor(&self) -> Result<()> {
        let Some(pid) = self.predecessor.filter(|pid| getppid() == Some(*pid)) else {
            bail!("the replaced server cannot be found");
        };
        tracing::error!(
            pid = pid.as_raw_nonzero(),
            "the replaced server hangs and is killed"
        );
        kill_process(pid, Signal::KILL).context("the replaced server cannot be killed")
    }
}
