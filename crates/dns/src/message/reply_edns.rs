//! The OPT record of a reply (RFC 6891) and its options.

use super::codes::option;
use super::edns::ClientSubnet;

/// What the OPT record of a reply says. The version is always 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReplyEdns<'a> {
    /// The largest UDP payload this server takes.
    pub udp_payload: u16,
    /// The DO bit, to be copied from the query (RFC 3225 section 3).
    pub dnssec_ok: bool,
    /// The query's option with the scope set (RFC 7871 section 7.2.1).
    pub client_subnet: Option<ClientSubnet<'a>>,
    /// Why the answer is what it is.
    pub extended_error: Option<ExtendedError<'a>>,
    /// Further options, as code and data: cookie, NSID.
    pub options: &'a [(u16, &'a [u8])],
}

/// An extended DNS error (RFC 8914).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExtendedError<'a> {
    /// One of [`codes::ede`](super::codes::ede).
    pub code: u16,
    /// A short text for people; may be empty.
    pub text: &'a str,
}

/// An OPT record without options: root, type, class, TTL, length of data.
pub(super) const BARE_LEN: usize = 11;
/// Code and length in front of each option's data.
const OPTION_HEAD_LEN: usize = 4;

impl ReplyEdns<'_> {
    /// The length of the whole OPT record on the wire: what to
    /// [`reserve`](super::Reply::reserve).
    pub fn wire_len(&self) -> usize {
        let mut len = BARE_LEN;
        self.each_option(|_, data| {
            len += OPTION_HEAD_LEN + data.iter().map(|part| part.len()).sum::<usize>();
        });
        len
    }

    /// Calls `visit` with the code and the parts of the data of every option, the ones that
    /// matter most first: a writer that runs out of room leaves out the rest.
    pub(super) fn each_option(&self, mut visit: impl FnMut(u16, &[&[u8]])) {
        if let Some(subnet) = &self.client_subnet {
            let family = subnet.family.to_be_bytes();
            let lengths = [subnet.source, subnet.scope];
            visit(option::CLIENT_SUBNET, &[&family, &lengths, subnet.address]);
        }
        for (code, data) in self.options {
            visit(*code, &[data]);
        }
        if let Some(error) = &self.extended_error {
            let code = error.code.to_be_bytes();
            visit(option::EXTENDED_ERROR, &[&code, error.text.as_bytes()]);
        }
    }
}
