//! Segments → bytes in order, per side of a connection. Knows TCP and nothing of what the bytes
//! mean. Time comes with the segments; what is wrong with the traffic is an output, not an error.
//!
//! - [`Streams`] finds the connection of a segment, and owns the clock and the waits;
//! - `connection` is one connection: who opened it, what each side sent, in which order;
//! - `half` is one side of it, `assembler` that side's bytes, `nagle` how long its kernel held them;
//! - `table` finds connections, `waits` tells what has waited long enough.

mod assembler;
mod connection;
mod event;
mod half;
mod nagle;
mod sequence;
mod table;
mod waits;

pub use event::{
    Chunk, CloseReason, Closed, ConnectionCounts, Ended, Gap, Opened, Standing, StreamEvent,
};
pub use nagle::{Hold, Release};

use std::ops::AddAssign;

use self::connection::Connection;
use self::table::Table;
use self::waits::{Clock, Wait, Waits, What};
use crate::decode::{Segment, Unreachable};
use crate::endpoint::Ports;
use crate::limits::REORDER_AT_MOST_FILE;
use crate::packet::PacketRef;
use crate::time::{Nanos, Timestamp};

/// What is followed, and how patiently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The ports of servers: only connections with one of them are followed. None: all are.
    pub ports: Ports,
    /// The time after which a packet that was captured out of order is no longer expected:
    /// `REORDER_AT_MOST_FILE` or `REORDER_AT_MOST_LIVE`.
    pub reorder_at_most: Nanos,
}

impl Default for Config {
    /// For a file, on all ports.
    fn default() -> Self {
        Self { ports: Ports::default(), reorder_at_most: REORDER_AT_MOST_FILE }
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
    /// Segments whose bytes had all been seen before.
    pub retransmissions: u64,
    /// Segments with other bytes than were held for the same positions. Bytes that were handed on
    /// are gone, and not compared.
    pub conflicting: u64,
    /// Segments that were held because bytes before them, or bytes that they acknowledge, had not
    /// been seen.
    pub out_of_order: u64,
    /// Segments that cannot be of the connection between their ends.
    pub out_of_window: u64,
    /// Connections that gave way because the table was full.
    pub evicted_connections: u64,
    /// Times that waiting was given up early because a bound was reached.
    pub forced_skips: u64,
    /// Segments of connections that are not followed.
    pub ignored: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        let Self {
            connections,
            gaps,
            gap_bytes,
            retransmissions,
            conflicting,
            out_of_order,
            out_of_window,
            evicted_connections,
            forced_skips,
            ignored,
        } = other;
        self.connections += connections;
        self.gaps += gaps;
        self.gap_bytes += gap_bytes;
        self.retransmissions += retransmissions;
        self.conflicting += conflicting;
        self.out_of_order += out_of_order;
        self.out_of_window += out_of_window;
        self.evicted_connections += evicted_connections;
        self.forced_skips += forced_skips;
        self.ignored += ignored;
    }
}

/// Takes segments in the order of the capture, gives what the connections carry.
#[derive(Debug)]
pub struct Streams {
    table: Table,
    shared: Shared,
}

/// What all connections share.
#[derive(Debug)]
struct Shared {
    ports: Ports,
    clock: Clock,
    waits: Waits,
    counts: Counts,
    /// What the held bytes weigh of all connections but the one that is worked on.
    held: usize,
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
            table: Table::default(),
            shared: Shared {
                ports: config.ports,
                clock: Clock::default(),
                waits: Waits::new(config.reorder_at_most),
                counts: Counts::default(),
                held: 0,
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

        let ports = &self.shared.ports;
        let followed = ports.is_empty()
            || ports.contains(segment.to.port())
            || ports.contains(segment.from.port());
        // An end that talks to itself has no sides.
        if !followed || segment.from == segment.to {
            self.shared.counts.ignored += 1;
            return;
        }
        let mut slot = self.table.find(&segment.from, &segment.to);
        if let Some(old) = slot
            && let Some(connection) = self.table.get_mut(old)
            && connection.is_replaced_by(segment)
        {
            self.close(old, CloseReason::Replaced, emit);
            slot = None;
        }
        let slot = slot.unwrap_or_else(|| self.open(segment, emit));
        if let Some(connection) = self.table.get_mut(slot) {
            self.shared.held -= connection.held();
            connection.push(segment, &mut self.shared, emit);
            self.shared.held += connection.held();
        }
    }

    /// Takes in that a segment could not be handed on.
    pub fn unreachable(&mut self, message: &Unreachable, emit: &mut impl FnMut(StreamEvent<'_>)) {
        self.pass(message.packet, emit);
    }

    /// A packet of the capture carried a segment that somebody else takes: time passed.
    pub fn pass(&mut self, packet: PacketRef, emit: &mut impl FnMut(StreamEvent<'_>)) {
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

    /// The capture is over. Delivers everything that is held and closes the connections, in the
    /// order in which they were told of.
    pub fn finish(&mut self, emit: &mut impl FnMut(StreamEvent<'_>)) {
        let mut connections = self.table.drain();
        connections.sort_by_key(|c| (c.announced.unwrap_or(u64::MAX), c.generation));
        for connection in connections {
            self.shared.held -= connection.held();
            connection.close(CloseReason::CaptureEnded, &mut self.shared, emit);
        }
    }

    fn open(&mut self, segment: &Segment<'_>, emit: &mut impl FnMut(StreamEvent<'_>)) -> u32 {
        if self.table.is_full()
            && let Some(silent) = self.table.silent()
        {
            self.shared.counts.evicted_connections += 1;
            self.close(silent, CloseReason::Evicted, emit);
        }
        let shared = &mut self.shared;
        self.table.insert(|slot, generation| Connection::new(slot, generation, segment, shared))
    }

    fn close(&mut self, slot: u32, why: CloseReason, emit: &mut impl FnMut(StreamEvent<'_>)) {
        if let Some(connection) = self.table.remove(slot) {
            self.shared.held -= connection.held();
            connection.close(why, &mut self.shared, emit);
        }
    }

    /// Ends the waits that are over. Where a queue is too long, ends as many as a segment adds.
    fn run_waits(&mut self, emit: &mut impl FnMut(StreamEvent<'_>)) {
        while let Some(wait) = self.shared.waits.due(&self.shared.clock) {
            self.passed(wait, emit);
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
        if let What::Close = wait.what {
            return self.close(wait.slot, CloseReason::CaptureEnded, emit);
        }
        self.shared.held -= connection.held();
        connection.passed(wait.what, &mut self.shared, emit);
        self.shared.held += connection.held();
    }
}

/// The most waits that one segment can begin: one for each side and kind, and one to close.
const WAITS_PER_SEGMENT: usize = 5;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
