//! A line of a query log, in the format of Route 53's public DNS query logs:
//!
//!     1.0 2017-12-13T08:16:02.130Z Z123 example.com A NOERROR UDP FRA6 192.0.2.1 192.0.2.0/24
//!
//! version, time, hosted zone, name, type, response code, protocol, location, resolver, client
//! subnet. What is not known is `-`.

use std::fmt::{self, Display};
use std::time::UNIX_EPOCH;

use jiff::Timestamp;
use meridian_dns::message::codes::qtype;
use meridian_dns::message::{Query, Unreadable};
use meridian_dns::{Name, RecordType};
use meridian_model::ZoneId;
use meridian_server::{Protocol, Record, rcode_label};

/// One line.
pub(super) struct Line<'r> {
    pub(super) record: &'r Record,
    pub(super) zone: Option<&'r ZoneId>,
    pub(super) rcode: u16,
    pub(super) location: &'r str,
}

impl Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query = self.record.query().map(Query::read);
        let (question, edns) = match &query {
            Some(Ok(query)) => (Some(query.question), query.edns.as_ref()),
            Some(Err(Unreadable::Header(header))) => (header.question, None),
            _ => (None, None),
        };
        let at = self
            .record
            .at
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let at = i64::try_from(at.as_millis())
            .ok()
            .map(Timestamp::from_millisecond);
        write!(f, "1.0 {:.3} ", at.and_then(Result::ok).unwrap_or_default())?;
        match self.zone {
            Some(zone) => write!(f, "{zone} ")?,
            None => f.write_str("- ")?,
        }
        match question {
            Some(question) => {
                write_name(f, question.name)?;
                write_type(f, question.qtype)?;
            }
            None => f.write_str("- - ")?,
        }
        match rcode_label(self.rcode) {
            Some(label) => write!(f, "{label} ")?,
            None => write!(f, "RCODE{} ", self.rcode)?,
        }
        f.write_str(protocol(self.record.protocol))?;
        write!(
            f,
            " {} {} ",
            self.location,
            self.record.client.ip().to_canonical()
        )?;
        let subnet = edns.and_then(|edns| edns.client_subnet?.prefix());
        match subnet {
            Some((address, len)) => write!(f, "{address}/{len}"),
            None => f.write_str("-"),
        }
    }
}

/// Without the final dot, as Route 53 does; the root keeps its own.
fn write_name(f: &mut fmt::Formatter<'_>, wire: &[u8]) -> fmt::Result {
    let Ok(name) = Name::from_wire(wire) else {
        return f.write_str("- ");
    };
    let text = name.to_string();
    match text.strip_suffix('.') {
        Some(text) if !text.is_empty() => write!(f, "{text} "),
        _ => write!(f, "{text} "),
    }
}

fn write_type(f: &mut fmt::Formatter<'_>, code: u16) -> fmt::Result {
    match RecordType::from_code(code) {
        Some(known) => write!(f, "{} ", known.as_str()),
        None if code == qtype::ANY => f.write_str("ANY "),
        None => write!(f, "TYPE{code} "),
    }
}

fn protocol(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Udp => "UDP",
        Protocol::Tcp => "TCP",
        Protocol::Tls => "TLS",
        Protocol::Quic => "QUIC",
        Protocol::Https => "HTTPS",
    }
}
