//! What a server tells about itself under names of class CH: which one it is, what it runs.

use meridian_dns::RecordType;
use meridian_dns::message::codes::qtype;
use meridian_dns::message::{Full, Owner, Question, Reply, Section};

use crate::Identity;
use crate::edns::told;

/// RFC 4892 section 3; BIND's name for the same.
const SERVER: [&[u8]; 2] = [b"\x02id\x06server\x00", b"\x08hostname\x04bind\x00"];
/// BIND's name, and the one that follows RFC 4892.
const VERSION: [&[u8]; 2] = [b"\x07version\x04bind\x00", b"\x07version\x06server\x00"];

/// Writes the answer; none for names that are nobody's here, and for what is not told.
pub(crate) fn answer(
    identity: &Identity,
    question: &Question<'_>,
    reply: &mut Reply<'_>,
) -> Option<Result<(), Full>> {
    let among = |names: [&[u8]; 2]| {
        names
            .iter()
            .any(|name| question.name.eq_ignore_ascii_case(name))
    };
    let text = if among(VERSION) {
        told(&identity.version)
    } else if among(SERVER) {
        told(&identity.server)
    } else {
        return None;
    };
    let len = u8::try_from(text.len()).ok().filter(|len| *len > 0)?;
    reply.authoritative();
    let rtype = RecordType::Txt.code();
    if question.qtype != rtype && question.qtype != qtype::ANY {
        return Some(Ok(()));
    }
    let data = [&[len][..], text.as_bytes()];
    Some(reply.record_of_parts(Section::Answer, Owner::QuestionAt(0), rtype, 0, &data))
}
