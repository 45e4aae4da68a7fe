//! Messages and sockets between two processes, over a pair of Unix sockets that keep the borders of
//! messages. What is said is in `replace`.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use rustix::cmsg_space;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg,
    sendmsg, socketpair,
};
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::time;

use super::Message;

/// The longest message, in bytes.
const MAX_MESSAGE: usize = 64 * 1024;
/// The most sockets beside one message; the kernel's limit is 253.
pub(super) const MAX_SOCKETS_AT_ONCE: usize = 128;

/// One end of the channel.
pub(super) struct Channel {
    /// Of another kind than its type says, so that it is only used through its descriptor.
    socket: UnixStream,
}

/// A message with the sockets that came beside it.
pub(super) type Received = (Message, Vec<OwnedFd>);

/// Both ends; none of them is inherited by other processes by itself.
pub(super) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let (family, kind) = (AddressFamily::UNIX, SocketType::SEQPACKET);
    Ok(socketpair(family, kind, SocketFlags::CLOEXEC, None)?)
}

impl Channel {
    /// Must be called on a runtime.
    pub(super) fn new(socket: OwnedFd) -> io::Result<Self> {
        let socket = net::UnixStream::from(socket);
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket: UnixStream::from_std(socket)?,
        })
    }

    /// Sends a message with sockets beside it.
    pub(super) async fn send(&self, message: &Message, sockets: &[BorrowedFd<'_>]) -> Result<()> {
        loop {
            self.socket.writable().await?;
            let send = || send(self.socket.as_fd(), message, sockets);
            match self.socket.try_io(Interest::WRITABLE, send) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                outcome => return Ok(outcome?),
            }
        }
    }

    /// The next message; none when the other process has gone.
    pub(super) async fn receive(&self, patience: Duration) -> Result<Option<Received>> {
        let received = async {
            loop {
                self.socket.readable().await?;
                let receive = || receive(self.socket.as_fd());
                match self.socket.try_io(Interest::READABLE, receive) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    // Said once, when it ended with something unread; what it had said before
                    // comes after that, and then the end.
                    Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
                    outcome => return outcome,
                }
            }
        };
        let Ok(outcome) = time::timeout(patience, received).await else {
            bail!(
                "the other process said nothing for {} s",
                patience.as_secs()
            );
        };
        match outcome {
            Ok(None) => Ok(None),
            Ok(Some((bytes, sockets))) => {
                let message = serde_json::from_slice(&bytes);
                Ok(Some((message.context("an unknown message came")?, sockets)))
            }
            Err(error) => Err(anyhow!(error).context("the channel between the processes broke")),
        }
    }
}

/// Sends at once or fails with `WouldBlock`.
pub(super) fn send(
    channel: BorrowedFd<'_>,
    message: &Message,
    sockets: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let bytes = serde_json::to_vec(message)?;
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MAX_SOCKETS_AT_ONCE))];
    let mut beside = SendAncillaryBuffer::new(&mut space);
    let fits = sockets.is_empty() || beside.push(SendAncillaryMessage::ScmRights(sockets));
    if !fits || sockets.len() > MAX_SOCKETS_AT_ONCE || bytes.len() > MAX_MESSAGE {
        return Err(io::Error::other("the message is too long"));
    }
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    sendmsg(channel, &[IoSlice::new(&bytes)], &mut beside, flags)?;
    Ok(())
}

/// Receives at once or fails with `WouldBlock`; none at the end.
fn receive(channel: BorrowedFd<'_>) -> io::Result<Option<(Vec<u8>, Vec<OwnedFd>)>> {
    let mut bytes = vec![0; MAX_MESSAGE];
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(MAX_SOCKETS_AT_ONCE))];
    let mut beside = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    let buffers = &mut [IoSliceMut::new(&mut bytes)];
    let received = recvmsg(channel, buffers, &mut beside, flags)?;
    let mut sockets = Vec::new();
    for message in beside.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            sockets.extend(rights);
        }
    }
    let cut_off = ReturnFlags::TRUNC | ReturnFlags::CTRUNC;
    if received.flags.intersects(cut_off) {
        return Err(io::Error::other("a message came cut off"));
    }
    if received.bytes == 0 {
        return Ok(None);
    }
    bytes.truncate(received.bytes);
    Ok(Some((bytes, sockets)))
}

/// Refuses a message that does not have to come now.
pub(super) fn unexpected<T>(message: &Message) -> Result<T> {
    bail!("the other process said {message:?} out of turn")
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Seek, Write};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    fn channels() -> (Channel, Channel) {
        let (one, other) = pair().unwrap();
        (Channel::new(one).unwrap(), Channel::new(other).unwrap())
    }

    #[tokio::test]
    async fn descriptors_arrive_with_their_message_and_are_not_inherited() {
        let (ours, theirs) = channels();
        let files: Vec<File> = (0..MAX_SOCKETS_AT_ONCE)
            .map(|number| {
                let mut file = tempfile::tempfile().unwrap();
                write!(file, "{number}").unwrap();
                file
            })
            .collect();
        let sockets: Vec<_> = files.iter().map(File::as_fd).collect();
        ours.send(&Message::Files, &sockets).await.unwrap();
        ours.send(&Message::Quiet, &[]).await.unwrap();
        let (message, received) = theirs.receive(PATIENCE).await.unwrap().unwrap();
        assert!(matches!(message, Message::Files));
        assert_eq!(received.len(), MAX_SOCKETS_AT_ONCE);
        for (number, socket) in received.into_iter().enumerate() {
            let flags = rustix::io::fcntl_getfd(&socket).unwrap();
            assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
            let (mut file, mut text) = (File::from(socket), String::new());
            file.rewind().unwrap();
            file.read_to_string(&mut text).unwrap();
            assert_eq!(text, number.to_string());
        }
        let (message, received) = theirs.receive(PATIENCE).await.unwrap().unwrap();
        assert!(matches!(message, Message::Quiet) && received.is_empty());
        let too_many = vec![files[0].as_fd(); MAX_SOCKETS_AT_ONCE + 1];
        assert!(ours.send(&Message::Files, &too_many).await.is_err());
    }

    #[tokio::test]
    async fn the_last_words_are_heard_of_one_that_did_not_listen() {
        let (ours, theirs) = channels();
        ours.send(&Message::Files, &[]).await.unwrap();
        let reason = "no time".to_owned();
        theirs.send(&Message::Failed { reason }, &[]).await.unwrap();
        drop(theirs);
        let (last, _) = ours.receive(PATIENCE).await.unwrap().unwrap();
        assert!(matches!(last, Message::Failed { reason } if reason == "no time"));
        assert!(ours.receive(PATIENCE).await.unwrap().is_none());
        assert!(ours.send(&Message::Quiet, &[]).await.is_err());
    }

    #[tokio::test]
    async fn silence_and_nonsense_are_errors() {
        let (ours, theirs) = channels();
        let error = |outcome: Result<Option<Received>>| outcome.unwrap_err().to_string();
        let silence = error(ours.receive(Duration::from_millis(1)).await);
        assert!(silence.contains("said nothing"), "{silence}");
        for nonsense in ["{}", r#"{"message":"unheard-of"}"#, "\u{0}"] {
            rustix::io::write(&theirs.socket, nonsense.as_bytes()).unwrap();
            let unknown = error(ours.receive(PATIENCE).await);
            assert!(unknown.contains("unknown message"), "{unknown}");
        }
        let long = vec![b' '; MAX_MESSAGE + 1];
        rustix::io::write(&theirs.socket, &long).unwrap();
        let cut = format!("{:#}", ours.receive(PATIENCE).await.unwrap_err());
        assert!(cut.contains("cut off"), "{cut}");
    }
}
