//! Words to the service manager that started this process, if it wants any: one datagram each to
//! the socket that NOTIFY_SOCKET names (sd_notify(3)).

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

const SOCKET: &str = "NOTIFY_SOCKET";

/// The server answers and takes changes.
pub(crate) fn ready() {
    tell("READY=1");
}

/// The server is about to end.
pub(crate) fn stopping() {
    tell("STOPPING=1");
}

/// Another process is the server from now on. Said by the one that was: it is believed.
pub(crate) fn replaced_by(pid: u32) {
    tell(&format!("MAINPID={pid}\nREADY=1"));
}

fn tell(state: &str) {
    let Some(name) = env::var_os(SOCKET) else {
        return;
    };
    if let Err(error) = send(&name, state) {
        tracing::warn!(%error, "the service manager cannot be told {state}: {error}");
    }
}

fn send(name: &OsStr, state: &str) -> io::Result<()> {
    let address = match name.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(name)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.send_to_addr(state.as_bytes(), &address)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_reach_sockets_with_paths_and_without() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let listener = UnixDatagram::bind(&path).unwrap();
        send(path.as_os_str(), "READY=1").unwrap();
        let mut word = [0; 100];
        assert_eq!(listener.recv(&mut word).unwrap(), 7);
        assert_eq!(&word[..7], b"READY=1");

        let name = format!("meridian-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let listener = UnixDatagram::bind_addr(&address).unwrap();
        send(OsStr::new(&format!("@{name}")), "STOPPING=1").unwrap();
        assert_eq!(listener.recv(&mut word).unwrap(), 10);
        assert!(send(OsStr::new("/nowhere/at/all"), "READY=1").is_err());
    }
}
