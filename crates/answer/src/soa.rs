//! The SOA record as resolvers see it: with a serial that rises with every change of the zone.
//!
//! The API shows the serial that was submitted, which nobody has to count up. On the wire stands
//! the journal's sequence number of the zone's last change, the same at every name server.

use meridian_dns::RecordType;
use meridian_dns::message::{Full, Owner, Reply, Section};

use crate::ZoneImage;

/// The serial of a zone: the low 32 bits of the number, which serial number arithmetic expects to
/// wrap (RFC 1982).
pub(crate) fn serial(zone: &ZoneImage) -> u32 {
    let [_, _, _, _, serial @ ..] = zone.meta.last_changed.to_be_bytes();
    u32::from_be_bytes(serial)
}

/// Writes an SOA record with the data of the record set but the serial of the zone.
pub(crate) fn write(
    zone: &ZoneImage,
    reply: &mut Reply<'_>,
    section: Section,
    (owner, ttl, data): (Owner<'_>, u32, &[u8]),
) -> Result<(), Full> {
    let rtype = RecordType::Soa.code();
    let data = reply.record_to_change(section, owner, rtype, ttl, data)?;
    // MNAME and RNAME, then five numbers of which the serial is the first.
    let numbers = data.last_chunk_mut::<20>().ok_or(Full)?;
    if let Some(place) = numbers.first_chunk_mut() {
        *place = serial(zone).to_be_bytes();
    }
    Ok(())
}
