//! All that the screen knows of a capture: the archive of exchanges and packets, the statistics, the
//! connections. Fed packet by packet and update by update; asked read-only questions.

use crate::endpoint::Ends;
use crate::engine::Update;
use crate::packet::{Packet, PacketRef};
use crate::store::{Archive, Completeness, Statistics, Timelines};
use crate::stream::{ConnectionEnd, Why};
use crate::time::Nanos;

/// Where the bytes of a packet stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Nowhere else: they are copied.
    Memory,
    /// In a capture file that can be read again.
    File {
        /// The index of the file among those that are read.
        file: u16,
        /// Where its captured bytes begin there.
        offset: u64,
    },
}

/// What is known of a connection, standing or over.
#[derive(Clone, Debug)]
pub struct ConnectionRecord {
    /// Its serial number.
    pub serial: u32,
    /// Its addresses, in the roles that the messages showed.
    pub ends: Ends,
    /// The packet that first showed it.
    pub first: PacketRef,
    /// The packet that showed it last.
    pub last: PacketRef,
    /// How it ended; `None` while it stands.
    pub why: Option<Why>,
    /// What was counted of its segments.
    pub tally: ConnectionEnd,
    /// From its SYN to the ACK that completed the handshake, at the capture point.
    pub round_trip: Option<Nanos>,
    /// Calls without final reply so far.
    pub in_flight: u64,
    /// Calls, those in flight included.
    pub calls: u64,
    /// Events.
    pub events: u64,
    /// Calls that ended `error`.
    pub errors: u64,
    /// Whether it was seen from its first byte.
    pub from_start: bool,
    /// What it speaks, where that is not Nest TCP.
    pub foreign: Option<&'static str>,
    /// Whether a frame of Nest TCP was read on it.
    pub spoke_nest: bool,
}

/// How full the memory is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// Bytes in use.
    pub used: usize,
    /// Bytes that may be.
    pub ceiling: usize,
    /// Packets whose bytes gave way to newer ones.
    pub packets_dropped: u64,
    /// Exchanges that gave way to newer ones.
    pub rows_dropped: u64,
}

/// All that the screen knows of a capture.
#[derive(Debug, Default)]
pub struct Book {
    archive: Archive,
    statistics: Statistics,
    timelines: Timelines,
    completeness: Completeness,
    connections: Vec<ConnectionRecord>,
    changed: Vec<u64>,
}

impl Book {
    /// Knows nothing yet, and will take up to `ceiling` bytes.
    pub fn new(_ceiling: usize) -> Self {
        Self::default()
    }

    /// The next packet, before the engine gets it.
    pub fn packet(&mut self, _packet: &Packet<'_>, _kept: Kept) {}

    /// What the engine tells while it has that packet.
    pub fn take(&mut self, update: &Update<'_>) {
        if let Update::Exchange(exchange) = update {
            self.statistics.add(exchange);
            self.timelines.add(exchange);
        }
    }

    /// Every exchange and every packet that is remembered.
    pub fn archive(&self) -> &Archive {
        &self.archive
    }

    /// Patterns and totals over everything since the beginning or the last [`clear`](Self::clear),
    /// what gave way included.
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// What happened of each pattern when, over the same time as [`statistics`](Self::statistics).
    pub fn timelines(&self) -> &Timelines {
        &self.timelines
    }

    /// What was seen whole, and what was not.
    pub fn completeness(&self) -> &Completeness {
        &self.completeness
    }

    /// The connections, in the order in which they were first seen.
    pub fn connections(&self) -> &[ConnectionRecord] {
        &self.connections
    }

    /// The numbers of the exchanges that began, got a reply or ended since this was last asked, in
    /// the order in which that happened; some may come more than once.
    pub fn changed(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.changed)
    }

    /// How full the memory is.
    pub fn memory(&self) -> Memory {
        Memory::default()
    }

    /// Forgets every exchange and every number; what comes next is counted anew.
    pub fn clear(&mut self) {}
}
