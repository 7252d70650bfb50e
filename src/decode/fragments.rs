//! IP fragments that wait for the rest of their packet (RFC 791, section 3.2; RFC 8200, section
//! 4.5). Bounded in bytes and in time, since anybody can send first halves.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;

use etherparse::IpNumber;

use super::ip::{self, Fragment, Ip};
use super::{Flags, Malformed, Path, Segment};
use crate::limits::{
    BUFFERED_OVERHEAD, COMPLETED_FRAGMENTED, COPY_WITHIN, FRAGMENT_BYTES, FRAGMENT_WAIT,
};
use crate::packet::{PacketNumber, PacketRef};
use crate::time::Timestamp;

/// What all fragments of one packet have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    from: IpAddr,
    to: IpAddr,
    protocol: IpNumber,
    id: u32,
    /// Private addresses are the same in many networks.
    path: Path,
}

/// Whether anybody wants what a fragment is a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// It may carry TCP.
    Wanted,
    /// The first fragment will tell.
    Unknown,
    /// It does not: its place is remembered, so that its other fragments are known, and no byte.
    Unwanted,
}

/// Packets of which some fragments were seen.
///
/// Invariants: `order` names each packet of `waiting` at least once, by the time at which its
/// first fragment came; `weight` is the sum of the weights of what waits, at most
/// `FRAGMENT_BYTES` between two calls.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    waiting: HashMap<Key, Reassembly, foldhash::fast::RandomState>,
    order: VecDeque<(Timestamp, Key)>,
    weight: usize,
    /// Those that were completed last, and when: a capture that holds each packet twice brings more
    /// fragments of them.
    completed: VecDeque<(Timestamp, Key)>,
}

/// What became of a fragment.
#[derive(Debug, Default)]
pub(super) struct Pushed {
    /// The packet that it completed.
    pub whole: Option<Reassembly>,
    /// Whether it fits no packet.
    pub malformed: bool,
    /// Whether it is of a packet that nobody wants.
    pub unwanted: bool,
    /// How many fragments were lost by it: those that gave way, counted as by `expire`, and itself
    /// where it fits no packet.
    pub lost: u64,
}

impl Fragments {
    /// Takes in one fragment that came on `path`.
    pub fn push(
        &mut self,
        packet: PacketRef,
        ip: &Ip<'_>,
        fragment: Fragment,
        path: Path,
        claim: Claim,
    ) -> Pushed {
        let mut pushed = Pushed::default();
        let captured = u32::try_from(ip.payload.len()).unwrap_or(u32::MAX);
        let end = u64::from(fragment.offset) + u64::from(captured) + u64::from(ip.missing);
        // All but the last end on a multiple of eight, and none beyond the largest packet.
        let Some(end) = u32::try_from(end)
            .ok()
            .filter(|&end| end <= LARGEST && (!fragment.more || end.is_multiple_of(8)))
            .filter(|&end| end > fragment.offset)
        else {
            pushed.unwanted = claim == Claim::Unwanted;
            pushed.malformed = !pushed.unwanted;
            pushed.lost = u64::from(!pushed.unwanted);
            return pushed;
        };
        let key = Key { from: ip.from, to: ip.to, protocol: ip.protocol, id: fragment.id, path };
        let reassembly = match self.waiting.entry(key) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(place) => {
                let is_this = |(at, known): &(Timestamp, Key)| {
                    *known == key && packet.at.saturating_since(*at) <= COPY_WITHIN
                };
                if self.completed.iter().any(is_this) {
                    return pushed;
                }
                self.order.push_back((packet.at, key));
                let reassembly = place.insert(Reassembly::new(key, packet.at));
                self.weight += reassembly.weight();
                reassembly
            }
        };
        self.weight -= reassembly.weight();
        reassembly.claim(claim);
        let fits = reassembly.add(packet, ip, fragment, end);
        self.weight += reassembly.weight();
        pushed.unwanted = reassembly.claim == Claim::Unwanted;
        pushed.malformed = !fits && !pushed.unwanted;
        if reassembly.is_complete() {
            pushed.whole = self.remove(&key).filter(|_| !pushed.unwanted);
            self.completed.push_back((packet.at, key));
            if self.completed.len() > COMPLETED_FRAGMENTED {
                self.completed.pop_front();
            }
        }
        while self.weight > FRAGMENT_BYTES {
            pushed.lost += self.drop_oldest();
        }
        pushed
    }

    /// Drops packets whose first fragment came too long before `now`, and says how many fragments
    /// those had that were wanted: where only the first fragment would tell, and it is lacking,
    /// none.
    pub fn expire(&mut self, now: Timestamp) -> u64 {
        let mut lost = 0;
        while let Some((since, _)) = self.order.front()
            && now.saturating_since(*since) > FRAGMENT_WAIT
        {
            lost += self.drop_oldest();
        }
        lost
    }

    /// Drops everything, and says how many fragments that were, counted as by `expire`.
    pub fn clear(&mut self) -> u64 {
        let mut lost = 0;
        while !self.order.is_empty() {
            lost += self.drop_oldest();
        }
        lost
    }

    fn drop_oldest(&mut self) -> u64 {
        let Some((since, key)) = self.order.pop_front() else {
            return 0;
        };
        // The packet may have been completed, and its id used again since.
        if self.waiting.get(&key).is_none_or(|w| w.since != since) {
            return 0;
        }
        self.remove(&key)
            .filter(|w| w.claim == Claim::Wanted)
            .map_or(0, |reassembly| reassembly.packets.len() as u64)
    }

    fn remove(&mut self, key: &Key) -> Option<Reassembly> {
        let reassembly = self.waiting.remove(key)?;
        self.weight -= reassembly.weight();
        // What was completed leaves its entry behind: swept before such entries outnumber others.
        if self.order.len() > 2 * self.waiting.len() + 64 {
            let waiting = &self.waiting;
            self.order.retain(|(since, key)| waiting.get(key).is_some_and(|w| w.since == *since));
        }
        Some(reassembly)
    }
}

/// A packet that is put together.
#[derive(Debug)]
pub(super) struct Reassembly {
    key: Key,
    /// When its first fragment came.
    since: Timestamp,
    /// What was seen, by offset. Invariant: no piece reaches into the next.
    pieces: BTreeMap<u32, Piece>,
    /// Bytes that the pieces cover, cut ones included.
    covered: u32,
    /// Where the last fragment ends.
    end: Option<u32>,
    /// The packets of the fragments seen, repeated ones too.
    packets: Vec<PacketNumber>,
    /// Bytes buffered.
    buffered: usize,
    claim: Claim,
    /// How many more routers its first fragment might have passed.
    ttl: u8,
}

#[derive(Debug)]
struct Piece {
    packet: PacketRef,
    data: Vec<u8>,
    /// Bytes after `data` that the snap length cut.
    missing: u32,
}

impl Piece {
    fn len(&self) -> u32 {
        u32::try_from(self.data.len()).unwrap_or(u32::MAX).saturating_add(self.missing)
    }
}

impl Reassembly {
    fn new(key: Key, since: Timestamp) -> Self {
        Self {
            key,
            since,
            pieces: BTreeMap::new(),
            covered: 0,
            end: None,
            packets: Vec::new(),
            buffered: 0,
            claim: Claim::Unknown,
            ttl: 0,
        }
    }

    /// The first that knows decides.
    fn claim(&mut self, claim: Claim) {
        if self.claim == Claim::Unknown {
            self.claim = claim;
        }
        if self.claim == Claim::Unwanted {
            for piece in self.pieces.values_mut() {
                piece.missing = piece.len();
                piece.data = Vec::new();
            }
            self.buffered = 0;
        }
    }

    fn weight(&self) -> usize {
        let packets = self.packets.len() * size_of::<PacketNumber>();
        self.buffered + packets + BUFFERED_OVERHEAD * (1 + self.pieces.len())
    }

    fn is_complete(&self) -> bool {
        self.end.is_some_and(|end| self.covered >= end)
    }

    /// Keeps what was not seen before of the bytes up to `end`: the first bytes seen win. False
    /// where the fragment contradicts what is known of the packet's end.
    fn add(&mut self, packet: PacketRef, ip: &Ip<'_>, fragment: Fragment, end: u32) -> bool {
        self.packets.push(packet.number);
        if fragment.offset == 0 {
            self.ttl = ip.ttl;
        }
        let payload = if self.claim == Claim::Unwanted { &[] } else { ip.payload };
        let reach = self.pieces.last_key_value();
        let reach = reach.map_or(0, |(start, piece)| start.saturating_add(piece.len()));
        match self.end {
            Some(known) if end > known || (!fragment.more && end < known) => return false,
            None if !fragment.more && end < reach => return false,
            None if !fragment.more => self.end = Some(end),
            _ => {}
        }
        let mut at = fragment.offset;
        // One that begins before this fragment may reach into it.
        if let Some((&start, piece)) = self.pieces.range(..=at).next_back() {
            at = at.max(start.saturating_add(piece.len()));
        }
        while at < end {
            let next = self.pieces.range(at..).next();
            let (hole_end, resume) = match next {
                Some((&start, piece)) if start < end => (start, start + piece.len()),
                _ => (end, end),
            };
            if at < hole_end {
                let (data, missing) = part(payload, at - fragment.offset, hole_end - at);
                let piece = Piece { packet, data: data.to_vec(), missing };
                self.covered += piece.len();
                self.buffered += piece.data.len();
                self.pieces.insert(at, piece);
            }
            at = resume;
        }
        true
    }

    /// The packets of its fragments, those too that brought nothing new.
    pub fn packets(&self) -> &[PacketNumber] {
        &self.packets
    }

    /// The bytes from the first on, up to the first that were cut.
    pub fn head(&self) -> Vec<u8> {
        let mut head = Vec::new();
        for piece in self.pieces.values() {
            head.extend_from_slice(&piece.data);
            if piece.missing > 0 {
                break;
            }
        }
        head
    }

    /// The packet with all of its headers read, where `head` are its bytes, and the first of the
    /// packets that carried it.
    ///
    /// # Errors
    ///
    /// `Malformed` where headers make no sense, or cut it once more.
    pub fn ip<'a>(&self, head: &'a [u8]) -> Result<(PacketRef, Ip<'a>), Malformed> {
        let (protocol, payload, nested) = ip::skip_extensions(self.key.protocol, head)?;
        if nested.is_some() {
            return Err(Malformed);
        }
        let first = self.pieces.values().next().ok_or(Malformed)?.packet;
        let Key { from, to, id, .. } = self.key;
        let captured = u32::try_from(head.len()).unwrap_or(u32::MAX);
        let missing = self.end.unwrap_or(captured).saturating_sub(captured);
        // The identification of version 4 has 16 bits; the longer one of version 6 is of fragments.
        let id = if from.is_ipv4() { u16::try_from(id).unwrap_or(0) } else { 0 };
        Ok((first, Ip { from, to, protocol, payload, missing, fragment: None, id, ttl: self.ttl }))
    }

    /// Gives one segment for each piece that carried some of its payload, in the order of their
    /// bytes, and says how many. `whole` was read in `head`. A SYN goes with the first, what ends a
    /// segment with the last.
    pub fn split(
        &self,
        whole: &Segment<'_>,
        head: &[u8],
        emit: &mut dyn FnMut(Segment<'_>),
    ) -> u64 {
        // The payload is lent from the head: its place is how far it lies behind its start. What
        // was completed by a fragment within lies elsewhere, and was split already.
        let place = whole.payload.as_ptr().addr().checked_sub(head.as_ptr().addr());
        let Some(start) = place.filter(|place| *place <= head.len()) else {
            emit(*whole);
            return 1;
        };
        let start = u32::try_from(start).unwrap_or(u32::MAX);
        let whole = Segment { raw: &[], ..*whole };
        let captured = u32::try_from(whole.payload.len()).unwrap_or(u32::MAX);
        let end = start.saturating_add(captured).saturating_add(whole.missing);

        let syn = u32::from(whole.flags.has(Flags::SYN));
        let mut carriers = self
            .pieces
            .iter()
            .filter(|&(&offset, piece)| offset < end && offset.saturating_add(piece.len()) > start)
            .peekable();
        if carriers.peek().is_none() {
            emit(whole);
            return 1;
        }
        let mut count = 0;
        while let Some((&offset, piece)) = carriers.next() {
            let mut flags = whole.flags;
            let mut seq = whole.seq;
            if count > 0 {
                flags = flags.without(Flags::SYN);
                seq = seq.add(syn).add(offset.saturating_sub(start));
            }
            if carriers.peek().is_some() {
                flags = flags.without(Flags::FIN).without(Flags::RST).without(Flags::PSH);
            }
            // What of the piece is payload: behind the headers, before what pads the frame.
            let length = end.min(offset.saturating_add(piece.len())) - start.max(offset);
            let (payload, missing) = part(&piece.data, start.saturating_sub(offset), length);
            emit(Segment { packet: piece.packet, seq, flags, payload, missing, ..whole });
            count += 1;
        }
        count
    }
}

/// `length` bytes from `skip` on, as far as they were captured, and how many were not.
fn part(bytes: &[u8], skip: u32, length: u32) -> (&[u8], u32) {
    let rest = bytes.get(skip as usize..).unwrap_or_default();
    let captured = rest.get(..length as usize).unwrap_or(rest);
    (captured, length.saturating_sub(u32::try_from(captured.len()).unwrap_or(length)))
}

/// The largest payload that the 16 bits of an IP length can tell.
const LARGEST: u32 = 65_535;
