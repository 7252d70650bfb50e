//! Segments whose numbers fit no connection between their ends. They are kept until the other side
//! acknowledges them: then the capture lacks what lies between, or a connection began that it did
//! not see begin. What nobody acknowledges is of an older connection, or forged.

use std::collections::VecDeque;
use std::net::SocketAddr;

use crate::decode::{Flags, Segment, Seq};
use crate::limits::{
    BUFFERED_OVERHEAD, RETRANSMISSION_WAIT, STRAY_BYTES, STRAY_GROUPS, STRAY_RESETS,
    STRAYS_UNDER_WAY, WINDOW,
};
use crate::packet::PacketRef;
use crate::time::Nanos;

/// The groups, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Strays {
    groups: VecDeque<Group>,
    weight: usize,
    /// Resets that answer something which was not seen yet, the oldest first.
    resets: VecDeque<Reset>,
}

/// A reset that may have been captured before the SYN which it refuses.
#[derive(Debug)]
struct Reset {
    stray: Stray,
    /// Whether it was counted as forged.
    forged: bool,
}

/// Segments between two ends that continue each other.
#[derive(Debug)]
pub(super) struct Group {
    one: Direction,
    other: Direction,
    /// When the first came, as time passed since the first packet of the capture.
    since: Nanos,
    pub segments: Vec<Stray>,
}

/// One direction of a group.
#[derive(Debug)]
pub(super) struct Direction {
    pub address: SocketAddr,
    /// Where it began, and the next number that is expected.
    pub first: Option<Seq>,
    next: Seq,
    packets: u32,
}

/// A segment, and its bytes.
#[derive(Debug)]
pub(super) struct Stray {
    segment: Segment<'static>,
    payload: Box<[u8]>,
}

impl Stray {
    fn new(segment: &Segment<'_>) -> Self {
        let Segment { packet, from, to, seq, ack, flags, window, missing, path, .. } = *segment;
        let Segment { ip_id, ttl, mss, .. } = *segment;
        let bare = Segment::empty(packet, from, to);
        Self {
            segment: Segment { seq, ack, flags, window, missing, path, ip_id, ttl, mss, ..bare },
            payload: segment.payload.into(),
        }
    }

    /// The segment as it was.
    pub fn segment(&self) -> Segment<'_> {
        Segment { payload: &self.payload, ..self.segment }
    }

    fn weight(&self) -> usize {
        self.payload.len() + BUFFERED_OVERHEAD
    }
}

impl Direction {
    fn new(address: SocketAddr) -> Self {
        Self { address, first: None, next: Seq(0), packets: 0 }
    }

    fn distance(&self, seq: Seq) -> u64 {
        match self.first {
            Some(_) => u64::from(seq.distance(self.next).unsigned_abs()),
            None => 0,
        }
    }
}

impl Group {
    fn new(segment: &Segment<'_>, since: Nanos) -> Self {
        let (one, other) = (Direction::new(segment.from), Direction::new(segment.to));
        Self { one, other, since, segments: Vec::new() }
    }

    /// Both directions: of the sender of `segment`, and the other.
    fn directions_mut(&mut self, segment: &Segment<'_>) -> (&mut Direction, &mut Direction) {
        let Self { one, other, .. } = self;
        if one.address == segment.from { (one, other) } else { (other, one) }
    }

    /// What is known of both directions.
    pub fn directions(&self) -> [&Direction; 2] {
        [&self.one, &self.other]
    }

    /// The first packet.
    pub fn first(&self) -> PacketRef {
        self.segments.first().map(|stray| stray.segment.packet).unwrap_or_default()
    }

    /// Whether `segment` lies where the next ones are expected.
    fn fits(&mut self, segment: &Segment<'_>) -> bool {
        let is_of_it = {
            let (one, other) = (self.one.address, self.other.address);
            one == segment.from && other == segment.to || other == segment.from && one == segment.to
        };
        if !is_of_it {
            return false;
        }
        let (mine, theirs) = self.directions_mut(segment);
        let near = mine.distance(segment.seq) <= WINDOW;
        near && segment.ack.is_none_or(|ack| theirs.distance(ack) <= WINDOW)
    }

    /// Adds a segment. Says whether the group is believed now: it acknowledges what the other side
    /// was seen to send, or, where the capture shows one direction only, continues what was seen.
    fn add(&mut self, segment: &Segment<'_>, one_sided: bool) -> bool {
        let length = segment.payload.len() as u64 + u64::from(segment.missing);
        let end = end_of(segment);
        let acknowledges = self.holds_what_it_acknowledges(segment);
        let (mine, theirs) = self.directions_mut(segment);
        let continues = mine.packets > 0 && mine.next == segment.seq && length > 0;
        if mine.first.is_none() {
            mine.first = Some(segment.seq);
            mine.next = end;
        } else if end.distance(mine.next) > 0 {
            mine.next = end;
        }
        mine.packets += 1;
        if let Some(ack) = segment.ack
            && theirs.first.is_none()
        {
            theirs.first = Some(ack);
            theirs.next = ack;
        }
        self.segments.push(Stray::new(segment));
        acknowledges || one_sided && continues
    }

    /// Whether a segment of the other side ends where `segment` acknowledges: the last one, or an
    /// earlier one, for both may have more under way than they acknowledge.
    fn holds_what_it_acknowledges(&self, segment: &Segment<'_>) -> bool {
        let theirs = self.segments.iter().rev().take(STRAYS_UNDER_WAY);
        let mut theirs = theirs.map(Stray::segment).filter(|it| it.from == segment.to);
        segment.ack.is_some_and(|ack| theirs.any(|it| end_of(&it) == ack))
    }

    fn weight(&self) -> usize {
        self.segments.iter().map(Stray::weight).sum()
    }
}

/// The sequence number behind a segment.
fn end_of(segment: &Segment<'_>) -> Seq {
    let length = segment.payload.len() as u64 + u64::from(segment.missing);
    let fin = u64::from(segment.flags.has(Flags::FIN));
    // A segment is far shorter than 2^32 bytes.
    segment.seq.add(u32::try_from(length + fin).unwrap_or(u32::MAX))
}

impl Strays {
    /// Keeps a reset that is of no connection known so far. `forged` is whether it was counted so.
    pub fn keep_reset(&mut self, segment: &Segment<'_>, forged: bool) {
        // RFC 9293, section 3.5.2: one that answers a SYN acknowledges it, and brings nothing.
        if segment.ack.is_some() && segment.payload.is_empty() {
            self.resets.push_back(Reset { stray: Stray::new(segment), forged });
            if self.resets.len() > STRAY_RESETS {
                self.resets.pop_front();
            }
        }
    }

    /// The reset that refuses this SYN, though it was captured before it, and whether it was
    /// counted as forged.
    pub fn take_reset(
        &mut self,
        syn: &Segment<'_>,
        is_recent: impl Fn(PacketRef) -> bool,
    ) -> Option<(Stray, bool)> {
        let refuses = |reset: &Reset| {
            let Segment { packet, from, to, ack, .. } = reset.stray.segment;
            from == syn.to && to == syn.from && ack == Some(syn.seq.add(1)) && is_recent(packet)
        };
        let index = self.resets.iter().position(refuses)?;
        self.resets.remove(index).map(|reset| (reset.stray, reset.forged))
    }

    /// Takes out the first segment of which `is_none` says that it is no stray.
    pub fn take_one(&mut self, is_none: impl Fn(&Segment<'_>) -> bool) -> Option<Stray> {
        let (group, stray) = self.groups.iter().enumerate().find_map(|(index, group)| {
            let stray = group.segments.iter().position(|stray| is_none(&stray.segment()))?;
            Some((index, stray))
        })?;
        let segments = &mut self.groups.get_mut(group)?.segments;
        let stray = segments.remove(stray);
        if segments.is_empty() {
            self.groups.remove(group);
        }
        self.weight -= stray.weight();
        Some(stray)
    }

    /// Whether no group waits.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Adds a segment that fits no connection, `elapsed` after the first packet. Gives the group
    /// that is believed by it, and how many segments were thrown away for want of room.
    pub fn push(
        &mut self,
        segment: &Segment<'_>,
        elapsed: Nanos,
        one_sided: bool,
    ) -> (Option<Group>, u64) {
        let mut index = self.groups.iter_mut().position(|group| group.fits(segment));
        if index.is_none() {
            self.groups.push_back(Group::new(segment, elapsed));
            index = Some(self.groups.len() - 1);
        }
        let index = index.unwrap_or_default();
        let Some(group) = self.groups.get_mut(index) else { return (None, 0) };
        let believed = group.add(segment, one_sided);
        self.weight += group.segments.last().map_or(0, Stray::weight);
        if believed {
            let group = self.groups.remove(index);
            self.weight -= group.as_ref().map_or(0, Group::weight);
            return (group, 0);
        }
        let mut discarded = 0;
        while self.groups.len() > STRAY_GROUPS || self.weight > STRAY_BYTES {
            discarded += self.forget_oldest();
        }
        (None, discarded)
    }

    /// Throws the oldest group away. Says how many segments it had.
    fn forget_oldest(&mut self) -> u64 {
        let Some(group) = self.groups.pop_front() else { return 0 };
        self.weight -= group.weight();
        group.segments.len() as u64
    }

    /// Throws away what began long before `elapsed`.
    pub fn expire(&mut self, elapsed: Nanos) -> u64 {
        let is_old = |group: &Group| {
            elapsed.get().saturating_sub(group.since.get()) >= RETRANSMISSION_WAIT.get()
        };
        let mut discarded = 0;
        while self.groups.front().is_some_and(is_old) {
            discarded += self.forget_oldest();
        }
        discarded
    }

    /// Throws all groups away. Says how many segments they had.
    pub fn clear(&mut self) -> u64 {
        let mut discarded = 0;
        while !self.is_empty() {
            discarded += self.forget_oldest();
        }
        discarded
    }
}
