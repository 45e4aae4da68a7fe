//! What commands have in common that show something: results for people or for programs, where they
//! go, and a bar for what takes long. What stands in results is each command's business.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind, IsTerminal, StdoutLock, Write};
use std::time::{Duration, Instant};

/// How often the bar is drawn.
const DRAWN_EVERY: Duration = Duration::from_millis(100);
/// Characters of a full bar.
const WIDTH: usize = 40;

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl Form {
    /// What a command line asks for, with `--json` or without.
    pub(crate) fn of(json: bool) -> Self {
        if json { Self::Json } else { Self::Text }
    }
}

/// Standard output, for all that commands print.
///
/// Whoever reads it may have seen enough, as `head` has: what is written then goes nowhere, and the
/// command goes on to its end, so that its exit code says what became of it. Only
/// [`flush`](Write::flush) fails, with [`Unread`]: a command that has no end, or much more to print,
/// asks there whether to go on.
pub(crate) struct Output<W = StdoutLock<'static>> {
    out: W,
    is_unread: bool,
}

/// Nobody reads any more what is printed.
#[derive(Debug)]
pub(crate) struct Unread;

/// Standard output, and nobody else's meanwhile.
#[expect(clippy::disallowed_methods, reason = "this is where it is done")]
pub(crate) fn out() -> Output {
    Output::over(io::stdout().lock())
}

/// Whether a person looks at standard output.
#[expect(clippy::disallowed_methods, reason = "nothing is written")]
pub(crate) fn is_screen() -> bool {
    io::stdout().is_terminal()
}

impl<W: Write> Output<W> {
    fn over(out: W) -> Self {
        Self {
            out,
            is_unread: false,
        }
    }
}

impl<W: Write> Write for Output<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_unread {
            return Ok(bytes.len());
        }
        match self.out.write(bytes) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.is_unread = true;
                Ok(bytes.len())
            }
            other => other,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.out.flush() {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => self.is_unread = true,
            other => other?,
        }
        if self.is_unread {
            return Err(io::Error::new(ErrorKind::BrokenPipe, Unread));
        }
        Ok(())
    }
}

impl Unread {
    /// Whether a command ended for no other reason. A server that broke a connection off is one.
    pub(crate) fn is_why(error: &anyhow::Error) -> bool {
        let inner = |error: &(dyn Error + 'static)| {
            let error = error.downcast_ref::<io::Error>()?.get_ref()?;
            Some(error.is::<Self>())
        };
        error.chain().any(|error| inner(error) == Some(true))
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody reads on")
    }
}

impl Error for Unread {}

/// A bar on the terminal, if standard error is one.
#[derive(Debug)]
pub(crate) struct Bar {
    shown: bool,
    drawn: Option<Instant>,
}

impl Bar {
    /// Nothing is drawn yet.
    pub(crate) fn new(form: Form) -> Self {
        Self {
            shown: matches!(form, Form::Text) && io::stderr().is_terminal(),
            drawn: None,
        }
    }

    /// Draws it, if it was not just now.
    pub(crate) fn draw(&mut self, what: &str, done: u64, all: u64) {
        let lately = |drawn: Instant| drawn.elapsed() < DRAWN_EVERY;
        if !self.shown || self.drawn.is_some_and(lately) {
            return;
        }
        self.drawn = Some(Instant::now());
        if all == 0 {
            // Nobody knows how much there will be.
            let _ = write!(io::stderr(), "\r{what} {done} bytes\x1b[K");
            return;
        }
        let percent = done.min(all) * 100 / all;
        let filled = usize::try_from(percent).unwrap_or(100) * WIDTH / 100;
        let bar = format!("{:<WIDTH$}", "#".repeat(filled));
        let _ = write!(io::stderr(), "\r{what} [{bar}] {percent:>3}%\x1b[K");
    }

    /// Takes it away, before something else is printed.
    pub(crate) fn clear(&mut self) {
        if self.shown && self.drawn.take().is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `head` is once it has its lines.
    struct Gone;

    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_broken_pipe_failed_what_was_done() {
        let mut out = Output::over(Gone);
        for _ in 0..3 {
            writeln!(out, "a line").unwrap();
        }
        let unread = anyhow::Error::from(out.flush().unwrap_err());
        assert!(Unread::is_why(&unread), "{unread:#}");
        assert!(Unread::is_why(&unread.context("in a command")));
        // A socket's is a failure.
        let socket = anyhow::Error::from(io::Error::from(ErrorKind::BrokenPipe));
        assert!(!Unread::is_why(&socket), "{socket:#}");
    }

    #[test]
    fn what_is_read_is_as_it_was_written() {
        let mut out = Output::over(Vec::new());
        out.write_all(b"line 1").unwrap();
        out.flush().unwrap();
        assert_eq!(out.out, b"line 1");
        // A disk that is full fails a command.
        let mut room = [0; 2];
        let mut full = Output::over(room.as_mut_slice());
        assert!(write!(full, "a line").is_err());
    }
}
