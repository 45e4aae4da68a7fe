//! What the transport and the OPT record of a query ask of the reply's form: how long it may be,
//! which options it has.

use std::net::IpAddr;

use meridian_dns::message::codes::rcode;
use meridian_dns::message::{
    ClientSubnet, CookieQuery, Edns, Header, OPT_ROOM, Reply, ReplyEdns, ZoneVersion, error_reply,
};

use crate::cookie::{self, Cookie, Server};
use crate::{Answered, Identity, Moment, Packet, Transport, ZoneImage, ZoneLog, soa};

/// The payload size we tell clients that we take: what passes all common links in one frame. It
/// says nothing of the length of replies.
const OUR_PAYLOAD: u16 = 1232;
/// The longest identifier that is told, in bytes.
const MAX_IDENTIFIER: usize = 255;

/// Who asks whom, how and when.
#[derive(Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub(crate) identity: &'a Identity,
    pub(crate) client: IpAddr,
    pub(crate) transport: Transport,
    pub(crate) now_s: u64,
}

impl<'a> Asker<'a> {
    pub(crate) fn of(packet: &Packet<'_>, identity: &'a Identity, moment: Moment) -> Self {
        Self {
            identity,
            client: packet.client,
            transport: packet.transport,
            now_s: moment.now_s,
        }
    }

    /// What the cookie of a query is worth; none if it has none.
    #[inline]
    pub(crate) fn cookie(&self, asked: &Edns<'_>) -> Option<Cookie> {
        let secrets = &self.identity.cookie_secrets;
        cookie::judge(secrets, self.client, self.now_s, asked.cookie?)
    }

    /// The OPT record of the reply, as far as it does not depend on the answer. For another version
    /// than 0 no option was read, so none is answered. `zone` is the one that is responsible.
    #[inline(never)]
    pub(crate) fn opt(
        &self,
        asked: &Edns<'a>,
        cookie: Option<Cookie>,
        zone: Option<&ZoneImage>,
    ) -> ReplyEdns<'a> {
        let unscoped = |subnet| ClientSubnet { scope: 0, ..subnet };
        let mut opt = ReplyEdns {
            udp_payload: OUR_PAYLOAD,
            dnssec_ok: asked.dnssec_ok,
            client_subnet: asked.client_subnet.map(unscoped),
            cookie: cookie.map(|cookie| cookie.reply),
            ..ReplyEdns::default()
        };
        if asked.asked.zone_version() {
            opt.zone_version = zone.map(|zone| ZoneVersion {
                labels: zone.apex_labels,
                serial: soa::serial(zone),
            });
        }
        if asked.asked.nsid() {
            opt.nsid = told(&self.identity.server).as_bytes();
        }
        match self.transport {
            // Over UDP the keepalive is ignored (RFC 7828 section 3.2.1), and nothing in the
            // clear is padded: whoever looks on sees the length of what is asked (RFC 7830
            // section 6).
            Transport::Udp { .. } => {}
            Transport::Tcp { idle } => opt.keepalive = asked.asked.keepalive().then_some(idle),
            Transport::Tls { idle } => {
                opt.keepalive = asked.asked.keepalive().then_some(idle);
                opt.padded = asked.asked.padding();
            }
            // QUIC and HTTP have idle timeouts of their own (RFC 9250 section 5.5.2).
            Transport::Quic | Transport::Https => opt.padded = asked.asked.padding(),
        }
        opt
    }

    /// The longest reply this client takes, in bytes.
    pub(crate) fn limit(&self, asked: Option<&Edns<'_>>) -> usize {
        match self.transport {
            Transport::Udp { max_payload } => {
                let client = asked.map_or(512, |edns| edns.udp_payload.max(512));
                usize::from(client.min(max_payload))
            }
            Transport::Tcp { .. } | Transport::Tls { .. } | Transport::Quic | Transport::Https => {
                usize::from(u16::MAX)
            }
        }
    }

    /// How much of a reply is kept for its OPT record, in bytes. Where there is no longer transport
    /// to go to, options give way to records.
    pub(crate) fn opt_room(&self, opt: &ReplyEdns<'_>) -> usize {
        match self.transport {
            Transport::Udp { .. } => opt.wire_len(),
            _ => opt.wire_len().min(OPT_ROOM),
        }
    }

    /// Answers a query that cannot be read, in 512 bytes: what it says of its size may be wrong too.
    pub(crate) fn error(&self, header: &Header<'_>, buffer: &mut [u8]) -> Answered {
        let len = error_reply(buffer, 512, header, OUR_PAYLOAD);
        Answered {
            len: u16::try_from(len).unwrap_or_default(),
            rcode: header.rcode,
            qtype: header.question.map_or(0, |question| question.qtype),
            valid_cookie: false,
            zone: None,
            log: ZoneLog::Off,
        }
    }

    /// Answers a query for nothing but a cookie: BADCOOKIE for one that is not ours (RFC 7873
    /// section 5.4). Length 0 where there is no room even for that.
    pub(crate) fn cookie_alone(&self, query: &CookieQuery<'a>, buffer: &mut [u8]) -> Answered {
        let limit = self.limit(Some(&query.edns));
        let cookie = self.cookie(&query.edns);
        let server = cookie.map(|cookie| cookie.server);
        let rcode = match server {
            Some(Server::Wrong) => rcode::BADCOOKIE,
            _ => rcode::NOERROR,
        };
        let opt = self.opt(&query.edns, cookie, None);
        let len = Reply::for_cookie(buffer, limit, query).map_or(0, |mut reply| {
            reply.rcode(rcode);
            reply.finish(Some(&opt))
        });
        Answered {
            len: u16::try_from(len).unwrap_or_default(),
            rcode,
            qtype: 0,
            valid_cookie: server == Some(Server::Right),
            zone: None,
            log: ZoneLog::Off,
        }
    }
}

/// The version of a zone goes with every reply that comes from it, referrals and SERVFAIL included
/// (RFC 9660 section 3.2), and with no other.
pub(crate) fn keep_zone_version(opt: &mut ReplyEdns<'_>, rcode: u16) {
    if !matches!(rcode, rcode::NOERROR | rcode::NXDOMAIN | rcode::SERVFAIL) {
        opt.zone_version = None;
    }
}

/// As much of a text about this server as is told.
pub(crate) fn told(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_IDENTIFIER)]
}
