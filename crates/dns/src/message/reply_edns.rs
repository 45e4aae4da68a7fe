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
    /// The client cookie and a server cookie of ours (RFC 7873, RFC 9018).
    pub cookie: Option<[u8; 24]>,
    /// Which version of which zone the answer is from (RFC 9660).
    pub zone_version: Option<ZoneVersion>,
    /// How long an idle connection is kept, in units of 100 ms (RFC 7828).
    pub keepalive: Option<u16>,
    /// Which server this is (RFC 5001); empty for a reply that does not tell.
    pub nsid: &'a [u8],
    /// Why the answer is what it is.
    pub extended_error: Option<ExtendedError<'a>>,
    /// Whether the message is filled up to a multiple of 468 bytes (RFC 7830, RFC 8467 section
    /// 4.1); for encrypted transports only.
    pub padded: bool,
}

/// The version of a zone, as its serial (RFC 9660 section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZoneVersion {
    /// The number of labels of the apex, without the root.
    pub labels: u8,
    /// As in the SOA record.
    pub serial: u32,
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
pub(super) const OPTION_HEAD_LEN: usize = 4;
/// What padded replies are a multiple of, in bytes (RFC 8467 section 4.1).
pub(super) const PADDING_BLOCK: usize = 468;
/// Type of a zone version: the serial of its SOA (RFC 9660 section 2.1).
const SOA_SERIAL: u8 = 0;

impl ReplyEdns<'_> {
    /// The length of the whole OPT record on the wire without padding: what to
    /// [`reserve`](super::Reply::reserve).
    pub fn wire_len(&self) -> usize {
        let mut len = BARE_LEN;
        self.each_option(|_, data| {
            len += OPTION_HEAD_LEN + data.iter().map(|part| part.len()).sum::<usize>();
        });
        len
    }

    /// Calls `visit` with the code and the parts of the data of every option but the padding, the
    /// ones that matter most first: a writer that runs out of room leaves out the rest.
    pub(super) fn each_option(&self, mut visit: impl FnMut(u16, &[&[u8]])) {
        if let Some(subnet) = &self.client_subnet {
            let family = subnet.family.to_be_bytes();
            let lengths = [subnet.source, subnet.scope];
            visit(option::CLIENT_SUBNET, &[&family, &lengths, subnet.address]);
        }
        if let Some(cookie) = &self.cookie {
            visit(option::COOKIE, &[cookie]);
        }
        if let Some(version) = &self.zone_version {
            let serial = version.serial.to_be_bytes();
            visit(
                option::ZONEVERSION,
                &[&[version.labels, SOA_SERIAL], &serial],
            );
        }
        if let Some(keepalive) = self.keepalive {
            visit(option::TCP_KEEPALIVE, &[&keepalive.to_be_bytes()]);
        }
        if !self.nsid.is_empty() {
            visit(option::NSID, &[self.nsid]);
        }
        if let Some(error) = &self.extended_error {
            let code = error.code.to_be_bytes();
            visit(option::EXTENDED_ERROR, &[&code, error.text.as_bytes()]);
        }
    }
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "a test may panic")]
mod tests {
    use super::super::{OPT_ROOM, Owner, Query, Reply, Section};
    use super::*;

    const QUERY: &[u8] = b"\x12\x34\0\0\0\x01\0\0\0\0\0\0\x01a\0\0\x01\0\x01";

    /// A reply with `data` bytes of record data, and its length.
    fn reply(limit: usize, data: usize, edns: &ReplyEdns<'_>) -> (Vec<u8>, usize) {
        let mut buffer = vec![0xee; 2000];
        let query = Query::read(QUERY).unwrap();
        let mut reply = Reply::new(&mut buffer, limit, &query).unwrap();
        let (owner, data) = (Owner::QuestionAt(0), vec![7; data]);
        let record = reply.record(Section::Answer, owner, 16, 60, &data);
        record.unwrap();
        let len = reply.finish(Some(edns));
        (buffer, len)
    }

    #[test]
    fn what_every_message_has_room_for() {
        let edns = ReplyEdns {
            client_subnet: Some(ClientSubnet {
                family: 2,
                source: 128,
                scope: 0,
                address: &[1; 16],
            }),
            cookie: Some([2; 24]),
            ..ReplyEdns::default()
        };
        assert!(edns.wire_len() <= OPT_ROOM);
    }

    #[test]
    fn options_stand_in_the_order_in_which_they_matter() {
        let edns = ReplyEdns {
            cookie: Some(*b"clientclserver-serversss"),
            zone_version: Some(ZoneVersion {
                labels: 2,
                serial: 0x0102_0304,
            }),
            keepalive: Some(100),
            nsid: b"me",
            ..ReplyEdns::default()
        };
        let (bytes, len) = reply(1232, 0, &edns);
        let expected = b"\x00\x0a\x00\x18clientclserver-serversss\
            \x00\x13\x00\x06\x02\x00\x01\x02\x03\x04\
            \x00\x0b\x00\x02\x00\x64\
            \x00\x03\x00\x02me";
        assert_eq!(bytes[len - expected.len()..len], expected[..]);
        assert_eq!(edns.wire_len(), BARE_LEN + expected.len());
    }

    #[test]
    fn padded_replies_are_whole_blocks() {
        let edns = ReplyEdns {
            padded: true,
            ..ReplyEdns::default()
        };
        // Header, question, record head, OPT, head of the padding.
        let least = QUERY.len() + 12 + BARE_LEN + OPTION_HEAD_LEN;
        for (data, expected) in [
            (0, 468),
            (468 - least - 1, 468),
            (468 - least, 468),
            (468 - least + 1, 936),
            (936 - least + 1, 1404),
        ] {
            let (bytes, len) = reply(2000, data, &edns);
            assert_eq!(len, expected, "{data} bytes of data");
            let padding = len - least - data;
            let tail = &bytes[len - padding..len];
            assert!(tail.iter().all(|byte| *byte == 0), "padding is zeros");
            let head = &bytes[len - padding - 4..len - padding];
            let [high, low] = u16::try_from(padding).unwrap().to_be_bytes();
            assert_eq!(head, [0, 12, high, low]);
        }
        // Where the message must end earlier it is filled up to there, or not at all.
        assert_eq!(reply(500, 468 - least + 1, &edns).1, 500);
        assert_eq!(reply(least, 0, &edns).1, least);
        assert_eq!(reply(least - 1, 0, &edns).1, least - OPTION_HEAD_LEN);
    }
}
