//! Writing a reply into a caller's buffer: header, question, records, OPT, in that order.
//!
//! Nothing is written past the limit. A write that does not fit leaves the message as it was.

use super::codes::{class, opcode, option, qtype};
use super::compress::split_at_shared;
use super::query::{CookieQuery, Header, Query, Question};
use super::reply_edns::{BARE_LEN, OPTION_HEAD_LEN, PADDING_BLOCK, ReplyEdns};
use super::{HEADER_LEN, TC};
use crate::name::wire_len;
use crate::short::{copy, same};

/// A record does not fit into what is left of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message is full")]
pub struct Full;

/// A section of records. They are written in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Records that answer the question.
    Answer,
    /// The SOA of a negative answer, the NS of a referral.
    Authority,
    /// Addresses of name servers.
    Additional,
}

/// The owner of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner<'a> {
    /// A name that starts at this byte of the reply, such as one in the data of a record before;
    /// see [`Reply::position`]. One beyond the reach of pointers is [`Full`].
    At(u16),
    /// The suffix of the question name that starts at this byte of it, which must be the start
    /// of a label: two bytes on the wire, one for the root.
    QuestionAt(u8),
    /// An uncompressed wire name; the suffix it shares with the question name is compressed, and
    /// all of it if it was the owner of the last record that had such a one.
    Name(&'a [u8]),
}

impl Owner<'_> {
    /// The name that starts at this byte of the reply; none beyond the reach of pointers.
    pub fn at(place: usize) -> Option<Self> {
        let place = u16::try_from(place).ok();
        place.filter(|at| *at <= MAX_POINTER).map(Self::At)
    }
}

/// A place in a reply to go back to, see [`Reply::rewind`].
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    at: usize,
    section: Section,
    counts: [u16; 3],
}

/// A reply in the making.
#[derive(Debug)]
pub struct Reply<'b> {
    buf: &'b mut [u8],
    /// The message never becomes longer than this, OPT included. At most `buf.len()`.
    limit: usize,
    /// Bytes of the limit kept free for the OPT record.
    reserved: usize,
    at: usize,
    question_end: usize,
    id: u16,
    flags: u16,
    rcode: u16,
    class: u16,
    section: Section,
    counts: [u16; 3],
    last_owner: Option<Written>,
}

/// Where an owner was written that is more than a pointer.
#[derive(Debug, Clone, Copy)]
struct Written {
    at: u16,
    /// Bytes before the pointer, or to the end of the name if there is none.
    len: usize,
    /// What the pointer leads to, from the start of the question name.
    offset: Option<usize>,
}

/// Where the question name starts, as pointers say it.
const QUESTION_AT: u16 = 12;
const _: () = assert!(QUESTION_AT as usize == HEADER_LEN);

/// Type, class, TTL and length of the data.
const RECORD_HEAD_LEN: usize = 10;

/// A pointer leads no further than this (RFC 1035 section 4.1.4).
const MAX_POINTER: u16 = 0x3fff;

const QR: u16 = 0x8000;
const AA: u16 = 0x0400;
const RD: u16 = 0x0100;

impl<'b> Reply<'b> {
    /// Starts a reply of at most `limit` bytes: header, and the question byte for byte. RD is
    /// copied, CD is not (RFC 4035 section 3.1.6). Records get the class of the question, IN
    /// where it is ANY.
    ///
    /// # Errors
    /// [`Full`] when not even the question fits; 271 bytes are always enough.
    #[inline]
    pub fn new(buf: &'b mut [u8], limit: usize, query: &Query<'_>) -> Result<Self, Full> {
        let mut reply = Self::bare(buf, limit, query.id)?;
        reply.copy_head(query.opcode, query.recursion_desired);
        reply.question(&query.question)?;
        Ok(reply)
    }

    /// Starts the reply to a query that has no question.
    ///
    /// # Errors
    /// [`Full`] when there is no room for a header.
    pub fn for_cookie(
        buf: &'b mut [u8],
        limit: usize,
        query: &CookieQuery<'_>,
    ) -> Result<Self, Full> {
        let mut reply = Self::bare(buf, limit, query.id)?;
        reply.copy_head(opcode::QUERY, query.recursion_desired);
        Ok(reply)
    }

    /// A reply without a question.
    #[inline]
    fn bare(buf: &'b mut [u8], limit: usize, id: u16) -> Result<Self, Full> {
        let limit = limit.min(buf.len()).min(u16::MAX.into());
        if limit < HEADER_LEN {
            return Err(Full);
        }
        Ok(Self {
            buf,
            limit,
            reserved: 0,
            at: HEADER_LEN,
            question_end: HEADER_LEN,
            id,
            flags: QR,
            rcode: 0,
            class: class::IN,
            section: Section::Answer,
            counts: [0; 3],
            last_owner: None,
        })
    }

    #[inline]
    fn copy_head(&mut self, opcode: u8, recursion_desired: bool) {
        self.flags |= u16::from(opcode & 0xf) << 11;
        if recursion_desired {
            self.flags |= RD;
        }
    }

    #[inline]
    fn question(&mut self, question: &Question<'_>) -> Result<(), Full> {
        let len = question.wire_len();
        let (name, rest) = self.take(len)?.split_at_mut(question.name.len());
        copy(name, question.name);
        if let Some(rest) = rest.first_chunk_mut::<4>() {
            let [t0, t1] = question.qtype.to_be_bytes();
            let [c0, c1] = question.class.to_be_bytes();
            *rest = [t0, t1, c0, c1];
        }
        self.question_end = self.at;
        if question.class != class::ANY {
            self.class = question.class;
        }
        Ok(())
    }

    /// Sets the AA bit.
    pub fn authoritative(&mut self) -> &mut Self {
        self.flags |= AA;
        self
    }

    /// Sets the response code. One above 15 needs an OPT record, which carries its high bits.
    pub fn rcode(&mut self, rcode: u16) -> &mut Self {
        self.rcode = rcode;
        self
    }

    /// The response code as it is now.
    pub fn response_code(&self) -> u16 {
        self.rcode
    }

    /// Keeps `len` bytes free for the OPT record, usually [`ReplyEdns::wire_len`]. To be called
    /// before records are written; a later call replaces an earlier one.
    pub fn reserve(&mut self, len: usize) -> &mut Self {
        self.reserved = len;
        self
    }

    /// The number of bytes that records may still take.
    pub fn room(&self) -> usize {
        (self.limit - self.at).saturating_sub(self.reserved)
    }

    /// The number of records in a section so far.
    pub fn count(&self, section: Section) -> u16 {
        let [answer, authority, additional] = self.counts;
        match section {
            Section::Answer => answer,
            Section::Authority => authority,
            Section::Additional => additional,
        }
    }

    /// Where the next record will start, in bytes from the start of the reply.
    #[inline]
    pub fn position(&self) -> usize {
        self.at
    }

    /// Writes one record.
    ///
    /// Names inside the data stay as they are. Sections must come in order and owners be names:
    /// anything else is a mistake of the caller, caught in debug builds and [`Full`] otherwise.
    ///
    /// # Errors
    /// [`Full`]; nothing is written then.
    #[inline]
    pub fn record(
        &mut self,
        section: Section,
        owner: Owner<'_>,
        rtype: u16,
        ttl: u32,
        data: &[u8],
    ) -> Result<(), Full> {
        self.record_to_change(section, owner, rtype, ttl, data)
            .map(drop)
    }

    /// As [`record`](Self::record), and gives its data in the reply, to be written over.
    ///
    /// # Errors
    /// As for [`record`](Self::record).
    #[inline]
    pub fn record_to_change(
        &mut self,
        section: Section,
        owner: Owner<'_>,
        rtype: u16,
        ttl: u32,
        data: &[u8],
    ) -> Result<&mut [u8], Full> {
        let place = self.begin_record(section, owner, (rtype, ttl), data.len())?;
        copy(place, data);
        Ok(place)
    }

    /// As [`record`](Self::record), with data that is these parts one after the other.
    ///
    /// # Errors
    /// As for [`record`](Self::record).
    #[inline]
    pub fn record_of_parts(
        &mut self,
        section: Section,
        owner: Owner<'_>,
        rtype: u16,
        ttl: u32,
        parts: &[&[u8]],
    ) -> Result<(), Full> {
        let len = parts.iter().map(|part| part.len()).sum();
        let mut place = self.begin_record(section, owner, (rtype, ttl), len)?;
        for part in parts {
            let (own, rest) = place.split_at_mut_checked(part.len()).ok_or(Full)?;
            copy(own, part);
            place = rest;
        }
        Ok(())
    }

    /// As [`record`](Self::record), with data that is a name, of a type whose names may be
    /// compressed (RFC 3597 section 4). What is behind its first `labels_len` bytes becomes a
    /// pointer to `suffix` if that is written somewhere, in the same case. Where the name stands
    /// then, in bytes from the start of the reply.
    ///
    /// # Errors
    /// As for [`record`](Self::record).
    #[inline]
    pub fn record_of_name(
        &mut self,
        section: Section,
        owner: Owner<'_>,
        rtype: u16,
        ttl: u32,
        (name, labels_len, suffix): (&[u8], usize, Owner<'_>),
    ) -> Result<usize, Full> {
        let labels = name.split_at_checked(labels_len);
        let pointer = self.pointer(suffix).filter(|pointer| {
            let at = usize::from(pointer & MAX_POINTER);
            labels.is_some_and(|(_, end)| {
                let written = self.buf.get(at..at + end.len());
                written.is_some_and(|written| same(written, end))
            })
        });
        let (Some(pointer), Some((labels, _))) = (pointer, labels) else {
            self.record(section, owner, rtype, ttl, name)?;
            return Ok(self.at - name.len());
        };
        let place = self.begin_record(section, owner, (rtype, ttl), labels_len + 2)?;
        if let Some((place, end)) = place.split_last_chunk_mut::<2>() {
            copy(place, labels);
            *end = pointer.to_be_bytes();
        }
        Ok(self.at - labels_len - 2)
    }

    /// Writes a record up to its data, for which it gives the place.
    #[inline]
    fn begin_record(
        &mut self,
        section: Section,
        owner: Owner<'_>,
        fields: (u16, u32),
        len: usize,
    ) -> Result<&mut [u8], Full> {
        debug_assert!(section >= self.section, "sections are written in order");
        if section < self.section {
            return Err(Full);
        }
        match self.pointer(owner) {
            Some(pointer) => self.put_head(pointer.to_be_bytes(), section, fields, len),
            None => self.put_owner_and_head(owner, section, fields, len),
        }
    }

    /// The pointer that stands for an owner, where there is one without comparing names.
    #[inline]
    fn pointer(&self, owner: Owner<'_>) -> Option<u16> {
        match owner {
            Owner::At(at) => (at <= MAX_POINTER).then_some(0xc000 | at),
            // The last byte of the question name is the root, shorter than a pointer to it.
            Owner::QuestionAt(offset) => {
                let is_label = HEADER_LEN + usize::from(offset) + 1 + 4 < self.question_end;
                is_label.then_some(0xc000 | (QUESTION_AT + u16::from(offset)))
            }
            Owner::Name(_) => None,
        }
    }

    /// Writes a record up to its data, behind an owner that takes these bytes.
    #[inline]
    fn put_head<const N: usize>(
        &mut self,
        owner: [u8; N],
        section: Section,
        (rtype, ttl): (u16, u32),
        len: usize,
    ) -> Result<&mut [u8], Full> {
        let data_len = u16::try_from(len).map_err(|_| Full)?;
        let head_len = N + RECORD_HEAD_LEN;
        if head_len + len > self.room() {
            return Err(Full);
        }
        let [t0, t1] = rtype.to_be_bytes();
        let [c0, c1] = self.class.to_be_bytes();
        let [l0, l1, l2, l3] = ttl.to_be_bytes();
        let [d0, d1] = data_len.to_be_bytes();
        let fields = [t0, t1, c0, c1, l0, l1, l2, l3, d0, d1];
        // A message has no room for more records than 16 bits can count.
        let [answer, authority, additional] = &mut self.counts;
        *match section {
            Section::Answer => answer,
            Section::Authority => authority,
            Section::Additional => additional,
        } += 1;
        self.section = section;
        let start = self.at;
        self.at += head_len + len;
        let place = self.buf.get_mut(start..self.at).ok_or(Full)?;
        let (owner_place, place) = place.split_first_chunk_mut().ok_or(Full)?;
        let (head, data) = place.split_first_chunk_mut().ok_or(Full)?;
        (*owner_place, *head) = (owner, fields);
        Ok(data)
    }

    /// As [`put_head`](Self::put_head), with an owner that has to be compared with names written
    /// before.
    #[cold]
    fn put_owner_and_head(
        &mut self,
        owner: Owner<'_>,
        section: Section,
        fields: (u16, u32),
        len: usize,
    ) -> Result<&mut [u8], Full> {
        let (start, last_owner) = (self.at, self.last_owner);
        let written = self
            .put_owner(owner)
            .and_then(|()| self.put_head([], section, fields, len).map(|_| ()));
        if let Err(full) = written {
            (self.at, self.last_owner) = (start, last_owner);
            return Err(full);
        }
        self.buf.get_mut(self.at - len..self.at).ok_or(Full)
    }

    fn put_owner(&mut self, owner: Owner<'_>) -> Result<(), Full> {
        let question_len = self.question_end.saturating_sub(HEADER_LEN + 4);
        let (own, offset) = match owner {
            Owner::At(_) => return Err(Full),
            Owner::QuestionAt(offset) => (&[][..], Some(usize::from(offset))),
            Owner::Name(name) => {
                debug_assert_eq!(wire_len(name), Some(name.len()), "an uncompressed name");
                let question = self.buf.get(HEADER_LEN..HEADER_LEN + question_len);
                split_at_shared(name, question.unwrap_or_default()).ok_or(Full)?
            }
        };
        if !own.is_empty() {
            if let Some(at) = self.written_before(own, offset) {
                return self.put(&(0xc000 | at).to_be_bytes());
            }
            let at = u16::try_from(self.at).ok().filter(|at| *at <= MAX_POINTER);
            let len = own.len();
            self.last_owner = at.map(|at| Written { at, len, offset });
            self.put(own)?;
        }
        let Some(offset) = offset else {
            return Ok(());
        };
        debug_assert!(
            offset < question_len,
            "the offset lies in the question name"
        );
        if offset >= question_len {
            return Err(Full);
        }
        if offset + 1 == question_len {
            // The root itself is shorter than a pointer to it.
            return self.put(&[0]);
        }
        let pointer = u16::try_from(HEADER_LEN + offset).map_err(|_| Full)?;
        self.put(&(0xc000 | pointer).to_be_bytes())
    }

    /// Where the last owner stands, if it is this one: the records of a set follow each other.
    fn written_before(&self, own: &[u8], offset: Option<usize>) -> Option<u16> {
        let last = self.last_owner?;
        let at = usize::from(last.at);
        let same = own.len() > 1
            && last.offset == offset
            && last.len == own.len()
            && self.buf.get(at..at + last.len) == Some(own);
        same.then_some(last.at)
    }

    /// Remembers this place.
    pub fn mark(&self) -> Mark {
        Mark {
            at: self.at,
            section: self.section,
            counts: self.counts,
        }
    }

    /// Drops the records written since `mark`, which must be of this reply. After
    /// [`truncate`](Self::truncate) earlier marks have no effect.
    pub fn rewind(&mut self, mark: Mark) {
        if mark.at <= self.at {
            self.at = mark.at;
            self.section = mark.section;
            self.counts = mark.counts;
            self.last_owner = None;
        }
    }

    /// Drops all records and sets the TC bit: the client is to ask again over TCP.
    pub fn truncate(&mut self) {
        self.at = self.question_end;
        self.section = Section::Answer;
        self.counts = [0; 3];
        self.last_owner = None;
        self.flags |= TC;
    }

    /// Drops all records and the AA bit and sets the response code: there is no answer after all.
    pub fn fail(&mut self, rcode: u16) {
        self.truncate();
        self.flags &= !(AA | TC);
        self.rcode = rcode;
    }

    /// Writes the OPT record and the header, and returns the length of the message.
    ///
    /// Options for which too little room was reserved are left out; where not even a bare OPT
    /// record fits behind the records, the reply is truncated to make room.
    #[inline]
    pub fn finish(mut self, edns: Option<&ReplyEdns<'_>>) -> usize {
        if let Some(edns) = edns {
            self.put_last(edns);
        }
        let [answer, authority, additional] = self.counts;
        let questions = u16::from(self.question_end > HEADER_LEN);
        let flags = self.flags | self.rcode & 0xf;
        let words = [self.id, flags, questions, answer, authority, additional];
        if let Some(place) = self.buf.first_chunk_mut::<HEADER_LEN>() {
            place.copy_from_slice(words.map(u16::to_be_bytes).as_flattened());
        }
        self.at
    }

    /// Writes the OPT record and counts it.
    fn put_last(&mut self, edns: &ReplyEdns<'_>) {
        self.reserved = 0;
        if self.room() < BARE_LEN || self.count(Section::Additional) == u16::MAX {
            self.truncate();
        }
        if self.put_opt(edns).is_ok() {
            let [_, _, additional] = &mut self.counts;
            *additional += 1;
        }
    }

    fn put_opt(&mut self, edns: &ReplyEdns<'_>) -> Result<(), Full> {
        if self.room() < BARE_LEN {
            return Err(Full);
        }
        let [o0, o1] = qtype::OPT.to_be_bytes();
        let [p0, p1] = edns.udp_payload.to_be_bytes();
        let [rcode_high, _] = (self.rcode << 4).to_be_bytes();
        let dnssec_ok = u8::from(edns.dnssec_ok) << 7;
        let len_at = self.at + BARE_LEN - 2;
        self.put(&[0, o0, o1, p0, p1, rcode_high, 0, dnssec_ok, 0, 0, 0])?;
        let options_at = self.at;
        edns.each_option(|code, data| {
            let start = self.at;
            if self.put_option(code, data).is_err() {
                self.at = start;
            }
        });
        if edns.padded {
            self.pad();
        }
        let len = u16::try_from(self.at - options_at).map_err(|_| Full)?;
        let place = self.buf.get_mut(len_at..options_at).ok_or(Full)?;
        place.copy_from_slice(&len.to_be_bytes());
        Ok(())
    }

    /// Fills up to a whole number of blocks, or to the limit; in vain where nothing more fits.
    fn pad(&mut self) {
        let data_at = self.at + OPTION_HEAD_LEN;
        let end = data_at.next_multiple_of(PADDING_BLOCK).min(self.limit);
        let Some(len) = end.checked_sub(data_at) else {
            return;
        };
        let [l0, l1] = u16::try_from(len).unwrap_or_default().to_be_bytes();
        let [c0, c1] = option::PADDING.to_be_bytes();
        if self.put(&[c0, c1, l0, l1]).is_ok()
            && let Some(padding) = self.buf.get_mut(data_at..end)
        {
            padding.fill(0);
            self.at = end;
        }
    }

    fn put_option(&mut self, code: u16, data: &[&[u8]]) -> Result<(), Full> {
        let len = data.iter().map(|part| part.len()).sum::<usize>();
        let len = u16::try_from(len).map_err(|_| Full)?;
        self.put(&code.to_be_bytes())?;
        self.put(&len.to_be_bytes())?;
        data.iter().try_for_each(|part| self.put(part))
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Full> {
        copy(self.take(bytes.len())?, bytes);
        Ok(())
    }

    /// The next `len` bytes of the message, if there is room for them.
    #[inline]
    fn take(&mut self, len: usize) -> Result<&mut [u8], Full> {
        if len > self.room() {
            return Err(Full);
        }
        let end = self.at + len;
        let place = self.buf.get_mut(self.at..end).ok_or(Full)?;
        self.at = end;
        Ok(place)
    }
}

/// Writes the reply to a query that could not be read and returns its length: header, the
/// question if it is known and fits, a bare OPT record if the query had one. 0 when the buffer or
/// the limit is smaller than a header.
pub fn error_reply(buf: &mut [u8], limit: usize, header: &Header<'_>, udp_payload: u16) -> usize {
    let Ok(mut reply) = Reply::bare(buf, limit, header.id) else {
        return 0;
    };
    reply.copy_head(header.opcode, header.recursion_desired);
    reply.rcode(header.rcode);
    if let Some(question) = &header.question {
        // Without room for it the reply goes out without the question; the id still identifies it.
        let _ = reply.question(question);
    }
    let edns = ReplyEdns {
        udp_payload,
        ..ReplyEdns::default()
    };
    reply.finish(header.edns.then_some(&edns))
}
