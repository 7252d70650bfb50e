//! Segments → bytes in order, per side of a connection. Knows TCP and nothing of what the bytes
//! mean. Time comes with the segments; what is wrong with the traffic is an output, not an error.
//!
//! - [`Streams`] finds the connection of a segment, and owns the clock and the waits;
//! - `connection` is one connection and its life; `roles` says who opened it, `order` in which
//!   order its bytes are handed on, `fit` whether a segment is one of it, `attempt` why it failed
//!   to open;
//! - `half` is one side of it, `assembler` that side's bytes, `nagle` how long its kernel held
//!   them; `copies` knows packets that the capture holds twice, `checksums` those that were
//!   damaged;
//! - `table` finds connections, `strays` keeps what fits none, `translation` finds those that were
//!   captured under two pairs of addresses; `waits` tells what has waited long enough, by
//!   `capture_time`.

mod assembler;
mod attempt;
mod capture_time;
mod checksums;
mod connection;
mod copies;
mod event;
mod fit;
mod half;
mod nagle;
mod order;
mod roles;
mod sequence;
mod strays;
mod table;
mod translation;
mod waits;

pub use capture_time::CaptureTime;
pub use event::{
    Attempt, AttemptState, Chunk, CloseReason, Closed, ConnectionCounts, Ended, Gap, Notice,
    Noticed, Opened, Standing, StreamEvent,
};
pub use nagle::{Hold, Release};

use std::cmp::Reverse;
use std::net::SocketAddr;
use std::ops::AddAssign;

use self::connection::{Connection, Superseded};
use self::strays::{Group, Strays};
use self::table::Table;
use self::translation::Translations;
use self::waits::{Clock, Wait, Waits, What};
use crate::decode::{Flags, Segment, Unreachable};
use crate::endpoint::{Endpoints, Ports};
use crate::limits::{CONNECTIONS, REORDER_AT_MOST_FILE, TWINS};
use crate::packet::{PacketNumber, PacketRef};
use crate::time::{Nanos, Timestamp};

/// What is followed, and how patiently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The ports of servers: only connections with one of them are followed. None: all are.
    pub ports: Ports,
    /// The time after which a packet that was captured out of order is no longer expected:
    /// `REORDER_AT_MOST_FILE` or `REORDER_AT_MOST_LIVE`.
    pub reorder_at_most: Nanos,
    /// How many connections are followed at once: at least 1.
    pub connections: usize,
}

impl Default for Config {
    /// For a file, on all ports.
    fn default() -> Self {
        Self {
            ports: Ports::default(),
            reorder_at_most: REORDER_AT_MOST_FILE,
            connections: CONNECTIONS,
        }
    }
}

/// What was counted over all connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections that were told of.
    pub connections: u64,
    /// Gaps.
    pub gaps: u64,
    /// Bytes missing in them.
    pub gap_bytes: u64,
    /// Places where something lies behind bytes that the capture lacks, but nobody acknowledged it.
    pub unacknowledged_gaps: u64,
    /// Groups of strays that were believed: a connection went on behind a hole of unknown size, or
    /// another began.
    pub believed_groups: u64,
    /// Segments whose bytes had all been seen before.
    pub retransmissions: u64,
    /// Segments with bytes that the capture holds twice.
    pub copies: u64,
    /// Segments with other bytes than were buffered for the same positions. Bytes that were handed
    /// on are gone, and not compared.
    pub conflicting: u64,
    /// Segments that were buffered because bytes before them, or bytes that they acknowledge, had
    /// not been seen.
    pub out_of_order: u64,
    /// Segments whose checksum is wrong where it can be believed.
    pub damaged: u64,
    /// Those of them that the receiver took as they are.
    pub damaged_believed: u64,
    /// Segments that were thrown away.
    pub discarded: Discarded,
    /// Attempts to connect that nothing answered for a second.
    pub unanswered: u64,
    /// Attempts that nothing answered for a second, or that were repeated, where no packet of the
    /// other direction was seen at all.
    pub one_sided_syns: u64,
    /// Pairs of connections that are one, seen before and after address translation.
    pub translated: u64,
    /// Connections that gave way because the table was full, or too many connections had their
    /// ends.
    pub evicted_connections: u64,
    /// Times that waiting was given up early because a bound was reached.
    pub waits_given_up: u64,
    /// Segments of connections that are not followed.
    pub ignored: u64,
}

/// Segments that were thrown away, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Discarded {
    /// Their numbers fit no connection between their ends, and nobody acknowledged them.
    pub outside_window: u64,
    /// They would have opened a second connection between ends, but nobody acknowledged it.
    pub unacknowledged: u64,
    /// A RST whose numbers fit nothing.
    pub forged_reset: u64,
}

impl Discarded {
    /// Each reason by its name in every output, and its count.
    pub const fn by_reason(&self) -> [(&'static str, u64); 3] {
        let Self { outside_window, unacknowledged, forged_reset } = *self;
        [
            ("outside_window", outside_window),
            ("unacknowledged", unacknowledged),
            ("forged_reset", forged_reset),
        ]
    }
}

impl AddAssign for Discarded {
    fn add_assign(&mut self, other: Self) {
        let Self { outside_window, unacknowledged, forged_reset } = other;
        self.outside_window += outside_window;
        self.unacknowledged += unacknowledged;
        self.forged_reset += forged_reset;
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        let Self {
            connections,
            gaps,
            gap_bytes,
            unacknowledged_gaps,
            believed_groups,
            retransmissions,
            copies,
            conflicting,
            out_of_order,
            damaged,
            damaged_believed,
            discarded,
            unanswered,
            one_sided_syns,
            translated,
            evicted_connections,
            waits_given_up,
            ignored,
        } = other;
        self.connections += connections;
        self.gaps += gaps;
        self.gap_bytes += gap_bytes;
        self.unacknowledged_gaps += unacknowledged_gaps;
        self.believed_groups += believed_groups;
        self.retransmissions += retransmissions;
        self.copies += copies;
        self.conflicting += conflicting;
        self.out_of_order += out_of_order;
        self.damaged += damaged;
        self.damaged_believed += damaged_believed;
        self.discarded += discarded;
        self.unanswered += unanswered;
        self.one_sided_syns += one_sided_syns;
        self.translated += translated;
        self.evicted_connections += evicted_connections;
        self.waits_given_up += waits_given_up;
        self.ignored += ignored;
    }
}

/// Takes segments in the order of the capture, gives what the connections carry.
#[derive(Debug)]
pub struct Streams {
    table: Table,
    strays: Strays,
    translations: Translations,
    shared: Shared,
}

/// What all connections share.
#[derive(Debug)]
struct Shared {
    ports: Ports,
    clock: Clock,
    waits: Waits,
    counts: Counts,
    /// What the buffered bytes weigh of all connections but the one that is worked on.
    buffered: usize,
    /// Whether some connection showed packets of both sides.
    both_ways: bool,
}

impl Shared {
    fn wait(&mut self, slot: u32, generation: u64, what: What) {
        let wait = Wait { slot, generation, what };
        self.waits.add(&self.clock, wait);
    }

    /// The place of a connection among those that were told of.
    fn next_announced(&mut self) -> u64 {
        let place = self.counts.connections;
        self.counts.connections += 1;
        place
    }
}

impl Streams {
    /// Follows nothing yet.
    pub fn new(config: Config) -> Self {
        Self {
            table: Table::new(config.connections),
            strays: Strays::default(),
            translations: Translations::default(),
            shared: Shared {
                ports: config.ports,
                clock: Clock::default(),
                waits: Waits::new(config.reorder_at_most),
                counts: Counts::default(),
                buffered: 0,
                both_ways: false,
            },
        }
    }

    /// What was counted so far.
    pub fn counts(&self) -> &Counts {
        &self.shared.counts
    }

    /// The connection in `slot`, if it was told of.
    pub fn standing(&self, slot: u32) -> Option<Standing> {
        self.table.get(slot).and_then(Connection::standing)
    }

    /// Takes in the next segment of the capture.
    pub fn push(&mut self, segment: &Segment<'_>, emit: &mut impl FnMut(StreamEvent<'_>)) {
        self.shared.clock.packet(segment.packet);
        self.run_waits(emit);

        if !self.follows(segment) {
            self.shared.counts.ignored += 1;
            return;
        }
        let other_ends = self.translations.other_ends(segment);
        let showed_both_ways = self.shared.both_ways;
        match self.table.find(&segment.from, &segment.to) {
            None => {
                if segment.flags.has(Flags::RST) {
                    self.strays.keep_reset(segment, false);
                }
                self.begin(segment, emit);
            }
            Some(slot) => {
                let alone = self.table.get(slot).filter(|connection| !connection.twin);
                if alone.is_some_and(|connection| connection.fits(segment)) {
                    self.take(slot, segment, emit);
                } else {
                    self.choose(segment, emit);
                }
            }
        }
        if self.shared.both_ways && !showed_both_ways {
            self.other_direction_is_seen(emit);
        }
        if let Some(ends) = other_ends {
            self.translated(segment, ends, emit);
        }
    }

    /// The capture shows a packet of the other direction, for the first time.
    #[cold]
    fn other_direction_is_seen(&mut self, emit: &mut impl FnMut(StreamEvent<'_>)) {
        for slot in self.table.slots_in_order() {
            if let Some(connection) = self.table.get_mut(slot) {
                connection.other_direction_is_seen(&mut self.shared, emit);
            }
        }
    }

    /// Whether a segment is of a connection that is asked for.
    fn follows(&self, segment: &Segment<'_>) -> bool {
        let ports = &self.shared.ports;
        let asked_for = ports.is_empty()
            || ports.contains(segment.to.port())
            || ports.contains(segment.from.port());
        // An end that talks to itself has no sides.
        asked_for && segment.from != segment.to
    }

    /// Takes in that a segment could not be handed on.
    pub fn unreachable(&mut self, message: &Unreachable, emit: &mut impl FnMut(StreamEvent<'_>)) {
        self.shared.clock.packet(message.packet);
        self.run_waits(emit);
        let showed_both_ways = self.shared.both_ways;
        let slots: Vec<u32> = self.table.all_between(&message.from, &message.to).collect();
        for slot in slots {
            if let Some(connection) = self.table.get_mut(slot) {
                connection.unreachable(message, &mut self.shared, emit);
            }
        }
        if self.shared.both_ways && !showed_both_ways {
            self.other_direction_is_seen(emit);
        }
    }

    /// A segment came that somebody else takes: time passed.
    pub fn pass(&mut self, segment: &Segment<'_>, emit: &mut impl FnMut(StreamEvent<'_>)) {
        self.shared.clock.packet(segment.packet);
        self.run_waits(emit);
        if self.follows(segment)
            && let Some(ends) = self.translations.other_ends(segment)
        {
            self.translated(segment, ends, emit);
        }
    }

    /// A packet came that is no segment of ours: time passed.
    pub fn time(&mut self, packet: PacketRef, emit: &mut impl FnMut(StreamEvent<'_>)) {
        self.shared.clock.packet(packet);
        self.run_waits(emit);
    }

    /// Nothing more is under way: ends the waits for packets out of order, whatever the time.
    pub fn pause(&mut self, emit: &mut impl FnMut(StreamEvent<'_>)) {
        // Those that begin meanwhile wait for the next pause.
        for _ in 0..self.shared.waits.reordering() {
            let Some(wait) = self.shared.waits.next_reordering() else { return };
            self.passed(wait, emit);
        }
    }

    /// The time is `now`, though no packet came. Ends what has waited long enough.
    pub fn expire(&mut self, now: Timestamp, emit: &mut impl FnMut(StreamEvent<'_>)) {
        self.shared.clock.time(now);
        self.run_waits(emit);
    }

    /// The capture is over. Delivers everything that is buffered and closes the connections, in the
    /// order in which they were told of.
    pub fn finish(&mut self, emit: &mut impl FnMut(StreamEvent<'_>)) {
        self.shared.counts.discarded.outside_window += self.strays.clear();
        // In place: beside so many connections there is no room for all of them a second time.
        for slot in self.table.slots_in_order() {
            let Some(connection) = self.table.take(slot) else { continue };
            self.shared.buffered -= connection.buffered();
            let (why, by) = match connection.replaced_by() {
                Some(by) => (CloseReason::Replaced, by),
                None => (CloseReason::CaptureEnded, self.shared.clock.last()),
            };
            connection.close(why, by, &mut self.shared, emit);
        }
    }

    fn open(&mut self, segment: &Segment<'_>, emit: &mut impl FnMut(StreamEvent<'_>)) -> u32 {
        if self.table.is_full()
            && let Some(slot) = self.table.victim()
        {
            self.evict(slot, emit);
        }
        let shared = &mut self.shared;
        self.table.insert(|slot, generation| Connection::new(slot, generation, segment, shared))
    }

    /// Hands a segment to the connection that it is one of.
    fn take(&mut self, slot: u32, segment: &Segment<'_>, emit: &mut impl FnMut(StreamEvent<'_>)) {
        let Some(connection) = self.table.get_mut(slot) else { return };
        emit(StreamEvent::Segment(connection.id()));
        let was_proven = connection.proven;
        let continues = connection.twin && !was_proven && connection.is_continued_by(segment);
        self.shared.buffered -= connection.buffered();
        connection.push(segment, &mut self.shared, emit);
        self.shared.buffered += connection.buffered();
        if continues && self.is_one_sided(segment) {
            // Nobody acknowledges anything: that it goes on is proof.
            if let Some(connection) = self.table.get_mut(slot) {
                connection.proven = true;
            }
        }
        let is_proven = |it: &Connection| it.twin && it.proven && !was_proven;
        if self.table.get(slot).is_some_and(is_proven) {
            self.supersede(slot, segment, false);
        }
        if !self.strays.is_empty() {
            self.fill(slot, emit);
        }
    }

    /// Gives a connection those of the strays that it needs: what they acknowledge is absurd, but
    /// the other side took their bytes.
    #[cold]
    fn fill(&mut self, slot: u32, emit: &mut impl FnMut(StreamEvent<'_>)) {
        loop {
            let Some(connection) = self.table.get(slot) else { return };
            let Some(stray) = self.strays.take_one(|segment| connection.needs(segment)) else {
                return;
            };
            self.take_late(slot, &Segment { ack: None, ..stray.segment() }, emit);
        }
    }

    /// Whether no connection between the ends of `segment` showed a packet of the side it goes to.
    fn is_one_sided(&self, segment: &Segment<'_>) -> bool {
        let mut twins = self.table.all_between(&segment.from, &segment.to);
        twins.all(|slot| self.table.get(slot).is_some_and(|it| it.is_silent(&segment.to)))
    }

    /// Finds the connection of a segment where there are several, or where the one there is does
    /// not fit.
    #[cold]
    fn choose(&mut self, segment: &Segment<'_>, emit: &mut impl FnMut(StreamEvent<'_>)) {
        let twins: Vec<u32> = self.table.all_between(&segment.from, &segment.to).collect();
        let distance = |&slot: &u32| {
            let connection = self.table.get(slot)?;
            Some((connection.distance(segment)?, Reverse(connection.generation), slot))
        };
        if let Some((_, _, slot)) = twins.iter().filter_map(distance).min() {
            self.challenge(&twins, slot, segment, emit);
            return self.take(slot, segment, emit);
        }
        if segment.flags.has(Flags::SYN) {
            return self.open_beside(&twins, segment, emit);
        }
        if segment.flags.has(Flags::RST) {
            let fits = |slot: &&u32| {
                self.table.get(**slot).is_some_and(|connection| connection.resets_with(segment))
            };
            match twins.iter().find(fits) {
                Some(slot) => self.take(*slot, segment, emit),
                None => {
                    self.shared.counts.discarded.forged_reset += 1;
                    self.strays.keep_reset(segment, true);
                }
            }
            return;
        }
        let one_sided = self.is_one_sided(segment);
        let (group, discarded) = self.strays.push(segment, self.shared.clock.elapsed(), one_sided);
        self.shared.counts.discarded.outside_window += discarded;
        match group {
            Some(group) => self.believe(&twins, &group, emit),
            None => twins.into_iter().for_each(|slot| self.fill(slot, emit)),
        }
    }

    /// A segment is of the connection in `slot`: it answers the SYNs of the others to its sender.
    fn challenge(
        &mut self,
        twins: &[u32],
        slot: u32,
        segment: &Segment<'_>,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        if segment.flags.has(Flags::RST) {
            return;
        }
        for &other in twins.iter().filter(|&&other| other != slot) {
            if let Some(connection) = self.table.get_mut(other)
                && connection.opener() == Some(connection.sender(segment).other())
            {
                connection.challenged(segment.packet, emit);
            }
        }
    }

    /// A SYN that fits no connection between its ends opens another. Those that are over or were
    /// never answered make room for it.
    fn open_beside(
        &mut self,
        twins: &[u32],
        segment: &Segment<'_>,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        let mut standing = Vec::new();
        for &slot in twins {
            let Some(connection) = self.table.get(slot) else { continue };
            if connection.gives_way_to(segment) {
                self.close(slot, CloseReason::Replaced, emit);
            } else {
                standing.push((connection.last_number(), slot));
            }
        }
        self.make_room(standing, emit);
        self.begin(segment, emit);
    }

    /// Opens a connection with its first segment. A reset that refuses it may have been captured
    /// first.
    fn begin(&mut self, segment: &Segment<'_>, emit: &mut impl FnMut(StreamEvent<'_>)) {
        let slot = self.open(segment, emit);
        self.take(slot, segment, emit);
        if !segment.flags.has(Flags::SYN) || segment.ack.is_some() {
            return;
        }
        let Shared { clock, waits, .. } = &self.shared;
        let is_recent = |reset: PacketRef| clock.passed_since(reset.at) <= waits.reorder_at_most();
        if let Some((reset, forged)) = self.strays.take_reset(segment, is_recent) {
            self.shared.counts.discarded.forged_reset -= u64::from(forged);
            self.take_late(slot, &reset.segment(), emit);
        }
    }

    /// Hands a segment that was kept to the connection that it turned out to be one of.
    fn take_late(
        &mut self,
        slot: u32,
        segment: &Segment<'_>,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        let Some(connection) = self.table.get_mut(slot) else { return };
        emit(StreamEvent::Late { connection: connection.id(), packet: segment.packet.number });
        self.shared.buffered -= connection.buffered();
        connection.push(segment, &mut self.shared, emit);
        self.shared.buffered += connection.buffered();
    }

    /// Of too many connections between the same ends the one that was silent longest gives way.
    fn make_room(
        &mut self,
        mut standing: Vec<(PacketNumber, u32)>,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        standing.sort_unstable();
        let too_many = (standing.len() + 1).saturating_sub(TWINS);
        for (_, slot) in standing.into_iter().take(too_many) {
            let was_superseded = self.table.get(slot).is_some_and(Connection::was_superseded);
            if was_superseded {
                self.close(slot, CloseReason::Replaced, emit);
            } else {
                self.evict(slot, emit);
            }
        }
    }

    /// Segments that fitted no connection were acknowledged: a connection goes on with them behind
    /// a hole, if one of its sides did not jump; else they are another connection.
    fn believe(&mut self, twins: &[u32], group: &Group, emit: &mut impl FnMut(StreamEvent<'_>)) {
        self.shared.counts.believed_groups += 1;
        let goes_on =
            twins.iter().find_map(|&slot| Some((slot, self.table.get(slot)?.jump_to(group)?)));
        let slot = match goes_on {
            Some((slot, jump)) => {
                if let Some(connection) = self.table.get_mut(slot) {
                    self.shared.buffered -= connection.buffered();
                    connection.jump(jump, group.first(), &mut self.shared, emit);
                    self.shared.buffered += connection.buffered();
                }
                slot
            }
            None => {
                let last = |slot: &u32| Some((self.table.get(*slot)?.last_number(), *slot));
                let standing = twins.iter().filter_map(last).collect();
                self.make_room(standing, emit);
                let Some(first) = group.segments.first() else { return };
                let slot = self.open(&first.segment(), emit);
                if let Some(connection) = self.table.get_mut(slot) {
                    connection.proven = true;
                }
                slot
            }
        };
        for stray in &group.segments {
            self.take_late(slot, &stray.segment(), emit);
        }
        if goes_on.is_none()
            && let Some(last) = group.segments.last()
        {
            self.supersede(slot, &last.segment(), true);
        }
    }

    /// The connection in `slot` is believed: others between the same ends that do not go on are
    /// over.
    fn supersede(&mut self, slot: u32, segment: &Segment<'_>, blindly: bool) {
        let twins: Vec<u32> = self.table.all_between(&segment.from, &segment.to).collect();
        for other in twins.into_iter().filter(|&other| other != slot) {
            let Some(connection) = self.table.get_mut(other) else { continue };
            let (last, by) = (connection.last_number(), segment.packet);
            connection.superseded = Some(Superseded { last, by, blindly });
            self.shared.wait(other, connection.generation, What::Superseded);
        }
    }

    /// The segment was captured under other addresses too, from `from` to `to`: lets the
    /// connections between both pairs of ends know of each other.
    #[cold]
    fn translated(
        &mut self,
        segment: &Segment<'_>,
        (from, to): (SocketAddr, SocketAddr),
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        let pairs = [(from, to), (segment.from, segment.to)];
        for ((from, to), (other_from, other_to)) in [(pairs[0], pairs[1]), (pairs[1], pairs[0])] {
            let Some(slot) = self.table.find(&from, &to) else { continue };
            let Some(connection) = self.table.get_mut(slot) else { continue };
            if connection.also.is_some() {
                continue;
            }
            let client = connection.halves.client.address;
            let also = if client == from {
                Endpoints { client: other_from, server: other_to }
            } else {
                Endpoints { client: other_to, server: other_from }
            };
            // Of the two, the one that was seen later counts.
            self.shared.counts.translated += u64::from(from == segment.from && to == segment.to);
            connection.tell_also(also, segment.packet, emit);
        }
    }

    /// Gives up a connection that may go on, for want of room.
    fn evict(&mut self, slot: u32, emit: &mut impl FnMut(StreamEvent<'_>)) {
        self.shared.counts.evicted_connections += 1;
        self.close(slot, CloseReason::Evicted, emit);
    }

    fn close(&mut self, slot: u32, why: CloseReason, emit: &mut impl FnMut(StreamEvent<'_>)) {
        let now = self.shared.clock.last();
        self.close_by(slot, why, now, emit);
    }

    /// Closes what `by` gave the reason for.
    fn close_by(
        &mut self,
        slot: u32,
        why: CloseReason,
        by: PacketRef,
        emit: &mut impl FnMut(StreamEvent<'_>),
    ) {
        if let Some(connection) = self.table.remove(slot) {
            self.shared.buffered -= connection.buffered();
            connection.close(why, by, &mut self.shared, emit);
        }
    }

    /// Ends the waits that are over. Where a queue is too long, ends as many as a segment adds.
    fn run_waits(&mut self, emit: &mut impl FnMut(StreamEvent<'_>)) {
        while let Some(wait) = self.shared.waits.due(&self.shared.clock) {
            self.passed(wait, emit);
        }
        if !self.strays.is_empty() {
            let discarded = self.strays.expire(self.shared.clock.elapsed());
            self.shared.counts.discarded.outside_window += discarded;
        }
        for _ in 0..WAITS_PER_SEGMENT {
            let Some(wait) = self.shared.waits.overdue() else {
                return;
            };
            self.passed(wait, emit);
        }
    }

    fn passed(&mut self, wait: Wait, emit: &mut impl FnMut(StreamEvent<'_>)) {
        let Some(connection) = self.table.get_mut(wait.slot) else {
            return;
        };
        if connection.generation != wait.generation {
            return;
        }
        match wait.what {
            What::Close if connection.outlives_its_reset() => {
                connection.end = None;
                self.shared.counts.discarded.forged_reset += 1;
                return;
            }
            What::Close => return self.close(wait.slot, CloseReason::CaptureEnded, emit),
            What::Superseded if let Some(by) = connection.replaced_by() => {
                return self.close_by(wait.slot, CloseReason::Replaced, by, emit);
            }
            _ => {}
        }
        self.shared.buffered -= connection.buffered();
        connection.passed(wait.what, &mut self.shared, emit);
        self.shared.buffered += connection.buffered();
    }
}

/// The most waits that one segment can begin: one for each side and kind, and one to close.
const WAITS_PER_SEGMENT: usize = 5;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
